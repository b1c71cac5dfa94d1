//===- ChipTestSupport.h - Helpers of the chip tests ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_CHIPS_CHIPTESTSUPPORT_H
#define CHIPWRIGHT_TESTS_UNIT_CHIPS_CHIPTESTSUPPORT_H

#include "chips/ResolvedChip.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace chipwright {

inline const std::vector<std::string> shippedDirs = {CHIPWRIGHT_SOURCE_DIR
                                                     "/chips"};

inline std::string readFile(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Loads a shipped chip that must load.
inline ResolvedChip load(const std::string &name,
                         const std::vector<std::string> &sets = {}) {
  Result<ResolvedChip> chip = loadChip(name, sets, shippedDirs);
  EXPECT_TRUE(chip) << chip.error().message;
  return chip ? chip.take() : ResolvedChip();
}

/// Loads MTIA 2i with \p overrides in a derived file called x.yaml.
inline Result<ResolvedChip> derive(const std::string &overrides) {
  return loadChipFromText("chip: x\nbase: mtia-2i\n" + overrides, "x.yaml", {},
                          shippedDirs);
}

/// Replaces the one occurrence of \p from.
inline std::string replaced(std::string text, const std::string &from,
                            const std::string &to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "test text not found: " << from;
  EXPECT_EQ(text.find(from, at + 1), std::string::npos)
      << "ambiguous: " << from;
  return text.replace(at, from.size(), to);
}

} // namespace chipwright

#endif // CHIPWRIGHT_TESTS_UNIT_CHIPS_CHIPTESTSUPPORT_H
