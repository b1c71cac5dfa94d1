//===- TraceMachine.h - A small machine that runs a kernel ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_TRACE_TRACEMACHINE_H
#define CHIPWRIGHT_TESTS_UNIT_TRACE_TRACEMACHINE_H

#include "chips/ResolvedChip.h"
#include "runtime/KernelBuild.h"
#include "sim/machine/Machine.h"
#include "sim/memory/MemorySystem.h"
#include "sim/pe/Pe.h"

#include <memory>
#include <string>
#include <vector>

namespace chipwright::sim {

/// A 2 x 2 part of MTIA 2i whose DPE may repeat over K and loads its operand
/// at half speed, so that passes of one command have gaps between them.
ResolvedChip smallChip(const std::vector<std::string> &sets = {});

/// Every PE, `steps` times: A from SRAM, B from DRAM by multicast along the
/// row, one matrix command of two passes; then a reduction along the row,
/// read-out, exp in the SE, a transpose and the write of the result to DRAM.
/// All engines work, and several transfers are in flight.
struct MatrixRun {
  static constexpr unsigned steps = 12, passes = 2;
  static constexpr unsigned m = 32, n = 64, k = 16; // of one pass, fp16
  static constexpr unsigned aBytes = m * k * passes * 2;
  static constexpr unsigned bBytes = n * k * passes * 2;
  static constexpr unsigned outBytes = m * n * 2;
  static constexpr uint64_t aOffset = 0, bOffset = 1 << 20, outOffset = 2 << 20;

  MatrixRun(const ChipSpec &spec, TraceSink *trace);
  /// Launches the kernel; may be repeated.
  JobResult run();

  KernelImage image;
  std::unique_ptr<Machine> machine;
};

/// A folder that is removed with its contents.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string file(const std::string &name) const { return path + "/" + name; }

  std::string path;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_TESTS_UNIT_TRACE_TRACEMACHINE_H
