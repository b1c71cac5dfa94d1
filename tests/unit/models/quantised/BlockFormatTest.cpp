//===- BlockFormatTest.cpp - Blocks against the gguf package ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// tests/golden/quantised/blocks.json holds what the public `gguf` package makes
// of random blocks; scripts/make_block_fixtures.py states the rule that the
// bytes follow from.
//
//===----------------------------------------------------------------------===//

#include "models/quantised/BlockFormat.h"

#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <numeric>

namespace chipwright::models {
namespace {

uint64_t randomWord(uint64_t index) {
  uint64_t z = index * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

/// The bytes of \p count blocks of \p size bytes of the type \p number.
std::vector<std::byte> blockBytes(uint64_t number, uint64_t count,
                                  size_t size) {
  std::vector<std::byte> bytes;
  for (uint64_t block = 0; block < count; ++block) {
    for (size_t i = 0; i < size; ++i) {
      uint64_t word = randomWord(number << 48 | block << 16 | i / 8);
      bytes.push_back(static_cast<std::byte>(word >> i % 8 * 8));
    }
  }
  return bytes;
}

uint32_t canonicalBits(float value) {
  return std::isnan(value) ? 0x7fc00000u : std::bit_cast<uint32_t>(value);
}

/// FNV-1a-32 of the bits, little-endian.
uint32_t hashOf(std::span<const float> values) {
  uint32_t hash = 0x811C9DC5;
  for (float value : values) {
    for (unsigned i = 0; i < 4; ++i) {
      hash = (hash ^ (canonicalBits(value) >> 8 * i & 0xff)) * 0x01000193;
    }
  }
  return hash;
}

nlohmann::json golden() {
  std::ifstream file(std::string(CHIPWRIGHT_SOURCE_DIR) +
                     "/tests/golden/quantised/blocks.json");
  return nlohmann::json::parse(file);
}

/// A tensor of \p number in \p bytes, as the GGUF reader would make it.
StoredTensor tensorOf(uint32_t number, const std::vector<std::byte> &bytes) {
  StoredTensor tensor;
  tensor.name = "blocks";
  if (const BlockLayout *layout = findBlockLayout(number)) {
    tensor.source = std::make_shared<BlockSource>(layout->format, bytes.data());
    return tensor;
  }
  tensor.data = bytes.data();
  tensor.type = number == 0   ? StoredType::F32
                : number == 1 ? StoredType::F16
                              : StoredType::BF16;
  return tensor;
}

TEST(BlockFormatTest, AgreesWithThePackageInEveryBit) {
  nlohmann::json json = golden();
  auto blocks = json["blocks"].get<uint64_t>();
  EXPECT_EQ(blocks, 1000u);
  EXPECT_EQ(json["types"].size(), 12u);
  for (const auto &[name, entry] : json["types"].items()) {
    SCOPED_TRACE(name);
    auto number = entry["number"].get<uint32_t>();
    auto elements = entry["elements"].get<int64_t>();
    auto size = entry["bytes"].get<size_t>();
    if (const BlockLayout *layout = findBlockLayout(number)) {
      EXPECT_EQ(layout->name, name);
      EXPECT_EQ(layout->elements, elements);
      EXPECT_EQ(layout->bytes, size);
    }
    std::vector<std::byte> bytes = blockBytes(number, blocks, size);
    StoredTensor tensor = tensorOf(number, bytes);
    std::vector<float> values(static_cast<size_t>(elements) * blocks);
    readElements(tensor, 0, 1, static_cast<int64_t>(values.size()),
                 values.data(), 1);
    std::string hashes = entry["hashes"].get<std::string>();
    size_t wrong = 0;
    for (uint64_t block = 0; block < blocks; ++block) {
      std::span<const float> own(values.data() +
                                     block * static_cast<uint64_t>(elements),
                                 static_cast<size_t>(elements));
      wrong +=
          fmt::format("{:08x}", hashOf(own)) != hashes.substr(block * 8, 8);
    }
    EXPECT_EQ(wrong, 0u) << "of " << blocks << " blocks";
    // What a hash cannot say: where.
    for (size_t block = 0; block < entry["samples"].size(); ++block) {
      auto sample = entry["samples"][block].get<std::string>();
      for (int64_t i = 0; i < elements; ++i) {
        auto at = static_cast<size_t>(i);
        float value = values[block * static_cast<size_t>(elements) + at];
        EXPECT_EQ(fmt::format("{:08x}", canonicalBits(value)),
                  sample.substr(at * 8, 8))
            << "element " << i << " of block " << block;
      }
    }
  }
}

TEST(BlockFormatTest, PiecesAreTheWhole) {
  for (BlockFormat format : {BlockFormat::Q4_1, BlockFormat::Q6_K}) {
    const BlockLayout &layout = blockLayout(format);
    SCOPED_TRACE(layout.name);
    std::vector<std::byte> bytes = blockBytes(99, 4, layout.bytes);
    StoredTensor tensor = tensorOf(layout.ggufType, bytes);
    int64_t count = 4 * static_cast<int64_t>(layout.elements);
    std::vector<float> whole(static_cast<size_t>(count));
    readElements(tensor, 0, 1, count, whole.data(), 1);
    struct Piece {
      int64_t first, stride, count;
    };
    for (Piece piece :
         {Piece{1, 1, count - 1}, Piece{31, 1, 2}, Piece{0, 2, count / 2},
          Piece{5, 17, count / 17}, Piece{3, 40, 3},
          Piece{count - 1, -1, count}, Piece{7, 1, 0}}) {
      std::vector<double> part(static_cast<size_t>(piece.count) * 2, -1);
      readElements(tensor, piece.first, piece.stride, piece.count, part.data(),
                   2);
      for (int64_t i = 0; i < piece.count; ++i) {
        auto at = static_cast<size_t>(piece.first + i * piece.stride);
        EXPECT_EQ(
            canonicalBits(static_cast<float>(part[static_cast<size_t>(i) * 2])),
            canonicalBits(whole[at]));
        EXPECT_EQ(part[static_cast<size_t>(i) * 2 + 1], -1);
      }
    }
  }
}

} // namespace
} // namespace chipwright::models
