//===- MappedFile.cpp - A file in memory, read only -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/MappedFile.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace chipwright::models {

Result<MappedFile> MappedFile::open(const std::string &path,
                                    std::string_view kind) {
  auto failed = [&](int error) {
    return Diagnostic{fmt::format(
        "{}: expected {}, found none that can be read ({}); check the path",
        path, kind, std::generic_category().message(error))};
  };
  if (path.find('\0') != std::string::npos) {
    return failed(ENOENT);
  }
  // Without O_NONBLOCK a pipe without a writer would hang here.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return failed(errno);
  }
  struct stat status = {};
  if (::fstat(fd, &status) != 0) {
    int error = errno;
    ::close(fd);
    return failed(error);
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(fd);
    return Diagnostic{fmt::format(
        "{}: expected {}, found {}; name a file", path, kind,
        S_ISDIR(status.st_mode) ? "a directory"
                                : "something that is no regular file")};
  }
  auto size = static_cast<uint64_t>(status.st_size);
  if (size == 0) { // mmap refuses empty ranges
    ::close(fd);
    return MappedFile(nullptr, 0);
  }
  void *data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  int error = errno;
  ::close(fd);
  if (data == MAP_FAILED) {
    return failed(error);
  }
  return MappedFile(static_cast<const std::byte *>(data), size);
}

void MappedFile::release() const {
  if (start) {
    // The mapping is read-only and of a file: no page has other contents.
    ::madvise(const_cast<std::byte *>(start), bytes, MADV_DONTNEED);
  }
}

MappedFile::~MappedFile() {
  if (start) {
    ::munmap(const_cast<std::byte *>(start), bytes);
  }
}

} // namespace chipwright::models
