//===- LinuxUser.cpp - A hart with two Linux system calls -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/hart/LinuxUser.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chipwright::test {

using namespace sim;

namespace {

// Register numbers and system calls of the Linux RISC-V ABI.
constexpr unsigned a0 = 10, a1 = 11, a2 = 12, a7 = 17, stackPointer = 2;
constexpr uint64_t sysWrite = 64, sysExit = 93;
constexpr uint64_t stackBase = 0x7f000000;

class LinuxEnv : public HartEnv {
public:
  explicit LinuxEnv(UserRun &run) : result(run) {}

  bool ecallHandled() const override { return true; }
  CustomResult ecall(Hart &hart, uint64_t cycle) override {
    switch (hart.reg(a7)) {
    case sysWrite: {
      uint64_t address = hart.reg(a1), size = hart.reg(a2);
      for (const HartWindow &w : windows) {
        uint64_t offset = address - w.base;
        if (offset < w.size && size <= w.size - offset) {
          result.output.append(reinterpret_cast<char *>(w.data) + offset, size);
          hart.setReg(a0, size);
          return CustomResult::done(cycle + 1);
        }
      }
      hart.fail(HartErrorKind::BadAccess,
                fmt::format("write of {} bytes at {:#x}", size, address));
      return CustomResult::error();
    }
    case sysExit:
      result.exited = true;
      result.exitCode = int(hart.reg(a0) & 0xff);
      return CustomResult::halt();
    default:
      hart.fail(HartErrorKind::Environment,
                fmt::format("system call {}", hart.reg(a7)));
      return CustomResult::error();
    }
  }

  std::vector<HartWindow> windows;

private:
  UserRun &result;
};

/// A temporary file that is removed at the end.
class TemporaryFile {
public:
  explicit TemporaryFile(const char *suffix) {
    const char *directory = std::getenv("TMPDIR");
    path = std::string(directory ? directory : "/tmp") + "/chipwright-XXXXXX" +
           suffix;
    int fd = mkstemps(path.data(), int(std::strlen(suffix)));
    if (fd >= 0) {
      close(fd);
    }
  }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;
  ~TemporaryFile() { unlink(path.c_str()); }
  std::string path;
};

} // namespace

HartSpec unitLatencies() {
  HartSpec spec{};
  spec.loadCycles = spec.mulCycles = spec.fpCycles = 1;
  spec.divCycles = spec.fpDivCycles = 1;
  spec.cacheLineBytes = 64;
  spec.cacheWays = 1;
  return spec;
}

UserRun runOnHart(const ElfImage &program, OpCounts *counts,
                  uint64_t maxInstructions, uint64_t stackBytes,
                  const StepHook &hook) {
  UserRun result;
  LinuxEnv env(result);
  std::vector<std::vector<uint8_t>> memory;
  // Data first: it is what the fast path should find.
  std::vector<const ElfSegment *> order;
  for (const ElfSegment &segment : program.segments()) {
    order.insert(segment.writable ? order.begin() : order.end(), &segment);
  }
  for (const ElfSegment *segment : order) {
    memory.push_back(segment->data);
    memory.back().resize(segment->memoryBytes);
    env.windows.push_back({segment->address, segment->memoryBytes,
                           memory.back().data(), nullptr, segment->writable});
  }
  if (stackBytes) {
    memory.emplace_back(stackBytes);
    env.windows.insert(
        env.windows.begin(),
        {stackBase, stackBytes, memory.back().data(), nullptr, true});
  }
  Hart hart(unitLatencies(), env, 0);
  for (const HartWindow &window : env.windows) {
    if (!hart.addWindow(window)) {
      result.error = "too many segments";
      return result;
    }
  }
  hart.setImage(program.decodeText());
  hart.reset(program.entry());
  hart.setReg(stackPointer, stackBytes ? stackBase + stackBytes - 64 : 0);
  hart.countOps(counts);
  HartStop stop = HartStop::InstructionLimit;
  if (hook) {
    for (uint64_t i = 0;
         i < maxInstructions && stop == HartStop::InstructionLimit; ++i) {
      hook(hart);
      stop = hart.run(~uint64_t(0), 1);
    }
  } else {
    stop = hart.run(~uint64_t(0), maxInstructions);
  }
  result.instructions = hart.counters().instructions;
  if (stop == HartStop::Error) {
    result.error = hart.error().text;
  } else if (stop != HartStop::Halted) {
    result.error =
        fmt::format("no exit within {} instructions", maxInstructions);
  }
  return result;
}

UserRun runOnQemu(const std::string &path) {
  UserRun result;
  int pipeEnds[2];
  if (pipe(pipeEnds) != 0) {
    result.error = "no pipe";
    return result;
  }
  pid_t child = fork();
  if (child == 0) {
    dup2(pipeEnds[1], 1);
    close(pipeEnds[0]);
    close(pipeEnds[1]);
    execlp("qemu-riscv64", "qemu-riscv64", "-cpu", "rv64,zba=true",
           path.c_str(), static_cast<char *>(nullptr));
    _exit(127);
  }
  close(pipeEnds[1]);
  if (child < 0) {
    close(pipeEnds[0]);
    result.error = "no process";
    return result;
  }
  char buffer[1 << 16];
  for (;;) {
    ssize_t got = read(pipeEnds[0], buffer, sizeof(buffer));
    if (got > 0) {
      result.output.append(buffer, size_t(got));
    } else if (got == 0 || errno != EINTR) {
      break;
    }
  }
  close(pipeEnds[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) != 127) {
    result.exited = true;
    result.exitCode = WEXITSTATUS(status);
  } else if (WIFEXITED(status)) {
    result.error = "qemu-riscv64 cannot be run; install qemu-user";
  } else {
    result.error =
        fmt::format("qemu-riscv64 ended with signal {}", WTERMSIG(status));
  }
  return result;
}

UserRun runOnQemu(const std::vector<uint8_t> &elf) {
  TemporaryFile file(".elf");
  {
    std::ofstream stream(file.path, std::ios::binary);
    stream.write(reinterpret_cast<const char *>(elf.data()),
                 std::streamsize(elf.size()));
  }
  chmod(file.path.c_str(), 0700);
  return runOnQemu(file.path);
}

} // namespace chipwright::test
