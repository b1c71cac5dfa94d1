//===- SplitTest.cpp - The same tokens in other steps ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/models/ChipModel.h"

#include <gtest/gtest.h>

using namespace chipwright;
using namespace chipwright::test;
using models::HostMatrix;
using models::SequencePiece;

namespace {

/// Logits of a prompt that is given in pieces which end before \p cuts.
HostMatrix<float> logitsOf(const ChipModel &model, const SequencePiece &all,
                           std::vector<size_t> cuts) {
  CheckedRun run(model);
  cuts.push_back(all.ids.size());
  HostMatrix<float> logits(static_cast<Eigen::Index>(all.ids.size()),
                           model.graph.vocabulary);
  size_t from = 0;
  for (size_t cut : cuts) {
    SequencePiece piece{all.sequence,
                        {all.ids.begin() + static_cast<std::ptrdiff_t>(from),
                         all.ids.begin() + static_cast<std::ptrdiff_t>(cut)}};
    HostMatrix<float> part = run.step({piece});
    logits.middleRows(static_cast<Eigen::Index>(from), part.rows()) = part;
    from = cut;
  }
  expectAgreement(run, 2e-2, "split");
  return logits;
}

double difference(const HostMatrix<float> &a, const HostMatrix<float> &b) {
  return static_cast<double>((a - b).norm() / b.norm());
}

// The golden model's chunks have 8 tokens.
TEST(Split, PrefillInPiecesIsTheSame) {
  ChipModel model =
      ChipModel::make(goldenConfig(), {}, "mtia-2i", {}, DType::BF16);
  SequencePiece all = prompt(0, 20, model.graph.vocabulary, 7);
  HostMatrix<float> whole = logitsOf(model, all, {});
  for (std::vector<size_t> cuts :
       {std::vector<size_t>{7}, {8}, {9}, {16}, {1}, {12, 13, 14, 15}, {19}}) {
    EXPECT_LE(difference(logitsOf(model, all, cuts), whole), 5e-3)
        << "first cut at " << cuts[0];
  }
}

TEST(Split, NeighboursInABatchChangeLittle) {
  ChipModel model =
      ChipModel::make(goldenConfig(), {}, "mtia-2i", {}, DType::BF16);
  SequencePiece first = prompt(0, 11, model.graph.vocabulary, 3);
  HostMatrix<float> alone = logitsOf(model, first, {});
  CheckedRun run(model);
  HostMatrix<float> together =
      run.step({first, prompt(1, 17, model.graph.vocabulary, 4),
                prompt(3, 1, model.graph.vocabulary, 5)});
  expectAgreement(run, 2e-2, "batch");
  EXPECT_LE(difference(together.topRows(11), alone), 5e-3);
}

/// Logits of \p piece in a batch between two others.
HostMatrix<float> logitsAmong(const ChipModel &model,
                              const SequencePiece &before,
                              const SequencePiece &piece,
                              const SequencePiece &behind) {
  CheckedRun run(model);
  HostMatrix<float> all = run.step({before, piece, behind});
  expectAgreement(run, 2e-2, "batch");
  return all.middleRows(static_cast<Eigen::Index>(before.ids.size()),
                        static_cast<Eigen::Index>(piece.ids.size()));
}

// Tile shapes are static, sums over K and over a cache are anchored at 0, and
// no command mixes rows. With neighbours of the same lengths a sequence's
// tokens also lie in the same rows of the same blocks, its slots in the same
// places: the same commands see the same numbers. Routing may move a token to
// another row of an expert's block, which by the same rules changes nothing.
TEST(Split, NeighboursOfEqualLengthsChangeNothing) {
  nlohmann::json dense = goldenConfig();
  auto &text = dense.contains("text_config") ? dense["text_config"] : dense;
  text["moe_layers"] = nlohmann::json::array();
  for (const nlohmann::json &config : {dense, goldenConfig()}) {
    ChipModel model = ChipModel::make(config, {}, "mtia-2i", {}, DType::BF16);
    const int64_t vocabulary = model.graph.vocabulary;
    SequencePiece piece = prompt(1, 11, vocabulary, 3);
    HostMatrix<float> first = logitsAmong(model, prompt(0, 9, vocabulary, 4),
                                          piece, prompt(2, 17, vocabulary, 5));
    HostMatrix<float> second = logitsAmong(model, prompt(0, 9, vocabulary, 6),
                                           piece, prompt(2, 17, vocabulary, 7));
    EXPECT_TRUE((first.array() == second.array()).all())
        << "largest difference " << (first - second).cwiseAbs().maxCoeff();
  }
}

} // namespace
