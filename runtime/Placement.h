//===- Placement.h - Addresses of buffers -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_PLACEMENT_H
#define CHIPWRIGHT_RUNTIME_PLACEMENT_H

#include "chips/ChipSpec.h"
#include "chips/Diagnostic.h"
#include "runtime/Kernel.h"
#include "sim/memory/AddressMap.h"

#include <optional>
#include <string>
#include <vector>

namespace chipwright {

/// Auto: in SRAM scratch (LLS) if everything fits there, else in DRAM.
enum class MemoryChoice { Auto, Dram, Sram };

/// \returns the choice called "auto", "dram" or "sram".
std::optional<MemoryChoice> memoryChoiceFromName(std::string_view name);

struct PlacementOptions {
  MemoryChoice memory = MemoryChoice::Auto;
  /// Override `memory` for buffers of a role.
  std::optional<MemoryChoice> weights = {}, activations = {};
};

/// A buffer that wants an address.
struct PlacedBuffer {
  std::string name;
  uint64_t bytes = 0;
  MemoryChoice choice = MemoryChoice::Auto;
  // The answer:
  sim::Space space = sim::Space::Dram;
  uint64_t address = 0;
};

/// The choice that \p options make for \p role.
MemoryChoice choiceFor(const PlacementOptions &options, Role role);

/// Gives every buffer an address: one after the other from the start of its
/// space, each on a 4 KiB boundary. Buffers left to Auto go to the LLS
/// together or not at all.
/// \returns an error with exit status ExitDoesNotFit if a space is too small.
Result<void> placeBuffers(const ChipSpec &spec,
                          std::vector<PlacedBuffer> &buffers);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_PLACEMENT_H
