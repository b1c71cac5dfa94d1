//===- NumericsBench.cpp - CPU time of the engines' arithmetic ------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Prints the CPU seconds of a 2048^3 matrix product in passes of 32 x 64 x 32
// bytes, a fresh cached operand for every pass (the worst order), and the
// nanoseconds per element of conversions, functions and chains, for every
// instruction set of this machine. Not a test: it asserts nothing.
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/Element.h"
#include "sim/numerics/MatrixPass.h"
#include "sim/numerics/SimdCommand.h"

#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

using namespace chipwright;
using namespace chipwright::sim;

static double cpuSeconds() { return double(std::clock()) / CLOCKS_PER_SEC; }

static const char *isaName(HostIsa isa) {
  switch (isa) {
  case HostIsa::Avx512:
    return "avx512";
  case HostIsa::Avx2:
    return "avx2";
  case HostIsa::Baseline:
    break;
  }
  return "baseline";
}

/// Small values of every type, from a linear congruential generator.
static std::vector<uint8_t> randomTile(DType type, size_t elements) {
  std::vector<float> values(elements);
  uint32_t state = 12345;
  for (float &value : values) {
    state = state * 1664525 + 1013904223;
    value = float(int32_t(state) >> 24) / (type == DType::I8 ? 1.0f : 64.0f);
  }
  std::vector<uint8_t> bytes(elements * elementBytes(type));
  storeRow(type, values.data(), bytes.data(), elements);
  return bytes;
}

static void benchMatrix(HostIsa isa, DType type, const char *name,
                        bool reload) {
  const unsigned k = 32 / elementBytes(type);
  std::vector<uint8_t> a = randomTile(type, 32 * k);
  std::vector<uint8_t> b = randomTile(type, 64 * k);
  std::vector<uint32_t> bank(32 * 64);
  CachedOperand cached;
  MatrixPassArgs pass;
  pass.a = {type, a.data(), 32, 32, k, false};
  pass.b = &cached;
  pass.bank = bank.data();
  pass.bankPitch = 64;
  const unsigned passes = (2048 / 32) * (2048 / 64) * (2048 / k);
  double start = cpuSeconds();
  for (unsigned i = 0; i < passes; ++i) {
    if (reload || i == 0) {
      cached.load({type, b.data(), 32, 64, k, false}, isa);
    }
    pass.accumulate = i % (2048 / k) != 0;
    matrixPass(pass, isa);
  }
  std::printf("%-9s matrix 2048^3 %-8s %-6s %.3f s (%u passes)\n", isaName(isa),
              name, reload ? "reload" : "cached", cpuSeconds() - start, passes);
}

template <class Work>
static void benchRow(HostIsa isa, const std::string &name, Work work) {
  constexpr unsigned repeats = 20000, n = 1024;
  double start = cpuSeconds();
  for (unsigned i = 0; i < repeats; ++i) {
    work(n);
  }
  std::printf("%-9s %-22s %.3f ns/element\n", isaName(isa), name.c_str(),
              (cpuSeconds() - start) * 1e9 / (double(repeats) * n));
}

int main() {
  const std::pair<DType, const char *> types[] = {
      {DType::F16, "fp16"},        {DType::BF16, "bf16"},
      {DType::F8E4M3, "fp8_e4m3"}, {DType::F8E5M2, "fp8_e5m2"},
      {DType::I8, "int8"},         {DType::TF32, "tf32"},
      {DType::I32, "int32"},       {DType::F32, "fp32"}};
  const char *functions[] = {"id",   "exp",  "recip", "rsqrt", "sigmoid",
                             "silu", "tanh", "gelu",  "log",   "abs"};
  for (HostIsa isa : supportedHostIsas()) {
    for (auto [type, name] : types) {
      if (matrixTypesError(type, type).empty()) {
        benchMatrix(isa, type, name, true);
      }
    }
    benchMatrix(isa, DType::F16, "fp16", false);
    std::vector<float> values(1024), work(1024);
    for (auto [dtype, name] : types) {
      DType type = dtype;
      std::vector<uint8_t> tile = randomTile(type, 1024);
      benchRow(isa, std::string("load ") + name, [&](size_t n) {
        loadRow(type, tile.data(), values.data(), n, isa);
      });
      benchRow(isa, std::string("store ") + name, [&](size_t n) {
        storeRow(type, values.data(), tile.data(), n, isa);
      });
    }
    std::vector<uint8_t> source = randomTile(DType::F32, 1024);
    for (unsigned f = 1; f < numSeFunctions; ++f) {
      benchRow(isa, functions[f], [&](size_t n) {
        loadRow(DType::F32, source.data(), work.data(), n, isa);
        seFunctionRow(SeFunction(f), work.data(), n, isa);
      });
    }
    // Softmax of a tile of scores: scale, window, exp, store, row sum.
    std::vector<uint8_t> x = randomTile(DType::F16, 32 * 64);
    std::vector<uint8_t> out(32 * 64 * 2), red(32 * 4), win(32 * 8);
    SimdArgs args;
    args.rows = 32;
    args.cols = 64;
    args.chain.scale = args.chain.window = args.chain.store = true;
    args.chain.y1Kind = SimdOperand::PerRow;
    args.chain.op1 = SimdOp::Sub;
    args.chain.f = SeFunction::Exp;
    args.chain.reduce = SimdReduce::Sum;
    args.x = {x.data(), 128, DType::F16};
    args.y1 = {x.data(), 128, DType::F16};
    args.out = {out.data(), 128, DType::F16};
    args.red = {red.data(), 4, DType::F32};
    args.win = win.data();
    double start = cpuSeconds();
    constexpr unsigned repeats = 5000;
    for (unsigned i = 0; i < repeats; ++i) {
      simdExecute(args, isa);
    }
    std::printf("%-9s softmax tile 32 x 64    %.3f ns/element\n", isaName(isa),
                (cpuSeconds() - start) * 1e9 / (repeats * 2048.0));
  }
  return 0;
}
