//===- BlockQuantisationTest.cpp - Weights of 4 bits ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/BlockQuantisation.h"
#include "models/quantised/SmallFloat.h"
#include "sim/numerics/Element.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace chipwright::models {
namespace {

/// A row as it lies in memory.
struct Encoded {
  std::vector<uint8_t> codes, scales;

  Encoded(BlockType type, const std::vector<float> &row)
      : codes(static_cast<size_t>(codeBytes(columnsOf(row)))),
        scales(static_cast<size_t>(scaleBytes(type, columnsOf(row)))) {
    encodeRow(type, row.data(), columnsOf(row), codes.data(), scales.data());
  }
  static int64_t columnsOf(const std::vector<float> &row) {
    return static_cast<int64_t>(row.size());
  }
};

/// The row's elements as the chip's SIMD engine reads codes and scales.
std::vector<float> readByChip(BlockType type, const Encoded &encoded,
                              size_t columns) {
  std::vector<float> numbers(2 * encoded.codes.size());
  sim::loadRow(codeType(type), encoded.codes.data(), numbers.data(),
               numbers.size());
  const size_t blocks = encoded.scales.size() / dtypeBytes(scaleType(type));
  std::vector<float> scales(blocks);
  sim::loadRow(scaleType(type), encoded.scales.data(), scales.data(), blocks);
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] *= scales[i / 32];
  }
  for (size_t i = columns; i < numbers.size(); ++i) {
    EXPECT_EQ(numbers[i], 0) << "filled up column " << i;
  }
  numbers.resize(columns);
  return numbers;
}

/// Of the test that runs; CHIPWRIGHT_SEED sets it.
uint64_t drawSeed() {
  const char *given = std::getenv("CHIPWRIGHT_SEED");
  uint64_t seed =
      given ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::printf("CHIPWRIGHT_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

const BlockType kTypes[] = {BlockType::Int4, BlockType::Mxfp4};

TEST(BlockQuantisationTest, NamesAndSizes) {
  for (BlockType type : kTypes) {
    EXPECT_EQ(blockTypeFromName(blockTypeName(type)), type);
    EXPECT_EQ(blockTypeOf(codeType(type)), type);
  }
  EXPECT_EQ(blockTypeFromName("int8"), std::nullopt);
  EXPECT_EQ(blockTypeOf(DType::I8), std::nullopt);
  EXPECT_EQ(codeBytes(1), 16);
  EXPECT_EQ(codeBytes(64), 32);
  EXPECT_EQ(codeBytes(65), 48);
  EXPECT_EQ(scaleBytes(BlockType::Int4, 65), 6);
  EXPECT_EQ(scaleBytes(BlockType::Mxfp4, 65), 3);
}

// What the host takes for the weight is what the chip makes of the codes.
TEST(BlockQuantisationTest, HostAndChipSeeTheSameNumbers) {
  std::mt19937_64 random(drawSeed());
  std::normal_distribution<float> normal;
  for (int turn = 0; turn < 200; ++turn) {
    std::vector<float> row(1 + random() % 200);
    const float size = std::ldexp(1.0f, int(random() % 240) - 120);
    for (float &x : row) {
      x = random() % 8 ? normal(random) * size : 0.0f;
    }
    for (BlockType type : kTypes) {
      const Encoded encoded(type, row);
      std::vector<float> chip = readByChip(type, encoded, row.size());
      std::vector<float> host = row;
      std::vector<double> wide(row.begin(), row.end());
      replaceByBlocks(type, host.data(), Encoded::columnsOf(row));
      replaceByBlocks(type, wide.data(), Encoded::columnsOf(row));
      for (size_t i = 0; i < row.size(); ++i) {
        const auto column = static_cast<int64_t>(i);
        EXPECT_EQ(std::bit_cast<uint32_t>(host[i]),
                  std::bit_cast<uint32_t>(chip[i]))
            << blockTypeName(type) << " column " << i;
        EXPECT_EQ(wide[i], double(chip[i]));
        EXPECT_EQ(decodedElement(type, encoded.codes.data(),
                                 encoded.scales.data(), column),
                  chip[i]);
      }
    }
  }
}

// Blocks that are numbers of MXFP4 stay what they are, bit by bit: those whose
// largest number is any of E2M1, under every scale.
TEST(BlockQuantisationTest, Mxfp4KeepsItsOwnNumbers) {
  std::mt19937_64 random(drawSeed());
  for (unsigned scale = 0; scale < 255; ++scale) {
    for (unsigned largest = 0; largest < 8; ++largest) {
      std::vector<float> row(32);
      for (size_t i = 0; i < row.size(); ++i) {
        auto code =
            static_cast<uint8_t>(i == 7 ? largest : random() % (largest + 1));
        code |= static_cast<uint8_t>(random() % 2 << 3);
        row[i] = floatOfSmall(SmallFloat::E2M1, code) *
                 floatOfE8m0(static_cast<uint8_t>(scale));
      }
      if (std::isinf(row[7])) {
        continue; // beyond what fp32, and so the chip, holds
      }
      std::vector<float> kept = row;
      replaceByBlocks(BlockType::Mxfp4, kept.data(), 32);
      for (size_t i = 0; i < row.size(); ++i) {
        ASSERT_EQ(std::bit_cast<uint32_t>(kept[i]),
                  std::bit_cast<uint32_t>(row[i]))
            << "scale " << scale << " largest code " << largest << " column "
            << i;
      }
    }
  }
}

// With a scale of 1 every number of E2M1, and the middle between neighbours,
// which goes to the even code.
TEST(BlockQuantisationTest, Mxfp4Ties) {
  const std::vector<std::pair<float, float>> cases = {
      {0, 0},        {0.25f, 0}, {0.75f, 1}, {1.25f, 1},   {1.75f, 2},
      {2.5f, 2},     {3.5f, 4},  {5, 4},     {0.26f, .5f}, {0.74f, .5f},
      {1.26f, 1.5f}, {2.6f, 3},  {5.1f, 6},  {-0.75f, -1}, {-5, -4}};
  std::vector<float> row(32);
  row[31] = 6; // keeps the scale at 1
  for (size_t i = 0; i < cases.size(); ++i) {
    row[i] = cases[i].first;
  }
  replaceByBlocks(BlockType::Mxfp4, row.data(), 32);
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(row[i], cases[i].second) << cases[i].first;
  }
}

// A scale of 1 follows from a largest magnitude of 7 (or of -8).
TEST(BlockQuantisationTest, Int4TiesAndEnds) {
  for (int i = -14; i < 15; ++i) {
    std::vector<float> row(32, 7.0f);
    row[1] = float(i) / 2;
    replaceByBlocks(BlockType::Int4, row.data(), 32);
    EXPECT_EQ(row[0], 7);
    // Halves go to the even neighbour.
    EXPECT_EQ(row[1], std::nearbyint(i / 2.0)) << i;
  }
  std::vector<float> negative(32);
  for (int i = 0; i < 16; ++i) {
    negative[static_cast<size_t>(i)] = float(i - 8);
  }
  std::vector<float> kept = negative;
  replaceByBlocks(BlockType::Int4, kept.data(), 32);
  EXPECT_EQ(kept, negative); // all sixteen integers, -8 too
}

// No element is further from its number than half a step at the scale that
// takes the largest magnitude to the largest number.
TEST(BlockQuantisationTest, ErrorsAreSmall) {
  std::mt19937_64 random(drawSeed());
  std::normal_distribution<float> normal;
  for (BlockType type : kTypes) {
    double error = 0, norm = 0;
    for (int block = 0; block < 2000; ++block) {
      std::array<float, 32> row, kept;
      for (float &x : row) {
        x = normal(random);
      }
      kept = row;
      replaceByBlocks(type, kept.data(), 32);
      for (size_t i = 0; i < 32; ++i) {
        error += std::pow(double(kept[i]) - double(row[i]), 2);
        norm += std::pow(double(row[i]), 2);
      }
    }
    // Of normal numbers: a uniform error of a step of about 2 / 7 deviations in
    // int4, of an eighth to a quarter of each number in MXFP4.
    const double relative = std::sqrt(error / norm);
    EXPECT_GT(relative, 0.03) << blockTypeName(type);
    EXPECT_LT(relative, type == BlockType::Int4 ? 0.1 : 0.13)
        << blockTypeName(type);
  }
}

TEST(BlockQuantisationTest, OddBlocks) {
  for (BlockType type : kTypes) {
    std::vector<float> zeros(40);
    replaceByBlocks(type, zeros.data(), 40);
    EXPECT_EQ(zeros, std::vector<float>(40)) << blockTypeName(type);
    // Tiny, huge and undefined elements do no harm beyond their block.
    std::vector<float> row(96, 1.0f);
    row[0] = 0x1p-149f;
    row[33] = std::numeric_limits<float>::infinity();
    row[34] = std::numeric_limits<float>::quiet_NaN();
    std::fill(row.begin() + 64, row.end(), std::numeric_limits<float>::max());
    replaceByBlocks(type, row.data(), 96);
    EXPECT_EQ(row[0], 0);
    EXPECT_EQ(row[1], type == BlockType::Int4 ? row[2] : 1.0f);
    EXPECT_NEAR(row[1], 1.0f, 0.01f);
    EXPECT_TRUE(std::isfinite(row[95])) << blockTypeName(type);
    EXPECT_GT(row[95], 0);
  }
}

} // namespace
} // namespace chipwright::models
