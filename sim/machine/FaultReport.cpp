//===- FaultReport.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/machine/FaultReport.h"

#include "sim/memory/AddressMap.h"
#include "sim/pe/BarrierNetwork.h"
#include "sim/pe/MulticastNetwork.h"
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

std::string KernelImage::tagOf(uint64_t pc) const {
  auto found = std::lower_bound(commands.begin(), commands.end(), pc,
                                [](const auto &command, uint64_t value) {
                                  return command.first < value;
                                });
  return found == commands.end() || found->first != pc ? ""
                                                       : tags[found->second];
}

std::string chipwright::sim::instructionAt(const KernelImage &image,
                                           uint64_t pc) {
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

/// "pc 0x40000012 (function+0x2): instruction, of layers.0.norm (rms_norm)".
static std::string placeOf(const Job &job, uint64_t pc) {
  const KernelImage &image = *job.image;
  bool inside = pc >= kImageBase && pc - kImageBase < image.bytes.size();
  std::string function = inside ? image.nameOf(pc) : "";
  std::string tag = image.tagOf(pc);
  std::string op = job.op.empty() || tag.empty()
                       ? job.op + tag
                       : fmt::format("{} ({})", job.op, tag);
  return fmt::format("pc {:#x}{}: {}{}", pc,
                     function.empty() ? "" : " (" + function + ")",
                     instructionAt(image, pc), op.empty() ? "" : ", of " + op);
}

static void trimEnd(std::string &text) {
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
}

Fault sim::completeFault(const Fault &fault, const Job &job, const Pe &pe,
                         const Pe *other, const ChipSpec &spec) {
  const KernelImage &image = *job.image;
  Fault complete = fault;
  if (fault.kind == FaultKind::Deadlock) {
    return complete;
  }
  const FaultSite &site = fault.site;
  complete.text =
      fmt::format("{}: {}\n  at chip 0 ({}) PE {},{} hart {} {}\n",
                  faultName(fault.kind), fault.text, spec.name, pe.row(),
                  pe.col(), site.hart, placeOf(job, site.pc));
  constexpr unsigned kReturnAddress = 1;
  uint64_t caller = pe.hart(site.hart).reg(kReturnAddress);
  bool isLost = site.pc - kImageBase >= image.bytes.size();
  if (isLost && caller - kImageBase < image.bytes.size()) {
    complete.text += fmt::format("  return address (ra) {:#x} ({})\n", caller,
                                 image.nameOf(caller));
  }
  complete.text += pe.describe();
  if (other) {
    complete.text += other->describe();
  }
  trimEnd(complete.text);
  return complete;
}

Fault sim::deadlockFault(const std::vector<const Pe *> &pes, const Job &job,
                         const ChipSpec &spec,
                         const MulticastNetwork &multicast,
                         const BarrierNetwork &barriers) {
  constexpr unsigned kListed = 6;
  auto place = [&](uint64_t pc) { return placeOf(job, pc); };
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
      list += pe->describeWaits(place) + pe->describe();
    }
  }
  std::vector<std::string> waits = multicast.waits(place);
  for (std::string &line : barriers.waits()) {
    waits.push_back(std::move(line));
  }
  for (size_t i = 0; i < waits.size() && i < kListed; ++i) {
    list += "  " + waits[i] + "\n";
  }
  trimEnd(list);
  fault.text = fmt::format(
      "deadlock: {} of chip 0 ({}) {} not finished and nothing can happen any "
      "more{}; supply a push, pop, post or arrival that is waited for below\n"
      "{}",
      stuck == 1 ? "1 PE" : fmt::format("{} PEs", stuck), spec.name,
      stuck == 1 ? "has" : "have",
      stuck > kListed ? fmt::format(" (the first {} are listed)", kListed) : "",
      list);
  return fault;
}
