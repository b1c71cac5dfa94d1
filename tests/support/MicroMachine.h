//===- MicroMachine.h - Chips and launches for tests ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_SUPPORT_MICROMACHINE_H
#define CHIPWRIGHT_TESTS_SUPPORT_MICROMACHINE_H

#include "chips/ChipSpec.h"
#include "sim/machine/Machine.h"
#include "sim/memory/AddressMap.h"
#include "tests/support/HartProgram.h"

#include <string>
#include <vector>

namespace chipwright::test {

using Sets = std::vector<std::string>;

/// \returns \p base with the overrides "path=value" of \p sets. Throws
/// std::runtime_error with the diagnostic.
ChipSpec chipWith(const Sets &sets, const std::string &base = "mtia-2i");

/// \returns the lists one after the other.
Sets operator+(Sets a, const Sets &b);

inline constexpr uint64_t kSramBase = sim::physicalAddress(sim::Space::Sram, 0);
inline constexpr uint64_t kDramBase = sim::physicalAddress(sim::Space::Dram, 0);
inline constexpr uint64_t kHostBase = sim::physicalAddress(sim::Space::Host, 0);

/// A machine with one bulk buffer in each memory: 1 MiB of SRAM, 16 MiB of
/// DRAM, 1 MiB of the host, from offset 0 on; and one control buffer of 64 KiB
/// behind each of the first two.
class MicroMachine {
public:
  static constexpr uint64_t kSramBytes = 1 << 20, kDramBytes = 16 << 20,
                            kHostBytes = 1 << 20, kControlBytes = 64 << 10;
  static constexpr uint64_t kSramControl = kSramBase + kSramBytes;
  static constexpr uint64_t kDramControl = kDramBase + kDramBytes;

  explicit MicroMachine(const ChipSpec &spec,
                        sim::Mode mode = sim::Mode::Timing,
                        uint64_t shuffleSeed = 0);

  /// Launches \p program on the first \p rows x \p cols PEs.
  /// Throws std::runtime_error with the fault's text if it does not finish.
  sim::JobResult run(const HartProgram &program, unsigned rows = 1,
                     unsigned cols = 1, bool writeBack = false);
  sim::JobResult run(const sim::KernelImage &image, unsigned rows,
                     unsigned cols, bool writeBack = false,
                     const std::vector<uint8_t> &arguments = {});

  sim::Machine &machine() { return chip; }

private:
  sim::Machine chip;
};

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_SUPPORT_MICROMACHINE_H
