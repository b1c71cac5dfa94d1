//===- Perplexity.h - How well a model predicts a text ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_PERPLEXITY_H
#define CHIPWRIGHT_RUNTIME_PERPLEXITY_H

#include "runtime/Session.h"

namespace chipwright {

/// exp(mean of -log p(next token)) over all tokens of the prompts but the first
/// of each, from steps with the logits of every token.
class Perplexity {
public:
  /// \p prompts must outlive this.
  explicit Perplexity(const std::vector<std::vector<int32_t>> &prompts)
      : prompts(prompts) {}

  /// Takes the tokens of a step whose outputs are all of its tokens; in timing
  /// mode, without logits, nothing.
  void add(const SessionStep &step);

  int64_t tokens() const { return count; }
  /// \returns nothing if no token was predicted.
  std::optional<double> value() const;

private:
  const std::vector<std::vector<int32_t>> &prompts;
  double sum = 0; // of -log p, natural
  int64_t count = 0;
};

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_PERPLEXITY_H
