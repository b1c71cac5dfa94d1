//===- Sampler.cpp - The next token from logits ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace chipwright;

/// The step of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom
/// number generators", OOPSLA 2014), whose constants these are.
static uint64_t mix(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

int32_t chipwright::greedyToken(const float *logits, int64_t vocabulary) {
  int64_t best = 0;
  for (int64_t i = 1; i < vocabulary; ++i) {
    bool isLarger = logits[i] > logits[best] ||
                    (std::isnan(logits[best]) && !std::isnan(logits[i]));
    best = isLarger ? i : best;
  }
  return static_cast<int32_t>(best);
}

Sampler::Sampler(const Sampling &wanted, uint64_t sequence)
    : sampling(wanted), state(wanted.seed) {
  // Streams start at places that have nothing to do with each other.
  state = mix(state) + sequence * 0xd1342543de82ef95;
  state = mix(state);
}

double Sampler::uniform() { return double(mix(state) >> 11) * 0x1p-53; }

int32_t Sampler::choose(const float *logits, int64_t vocabulary) {
  int32_t largest = greedyToken(logits, vocabulary);
  if (sampling.temperature <= 0) {
    return largest;
  }
  // Drawn even where it is not needed: one number for each token.
  double drawn = uniform();
  double top = double(logits[largest]);
  if (!std::isfinite(top)) {
    return largest;
  }
  candidates.clear();
  double sum = 0;
  for (int64_t i = 0; i < vocabulary; ++i) {
    double weight = std::exp((double(logits[i]) - top) / sampling.temperature);
    if (weight > 0) { // false for NaN
      candidates.emplace_back(weight, static_cast<int32_t>(i));
      sum += weight;
    }
  }
  if (sampling.topP < 1) {
    std::sort(
        candidates.begin(), candidates.end(), [](const auto &a, const auto &b) {
          return a.first != b.first ? a.first > b.first : a.second < b.second;
        });
    double limit = sum * sampling.topP, kept = 0;
    size_t count = 0;
    while (count < candidates.size() && (count == 0 || kept < limit)) {
      kept += candidates[count++].first;
    }
    candidates.resize(count);
    sum = kept;
  }
  double place = drawn * sum;
  for (const auto &[weight, token] : candidates) {
    if (place < weight) {
      return token;
    }
    place -= weight;
  }
  return candidates.back().second; // rounding of the sum
}
