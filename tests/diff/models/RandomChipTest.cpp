//===- RandomChipTest.cpp - Models of any size on chips of any size -------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A random model on each of 8 random chips (50 with CHIPWRIGHT_LONG=1), with
// the checks of RandomModelTest. What a chip cannot hold is refused with the
// parameter's name and bound, and seldom.
//
//===----------------------------------------------------------------------===//

#include "tests/diff/kernels/RandomChip.h"
#include "tests/diff/models/RandomModel.h"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace chipwright;
using namespace chipwright::test;

namespace {

TEST(RandomChip, ModelAgreesOrIsRefused) {
  const uint64_t seed = seedOfRun();
  const bool isLong = std::getenv("CHIPWRIGHT_LONG");
  const int count = isLong ? 50 : 8;
  printf("CHIPWRIGHT_SEED=%lu, %d chips\n", (unsigned long)seed, count);
  int refused = 0;
  for (int i = 0; i < count && !HasFatalFailure(); ++i) {
    const uint64_t own = seed + static_cast<uint64_t>(i);
    Random random(own);
    Draw draw(own);
    test::RandomModel drawn = drawModel(draw, i);
    const DType type = draw.chance(0.5) ? DType::BF16 : DType::F16;
    std::vector<std::string> sets = randomChip(random);
    std::string what = "CHIPWRIGHT_SEED=" + std::to_string(own) + ":";
    for (const std::string &set : sets) {
      what += " --set '" + set + "'";
    }
    what += " " + drawn.config.dump();
    try {
      models::WeightRule rule;
      rule.seed = own;
      ChipModel model =
          ChipModel::make(drawn.config, rule, "mtia-2i", sets, type);
      runRandomModel(model, drawn, draw, i, seed, what);
    } catch (const Refused &refusal) {
      ++refused;
      printf("refused: %s\n  %s\n", refusal.what(), what.c_str());
      EXPECT_EQ(refusal.exitStatus, ExitDoesNotFit) << what;
      EXPECT_TRUE(namesParameter(refusal.what())) << refusal.what() << "\n"
                                                  << what;
    }
  }
  printf("%d of %d refused\n", refused, count);
  EXPECT_LE(refused, isLong ? count / 10 : 2);
}

} // namespace
