//===- Softmax.cpp - Softmax of rows --------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"
#include "runtime/ops/Ops.h"

#include <cmath>

using namespace chipwright;
using namespace chipwright::ops;

static Result<KernelPlan> plan(const ChipSpec &, const KernelShape &shape) {
  uint64_t rows = shape.rows.value_or(4096), cols = shape.cols.value_or(1024);
  DType type = *shape.dtype;
  KernelPlan plan;
  plan.dtype = type;
  plan.buffers = {{.name = "in",
                   .dtype = type,
                   .rows = rows,
                   .cols = cols,
                   .low = -4,
                   .high = 4},
                  {.name = "out",
                   .isOutput = true,
                   .dtype = type,
                   .rows = rows,
                   .cols = cols}};
  plan.program = programs::softmax(type, rows, cols);
  plan.wayOut =
      "whose PEs hold whole rows; use fewer --cols or a chip with more "
      "local memory (ls.bytes)";
  plan.arguments = addressBlock;
  plan.minimalBytes = 2 * plan.buffers[0].bytes();
  plan.reference = [](const std::vector<Matrix> &inputs) {
    Matrix result = inputs[0];
    for (Eigen::Index row = 0; row < result.rows(); ++row) {
      auto values = result.row(row).array();
      values = (values - values.maxCoeff()).exp();
      values /= values.sum();
    }
    return result;
  };
  // One rounding to the type; x - max, exp and the sum in fp32 (the exponent
  // is at most 8, its rounding counts that often); fp16 has no smaller steps
  // than 2^-24, results are about 1 / cols.
  plan.errorBound = unitRoundoff(type) + 32 * unitRoundoff(DType::F32);
  if (type == DType::F16) {
    plan.errorBound += 0x1p-25 * double(cols);
  }
  return plan;
}

const Kernel ops::softmax = {"softmax",
                             "softmax of each row",
                             nullptr,
                             {"rows", "cols"},
                             {DType::F16, DType::BF16, DType::F32},
                             plan};
