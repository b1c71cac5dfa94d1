//===- TileProgramTest.cpp - Declared operations from text to numbers -----===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/support/MicroMachine.h"
#include "tests/support/TileRun.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <random>
#include <sstream>

using namespace chipwright;
using namespace chipwright::test;

namespace {

std::string programText(const std::string &name) {
  std::ifstream file(std::string(CHIPWRIGHT_SOURCE_DIR) +
                     "/tests/unit/compiler/grid/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class TileProgram : public testing::Test {
protected:
  void SetUp() override {
    seed = std::random_device()();
    engine.seed(seed);
    RecordProperty("seed", std::to_string(seed));
    printf("seed %u\n", seed);
  }

  Matrix random(Eigen::Index rows, Eigen::Index cols, double low = -1,
                double high = 1) {
    std::uniform_real_distribution<double> values(low, high);
    return Matrix::NullaryExpr(rows, cols, [&] { return values(engine); });
  }

  /// Runs in both modes; they must agree on all but numbers.
  TileRun runBoth(const ChipSpec &spec, const std::string &text,
                  const std::vector<TileBuffer> &buffers,
                  const std::vector<uint64_t> &scalars) {
    TileRun timing = runTiles(spec, text, buffers, scalars, sim::Mode::Timing);
    TileRun run = runTiles(spec, text, buffers, scalars);
    EXPECT_EQ(timing.job.cycles, run.job.cycles);
    EXPECT_EQ(timing.job.instructions, run.job.instructions);
    EXPECT_EQ(timing.job.pcHash, run.job.pcHash);
    return run;
  }

  unsigned seed = 0;
  std::mt19937 engine;
};

TEST_F(TileProgram, Matmul) {
  ChipSpec spec = chipWith({});
  for (auto [m, n, k] : {std::array{64, 128, 256}, std::array{100, 70, 300},
                         std::array{1, 300, 64}, std::array{33, 1, 31}}) {
    TileBuffer a{DType::F16, random(m, k)}, b{DType::F16, random(n, k)},
        c{DType::F16, Matrix::Zero(m, n)};
    c.isOutput = true;
    uint64_t um = static_cast<uint64_t>(m), un = static_cast<uint64_t>(n),
             uk = static_cast<uint64_t>(k);
    TileRun run = runBoth(spec, programText("matmul.mlir"), {a, b, c},
                          {um, uk, un, uk, um, un});
    EXPECT_LT(
        relativeError(run.buffers[2], rounded(a) * rounded(b).transpose()),
        6e-4)
        << m << " x " << n << " x " << k;
  }
}

TEST_F(TileProgram, RmsNorm) {
  ChipSpec spec = chipWith({});
  const Eigen::Index rows = 37, cols = 320;
  TileBuffer x{DType::F32, random(rows, cols, -3, 3)},
      w{DType::F32, random(1, cols, 0.5, 1.5)},
      y{DType::BF16, Matrix::Zero(rows, cols)};
  y.isOutput = true;
  TileRun run = runBoth(spec, programText("rmsnorm.mlir"), {x, w, y},
                        {uint64_t(rows), uint64_t(rows)});
  Matrix reference = rounded(x);
  for (Eigen::Index i = 0; i < rows; ++i) {
    double scale = 1 / std::sqrt(reference.row(i).squaredNorm() / cols + 1e-5);
    reference.row(i) =
        (reference.row(i) * scale).cwiseProduct(rounded(w).row(0));
  }
  EXPECT_LT(relativeError(run.buffers[2], reference), 2e-3);
}

/// Two sequences, one with a context behind it, causal, with a gap in the
/// cache between them.
TEST_F(TileProgram, FlashAttention) {
  ChipSpec spec = chipWith({});
  const int heads = 4, kvHeads = 2, size = 64, slots = 512, tokens = 50;
  // Sequence 0: tokens 0..29 at slots 100..129, behind 100 earlier ones.
  // Sequence 1: tokens 30..49 at slots 256..275.
  Matrix bounds(tokens, 2);
  for (int t = 0; t < tokens; ++t) {
    bounds(t, 0) = t < 30 ? 0 : 256;
    bounds(t, 1) = t < 30 ? 100 + t + 1 : 256 + (t - 30) + 1;
  }
  // Entries: first token, tokens, first slot, end of slots.
  Matrix work(2, 4);
  work << 0, 30, 0, 130, 30, 20, 256, 276;
  TileBuffer q{DType::BF16, random(tokens, heads * size)},
      k{DType::BF16, random(slots, kvHeads * size)},
      v{DType::BF16, random(slots, kvHeads * size)}, limits{DType::I32, bounds},
      list{DType::I32, work},
      out{DType::BF16, Matrix::Zero(tokens, heads * size)};
  list.isControl = true;
  out.isOutput = true;
  TileRun run =
      runBoth(spec, programText("attention.mlir"), {q, k, v, limits, list, out},
              {tokens, tokens, 2, tokens});
  Matrix rq = rounded(q), rk = rounded(k), rv = rounded(v);
  Matrix reference(tokens, heads * size);
  for (int t = 0; t < tokens; ++t) {
    for (int h = 0; h < heads; ++h) {
      int kv = h / (heads / kvHeads);
      int lo = static_cast<int>(bounds(t, 0)),
          hi = static_cast<int>(bounds(t, 1));
      Eigen::VectorXd scores = rk.block(lo, kv * size, hi - lo, size) *
                               rq.block(t, h * size, 1, size).transpose() /
                               std::sqrt(double(size));
      scores = (scores.array() - scores.maxCoeff()).exp();
      scores /= scores.sum();
      reference.block(t, h * size, 1, size) =
          scores.transpose() * rv.block(lo, kv * size, hi - lo, size);
    }
  }
  EXPECT_LT(relativeError(run.buffers[5], reference), 4e-3);
}

} // namespace
