//===- GoldenModelTest.cpp - Fixed models on the chip ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "package/PackageFile.h"
#include "tests/diff/models/ChipModel.h"

#include <gtest/gtest.h>

#include <tuple>

using namespace chipwright;
using namespace chipwright::test;

namespace {

constexpr double kBf16Bound = 2e-2, kFp16Bound = 3e-3;

models::SequencePiece ramp() {
  models::SequencePiece piece{0, {}};
  for (int32_t t = 0; t < 20; ++t) {
    piece.ids.push_back((7 * t + 3) % 64);
  }
  return piece;
}

TEST(GoldenModel, Bf16) {
  ChipModel model =
      ChipModel::make(goldenConfig(), {}, "mtia-2i", {}, DType::BF16);
  CheckedRun run(model);
  run.step({ramp()});
  expectAgreement(run, kBf16Bound, "golden bf16", OpLimit::Bound);
}

TEST(GoldenModel, Fp16) {
  ChipModel model =
      ChipModel::make(goldenConfig(), {}, "mtia-2i", {}, DType::F16);
  CheckedRun run(model);
  run.step({ramp()});
  expectAgreement(run, kFp16Bound, "golden fp16", OpLimit::Bound);
}

// Weights of 4 bits, which the chip converts: as exact as products in 16 bits
// of the numbers that the codes stand for.
TEST(GoldenModel, FourBitWeights) {
  for (auto [chip, weights, type] :
       {std::tuple("mtia-2i", DType::I4, DType::BF16),
        std::tuple("mtia-2i", DType::F4E2M1, DType::F16),
        std::tuple("mtia-300", DType::F4E2M1, DType::BF16),
        std::tuple("mtia-300", DType::I4, DType::F16)}) {
    const std::string what = std::string(dtypeName(weights)) + " to " +
                             dtypeName(type) + " on " + chip;
    ChipModel model = ChipModel::make(goldenConfig(), {}, chip, {}, type,
                                      {64, 4, 128}, weights);
    EXPECT_EQ(weightTypeOf(model.package), weights) << what;
    CheckedRun run(model);
    run.step({ramp()});
    run.step({prompt(0, 1, model.graph.vocabulary, 2)});
    expectAgreement(run, type == DType::F16 ? kFp16Bound : kBf16Bound, what);
  }
}

TEST(GoldenModel, Mtia300) {
  ChipModel model =
      ChipModel::make(goldenConfig(), {}, "mtia-300", {}, DType::BF16);
  CheckedRun run(model);
  run.step({ramp()});
  expectAgreement(run, kBf16Bound, "golden on mtia-300", OpLimit::Bound);
}

// Attention holds a head and a block of scores at a time, an expert two sums:
// with one bank, sums lie in local memory. Tiles share eight rings.
TEST(GoldenModel, OneBankAndEightRings) {
  for (DType type : {DType::BF16, DType::F16}) {
    ChipModel model = ChipModel::make(goldenConfig(), {}, "mtia-2i",
                                      {"re.banks=1", "cp.cbs=8"}, type);
    CheckedRun run(model);
    run.step({ramp()});
    run.step({prompt(0, 1, model.graph.vocabulary, 2)});
    expectAgreement(run, type == DType::F16 ? kFp16Bound : kBf16Bound,
                    "one bank");
  }
}

/// Checkpoints of the models' public implementation, see
/// scripts/make_transformers_checkpoint.py.
TEST(GoldenModel, TransformersCheckpoints) {
  for (const char *name :
       {"transformers-llama4", "transformers-llama4-noqknorm"}) {
    for (auto [type, bound] : {std::pair(DType::BF16, kBf16Bound),
                               std::pair(DType::F16, kFp16Bound)}) {
      ChipModel model = ChipModel::open(std::string(CHIPWRIGHT_SOURCE_DIR) +
                                            "/tests/golden/" + name,
                                        "mtia-2i", type);
      CheckedRun run(model);
      run.step({prompt(0, 24, model.graph.vocabulary, 1)});
      run.step({prompt(0, 1, model.graph.vocabulary, 2)});
      expectAgreement(run, bound, name);
    }
  }
}

} // namespace
