//===- ResourceTest.cpp - More of a resource never slows a run ------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// RooflineTest.cpp doubles the resources of the regimes; here it is the turn
// of the smaller ones: ports, queues, banks, lanes.
//
//===----------------------------------------------------------------------===//

#include "tests/physics/Workload.h"

#include <gtest/gtest.h>

using namespace chipwright;
using namespace chipwright::physics;

/// Every \p stride-th workload of \p regime with twice of every resource.
static void checkResources(Regime regime, unsigned stride) {
  ImageCache images;
  std::vector<Workload> list = workloads(regime);
  for (size_t i = 0; i < list.size(); i += stride) {
    SCOPED_TRACE(list[i].name);
    ResolvedChip chip = chipWith(list[i].sets);
    Result<Program> program = list[i].program(chip.spec);
    ASSERT_TRUE(program) << program.error().message;
    Result<Outcome> before = runProgram(images, chip, *program);
    ASSERT_TRUE(before) << before.error().message;
    for (const Resource &resource : otherResources()) {
      SCOPED_TRACE(resource.path);
      ResolvedChip more = chipWith(doubled(list[i].sets, resource));
      ASSERT_EQ(more.architecturalFingerprint(),
                chip.architecturalFingerprint());
      Result<Outcome> after = runProgram(images, more, *program);
      ASSERT_TRUE(after) << after.error().message;
      EXPECT_LE(after->measurement.seconds, 1.02 * before->measurement.seconds);
    }
  }
}

TEST(MoreResources, NeverSlowDpe) { checkResources(Regime::Dpe, 5); }
TEST(MoreResources, NeverSlowSe) { checkResources(Regime::Se, 4); }
TEST(MoreResources, NeverSlowDram) { checkResources(Regime::Dram, 3); }
TEST(MoreResources, NeverSlowSram) { checkResources(Regime::Sram, 4); }
TEST(MoreResources, NeverSlowNoc) { checkResources(Regime::Noc, 4); }
TEST(MoreResources, NeverSlowIssue) { checkResources(Regime::Issue, 4); }
TEST(MoreResources, NeverSlowLatency) { checkResources(Regime::Latency, 4); }
