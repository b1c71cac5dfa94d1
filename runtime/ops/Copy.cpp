//===- Copy.cpp - out = in ------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/kernels/arguments.h"
#include "runtime/ops/Ops.h"

using namespace chipwright;

static Result<KernelPlan> plan(const ChipSpec &spec, const KernelShape &shape) {
  if (auto fits = requireLocal(spec, "copy", ringBytes(1), "a ring of slots",
                               "use a chip with more");
      !fits) {
    return fits.error();
  }
  uint64_t elements = shape.elements.value_or(uint64_t(1) << 24);
  DType type = *shape.dtype;
  KernelPlan plan;
  plan.dtype = type;
  plan.buffers = {{.name = "in", .dtype = type, .rows = 1, .cols = elements},
                  {.name = "out",
                   .isOutput = true,
                   .dtype = type,
                   .rows = 1,
                   .cols = elements}};
  uint64_t bytes = plan.buffers[0].bytes();
  uint64_t align = spec.memory.interleaveBytes;
  plan.arguments = [=](const std::vector<uint64_t> &at) {
    return argumentBytes(copy_args{at[0], at[1], bytes, align});
  };
  plan.minimalBytes = 2 * bytes;
  plan.reference = [](const std::vector<Matrix> &inputs) { return inputs[0]; };
  plan.errorBound = 0; // no arithmetic
  return plan;
}

const Kernel ops::copy = {"copy",
                          "out = in",
                          "copy.c",
                          {"elements"},
                          {DType::F16, DType::BF16, DType::F32, DType::I8,
                           DType::I32, DType::F8E4M3, DType::F8E5M2},
                          plan};
