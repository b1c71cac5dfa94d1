//===- PeOperands.h - Commands in terms of the numerics library -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_PE_PEOPERANDS_H
#define CHIPWRIGHT_SIM_PE_PEOPERANDS_H

#include "dialects/isa/Xpe.h"
#include "sim/numerics/SimdCommand.h"

#include <string>

namespace chipwright::sim {

/// The chain of operations of an se or drain command. Both enumerate kinds,
/// operations, functions and reductions alike.
inline SimdChain simdChainOf(const isa::SeCommand &command) {
  SimdChain chain;
  chain.swapPairs = command.swapPairs;
  chain.scale = command.scale;
  chain.y1Kind = static_cast<SimdOperand>(command.y1Kind);
  chain.op1 = static_cast<SimdOp>(command.op1);
  chain.window = command.window;
  chain.f = static_cast<SeFunction>(command.f);
  chain.y2Kind = static_cast<SimdOperand>(command.y2Kind);
  chain.op2 = static_cast<SimdOp>(command.op2);
  chain.store = command.store;
  chain.reduce = static_cast<SimdReduce>(command.reduce);
  chain.running = command.running;
  return chain;
}

/// Types of stored weights (isReadOnly()) where \p se, an se or drain command
/// called \p what, cannot have them on the chip \p spec: in results, in second
/// operands if two share a byte, and where the chip does not read them.
/// \returns what is wrong, or an empty string.
std::string storedTypesError(const isa::SeCommand &se, const char *what,
                             const ChipSpec &spec);

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_PE_PEOPERANDS_H
