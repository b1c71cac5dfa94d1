//===- Pipeline.h - From text to pieces -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Internal to models/tokenizer: the stages `normalizer` and `pre_tokenizer` of
// a tokenizer.json, as far as byte pair tokenizers use them.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_TOKENIZER_PIPELINE_H
#define CHIPWRIGHT_MODELS_TOKENIZER_PIPELINE_H

#include "models/tokenizer/SplitPattern.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chipwright::models {

enum class NormalizerKind { Prepend, Replace, Nfc, Nfd, Nfkc, Nfkd };

struct NormalizerStep {
  NormalizerKind kind = NormalizerKind::Nfc;
  /// What Prepend puts before a text that is not empty, and Replace in place
  /// of each match.
  std::string text;
  std::optional<SplitPattern> pattern; // of Replace
};

/// Rewrites text before it is split.
class Normalizer {
public:
  std::vector<NormalizerStep> steps;

  /// \returns \p text (well-formed) rewritten by all steps.
  Result<std::string> apply(std::string_view text, StepBudget &budget) const;
};

/// What becomes of the matches of a pattern.
enum class SplitBehavior {
  Isolated,           // pieces of their own
  Removed,            // dropped
  MergedWithPrevious, // end the piece before
  MergedWithNext,     // begin the piece behind
  Contiguous,         // runs of matches are one piece
};

enum class PreTokenizerKind { Split, ByteLevel, Metaspace };

/// When Metaspace puts its character before a piece.
enum class PrependScheme { Always, First, Never };

struct PreTokenizerStep {
  PreTokenizerKind kind = PreTokenizerKind::Split;

  // Split; of ByteLevel and Metaspace where they split at all.
  std::optional<SplitPattern> pattern;
  SplitBehavior behavior = SplitBehavior::Isolated;
  bool invert = false;

  // ByteLevel: a piece that does not start with a space gets one.
  bool addPrefixSpace = false;

  // Metaspace: what stands for a space.
  std::string replacement;
  PrependScheme scheme = PrependScheme::Always;
};

/// Cuts text into the pieces that are encoded one by one.
class PreTokenizer {
public:
  std::vector<PreTokenizerStep> steps;

  /// Cuts \p text in place: \p pieces are ranges of it, in order, none empty.
  /// \p atStart says that it begins where the whole input does.
  Result<void> apply(std::string &text, std::vector<ByteRange> &pieces,
                     bool atStart, StepBudget &budget) const;
};

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_TOKENIZER_PIPELINE_H
