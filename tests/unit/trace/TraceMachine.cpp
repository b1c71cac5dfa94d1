//===- TraceMachine.cpp ---------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/trace/TraceMachine.h"

#include "sim/memory/AddressMap.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

using namespace chipwright;
using namespace chipwright::sim;

// SystemC's library names it; tests have no SystemC main program.
extern "C" int sc_main(int, char **) { return 0; }

static const char kernelSource[] = R"(
#include "xpe.h"

#define STEPS 12
#define PASSES 2
#define M XPE_DPE_STREAM_ROWS
#define N XPE_DPE_CACHED_ROWS
#define ROW_BYTES (PASSES * XPE_DPE_K_BYTES)
#define A_BYTES (M * ROW_BYTES)
#define B_BYTES (N * ROW_BYTES)
#define OUT_BYTES (M * N * 2)

struct arguments { uint64_t a, b, out; };

static void setup(unsigned base) {
  xpe_cb_setup(0, (uint64_t)(4 * A_BYTES) << 32 | base);
  base += 4 * A_BYTES;
  xpe_cb_setup(1, (uint64_t)(4 * B_BYTES) << 32 | base);
  base += 4 * B_BYTES;
  xpe_cb_setup(2, (uint64_t)OUT_BYTES << 32 | base);
  base += OUT_BYTES;
  xpe_cb_setup(3, (uint64_t)OUT_BYTES << 32 | base);
  base += OUT_BYTES;
  xpe_cb_setup(4, (uint64_t)OUT_BYTES << 32 | base);
}

static void together(void) {
  uint64_t row = xpe_info(XPE_INFO_ROW), col = xpe_info(XPE_INFO_COL);
  xpe_barrier(0, (uint64_t)1 << (col + 32) | (uint64_t)1 << row);
}

void kernel_load(const struct arguments *arguments) {
  setup(0);
  together();
  struct xpe_dma_in a = {.rows = M, .row_bytes = ROW_BYTES,
                         .pitch = ROW_BYTES, .cb = 0, .valid_rows = M,
                         .valid_bytes = ROW_BYTES};
  struct xpe_dma_in b = {.rows = N, .row_bytes = ROW_BYTES,
                         .pitch = ROW_BYTES, .cb = 1, .valid_rows = N,
                         .valid_bytes = ROW_BYTES,
                         .policy = XPE_READ_STREAM,
                         .mcast = XPE_MCAST_ROW,
                         .mcast_mask = (1 << XPE_COLS) - 1};
  xpe_dma_in_bind(0, &a);
  xpe_dma_in_bind(1, &b);
  for (unsigned i = 0; i < STEPS; ++i) {
    xpe_dma_in_go(0, &a, xpe_dma_in_word(arguments->a + i * A_BYTES));
    xpe_dma_in_go(1, &b, xpe_dma_in_word(arguments->b + i * B_BYTES));
  }
}

void kernel_compute(const struct arguments *arguments) {
  together();
  struct xpe_mml mml = {.a_cb = 0, .a_pitch = ROW_BYTES, .b_cb = 1,
                        .b_pitch = ROW_BYTES, .a_rows = M, .b_rows = N,
                        .passes = PASSES, .a_dtype = XPE_DTYPE_F16,
                        .b_dtype = XPE_DTYPE_F16,
                        .a_step = XPE_DPE_K_BYTES,
                        .b_step = XPE_DPE_K_BYTES};
  xpe_mml_bind(0, &mml);
  /* Of no rows: it takes no time. */
  struct xpe_bank_init init = {.kind = XPE_BANK_INIT_ZERO, .bank = 1};
  xpe_bank_init_bind(5, &init);
  xpe_bank_init_go(5, &init, xpe_bank_init_word(0, 0));
  for (unsigned i = 0; i < STEPS; ++i) {
    xpe_mml_go(0, &mml, xpe_mml_word(0, 0, 0, i != 0));
    xpe_cb_pop(0, A_BYTES);
    xpe_cb_pop(1, B_BYTES);
  }
  uint64_t col = xpe_info(XPE_INFO_COL);
  struct xpe_reduce reduce = {.rows = M, .cols = N,
                              .direction = XPE_REDUCE_DIR_RIGHT,
                              .receive = col != 0,
                              .forward = col + 1 != XPE_COLS};
  xpe_reduce_bind(1, &reduce);
  xpe_reduce_go(1, &reduce, 0);
  struct xpe_se drain = {.cb = 0, .dtype = XPE_DTYPE_F32, .rows = M, .cols = N,
                         .store = 1, .out_cb = 2, .out_pitch = N * 2,
                         .out_dtype = XPE_DTYPE_F16};
  xpe_drain_bind(2, &drain);
  xpe_drain_go(2, &drain, 0);
  xpe_cb_push(2, OUT_BYTES);
  struct xpe_se exp = {.cb = 2, .pitch = N * 2, .dtype = XPE_DTYPE_F16,
                       .rows = M, .cols = N, .f = XPE_F_EXP, .store = 1,
                       .out_cb = 3, .out_pitch = N * 2,
                       .out_dtype = XPE_DTYPE_F16};
  xpe_se_bind(3, &exp);
  xpe_se_go(3, &exp, 0);
  xpe_cb_pop(2, OUT_BYTES);
  xpe_cb_push(3, OUT_BYTES);
  struct xpe_mlu mlu = {.cb = 3, .pitch = N * 2, .rows = M, .cols = N,
                        .elem_bytes = 2, .out_cb = 4, .out_pitch = M * 2};
  xpe_mlu_transpose_bind(4, &mlu);
  xpe_mlu_transpose_go(4, &mlu, 0);
  xpe_cb_pop(3, OUT_BYTES);
  xpe_cb_push(4, OUT_BYTES);
  struct xpe_dma_out out = {.rows = N, .row_bytes = M * 2, .pitch = M * 2,
                            .cb = 4, .valid_rows = N, .valid_bytes = M * 2,
                            .policy = XPE_WRITE_STREAM};
  xpe_dma_out_bind(6, &out);
  xpe_dma_out_go(6, &out,
                 xpe_dma_out_word(arguments->out +
                                  xpe_info(XPE_INFO_PE) * OUT_BYTES));
}
)";

ResolvedChip chipwright::sim::smallChip(const std::vector<std::string> &sets) {
  std::vector<std::string> all = {"grid.rows=2", "grid.cols=2",
                                  "cp.mml_max_passes=4", "dpe.load_bytes=32"};
  all.insert(all.end(), sets.begin(), sets.end());
  Result<ResolvedChip> chip =
      loadChip("mtia-2i", all, {CHIPWRIGHT_SOURCE_DIR "/chips"});
  if (!chip) {
    ADD_FAILURE() << chip.error().message;
    std::exit(1);
  }
  return chip.take();
}

/// Compiled once per process: all small chips have one architecture.
static const std::vector<uint8_t> &kernelElf(const ChipSpec &spec) {
  static const std::vector<uint8_t> bytes = [&] {
    TemporaryFolder folder;
    std::string source = folder.file("kernel.c");
    std::ofstream(source) << kernelSource;
    Result<std::vector<uint8_t>> elf = buildKernel(spec, source);
    if (!elf) {
      ADD_FAILURE() << elf.error().message;
      std::exit(1);
    }
    return elf.take();
  }();
  return bytes;
}

MatrixRun::MatrixRun(const ChipSpec &spec, TraceSink *trace) {
  Result<KernelImage> loaded = loadKernel(kernelElf(spec), "kernel");
  if (!loaded) {
    ADD_FAILURE() << loaded.error().message;
    std::exit(1);
  }
  image = loaded.take();
  MachineOptions options;
  options.trace = trace;
  machine = std::make_unique<Machine>(spec, options);
  machine->declare("a", physicalAddress(Space::Sram, aOffset),
                   uint64_t(steps) * aBytes, BufferKind::Bulk);
  machine->declare("b", physicalAddress(Space::Dram, bOffset),
                   uint64_t(steps) * bBytes, BufferKind::Bulk);
  machine->declare("out", physicalAddress(Space::Dram, outOffset),
                   uint64_t(spec.grid.numPes()) * outBytes, BufferKind::Bulk);
}

JobResult MatrixRun::run() {
  uint64_t words[] = {physicalAddress(Space::Sram, aOffset),
                      physicalAddress(Space::Dram, bOffset),
                      physicalAddress(Space::Dram, outOffset)};
  Job job;
  job.image = &image;
  job.arguments.resize(sizeof(words));
  std::memcpy(job.arguments.data(), words, sizeof(words));
  job.rows = machine->spec().grid.rows;
  job.cols = machine->spec().grid.cols;
  JobResult result = machine->launch(job);
  EXPECT_TRUE(result.finished) << result.fault.text;
  return result;
}

TemporaryFolder::TemporaryFolder() {
  path = (std::filesystem::temp_directory_path() / "chipwright-test-XXXXXX")
             .string();
  if (!mkdtemp(path.data())) {
    ADD_FAILURE() << "no temporary folder";
  }
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}
