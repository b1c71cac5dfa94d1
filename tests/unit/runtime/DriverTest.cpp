//===- DriverTest.cpp - The command line ----------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/wait.h>

using testing::ContainsRegex;
using testing::HasSubstr;
using Json = nlohmann::json;

namespace {

struct Answer {
  int status;
  std::string text; // stdout and stderr
};

Answer tool(const std::string &arguments, bool withErrors = true) {
  std::string command = std::string(CHIPWRIGHT_TOOL) + " " + arguments +
                        (withErrors ? " 2>&1" : " 2>/dev/null");
  FILE *pipe = popen(command.c_str(), "r");
  std::string text;
  char block[4096];
  for (size_t n; (n = fread(block, 1, sizeof(block), pipe)) > 0;) {
    text.append(block, n);
  }
  int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

std::string scratch(const std::string &name) {
  return testing::TempDir() + "driver-" + std::to_string(getpid()) + "-" + name;
}

TEST(Driver, HelpOnEveryLevel) {
  for (const char *level : {"--help", "kernel --help", "show --help"}) {
    Answer answer = tool(level);
    EXPECT_EQ(answer.status, 0);
    EXPECT_THAT(answer.text, HasSubstr("usage: chipwright"));
    EXPECT_THAT(answer.text, HasSubstr("example"));
  }
}

TEST(Driver, UsageErrors) {
  const std::pair<const char *, const char *> cases[] = {
      {"", "a command is missing"},
      {"kernl", "did you mean kernel?"},
      {"kernel", "name of a kernel is missing"},
      {"kernel coppy", "did you mean copy?"},
      {"kernel copy --element 3", "did you mean --elements?"},
      {"kernel copy --elements -3", "--elements is '-3'"},
      {"kernel copy --elements 3x", "--elements is '3x'"},
      {"kernel copy --elements 99999999999999999999", "below 2^64"},
      {"kernel copy --elements 0", "expected 1 to"},
      {"kernel copy --m 3", "--m has no meaning"},
      {"kernel copy --mode fast", "expected timing or functional"},
      {"kernel copy --memory lls", "expected dram, sram or auto"},
      {"kernel copy --jobs 9", "expected 1 to 8"},
      {"kernel copy --sweep noc.link_bytes", "expected PATH=V1,V2"},
      {"kernel copy --set noc.link_byte=3", "noc.link_byte"},
      {"kernel copy add", "one kernel at a time"},
      {"kernel copy --buffer a:3", "needs --file"},
      {"kernel --file x.c --buffer a", "NAME:BYTES"},
      {"kernel --file x.c --m 3", "pass sizes with --args"},
      {"show", "show what"},
      {"show chps", "did you mean chips?"},
      {"show chip", "name of one chip"},
  };
  for (auto [arguments, message] : cases) {
    Answer answer = tool(arguments);
    EXPECT_EQ(answer.status, 2) << arguments;
    EXPECT_THAT(answer.text, HasSubstr(message)) << arguments;
  }
}

TEST(Driver, OtherStatuses) {
  EXPECT_EQ(tool("kernel copy --chip /nowhere.yaml").status, 3);
  EXPECT_EQ(tool("kernel --file /nowhere.c").status, 3);
  EXPECT_EQ(tool("kernel empty --json /nowhere/x.json").status, 3);
  EXPECT_EQ(tool("kernel copy --elements 99999999999").status, 4);
  EXPECT_EQ(tool("kernel copy --max-cycles 1000").status, 5);
}

TEST(Driver, JsonToStdoutIsOnlyJson) {
  Answer answer = tool("kernel empty --json -", /*withErrors=*/false);
  EXPECT_EQ(answer.status, 0);
  Json json = Json::parse(answer.text, nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_EQ(json["command_line"], "chipwright kernel empty --json -");
  EXPECT_EQ(json["chip"]["name"], "mtia-2i");
}

TEST(Driver, JsonFileIsReplacedAsAWhole) {
  std::string path = scratch("out.json");
  std::ofstream(path) << "old";
  EXPECT_EQ(tool("kernel copy --max-cycles 1000 --json " + path).status, 5);
  EXPECT_EQ(tool("kernel empty --json " + path).status, 0);
  std::ifstream file(path);
  Json json = Json::parse(file, nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_GT(json["cycles"], 0);
  std::string folder = std::filesystem::path(path).parent_path();
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_FALSE(entry.path().string().starts_with(path + "."));
  }
  EXPECT_EQ(tool("kernel empty --json /dev/null").status, 0);
  std::filesystem::remove(path);
}

/// The JSON of a sweep without what differs from run to run.
Json sweep(const std::string &jobs) {
  Answer answer = tool("kernel copy --elements 100000 --sweep "
                       "noc.link_bytes=32,64,128 --sweep grid.rows=4,8 "
                       "--json - --jobs " +
                           jobs,
                       /*withErrors=*/false);
  EXPECT_EQ(answer.status, 0);
  Json json = Json::parse(answer.text, nullptr, false);
  for (Json &point : json["points"]) {
    point["simulator"].erase("cpu_seconds");
    point["simulator"].erase("process_cpu_seconds");
    point.erase("command_line");
  }
  return json["points"];
}

TEST(Driver, SweepDoesNotDependOnJobs) {
  Json one = sweep("1");
  ASSERT_EQ(one.size(), 6u);
  EXPECT_EQ(one[0]["set"], Json({"noc.link_bytes=32", "grid.rows=4"}));
  EXPECT_EQ(one[5]["set"], Json({"noc.link_bytes=128", "grid.rows=8"}));
  EXPECT_LT(one[3]["cycles"], one[1]["cycles"]); // wider links
  EXPECT_EQ(one, sweep("4"));
}

TEST(Driver, SweepReportsBadPoints) {
  Answer answer = tool("kernel empty --sweep grid.rows=4,0,8");
  EXPECT_EQ(answer.status, 2);
  EXPECT_THAT(answer.text, HasSubstr("grid.rows=8"));
  EXPECT_THAT(answer.text, HasSubstr("error: "));
}

TEST(Driver, TraceAndWatch) {
  std::string path = scratch("trace.json");
  Answer answer = tool("kernel add --elements 100000 --trace " + path +
                       " --trace-pe 0,0 --trace-window 0:100000 "
                       "--watch pe=0,0 cb=2");
  EXPECT_EQ(answer.status, 0) << answer.text;
  // One slot of the result ring goes in and out.
  EXPECT_THAT(answer.text, ContainsRegex("pe 0,0 cb 2 push [0-9]+ occ"));
  EXPECT_THAT(answer.text, ContainsRegex("pe 0,0 cb 2 pop [0-9]+ occ"));
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_FALSE(Json::parse(text, nullptr, false).is_discarded());
  EXPECT_THAT(text, HasSubstr("kernel_compute"));
  std::filesystem::remove(path);
  EXPECT_EQ(tool("kernel add --trace-pe 0,0").status, 2);
  EXPECT_EQ(tool("kernel add --trace " + path + " --trace-pe 9,9").status, 2);
  EXPECT_EQ(tool("kernel add --watch pe=0,0 cb=77").status, 2);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Driver, Show) {
  EXPECT_THAT(tool("show chips").text, HasSubstr("mtia-300"));
  EXPECT_THAT(tool("show chip mtia-2i").text, HasSubstr("fp16"));
  EXPECT_THAT(tool("show chip mtia-2i --paths").text,
              HasSubstr("cp.write_cycles"));
  EXPECT_THAT(tool("show chip mtia-2i --diff mtia-300").text,
              HasSubstr("clock_ghz"));
  EXPECT_THAT(tool("show isa").text, HasSubstr("xpe.mml"));
  EXPECT_EQ(tool("show chip nope").status, 3);
}

} // namespace
