//===- KernelTextTest.cpp - C kernels on the machine ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/support/KernelText.h"
#include "tests/support/MicroMachine.h"

#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>

using namespace chipwright;
using namespace chipwright::test;

TEST(KernelText, bothModesRunTheSameCode) {
  ChipSpec spec = chipWith({"grid.rows=1", "grid.cols=1"});
  // Hart 0 reads a tile; hart 1 scales it and writes it back.
  sim::KernelImage image = kernelFromText(spec, R"(
static void meet(void) { xpe_barrier(1, 1 | 1ull << 32); }
void kernel_load(const void *arguments) {
  const uint64_t *address = arguments;
  xpe_cb_setup(0, 0 | 4096ull << 32);
  xpe_cb_setup(1, 4096 | 4096ull << 32);
  meet();
  struct xpe_dma_in in = {.addr = address[0], .rows = 1, .row_bytes = 512,
                          .cb = 0, .valid_rows = 1, .valid_bytes = 512};
  xpe_dma_in_bind(0, &in);
  xpe_dma_in_go(0, &in, 0);
}
void kernel_compute(const void *arguments) {
  const uint64_t *address = arguments;
  meet();
  struct xpe_se se = {.cb = 0, .rows = 1, .cols = 128, .pitch = 512,
                      .store = 1, .scale = 1, .scale_imm = 0x40000000,
                      .out_cb = 1, .out_pitch = 512};
  xpe_se_bind(0, &se);
  xpe_se_go(0, &se, 0);
  xpe_cb_push(1, 512);
  struct xpe_dma_out out = {.addr = address[1], .rows = 1, .row_bytes = 512,
                            .cb = 1, .valid_rows = 1, .valid_bytes = 512};
  xpe_dma_out_bind(1, &out);
  xpe_dma_out_go(1, &out, 0);
}
)");
  std::vector<uint8_t> arguments(16);
  uint64_t addresses[] = {kSramBase, kSramBase + 4096};
  std::memcpy(arguments.data(), addresses, sizeof addresses);

  // A process holds one machine at a time.
  sim::JobResult one = MicroMachine(spec).run(image, 1, 1, false, arguments);
  MicroMachine functional(spec, sim::Mode::Functional);
  sim::Buffer *buffer = functional.machine().memory().find(kSramBase, 1);
  ASSERT_NE(buffer, nullptr);
  std::vector<float> values(128);
  for (unsigned i = 0; i < 128; ++i) {
    values[i] = float(i) - 60.5f;
  }
  std::memcpy(buffer->data(), values.data(), 512);
  sim::JobResult two = functional.run(image, 1, 1, false, arguments);
  EXPECT_EQ(one.cycles, two.cycles);
  EXPECT_EQ(one.instructions, two.instructions);
  EXPECT_EQ(one.pcHash, two.pcHash);
  for (unsigned i = 0; i < 128; ++i) {
    float found = 0;
    std::memcpy(&found, buffer->data() + 4096 + i * 4, 4);
    EXPECT_EQ(found, 2 * values[i]) << "element " << i;
  }
}

TEST(KernelText, compilerMessagesReachTheTest) {
  ChipSpec spec = chipWith({});
  try {
    kernelFromText(spec, "void kernel_load(const void *a) { nonsense(); }");
    FAIL() << "this does not compile";
  } catch (const std::runtime_error &error) {
    EXPECT_NE(std::string(error.what()).find("nonsense"), std::string::npos);
  }
}
