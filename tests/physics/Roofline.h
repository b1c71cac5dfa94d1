//===- Roofline.h - Least time of a workload --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A lower bound on the time of a launch, from what the workload's shapes ask
// for and the chip's parameters alone: none of the simulator's code or
// counters takes part. The bound is the largest of seven terms; the largest
// one is the workload's regime.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_PHYSICS_ROOFLINE_H
#define CHIPWRIGHT_TESTS_PHYSICS_ROOFLINE_H

#include "chips/ChipSpec.h"

#include <array>

namespace chipwright::physics {

enum class Regime { Dpe, Se, Dram, Sram, Noc, Issue, Latency };
inline constexpr unsigned numRegimes = 7;
const char *regimeName(Regime regime);

/// What a workload needs at least, over the whole chip unless it says
/// otherwise. Work is spread evenly over the PEs.
struct Demand {
  double macs = 0; // products of type `type`
  DType type = DType::F16;
  double seSlots = 0; // elements x slots of the SIMD engine
  double dramBytes = 0;
  double sramBytes = 0;
  double bytesIn = 0, bytesOut = 0; // to and from PEs over the NoC
  double multicastBytes = 0;        // of bytes fetched for many PEs at once
  double hartCycles = 0;            // of the busiest hart, issuing
  double chainCycles = 0;           // dependent steps between start and end
};

/// Seconds by regime.
using Terms = std::array<double, numRegimes>;

/// The terms of \p demand on \p spec:
///
///   DPE      2 x MACs / peak FLOP/s
///   SE       slots / (lanes x PEs x clock)
///   DRAM     bytes x (1 + code bytes per data byte) / pin rate
///   SRAM     bytes / (banks x bank width x clock)
///   NoC      bytes over the busiest side's links / (links x width x clock)
///   issue    cycles of the busiest hart / clock
///   latency  (launch + chain) / clock
Terms computeTerms(const ChipSpec &spec, const Demand &demand);

double bound(const Terms &terms);
Regime regimeOf(const Terms &terms);
/// The second-largest term over the largest.
double secondShare(const Terms &terms);

/// Cycles from dispatch to completion of a job that does nothing, on the PE
/// that is furthest from the control core; without the image's transfer.
double launchCycles(const ChipSpec &spec);

/// Wire and crossbar latency of a request to memory and of its answer, for the
/// PE with the longest way to the crossbar next to it.
double memoryTripCycles(const ChipSpec &spec);

/// Cycles of a command: \p writes field writes and the issue.
double commandCycles(const ChipSpec &spec, double writes);

} // namespace chipwright::physics

#endif // CHIPWRIGHT_TESTS_PHYSICS_ROOFLINE_H
