//===- Banks.h - Which sums lie in accumulator banks ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A sum holds banks from its first product to its last reader, over the whole
// loop if a loop carries it. Commands on one bank take effect in the order of
// the program, so sums with disjoint lives may have the same banks. Where more
// sums live at a time than there are banks, some are spilled: they lie in local
// memory, and each of their products borrows a bank, part by part.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_GRID_BANKS_H
#define CHIPWRIGHT_COMPILER_GRID_BANKS_H

#include "compiler/Target.h"
#include "dialects/grid/Grid.h"

#include <vector>

namespace chipwright {

/// Products that make up one sum, and where it lives.
struct SumLife {
  llvm::SmallVector<grid::MatmulOp, 2> products;
  /// Positions in the order of the program, both included.
  unsigned first = 0, last = 0;
  /// Banks that it holds: one for the product of a spilled sum.
  int64_t banks = 1;
};

/// The sums of \p program by their first product; each product of a spilled
/// sum is an entry of its own.
std::vector<SumLife> livesOfSums(grid::ProgramOp program, const Target &target);

/// The largest number of banks that \p lives hold at a time.
int64_t mostBanks(llvm::ArrayRef<SumLife> lives);

/// Marks sums as spilled until the others fit the banks of \p target, the
/// longest lives first. Integer sums stay, since local memory would round them
/// to fp32. Is called on tiles before they have places.
void spillSums(grid::ProgramOp program, const Target &target);

/// Does the sum of \p product lie in local memory?
bool isSpilled(grid::MatmulOp product);

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_GRID_BANKS_H
