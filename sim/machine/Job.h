//===- Job.h - What is launched on a machine and what came of it -*- C++
//-*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_MACHINE_JOB_H
#define CHIPWRIGHT_SIM_MACHINE_JOB_H

#include "sim/core/Time.h"
#include "sim/hart/Instruction.h"
#include "sim/pe/PeServices.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace chipwright::sim {

/// Kernel code as it stands at kImageBase in every PE.
struct KernelImage {
  std::vector<uint8_t> bytes;
  uint64_t entry = 0;
  std::shared_ptr<const DecodedImage> decoded;
  /// Function names by address, ascending; for messages.
  std::vector<std::pair<uint64_t, std::string>> functions;
  /// What the compiler says of commands: by the address of the instruction that
  /// issues one, ascending, a number in `tags`; for messages and traces.
  std::vector<std::pair<uint64_t, uint32_t>> commands;
  std::vector<std::string> tags;

  /// \returns "function+0x12", or nothing if no symbol lies before \p pc.
  std::string nameOf(uint64_t pc) const;
  /// \returns the tag of the command that the instruction at \p pc issues, or
  /// nothing.
  std::string tagOf(uint64_t pc) const;
};

struct Job {
  const KernelImage *image = nullptr;
  /// Operation of a model that the job computes (a part of), if there is one;
  /// for messages.
  std::string op;
  /// Copied to the end of every PE's local memory; a0 points at it. At most
  /// `control.descriptor_bytes`.
  std::vector<uint8_t> arguments;
  /// PEs that take part: rectangle of rows and columns, both from 0.
  unsigned rows = 0, cols = 0;
  /// The image is in the PEs from an earlier launch.
  bool resident = false;
  /// The job ends when all dirty LLC lines are in DRAM.
  bool writeBack = false;
};

/// A stop of the simulated program.
struct Fault {
  FaultKind kind{};
  FaultSite site{};
  std::string text; // complete message for the user
};

struct JobResult {
  bool finished = false;
  Fault fault;            // if not finished
  Cycle cycles = 0;       // control-core dispatch to completion seen
  Cycle kernelCycles = 0; // first hart starts to last PE done
  /// The end of the kernel cycles, when all PEs were done: write-back of the
  /// LLC. And what came after them: the way to the control core.
  Cycle writeBackCycles = 0, completionCycles = 0;
  Cycle firstStart = 0, lastDone = 0, end = 0;
  uint64_t instructions = 0, commands = 0, events = 0;
  uint64_t passes = 0; // of matrix engines
  uint64_t trains = 0; // of memory requests
  uint64_t pcHash = 0;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_MACHINE_JOB_H
