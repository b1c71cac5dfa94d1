//===- RandomModelTest.cpp - Models of any size on the chip ---------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Draws configurations, never rejects one, and runs a ragged batch of prompts
// and a few decode steps. CHIPWRIGHT_SEED repeats a run; CHIPWRIGHT_LONG=1
// draws more.
//
//===----------------------------------------------------------------------===//

#include "tests/diff/models/ChipModel.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

using namespace chipwright;
using namespace chipwright::test;

namespace {

class Draw {
public:
  explicit Draw(uint64_t seed) : engine(seed) {}

  int64_t between(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine);
  }
  /// Uniform in the logarithm.
  int64_t around(int64_t low, int64_t high) {
    double x = std::uniform_real_distribution<double>(
        std::log(double(low)), std::log(double(high) + 1))(engine);
    return std::min(static_cast<int64_t>(std::exp(x)), high);
  }
  bool chance(double p) { return std::bernoulli_distribution(p)(engine); }

private:
  std::mt19937_64 engine;
};

struct RandomModel {
  nlohmann::json config;
  int64_t chunk = 0;
};

/// What a share of the models must have is dealt out by \p number, so that no
/// draw needs to be rejected.
RandomModel drawModel(Draw &draw, int number) {
  RandomModel model;
  model.config = goldenConfig();
  auto &json = model.config.contains("text_config")
                   ? model.config["text_config"]
                   : model.config;
  const int64_t layers = draw.between(1, 6), kvHeads = draw.between(1, 4);
  model.chunk = draw.between(4, 24);
  json["hidden_size"] = draw.around(32, 1024);
  json["num_hidden_layers"] = layers;
  json["num_key_value_heads"] = kvHeads;
  json["num_attention_heads"] = kvHeads * draw.between(1, 4);
  json["head_dim"] = 2 * draw.between(8, 64);
  json["vocab_size"] = draw.around(20, 600);
  json["attention_chunk_size"] = model.chunk;
  json["intermediate_size"] = draw.around(16, 300);
  json["intermediate_size_mlp"] = draw.around(16, 500);
  // 32 experts for a few tokens: some get none.
  const int64_t experts = number % 3 == 1 ? 32 : draw.around(1, 32);
  json["num_local_experts"] = experts;
  json["num_experts_per_tok"] =
      draw.chance(0.7) ? 1 : draw.between(1, std::min<int64_t>(experts, 3));
  json["use_qk_norm"] = draw.chance(0.7);
  nlohmann::json moe = nlohmann::json::array(), rope = nlohmann::json::array();
  const bool hasExperts = number % 4 != 0;
  for (int64_t i = 0; i < layers; ++i) {
    if (hasExperts && (i == layers - 1 || draw.chance(0.5))) {
      moe.push_back(i);
    }
    rope.push_back(draw.chance(0.7) ? 1 : 0);
  }
  json["moe_layers"] = moe;
  json["no_rope_layers"] = rope;
  json.erase("layer_types");
  return model;
}

uint64_t seedOf() {
  if (const char *given = std::getenv("CHIPWRIGHT_SEED")) {
    return std::strtoull(given, nullptr, 0);
  }
  return std::random_device()();
}

TEST(RandomModel, AgreesWithTheReference) {
  const uint64_t seed = seedOf();
  const int count = std::getenv("CHIPWRIGHT_LONG") ? 200 : 40;
  printf("CHIPWRIGHT_SEED=%lu, %d models\n", (unsigned long)seed, count);
  int withExperts = 0, unbalanced = 0, beyondChunk = 0, ragged = 0;
  for (int i = 0; i < count && !HasFatalFailure(); ++i) {
    Draw draw(seed + static_cast<uint64_t>(i));
    RandomModel drawn = drawModel(draw, i);
    const DType type = draw.chance(0.5) ? DType::BF16 : DType::F16;
    std::string what =
        "CHIPWRIGHT_SEED=" + std::to_string(seed + static_cast<uint64_t>(i)) +
        ": " + drawn.config.dump();
    try {
      models::WeightRule rule;
      rule.seed = seed + static_cast<uint64_t>(i);
      ChipModel model =
          ChipModel::make(drawn.config, rule, "mtia-2i", {}, type);
      CheckedRun run(model);
      std::vector<models::SequencePiece> pieces;
      const int64_t sequences = i % 3 == 0 ? 1 : draw.between(2, 4);
      bool longer = false;
      for (int32_t s = 0; s < sequences; ++s) {
        int64_t tokens = s == 0 && i % 2 == 0 ? drawn.chunk + draw.between(1, 6)
                                              : draw.around(1, 30 / sequences);
        longer |= tokens > drawn.chunk;
        pieces.push_back(
            prompt(s, tokens, model.graph.vocabulary, seed + uint64_t(s)));
      }
      run.step(pieces);
      for (const auto &[name, router] : run.last().routers) {
        std::map<int32_t, Eigen::Index> uses;
        for (Eigen::Index c = 0; c < router.chosen.size(); ++c) {
          ++uses[router.chosen.data()[c]];
        }
        const auto &op = *model.graph.findOp(name);
        auto experts =
            std::get<models::RouterAttributes>(op.attributes).experts;
        bool all = std::any_of(uses.begin(), uses.end(), [&](auto &use) {
          return use.second == router.chosen.rows();
        });
        if (all || static_cast<int64_t>(uses.size()) < experts) {
          ++unbalanced;
          break;
        }
      }
      for (int decode = 0; decode < 2; ++decode) {
        for (int32_t s = 0; s < sequences; ++s) {
          pieces[size_t(s)] =
              prompt(s, 1, model.graph.vocabulary, seed + uint64_t(decode));
        }
        run.step(pieces);
      }
      withExperts += model.config.hasExperts();
      beyondChunk += longer;
      ragged += sequences > 1;
      expectAgreement(run, type == DType::F16 ? 3e-3 : 2e-2, what);
    } catch (const std::exception &error) {
      ADD_FAILURE() << error.what() << "\n" << what;
    }
  }
  printf("%d with experts, %d with an empty or an all-token expert, %d longer "
         "than a chunk, %d ragged\n",
         withExperts, unbalanced, beyondChunk, ragged);
  EXPECT_GE(withExperts, count * 0.6);
  EXPECT_GE(unbalanced, count * 0.25);
  EXPECT_GE(beyondChunk, count * 0.25);
  EXPECT_GE(ragged, count * 0.25);
}

} // namespace
