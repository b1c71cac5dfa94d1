//===- WorkloadsEngine.cpp - Bound by the DPE or the SE -------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/physics/Workload.h"
#include "tests/physics/kernels/arguments.h"

#include <fmt/format.h>

#include <algorithm>

using namespace chipwright;
using namespace chipwright::physics;

static constexpr PlacementOptions inSram{MemoryChoice::Sram, {}, {}};

static std::vector<std::string> grid(unsigned rows, unsigned cols) {
  return {fmt::format("grid.rows={}", rows), fmt::format("grid.cols={}", cols)};
}

//===----------------------------------------------------------------------===//
// DPE
//===----------------------------------------------------------------------===//

static Workload gemm(unsigned m, unsigned n, unsigned k, DType type,
                     std::vector<std::string> sets,
                     PlacementOptions placement = inSram) {
  KernelShape shape;
  shape.m = m;
  shape.n = n;
  shape.k = k;
  shape.dtype = type;
  bool inDram = placement.memory == MemoryChoice::Dram;
  return {fmt::format("gemm {}x{}x{} {} {}", m, n, k, dtypeName(type),
                      inDram ? "dram" : "sram"),
          Regime::Dpe, std::move(sets), shipped("gemm", shape, placement),
          [=](const ChipSpec &spec) {
            Demand demand;
            demand.type = type;
            demand.macs = double(m) * n * k;
            double inputs = (double(m) * k + double(n) * k) * dtypeBytes(type);
            double outputs = double(m) * n * dtypeBytes(type);
            (inDram ? demand.dramBytes : demand.sramBytes) = inputs + outputs;
            demand.multicastBytes = inputs;
            demand.bytesOut = outputs;
            // A command multiplies at most full tiles.
            double perCommand = double(spec.dpe.streamRows) * spec.dpe.tiles *
                                spec.dpe.tileRows * spec.dpeKElements(type) *
                                spec.cp.mmlMaxPasses;
            demand.hartCycles = demand.macs / perCommand / spec.grid.numPes() *
                                commandCycles(spec, 0);
            return demand;
          }};
}

std::vector<Workload> physics::dpeWorkloads() {
  constexpr PlacementOptions inDram{MemoryChoice::Dram, {}, {}};
  auto small = [](std::vector<std::string> more) {
    std::vector<std::string> sets = grid(2, 2);
    sets.insert(sets.end(), more.begin(), more.end());
    return sets;
  };
  return {
      gemm(1024, 1024, 1024, DType::F16, {}),
      gemm(1024, 1024, 1024, DType::BF16, {}),
      gemm(1024, 1024, 2048, DType::I8, {}),
      gemm(512, 2048, 1024, DType::F16, {}),
      gemm(2048, 512, 1024, DType::BF16, {}),
      gemm(512, 512, 1024, DType::F16, grid(4, 4)),
      gemm(512, 512, 2048, DType::I8, grid(4, 4)),
      gemm(256, 512, 2048, DType::BF16, grid(2, 4)),
      gemm(512, 256, 1024, DType::F16, grid(4, 2)),
      gemm(256, 256, 1024, DType::F16, small({})),
      gemm(256, 256, 1024, DType::F16, small({"cp.mml_max_passes=8"})),
      gemm(512, 512, 512, DType::F16, grid(2, 2), inDram),
  };
}

//===----------------------------------------------------------------------===//
// SE
//===----------------------------------------------------------------------===//

static double slotsOf(const ChipSpec &spec, unsigned operations) {
  return std::max(1u,
                  (operations + spec.se.opsPerSlot - 1) / spec.se.opsPerSlot);
}

/// Codes of the function step as in the ISA's manual.
enum Function : uint64_t { Identity = 0, Exp = 1, Recip = 2, Rsqrt = 3 };

static Workload simd(const char *what, DType type, unsigned rows, unsigned cols,
                     unsigned count, bool scale, bool y1, Function f, bool y2,
                     std::vector<std::string> sets) {
  simd_args args{count, rows, cols, scale, y1, f, y2};
  return {fmt::format("simd {} {}x{} {}", what, rows, cols, dtypeName(type)),
          Regime::Se, std::move(sets),
          local("simd.c",
                {{"KERNEL_DTYPE", std::to_string(static_cast<unsigned>(type))},
                 {"KERNEL_ELEM", std::to_string(dtypeBytes(type))}},
                args),
          [=](const ChipSpec &spec) {
            bool divides = f == Recip || f == Rsqrt;
            unsigned operations =
                unsigned(scale) + y1 + y2 + (f != Identity && !divides);
            double slots =
                slotsOf(spec, operations) + (divides ? spec.se.divSlots : 0);
            Demand demand;
            demand.seSlots =
                double(rows) * cols * count * slots * spec.grid.numPes();
            demand.hartCycles = count * commandCycles(spec, 0);
            return demand;
          }};
}

/// Row-wise kernels that ship with the tool, on narrow engines.
static Workload rowwise(const char *kernel, unsigned rows, unsigned cols,
                        DType type, std::vector<unsigned> operations,
                        std::vector<std::string> sets) {
  KernelShape shape;
  shape.rows = rows;
  shape.cols = cols;
  shape.dtype = type;
  return {fmt::format("{} {}x{} {} sram", kernel, rows, cols, dtypeName(type)),
          Regime::Se, std::move(sets), shipped(kernel, shape, inSram),
          [=](const ChipSpec &spec) {
            double elements = double(rows) * cols;
            Demand demand;
            for (unsigned count : operations) {
              demand.seSlots += elements * slotsOf(spec, count);
            }
            demand.bytesIn = demand.bytesOut = elements * dtypeBytes(type);
            demand.sramBytes = demand.bytesIn + demand.bytesOut;
            return demand;
          }};
}

std::vector<Workload> physics::seWorkloads() {
  std::vector<std::string> narrow = {"se.lanes=4"};
  // softmax: max; x - max, exp, sum; x - max, exp, times 1 / sum.
  // rmsnorm: square and add; two products.
  const std::vector<unsigned> softmax = {1, 3, 3}, rmsnorm = {2, 2};
  return {
      simd("store", DType::F16, 16, 2048, 8, false, false, Identity, false, {}),
      simd("add", DType::F32, 8, 2048, 16, false, true, Identity, false, {}),
      simd("scale+add+mul", DType::BF16, 16, 2048, 8, true, true, Identity,
           true, {}),
      simd("exp", DType::F16, 32, 1024, 8, false, false, Exp, false, {}),
      simd("scale+add+exp+mul", DType::F32, 8, 1024, 16, true, true, Exp, true,
           {}),
      simd("recip", DType::F16, 16, 1024, 8, false, false, Recip, false, {}),
      simd("rsqrt", DType::F32, 4, 1024, 16, false, true, Rsqrt, false,
           grid(4, 4)),
      simd("exp", DType::F16, 64, 256, 8, false, true, Exp, false,
           {"se.lanes=16"}),
      simd("add+mul", DType::F32, 8, 512, 16, false, true, Identity, true,
           {"se.ops_per_slot=1"}),
      rowwise("softmax", 2048, 512, DType::F16, softmax, narrow),
      rowwise("softmax", 1024, 1024, DType::BF16, softmax, narrow),
      rowwise("rmsnorm", 2048, 1024, DType::F16, rmsnorm, {"se.lanes=2"}),
  };
}
