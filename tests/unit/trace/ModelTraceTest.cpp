//===- ModelTraceTest.cpp - Timeline of a model ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ConfigReader.h"
#include "models/Graph.h"
#include "tests/unit/trace/TraceMachine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <map>
#include <set>
#include <sys/wait.h>

using namespace chipwright;
using namespace chipwright::sim;
using nlohmann::json;
using testing::HasSubstr;

namespace {

const std::string kModel =
    std::string(CHIPWRIGHT_SOURCE_DIR) + "/tests/golden/transformers-llama4";

/// The tool's exit status, and what it says on stderr.
std::pair<int, std::string> tool(const std::string &arguments) {
  TemporaryFolder folder;
  std::string said = folder.file("stderr");
  int status = std::system(
      (std::string(CHIPWRIGHT_TOOL) + " " + arguments + " >/dev/null 2>" + said)
          .c_str());
  std::ifstream file(said);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          {std::istreambuf_iterator<char>(file), {}}};
}

std::set<std::string> opsOfModel() {
  auto config = models::readModelConfig(kModel + "/config.json");
  EXPECT_TRUE(config);
  std::set<std::string> names;
  for (const models::Op &op : models::buildGraph(*config).ops) {
    names.insert(op.name);
  }
  return names;
}

/// Every slice of a command, link, channel or launch names an operation of the
/// model's graph; that of a command the one whose launch it lies in.
TEST(ModelTrace, EverySliceNamesAnOperationOfTheGraph) {
  std::set<std::string> ops = opsOfModel();
  ASSERT_GT(ops.size(), 50u);
  TemporaryFolder folder;
  std::string path = folder.file("trace.json");
  auto [status, said] =
      tool("run --model " + kModel +
           " --prompt-ids 1,2,3 --max-new-tokens 2 --trace " + path);
  ASSERT_EQ(status, 0) << said;
  ASSERT_EQ(said, "") << "the trace is not complete";
  std::ifstream file(path);
  json document = json::parse(file, nullptr, /*allow_exceptions=*/false);
  ASSERT_FALSE(document.is_discarded());

  std::map<unsigned, std::string> processes;
  std::map<uint64_t, std::pair<uint64_t, std::string>> launches; // by begin
  for (const json &event : document["traceEvents"]) {
    if (event["name"] == "process_name") {
      processes[event["pid"]] = event["args"]["name"];
    }
    if (event["ph"] == "X" && processes.at(event["pid"]) == "Launches") {
      uint64_t begin = event["args"]["cycle"], cycles = event["args"]["cycles"];
      launches[begin] = {begin + cycles, event["args"]["op"]};
      EXPECT_EQ(event["name"], event["args"]["op"]);
    }
  }
  std::map<std::string, unsigned> slices; // by first word of the process
  std::map<std::string, std::set<std::string>> parts; // by operation
  for (const json &event : document["traceEvents"]) {
    std::string phase = event["ph"];
    if (phase != "X" && phase != "i") {
      continue;
    }
    std::string process = processes.at(event["pid"]);
    ++slices[process.substr(0, process.find(' '))];
    ASSERT_TRUE(event["args"].contains("op")) << event;
    std::string op = event["args"]["op"];
    ASSERT_TRUE(ops.contains(op)) << event;
    if (!process.starts_with("PE ")) {
      continue;
    }
    ASSERT_TRUE(event["args"].contains("part")) << event;
    parts[op].insert(event["args"]["part"]);
    uint64_t begin = event["args"]["cycle"], cycles = event["args"]["cycles"];
    auto launch = launches.upper_bound(begin);
    ASSERT_NE(launch, launches.begin()) << event;
    auto [end, launched] = std::prev(launch)->second;
    ASSERT_EQ(launched, op) << event;
    ASSERT_LE(begin + cycles, end) << event;
  }
  for (const char *process : {"PE", "NoC", "DRAM", "Launches"}) {
    EXPECT_GT(slices[process], 100u) << process;
  }
  for (const std::string &op : ops) {
    EXPECT_TRUE(parts.contains(op)) << op << " has no slice";
  }
  // What several programs compute says which one it is.
  EXPECT_GT(parts["layers.1.feed_forward.experts"].size(), 1u);
  EXPECT_EQ(parts["layers.0.self_attn.q_proj"],
            std::set<std::string>{"linear"});
}

/// A fault says which operation of the model its commands belong to.
TEST(ModelTrace, FaultsNameTheOperation) {
  auto [status, said] = tool("run --model " + kModel +
                             " --prompt-ids 1,2,3 --max-new-tokens 1 "
                             "--max-cycles 1000");
  EXPECT_EQ(status, 5);
  EXPECT_THAT(said, HasSubstr("(launch 1): runaway"));
  EXPECT_THAT(said, HasSubstr(", of layers.0.input_layernorm"));
}

} // namespace
