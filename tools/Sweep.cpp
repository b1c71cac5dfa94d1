//===- Sweep.cpp - Independent points in worker processes -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tools/Sweep.h"

#include "tools/Arguments.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace chipwright;

namespace {

struct Worker {
  size_t point;
  pid_t process;
  int pipe;
};

} // namespace

/// The worker's side: never returns.
[[noreturn]] static void serve(int pipe, size_t point,
                               const std::function<std::string(size_t)> &work) {
  int status = 1;
  try {
    std::string text = work(point);
    size_t done = 0;
    while (done < text.size()) {
      ssize_t n = write(pipe, text.data() + done, text.size() - done);
      if (n <= 0 && !(n < 0 && errno == EINTR)) {
        break;
      }
      done += n > 0 ? static_cast<size_t>(n) : 0;
    }
    status = done == text.size() ? 0 : 1;
  } catch (...) {
    // The parent sees the status.
  }
  std::fflush(stderr);
  _exit(status);
}

Result<std::vector<std::string>>
tools::runInProcesses(size_t count, unsigned jobs,
                      const std::function<std::string(size_t)> &work) {
  std::vector<std::string> results(count);
  std::vector<Worker> running;
  size_t next = 0;
  std::string failed;
  while (next < count || !running.empty()) {
    while (failed.empty() && next < count && running.size() < jobs) {
      int ends[2];
      if (pipe(ends) != 0) {
        failed = std::strerror(errno);
        break;
      }
      std::fflush(stdout);
      pid_t child = fork();
      if (child == 0) {
        close(ends[0]);
        serve(ends[1], next, work);
      }
      close(ends[1]);
      if (child < 0) {
        failed = std::strerror(errno);
        close(ends[0]);
        break;
      }
      running.push_back({next++, child, ends[0]});
    }
    if (running.empty()) {
      break;
    }
    std::vector<pollfd> waits;
    for (const Worker &worker : running) {
      waits.push_back({worker.pipe, POLLIN, 0});
    }
    if (poll(waits.data(), waits.size(), -1) < 0) {
      continue; // interrupted
    }
    for (size_t i = running.size(); i-- > 0;) {
      if (waits[i].revents == 0) {
        continue;
      }
      char block[65536];
      ssize_t n = read(running[i].pipe, block, sizeof(block));
      if (n > 0) {
        results[running[i].point].append(block, static_cast<size_t>(n));
        continue;
      }
      if (n < 0 && errno == EINTR) {
        continue;
      }
      close(running[i].pipe);
      int status = 0;
      while (waitpid(running[i].process, &status, 0) < 0 && errno == EINTR) {
      }
      if (failed.empty() && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        failed = fmt::format("the worker of point {} ended unexpectedly",
                             running[i].point);
      }
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (!failed.empty()) {
      next = count; // start no more, wait for those that run
    }
  }
  if (!failed.empty()) {
    return Diagnostic{"sweep: " + failed + "; try a smaller --jobs",
                      ExitStopped};
  }
  return results;
}

Result<tools::SweepAxis> tools::parseSweep(const std::string &text,
                                           const std::string &command) {
  size_t equals = text.find('=');
  SweepAxis axis;
  bool isComplete = equals != std::string::npos && equals != 0;
  if (isComplete) {
    axis.path = text.substr(0, equals);
    axis.values = split(text.substr(equals + 1), ',');
    for (const std::string &value : axis.values) {
      isComplete &= !value.empty();
    }
  }
  if (!isComplete) {
    return usageError(
        fmt::format("--sweep is '{}', expected PATH=V1,V2,...", text), command);
  }
  return axis;
}

std::vector<std::vector<std::string>>
tools::sweepPoints(const std::vector<SweepAxis> &axes) {
  std::vector<std::vector<std::string>> points = {{}};
  for (const SweepAxis &axis : axes) {
    std::vector<std::vector<std::string>> more;
    for (const auto &point : points) {
      for (const std::string &value : axis.values) {
        more.push_back(point);
        more.back().push_back(axis.path + "=" + value);
      }
    }
    points = std::move(more);
  }
  return points;
}
