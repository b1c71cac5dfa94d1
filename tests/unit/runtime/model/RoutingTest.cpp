//===- RoutingTest.cpp - One package, two modes ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include "models/Safetensors.h"
#include "runtime/Session.h"

#include <gmock/gmock.h>

using namespace chipwright;
using namespace chipwright::models;
using namespace chipwright::test;
using testing::HasSubstr;

namespace {

const std::vector<std::vector<SequencePiece>> kSteps = {
    {{0, {3, 11, 40, 7}}, {1, {5, 3}}},
    {{0, {9}}, {1, {20}}},
    {{1, {2, 2, 2}}}};

/// Runs kSteps; the recorder sees them in functional mode.
std::vector<StepTime> runSteps(SimDevice &device, const Graph &graph) {
  SequenceTable table(2, 128);
  std::vector<StepTime> times;
  for (const auto &pieces : kSteps) {
    auto step = table.append(graph, pieces, Outputs::LastOfEach);
    EXPECT_TRUE(step);
    auto outcome = device.run(*step, nullptr);
    EXPECT_TRUE(outcome) << outcome.error().message;
    if (!outcome) {
      break;
    }
    times.push_back(*outcome->time);
  }
  return times;
}

RoutingTrace record(std::vector<StepTime> &times) {
  TinyModel &tiny = tinyModel();
  auto device = tiny.device(sim::Mode::Functional);
  RoutingRecorder recorder(77);
  device->observe(recorder);
  times = runSteps(*device, tiny.graph);
  return recorder.trace;
}

TEST(Routing, BothModesAgreeOnAllButNumbers) {
  TinyModel &tiny = tinyModel();
  std::vector<StepTime> functional;
  RoutingTrace trace = record(functional);
  auto device = tiny.device(sim::Mode::Timing, &trace);
  std::vector<StepTime> timing = runSteps(*device, tiny.graph);
  ASSERT_EQ(timing.size(), kSteps.size());
  ASSERT_EQ(functional.size(), kSteps.size());
  for (size_t s = 0; s < timing.size(); ++s) {
    EXPECT_EQ(timing[s].measurement.job.cycles,
              functional[s].measurement.job.cycles);
    for (size_t i = 0; i < timing[s].launches.size(); ++i) {
      const sim::JobResult &a = timing[s].launches[i].measurement.job;
      const sim::JobResult &b = functional[s].launches[i].measurement.job;
      EXPECT_EQ(a.cycles, b.cycles) << "step " << s << " launch " << i;
      EXPECT_EQ(a.instructions, b.instructions) << s << " " << i;
      EXPECT_EQ(a.pcHash, b.pcHash) << s << " " << i;
    }
  }
}

TEST(Routing, OtherChoicesTakeOtherTime) {
  TinyModel &tiny = tinyModel();
  std::vector<StepTime> functional;
  RoutingTrace trace = record(functional);
  std::vector<uint64_t> instructions;
  for (int32_t expert : {0, 1}) {
    RoutingTrace pinned = trace;
    for (RoutingTrace::Step &step : pinned.steps) {
      for (auto &[place, words] : step.contents) {
        std::fill(words.begin(), words.end(), expert);
      }
    }
    auto device = tiny.device(sim::Mode::Timing, &pinned);
    std::vector<StepTime> times = runSteps(*device, tiny.graph);
    ASSERT_EQ(times.size(), kSteps.size());
    instructions.push_back(times[0].launches[4].measurement.job.instructions);
  }
  EXPECT_GT(instructions[1], instructions[0]);
}

TEST(Routing, TimingModeAsksForIt) {
  TinyModel &tiny = tinyModel();
  SimDevice::Request request;
  request.packageName = "tiny.cwx";
  auto refused =
      SimDevice::create(tiny.package, tiny.graph, nullptr, tiny.chip, request);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("--routing trace:F"));
}

TEST(Routing, WrongRecordsAreRefused) {
  TinyModel &tiny = tinyModel();
  std::vector<StepTime> functional;
  RoutingTrace trace = record(functional);
  Step step = tiny.step({{0, {3, 11, 40, 7}}, {1, {5, 3}}});
  {
    RoutingTrace none;
    auto device = tiny.device(sim::Mode::Timing, &none);
    EXPECT_THAT(device->run(step, nullptr).error().message,
                HasSubstr("found no such step"));
  }
  {
    RoutingTrace other = trace;
    other.steps[0].ids[0] = 4;
    auto device = tiny.device(sim::Mode::Timing, &other);
    EXPECT_THAT(device->run(step, nullptr).error().message,
                HasSubstr("found other tokens"));
  }
  {
    RoutingTrace shorter = trace;
    shorter.steps[0].contents.begin()->second.pop_back();
    auto device = tiny.device(sim::Mode::Timing, &shorter);
    EXPECT_THAT(device->run(step, nullptr).error().message,
                HasSubstr("expected 6 words of buffer chosen after launch 3"));
  }
}

TEST(Routing, Files) {
  ScratchFolder folder;
  RoutingTrace trace;
  trace.package = 0xabc;
  trace.steps.push_back({{1, 2}, {0, 0}, {0, 1}, {}, {{0, 17}}});
  trace.steps[0].contents[{3, "chosen"}] = {4, -5};
  ASSERT_TRUE(writeRouting(trace, folder / "r.json"));
  auto read = readRouting(folder / "r.json", 0xabc);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->steps.size(), 1u);
  EXPECT_EQ(read->steps[0].ids, trace.steps[0].ids);
  EXPECT_EQ(read->steps[0].positions, trace.steps[0].positions);
  EXPECT_EQ(read->steps[0].contents, trace.steps[0].contents);
  EXPECT_EQ(read->steps[0].next, trace.steps[0].next);
  EXPECT_THAT(readRouting(folder / "r.json", 0xabd).error().message,
              HasSubstr("recorded with package"));
  EXPECT_THAT(readRouting(folder / "none.json", 1).error().message,
              HasSubstr("none that can be read"));
  for (const char *text :
       {"", "[", "3", "{}", R"({"format": "chipwright-routing-1"})",
        R"({"format": 3, "package": "x", "steps": []})",
        R"({"format": "chipwright-routing-1", "package": "0000000000000abc",
            "steps": [{"ids": [1], "sequences": [], "positions": [0],
                       "contents": [], "next": []}]})",
        R"({"format": "chipwright-routing-1", "package": "0000000000000abc",
            "steps": [{"ids": [1.5], "sequences": [0], "positions": [0],
                       "contents": [], "next": []}]})",
        R"({"format": "chipwright-routing-1", "package": "0000000000000abc",
            "steps": [{"ids": [], "sequences": [], "positions": [],
                       "contents": [{"launch": 99999999999, "buffer": "a",
                                     "words": []}], "next": []}]})",
        R"({"format": "chipwright-routing-1", "package": "0000000000000abc",
            "steps": [{"ids": [], "sequences": [], "positions": [],
                       "contents": [], "next": [[1]]}]})"}) {
    ASSERT_TRUE(writeTextFile(folder / "bad.json", text));
    auto refused = readRouting(folder / "bad.json", 0xabc);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().exitStatus, ExitBadInput);
  }
}

} // namespace
