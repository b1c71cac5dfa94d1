//===- TraceFile.cpp ------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/trace/TraceFile.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace chipwright;
using namespace chipwright::sim;

Diagnostic TraceFile::failure(const char *what, int error) const {
  return {fmt::format("{}: the file cannot be {}: {}; check the folder, its "
                      "rights and free space, or name another file",
                      path, what, std::strerror(error)),
          ExitBadInput};
}

TraceFile::~TraceFile() {
  if (ownsDescriptor) {
    ::close(descriptor);
  }
  if (!temporary.empty()) {
    ::unlink(temporary.c_str());
  }
}

Result<void> TraceFile::open(const std::string &name) {
  path = name;
  if (path == "-") {
    descriptor = STDOUT_FILENO;
    return {};
  }
  struct stat found;
  bool exists = ::stat(path.c_str(), &found) == 0;
  if (exists && S_ISDIR(found.st_mode)) {
    return failure("written", EISDIR);
  }
  if (exists && !S_ISREG(found.st_mode)) {
    descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    // A link stays a link: the file behind it is replaced.
    std::error_code ignored;
    target = path;
    if (exists) {
      std::filesystem::path real = std::filesystem::canonical(path, ignored);
      target = ignored ? path : real.string();
    }
    // A name that an interrupted run left behind is passed over.
    for (unsigned attempt = 0; attempt < 100 && descriptor < 0; ++attempt) {
      temporary = fmt::format("{}.{}.{}.tmp", target, ::getpid(), attempt);
      descriptor = ::open(temporary.c_str(),
                          O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor < 0 && errno != EEXIST) {
        break;
      }
    }
  }
  if (descriptor < 0) {
    temporary.clear();
    return failure("created", errno);
  }
  ownsDescriptor = true;
  return {};
}

void TraceFile::flush() {
  size_t done = 0;
  while (done < buffer.size() && writeError == 0) {
    ssize_t written =
        ::write(descriptor, buffer.data() + done, buffer.size() - done);
    if (written >= 0) {
      done += static_cast<size_t>(written);
    } else if (errno != EINTR) {
      writeError = errno;
    }
  }
  buffer.clear();
}

Result<void> TraceFile::commit() {
  flush();
  if (ownsDescriptor) {
    if (::close(descriptor) != 0 && writeError == 0) {
      writeError = errno;
    }
    ownsDescriptor = false;
  }
  descriptor = -1;
  if (writeError != 0) {
    return failure("written", writeError);
  }
  if (!temporary.empty()) {
    if (std::rename(temporary.c_str(), target.c_str()) != 0) {
      return failure("put into place", errno);
    }
    temporary.clear();
  }
  return {};
}
