//===- FamiliesTest.cpp - Fixed models of every family on the chip --------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ConfigReader.h"
#include "tests/diff/models/ChipModel.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace chipwright;
using namespace chipwright::test;

namespace {

nlohmann::json preset(const std::string &name) {
  auto text = models::presetConfigText(name);
  EXPECT_TRUE(text) << text.error().message;
  return nlohmann::json::parse(*text);
}

class Families : public testing::TestWithParam<const char *> {
protected:
  /// A prompt, a step with another sequence beside it, and decoding.
  static void check(DType type, double bound) {
    ChipModel model =
        ChipModel::make(preset(GetParam()), {}, "mtia-2i", {}, type);
    CheckedRun run(model);
    models::SequencePiece ramp{0, {}};
    for (int32_t t = 0; t < 20; ++t) {
      ramp.ids.push_back((7 * t + 3) % 64);
    }
    run.step({ramp});
    run.step({prompt(0, 1, 64, 1), prompt(1, 9, 64, 2)});
    run.step({prompt(0, 1, 64, 3), prompt(1, 1, 64, 4)});
    expectAgreement(run, bound, GetParam());
  }
};

TEST_P(Families, Bf16) { check(DType::BF16, 2e-2); }
TEST_P(Families, Fp16) { check(DType::F16, 3e-3); }

INSTANTIATE_TEST_SUITE_P(Golden, Families,
                         testing::Values("llama-golden", "mixtral-golden",
                                         "qwen3-moe-golden", "gpt-oss-golden",
                                         "muse-glimmer-golden",
                                         "deepseek-v3-golden"),
                         [](const auto &param) {
                           std::string name = param.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

class FamilyCheckpoints : public testing::TestWithParam<const char *> {};

/// Of the models' public implementation, scripts/make_family_fixtures.py.
TEST_P(FamilyCheckpoints, AgreeWithTheReference) {
  for (auto [type, bound] :
       {std::pair(DType::BF16, 2e-2), std::pair(DType::F16, 3e-3)}) {
    ChipModel model =
        ChipModel::open(std::string(CHIPWRIGHT_SOURCE_DIR) +
                            "/tests/golden/transformers-" + GetParam(),
                        "mtia-2i", type);
    CheckedRun run(model);
    run.step({prompt(0, 24, model.graph.vocabulary, 1)});
    run.step({prompt(0, 1, model.graph.vocabulary, 2)});
    expectAgreement(run, bound, GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(Transformers, FamilyCheckpoints,
                         testing::Values("llama", "llama31", "mixtral",
                                         "qwen3-moe", "qwen3-moe-normed",
                                         "gpt-oss", "deepseek-v3",
                                         "deepseek-v3-direct", "muse-glimmer"),
                         [](const auto &param) {
                           std::string name = param.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

/// Layers of published sizes have programs that fit the chips: a few layers
/// hold every kind that a model has.
TEST(PublishedModels, FitTheChips) {
  const std::pair<const char *, size_t> models[] = {
      {"llama-3.1-8b", 1}, {"mixtral-8x7b", 1},     {"qwen3-30b-a3b", 1},
      {"gpt-oss-20b", 2},  {"muse-glimmer-30b", 2}, {"deepseek-v3", 4}};
  for (auto [name, layers] : models) {
    auto config = models::parseModelConfig(preset(name).dump(), name);
    ASSERT_TRUE(config) << config.error().message;
    // The first layers; of Muse the last ones have both kinds.
    auto &all = config->layers;
    auto skipped = static_cast<std::ptrdiff_t>(all.size() - layers);
    if (config->modelType == "muse_glimmer") {
      all.erase(all.begin(), all.begin() + skipped);
    } else {
      all.erase(all.end() - skipped, all.end());
    }
    models::Graph graph = models::buildGraph(*config);
    for (const char *chipName : {"mtia-2i", "mtia-300"}) {
      auto chip = loadChip(chipName, {});
      ASSERT_TRUE(chip);
      CompileRequest request;
      request.config = &*config;
      request.graph = &graph;
      request.chip = &*chip;
      request.maxTokens = 64;
      request.maxBatch = 2;
      request.maxContext = 512;
      auto compiled = compileModel(request);
      ASSERT_TRUE(compiled)
          << name << " for " << chipName << ": " << compiled.error().message;
      EXPECT_GT(compiled->package.launches.size(), 12u * layers);
    }
  }
}

} // namespace
