//===- AbstractMachine.h - Does a program end? ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The rules of the command processor without time: queues of limited length
// per hart and engine, streams of limited capacity, pointer moves in program
// order. A PE with these rules is a Kahn network with bounded channels:
// whether it comes to its end does not depend on the order in which things
// happen, so one order decides for all chips with that queue length.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_ABSTRACTMACHINE_H
#define CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_ABSTRACTMACHINE_H

#include "tests/diff/command_processor/SequentialOracle.h"

namespace chipwright::test {

/// \returns true if all harts get to their ends. \p slots is the capacity of
/// each ring; \p multicast: members of a multicast wait for each other.
bool endsWithCapacity(const TileProgram &program, const OracleResult &oracle,
                      const std::vector<unsigned> &slots,
                      unsigned queueCommands, bool multicast);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_ABSTRACTMACHINE_H
