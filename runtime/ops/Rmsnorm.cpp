//===- Rmsnorm.cpp - Root mean square norm of rows ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/kernels/arguments.h"
#include "runtime/ops/Ops.h"
#include "runtime/ops/RowOps.h"

#include <bit>
#include <cmath>

using namespace chipwright;
using namespace chipwright::ops;

static constexpr float kEpsilon = 1e-5f;

static Result<KernelPlan> plan(const ChipSpec &spec, const KernelShape &shape) {
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
  uint64_t rowBytes = cols * dtypeBytes(type);
  // A row in, a row out, the weights, and the statistics of a slot.
  if (auto fits = requireLocal(
          spec, "rmsnorm", 3 * rowSlotBytes(rowBytes) + rowStatBytes(2),
          "one row of input, output and weights", "use fewer --cols");
      !fits) {
    return fits.error();
  }
  plan.defines = rowDefines(type, rowBytes);
  plan.arguments = [=](const std::vector<uint64_t> &at) {
    return argumentBytes(
        rmsnorm_args{at[0], at[1], at[2], rows, cols,
                     std::bit_cast<uint32_t>(1.0f / static_cast<float>(cols)),
                     std::bit_cast<uint32_t>(kEpsilon)});
  };
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
    "rmsnorm.c",
    {"rows", "cols"},
    {DType::F16, DType::BF16, DType::F32},
    plan};
