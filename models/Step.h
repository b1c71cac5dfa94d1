//===- Step.h - What one step of a model processes --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_STEP_H
#define CHIPWRIGHT_MODELS_STEP_H

#include "chips/Diagnostic.h"
#include "models/Graph.h"

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace chipwright::models {

/// The step descriptor: everything that the graph's inputs say, per token.
/// Tokens of several sequences stand in one list in any order; what a token
/// may see is in its slot bounds alone.
struct Step {
  std::vector<int32_t> ids;
  std::vector<int32_t> sequences; // for reports; the graph does not read them
  std::vector<int32_t> positions;
  std::vector<int32_t> slots;
  struct Bounds {
    std::vector<int32_t> lo, hi; // slots [lo, hi) that a token attends to
  };
  std::vector<Bounds> masks;    // by Graph::masks
  std::vector<int32_t> outputs; // tokens whose logits are wanted

  int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
};

/// Tokens that one sequence adds in a step.
struct SequencePiece {
  int32_t sequence = 0;
  std::vector<int32_t> ids;
};

/// Which tokens of a step get logits.
enum class Outputs {
  LastOfEach, // the last token of each piece
  All,
};

/// Places of the sequences in the cache: each has a contiguous range of slots,
/// position p in slot first + p, and grows by what its steps add.
class SequenceTable {
public:
  /// Slots of a cache that holds \p sequences ranges of \p capacity tokens.
  SequenceTable(int32_t sequences, int32_t capacity)
      : lengths(static_cast<size_t>(sequences), 0), room(capacity) {}

  /// \returns the slots that caches need.
  int64_t slots() const { return static_cast<int64_t>(lengths.size()) * room; }

  /// \returns the tokens that \p sequence has; 0 if there is none such.
  int32_t length(int32_t sequence) const;

  /// Forgets the tokens of \p sequence from position \p length on.
  void truncate(int32_t sequence, int32_t length);

  /// Makes the step that appends \p pieces, and appends them. Refused: an id
  /// outside the vocabulary, an unknown sequence, one named twice, an empty
  /// piece, more tokens than the sequence's range holds; then nothing is
  /// appended.
  Result<Step> append(const Graph &graph, std::span<const SequencePiece> pieces,
                      Outputs outputs);

private:
  std::vector<int32_t> lengths;
  int32_t room;
};

/// Checks a step before it is executed: equal lengths of its lists, ids within
/// the vocabulary, slots within the cache's \p slots and distinct, bounds that
/// hold the token's own slot, output rows within the tokens.
Result<void> verifyStep(const Graph &graph, const Step &step, int64_t slots);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_STEP_H
