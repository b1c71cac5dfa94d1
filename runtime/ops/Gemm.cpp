//===- Gemm.cpp - C = A B^T -----------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"
#include "runtime/ops/Ops.h"

#include <algorithm>
#include <cmath>

using namespace chipwright;

static Result<KernelPlan> plan(const ChipSpec &spec, const KernelShape &shape) {
  DType type = *shape.dtype;
  if (spec.peakFlops(type) == 0) {
    std::string list;
    for (DType one : spec.dpe.dtypes) {
      list += std::string(list.empty() ? "" : ", ") + dtypeName(one);
    }
    return Diagnostic{"the DPE of " + spec.name + " does not multiply " +
                          dtypeName(type) + " (dpe.dtypes); use one of " + list,
                      ExitDoesNotFit};
  }
  uint64_t m = shape.m.value_or(2048), n = shape.n.value_or(2048),
           k = shape.k.value_or(2048);
  KernelPlan plan;
  plan.dtype = type;
  plan.buffers = {
      {.name = "a", .dtype = type, .rows = m, .cols = k},
      {.name = "b", .role = Role::Weight, .dtype = type, .rows = n, .cols = k},
      {.name = "c", .isOutput = true, .dtype = type, .rows = m, .cols = n}};
  if (type == DType::F16) {
    // Sums of k products in [-1, 1] stay far below the largest fp16 number.
  } else if (type == DType::F8E4M3) {
    // The largest number is 448: sums with deviation sqrt(k) / 3 shall not
    // saturate.
    double limit = std::min(1.0, 64 / std::sqrt(double(k)));
    plan.buffers[0].high = limit;
    plan.buffers[0].low = -limit;
  }
  plan.program = programs::matmul(type, m, n, k);
  plan.wayOut = "use a chip with more local memory (ls.bytes)";
  plan.arguments = addressBlock;
  plan.flops = 2.0 * double(m) * double(n) * double(k);
  for (const KernelBuffer &buffer : plan.buffers) {
    plan.minimalBytes += buffer.bytes();
  }
  bool isInteger = type == DType::I8;
  plan.reference = [=](const std::vector<Matrix> &inputs) -> Matrix {
    Matrix c = inputs[0] * inputs[1].transpose();
    if (isInteger) {
      c = c.cwiseMin(127).cwiseMax(-128); // stores saturate
    }
    return c;
  };
  // fp32 sums over k in some order, each step rounded (a random walk of half
  // units over terms no larger than the partial sums), and one rounding of the
  // result. int32 sums are exact.
  plan.errorBound = isInteger
                        ? 0
                        : unitRoundoff(type) + unitRoundoff(DType::F32) * 4 *
                                                   std::sqrt(double(k));
  return plan;
}

const Kernel ops::gemm = {"gemm",
                          "C[m,n] = A[m,k] B[n,k]^T on the matrix engines",
                          nullptr,
                          {"m", "n", "k"},
                          {DType::F16, DType::BF16, DType::I8, DType::TF32,
                           DType::F8E4M3, DType::F8E5M2},
                          plan};
