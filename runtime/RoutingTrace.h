//===- RoutingTrace.h - Recorded decisions of a run -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// What a functional run decided from numbers, so that a timing run, which has
// none, goes the same way: the steps' tokens, and after each launch the
// contents of the control buffers that it writes from bulk data. A JSON file
// (docs/running-models.md), which may also be written by hand.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_ROUTINGTRACE_H
#define CHIPWRIGHT_RUNTIME_ROUTINGTRACE_H

#include "chips/Diagnostic.h"
#include "models/Step.h"
#include "package/Package.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace chipwright {

struct RoutingTrace {
  struct Step {
    std::vector<int32_t> ids, sequences, positions;
    /// 32-bit words by launch and buffer, as long as the buffer is in the step.
    std::map<std::pair<int64_t, std::string>, std::vector<int32_t>> contents;
    /// Tokens that the step's logits gave, by sequence.
    std::map<int32_t, int32_t> next;
  };
  uint64_t package = 0; // packageHash() of the file's bytes
  std::vector<Step> steps;
};

Result<void> writeRouting(const RoutingTrace &trace, const std::string &path);

/// Reads a file that writeRouting() wrote. Refused: what is no JSON of that
/// form, and a trace of another package than \p package.
Result<RoutingTrace> readRouting(const std::string &path, uint64_t package);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_ROUTINGTRACE_H
