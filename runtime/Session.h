//===- Session.h - Sequences that grow on a device --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Prefill, chunked prefill and decode of any mixture of sequences are one call:
// the tokens that each sequence adds. A session owns the places of the
// sequences in the device's caches; a cache position belongs to a sequence for
// the session's life.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_SESSION_H
#define CHIPWRIGHT_RUNTIME_SESSION_H

#include "chips/Diagnostic.h"
#include "models/Step.h"
#include "package/Package.h"
#include "runtime/Device.h"
#include "runtime/RoutingTrace.h"
#include "runtime/Sampler.h"

#include <functional>
#include <map>
#include <span>
#include <vector>

namespace chipwright {

/// Ranges of cache slots start at multiples of this, so that tiles of keys and
/// values begin where sequences begin.
inline constexpr int64_t cacheAlignment = 128;

/// What a device can take at a time.
struct SessionLimits {
  int64_t maxTokens = 0;  // of a step
  int64_t maxBatch = 0;   // sequences
  int64_t maxContext = 0; // tokens of a sequence

  /// The bounds of \p package.
  static SessionLimits of(const Package &package);

  /// \returns the slots of one sequence, and of all.
  int64_t slotsPerSequence() const {
    return (maxContext + cacheAlignment - 1) / cacheAlignment * cacheAlignment;
  }
  int64_t slots() const { return maxBatch * slotsPerSequence(); }
};

/// A step and what became of it.
struct SessionStep {
  models::Step step;
  StepOutcome outcome;
};

class Session {
public:
  /// \p graph and \p device must outlive the session, which is the only user of
  /// the device's caches.
  Session(const models::Graph &graph, Device &device,
          const SessionLimits &limits);

  /// Appends \p pieces and executes the step. Refused: what
  /// models::SequenceTable::append() refuses, more tokens than the limits
  /// allow (exit status ExitDoesNotFit), and what the device refuses; then the
  /// sequences are as long as before.
  Result<SessionStep> step(std::span<const models::SequencePiece> pieces,
                           models::Outputs outputs);

  int32_t length(int32_t sequence) const { return table.length(sequence); }
  const SessionLimits &limits() const { return bounds; }

private:
  const models::Graph &graph;
  Device &device;
  SessionLimits bounds;
  models::SequenceTable table;
};

struct GenerateRequest {
  std::vector<std::vector<int32_t>> prompts; // by sequence
  int64_t maxNewTokens = 0;
  int64_t prefillTokens = 0; // most tokens of a prefill step; 0: the limit
  std::vector<int64_t> endTokens;
  bool allLogits = false; // of every token of a prompt
  Sampling sampling;
  /// Timing mode: where tokens come from.
  const RoutingTrace *routing = nullptr;
  /// Called after each step with the tokens that it gave.
  std::function<Result<void>(const SessionStep &,
                             const std::map<int32_t, int32_t> &next)>
      afterStep = {};
};

/// What one step of a generation was.
struct StepRecord {
  bool isPrefill = false;
  int64_t tokens = 0, outputs = 0;
  std::optional<StepTime> time;
  double samplingSeconds = 0; // of the host's CPU
};

struct GenerateResult {
  std::vector<std::vector<int32_t>> tokens; // new ones, by sequence
  /// False in timing mode without routing: then nothing chooses tokens, and id
  /// 0 stands for each.
  bool areTokensKnown = true;
  std::vector<StepRecord> steps;

  /// Seconds until each sequence has its first token, and of a decode step on
  /// average; nothing without a chip or without such a step.
  std::optional<double> ttftSeconds, tpotSeconds;
};

/// Prefills the prompts, as many tokens a step as the request allows, in the
/// order of the sequences; then decodes, all unfinished sequences in each step,
/// until each has maxNewTokens or an end token.
Result<GenerateResult> generate(Session &session,
                                const GenerateRequest &request);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_SESSION_H
