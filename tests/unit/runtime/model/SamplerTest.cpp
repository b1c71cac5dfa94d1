//===- SamplerTest.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

using namespace chipwright;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

std::vector<int32_t> draw(const Sampling &sampling, uint64_t sequence,
                          const std::vector<float> &logits, int count) {
  Sampler sampler(sampling, sequence);
  std::vector<int32_t> tokens;
  for (int i = 0; i < count; ++i) {
    tokens.push_back(
        sampler.choose(logits.data(), static_cast<int64_t>(logits.size())));
  }
  return tokens;
}

TEST(Sampler, ZeroTemperatureIsGreedy) {
  EXPECT_EQ(draw({}, 0, {1, 3, 3, 2}, 1)[0], 1);
  EXPECT_EQ(draw({}, 0, {kNan, -kInf, -2, -2}, 1)[0], 2);
}

/// Each token as often as its probability says, within 5 standard deviations.
TEST(Sampler, FollowsTheProbabilities) {
  unsigned seed = std::random_device()();
  printf("seed %u\n", seed);
  const std::vector<float> logits = {0.5F, -1, 2, kNan, -kInf, 1.25F};
  constexpr double kTemperature = 0.8;
  constexpr int kCount = 40000;
  std::vector<double> expected(logits.size());
  double sum = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    double weight = std::exp(double(logits[i]) / kTemperature);
    expected[i] = std::isnan(weight) ? 0 : weight;
    sum += expected[i];
  }
  std::vector<int> counts(logits.size());
  for (int32_t token : draw({kTemperature, 1, seed}, 3, logits, kCount)) {
    ++counts[static_cast<size_t>(token)];
  }
  for (size_t i = 0; i < logits.size(); ++i) {
    double p = expected[i] / sum;
    EXPECT_LE(std::abs(counts[i] - kCount * p),
              5 * std::sqrt(kCount * p * (1 - p)))
        << "token " << i;
  }
}

TEST(Sampler, TopPKeepsTheMostProbable) {
  // Probabilities 0.1, 0.5, 0.4: two of them reach 0.85, one reaches 0.5.
  const std::vector<float> logits = {std::log(0.1F), std::log(0.5F),
                                     std::log(0.4F)};
  std::vector<int> counts(3);
  for (int32_t token : draw({1, 0.85, 7}, 0, logits, 9000)) {
    ++counts[static_cast<size_t>(token)];
  }
  EXPECT_EQ(counts[0], 0);
  EXPECT_NEAR(counts[1] / 9000.0, 5 / 9.0, 0.03);
  for (int32_t token : draw({1, 0.45, 7}, 0, logits, 100)) {
    EXPECT_EQ(token, 1);
  }
  for (int32_t token : draw({1, 0, 7}, 0, logits, 100)) {
    EXPECT_EQ(token, 1);
  }
}

TEST(Sampler, StreamsBelongToSeedAndSequence) {
  const std::vector<float> logits(1000, 0.25F);
  Sampling sampling{1, 1, 11}, other{1, 1, 12};
  auto first = draw(sampling, 0, logits, 32);
  EXPECT_EQ(first, draw(sampling, 0, logits, 32));
  EXPECT_NE(first, draw(sampling, 1, logits, 32));
  EXPECT_NE(first, draw(other, 0, logits, 32));
}

/// A seed stands for the same text on every machine and in later versions.
TEST(Sampler, SameTokensEverywhere) {
  std::vector<float> logits(64);
  for (size_t i = 0; i < logits.size(); ++i) {
    logits[i] = static_cast<float>(i % 7) * 0.5F;
  }
  auto drawn = draw({0.7, 0.9, 42}, 0, logits, 6);
  EXPECT_EQ(drawn, (std::vector<int32_t>{48, 32, 13, 12, 55, 20}));
}

TEST(Sampler, NothingToChooseFrom) {
  EXPECT_EQ(draw({1, 0.9, 1}, 0, {kNan, kNan}, 1)[0], 0);
  EXPECT_EQ(draw({1, 0.9, 1}, 0, {-kInf, -kInf}, 1)[0], 0);
  EXPECT_EQ(draw({1, 0.9, 1}, 0, {0, kInf}, 1)[0], 1);
}

} // namespace
