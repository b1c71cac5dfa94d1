//===- RandomChip.h - Chips with random timing ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_RANDOMCHIP_H
#define CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_RANDOMCHIP_H

#include "chips/ChipSpec.h"
#include "tests/diff/command_processor/Random.h"

namespace chipwright::test {

/// A chip with the smallest memories that the programs need, so that machines
/// are cheap to build. Its architecture is random.
ChipSpec randomArchitecture(const ChipSpec &base, Random &random);

/// The same architecture with other timing: latencies, widths, depths, rates,
/// topology, shaping, arbitration. Legal (checkGeometry).
ChipSpec randomTiming(const ChipSpec &architecture, Random &random);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_RANDOMCHIP_H
