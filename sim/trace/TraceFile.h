//===- TraceFile.h - Output file of a recording -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_TRACE_TRACEFILE_H
#define CHIPWRIGHT_SIM_TRACE_TRACEFILE_H

#include "chips/Diagnostic.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chipwright::sim {

/// A buffered file that appears under its name only when it is complete: a
/// regular file is written beside its place and renamed by commit(). `-`
/// (standard output), pipes and devices are written directly. A failed write
/// is remembered and reported by commit(); later output is dropped.
class TraceFile {
public:
  TraceFile() = default;
  TraceFile(const TraceFile &) = delete;
  TraceFile &operator=(const TraceFile &) = delete;
  /// Removes what was not committed.
  ~TraceFile();

  Result<void> open(const std::string &path);

  void append(std::string_view text) {
    if (buffer.size() + text.size() > kBufferBytes) {
      flush();
    }
    buffer.append(text);
    total += text.size();
  }

  /// Bytes appended so far.
  uint64_t size() const { return total; }
  bool isOpen() const { return descriptor >= 0; }

  /// Writes the rest and puts the file into its place.
  Result<void> commit();

private:
  static constexpr size_t kBufferBytes = size_t(1) << 18;

  void flush();
  Diagnostic failure(const char *what, int error) const;

  int descriptor = -1;
  bool ownsDescriptor = false;
  std::string path;      // as the user gave it
  std::string target;    // behind links; empty if written directly
  std::string temporary; // renamed to target
  std::string buffer;
  uint64_t total = 0;
  int writeError = 0;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_TRACE_TRACEFILE_H
