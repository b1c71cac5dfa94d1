//===- Transpose.cpp - out = in^T -----------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"
#include "runtime/ops/Ops.h"

using namespace chipwright;

static Result<KernelPlan> plan(const ChipSpec &, const KernelShape &shape) {
  uint64_t rows = shape.rows.value_or(4096), cols = shape.cols.value_or(4096);
  DType type = *shape.dtype;
  KernelPlan plan;
  plan.dtype = type;
  plan.buffers = {{.name = "in", .dtype = type, .rows = rows, .cols = cols},
                  {.name = "out",
                   .isOutput = true,
                   .dtype = type,
                   .rows = cols,
                   .cols = rows}};
  plan.program = programs::transpose(type, rows, cols);
  plan.wayOut = "use a chip with more local memory (ls.bytes)";
  plan.arguments = addressBlock;
  plan.minimalBytes = 2 * plan.buffers[0].bytes();
  plan.reference = [](const std::vector<Matrix> &inputs) -> Matrix {
    return inputs[0].transpose();
  };
  plan.errorBound = 0; // no arithmetic
  return plan;
}

const Kernel ops::transpose = {"transpose",
                               "out = in^T",
                               nullptr,
                               {"rows", "cols"},
                               {DType::F16, DType::BF16, DType::F32, DType::I8,
                                DType::I32, DType::F8E4M3, DType::F8E5M2},
                               plan};
