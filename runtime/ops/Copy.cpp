//===- Copy.cpp - out = in ------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"
#include "runtime/ops/Ops.h"

using namespace chipwright;

static Result<KernelPlan> plan(const ChipSpec &, const KernelShape &shape) {
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
  plan.program = programs::copy(type, elements);
  plan.wayOut = "use a chip with more local memory (ls.bytes)";
  plan.arguments = addressBlock;
  plan.minimalBytes = 2 * plan.buffers[0].bytes();
  plan.reference = [](const std::vector<Matrix> &inputs) { return inputs[0]; };
  plan.errorBound = 0; // no arithmetic
  return plan;
}

const Kernel ops::copy = {"copy",
                          "out = in",
                          nullptr,
                          {"elements"},
                          {DType::F16, DType::BF16, DType::F32, DType::I8,
                           DType::I32, DType::F8E4M3, DType::F8E5M2},
                          plan};
