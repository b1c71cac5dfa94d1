//===- DependenceCone.h - What may depend on one command --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_MUTATION_DEPENDENCECONE_H
#define CHIPWRIGHT_TESTS_MUTATION_DEPENDENCECONE_H

#include "tests/mutation/Footprint.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

namespace chipwright::test {

/// Everything that the effects of one command reach, in the run that issued
/// \p trace, if the command is replaced by \p mutated: its own effects before
/// and after the change, and those of every command that reads any of them.
/// A command counts as a whole, so the cone is an upper bound.
class DependenceCone {
public:
  DependenceCone(const std::vector<IssuedCommand> &trace, size_t index,
                 const IssuedCommand &mutated, const ChipSpec &spec);

  bool holdsMemory(uint64_t address) const;
  /// Byte at \p place of a CB of \p size bytes.
  bool holdsCbByte(unsigned pe, unsigned cb, uint32_t place,
                   uint32_t size) const;
  bool holdsPointer(unsigned pe, unsigned cb) const {
    return shifted.count({pe, cb}) != 0;
  }

private:
  using Key = std::pair<unsigned, unsigned>; // PE and CB

  struct Span {
    uint64_t begin, end;
  };
  struct BankTaint {
    unsigned rows = 0, cols = 0;
  };

  void taint(const IssuedCommand &command, const Footprint &footprint,
             std::map<unsigned, BankTaint> &banks);
  bool depends(const IssuedCommand &command, const Footprint &footprint,
               const std::map<unsigned, BankTaint> &banks) const;
  static bool touches(const std::vector<Span> &spans, uint64_t begin,
                      uint64_t bytes);
  static bool add(std::vector<Span> &spans, uint64_t begin, uint64_t bytes);

  std::map<Key, std::vector<Span>> streams;
  std::map<Key, uint64_t> shifted; // pointers changed, from this position on
  std::vector<Span> memory;
  bool grown = false;
};

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_MUTATION_DEPENDENCECONE_H
