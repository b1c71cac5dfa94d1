//===- Verdict.cpp - What bounds a run ------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/KernelReport.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

/// A resource or a kind of waiting, with its share of the time.
struct Claim {
  std::string what;
  double share;
};

} // namespace

static double sumOf(const EngineTime &engine,
                    std::initializer_list<Stall> causes) {
  double sum = 0;
  for (Stall cause : causes) {
    sum += double(engine.lost[static_cast<unsigned>(cause)]);
  }
  return sum;
}

std::string chipwright::verdict(const KernelResult &result) {
  return verdict(result.measurement);
}

std::string chipwright::verdict(const Measurement &m) {
  if (!m.job.finished) {
    return "the simulation was stopped";
  }
  double all = double(std::max<Cycle>(m.job.cycles, 1)) * m.numPes;
  static constexpr const char *names[] = {"the DPEs", "the REs", "the SEs",
                                          "the MLUs"};
  std::vector<Claim> claims = {{"the DRAM bus", m.dramBusShare},
                               {"the SRAM banks", m.sramBankShare},
                               {"NoC link " + m.busiestLink, m.nocLinkShare}};
  for (unsigned i = 0; i < std::size(names); ++i) {
    claims.push_back({names[i], double(m.engines[i].busy) / all});
  }
  // Waiting shows at the engine that works most: the command stream comes too
  // late, or answers of memory and of other engines do.
  auto busiest = std::max_element(
      m.engines.begin(), m.engines.end(),
      [](const EngineTime &a, const EngineTime &b) { return a.busy < b.busy; });
  double launch = 1 - double(m.job.kernelCycles) / double(m.job.cycles);
  double issue = sumOf(*busiest, {Stall::Issue, Stall::Dispatch, Stall::Barrier,
                                  Stall::Semaphore}) /
                 all;
  double latency =
      sumOf(*busiest, {Stall::Operands, Stall::Space, Stall::Bank, Stall::Load,
                       Stall::Reduction, Stall::Rendezvous, Stall::Memory}) /
      all;
  // A PE that is done waits for the others, then all wait for the write-back
  // and for the completion, which is part of the launch.
  double cycles = double(std::max<Cycle>(m.job.cycles, 1));
  double writeBack = double(m.job.writeBackCycles) / cycles;
  double others = sumOf(*busiest, {Stall::Finished}) / all - writeBack -
                  double(m.job.completionCycles) / cycles;
  auto byShare = [](const Claim &a, const Claim &b) {
    return a.share > b.share;
  };
  std::stable_sort(claims.begin(), claims.end(), byShare);
  // A resource that is held most of the time binds. Below that the time goes
  // into waiting, which competes with the resources.
  constexpr double kMost = 0.5;
  if (claims.front().share < kMost) {
    claims.push_back({"launch and completion", launch});
    claims.push_back({"command issue", issue});
    claims.push_back({"latency of operands and results", latency});
    claims.push_back({"waiting for the last PE", others});
    claims.push_back({"write-back of the LLC", writeBack});
    std::stable_sort(claims.begin(), claims.end(), byShare);
  }
  std::string text = fmt::format("bound by {} ({:.0f} % of the time)",
                                 claims[0].what, claims[0].share * 100);
  constexpr double kNothing = 0.01;
  if (claims[1].share >= kNothing) {
    text += fmt::format(", next {} ({:.0f} %)", claims[1].what,
                        claims[1].share * 100);
  }
  return text;
}
