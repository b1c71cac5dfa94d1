//===- PeDriverTest.cpp - chipwright kernel --file k.mlir -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using testing::HasSubstr;

namespace {

struct Answer {
  int status;
  std::string text; // stdout and stderr
};

Answer run(const std::string &command) {
  FILE *pipe = popen((command + " 2>&1").c_str(), "r");
  std::string text;
  char block[4096];
  for (size_t n; (n = fread(block, 1, sizeof(block), pipe)) > 0;) {
    text.append(block, n);
  }
  int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

const std::string kKernel =
    std::string(CHIPWRIGHT_TOOL) + " kernel --set dram.level=burst --file ";

TEST(PeDriver, RunsAFile) {
  const std::string copy =
      kKernel + CHIPWRIGHT_SOURCE_DIR "/tests/unit/compiler/kernels/copy.mlir";
  for (const char *mode : {"timing", "functional"}) {
    Answer answer = run(copy +
                        " --buffer in:64K:sram --buffer out:64K:sram "
                        "--args bytes=64K --mode " +
                        mode);
    EXPECT_EQ(answer.status, 0) << answer.text;
    EXPECT_THAT(answer.text, HasSubstr("64 commands"));
    EXPECT_THAT(answer.text, HasSubstr("verdict:"));
  }
  // One run for each chip: the contexts are compiled in.
  Answer sweep = run(copy + " --buffer in:64K:sram --buffer out:64K:sram "
                            "--args bytes=64K --sweep cp.contexts=0,16");
  EXPECT_EQ(sweep.status, 0) << sweep.text;
}

TEST(PeDriver, CompilerErrorsAreBadInput) {
  const std::string path =
      testing::TempDir() + "pe-driver-" + std::to_string(getpid()) + ".mlir";
  std::ofstream(path) << "func.func @kernel_load(%args: i64) {\n"
                         "  pe.mlu_copy {cb = 999}\n  return\n}\n";
  Answer answer = run(kKernel + path);
  EXPECT_EQ(answer.status, 3);
  EXPECT_THAT(answer.text, HasSubstr(path + ":2:3: 'pe.mlu_copy' op constant "
                                            "999 does not fit slice 'cb'"));
  EXPECT_EQ(run(kKernel + "/nowhere.mlir").status, 3);
  std::remove(path.c_str());
}

TEST(PeDriver, FaultsStopTheRun) {
  // The CB was never set up.
  const std::string path =
      testing::TempDir() + "pe-fault-" + std::to_string(getpid()) + ".mlir";
  std::ofstream(path) << "func.func @kernel_load(%args: i64) {\n"
                         "  %n = arith.constant 64 : i64\n"
                         "  pe.cb_push 3, %n\n  return\n}\n"
                         "func.func @kernel_compute(%args: i64) {\n"
                         "  return\n}\n";
  Answer answer = run(kKernel + path);
  EXPECT_EQ(answer.status, 5) << answer.text;
  EXPECT_THAT(answer.text, HasSubstr("kernel_load"));
  std::remove(path.c_str());
}

} // namespace
