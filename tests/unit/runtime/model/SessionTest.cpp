//===- SessionTest.cpp - Sequences and steps ------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/Session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace chipwright;
using namespace chipwright::models;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

/// Remembers its steps; the logits of a token have their peak at id + 1.
class CountingDevice final : public Device {
public:
  const char *name() const override { return "counting"; }
  int64_t slots() const override { return room; }
  Result<StepOutcome> run(const Step &step, const RouterChoices *) override {
    if (fails) {
      return Diagnostic{"no more", ExitStopped};
    }
    steps.push_back(step);
    StepOutcome outcome;
    if (computes) {
      outcome.logits = HostMatrix<float>::Zero(
          static_cast<Eigen::Index>(step.outputs.size()), 100);
      for (size_t r = 0; r < step.outputs.size(); ++r) {
        int32_t id = step.ids[static_cast<size_t>(step.outputs[r])];
        (*outcome.logits)(static_cast<Eigen::Index>(r), (id + 1) % 100) = 1;
      }
    }
    return outcome;
  }

  std::vector<Step> steps;
  int64_t room = 1 << 20;
  bool fails = false, computes = true;
};

Graph plainGraph() {
  Graph graph;
  graph.vocabulary = 100;
  graph.masks = {AttentionMask{}};
  return graph;
}

TEST(SessionLimits, RangesOfSlotsAreAligned) {
  EXPECT_EQ((SessionLimits{8, 3, 1}).slots(), 3 * 128);
  EXPECT_EQ((SessionLimits{8, 3, 128}).slots(), 3 * 128);
  EXPECT_EQ((SessionLimits{8, 2, 129}).slots(), 2 * 256);
  Package package;
  package.bounds = {{"tokens", 5}, {"batch", 6}, {"context", 7}};
  SessionLimits limits = SessionLimits::of(package);
  EXPECT_EQ(limits.maxTokens, 5);
  EXPECT_EQ(limits.maxBatch, 6);
  EXPECT_EQ(limits.maxContext, 7);
}

TEST(Session, PlacesAndLengths) {
  Graph graph = plainGraph();
  CountingDevice device;
  Session session(graph, device, {16, 3, 200});
  std::vector<SequencePiece> pieces = {{2, {1, 2}}, {0, {3}}};
  ASSERT_TRUE(session.step(pieces, Outputs::LastOfEach));
  EXPECT_THAT(device.steps[0].slots, ElementsAre(512, 513, 0));
  EXPECT_EQ(session.length(2), 2);
  EXPECT_EQ(session.length(1), 0);
  pieces = {{2, {4}}};
  ASSERT_TRUE(session.step(pieces, Outputs::LastOfEach));
  EXPECT_THAT(device.steps[1].slots, ElementsAre(514));
  EXPECT_THAT(device.steps[1].masks[0].lo, ElementsAre(512));
  // A refused step appends nothing.
  device.fails = true;
  EXPECT_FALSE(session.step(pieces, Outputs::LastOfEach));
  EXPECT_EQ(session.length(2), 3);
  device.fails = false;
  pieces = {{2, std::vector<int32_t>(17, 1)}};
  EXPECT_THAT(session.step(pieces, Outputs::All).error().message,
              HasSubstr("a step of 17 tokens: expected at most 16"));
  // The range has 256 slots, the context 200 tokens.
  for (int i = 0; i < 12; ++i) {
    pieces = {{2, std::vector<int32_t>(16, 1)}};
    ASSERT_TRUE(session.step(pieces, Outputs::LastOfEach));
  }
  auto refused = session.step(pieces, Outputs::LastOfEach);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().exitStatus, ExitDoesNotFit);
  EXPECT_THAT(refused.error().message, HasSubstr("found 211"));
  device.room = 100;
  pieces = {{0, {1}}};
  EXPECT_THAT(session.step(pieces, Outputs::All).error().message,
              HasSubstr("expected at most 100 slots"));
}

TEST(Generate, PrefillsInChunksThenDecodesTogether) {
  Graph graph = plainGraph();
  CountingDevice device;
  Session session(graph, device, {4, 2, 50});
  GenerateRequest request;
  request.prompts = {{10, 11, 12, 13, 14, 15}, {30, 31, 32}};
  request.maxNewTokens = 3;
  std::vector<std::map<int32_t, int32_t>> given;
  request.afterStep = [&](const SessionStep &,
                          const std::map<int32_t, int32_t> &next) {
    given.push_back(next);
    return Result<void>();
  };
  auto result = generate(session, request);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_THAT(result->tokens,
              ElementsAre(ElementsAre(16, 17, 18), ElementsAre(33, 34, 35)));
  std::vector<std::vector<int32_t>> ids;
  for (const Step &step : device.steps) {
    ids.push_back(step.ids);
  }
  EXPECT_THAT(ids, ElementsAre(ElementsAre(10, 11, 12, 13),
                               ElementsAre(14, 15, 30, 31), ElementsAre(32),
                               ElementsAre(16, 33), ElementsAre(17, 34)));
  using Next = std::map<int32_t, int32_t>;
  EXPECT_THAT(given,
              ElementsAre(Next{}, Next{{0, 16}}, Next{{1, 33}},
                          Next{{0, 17}, {1, 34}}, Next{{0, 18}, {1, 35}}));
  EXPECT_TRUE(result->areTokensKnown);
  EXPECT_TRUE(result->steps[2].isPrefill);
  EXPECT_FALSE(result->steps[3].isPrefill);
  EXPECT_FALSE(result->ttftSeconds);
}

TEST(Generate, EndsAtEndTokensAndKeepsOthersGoing) {
  Graph graph = plainGraph();
  CountingDevice device;
  Session session(graph, device, {8, 2, 50});
  GenerateRequest request;
  request.prompts = {{1}, {50}};
  request.maxNewTokens = 4;
  request.endTokens = {3};
  request.prefillTokens = 1;
  auto result = generate(session, request);
  ASSERT_TRUE(result);
  EXPECT_THAT(result->tokens,
              ElementsAre(ElementsAre(2, 3), ElementsAre(51, 52, 53, 54)));
  EXPECT_EQ(device.steps.back().ids, std::vector<int32_t>{53});
}

TEST(Generate, TokensOfARecordOrNone) {
  Graph graph = plainGraph();
  for (bool isRecorded : {false, true}) {
    CountingDevice device;
    device.computes = false;
    Session session(graph, device, {8, 1, 50});
    RoutingTrace trace;
    trace.steps.resize(2);
    trace.steps[0].next[0] = 9;
    trace.steps[1].next[0] = 8;
    GenerateRequest request;
    request.prompts = {{1, 2}};
    request.maxNewTokens = 2;
    request.routing = isRecorded ? &trace : nullptr;
    auto result = generate(session, request);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->areTokensKnown, isRecorded);
    EXPECT_EQ(device.steps[1].ids[0], isRecorded ? 9 : 0);
    EXPECT_EQ(result->tokens[0].back(), isRecorded ? 8 : 0);
  }
}

TEST(Generate, RefusesWhatDoesNotFitBeforeItBegins) {
  Graph graph = plainGraph();
  CountingDevice device;
  Session session(graph, device, {8, 1, 5});
  GenerateRequest request;
  request.prompts = {{1, 2, 3}};
  request.maxNewTokens = 4;
  EXPECT_THAT(generate(session, request).error().message,
              HasSubstr("need a context of 6, there is room for 5"));
  request.prompts = {{}};
  EXPECT_EQ(generate(session, request).error().exitStatus, ExitUsage);
  request.prompts = {{1}, {2}};
  EXPECT_THAT(generate(session, request).error().message,
              HasSubstr("2 prompts: expected at most 1"));
  EXPECT_TRUE(device.steps.empty());
  // An id that the model does not know is refused by its step.
  request.prompts = {{100}};
  request.maxNewTokens = 1;
  EXPECT_THAT(generate(session, request).error().message,
              HasSubstr("token id 100"));
}

TEST(GreedyToken, LowestOfTheLargest) {
  float nan = std::numeric_limits<float>::quiet_NaN();
  const float ties[] = {1, 3, 3, 2};
  EXPECT_EQ(greedyToken(ties, 4), 1);
  const float gaps[] = {nan, -5, nan, -4};
  EXPECT_EQ(greedyToken(gaps, 4), 3);
  EXPECT_EQ(greedyToken(gaps, 1), 0);
}

} // namespace
