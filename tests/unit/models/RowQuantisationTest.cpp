//===- RowQuantisationTest.cpp - 8-bit numbers and scales -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/RowQuantisation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using namespace chipwright::models;

namespace {

constexpr RowType kTypes[] = {RowType::I8, RowType::F8E4M3, RowType::F8E5M2};

/// The numbers of a type up to the largest, from its definition.
std::vector<double> numbersOf(RowType type) {
  std::vector<double> numbers;
  if (type == RowType::I8) {
    for (int i = -127; i <= 127; ++i) {
      numbers.push_back(i);
    }
    return numbers;
  }
  const bool isE4 = type == RowType::F8E4M3;
  const int fraction = isE4 ? 3 : 2, bias = isE4 ? 7 : 15;
  for (int code = 0; code < 128; ++code) {
    int exponent = code >> fraction, rest = code & ((1 << fraction) - 1);
    double value = exponent == 0 ? std::ldexp(rest, 1 - bias - fraction)
                                 : std::ldexp((1 << fraction) + rest,
                                              exponent - bias - fraction);
    if (value <= largestNumber(type)) {
      numbers.push_back(value);
      numbers.push_back(-value);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

/// The squared error of \p row with scale \p s, by search.
double errorOf(const std::vector<double> &numbers,
               const std::vector<float> &row, double s) {
  double error = 0;
  for (float x : row) {
    auto above = std::lower_bound(numbers.begin(), numbers.end(), x / s);
    double best = 1e300;
    for (auto n : {above, above == numbers.begin() ? above : above - 1}) {
      best = n == numbers.end() ? best : std::min(best, std::abs(*n * s - x));
    }
    error += best * best;
  }
  return error;
}

std::vector<float> randomRow(std::mt19937 &random) {
  std::vector<float> row(std::uniform_int_distribution<size_t>(1, 700)(random));
  float width =
      std::exp2(std::uniform_real_distribution<float>(-30, 30)(random));
  std::normal_distribution<float> normal(0, width);
  std::student_t_distribution<float> heavy(3);
  bool isHeavy = random() % 2 != 0;
  for (float &x : row) {
    x = isHeavy ? width * heavy(random) : normal(random);
  }
  return row;
}

TEST(RowQuantisation, NearestIsNearestAndEvenOnTies) {
  for (RowType type : kTypes) {
    std::vector<double> numbers = numbersOf(type);
    for (size_t i = 0; i + 1 < numbers.size(); ++i) {
      double low = numbers[i], high = numbers[i + 1];
      EXPECT_EQ(nearestNumber(type, low), low);
      if (low == high) {
        continue; // both zeros
      }
      double middle = (low + high) / 2;
      EXPECT_EQ(nearestNumber(type, std::nextafter(middle, low)), low);
      EXPECT_EQ(nearestNumber(type, std::nextafter(middle, high)), high);
      // Of two neighbours one is an even number of steps.
      double step = high - low;
      EXPECT_EQ(nearestNumber(type, middle),
                std::fmod(low / step, 2) == 0 ? low : high);
    }
    EXPECT_EQ(nearestNumber(type, 1e9), largestNumber(type));
    EXPECT_EQ(nearestNumber(type, -1e9), -largestNumber(type));
  }
}

TEST(RowQuantisation, WeightsTakeTheScaleOfLeastError) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (RowType type : kTypes) {
    std::vector<double> numbers = numbersOf(type);
    for (int n = 0; n < 50; ++n) {
      std::vector<float> row = randomRow(random), narrow = row;
      std::vector<double> wide(row.begin(), row.end());
      float plain = scaleRow(type, narrow.data(), int64_t(row.size()));
      narrow = row;
      float s = scaleWeightRow(type, narrow.data(), int64_t(row.size()));
      EXPECT_NEAR(scaleWeightRow(type, wide.data(), int64_t(row.size())) / s, 1,
                  1e-6);
      for (size_t i = 0; i < row.size(); ++i) {
        EXPECT_NEAR(narrow[i] * s, row[i], std::abs(row[i]) * 1e-6);
        EXPECT_LE(std::abs(narrow[i]), largestNumber(type) * (1 + 1e-6));
      }
      double least = 1e300;
      for (int eighth = 0; eighth < (type == RowType::I8 ? 1 : 8); ++eighth) {
        least = std::min(
            least, errorOf(numbers, row, plain * std::exp2(eighth / 8.0)));
      }
      // Rounding of x / s to fp32 may decide between scales that are as good.
      EXPECT_LE(errorOf(numbers, row, s), least * (1 + 1e-4));
    }
  }
}

TEST(RowQuantisation, RowsOfZerosHaveAScale) {
  for (RowType type : kTypes) {
    std::vector<float> row(5, 0.0F);
    EXPECT_GT(scaleRow(type, row.data(), 5), 0);
    EXPECT_GT(scaleWeightRow(type, row.data(), 5), 0);
    EXPECT_EQ(row, std::vector<float>(5, 0.0F));
  }
}

} // namespace
