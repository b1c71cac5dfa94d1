//===- Rmsnorm.cpp - Root mean square norm of rows ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"
#include "runtime/ops/Ops.h"

#include <cmath>

using namespace chipwright;
using namespace chipwright::ops;

static constexpr float kEpsilon = 1e-5f;

static Result<KernelPlan> plan(const ChipSpec &, const KernelShape &shape) {
  uint64_t rows = shape.rows.value_or(4096), cols = shape.cols.value_or(1024);
  DType type = *shape.dtype;
  KernelPlan plan;
  plan.dtype = type;
  plan.buffers = {{.name = "in", .dtype = type, .rows = rows, .cols = cols},
                  {.name = "weight",
                   .role = Role::Weight,
                   .dtype = type,
                   .rows = 1,
                   .cols = cols,
                   .low = 0.5,
                   .high = 1.5},
                  {.name = "out",
                   .isOutput = true,
                   .dtype = type,
                   .rows = rows,
                   .cols = cols}};
  plan.program = programs::rmsnorm(type, rows, cols, kEpsilon);
  plan.wayOut =
      "whose PEs hold whole rows; use fewer --cols or a chip with more "
      "local memory (ls.bytes)";
  plan.arguments = addressBlock;
  plan.minimalBytes = 2 * plan.buffers[0].bytes() + plan.buffers[1].bytes();
  plan.reference = [](const std::vector<Matrix> &inputs) {
    Matrix result = inputs[0];
    double count = double(result.cols());
    for (Eigen::Index row = 0; row < result.rows(); ++row) {
      double mean = result.row(row).squaredNorm() / count;
      result.row(row) = (result.row(row) / std::sqrt(mean + double(kEpsilon)))
                            .cwiseProduct(inputs[1].row(0));
    }
    return result;
  };
  // One rounding to the type; sum of squares, rsqrt and products in fp32.
  plan.errorBound = unitRoundoff(type) + 16 * unitRoundoff(DType::F32);
  return plan;
}

const Kernel ops::rmsnorm = {
    "rmsnorm",
    "each row divided by its root mean square, times weights",
    nullptr,
    {"rows", "cols"},
    {DType::F16, DType::BF16, DType::F32},
    plan};
