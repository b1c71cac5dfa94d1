//===- KernelReport.h - Results of kernels as text and JSON -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_KERNELREPORT_H
#define CHIPWRIGHT_RUNTIME_KERNELREPORT_H

#include "runtime/KernelRun.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace chipwright {

/// The result for people; ends with the verdict.
std::string formatKernel(const KernelResult &result, const ResolvedChip &chip);

/// The result with the names that docs/running-kernels.md lists. A figure that
/// was not computed is left out.
nlohmann::ordered_json toJson(const KernelResult &result,
                              const ResolvedChip &chip,
                              const std::string &commandLine);

/// One line: what bounds the run, and what comes next.
std::string verdict(const KernelResult &result);
std::string verdict(const Measurement &measurement);

/// Data bytes (without ECC) over what the pins could have carried.
double dramBandwidthFraction(const KernelResult &result, const ChipSpec &spec);

/// The tool's version.
const char *versionString();

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_KERNELREPORT_H
