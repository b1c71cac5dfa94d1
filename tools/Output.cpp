//===- Output.cpp - Writing results ---------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tools/Output.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace chipwright;

static Diagnostic failure(const std::string &path, const char *what) {
  return {path + ": " + what + ": " + std::strerror(errno), ExitBadInput};
}

/// \returns false with errno set if not everything could be written.
static bool writeAll(int file, const std::string &text) {
  size_t done = 0;
  while (done < text.size()) {
    ssize_t n = write(file, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return false;
    }
    done += static_cast<size_t>(n);
  }
  return true;
}

/// What `path` leads to, if it is there and no regular file.
static bool isSpecial(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

static std::string folderOf(const std::string &path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Result<void> tools::checkOutput(const std::string &path) {
  if (path == "-") {
    return {};
  }
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return Diagnostic{path + ": is a folder, name a file", ExitBadInput};
  }
  if (isSpecial(path) ? access(path.c_str(), W_OK) != 0
                      : access(folderOf(path).c_str(), W_OK | X_OK) != 0) {
    return failure(path, "cannot be written");
  }
  return {};
}

Result<void> tools::print(const std::string &text) {
  if (!writeAll(STDOUT_FILENO, text)) {
    return failure("stdout", "cannot be written");
  }
  return {};
}

Result<void> tools::writeOutput(const std::string &path,
                                const std::string &text) {
  if (path == "-") {
    return print(text);
  }
  if (isSpecial(path)) {
    int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) {
      return failure(path, "cannot be opened");
    }
    bool done = writeAll(file, text);
    done &= close(file) == 0;
    return done ? Result<void>() : failure(path, "cannot be written");
  }
  // A link keeps pointing to its file, which is replaced.
  std::error_code missing;
  std::filesystem::path target = std::filesystem::canonical(path, missing);
  std::string final = missing ? path : target.string();
  std::string temporary = final + ".XXXXXX";
  int file = mkstemp(temporary.data());
  if (file < 0) {
    return failure(final, "no temporary file beside it can be made");
  }
  // As open() would have made it.
  mode_t mask = umask(0);
  umask(mask);
  bool done = fchmod(file, 0666 & ~mask) == 0 && writeAll(file, text);
  done &= close(file) == 0;
  if (!done || rename(temporary.c_str(), final.c_str()) != 0) {
    Diagnostic why = failure(final, "cannot be written");
    unlink(temporary.c_str());
    return why;
  }
  return {};
}
