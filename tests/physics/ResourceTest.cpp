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

#include <algorithm>
#include <cstdio>

using namespace chipwright;
using namespace chipwright::physics;

namespace {

class MoreResources : public testing::TestWithParam<Regime> {};

} // namespace

TEST_P(MoreResources, NeverSlow) {
  ImageCache images;
  unsigned pairs = 0;
  double worst = 0;
  for (const Workload &workload : workloads(GetParam())) {
    SCOPED_TRACE(workload.name);
    ResolvedChip chip = chipWith(workload.sets);
    Result<Program> program = workload.program(chip.spec);
    ASSERT_TRUE(program) << program.error().message;
    Result<Outcome> before = runProgram(images, chip, *program);
    ASSERT_TRUE(before) << before.error().message;
    for (const Resource &resource : otherResources()) {
      SCOPED_TRACE(resource.path);
      ResolvedChip more = chipWith(doubled(workload.sets, resource));
      ASSERT_EQ(more.architecturalFingerprint(),
                chip.architecturalFingerprint());
      Result<Outcome> after = runProgram(images, more, *program);
      ASSERT_TRUE(after) << after.error().message;
      double ratio = after->measurement.seconds / before->measurement.seconds;
      EXPECT_LE(ratio, workload.tolerance);
      worst = std::max(worst, ratio);
      ++pairs;
    }
  }
  std::printf("%u pairs of kernel and resource, longest time %.3f of that "
              "before\n",
              pairs, worst);
}

INSTANTIATE_TEST_SUITE_P(Regimes, MoreResources,
                         testing::Values(Regime::Dpe, Regime::Se, Regime::Dram,
                                         Regime::Sram, Regime::Noc,
                                         Regime::Issue, Regime::Latency),
                         [](const testing::TestParamInfo<Regime> &info) {
                           return std::string(regimeName(info.param));
                         });
