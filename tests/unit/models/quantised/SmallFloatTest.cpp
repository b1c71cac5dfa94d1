//===- SmallFloatTest.cpp - Every code, every tie ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/quantised/SmallFloat.h"
#include "sim/numerics/Element.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

namespace chipwright::models {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

struct Case {
  SmallFloat format;
  const char *name;
  double largest, leastNormal, least;
};

constexpr Case cases[] = {
    {SmallFloat::E4M3, "E4M3", 448, 0x1p-6, 0x1p-9},
    {SmallFloat::E5M2, "E5M2", 57344, 0x1p-14, 0x1p-16},
    {SmallFloat::E3M2, "E3M2", 28, 0.25, 0.0625},
    {SmallFloat::E2M3, "E2M3", 7.5, 1, 0.125},
    {SmallFloat::E2M1, "E2M1", 6, 1, 0.5},
};

/// The finite values of the format's positive codes, by code.
std::vector<float> positiveValues(SmallFloat format) {
  std::vector<float> values;
  for (unsigned code = 0; code <= smallFloatLayout(format).largest; ++code) {
    values.push_back(floatOfSmall(format, static_cast<uint8_t>(code)));
  }
  return values;
}

TEST(SmallFloatTest, CodesMeanWhatTheFormulaSays) {
  for (const Case &c : cases) {
    SCOPED_TRACE(c.name);
    SmallFloatLayout layout = smallFloatLayout(c.format);
    unsigned signBit = 1u << (smallFloatBits(c.format) - 1);
    std::vector<float> values = positiveValues(c.format);
    EXPECT_EQ(values.back(), c.largest);
    EXPECT_EQ(values[1], c.least);
    EXPECT_EQ(values[1u << layout.mantissaBits], c.leastNormal);
    for (unsigned code = 0; code < values.size(); ++code) {
      unsigned exponent = code >> layout.mantissaBits;
      double fraction = std::ldexp(code & ((1u << layout.mantissaBits) - 1),
                                   -layout.mantissaBits);
      double expected =
          exponent == 0 ? std::ldexp(fraction, 1 - layout.bias)
                        : std::ldexp(1 + fraction,
                                     static_cast<int>(exponent) - layout.bias);
      EXPECT_EQ(values[code], expected) << code;
      float negative =
          floatOfSmall(c.format, static_cast<uint8_t>(code | signBit));
      EXPECT_EQ(negative, -expected);
      EXPECT_TRUE(std::signbit(negative));
    }
    EXPECT_EQ(std::ilogb(values.back()), layout.topExponent);
  }
  const float e2m1[] = {0, .5, 1, 1.5, 2, 3, 4, 6};
  for (uint8_t code = 0; code < 8; ++code) {
    EXPECT_EQ(floatOfSmall(SmallFloat::E2M1, code), e2m1[code]);
  }
}

TEST(SmallFloatTest, SpecialCodes) {
  for (uint8_t code : {0x7f, 0xff}) {
    EXPECT_TRUE(std::isnan(floatOfSmall(SmallFloat::E4M3, code)));
  }
  EXPECT_EQ(floatOfSmall(SmallFloat::E5M2, 0x7c), inf);
  EXPECT_EQ(floatOfSmall(SmallFloat::E5M2, 0xfc), -inf);
  for (uint8_t code : {0x7d, 0x7e, 0x7f, 0xfd, 0xfe, 0xff}) {
    EXPECT_TRUE(std::isnan(floatOfSmall(SmallFloat::E5M2, code)));
  }
  EXPECT_EQ(smallOfFloat(SmallFloat::E4M3, std::nanf("")), 0x7f);
  EXPECT_EQ(smallOfFloat(SmallFloat::E5M2, std::nanf("")), 0x7e);
  EXPECT_EQ(smallOfFloat(SmallFloat::E2M1, std::nanf("")), 0);
}

TEST(SmallFloatTest, EncodingIsNearestWithTiesToEven) {
  for (const Case &c : cases) {
    SCOPED_TRACE(c.name);
    unsigned signBit = 1u << (smallFloatBits(c.format) - 1);
    std::vector<float> values = positiveValues(c.format);
    auto expectCode = [&](float value, unsigned code) {
      EXPECT_EQ(smallOfFloat(c.format, value), code) << value;
      EXPECT_EQ(smallOfFloat(c.format, -value), code | signBit) << -value;
    };
    for (unsigned code = 0; code < values.size(); ++code) {
      expectCode(values[code], code);
      if (code + 1 == values.size()) {
        break;
      }
      float tie = (values[code] + values[code + 1]) / 2; // exact
      expectCode(tie, code % 2 == 0 ? code : code + 1);
      expectCode(std::nextafter(tie, 0.0f), code);
      expectCode(std::nextafter(tie, inf), code + 1);
    }
    auto last = static_cast<unsigned>(values.size() - 1);
    for (float value : {std::nextafter(values.back(), inf),
                        values.back() * 1.01f, values.back() * 1000, inf}) {
      expectCode(value, last);
    }
    expectCode(std::numeric_limits<float>::denorm_min(), 0);
  }
}

TEST(SmallFloatTest, AgreesWithTheChips) {
  for (unsigned code = 0; code < 256; ++code) {
    auto byte = static_cast<uint8_t>(code);
    EXPECT_EQ(sim::floatBits(floatOfSmall(SmallFloat::E4M3, byte)),
              sim::floatBits(sim::e4m3ToF32(byte)));
    EXPECT_EQ(sim::floatBits(floatOfSmall(SmallFloat::E5M2, byte)),
              sim::floatBits(sim::e5m2ToF32(byte)));
  }
  uint32_t seed = 20260;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (unsigned i = 0; i < 100000; ++i) {
    // All exponents around the formats' ranges.
    float value = std::ldexp(static_cast<float>(random()) * 0x1p-32f + 1,
                             static_cast<int>(random() % 40) - 22);
    value = random() % 2 ? value : -value;
    EXPECT_EQ(smallOfFloat(SmallFloat::E4M3, value), sim::f32ToE4m3(value));
    if (std::fabs(value) <= 57344) { // beyond, the chips give infinity
      EXPECT_EQ(smallOfFloat(SmallFloat::E5M2, value), sim::f32ToE5m2(value));
    }
  }
}

TEST(SmallFloatTest, ScalesArePowersOfTwo) {
  for (unsigned code = 0; code < 255; ++code) {
    EXPECT_EQ(floatOfE8m0(static_cast<uint8_t>(code)),
              std::ldexp(1.0, static_cast<int>(code) - 127));
  }
  EXPECT_TRUE(std::isnan(floatOfE8m0(0xff)));
  EXPECT_EQ(mxScale(SmallFloat::E2M1, 0), 0);
  EXPECT_EQ(mxScale(SmallFloat::E2M1, 4), 127);
  EXPECT_EQ(mxScale(SmallFloat::E2M1, 7.99f), 127);
  EXPECT_EQ(mxScale(SmallFloat::E2M1, 8), 128);
  EXPECT_EQ(mxScale(SmallFloat::E4M3, 448), 127);
  EXPECT_EQ(mxScale(SmallFloat::E4M3, 1), 119);
  EXPECT_EQ(mxScale(SmallFloat::E4M3, std::numeric_limits<float>::min()), 0);
  EXPECT_EQ(mxScale(SmallFloat::E4M3, std::numeric_limits<float>::max()), 246);
  EXPECT_EQ(mxScale(SmallFloat::E4M3, std::nanf("")), 0xff);
}

TEST(SmallFloatTest, MxBlocksKeepWhatTheirFormatHolds) {
  for (const Case &c : cases) {
    SCOPED_TRACE(c.name);
    // Codes of a block whose scale is 2^5: encoding gives the codes back.
    std::vector<float> values;
    std::vector<uint8_t> expected;
    unsigned count = smallFloatLayout(c.format).largest + 1u;
    for (unsigned i = 0; i < 32; ++i) {
      auto code = static_cast<uint8_t>(count - 1 - i % count);
      expected.push_back(code);
      values.push_back(32 * floatOfSmall(c.format, code));
    }
    std::vector<uint8_t> codes(32);
    EXPECT_EQ(encodeMxBlock(c.format, values, codes.data()), 132);
    EXPECT_EQ(codes, expected);
    // Just under the next power of two, elements saturate.
    values.assign(32, 1);
    values[3] = std::nextafter(
        std::ldexp(1.0f, smallFloatLayout(c.format).topExponent + 1), 0.0f);
    EXPECT_EQ(encodeMxBlock(c.format, values, codes.data()), 127);
    EXPECT_EQ(codes[3], smallFloatLayout(c.format).largest);
    values.assign(32, 0);
    EXPECT_EQ(encodeMxBlock(c.format, values, codes.data()), 0);
    EXPECT_EQ(codes, std::vector<uint8_t>(32, 0));
    values[7] = std::nanf("");
    EXPECT_EQ(encodeMxBlock(c.format, values, codes.data()), 0xff);
  }
}

TEST(SmallFloatTest, Nvfp4Blocks) {
  // Block scale 2 and tensor scale 0.25: every element is representable.
  std::vector<float> values;
  for (uint8_t code = 0; code < 16; ++code) {
    values.push_back(0.5f * floatOfSmall(SmallFloat::E2M1, code));
  }
  std::vector<uint8_t> codes(16);
  uint8_t scale = encodeNvfp4Block(values, 0.25f, codes.data());
  EXPECT_EQ(floatOfSmall(SmallFloat::E4M3, scale), 2);
  for (uint8_t code = 0; code < 16; ++code) {
    EXPECT_EQ(codes[code], code);
  }
  values.assign(16, 0);
  EXPECT_EQ(encodeNvfp4Block(values, 0.25f, codes.data()), 0);
  EXPECT_EQ(codes, std::vector<uint8_t>(16, 0));
}

} // namespace
} // namespace chipwright::models
