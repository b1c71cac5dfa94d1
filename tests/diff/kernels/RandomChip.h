//===- RandomChip.h - Chips of any size -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Grids of 1 x 1 to 16 x 8 with primes, matrix tiles of 16, 32 or 64, 1 to 8
// accumulator banks, local memory of 64 KiB to 1 MiB, 0 to 32 contexts, 8 to 64
// circular buffers, with and without an LLC.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_KERNELS_RANDOMCHIP_H
#define CHIPWRIGHT_TESTS_DIFF_KERNELS_RANDOMCHIP_H

#include "tests/diff/command_processor/Random.h"

#include <fmt/format.h>

#include <cmath>
#include <regex>
#include <string>
#include <vector>

namespace chipwright::test {

/// What to set (PATH=VALUE) of the chip mtia-2i.
inline std::vector<std::string> randomChip(Random &random) {
  unsigned tile = random.pick({16u, 32u, 64u});
  // Log-uniform, in whole lines.
  double exponent = 16 + 4 * double(random.below(1001)) / 1000;
  auto local = uint64_t(std::exp2(exponent)) / 64 * 64;
  std::vector<std::string> sets = {
      "dram.level=burst",
      fmt::format("grid.rows={}",
                  random.pick({1, 2, 3, 4, 5, 7, 8, 11, 13, 16})),
      fmt::format("grid.cols={}", random.pick({1, 2, 3, 4, 5, 6, 7, 8})),
      fmt::format("dpe.tile_rows={}", tile),
      fmt::format("dpe.stream_rows={}", tile),
      fmt::format("dpe.k_bytes={}", random.pick({16, 32, 64})),
      fmt::format("re.banks={}", random.range(1, 8)),
      fmt::format("ls.bytes={}", local),
      fmt::format("cp.contexts={}", random.pick({0, 1, 2, 3, 5, 8, 16, 32})),
      fmt::format("cp.cbs={}", random.pick({8, 16, 32, 64})),
      fmt::format("cp.mml_max_passes={}", random.pick({1, 1, 2, 3, 4, 8}))};
  if (random.chance(25)) {
    sets.push_back("sram.lls_bytes=256 MiB"); // no LLC
  }
  return sets;
}

/// Does a refusal name the parameter that is too small, and how much it is?
inline bool namesParameter(const std::string &refusal) {
  static const std::regex form(
      R"([0-9]+[^()]*\((ls\.bytes|cp\.cbs|re\.banks)\b)");
  return std::regex_search(refusal, form);
}

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_KERNELS_RANDOMCHIP_H
