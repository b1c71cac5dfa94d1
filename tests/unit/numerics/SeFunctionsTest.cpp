//===- SeFunctionsTest.cpp - Errors and exact bits of the SE functions ----===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/SeFunctions.h"
#include "sim/numerics/Element.h"
#include "sim/numerics/SeFunctionsInline.h"
#include "tests/unit/numerics/SeOracle.h"
#include "tests/unit/numerics/TestRandom.h"

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

const float inf = std::numeric_limits<float>::infinity();
const float nan_ = std::numeric_limits<float>::quiet_NaN();

/// Bounds of docs/numerics.md, in units in the last place of the exact result.
struct Bound {
  SeFunction f;
  double ulps;
};

const Bound bounds[] = {
    {SeFunction::Exp, 1.0},    {SeFunction::Recip, 0.5},
    {SeFunction::Rsqrt, 1.5},  {SeFunction::Sigmoid, 2.5},
    {SeFunction::Silu, 3.5},   {SeFunction::Tanh, 2.5},
    {SeFunction::Gelu, 256.0}, {SeFunction::Log, 1.0},
    {SeFunction::Abs, 0.0},    {SeFunction::Identity, 0.0},
};

TEST(SeFunctions, ErrorsStayWithinTheDocumentedBounds) {
  constexpr uint64_t stride = 1021;
  for (const Bound &bound : bounds) {
    double worst = 0;
    float where = 0;
    std::vector<float> in, out;
    for (uint64_t bits = 0; bits < 1ull << 32; bits += stride) {
      in.push_back(bitsFloat(static_cast<uint32_t>(bits)));
    }
    out = in;
    seFunctionRow(bound.f, out.data(), out.size());
    for (size_t i = 0; i < in.size(); ++i) {
      if (std::isinf(in[i])) {
        continue;
      }
      double error = errorInUlps(out[i], seOracle(bound.f, in[i]));
      if (error > worst) {
        worst = error;
        where = in[i];
      }
    }
    EXPECT_LE(worst, bound.ulps)
        << "function " << unsigned(bound.f) << " at " << std::hexfloat << where;
    RecordProperty("ulps_" + std::to_string(unsigned(bound.f)),
                   std::to_string(worst));
  }
}

/// The far negative tail of gelu amplifies the rounding of its exponent; where
/// the result matters beside activations of order one the error is small.
TEST(SeFunctions, GeluIsAccurateInAbsoluteTerms) {
  for (float x = -12.0f; x < 3.0f; x += 0x1p-12f) {
    double exact = seOracle(SeFunction::Gelu, x);
    double error = std::fabs(seFunction(SeFunction::Gelu, x) - exact);
    ASSERT_LE(error, 3e-7) << x;
    ASSERT_LE(error, 1.5e-5 * std::fabs(exact) + 1e-45) << x;
  }
}

/// FNV-1a over the result bits of sampled inputs.
uint64_t hashOf(SeFunction f, HostIsa isa) {
  constexpr uint64_t stride = 65521;
  std::vector<float> values;
  for (uint64_t bits = 0; bits < 1ull << 32; bits += stride) {
    values.push_back(bitsFloat(static_cast<uint32_t>(bits)));
  }
  for (int i = -4000; i <= 4000; ++i) {
    values.push_back(static_cast<float>(i) * 0x1.23p-6f);
  }
  seFunctionRow(f, values.data(), values.size(), isa);
  uint64_t hash = 0xcbf29ce484222325;
  for (float value : values) {
    for (unsigned byte = 0; byte < 4; ++byte) {
      hash ^= (floatBits(value) >> (8 * byte)) & 0xff;
      hash *= 0x100000001b3;
    }
  }
  return hash;
}

/// The results are part of the definition of the chip: a change of any bit has
/// to be deliberate.
TEST(SeFunctions, BitsAreThoseOfTheDefinition) {
  const std::pair<SeFunction, uint64_t> golden[] = {
      {SeFunction::Exp, 0x5580d7717bd5702b},
      {SeFunction::Recip, 0x49163c63ac6b8d8f},
      {SeFunction::Rsqrt, 0x40c25d4e19a305e4},
      {SeFunction::Sigmoid, 0x397a7aeaa2ad7b48},
      {SeFunction::Silu, 0x46aec4936fb39103},
      {SeFunction::Tanh, 0xcb13713c199fafb0},
      {SeFunction::Gelu, 0xe19fd7e40f778156},
      {SeFunction::Log, 0x757e60d12dde0288},
      {SeFunction::Abs, 0xee3a47561af37e52},
  };
  for (HostIsa isa : supportedHostIsas()) {
    for (auto [f, hash] : golden) {
      EXPECT_EQ(hashOf(f, isa), hash)
          << "function " << unsigned(f) << " isa " << unsigned(isa) << std::hex
          << " found 0x" << hashOf(f, isa);
    }
  }
}

TEST(SeFunctions, SpecialValues) {
  struct Case {
    SeFunction f;
    float x, expected;
  };
  const Case cases[] = {
      {SeFunction::Exp, 0.0f, 1.0f},
      {SeFunction::Exp, -0.0f, 1.0f},
      {SeFunction::Exp, inf, inf},
      {SeFunction::Exp, -inf, 0.0f},
      {SeFunction::Exp, 89.0f, inf},
      {SeFunction::Exp, -104.0f, 0.0f},
      {SeFunction::Exp, -103.0f, 0x1p-149f},
      {SeFunction::Recip, 0.0f, inf},
      {SeFunction::Recip, -0.0f, -inf},
      {SeFunction::Recip, inf, 0.0f},
      {SeFunction::Recip, -inf, -0.0f},
      {SeFunction::Recip, 4.0f, 0.25f},
      {SeFunction::Rsqrt, 0.0f, inf},
      {SeFunction::Rsqrt, -0.0f, -inf},
      {SeFunction::Rsqrt, -1.0f, nan_},
      {SeFunction::Rsqrt, inf, 0.0f},
      {SeFunction::Rsqrt, 16.0f, 0.25f},
      {SeFunction::Sigmoid, 0.0f, 0.5f},
      {SeFunction::Sigmoid, inf, 1.0f},
      {SeFunction::Sigmoid, -inf, 0.0f},
      {SeFunction::Silu, 0.0f, 0.0f},
      {SeFunction::Silu, -0.0f, -0.0f},
      {SeFunction::Silu, inf, inf},
      {SeFunction::Silu, -inf, -0.0f},
      {SeFunction::Silu, -3e38f, -0.0f},
      {SeFunction::Tanh, 0.0f, 0.0f},
      {SeFunction::Tanh, -0.0f, -0.0f},
      {SeFunction::Tanh, inf, 1.0f},
      {SeFunction::Tanh, -inf, -1.0f},
      {SeFunction::Tanh, 0x1p-149f, 0x1p-149f},
      {SeFunction::Gelu, 0.0f, 0.0f},
      {SeFunction::Gelu, -0.0f, -0.0f},
      {SeFunction::Gelu, inf, inf},
      {SeFunction::Gelu, -inf, -0.0f},
      {SeFunction::Gelu, -1e30f, -0.0f},
      {SeFunction::Log, 1.0f, 0.0f},
      {SeFunction::Log, 0.0f, -inf},
      {SeFunction::Log, -0.0f, -inf},
      {SeFunction::Log, inf, inf},
      {SeFunction::Log, -1.0f, nan_},
      {SeFunction::Log, -inf, nan_},
      {SeFunction::Abs, -0.0f, 0.0f},
      {SeFunction::Abs, -inf, inf},
  };
  for (HostIsa isa : supportedHostIsas()) {
    for (const Case &c : cases) {
      EXPECT_EQ(floatBits(seFunction(c.f, c.x, isa)), floatBits(c.expected))
          << "function " << unsigned(c.f) << " of " << c.x;
    }
    for (unsigned f = 0; f < numSeFunctions; ++f) {
      EXPECT_EQ(floatBits(seFunction(SeFunction(f), -nan_, isa)),
                canonicalNanBits)
          << "function " << f;
    }
  }
}

TEST(SeFunctions, ClonesAgreeBitForBit) {
  TestRandom random;
  for (unsigned f = 0; f < numSeFunctions; ++f) {
    std::vector<float> values(40013);
    for (float &value : values) {
      value = random.flip() ? random.value(4) : bitsFloat(random.bits());
    }
    std::vector<float> expected = values;
    for (float &value : expected) {
      seFunctionRow(SeFunction(f), &value, 1, HostIsa::Baseline);
    }
    for (HostIsa isa : supportedHostIsas()) {
      std::vector<float> result = values;
      seFunctionRow(SeFunction(f), result.data(), result.size(), isa);
      for (size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(floatBits(result[i]), floatBits(expected[i]))
            << "function " << f << " of " << std::hexfloat << values[i];
      }
    }
  }
}

/// The Baseline clone has to round as the instruction of the others does.
TEST(SeFunctions, EmulatedFusedMultiplyAddRoundsOnce) {
  TestRandom random;
  auto check = [](float a, float b, float c) {
    float emulated = detail::fusedMultiplyAdd<HostIsa::Baseline>(a, b, c);
    float exact = std::fma(a, b, c);
    ASSERT_EQ(floatBits(canonical(emulated)), floatBits(canonical(exact)))
        << std::hexfloat << a << " * " << b << " + " << c;
  };
  for (unsigned i = 0; i < 2000000; ++i) {
    float a = bitsFloat(random.bits());
    float b = bitsFloat(random.bits());
    check(a, b, bitsFloat(random.bits()));
    // Addends close to the product in size, where sums tie and cancel.
    float product = a * b;
    uint32_t jitter = random.uniform(0, 1) ? random.bits() & 0xffffff : 0;
    check(a, b, bitsFloat(floatBits(-product) ^ jitter));
    uint32_t shift = random.uniform(0, 30) << 23;
    check(a, b, bitsFloat(floatBits(product) - shift));
    check(a, b, bitsFloat(floatBits(-product) + shift));
  }
  // A tie of the fp64 sum's rounding to fp32, broken only by a bit below fp64.
  check(0x1.000002p-30f, 0x1.000002p-30f, 0x1.000002p0f);
  check(0x1p-24f, 0x1.000002p0f, 1.0f);
  check(0x1p-75f, 0x1p-75f, 0x1p-149f);
  check(0x1p-75f, -0x1p-75f, 0x1p-149f);
  check(0x1.fffffep127f, 2.0f, -0x1.fffffep127f);
}

} // namespace
