//===- Sweep.h - Independent points in worker processes ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TOOLS_SWEEP_H
#define CHIPWRIGHT_TOOLS_SWEEP_H

#include "chips/Diagnostic.h"

#include <functional>
#include <string>
#include <vector>

namespace chipwright::tools {

/// Calls \p work(i) for i = 0 to \p count - 1, each in a process of its own,
/// \p jobs of them at a time. \returns what the calls returned, in order.
/// Nothing that \p work does to memory is seen here.
Result<std::vector<std::string>>
runInProcesses(size_t count, unsigned jobs,
               const std::function<std::string(size_t)> &work);

/// One --sweep: a parameter and its values.
struct SweepAxis {
  std::string path;
  std::vector<std::string> values;
};

/// Parses "path=v1,v2,...".
Result<SweepAxis> parseSweep(const std::string &text,
                             const std::string &command);

/// All combinations as --set arguments; the last axis varies fastest.
std::vector<std::vector<std::string>>
sweepPoints(const std::vector<SweepAxis> &axes);

} // namespace chipwright::tools

#endif // CHIPWRIGHT_TOOLS_SWEEP_H
