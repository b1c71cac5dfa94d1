//===- SeErrors.cpp - Measures the errors of the SE functions -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Prints the largest error of every function over each n-th fp32 encoding (n
// is the argument, 1009 unless given): the table of docs/numerics.md.
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/Element.h"
#include "tests/unit/numerics/SeOracle.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

using namespace chipwright::sim;

namespace {

struct Worst {
  double error = 0;
  float where = 0;

  void see(double candidate, float x) {
    if (candidate > error) {
      error = candidate;
      where = x;
    }
  }
};

void measure(SeFunction f, const char *name, uint64_t stride) {
  constexpr size_t block = 4096;
  Worst ulps, relative;
  std::vector<float> in, out;
  for (uint64_t bits = 0; bits < 1ull << 32;) {
    in.clear();
    for (; bits < 1ull << 32 && in.size() < block; bits += stride) {
      float x = bitsFloat(static_cast<uint32_t>(bits));
      if (std::isfinite(x)) {
        in.push_back(x);
      }
    }
    out = in;
    seFunctionRow(f, out.data(), out.size());
    for (size_t i = 0; i < in.size(); ++i) {
      double exact = seOracle(f, in[i]);
      ulps.see(errorInUlps(out[i], exact), in[i]);
      if (std::fabs(exact) >= 0x1p-126 && std::fabs(exact) < 0x1p128) {
        relative.see(std::fabs(out[i] - exact) / std::fabs(exact), in[i]);
      }
    }
  }
  std::printf("%-8s %8.3f ulp at %-14g relative 2^%.2f at %g\n", name,
              ulps.error, ulps.where, std::log2(relative.error),
              relative.where);
}

} // namespace

int main(int argc, char **argv) {
  const char *names[] = {"id",   "exp",  "recip", "rsqrt", "sigmoid",
                         "silu", "tanh", "gelu",  "log",   "abs"};
  uint64_t stride = argc > 1 ? std::strtoull(argv[1], nullptr, 0) : 1009;
  if (stride == 0) {
    std::fprintf(stderr,
                 "se_errors: the stride is a positive integer, found "
                 "'%s'; give 1 for all encodings\n",
                 argv[1]);
    return 2;
  }
  for (unsigned f = 1; f < numSeFunctions; ++f) {
    measure(SeFunction(f), names[f], stride);
  }
  return 0;
}
