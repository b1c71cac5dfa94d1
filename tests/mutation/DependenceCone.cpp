//===- DependenceCone.cpp -------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/mutation/DependenceCone.h"

#include <algorithm>

using namespace chipwright;
using namespace chipwright::test;

bool DependenceCone::touches(const std::vector<Span> &spans, uint64_t begin,
                             uint64_t bytes) {
  return std::any_of(spans.begin(), spans.end(), [&](const Span &span) {
    return begin < span.end && span.begin < begin + bytes;
  });
}

bool DependenceCone::add(std::vector<Span> &spans, uint64_t begin,
                         uint64_t bytes) {
  for (const Span &span : spans) {
    if (span.begin <= begin && begin + bytes <= span.end) {
      return false;
    }
  }
  spans.push_back({begin, begin + bytes});
  return true;
}

void DependenceCone::taint(const IssuedCommand &command,
                           const Footprint &footprint,
                           std::map<unsigned, BankTaint> &banks) {
  for (const StreamRange &range : footprint.writes) {
    grown |= add(streams[{command.pe, range.cb}], range.begin, range.bytes);
  }
  for (const MemoryRange &range : footprint.memoryWrites) {
    grown |= add(memory, range.begin, range.bytes);
  }
  if (footprint.writesBank) {
    BankTaint &bank = banks[unsigned(footprint.bank)];
    bank.rows = std::max(bank.rows, footprint.bankRows);
    bank.cols = std::max(bank.cols, footprint.bankCols);
  }
}

bool DependenceCone::depends(const IssuedCommand &command,
                             const Footprint &footprint,
                             const std::map<unsigned, BankTaint> &banks) const {
  auto isShifted = [&](const StreamRange &range) {
    auto found = shifted.find({command.pe, range.cb});
    return found != shifted.end() && range.begin + range.bytes > found->second;
  };
  for (const StreamRange &range : footprint.reads) {
    auto found = streams.find({command.pe, range.cb});
    if (isShifted(range) ||
        (found != streams.end() &&
         touches(found->second, range.begin, range.bytes))) {
      return true;
    }
  }
  for (const StreamRange &range : footprint.writes) {
    if (isShifted(range)) {
      return true;
    }
  }
  for (const MemoryRange &range : footprint.memoryReads) {
    if (touches(memory, range.begin, range.bytes)) {
      return true;
    }
  }
  return footprint.readsBank && banks.count(unsigned(footprint.bank));
}

DependenceCone::DependenceCone(const std::vector<IssuedCommand> &trace,
                               size_t index, const IssuedCommand &mutated,
                               const ChipSpec &spec) {
  std::vector<Footprint> footprints;
  for (const IssuedCommand &command : trace) {
    footprints.push_back(footprintOf(command, spec));
  }
  const IssuedCommand &original = trace[index];
  Footprint before = footprints[index], after = footprintOf(mutated, spec);
  if (before.moves != after.moves) {
    // From here on the pointers of these CBs stand elsewhere.
    for (const Footprint *footprint : {&before, &after}) {
      for (const PointerMove &move : footprint->moves) {
        if (move.cb < original.pointers.size()) {
          const auto &at = original.pointers[move.cb];
          shifted[{original.pe, move.cb}] = move.write ? at.writer : at.reader;
        }
      }
    }
  }
  // Streams and memory keep what they were given whatever the order, so the
  // passes grow the cone until nothing is added; banks follow the order of
  // their hart.
  do {
    grown = false;
    std::map<std::pair<unsigned, unsigned>, std::map<unsigned, BankTaint>>
        banks;
    for (size_t i = 0; i < trace.size(); ++i) {
      const IssuedCommand &command = trace[i];
      const Footprint &footprint = footprints[i];
      auto &own = banks[{command.pe, command.hart}];
      bool dependent = i == index || depends(command, footprint, own);
      if (!dependent && footprint.writesBank && !footprint.readsBank) {
        auto found = own.find(unsigned(footprint.bank));
        if (found != own.end() && found->second.rows <= footprint.bankRows &&
            found->second.cols <= footprint.bankCols) {
          own.erase(found); // overwritten
        }
      }
      if (dependent) {
        taint(command, footprint, own);
      }
      if (i == index) {
        taint(mutated, after, own);
      }
    }
  } while (grown);
}

bool DependenceCone::holdsMemory(uint64_t address) const {
  return touches(memory, address, 1);
}

bool DependenceCone::holdsCbByte(unsigned pe, unsigned cb, uint32_t place,
                                 uint32_t size) const {
  if (shifted.count({pe, cb})) {
    return true;
  }
  auto found = streams.find({pe, cb});
  if (found == streams.end()) {
    return false;
  }
  return std::any_of(found->second.begin(), found->second.end(),
                     [&](const Span &span) {
                       uint64_t first = span.begin % size;
                       uint64_t offset = (place + size - first) % size;
                       return offset < span.end - span.begin;
                     });
}
