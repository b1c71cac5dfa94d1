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

/// Products in the type of the operands.
static KernelPlan plainPlan(DType type, uint64_t m, uint64_t n, uint64_t k) {
  KernelPlan plan;
  plan.buffers = {
      {.name = "a", .dtype = type, .rows = m, .cols = k},
      {.name = "b", .role = Role::Weight, .dtype = type, .rows = n, .cols = k},
      {.name = "c", .isOutput = true, .dtype = type, .rows = m, .cols = n}};
  for (const KernelBuffer &buffer : plan.buffers) {
    plan.minimalBytes += buffer.bytes();
  }
  plan.program = programs::matmul(type, m, n, k);
  plan.reference = [](const std::vector<Matrix> &inputs) -> Matrix {
    return inputs[0] * inputs[1].transpose();
  };
  // fp32 sums over k in some order, each step rounded (a random walk of half
  // units over terms no larger than the partial sums), and one rounding of the
  // result.
  plan.errorBound =
      unitRoundoff(type) + unitRoundoff(DType::F32) * 4 * std::sqrt(double(k));
  return plan;
}

/// The integer or fp8 number nearest to \p x, ties to even.
static double quantised(DType type, double x) {
  if (type == DType::I8) {
    return std::nearbyint(x);
  }
  // Numbers of fp8 have 1 + fraction bits down to the smallest normal one, and
  // its last bit below.
  bool isE4 = type == DType::F8E4M3;
  int fraction = isE4 ? 3 : 2, lowest = isE4 ? -6 : -14;
  int exponent = x == 0 ? lowest : std::max(std::ilogb(x), lowest);
  return std::ldexp(std::nearbyint(std::ldexp(x, fraction - exponent)),
                    exponent - fraction);
}

/// 16-bit activations, 8-bit weights with a scale for each of their rows.
static KernelPlan quantisedPlan(DType type, uint64_t m, uint64_t n,
                                uint64_t k) {
  const double largest = programs::largestQuantised(type);
  constexpr DType kActivation = DType::BF16;
  KernelPlan plan;
  plan.buffers = {
      {.name = "a", .dtype = kActivation, .rows = m, .cols = k},
      {.name = "b",
       .role = Role::Weight,
       .dtype = type,
       .rows = n,
       .cols = k,
       .low = -largest,
       .high = largest},
      {.name = "scales",
       .role = Role::Weight,
       .dtype = DType::F32,
       .rows = 1,
       .cols = n,
       .low = 0.25 / largest,
       .high = 1 / largest},
      {.name = "q", .isOutput = true, .dtype = type, .rows = m, .cols = k},
      {.name = "s",
       .isOutput = true,
       .dtype = DType::F32,
       .rows = m,
       .cols = 1},
      {.name = "c",
       .isOutput = true,
       .dtype = kActivation,
       .rows = m,
       .cols = n}};
  // Quantised rows cross too, but a program that quantises rows wherever it
  // needs them would not move them.
  for (const KernelBuffer &buffer : plan.buffers) {
    bool isWayside = buffer.name == "q" || buffer.name == "s";
    plan.minimalBytes += isWayside ? 0 : buffer.bytes();
  }
  plan.program = programs::quantisedMatmul(kActivation, type, m, n, k);
  plan.reference = [=](const std::vector<Matrix> &inputs) -> Matrix {
    Matrix rows = inputs[0], c;
    const Matrix &chosen = inputs[3];
    Eigen::VectorXd scales(rows.rows());
    for (Eigen::Index i = 0; i < rows.rows(); ++i) {
      scales[i] = std::max(rows.row(i).cwiseAbs().maxCoeff(), 1e-30) / largest;
      for (Eigen::Index j = 0; j < rows.cols(); ++j) {
        double exact = rows(i, j) / scales[i], near = quantised(type, exact);
        // The chip multiplies by 1 / s in fp32, which moves exact ties and
        // what lies next to them to either side.
        bool isTie = std::abs(chosen(i, j) - exact) <=
                     std::abs(near - exact) + std::abs(exact) * 0x1p-20;
        rows(i, j) = isTie ? chosen(i, j) : near;
      }
    }
    c = rows * inputs[1].transpose();
    return scales.asDiagonal() * c * inputs[2].row(0).transpose().asDiagonal();
  };
  // One rounding of the result, scales in fp32, and fp32 sums of fp8 products
  // (those of int8 are exact).
  plan.errorBound = unitRoundoff(kActivation) + 0x1p-20 +
                    unitRoundoff(DType::F32) * 4 * std::sqrt(double(k));
  return plan;
}

/// \p x rounded to fp16 or bf16, to nearest even, above its subnormals.
static double rounded(DType type, double x) {
  if (x == 0) {
    return x;
  }
  const int bits = type == DType::F16 ? 10 : 7, exponent = std::ilogb(x);
  return std::ldexp(std::nearbyint(std::ldexp(x, bits - exponent)),
                    exponent - bits);
}

/// 16-bit operands, of which the second lies in memory in 4 bits.
static KernelPlan blockPlan(DType type, DType codes, uint64_t m, uint64_t n,
                            uint64_t k) {
  constexpr uint64_t kBlock = 32;
  const uint64_t blocks = (k + kBlock - 1) / kBlock;
  const bool isInteger = codes == DType::I4;
  KernelPlan plan;
  plan.buffers = {
      {.name = "a", .dtype = type, .rows = m, .cols = k},
      {.name = "codes",
       .role = Role::Weight,
       .dtype = codes,
       .rows = n,
       .cols = blocks * kBlock},
      {.name = "scales",
       .role = Role::Weight,
       .dtype = isInteger ? DType::BF16 : DType::F8E8M0,
       .rows = n,
       .cols = blocks,
       .low = isInteger ? 0.03125 : -5.0,
       .high = isInteger ? 0.125 : -1.0},
      {.name = "c", .isOutput = true, .dtype = type, .rows = m, .cols = n}};
  for (const KernelBuffer &buffer : plan.buffers) {
    plan.minimalBytes += buffer.bytes();
  }
  plan.program = programs::blockMatmul(type, codes, m, n, k);
  plan.reference = [=](const std::vector<Matrix> &inputs) -> Matrix {
    const Eigen::Index columns = inputs[0].cols();
    Matrix weight = inputs[1].leftCols(columns);
    for (Eigen::Index i = 0; i < weight.rows(); ++i) {
      for (Eigen::Index j = 0; j < columns; ++j) {
        weight(i, j) = rounded(
            type, weight(i, j) * inputs[2](i, j / Eigen::Index(kBlock)));
      }
    }
    return inputs[0] * weight.transpose();
  };
  plan.errorBound =
      unitRoundoff(type) + unitRoundoff(DType::F32) * 4 * std::sqrt(double(k));
  return plan;
}

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
  const std::optional<DType> codes = shape.weightDtype;
  if (codes && type != DType::F16 && type != DType::BF16) {
    return Diagnostic{
        std::string("weights of 4 bits become fp16 or bf16 on the chip, found "
                    "--dtype ") +
            dtypeName(type) + "; leave out --weight-dtype or use one of those",
        ExitUsage};
  }
  if (codes && !spec.se.reads(*codes)) {
    return Diagnostic{"the SIMD engine of " + spec.name + " does not read " +
                          dtypeName(*codes) +
                          " (se.read_dtypes); leave out --weight-dtype or use "
                          "another chip",
                      ExitDoesNotFit};
  }
  KernelPlan plan = codes ? blockPlan(type, *codes, m, n, k)
                    : programs::largestQuantised(type) > 0
                        ? quantisedPlan(type, m, n, k)
                        : plainPlan(type, m, n, k);
  plan.dtype = type;
  plan.wayOut = "use a chip with more local memory (ls.bytes)";
  plan.arguments = addressBlock;
  plan.flops = 2.0 * double(m) * double(n) * double(k);
  return plan;
}

const Kernel ops::gemm = {"gemm",
                          "C[m,n] = A[m,k] B[n,k]^T on the matrix engines",
                          nullptr,
                          {"m", "n", "k", "weight-dtype"},
                          {DType::F16, DType::BF16, DType::I8, DType::TF32,
                           DType::F8E4M3, DType::F8E5M2},
                          plan};
