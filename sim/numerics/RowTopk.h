//===- RowTopk.h - What row_topk commands compute ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NUMERICS_ROWTOPK_H
#define CHIPWRIGHT_SIM_NUMERICS_ROWTOPK_H

#include "sim/numerics/SimdCommand.h"

namespace chipwright::sim {

/// The k largest values of each row, in descending order, with their column
/// numbers. Among equal values (+0 and -0 are equal) the lowest column comes
/// first. NaN counts as larger than +infinity and all NaNs as equal, so that a
/// NaN shows in the result instead of being passed over.
struct RowTopkArgs {
  unsigned rows = 0, cols = 0;
  unsigned k = 0; // values per row, at most cols
  SimdSource x;
  SimdTarget out;         // k values per row
  uint8_t *idx = nullptr; // k int32 per row
  size_t idxPitch = 0;    // bytes from one row of idx to the next
};

/// \returns a sentence part that names what is wrong, or an empty string.
std::string rowTopkError(const RowTopkArgs &args);

/// Executes one command for which rowTopkError() is empty.
void rowTopk(const RowTopkArgs &args, HostIsa isa = hostIsa());

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NUMERICS_ROWTOPK_H
