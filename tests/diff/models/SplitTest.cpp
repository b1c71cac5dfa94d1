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

} // namespace
