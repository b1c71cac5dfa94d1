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

#include "tests/diff/models/RandomModel.h"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace chipwright;
using namespace chipwright::test;

namespace {

TEST(RandomModel, AgreesWithTheReference) {
  const uint64_t seed = seedOfRun();
  const int count = std::getenv("CHIPWRIGHT_LONG") ? 200 : 40;
  printf("CHIPWRIGHT_SEED=%lu, %d models\n", (unsigned long)seed, count);
  int withExperts = 0, unbalanced = 0, beyondChunk = 0, ragged = 0;
  for (int i = 0; i < count && !HasFatalFailure(); ++i) {
    const uint64_t own = seed + static_cast<uint64_t>(i);
    Draw draw(own);
    test::RandomModel drawn = drawModel(draw, i);
    const DType type = draw.chance(0.5) ? DType::BF16 : DType::F16;
    std::optional<DType> weights;
    if (i % 4 == 3) {
      weights = draw.chance(0.5) ? DType::I4 : DType::F4E2M1;
    }
    std::string what =
        "CHIPWRIGHT_SEED=" + std::to_string(own) + ": " + drawn.config.dump() +
        (weights ? std::string(" weights in ") + dtypeName(*weights) : "");
    try {
      models::WeightRule rule;
      rule.seed = own;
      ChipModel model = ChipModel::make(drawn.config, rule, "mtia-2i", {}, type,
                                        {64, 4, 128}, weights);
      RandomRun run = runRandomModel(model, drawn, draw, i, seed, what);
      withExperts += model.config.hasExperts();
      unbalanced += run.isUnbalanced;
      beyondChunk += run.isBeyondChunk;
      ragged += run.isRagged;
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
