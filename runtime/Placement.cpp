//===- Placement.cpp - Addresses of buffers -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/Placement.h"

#include <fmt/format.h>

using namespace chipwright;
using sim::Space;

static constexpr uint64_t kPageBytes = 4096;

static uint64_t pagesOf(uint64_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

std::optional<MemoryChoice>
chipwright::memoryChoiceFromName(std::string_view name) {
  if (name == "auto") {
    return MemoryChoice::Auto;
  }
  if (name == "dram") {
    return MemoryChoice::Dram;
  }
  if (name == "sram") {
    return MemoryChoice::Sram;
  }
  return std::nullopt;
}

MemoryChoice chipwright::choiceFor(const PlacementOptions &options, Role role) {
  return (role == Role::Weight ? options.weights : options.activations)
      .value_or(options.memory);
}

/// Buffers and their sizes, for a message.
static std::string listBuffers(const std::vector<PlacedBuffer> &buffers,
                               Space space) {
  std::string list;
  for (const PlacedBuffer &buffer : buffers) {
    if (buffer.space == space) {
      list += fmt::format("{}{} {}", list.empty() ? "" : ", ", buffer.name,
                          buffer.bytes);
    }
  }
  return list;
}

Result<void> chipwright::placeBuffers(const ChipSpec &spec,
                                      std::vector<PlacedBuffer> &buffers) {
  uint64_t fixedSram = 0, automatic = 0;
  for (const PlacedBuffer &buffer : buffers) {
    uint64_t bytes = pagesOf(buffer.bytes);
    fixedSram += buffer.choice == MemoryChoice::Sram ? bytes : 0;
    automatic += buffer.choice == MemoryChoice::Auto ? bytes : 0;
  }
  bool autoInSram = fixedSram + automatic <= spec.sram.llsBytes;
  uint64_t sram = 0, dram = 0;
  for (PlacedBuffer &buffer : buffers) {
    bool inSram = buffer.choice == MemoryChoice::Sram ||
                  (buffer.choice == MemoryChoice::Auto && autoInSram);
    uint64_t &next = inSram ? sram : dram;
    buffer.space = inSram ? Space::Sram : Space::Dram;
    buffer.address = sim::physicalAddress(buffer.space, next);
    next += pagesOf(buffer.bytes);
  }
  if (sram > spec.sram.llsBytes) {
    return Diagnostic{
        fmt::format("the SRAM scratch of {} has {} bytes (sram.lls_bytes), "
                    "the buffers placed there need {} ({}, in pages of {}); "
                    "use --memory dram or smaller sizes",
                    spec.name, spec.sram.llsBytes, sram,
                    listBuffers(buffers, Space::Sram), kPageBytes),
        ExitDoesNotFit};
  }
  if (dram > spec.dram.bytes) {
    return Diagnostic{
        fmt::format("the DRAM of {} has {} bytes (dram.bytes), the buffers "
                    "placed there need {} ({}, in pages of {}); use smaller "
                    "sizes",
                    spec.name, spec.dram.bytes, dram,
                    listBuffers(buffers, Space::Dram), kPageBytes),
        ExitDoesNotFit};
  }
  return {};
}
