//===- RooflineTest.cpp - No run beats its bound --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// For each regime: at least ten kernels whose second term is at most half of
// the first. Doubling the regime's resource shortens the run by 30 % or more;
// doubling any other one does not lengthen it; no run is shorter than the
// bound. All runs of a kernel use the same image.
//
//===----------------------------------------------------------------------===//

#include "tests/physics/Workload.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cstdio>

using namespace chipwright;
using namespace chipwright::physics;

// SystemC asks for it; gtest has the main function.
extern "C" int sc_main(int, char **) { return 0; }

static std::string listOf(const std::vector<std::string> &sets) {
  std::string text;
  for (const std::string &set : sets) {
    text += " " + set;
  }
  return text;
}

namespace {

class Roofline : public testing::TestWithParam<Regime> {
protected:
  /// Seconds on mtia-2i with \p sets, checked against the bound there.
  double secondsOf(const Workload &workload, const Program &program,
                   const ResolvedChip &chip, Terms &terms) {
    terms = computeTerms(chip.spec, workload.demand(chip.spec));
    Result<Outcome> outcome = runProgram(images, chip, program);
    if (!outcome) {
      ADD_FAILURE() << outcome.error().message;
      return 0;
    }
    double seconds = outcome->measurement.seconds;
    EXPECT_GE(seconds, bound(terms));
    return seconds;
  }

  void check(const Workload &workload);

  ImageCache images;
};

} // namespace

void Roofline::check(const Workload &workload) {
  SCOPED_TRACE(workload.name + listOf(workload.sets));
  ResolvedChip chip = chipWith(workload.sets);
  Result<Program> program = workload.program(chip.spec);
  ASSERT_TRUE(program) << program.error().message;
  Terms terms;
  double seconds = secondsOf(workload, *program, chip, terms);
  EXPECT_STREQ(regimeName(regimeOf(terms)), regimeName(workload.regime));
  EXPECT_LE(secondShare(terms), 0.5);

  std::string changes;
  for (const Resource &resource : regimeResources()) {
    SCOPED_TRACE(resource.path);
    ResolvedChip more = chipWith(doubled(workload.sets, resource));
    ASSERT_EQ(more.architecturalFingerprint(), chip.architecturalFingerprint());
    EXPECT_NE(more.timingFingerprint(), chip.timingFingerprint());
    Terms moreTerms;
    double faster = secondsOf(workload, *program, more, moreTerms);
    EXPECT_LE(faster, 1.02 * seconds);
    if (std::string_view(resource.path) == resourceOf(workload.regime)) {
      EXPECT_LE(faster, 0.7 * seconds);
    }
    changes += fmt::format(" {:5.2f}", faster / seconds);
  }
  std::printf("%-42s %9.3f us %5.1f %% of bound, second %4.2f |%s |%s\n",
              workload.name.c_str(), seconds * 1e6,
              100 * bound(terms) / seconds, secondShare(terms), changes.c_str(),
              listOf(workload.sets).c_str());
}

TEST_P(Roofline, BoundsRunsAndNamesTheResource) {
  std::printf("regime %s; time with twice the", regimeName(GetParam()));
  for (const Resource &resource : regimeResources()) {
    std::printf(" %s", resource.path);
  }
  std::printf("\n");
  std::vector<Workload> list = workloads(GetParam());
  EXPECT_GE(list.size(), 10u);
  for (const Workload &workload : list) {
    check(workload);
  }
}

INSTANTIATE_TEST_SUITE_P(Regimes, Roofline,
                         testing::Values(Regime::Dpe, Regime::Se, Regime::Dram,
                                         Regime::Sram, Regime::Noc,
                                         Regime::Issue, Regime::Latency),
                         [](const testing::TestParamInfo<Regime> &info) {
                           return std::string(regimeName(info.param));
                         });
