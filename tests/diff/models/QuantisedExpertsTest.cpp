//===- QuantisedExpertsTest.cpp - Experts in 8 bits on the chip -----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ConfigReader.h"
#include "tests/diff/models/QuantisedModel.h"
#include "tests/diff/models/RandomModel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

using namespace chipwright;
using namespace chipwright::test;

namespace {

nlohmann::json preset(const std::string &name) {
  auto text = models::presetConfigText(name);
  EXPECT_TRUE(text) << text.error().message;
  return nlohmann::json::parse(*text);
}

/// A prompt, a step with another sequence beside it, and decoding.
std::vector<std::vector<models::SequencePiece>> threeSteps() {
  models::SequencePiece ramp{0, {}};
  for (int32_t t = 0; t < 20; ++t) {
    ramp.ids.push_back((7 * t + 3) % 64);
  }
  return {{ramp},
          {prompt(0, 1, 64, 1), prompt(1, 9, 64, 2)},
          {prompt(0, 1, 64, 3), prompt(1, 1, 64, 4)}};
}

/// Which maps of experts multiplied in which type: gate and up in 8 bits, down
/// as \p how says.
void expectTypes(const ExpertMacs &macs, const Quantised &how,
                 const std::string &what) {
  const bool isAll = how.products.value_or(
      models::mayQuantiseProducts(*models::rowTypeOf(how.type)));
  const uint64_t eight = macs.done[static_cast<size_t>(how.type)],
                 sixteen = macs.done[static_cast<size_t>(DType::BF16)];
  EXPECT_GT(macs.perMap, 0u) << what;
  EXPECT_GE(eight, (isAll ? 3 : 2) * macs.perMap) << what;
  if (isAll) {
    EXPECT_EQ(sixteen, 0u) << what;
  } else {
    EXPECT_GE(sixteen, macs.perMap) << what;
  }
  uint64_t all = 0;
  for (uint64_t one : macs.done) {
    all += one;
  }
  EXPECT_EQ(all, eight + sixteen) << what; // no third type
}

class QuantisedExperts : public testing::TestWithParam<const char *> {
protected:
  static void check(const Quantised &how) {
    const std::string what = std::string(GetParam()) + " in " +
                             dtypeName(how.type) +
                             (how.products.value_or(false) ? ", all maps" : "");
    ChipModel model = quantisedModel(preset(GetParam()), {}, how);
    expectTypes(runQuantised(model, how, threeSteps(), what), how, what);
  }
};

TEST_P(QuantisedExperts, Int8) { check({"mtia-2i", DType::I8}); }
TEST_P(QuantisedExperts, Fp8) { check({"mtia-300", DType::F8E4M3}); }
// Whatever the rule says of products of two activations, both ways are right.
TEST_P(QuantisedExperts, AllMaps) {
  check({"mtia-2i", DType::I8, true});
  check({"mtia-300", DType::F8E4M3, true});
}
TEST_P(QuantisedExperts, NotDown) { check({"mtia-300", DType::F8E5M2, false}); }

INSTANTIATE_TEST_SUITE_P(Golden, QuantisedExperts,
                         testing::Values("llama4-golden", "mixtral-golden",
                                         "qwen3-moe-golden", "gpt-oss-golden",
                                         "deepseek-v3-golden"),
                         [](const auto &param) {
                           std::string name = param.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// Two sums in int32 need two banks: with one, gate and up follow each other.
TEST(QuantisedExpertsChips, OneBankAndEightRings) {
  for (const char *name : {"gpt-oss-golden", "llama4-golden"}) {
    for (Quantised how : {Quantised{"mtia-2i", DType::I8, true},
                          Quantised{"mtia-300", DType::F8E4M3}}) {
      how.sets = {"re.banks=1", "cp.cbs=8"};
      ChipModel model = quantisedModel(preset(name), {}, how);
      expectTypes(runQuantised(model, how, threeSteps(), name), how, name);
    }
  }
}

/// Configurations of all families with experts, of any size; CHIPWRIGHT_SEED
/// repeats a run, CHIPWRIGHT_LONG=1 draws more.
TEST(RandomQuantisedExperts, AgreeWithTheReference) {
  const uint64_t seed = seedOfRun();
  const int count = std::getenv("CHIPWRIGHT_LONG") ? 100 : 10;
  printf("CHIPWRIGHT_SEED=%lu, %d models\n", (unsigned long)seed, count);
  for (int i = 0; i < count && !HasFatalFailure(); ++i) {
    const uint64_t own = seed + static_cast<uint64_t>(i);
    Draw draw(own);
    const nlohmann::json config = drawExpertModel(draw, i);
    Quantised how{"mtia-2i", DType::I8};
    if (draw.chance(0.5)) {
      how = {"mtia-300", draw.chance(0.7) ? DType::F8E4M3 : DType::F8E5M2};
    }
    how.products = draw.chance(0.5);
    const std::string what =
        "CHIPWRIGHT_SEED=" + std::to_string(seed) + ", model " +
        std::to_string(i) + ", " + dtypeName(how.type) +
        (*how.products ? ", all maps: " : ": ") + config.dump();
    try {
      models::WeightRule rule;
      rule.seed = own;
      ChipModel model = quantisedModel(config, rule, how);
      std::vector<models::SequencePiece> pieces;
      const int64_t sequences = draw.between(1, 3);
      for (int32_t s = 0; s < sequences; ++s) {
        pieces.push_back(prompt(s, draw.around(1, 45 / sequences),
                                model.graph.vocabulary, own + uint64_t(s)));
      }
      std::vector<std::vector<models::SequencePiece>> steps = {pieces};
      for (int32_t s = 0; s < sequences; ++s) {
        pieces[size_t(s)] = prompt(s, 1, model.graph.vocabulary, own);
      }
      steps.push_back(pieces);
      expectTypes(runQuantised(model, how, steps, what), how, what);
    } catch (const std::exception &error) {
      ADD_FAILURE() << error.what() << "\n" << what;
    }
  }
}

/// Experts of published sizes have programs that fit the chips.
TEST(PublishedModels, QuantisedExpertsFitTheChips) {
  for (const char *name : {"mixtral-8x7b", "qwen3-30b-a3b", "gpt-oss-20b",
                           "deepseek-v3", "llama-4-scout"}) {
    auto config = models::parseModelConfig(preset(name).dump(), name);
    ASSERT_TRUE(config) << config.error().message;
    // A layer with experts.
    auto &layers = config->layers;
    layers.erase(layers.begin(), layers.end() - 1);
    models::Graph graph = models::buildGraph(*config);
    for (Quantised how : {Quantised{"mtia-2i", DType::I8, true},
                          Quantised{"mtia-300", DType::F8E4M3, false}}) {
      auto chip = loadChip(how.chip, {});
      ASSERT_TRUE(chip);
      CompileRequest request;
      request.config = &*config;
      request.graph = &graph;
      request.chip = &*chip;
      request.linearType = how.type;
      request.quantisesProducts = how.products;
      request.maxTokens = 64;
      request.maxBatch = 2;
      request.maxContext = 512;
      auto compiled = compileModel(request);
      ASSERT_TRUE(compiled)
          << name << " for " << how.chip << ": " << compiled.error().message;
    }
  }
}

} // namespace
