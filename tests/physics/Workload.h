//===- Workload.h - Kernels whose bound is known ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_PHYSICS_WORKLOAD_H
#define CHIPWRIGHT_TESTS_PHYSICS_WORKLOAD_H

#include "chips/ResolvedChip.h"
#include "runtime/Kernel.h"
#include "runtime/Measurement.h"
#include "runtime/Placement.h"
#include "sim/energy/EnergyModel.h"
#include "tests/physics/Roofline.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace chipwright::physics {

/// What a run needs besides the chip: a plan that fits all chips of one
/// architectural fingerprint.
struct Program {
  std::string source; // path of a C file, or a name if there is a text
  std::string text;   // of a tile program
  std::vector<std::pair<std::string, std::string>> defines;
  std::vector<PlacedBuffer> buffers; // `choice` set
  /// The first buffer holds a list of addresses for chain.c, see there.
  bool isLinked = false;
  std::function<std::vector<uint8_t>(const std::vector<uint64_t> &)> arguments;
};

/// A kernel with sizes, placement and chip.
struct Workload {
  std::string name;
  Regime regime;
  /// Overrides of mtia-2i.
  std::vector<std::string> sets;
  std::function<Result<Program>(const ChipSpec &)> program;
  std::function<Demand(const ChipSpec &)> demand;
  /// Longest time with more of a lesser resource (ResourceTest.cpp), over the
  /// time before.
  double tolerance = 1.02;
};

/// All workloads of \p regime, at least ten.
std::vector<Workload> workloads(Regime regime);
// One file each.
std::vector<Workload> dpeWorkloads();
std::vector<Workload> seWorkloads();
std::vector<Workload> dramWorkloads();
std::vector<Workload> sramWorkloads();
std::vector<Workload> nocWorkloads();
std::vector<Workload> issueWorkloads();
std::vector<Workload> latencyWorkloads();

/// A program from a kernel that ships with the tool. Its buffers go where
/// \p placement says.
std::function<Result<Program>(const ChipSpec &)>
shipped(const char *kernel, KernelShape shape, PlacementOptions placement);

/// A program from tests/physics/kernels whose argument block is \p args.
/// \p buffer: its first word is the address of a buffer of that size in SRAM.
template <typename Args>
std::function<Result<Program>(const ChipSpec &)>
local(const char *file,
      std::vector<std::pair<std::string, std::string>> defines, Args args,
      uint64_t buffer = 0, bool isLinked = false) {
  return [=](const ChipSpec &) -> Result<Program> {
    Program program;
    program.source = std::string(CHIPWRIGHT_SOURCE_DIR "/tests/physics/"
                                                       "kernels/") +
                     file;
    program.defines = defines;
    program.isLinked = isLinked;
    if (buffer) {
      program.buffers = {{"buffer", buffer, MemoryChoice::Sram}};
    }
    program.arguments = [=](const std::vector<uint64_t> &at) {
      std::vector<uint8_t> block = argumentBytes(args);
      if (!at.empty()) {
        std::memcpy(block.data(), &at[0], sizeof(uint64_t));
      }
      return block;
    };
    return program;
  };
}

/// mtia-2i with \p sets. Ends the process with the message if there is no
/// such chip: that would be a mistake in this folder.
ResolvedChip chipWith(const std::vector<std::string> &sets);

/// The same kernel image for every chip of one architectural fingerprint.
class ImageCache {
public:
  Result<const sim::KernelImage *> get(const ResolvedChip &chip,
                                       const Program &program);

private:
  std::vector<std::pair<std::string, std::unique_ptr<sim::KernelImage>>> images;
};

struct Outcome {
  Measurement measurement;
  sim::EnergyReport energy;
  uint64_t dpePasses = 0;
  double dpeUnderfilled = 0; // DPE cycles of all PEs that multiplied nothing
};

/// Runs \p program once in timing mode. Fails with the fault's text.
Result<Outcome> runProgram(ImageCache &images, const ResolvedChip &chip,
                           const Program &program);

/// A resource that can be doubled without another binary.
struct Resource {
  const char *path;
  double (*value)(const ChipSpec &);
};

/// The resources of the regimes: `dram.channels`, `sram.banks`,
/// `noc.link_bytes`, `clock_ghz`.
const std::vector<Resource> &regimeResources();
/// Everything else that engines, queues and memories have more or less of.
const std::vector<Resource> &otherResources();
/// The one that bounds \p regime.
const char *resourceOf(Regime regime);
/// `sets` with twice the amount of \p resource.
std::vector<std::string> doubled(const std::vector<std::string> &sets,
                                 const Resource &resource);

} // namespace chipwright::physics

#endif // CHIPWRIGHT_TESTS_PHYSICS_WORKLOAD_H
