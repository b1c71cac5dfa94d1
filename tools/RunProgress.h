//===- RunProgress.h - What a run shows while it runs -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TOOLS_RUNPROGRESS_H
#define CHIPWRIGHT_TOOLS_RUNPROGRESS_H

#include "models/tokenizer/ModelTokenizer.h"
#include "runtime/Perplexity.h"
#include "runtime/Session.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace chipwright::tools {

/// Prints text as it comes and, on a terminal, a line with the phase, the
/// simulated time and the time that has passed; keeps what the report says of
/// the texts.
class RunProgress {
public:
  /// \p prompts must outlive this. \p tokenizer, if there is one, makes texts
  /// of tokens; \p streams prints that of a single sequence to stdout.
  RunProgress(const std::vector<std::vector<int32_t>> &prompts,
              const std::optional<models::ModelTokenizer> &tokenizer,
              bool streams, bool wantsPerplexity);

  /// Takes a step and the tokens that it gave.
  Result<void> add(const SessionStep &step,
                   const std::map<int32_t, int32_t> &next);

  /// Ends the text and clears the line. Call it before anything else is
  /// printed.
  Result<void> finish();

  /// What each sequence says after its prompt; none without a tokenizer.
  const std::vector<std::string> &texts() const { return said; }
  const Perplexity &perplexity() const { return prediction; }
  /// Since the run began.
  double wallSeconds() const;

private:
  void showLine(const SessionStep &step, bool hasTokens);

  Perplexity prediction;
  bool wantsPerplexity, streams, isTerminal;
  std::vector<models::Detokenizer> detokenizers; // by sequence
  std::vector<std::string> said;
  std::chrono::steady_clock::time_point start;
  double simulatedSeconds = 0;
  int64_t steps = 0;
  bool hasLine = false;
};

} // namespace chipwright::tools

#endif // CHIPWRIGHT_TOOLS_RUNPROGRESS_H
