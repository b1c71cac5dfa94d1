//===- RuntimeTestSupport.h - Runs for tests -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_RUNTIME_RUNTIMETESTSUPPORT_H
#define CHIPWRIGHT_TESTS_UNIT_RUNTIME_RUNTIMETESTSUPPORT_H

#include "runtime/KernelRun.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace chipwright {

/// Burst-level DRAM where the level does not matter: it takes less time.
inline ResolvedChip chipForTest(const std::string &name,
                                std::vector<std::string> sets = {}) {
  sets.insert(sets.begin(), "dram.level=burst");
  Result<ResolvedChip> chip = loadChip(name, sets);
  EXPECT_TRUE(bool(chip)) << (chip ? "" : chip.error().message);
  return *chip;
}

inline uint64_t seedForTest() {
  const char *given = std::getenv("CHIPWRIGHT_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 20240607;
}

} // namespace chipwright

#endif // CHIPWRIGHT_TESTS_UNIT_RUNTIME_RUNTIMETESTSUPPORT_H
