//===- UserKernelTest.cpp - Kernels from files ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "RuntimeTestSupport.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

using namespace chipwright;
using testing::HasSubstr;

namespace {

class UserKernels : public testing::Test {
protected:
  std::string write(const std::string &text) {
    std::string path =
        testing::TempDir() + "user-" +
        testing::UnitTest::GetInstance()->current_test_info()->name() + ".c";
    std::ofstream(path) << text;
    return path;
  }

  ResolvedChip chip = chipForTest("mtia-2i");
  RunOptions options;
};

// Both harts check what they were given: the wrong place of an argument would
// make the kernel wait for ever or touch no buffer.
constexpr const char *kChecks = R"(
#include "kernel.h"
void kernel_load(const uint64_t *args);
void kernel_compute(const uint64_t *args);
static void check(const uint64_t *args) {
  if (args[2] != 41 || args[3] != 0x1000) {
    xpe_sem_wait(0, 1);
  }
}
void kernel_load(const uint64_t *args) {
  check(args);
  kernel_ring(0, 0, 4096);
  kernel_ready();
  if (xpe_info(XPE_INFO_PE) == 0) {
    struct xpe_dma_in in = kernel_in(0, args[0], 4096, 4096, XPE_READ_STREAM);
    KERNEL_NOW(dma_in, 0, &in, 0);
  }
}
void kernel_compute(const uint64_t *args) {
  check(args);
  kernel_ready();
  if (xpe_info(XPE_INFO_PE) == 0) {
    struct xpe_dma_out out =
        kernel_out(0, args[1], 4096, 4096, XPE_WRITE_STREAM);
    KERNEL_NOW(dma_out, 0, &out, 0);
  }
}
)";

TEST_F(UserKernels, GetAddressesThenArguments) {
  UserKernel kernel{write(kChecks),
                    {{"in", 4096, MemoryChoice::Dram, false},
                     {"out", 4096, MemoryChoice::Sram, false}},
                    {41, 0x1000}};
  for (sim::Mode mode : {sim::Mode::Timing, sim::Mode::Functional}) {
    options.mode = mode;
    Result<KernelResult> result = runUserKernel(kernel, chip, options);
    ASSERT_TRUE(bool(result)) << result.error().message;
    const Measurement &m = result->measurement;
    ASSERT_TRUE(m.job.finished) << m.job.fault.text;
    EXPECT_EQ(m.dramReadBytes, 4096u);
    EXPECT_EQ(m.sramWriteBytes, 4096u);
  }
  kernel.arguments[0] = 42;
  Result<KernelResult> result = runUserKernel(kernel, chip, options);
  ASSERT_TRUE(bool(result));
  EXPECT_EQ(result->exitStatus(), ExitStopped);
  EXPECT_THAT(result->measurement.job.fault.text, HasSubstr("semaphore 0"));
}

TEST_F(UserKernels, CompilerErrorsAreShown) {
  Result<KernelResult> result =
      runUserKernel({write("int x = y;"), {}, {}}, chip, options);
  ASSERT_FALSE(bool(result));
  EXPECT_EQ(result.error().exitStatus, ExitBadInput);
  EXPECT_THAT(result.error().message, HasSubstr("undeclared identifier"));
}

TEST_F(UserKernels, TooManyArguments) {
  UserKernel kernel{
      write("void kernel_load(void);void kernel_compute(void);"
            "void kernel_load(void){}void kernel_compute(void){}"),
      {},
      std::vector<uint64_t>(chip.spec.control.descriptorBytes)};
  Result<KernelResult> result = runUserKernel(kernel, chip, options);
  ASSERT_FALSE(bool(result));
  EXPECT_EQ(result.error().exitStatus, ExitDoesNotFit);
}

TEST_F(UserKernels, MissingAndBadFiles) {
  for (const char *path : {"/nowhere/k.c", "/nowhere/k.elf", "/dev/null"}) {
    Result<KernelResult> result = runUserKernel({path, {}, {}}, chip, options);
    ASSERT_FALSE(bool(result)) << path;
    EXPECT_EQ(result.error().exitStatus, ExitBadInput) << path;
    EXPECT_THAT(result.error().message, HasSubstr(path));
  }
}

} // namespace
