//===- KnownRegisters.h - What registers hold in any run --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_KNOWNREGISTERS_H
#define CHIPWRIGHT_RUNTIME_KNOWNREGISTERS_H

#include "sim/machine/Job.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace chipwright {

/// Constant propagation over a program's machine code: which general registers
/// hold the same number whenever control comes to an instruction, whatever the
/// arguments. Functions begin with nothing known.
class KnownRegisters {
public:
  explicit KnownRegisters(const sim::KernelImage &image);

  /// \returns what register \p number (0 to 31) holds before the instruction at
  /// \p pc, or nothing if that depends on the run or control never comes there.
  std::optional<uint64_t> at(uint64_t pc, unsigned number) const;

private:
  struct State {
    bool isReached = false;
    std::array<std::optional<uint64_t>, 32> values;
  };

  void reach(uint64_t pc, const State &state);
  void step(uint64_t pc);
  std::optional<uint64_t> result(const sim::DecodedOp &op, uint64_t pc,
                                 const State &state) const;

  const sim::KernelImage &image;
  std::vector<State> before; // by halfword
  std::vector<uint64_t> open;
};

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_KNOWNREGISTERS_H
