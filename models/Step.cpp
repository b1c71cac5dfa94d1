//===- Step.cpp - What one step of a model processes ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/Step.h"

#include <fmt/format.h>

#include <limits>
#include <set>

namespace chipwright::models {

namespace {

Result<void> checkId(const Graph &graph, int32_t id) {
  if (id < 0 || id >= graph.vocabulary) {
    return Diagnostic{fmt::format("token id {}: expected 0 to {}, the model's "
                                  "vocabulary; use the model's own tokenizer",
                                  id, graph.vocabulary - 1)};
  }
  return {};
}

} // namespace

int32_t SequenceTable::length(int32_t sequence) const {
  return sequence >= 0 && static_cast<size_t>(sequence) < lengths.size()
             ? lengths[static_cast<size_t>(sequence)]
             : 0;
}

void SequenceTable::truncate(int32_t sequence, int32_t length) {
  if (length >= 0 && length < this->length(sequence)) {
    lengths[static_cast<size_t>(sequence)] = length;
  }
}

Result<Step> SequenceTable::append(const Graph &graph,
                                   std::span<const SequencePiece> pieces,
                                   Outputs outputs) {
  if (slots() > std::numeric_limits<int32_t>::max()) {
    return Diagnostic{fmt::format("cache of {} sequences of {} tokens: "
                                  "expected at most {} slots; take fewer or "
                                  "shorter sequences",
                                  lengths.size(), room,
                                  std::numeric_limits<int32_t>::max()),
                      ExitDoesNotFit};
  }
  std::set<int32_t> named;
  for (const SequencePiece &piece : pieces) {
    if (piece.sequence < 0 ||
        static_cast<size_t>(piece.sequence) >= lengths.size()) {
      return Diagnostic{
          fmt::format("sequence {}: expected one of 0 to {}, which the cache "
                      "has room for",
                      piece.sequence, lengths.size() - 1)};
    }
    if (!named.insert(piece.sequence).second || piece.ids.empty()) {
      return Diagnostic{fmt::format(
          "sequence {}: expected one piece of tokens in a step, found {}",
          piece.sequence, piece.ids.empty() ? "an empty one" : "two")};
    }
    int64_t needed = static_cast<int64_t>(piece.ids.size()) +
                     lengths[static_cast<size_t>(piece.sequence)];
    if (needed > room) {
      return Diagnostic{fmt::format("sequence {}: expected at most {} tokens, "
                                    "found {}; make the cache larger",
                                    piece.sequence, room, needed),
                        ExitDoesNotFit};
    }
    for (int32_t id : piece.ids) {
      if (auto done = checkId(graph, id); !done) {
        return done.error();
      }
    }
  }
  Step step;
  step.masks.resize(graph.masks.size());
  for (const SequencePiece &piece : pieces) {
    int32_t &length = lengths[static_cast<size_t>(piece.sequence)];
    int32_t first = piece.sequence * room;
    for (int32_t id : piece.ids) {
      if (outputs == Outputs::All) {
        step.outputs.push_back(static_cast<int32_t>(step.ids.size()));
      }
      int32_t position = length++;
      step.ids.push_back(id);
      step.sequences.push_back(piece.sequence);
      step.positions.push_back(position);
      step.slots.push_back(first + position);
      for (size_t m = 0; m < graph.masks.size(); ++m) {
        step.masks[m].lo.push_back(
            first +
            static_cast<int32_t>(graph.masks[m].firstPosition(position)));
        step.masks[m].hi.push_back(first + position + 1);
      }
    }
    if (outputs == Outputs::LastOfEach) {
      step.outputs.push_back(static_cast<int32_t>(step.ids.size()) - 1);
    }
  }
  return step;
}

Result<void> verifyStep(const Graph &graph, const Step &step, int64_t slots) {
  auto wrong = [](const std::string &expected) {
    return Diagnostic{"step: expected " + expected};
  };
  size_t tokens = step.ids.size();
  bool sized = step.positions.size() == tokens && step.slots.size() == tokens &&
               step.masks.size() == graph.masks.size();
  for (const Step::Bounds &bounds : step.masks) {
    sized &= bounds.lo.size() == tokens && bounds.hi.size() == tokens;
  }
  if (!sized) {
    return wrong(fmt::format("lists of {} tokens and bounds of {} masks, found "
                             "other lengths",
                             tokens, graph.masks.size()));
  }
  std::set<int32_t> taken;
  for (size_t t = 0; t < tokens; ++t) {
    if (auto done = checkId(graph, step.ids[t]); !done) {
      return done;
    }
    int32_t slot = step.slots[t];
    if (slot < 0 || slot >= slots || !taken.insert(slot).second ||
        step.positions[t] < 0) {
      return wrong(fmt::format("a position and a slot of its own of 0 to {} "
                               "for token {}, found position {}, slot {}",
                               slots - 1, t, step.positions[t], slot));
    }
    for (const Step::Bounds &bounds : step.masks) {
      if (bounds.lo[t] < 0 || bounds.hi[t] > slots || bounds.lo[t] > slot ||
          bounds.hi[t] <= slot) {
        return wrong(fmt::format("bounds within 0 to {} around slot {} of "
                                 "token {}, found [{}, {})",
                                 slots, slot, t, bounds.lo[t], bounds.hi[t]));
      }
    }
  }
  for (int32_t row : step.outputs) {
    if (row < 0 || static_cast<size_t>(row) >= tokens) {
      return wrong(
          fmt::format("output rows of {} tokens, found {}", tokens, row));
    }
  }
  return {};
}

} // namespace chipwright::models
