//===- StepInputs.h - What a step writes into a package's inputs -*- C++
//-*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_STEPINPUTS_H
#define CHIPWRIGHT_RUNTIME_STEPINPUTS_H

#include "chips/Diagnostic.h"
#include "models/Graph.h"
#include "models/Step.h"
#include "package/Package.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace chipwright {

/// Values of a package's symbols in a step.
using StepSizes = std::map<std::string, int64_t>;

/// \returns the value of \p size; 0 for a symbol without one.
int64_t valueOf(const PackageSize &size, const StepSizes &sizes);

/// \returns the elements of \p buffer in a step.
int64_t elementsOf(const PackageBuffer &buffer, const StepSizes &sizes);

/// An entry of an attention work list, as it stands in the buffer.
struct AttentionEntry {
  int32_t firstToken, tokens; // of the step
  int32_t firstSlot, endSlot; // union of the tokens' bounds

  bool operator==(const AttentionEntry &) const = default;
};

/// Cuts the runs of tokens of one sequence into blocks of \p block tokens (the
/// last one of a run may be shorter) and joins the bounds of mask \p mask.
std::vector<AttentionEntry> attentionWork(const models::Step &step, size_t mask,
                                          int64_t block);

/// \returns the values of all symbols in \p step. Refused: a step that exceeds
/// the package's bounds (exit status ExitDoesNotFit), masks that the model has
/// not, work lists of one mask with different lengths.
Result<StepSizes> stepSizes(const Package &package, const models::Step &step);

/// \returns the bytes of an input in \p step, which stepSizes() accepted.
std::vector<uint8_t> inputBytes(const PackageBuffer &buffer,
                                const models::Step &step);

/// \returns the bytes of a table, from the attributes of \p graph's ops:
/// `index` counts the different rotations (temperatures) in order of their
/// first use. Refused: a table that the graph does not have or of another
/// width.
Result<std::vector<uint8_t>> tableBytes(const PackageBuffer &buffer,
                                        const models::Graph &graph);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_STEPINPUTS_H
