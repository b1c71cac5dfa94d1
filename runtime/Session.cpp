//===- Session.cpp - Sequences that grow on a device ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/Session.h"

#include <fmt/format.h>

#include <algorithm>

using namespace chipwright;
using namespace chipwright::models;

SessionLimits SessionLimits::of(const Package &package) {
  auto bound = [&](const char *name) {
    auto place = package.bounds.find(name);
    return place == package.bounds.end() ? int64_t(1) : place->second;
  };
  return {bound("tokens"), bound("batch"), bound("context")};
}

Session::Session(const Graph &described, Device &executor,
                 const SessionLimits &limits)
    : graph(described), device(executor), bounds(limits),
      table(static_cast<int32_t>(limits.maxBatch),
            static_cast<int32_t>(limits.slotsPerSequence())) {}

Result<SessionStep> Session::step(std::span<const SequencePiece> pieces,
                                  Outputs outputs) {
  int64_t tokens = 0;
  for (const SequencePiece &piece : pieces) {
    auto count = static_cast<int64_t>(piece.ids.size());
    tokens += count;
    int64_t length = table.length(piece.sequence) + count;
    if (length > bounds.maxContext) {
      return Diagnostic{
          fmt::format("sequence {}: expected at most {} tokens, found {}; "
                      "compile for more --max-context or take a shorter one",
                      piece.sequence, bounds.maxContext, length),
          ExitDoesNotFit};
    }
  }
  if (tokens > bounds.maxTokens || bounds.slots() > device.slots()) {
    return Diagnostic{
        tokens > bounds.maxTokens
            ? fmt::format("a step of {} tokens: expected at most {}; take "
                          "smaller steps or compile for more --max-tokens",
                          tokens, bounds.maxTokens)
            : fmt::format("{} sequences of {} tokens: expected at most {} "
                          "slots of the cache, found {}; compile for more "
                          "--max-batch or --max-context",
                          bounds.maxBatch, bounds.maxContext, device.slots(),
                          bounds.slots()),
        ExitDoesNotFit};
  }
  std::vector<int32_t> lengths;
  for (const SequencePiece &piece : pieces) {
    lengths.push_back(table.length(piece.sequence));
  }
  auto made = table.append(graph, pieces, outputs);
  if (!made) {
    return made.error();
  }
  SessionStep result{made.take(), {}};
  auto outcome = device.run(result.step, nullptr);
  if (!outcome) {
    for (size_t i = 0; i < pieces.size(); ++i) {
      table.truncate(pieces[i].sequence, lengths[i]);
    }
    return outcome.error();
  }
  result.outcome = outcome.take();
  return result;
}

namespace {

/// One generation under way.
class Generation {
public:
  Generation(Session &session, const GenerateRequest &request)
      : session(session), request(request), taken(request.prompts.size(), 0),
        last(request.prompts.size(), 0),
        isFinished(request.prompts.size(), request.maxNewTokens == 0) {
    result.tokens.resize(request.prompts.size());
    for (size_t s = 0; s < request.prompts.size(); ++s) {
      samplers.emplace_back(request.sampling, s);
    }
  }

  Result<GenerateResult> run() {
    for (auto pieces = nextPrefill(); !pieces.empty(); pieces = nextPrefill()) {
      if (auto done = step(pieces, /*isPrefill=*/true); !done) {
        return done.error();
      }
    }
    for (auto pieces = nextDecode(); !pieces.empty(); pieces = nextDecode()) {
      if (auto done = step(pieces, /*isPrefill=*/false); !done) {
        return done.error();
      }
    }
    times();
    return std::move(result);
  }

private:
  std::vector<SequencePiece> nextPrefill() {
    int64_t most = session.limits().maxTokens;
    int64_t room =
        request.prefillTokens ? std::min(request.prefillTokens, most) : most;
    std::vector<SequencePiece> pieces;
    for (size_t s = 0; s < request.prompts.size() && room > 0; ++s) {
      const std::vector<int32_t> &prompt = request.prompts[s];
      int64_t count =
          std::min(room, static_cast<int64_t>(prompt.size() - taken[s]));
      if (count > 0) {
        auto first = prompt.begin() + static_cast<std::ptrdiff_t>(taken[s]);
        pieces.push_back({static_cast<int32_t>(s), {first, first + count}});
        taken[s] += static_cast<size_t>(count);
        room -= count;
      }
    }
    return pieces;
  }

  std::vector<SequencePiece> nextDecode() {
    std::vector<SequencePiece> pieces;
    for (size_t s = 0; s < isFinished.size(); ++s) {
      if (!isFinished[s]) {
        pieces.push_back({static_cast<int32_t>(s), {last[s]}});
      }
    }
    return pieces;
  }

  Result<void> step(const std::vector<SequencePiece> &pieces, bool isPrefill) {
    bool wantsAll = isPrefill && request.allLogits;
    auto made =
        session.step(pieces, wantsAll ? Outputs::All : Outputs::LastOfEach);
    if (!made) {
      return made.error();
    }
    StepRecord record;
    record.isPrefill = isPrefill;
    record.tokens = made->step.tokens();
    record.outputs = static_cast<int64_t>(made->step.outputs.size());
    double before = processCpuSeconds(/*withChildren=*/false);
    std::map<int32_t, int32_t> next = choose(*made, pieces);
    record.samplingSeconds = processCpuSeconds(/*withChildren=*/false) - before;
    record.time = made->outcome.time;
    result.steps.push_back(std::move(record));
    if (request.afterStep) {
      return request.afterStep(*made, next);
    }
    return {};
  }

  /// The tokens that follow the pieces whose prompts are complete.
  std::map<int32_t, int32_t> choose(const SessionStep &made,
                                    const std::vector<SequencePiece> &pieces) {
    std::map<int32_t, int32_t> next;
    size_t number = result.steps.size();
    int64_t rows = 0;
    for (const SequencePiece &piece : pieces) {
      bool all = made.step.outputs.size() != pieces.size();
      rows += all ? static_cast<int64_t>(piece.ids.size()) : 1;
      auto s = static_cast<size_t>(piece.sequence);
      if (taken[s] < request.prompts[s].size() || isFinished[s]) {
        continue;
      }
      int32_t token = 0;
      if (made.outcome.logits) {
        const HostMatrix<float> &logits = *made.outcome.logits;
        token = samplers[s].choose(&logits(rows - 1, 0), logits.cols());
      } else if (const auto *recorded = recordedNext(number, piece.sequence)) {
        token = *recorded;
      } else {
        result.areTokensKnown = false;
      }
      next[piece.sequence] = last[s] = token;
      result.tokens[s].push_back(token);
      bool isEnd = result.areTokensKnown &&
                   std::find(request.endTokens.begin(), request.endTokens.end(),
                             token) != request.endTokens.end();
      isFinished[s] = isEnd || static_cast<int64_t>(result.tokens[s].size()) >=
                                   request.maxNewTokens;
    }
    return next;
  }

  const int32_t *recordedNext(size_t number, int32_t sequence) const {
    if (!request.routing || number >= request.routing->steps.size()) {
      return nullptr;
    }
    const auto &next = request.routing->steps[number].next;
    auto place = next.find(sequence);
    return place == next.end() ? nullptr : &place->second;
  }

  void times() {
    double first = 0, later = 0;
    int64_t decodes = 0;
    for (const StepRecord &record : result.steps) {
      if (!record.time) {
        return;
      }
      (record.isPrefill ? first : later) += record.time->seconds();
      decodes += record.isPrefill ? 0 : 1;
    }
    if (!result.steps.empty()) {
      result.ttftSeconds = first;
    }
    if (decodes > 0) {
      result.tpotSeconds = later / double(decodes);
    }
  }

  Session &session;
  const GenerateRequest &request;
  std::vector<size_t> taken; // tokens of each prompt
  std::vector<int32_t> last;
  std::vector<Sampler> samplers;
  std::vector<bool> isFinished;
  GenerateResult result;
};

} // namespace

Result<GenerateResult> chipwright::generate(Session &session,
                                            const GenerateRequest &request) {
  if (static_cast<int64_t>(request.prompts.size()) >
      session.limits().maxBatch) {
    return Diagnostic{
        fmt::format("{} prompts: expected at most {}; compile for more "
                    "--max-batch",
                    request.prompts.size(), session.limits().maxBatch),
        ExitDoesNotFit};
  }
  for (size_t s = 0; s < request.prompts.size(); ++s) {
    // The last new token is not fed back.
    int64_t needed = static_cast<int64_t>(request.prompts[s].size()) +
                     std::max<int64_t>(request.maxNewTokens - 1, 0);
    if (request.prompts[s].empty() || needed > session.limits().maxContext) {
      return Diagnostic{
          request.prompts[s].empty()
              ? fmt::format("prompt {}: expected a token or more, found none",
                            s)
              : fmt::format("prompt {} of length {} and {} new tokens need a "
                            "context of {}, there is room for {}; compile for "
                            "more --max-context",
                            s, request.prompts[s].size(), request.maxNewTokens,
                            needed, session.limits().maxContext),
          request.prompts[s].empty() ? ExitUsage : ExitDoesNotFit};
    }
  }
  return Generation(session, request).run();
}
