//===- MappedFile.h - A file in memory, read only ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_MAPPEDFILE_H
#define CHIPWRIGHT_MODELS_MAPPEDFILE_H

#include "chips/Diagnostic.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace chipwright::models {

/// A regular file mapped read-only: pages are read when touched, so that a
/// checkpoint larger than memory can be read piece by piece. The file must not
/// be cut short while it is mapped (the system then ends the process).
class MappedFile {
public:
  /// Maps \p path; \p kind says in messages what was expected there. Symbolic
  /// links are followed; directories, pipes and devices are refused.
  static Result<MappedFile> open(const std::string &path,
                                 std::string_view kind);

  MappedFile(MappedFile &&other) noexcept
      : start(std::exchange(other.start, nullptr)),
        bytes(std::exchange(other.bytes, 0)) {}
  MappedFile &operator=(MappedFile &&other) noexcept {
    std::swap(start, other.start);
    std::swap(bytes, other.bytes);
    return *this;
  }
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  ~MappedFile();

  /// Gives the memory of pages that were read back to the system. What was
  /// there is read from the file again when it is touched again.
  void release() const;

  const std::byte *data() const { return start; }
  uint64_t size() const { return bytes; }

private:
  MappedFile(const std::byte *data, uint64_t size) : start(data), bytes(size) {}

  const std::byte *start = nullptr;
  uint64_t bytes = 0;
};

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_MAPPEDFILE_H
