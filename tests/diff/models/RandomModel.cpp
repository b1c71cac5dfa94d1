//===- RandomModel.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/models/RandomModel.h"

#include <cstdlib>

using namespace chipwright;
using namespace chipwright::test;

uint64_t test::seedOfRun() {
  if (const char *given = std::getenv("CHIPWRIGHT_SEED")) {
    return std::strtoull(given, nullptr, 0);
  }
  return std::random_device()();
}

RandomModel test::drawModel(Draw &draw, int number) {
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

/// Has any router an expert without tokens, or one with all of them?
static bool isUnbalanced(const ChipModel &model, const StepOutcome &outcome) {
  for (const auto &[name, router] : outcome.routers) {
    std::map<int32_t, Eigen::Index> uses;
    for (Eigen::Index c = 0; c < router.chosen.size(); ++c) {
      ++uses[router.chosen.data()[c]];
    }
    const auto &op = *model.graph.findOp(name);
    auto experts = std::get<models::RouterAttributes>(op.attributes).experts;
    bool all = std::any_of(uses.begin(), uses.end(), [&](auto &use) {
      return use.second == router.chosen.rows();
    });
    if (all || static_cast<int64_t>(uses.size()) < experts) {
      return true;
    }
  }
  return false;
}

RandomRun test::runRandomModel(const ChipModel &model, const RandomModel &drawn,
                               Draw &draw, int number, uint64_t seed,
                               const std::string &what) {
  RandomRun done;
  CheckedRun run(model);
  std::vector<models::SequencePiece> pieces;
  const int64_t sequences = number % 3 == 0 ? 1 : draw.between(2, 4);
  done.isRagged = sequences > 1;
  for (int32_t s = 0; s < sequences; ++s) {
    int64_t tokens = s == 0 && number % 2 == 0
                         ? drawn.chunk + draw.between(1, 6)
                         : draw.around(1, 30 / sequences);
    done.isBeyondChunk |= tokens > drawn.chunk;
    pieces.push_back(
        prompt(s, tokens, model.graph.vocabulary, seed + uint64_t(s)));
  }
  run.step(pieces);
  done.isUnbalanced = isUnbalanced(model, run.last());
  for (int decode = 0; decode < 2; ++decode) {
    for (int32_t s = 0; s < sequences; ++s) {
      pieces[size_t(s)] =
          prompt(s, 1, model.graph.vocabulary, seed + uint64_t(decode));
    }
    run.step(pieces);
  }
  expectAgreement(run, model.package.productType == DType::F16 ? 3e-3 : 2e-2,
                  what);
  return done;
}
