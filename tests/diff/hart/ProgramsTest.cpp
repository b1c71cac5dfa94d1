//===- ProgramsTest.cpp - Compiled C programs on the hart -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Each program in programs/ is compiled by clang and by gcc, with and without
// optimisation, with and without floating-point instructions, and run on the
// hart-only machine and under qemu-riscv64. All sixteen runs must give the
// same checksum: floating point is IEEE 754 either way.
//
//===----------------------------------------------------------------------===//

#include "sim/hart/HartOnly.h"
#include "tests/diff/hart/LinuxUser.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace chipwright::test {
namespace {

using namespace sim;
namespace fs = std::filesystem;

const char *const programs[] = {"sort", "matrix",  "strings",   "series",
                                "wide", "structs", "recursion", "sieve",
                                "crc",  "format"};

/// Runs a shell command. \returns its output; fails the test if it fails.
std::string shell(const std::string &command) {
  std::string output;
  FILE *pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) {
    ADD_FAILURE() << "cannot run " << command;
    return output;
  }
  std::array<char, 4096> buffer;
  while (size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), got);
  }
  EXPECT_EQ(pclose(pipe), 0) << command << "\n" << output;
  return output;
}

class Programs : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    std::string pattern =
        (fs::temp_directory_path() / "chipwright-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory = pattern;
  }
  void TearDown() override { fs::remove_all(directory); }

  std::string directory;
};

TEST_P(Programs, AgreeWithQemu) {
  if (std::strlen(CHIPWRIGHT_RISCV_GCC) == 0) {
    GTEST_SKIP() << "riscv64-unknown-elf-gcc is not installed";
  }
  const std::string sources = CHIPWRIGHT_SOURCE_DIR "/tests/diff/hart/programs";
  const std::string gcc = CHIPWRIGHT_RISCV_GCC;
  const std::string clang = CHIPWRIGHT_CLANG " --target=riscv64-unknown-elf";
  uint64_t expected = 0;
  bool first = true;
  for (const char *target :
       {"-march=rv64imafdc -mabi=lp64d", "-march=rv64imac -mabi=lp64"}) {
    // Both compilers take wide division and software floating point from
    // gcc's support library; rv64gc is its name for imafdc.
    std::string libgcc =
        shell(fmt::format("{} {} -print-libgcc-file-name", gcc, target));
    libgcc.erase(libgcc.find_last_not_of('\n') + 1);
    for (bool useClang : {true, false}) {
      for (const char *level : {"-O0", "-O2"}) {
        std::string object = directory + "/";
        std::string compile = fmt::format(
            "{} {} {} -std=c11 -ffreestanding -fno-builtin -mcmodel=medany "
            "-ffp-contract=off -Wall -Wextra -c",
            useClang ? clang : gcc, target, level);
        std::string name =
            fmt::format("{} {} {} {}", GetParam(), useClang ? "clang" : "gcc",
                        level, target);
        shell(fmt::format("{0} {1}/{2}.c -o {3}/p.o && "
                          "{0} {1}/support.c -o {3}/s.o && "
                          "{0} {1}/crt0.S -o {3}/linux.o && "
                          "{0} -DHTIF {1}/crt0.S -o {3}/htif.o",
                          compile, sources, GetParam(), directory));
        for (auto [crt, base] :
             {std::pair("linux", "0x10000"), std::pair("htif", "0x80000000")}) {
          std::string files =
              fmt::format("{0}/{1}.o {0}/p.o {0}/s.o {2} -o {0}/{1}.elf",
                          directory, crt, libgcc);
          // Each compiler's own linker and relaxation.
          shell(useClang
                    ? fmt::format("{} -T {}/program.ld --defsym=BASE={} {}",
                                  CHIPWRIGHT_LLD, sources, base, files)
                    : fmt::format("{} {} -nostdlib -static -T {}/program.ld "
                                  "-Wl,--defsym=BASE={} -Wl,--no-warn-rwx {}",
                                  gcc, target, sources, base, files));
        }
        HartOnlyResult ours =
            runHartOnly(unitLatencies(), directory + "/htif.elf");
        UserRun qemus = runOnQemu(directory + "/linux.elf");
        ASSERT_EQ(ours.status, HartOnlyStatus::Exited)
            << name << ": " << ours.error;
        ASSERT_TRUE(qemus.exited) << name << ": " << qemus.error;
        ASSERT_EQ(qemus.output.size(), 8u) << name;
        uint64_t reference = 0;
        std::memcpy(&reference, qemus.output.data(), 8);
        ASSERT_NE(reference, 0u) << name << " found its own result wrong";
        // An exit code has 63 bits.
        EXPECT_EQ(ours.exitCode, reference << 1 >> 1) << name;
        if (first) {
          expected = reference;
          first = false;
        }
        EXPECT_EQ(reference, expected) << name << " differs from the first";
        fmt::print("{:<60} {:016x} {} instructions\n", name, reference,
                   ours.instructions);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(HartDiff, Programs, testing::ValuesIn(programs),
                         [](const auto &info) {
                           return std::string(info.param);
                         });

} // namespace
} // namespace chipwright::test
