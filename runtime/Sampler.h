//===- Sampler.h - The next token from logits -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_SAMPLER_H
#define CHIPWRIGHT_RUNTIME_SAMPLER_H

#include <cstdint>
#include <utility>
#include <vector>

namespace chipwright {

/// \returns the index of the largest logit, the lowest on ties; NaN is less
/// than every number.
int32_t greedyToken(const float *logits, int64_t vocabulary);

struct Sampling {
  /// Logits are divided by it; 0 takes the largest one.
  double temperature = 0;
  /// The most probable tokens whose probabilities reach this sum take part, at
  /// least one; 1: all.
  double topP = 1;
  uint64_t seed = 1;
};

/// Draws the tokens of one sequence. Each sequence has a stream of its own, so
/// that what it says depends on its prompt, the seed and its number, and not
/// on what else is in the batch. The same logits give the same token on every
/// machine: sums are in one order, in fp64.
class Sampler {
public:
  /// \p sequence is the number of the sequence in its batch.
  Sampler(const Sampling &sampling, uint64_t sequence);

  /// \returns a token of 0 to \p vocabulary - 1. NaN and -inf have no
  /// probability; where nothing has any, the greedy token is taken.
  int32_t choose(const float *logits, int64_t vocabulary);

private:
  /// \returns a number of [0, 1).
  double uniform();

  Sampling sampling;
  uint64_t state;
  std::vector<std::pair<double, int32_t>> candidates;
};

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_SAMPLER_H
