//===- Stream.cpp - Reads and writes side by side -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/kernels/arguments.h"
#include "runtime/ops/Ops.h"

#include <cmath>

using namespace chipwright;

static Result<KernelPlan> plan(const ChipSpec &spec, const KernelShape &shape) {
  if (auto fits = requireLocal(spec, "stream", ringBytes(3), "rings of slots",
                               "use a chip with more");
      !fits) {
    return fits.error();
  }
  uint64_t elements = shape.elements.value_or(uint64_t(1) << 25);
  double fraction = shape.readFraction.value_or(0.5);
  auto reads = static_cast<uint64_t>(std::llround(fraction * double(elements)));
  uint64_t writes = elements - reads;
  DType type = *shape.dtype;
  KernelPlan plan;
  plan.dtype = type;
  if (reads) {
    plan.buffers.push_back(
        {.name = "in", .dtype = type, .rows = 1, .cols = reads});
  }
  if (writes) {
    plan.buffers.push_back({.name = "out",
                            .isOutput = true,
                            .dtype = type,
                            .rows = 1,
                            .cols = writes});
    plan.reference = [=](const std::vector<Matrix> &) -> Matrix {
      return Matrix::Ones(1, static_cast<Eigen::Index>(writes));
    };
  }
  plan.defines = dtypeDefines(type);
  uint64_t size = dtypeBytes(type), align = spec.memory.interleaveBytes;
  plan.arguments = [=](const std::vector<uint64_t> &at) {
    return argumentBytes(stream_args{reads ? at.front() : 0,
                                     writes ? at.back() : 0, reads * size,
                                     writes * size, align});
  };
  plan.minimalBytes = elements * size;
  plan.errorBound = 0; // one has an exact code in every type
  return plan;
}

const Kernel ops::stream = {
    "stream",
    "reads and writes of memory at a given mix; --elements counts both",
    "stream.c",
    {"elements", "read-fraction"},
    {DType::F16, DType::BF16, DType::F32, DType::I8},
    plan};
