//===- FaultReport.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/machine/FaultReport.h"

#include "sim/memory/AddressMap.h"
#include "sim/pe/Pe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

using namespace chipwright;
using namespace chipwright::sim;

std::string KernelImage::nameOf(uint64_t pc) const {
  auto after = std::upper_bound(
      functions.begin(), functions.end(), pc,
      [](uint64_t value, const auto &symbol) { return value < symbol.first; });
  if (after == functions.begin()) {
    return "";
  }
  const auto &symbol = *std::prev(after);
  return fmt::format("{}+{:#x}", symbol.second, pc - symbol.first);
}

/// The instruction at \p pc, as text.
static std::string instructionAt(const KernelImage &image, uint64_t pc) {
  uint64_t offset = pc - kImageBase;
  if (pc < kImageBase || offset + 2 > image.bytes.size()) {
    return "no instruction";
  }
  uint32_t word = 0;
  std::memcpy(&word, image.bytes.data() + offset,
              std::min<size_t>(4, image.bytes.size() - offset));
  if ((word & 3) != 3) {
    word &= 0xffff;
  }
  uint32_t opcode = word & 0x7f;
  bool custom =
      opcode == 0x0b || opcode == 0x2b || opcode == 0x5b || opcode == 0x7b;
  return custom ? isa::disassemble(word) : disassemble(word, pc);
}

Fault sim::completeFault(const Fault &fault, const KernelImage &image,
                         const Pe &pe, const ChipSpec &spec) {
  Fault complete = fault;
  if (fault.kind == FaultKind::Deadlock) {
    return complete;
  }
  std::string function = image.nameOf(fault.site.pc);
  complete.text = fmt::format(
      "{}: {}\n"
      "  at chip 0 ({}) PE {},{} hart {} pc {:#x}{}: {}\n{}",
      faultName(fault.kind), fault.text, spec.name, pe.row(), pe.col(),
      fault.site.hart, fault.site.pc,
      function.empty() ? "" : " (" + function + ")",
      instructionAt(image, fault.site.pc), pe.describe());
  while (!complete.text.empty() && complete.text.back() == '\n') {
    complete.text.pop_back();
  }
  return complete;
}

Fault sim::deadlockFault(const std::vector<const Pe *> &pes,
                         const std::vector<std::string> &networkWaits) {
  constexpr unsigned kListed = 6;
  unsigned stuck = 0;
  std::string list;
  Fault fault;
  fault.kind = FaultKind::Deadlock;
  for (const Pe *pe : pes) {
    if (pe->finished()) {
      continue;
    }
    if (stuck == 0) {
      fault.site = {pe->number(), 0, pe->hart(0).pc(), 0};
    }
    if (++stuck <= kListed) {
      list += pe->describeWaits() + pe->describe();
    }
  }
  for (size_t i = 0; i < networkWaits.size() && i < kListed; ++i) {
    list += "  " + networkWaits[i] + "\n";
  }
  while (!list.empty() && list.back() == '\n') {
    list.pop_back();
  }
  fault.text = fmt::format(
      "deadlock: {} PEs have not finished and nothing can happen any more{}\n"
      "{}",
      stuck, stuck > kListed ? fmt::format(" (the first {} are listed)", kListed)
                             : "",
      list);
  return fault;
}
