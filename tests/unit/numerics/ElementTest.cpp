//===- ElementTest.cpp - Element conversions against their definitions ----===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/Element.h"
#include "tests/unit/numerics/TestRandom.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

/// A format by its parameters, for an oracle in fp64 arithmetic that shares no
/// step with the code under test.
struct Format {
  const char *name;
  DType type;
  unsigned bits, manBits;
  int bias;
  double largest;   // largest finite magnitude
  bool hasInfinity; // else overflow and infinity give the largest
  uint32_t nanCode; // what a NaN converts to
};

const Format formats[] = {
    {"fp16", DType::F16, 16, 10, 15, 65504.0, true, 0x7e00},
    {"bf16", DType::BF16, 16, 7, 127, 0x1.fep127, true, 0x7fc0},
    {"fp8_e4m3", DType::F8E4M3, 8, 3, 7, 448.0, false, 0x7f},
    {"fp8_e5m2", DType::F8E5M2, 8, 2, 15, 57344.0, true, 0x7e},
};

const double infinity = std::numeric_limits<double>::infinity();

/// Value of a code, by the definition of the format.
double decode(const Format &format, uint32_t code) {
  uint32_t signMask = 1u << (format.bits - 1);
  double sign = code & signMask ? -1.0 : 1.0;
  uint32_t magnitude = code & (signMask - 1);
  uint32_t fraction = magnitude & ((1u << format.manBits) - 1);
  int exponent = static_cast<int>(magnitude >> format.manBits);
  int top = (1 << (format.bits - 1 - format.manBits)) - 1;
  if (exponent == top) {
    if (format.hasInfinity) {
      return fraction == 0 ? sign * infinity : std::nan("");
    }
    if (fraction == (1u << format.manBits) - 1) {
      return std::nan("");
    }
  }
  double step = std::ldexp(1.0, (exponent == 0 ? 1 : exponent) - format.bias -
                                    static_cast<int>(format.manBits));
  double units =
      fraction + (exponent == 0 ? 0.0 : std::ldexp(1.0, format.manBits));
  return sign * units * step;
}

/// Rounds to the format's grid as if its exponent were unbounded above.
double roundToGrid(double x, unsigned manBits, int bias) {
  if (x == 0.0) {
    return x;
  }
  int exponent = std::max(std::ilogb(x), 1 - bias);
  double step = std::ldexp(1.0, exponent - static_cast<int>(manBits));
  return std::nearbyint(x / step) * step;
}

double expectedValue(const Format &format, float x) {
  double rounded =
      std::isinf(x) ? double(x) : roundToGrid(x, format.manBits, format.bias);
  if (std::fabs(rounded) > format.largest) {
    double magnitude = format.hasInfinity ? infinity : format.largest;
    return std::copysign(magnitude, x);
  }
  return rounded;
}

uint32_t convert(const Format &format, float x, HostIsa isa = hostIsa()) {
  uint8_t bytes[4] = {};
  storeRow(format.type, &x, bytes, 1, isa);
  uint32_t code;
  std::memcpy(&code, bytes, 4);
  return code;
}

float load(const Format &format, uint32_t code) {
  uint8_t bytes[4];
  std::memcpy(bytes, &code, 4);
  float value;
  loadRow(format.type, bytes, &value, 1);
  return value;
}

bool sameValue(double a, double b) {
  return a == b && std::signbit(a) == std::signbit(b);
}

void expectConversion(const Format &format, float x) {
  uint32_t code = convert(format, x);
  if (std::isnan(x)) {
    ASSERT_EQ(code, format.nanCode) << format.name;
    return;
  }
  ASSERT_TRUE(sameValue(decode(format, code), expectedValue(format, x)))
      << format.name << " of " << std::hexfloat << x << " is code " << code;
}

TEST(Element, SizesAreTheStorageSizes) {
  EXPECT_EQ(elementBytes(DType::F32), 4u);
  EXPECT_EQ(elementBytes(DType::F16), 2u);
  EXPECT_EQ(elementBytes(DType::BF16), 2u);
  EXPECT_EQ(elementBytes(DType::I8), 1u);
  EXPECT_EQ(elementBytes(DType::I32), 4u);
  EXPECT_EQ(elementBytes(DType::F8E4M3), 1u);
  EXPECT_EQ(elementBytes(DType::F8E5M2), 1u);
  EXPECT_EQ(elementBytes(DType::TF32), 4u);
  EXPECT_EQ(elementBytes(static_cast<DType>(11)), 0u);
}

TEST(Element, EveryCodeLoadsItsValueAndRoundTrips) {
  for (const Format &format : formats) {
    for (uint32_t code = 0; code < 1u << format.bits; ++code) {
      float value = load(format, code);
      double expected = decode(format, code);
      if (std::isnan(expected)) {
        ASSERT_EQ(floatBits(value), canonicalNanBits) << format.name << code;
        ASSERT_EQ(convert(format, value), format.nanCode);
        continue;
      }
      ASSERT_TRUE(sameValue(value, expected)) << format.name << " " << code;
      ASSERT_EQ(convert(format, value), code) << format.name;
    }
  }
}

TEST(Element, EveryTieRoundsToEven) {
  for (const Format &format : formats) {
    uint32_t signMask = 1u << (format.bits - 1);
    for (uint32_t code = 0; code + 1 < signMask; ++code) {
      double low = decode(format, code);
      double high = decode(format, code + 1);
      // The step above the largest finite value is its own ulp.
      if (std::isinf(high) || (std::isnan(high) && low == format.largest)) {
        high = low + (low - decode(format, code - 1));
      }
      if (!std::isfinite(low) || !std::isfinite(high)) {
        continue;
      }
      float tie = static_cast<float>((low + high) / 2);
      if (std::isinf(tie) || double(tie) != (low + high) / 2) {
        continue; // bf16: the tie below 2^-149 or above fp32
      }
      bool saturates = low == format.largest && !format.hasInfinity;
      uint32_t even = saturates || code % 2 == 0 ? code : code + 1;
      for (uint32_t sign : {0u, signMask}) {
        float signedTie = sign ? -tie : tie;
        ASSERT_EQ(convert(format, signedTie), even | sign)
            << format.name << " between " << low << " and " << high;
        float outward = std::nextafter(signedTie, sign ? -INFINITY : INFINITY);
        float inward = std::nextafter(signedTie, 0.0f);
        ASSERT_EQ(convert(format, outward),
                  (saturates ? code : code + 1) | sign)
            << format.name;
        ASSERT_EQ(convert(format, inward), code | sign) << format.name;
      }
    }
  }
}

TEST(Element, SampledFp32ConvertsAsFp64ArithmeticSays) {
  for (const Format &format : formats) {
    for (uint64_t bits = 0; bits < 1ull << 32; bits += 2039) {
      expectConversion(format, bitsFloat(static_cast<uint32_t>(bits)));
    }
    for (float x : {INFINITY, -INFINITY, NAN, -NAN, 0.0f, -0.0f, FLT_MAX,
                    -FLT_MAX, FLT_TRUE_MIN, -FLT_TRUE_MIN}) {
      expectConversion(format, x);
    }
  }
}

#if defined(__FLT16_MANT_DIG__)
TEST(Element, Fp16AgreesWithTheCompilers) {
  constexpr size_t block = 4096;
  std::vector<float> values(block), loaded(block);
  std::vector<uint8_t> codes(block * 2);
  for (uint64_t bits = 0; bits < 1ull << 32; bits += block * 509) {
    for (size_t i = 0; i < block; ++i) {
      values[i] = bitsFloat(static_cast<uint32_t>(bits + i * 509));
    }
    storeRow(DType::F16, values.data(), codes.data(), block);
    loadRow(DType::F16, codes.data(), loaded.data(), block);
    for (size_t i = 0; i < block; ++i) {
      if (std::isnan(values[i])) {
        ASSERT_TRUE(std::isnan(loaded[i]));
        continue;
      }
      float expected = static_cast<float>(static_cast<_Float16>(values[i]));
      ASSERT_EQ(floatBits(loaded[i]), floatBits(expected)) << values[i];
    }
  }
}
#endif

TEST(Element, Fp8E4m3SaturatesAndHasOneNan) {
  const Format &format = formats[2];
  EXPECT_EQ(convert(format, 448.0f), 0x7eu);
  EXPECT_EQ(convert(format, 464.0f), 0x7eu);
  EXPECT_EQ(convert(format, 1e30f), 0x7eu);
  EXPECT_EQ(convert(format, INFINITY), 0x7eu);
  EXPECT_EQ(convert(format, -INFINITY), 0xfeu);
  EXPECT_EQ(convert(format, -NAN), 0x7fu);
}

TEST(Element, Fp8E5m2OverflowsToInfinity) {
  const Format &format = formats[3];
  EXPECT_EQ(convert(format, 57344.0f), 0x7bu);
  EXPECT_EQ(convert(format, std::nextafter(61440.0f, 0.0f)), 0x7bu);
  EXPECT_EQ(convert(format, 61440.0f), 0x7cu);
  EXPECT_EQ(convert(format, -INFINITY), 0xfcu);
}

TEST(Element, Tf32RoundsToTenBits) {
  for (uint64_t bits = 0; bits < 1ull << 32; bits += 1021) {
    float x = bitsFloat(static_cast<uint32_t>(bits));
    if (std::isnan(x)) {
      ASSERT_EQ(floatBits(roundToTf32(x)), canonicalNanBits);
      continue;
    }
    double expected = std::isinf(x) ? double(x) : roundToGrid(x, 10, 127);
    float narrowed = static_cast<float>(expected); // beyond fp32: infinity
    ASSERT_EQ(floatBits(roundToTf32(x)), floatBits(narrowed)) << x;
  }
  // Every tie is a pattern whose low 13 bits are 0x1000.
  for (uint32_t high = 0; high < 1u << 18; ++high) {
    uint32_t bits = high << 13 | 0x1000;
    if (bits >= 0x7f800000) {
      break;
    }
    uint32_t even = (high + (high & 1)) << 13;
    ASSERT_EQ(floatBits(roundToTf32(bitsFloat(bits))), even);
    ASSERT_EQ(floatBits(roundToTf32(bitsFloat(bits - 1))), high << 13);
    ASSERT_EQ(floatBits(roundToTf32(bitsFloat(bits + 1))), (high + 1) << 13);
  }
}

int64_t expectedInteger(float x, double lowest, double largest) {
  if (std::isnan(x)) {
    return 0;
  }
  return static_cast<int64_t>(
      std::nearbyint(std::clamp(double(x), lowest, largest)));
}

TEST(Element, Int8RoundsToEvenAndSaturates) {
  for (int half = -600; half <= 600; ++half) {
    float tie = half * 0.5f;
    for (float x :
         {tie, std::nextafter(tie, -1e9f), std::nextafter(tie, 1e9f)}) {
      ASSERT_EQ(f32ToI8(x), expectedInteger(x, -128, 127)) << x;
    }
  }
  for (uint64_t bits = 0; bits < 1ull << 32; bits += 4093) {
    float x = bitsFloat(static_cast<uint32_t>(bits));
    ASSERT_EQ(f32ToI8(x), expectedInteger(x, -128, 127)) << x;
  }
}

TEST(Element, Int32RoundsToEvenAndSaturates) {
  for (uint64_t bits = 0; bits < 1ull << 32; bits += 1021) {
    float x = bitsFloat(static_cast<uint32_t>(bits));
    ASSERT_EQ(f32ToI32(x), expectedInteger(x, INT32_MIN, INT32_MAX)) << x;
  }
  for (float base : {0.5f, 1.5f, 2.5f, 8388607.5f, 8388608.0f, 4194303.5f,
                     4194304.5f, 16777216.0f, 2147483520.0f, 2147483648.0f}) {
    for (float x : {base, -base, std::nextafter(base, 0.0f),
                    std::nextafter(base, INFINITY), -std::nextafter(base, 0.0f),
                    -std::nextafter(base, INFINITY)}) {
      ASSERT_EQ(f32ToI32(x), expectedInteger(x, INT32_MIN, INT32_MAX)) << x;
    }
  }
  EXPECT_EQ(f32ToI32(INFINITY), INT32_MAX);
  EXPECT_EQ(f32ToI32(-INFINITY), INT32_MIN);
  EXPECT_EQ(f32ToI32(NAN), 0);
}

TEST(Element, IntegersLoadToNearestEven) {
  const int32_t integers[] = {0,        1,         -1,        16777217,
                              16777219, -16777217, INT32_MAX, INT32_MIN};
  float values[8];
  loadRow(DType::I32, reinterpret_cast<const uint8_t *>(integers), values, 8);
  const float expected[] = {0.0f,        1.0f,         -1.0f,   16777216.0f,
                            16777220.0f, -16777216.0f, 0x1p31f, -0x1p31f};
  EXPECT_EQ(std::memcmp(values, expected, sizeof(values)), 0);
  for (int code = -128; code < 128; ++code) {
    uint8_t byte = static_cast<uint8_t>(code);
    float value;
    loadRow(DType::I8, &byte, &value, 1);
    EXPECT_EQ(value, static_cast<float>(code));
    EXPECT_EQ(f32ToI8(value), code);
  }
}

/// The rows of every clone, at every alignment and length, against the
/// Baseline clone one element at a time.
// Types that are only read, against the tables of the OCP MX specification.
TEST(Element, PackedCodesLoadTheirValues) {
  const float numbers[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  std::vector<uint8_t> bytes(256);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(i);
  }
  for (HostIsa isa : supportedHostIsas()) {
    // An odd number of elements: the last high half is not read.
    std::vector<float> integers(511), floats(511), powers(256);
    loadRow(DType::I4, bytes.data(), integers.data(), integers.size(), isa);
    loadRow(DType::F4E2M1, bytes.data(), floats.data(), floats.size(), isa);
    loadRow(DType::F8E8M0, bytes.data(), powers.data(), powers.size(), isa);
    for (size_t i = 0; i < integers.size(); ++i) {
      int code = i % 2 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15;
      EXPECT_EQ(integers[i], float(code < 8 ? code : code - 16)) << i;
      EXPECT_EQ(floatBits(floats[i]),
                floatBits(code < 8 ? numbers[code] : -numbers[code - 8]))
          << i;
    }
    for (unsigned code = 0; code < 255; ++code) {
      EXPECT_EQ(double(powers[code]), std::ldexp(1.0, int(code) - 127)) << code;
    }
    EXPECT_EQ(floatBits(powers[255]), canonicalNanBits);
  }
  EXPECT_EQ(elementBytes(DType::I4, 7), 4u);
  EXPECT_EQ(elementBytes(DType::F4E2M1, 64), 32u);
  EXPECT_EQ(elementBytes(DType::I4), 0u);
}

// Nothing is written where no conversion is defined.
TEST(Element, TypesThatAreOnlyReadAreNotWritten) {
  const float values[4] = {1, 2, 3, 4};
  for (DType type : {DType::I4, DType::F4E2M1, DType::F8E8M0}) {
    uint8_t bytes[4] = {0xaa, 0xaa, 0xaa, 0xaa};
    storeRow(type, values, bytes, 4);
    for (uint8_t byte : bytes) {
      EXPECT_EQ(byte, 0xaa) << unsigned(type);
    }
  }
}

TEST(Element, ClonesAgreeBitForBit) {
  TestRandom random;
  for (unsigned code = 0; code < 8; ++code) {
    DType type = static_cast<DType>(code);
    unsigned bytes = elementBytes(type);
    for (unsigned n = 0; n < 75; ++n) {
      std::vector<float> values(n);
      for (float &value : values) {
        value = random.value(3);
      }
      std::vector<uint8_t> poison = random.poison(n * bytes + 8);
      std::vector<uint8_t> expected = poison;
      for (unsigned i = 0; i < n; ++i) {
        storeRow(type, &values[i], &expected[3 + i * bytes], 1,
                 HostIsa::Baseline);
      }
      std::vector<float> loadedExpected(n);
      for (unsigned i = 0; i < n; ++i) {
        loadRow(type, &expected[3 + i * bytes], &loadedExpected[i], 1,
                HostIsa::Baseline);
      }
      for (HostIsa isa : supportedHostIsas()) {
        std::vector<uint8_t> stored = poison;
        storeRow(type, values.data(), stored.data() + 3, n, isa);
        ASSERT_EQ(stored, expected) << "type " << code << " n " << n;
        std::vector<float> loaded(n, -1.0f);
        loadRow(type, stored.data() + 3, loaded.data(), n, isa);
        ASSERT_TRUE(n == 0 || std::memcmp(loaded.data(), loadedExpected.data(),
                                          n * sizeof(float)) == 0)
            << "type " << code << " n " << n;
      }
    }
  }
}

/// Long rows of arbitrary encodings, so that the vector bodies meet each case
/// of each conversion.
TEST(Element, ClonesAgreeOverAllExponents) {
  constexpr size_t block = 1 << 15;
  std::vector<float> values(block);
  for (unsigned part = 0; part < 16; ++part) {
    for (size_t i = 0; i < block; ++i) {
      values[i] =
          bitsFloat(static_cast<uint32_t>((uint64_t(part) * block + i) * 8191));
    }
    for (unsigned code = 0; code < 8; ++code) {
      DType type = static_cast<DType>(code);
      std::vector<uint8_t> expected(block * elementBytes(type));
      storeRow(type, values.data(), expected.data(), block, HostIsa::Baseline);
      for (HostIsa isa : supportedHostIsas()) {
        std::vector<uint8_t> stored(expected.size());
        storeRow(type, values.data(), stored.data(), block, isa);
        ASSERT_EQ(stored, expected) << "type " << code;
      }
    }
  }
}

} // namespace
