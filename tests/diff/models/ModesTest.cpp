//===- ModesTest.cpp - One package in both modes, for every step ----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ConfigReader.h"
#include "package/PackageFile.h"
#include "tests/diff/models/QuantisedModel.h"

#include <gtest/gtest.h>

#include <set>

using namespace chipwright;
using namespace chipwright::test;

namespace {

template <typename T> T taken(Result<T> result) {
  if (!result) {
    throw Refused(result.error());
  }
  return result.take();
}

/// Launches of all steps of a run, and what routed it.
struct Recorded {
  std::vector<LaunchRecord> launches;
  GenerateResult generated;
  RoutingTrace trace;
};

/// Generates as `chipwright run` does: in functional mode with --save-routing,
/// in timing mode with \p routing.
Recorded record(const ChipModel &model, GenerateRequest request,
                const RoutingTrace *routing) {
  SimDevice::Request wanted;
  wanted.machine.mode = routing ? sim::Mode::Timing : sim::Mode::Functional;
  wanted.packageName = "test";
  wanted.routing = request.routing = routing;
  auto device = taken(SimDevice::create(model.package, model.graph,
                                        routing ? nullptr : model.weights.get(),
                                        model.chip, wanted));
  RoutingRecorder recorder(packageHash(encodePackage(model.package)));
  if (!routing) {
    device->observe(recorder);
  }
  Session session(model.graph, *device, SessionLimits::of(model.package));
  Recorded run;
  request.afterStep = [&](const SessionStep &step,
                          const std::map<int32_t, int32_t> &next) {
    const auto &launches = step.outcome.time->launches;
    run.launches.insert(run.launches.end(), launches.begin(), launches.end());
    if (!routing) {
      recorder.trace.steps.back().next = next;
    }
    return Result<void>();
  };
  run.generated = taken(generate(session, request));
  run.trace = std::move(recorder.trace);
  return run;
}

GenerateRequest twoPrompts(const ChipModel &model, int64_t tokens,
                           int64_t newTokens) {
  GenerateRequest request;
  for (uint64_t i = 0; i < 2; ++i) {
    request.prompts.push_back(
        prompt(0, tokens + 5 * int64_t(i), model.graph.vocabulary, 11 + i).ids);
  }
  request.maxNewTokens = newTokens;
  return request;
}

/// A timing run that knows the routing is the functional run, launch by launch.
void expectEqualModes(const ChipModel &model, const GenerateRequest &request) {
  Recorded functional = record(model, request, nullptr);
  ASSERT_FALSE(functional.launches.empty());
  Recorded timing = record(model, request, &functional.trace);
  EXPECT_EQ(timing.generated.tokens, functional.generated.tokens);
  ASSERT_EQ(timing.launches.size(), functional.launches.size());
  for (size_t i = 0; i < timing.launches.size(); ++i) {
    const sim::JobResult &a = functional.launches[i].measurement.job,
                         &b = timing.launches[i].measurement.job;
    EXPECT_EQ(a.cycles, b.cycles) << i << ": " << timing.launches[i].op;
    EXPECT_EQ(a.instructions, b.instructions)
        << i << ": " << timing.launches[i].op;
    EXPECT_EQ(a.pcHash, b.pcHash) << i << ": " << timing.launches[i].op;
  }
}

TEST(Modes, GoldenModel) {
  ChipModel model =
      ChipModel::make(goldenConfig(), {}, "mtia-2i", {}, DType::BF16);
  expectEqualModes(model, twoPrompts(model, 12, 4));
}

TEST(Modes, FourBitWeights) {
  ChipModel model = ChipModel::make(goldenConfig(), {}, "mtia-2i", {},
                                    DType::BF16, {64, 4, 128}, DType::F4E2M1);
  expectEqualModes(model, twoPrompts(model, 12, 4));
}

TEST(Modes, TransformersCheckpoint) {
  ChipModel model = ChipModel::open(std::string(CHIPWRIGHT_SOURCE_DIR) +
                                        "/tests/golden/transformers-llama4",
                                    "mtia-2i", DType::BF16);
  expectEqualModes(model, twoPrompts(model, 12, 4));
}

TEST(Modes, MediumModel) {
  ChipModel model = ChipModel::make(
      nlohmann::json::parse(taken(models::presetConfigText("llama4-medium"))),
      {}, "mtia-2i", {}, DType::BF16, {32, 2, 64});
  expectEqualModes(model, twoPrompts(model, 6, 2));
}

TEST(Modes, QuantisedExperts) {
  const std::pair<const char *, Quantised> models[] = {
      {"mixtral-golden", {"mtia-2i", DType::I8, true}},
      {"gpt-oss-golden", {"mtia-300", DType::F8E4M3, false}}};
  for (const auto &[name, how] : models) {
    ChipModel model = quantisedModel(
        nlohmann::json::parse(taken(models::presetConfigText(name))), {}, how);
    expectEqualModes(model, twoPrompts(model, 12, 3));
  }
}

//===----------------------------------------------------------------------===//
// One package
//===----------------------------------------------------------------------===//

/// Experts of token \p token, one after the other.
using Routing = std::function<int64_t(int64_t token)>;

/// Cycles of one step in which every router sends tokens where \p routing says.
uint64_t cyclesOf(const ChipModel &model, const models::SequencePiece &piece,
                  RoutingTrace trace, const Routing &routing) {
  for (auto &[place, words] : trace.steps.front().contents) {
    const models::Op *op = model.graph.findOp(
        model.package.launches[static_cast<size_t>(place.first)].op);
    const auto &attributes = std::get<models::RouterAttributes>(op->attributes);
    const int64_t chosen = int64_t(words.size() / piece.ids.size());
    for (size_t i = 0; i < words.size(); ++i) {
      int64_t token = int64_t(i) / chosen, rank = int64_t(i) % chosen;
      words[i] =
          static_cast<int32_t>((routing(token) + rank) % attributes.experts);
    }
  }
  SimDevice::Request wanted;
  wanted.machine.mode = sim::Mode::Timing;
  wanted.packageName = "test";
  wanted.routing = &trace;
  auto device = taken(SimDevice::create(model.package, model.graph, nullptr,
                                        model.chip, wanted));
  Session session(model.graph, *device, SessionLimits::of(model.package));
  SessionStep done =
      taken(session.step(std::span(&piece, 1), models::Outputs::LastOfEach));
  return done.outcome.time->measurement.job.cycles;
}

// Sessions and devices take the package as a constant and have no compiler;
// its bytes show that nothing was added to it.
TEST(OnePackage, ServesEveryStepAndEveryRouting) {
  nlohmann::json config = goldenConfig();
  auto &text = config.contains("text_config") ? config["text_config"] : config;
  text["hidden_size"] = 128;
  text["intermediate_size"] = 256;
  text["num_local_experts"] = 8;
  text["num_experts_per_tok"] = 1;
  // On few PEs time is work, not launches.
  ChipModel model =
      ChipModel::make(config, {}, "mtia-2i", {"grid.rows=2", "grid.cols=2"},
                      DType::BF16, {64, 1, 128});
  const std::vector<uint8_t> bytes = encodePackage(model.package);

  // A prompt at once and in chunks, with 64 steps of one token behind it.
  GenerateRequest request;
  request.prompts = {prompt(0, 30, model.graph.vocabulary, 3).ids};
  request.maxNewTokens = 65;
  for (int64_t chunk : {int64_t(0), int64_t(7)}) {
    request.prefillTokens = chunk;
    Recorded functional = record(model, request, nullptr);
    EXPECT_EQ(functional.generated.steps.size(), (chunk ? 5u : 1u) + 64u);
    EXPECT_EQ(encodePackage(model.package), bytes);
    Recorded timing = record(model, request, &functional.trace);
    EXPECT_EQ(timing.generated.tokens, functional.generated.tokens);
    EXPECT_EQ(encodePackage(model.package), bytes);
  }

  models::SequencePiece piece = prompt(0, 64, model.graph.vocabulary, 4);
  request.prompts = {piece.ids};
  request.maxNewTokens = 1;
  request.prefillTokens = 0;
  RoutingTrace trace = record(model, request, nullptr).trace;
  ASSERT_EQ(trace.steps.size(), 1u);
  ASSERT_FALSE(trace.steps.front().contents.empty());
  const uint64_t one = cyclesOf(model, piece, trace, [](int64_t) { return 0; }),
                 uniform =
                     cyclesOf(model, piece, trace, [](int64_t t) { return t; }),
                 // Half of the tokens to one expert, the rest to the others.
      skewed = cyclesOf(model, piece, trace,
                        [](int64_t t) { return t % 2 ? t / 2 : 0; });
  printf("cycles: %lu to one expert, %lu uniform, %lu skewed\n",
         (unsigned long)one, (unsigned long)uniform, (unsigned long)skewed);
  EXPECT_EQ(std::set<uint64_t>({one, uniform, skewed}).size(), 3u);
  EXPECT_EQ(encodePackage(model.package), bytes);
}

} // namespace
