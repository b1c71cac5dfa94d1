//===- StepInputsTest.cpp - What a step writes into inputs ----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/StepInputs.h"

#include "models/ModelConfig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

using namespace chipwright;
using namespace chipwright::models;
using testing::HasSubstr;

namespace {

/// Work lists of random ragged batches against the definition.
TEST(AttentionWork, CoversEachTokenOnceAndAllItsSlots) {
  unsigned seed = std::random_device()();
  printf("seed %u\n", seed);
  std::mt19937 engine(seed);
  auto random = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(engine);
  };
  for (int round = 0; round < 300; ++round) {
    Graph graph;
    graph.vocabulary = 10;
    graph.masks = {AttentionMask{},
                   AttentionMask{MaskKind::Chunked, random(1, 20)}};
    int sequences = random(1, 5), block = random(1, 17);
    SequenceTable table(sequences, 256);
    for (int step = 0; step < 3; ++step) {
      std::vector<SequencePiece> pieces;
      for (int s = 0; s < sequences; ++s) {
        if (int count = random(0, 40); count > 0) {
          pieces.push_back(
              {s, std::vector<int32_t>(static_cast<size_t>(count), 1)});
        }
      }
      std::shuffle(pieces.begin(), pieces.end(), engine);
      auto made = table.append(graph, pieces, Outputs::LastOfEach);
      ASSERT_TRUE(made);
      for (size_t mask = 0; mask < 2; ++mask) {
        auto entries = attentionWork(*made, mask, block);
        size_t next = 0, fewest = 0;
        for (const AttentionEntry &entry : entries) {
          ASSERT_EQ(static_cast<size_t>(entry.firstToken), next);
          ASSERT_GE(entry.tokens, 1);
          ASSERT_LE(entry.tokens, block);
          int32_t lo = 1 << 30, hi = -1;
          for (int32_t i = 0; i < entry.tokens; ++i, ++next) {
            ASSERT_LT(next, made->ids.size());
            EXPECT_EQ(made->sequences[next],
                      made->sequences[static_cast<size_t>(entry.firstToken)]);
            lo = std::min(lo, made->masks[mask].lo[next]);
            hi = std::max(hi, made->masks[mask].hi[next]);
          }
          EXPECT_EQ(entry.firstSlot, lo);
          EXPECT_EQ(entry.endSlot, hi);
        }
        EXPECT_EQ(next, made->ids.size());
        for (const SequencePiece &piece : pieces) {
          fewest += (piece.ids.size() + static_cast<size_t>(block) - 1) /
                    static_cast<size_t>(block);
        }
        EXPECT_EQ(entries.size(), fewest);
      }
    }
  }
}

Package boundedPackage() {
  Package package;
  package.bounds = {
      {"tokens", 10}, {"outputs", 2}, {"slots", 512}, {"entries.0", 3}};
  PackageBuffer work;
  work.name = "work";
  work.dtype = DType::I32;
  work.content = BufferContent::AttentionWork;
  work.role = BufferRole::Input;
  work.block = 4;
  work.shape = {{1, "entries.0"}, {4, ""}};
  package.buffers = {work};
  return package;
}

Step stepOf(const std::vector<size_t> &lengths) {
  Graph graph;
  graph.vocabulary = 4;
  graph.masks = {AttentionMask{}};
  SequenceTable table(4, 128);
  std::vector<SequencePiece> pieces;
  for (size_t s = 0; s < lengths.size(); ++s) {
    pieces.push_back(
        {static_cast<int32_t>(s), std::vector<int32_t>(lengths[s], 2)});
  }
  auto made = table.append(graph, pieces, Outputs::LastOfEach);
  EXPECT_TRUE(made);
  return made.take();
}

TEST(StepSizes, CountsAndBounds) {
  Package package = boundedPackage();
  auto sizes = stepSizes(package, stepOf({5, 3}));
  ASSERT_TRUE(sizes) << sizes.error().message;
  EXPECT_EQ((*sizes)["tokens"], 8);
  EXPECT_EQ((*sizes)["outputs"], 2);
  EXPECT_EQ((*sizes)["slots"], 512);
  EXPECT_EQ((*sizes)["entries.0"], 3);
  EXPECT_EQ(elementsOf(package.buffers[0], *sizes), 12);
  for (const auto &[lengths, expected] :
       {std::pair(std::vector<size_t>{11}, "11 tokens"),
        std::pair(std::vector<size_t>{1, 1, 1}, "3 outputs"),
        std::pair(std::vector<size_t>{5, 5}, "4 entries.0")}) {
    auto refused = stepSizes(package, stepOf(lengths));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().exitStatus, ExitDoesNotFit);
    EXPECT_THAT(refused.error().message, HasSubstr(expected));
  }
  package.buffers[0].index = 1;
  EXPECT_THAT(stepSizes(package, stepOf({1})).error().message,
              HasSubstr("one of the 1 masks"));
  package = boundedPackage();
  package.buffers.push_back(package.buffers[0]);
  package.buffers[1].block = 1;
  EXPECT_THAT(stepSizes(package, stepOf({2})).error().message,
              HasSubstr("blocks of one size"));
}

TEST(InputBytes, HoldWhatTheStepSays) {
  Step step = stepOf({2, 3});
  auto words = [&](BufferContent content, int64_t block = 0) {
    PackageBuffer buffer;
    buffer.content = content;
    buffer.block = block;
    std::vector<uint8_t> bytes = inputBytes(buffer, step);
    std::vector<int32_t> result(bytes.size() / 4);
    std::memcpy(result.data(), bytes.data(), bytes.size());
    return result;
  };
  using testing::ElementsAre;
  EXPECT_THAT(words(BufferContent::TokenIds), ElementsAre(2, 2, 2, 2, 2));
  EXPECT_THAT(words(BufferContent::Positions), ElementsAre(0, 1, 0, 1, 2));
  EXPECT_THAT(words(BufferContent::Slots), ElementsAre(0, 1, 128, 129, 130));
  EXPECT_THAT(words(BufferContent::OutputRows), ElementsAre(1, 4));
  EXPECT_THAT(words(BufferContent::MaskBounds),
              ElementsAre(0, 1, 0, 2, 128, 129, 128, 130, 128, 131));
  EXPECT_THAT(words(BufferContent::AttentionWork, 2),
              ElementsAre(0, 2, 0, 2, 2, 2, 128, 130, 4, 1, 128, 131));
}

TEST(Tables, RotateAsTheModelDoes) {
  Graph graph;
  RopeAttributes rope;
  rope.headSize = 8;
  rope.inverseFrequencies = {1.0f, 0.3f, 0.05f, 0.001f};
  TemperatureAttributes temperature{TemperatureConfig{4, 0.1}};
  graph.ops.resize(3);
  graph.ops[0].attributes = rope;
  graph.ops[1].attributes = rope; // the same again is no second table
  graph.ops[2].attributes = temperature;
  PackageBuffer buffer;
  buffer.name = "table";
  buffer.dtype = DType::F32;
  buffer.content = BufferContent::RopeTable;
  buffer.shape = {{50, ""}, {16, ""}};
  auto floats = [](const std::vector<uint8_t> &bytes) {
    std::vector<float> values(bytes.size() / 4);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  };
  auto bytes = tableBytes(buffer, graph);
  ASSERT_TRUE(bytes) << bytes.error().message;
  std::vector<float> table = floats(*bytes);
  ASSERT_EQ(table.size(), 50u * 16);
  unsigned seed = std::random_device()();
  printf("seed %u\n", seed);
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> numbers(-1, 1);
  for (size_t p = 0; p < 50; ++p) {
    for (size_t i = 0; i < 4; ++i) {
      double a = numbers(engine), b = numbers(engine);
      float angle = float(p) * rope.inverseFrequencies[i];
      const float *row = table.data() + 16 * p;
      // x * cos + swapped(x) * signed sin
      EXPECT_NEAR(a * row[2 * i] + b * row[8 + 2 * i],
                  a * std::cos(double(angle)) - b * std::sin(double(angle)),
                  2e-7);
      EXPECT_NEAR(b * row[2 * i + 1] + a * row[8 + 2 * i + 1],
                  b * std::cos(double(angle)) + a * std::sin(double(angle)),
                  2e-7);
    }
  }
  buffer.content = BufferContent::Temperatures;
  buffer.shape = {{50, ""}, {1, ""}};
  bytes = tableBytes(buffer, graph);
  ASSERT_TRUE(bytes);
  for (size_t p = 0; p < 50; ++p) {
    EXPECT_EQ(floats(*bytes)[p],
              float(temperatureAt(temperature.config, int64_t(p))));
  }
  buffer.index = 1;
  EXPECT_THAT(tableBytes(buffer, graph).error().message,
              HasSubstr("temperature number 1"));
  buffer.content = BufferContent::RopeTable;
  buffer.index = 0;
  EXPECT_THAT(tableBytes(buffer, graph).error().message,
              HasSubstr("of 1 columns"));
}

} // namespace
