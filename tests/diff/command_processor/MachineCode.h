//===- MachineCode.h - Tile programs as machine code ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_MACHINECODE_H
#define CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_MACHINECODE_H

#include "chips/ChipSpec.h"
#include "sim/machine/Job.h"
#include "tests/diff/command_processor/TileProgram.h"

#include <vector>

namespace chipwright::test {

/// Splits \p program into the two harts' roles and encodes them. \p slots is
/// the capacity of each ring. \p seed chooses between equivalent encodings:
/// which commands own a context, what of an offset stands in the word.
/// The same seed gives the same code but for the capacities.
sim::KernelImage encodeProgram(const TileProgram &program,
                               const ChipSpec &spec,
                               const std::vector<unsigned> &slots,
                               uint64_t seed);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_MACHINECODE_H
