//===- Attention.cpp - Causal attention over a context --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"
#include "runtime/ops/Ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

using namespace chipwright;

static Result<programs::AttentionShape>
shapeOf(const ChipSpec &spec, const KernelShape &shape, DType type) {
  programs::AttentionShape result;
  result.tokens = shape.tokens.value_or(512);
  result.context = shape.context.value_or(result.tokens);
  result.heads = shape.heads.value_or(16);
  result.kvHeads = shape.kvHeads.value_or(result.heads);
  result.headSize = shape.headSize.value_or(128);
  if (result.context < result.tokens) {
    return Diagnostic{fmt::format("--context is {}, expected at least the {} "
                                  "of --tokens, which are its last ones",
                                  result.context, result.tokens),
                      ExitUsage};
  }
  if (result.kvHeads > result.heads || result.heads % result.kvHeads != 0) {
    return Diagnostic{fmt::format("--kv-heads is {}, expected a divisor of "
                                  "the {} of --heads",
                                  result.kvHeads, result.heads),
                      ExitUsage};
  }
  uint64_t unit = std::max(1u, spec.dpe.kBytes / dtypeBytes(type));
  if (result.headSize % unit != 0) {
    return Diagnostic{fmt::format("--head-size is {}, on {} expected a "
                                  "multiple of {}: products take {} bytes of a "
                                  "head at once (dpe.k_bytes)",
                                  result.headSize, spec.name, unit,
                                  spec.dpe.kBytes),
                      ExitDoesNotFit};
  }
  result.blockTokens = std::min<uint64_t>(result.tokens, spec.dpe.streamRows);
  return result;
}

/// Softmax of the visible scores, times values, head by head.
static Matrix attend(const std::vector<Matrix> &inputs,
                     const programs::AttentionShape &shape) {
  const Matrix &q = inputs[0], &k = inputs[1], &v = inputs[2];
  auto size = static_cast<Eigen::Index>(shape.headSize);
  uint64_t earlier = shape.context - shape.tokens;
  Matrix result = Matrix::Zero(q.rows(), q.cols());
  for (uint64_t head = 0; head < shape.heads; ++head) {
    auto at = static_cast<Eigen::Index>(head) * size;
    auto kv =
        static_cast<Eigen::Index>(head / (shape.heads / shape.kvHeads)) * size;
    Matrix scores = q.middleCols(at, size) *
                    k.middleCols(kv, size).transpose() /
                    std::sqrt(double(size));
    for (Eigen::Index token = 0; token < scores.rows(); ++token) {
      auto seen = static_cast<Eigen::Index>(earlier) + token + 1;
      Eigen::RowVectorXd weights = scores.row(token).head(seen);
      weights = (weights.array() - weights.maxCoeff()).exp();
      result.row(token).segment(at, size) =
          weights * v.middleCols(kv, size).topRows(seen) / weights.sum();
    }
  }
  return result;
}

static Result<KernelPlan> plan(const ChipSpec &spec, const KernelShape &given) {
  DType type = *given.dtype;
  if (spec.peakFlops(type) == 0) {
    return Diagnostic{fmt::format("the DPE of {} does not multiply {} "
                                  "(dpe.dtypes)",
                                  spec.name, dtypeName(type)),
                      ExitDoesNotFit};
  }
  Result<programs::AttentionShape> read = shapeOf(spec, given, type);
  if (!read) {
    return read.error();
  }
  const programs::AttentionShape shape = *read;
  uint64_t width = shape.heads * shape.headSize,
           kvWidth = shape.kvHeads * shape.headSize;
  uint64_t earlier = shape.context - shape.tokens;
  KernelPlan plan;
  plan.dtype = type;
  plan.buffers = {
      {.name = "q", .dtype = type, .rows = shape.tokens, .cols = width},
      {.name = "k", .dtype = type, .rows = shape.context, .cols = kvWidth},
      {.name = "v", .dtype = type, .rows = shape.context, .cols = kvWidth},
      {.name = "limits",
       .dtype = DType::I32,
       .rows = shape.tokens,
       .cols = 2,
       .value =
           [=](uint64_t token, uint64_t which) {
             return which == 0 ? 0.0 : double(earlier + token + 1);
           }},
      {.name = "out",
       .isOutput = true,
       .dtype = type,
       .rows = shape.tokens,
       .cols = width}};
  plan.program = programs::attention(type, shape);
  plan.wayOut = "use a smaller --head-size, or a chip with more local memory "
                "(ls.bytes) or accumulator banks (re.banks)";
  plan.arguments = addressBlock;
  // Token i sees earlier + i + 1 keys; two products of headSize for each.
  double seen = double(shape.tokens) * double(earlier) +
                double(shape.tokens) * double(shape.tokens + 1) / 2;
  plan.flops = 4.0 * seen * double(width);
  for (const KernelBuffer &buffer : plan.buffers) {
    plan.minimalBytes += buffer.bytes();
  }
  plan.reference = [=](const std::vector<Matrix> &inputs) {
    return attend(inputs, shape);
  };
  // Weights are rounded to the type for their product, and so is the result;
  // scores, exponentials and sums are in fp32.
  plan.errorBound = 2 * unitRoundoff(type) + 64 * unitRoundoff(DType::F32);
  return plan;
}

const Kernel ops::attention = {
    "attention",
    "causal attention of the last tokens of a context",
    nullptr,
    {"tokens", "context", "heads", "kv-heads", "head-size"},
    {DType::F16, DType::BF16},
    plan};
