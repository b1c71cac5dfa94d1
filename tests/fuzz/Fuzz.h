//===- Fuzz.h - What the fuzz targets share ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_FUZZ_FUZZ_H
#define CHIPWRIGHT_TESTS_FUZZ_FUZZ_H

#include <cstdio>
#include <cstdlib>
#include <string>

namespace chipwright::fuzz {

/// Stops the target, so that libFuzzer keeps the input.
inline void check(bool holds, const char *what, const std::string &text = "") {
  if (!holds) {
    std::fprintf(stderr, "violated: %s: %s\n", what, text.c_str());
    std::abort();
  }
}

/// Checks the form of every message: it names \p file, and is one line that
/// a terminal can show, of a length that somebody reads.
inline void checkMessage(const std::string &message, const std::string &file) {
  check(message.find(file) != std::string::npos, "message names the file",
        message);
  check(message.size() <= 2000, "message is short", message);
  for (char c : message) {
    auto byte = static_cast<unsigned char>(c);
    check(byte >= 0x20 && byte != 0x7f, "message is one line of text", message);
  }
}

} // namespace chipwright::fuzz

#endif // CHIPWRIGHT_TESTS_FUZZ_FUZZ_H
