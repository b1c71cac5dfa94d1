//===- RunProgress.cpp - What a run shows while it runs -------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tools/RunProgress.h"

#include "runtime/ReportText.h"
#include "tools/Output.h"

#include <fmt/format.h>

#include <cstdio>
#include <unistd.h>

using namespace chipwright;
using namespace chipwright::tools;

RunProgress::RunProgress(const std::vector<std::vector<int32_t>> &prompts,
                         const std::optional<models::ModelTokenizer> &tokenizer,
                         bool mayStream, bool perplexity)
    : prediction(prompts), wantsPerplexity(perplexity),
      streams(mayStream && tokenizer && prompts.size() == 1),
      isTerminal(isatty(STDERR_FILENO) != 0),
      start(std::chrono::steady_clock::now()) {
  for (size_t s = 0; tokenizer && s < prompts.size(); ++s) {
    detokenizers.emplace_back(tokenizer->tokenizer, /*skipSpecial=*/true);
    said.emplace_back();
  }
}

double RunProgress::wallSeconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

Result<void> RunProgress::add(const SessionStep &step,
                              const std::map<int32_t, int32_t> &next) {
  if (wantsPerplexity) {
    prediction.add(step);
  }
  std::string fresh;
  for (const auto &[sequence, token] : next) {
    auto s = static_cast<size_t>(sequence);
    if (s >= detokenizers.size() || !step.outcome.logits) {
      continue;
    }
    auto text = detokenizers[s].add(token);
    if (!text) {
      return text.error();
    }
    said[s] += *text;
    fresh += *text;
  }
  if (step.outcome.time) {
    simulatedSeconds += step.outcome.time->seconds();
  }
  ++steps;
  if (streams && !fresh.empty()) {
    if (hasLine) {
      std::fputs("\r\033[K", stderr);
      hasLine = false;
    }
    if (auto done = print(fresh); !done) {
      return done;
    }
  }
  // On one terminal, a line would stand in the middle of the text.
  if (!streams || said[0].empty() || isatty(STDOUT_FILENO) == 0) {
    showLine(step, !next.empty());
  }
  return {};
}

void RunProgress::showLine(const SessionStep &step, bool hasTokens) {
  if (!isTerminal) {
    return;
  }
  std::string line =
      fmt::format("\r\033[Kstep {} ({} of {} token{})", steps,
                  hasTokens && step.step.tokens() == 1 ? "decode" : "prefill",
                  step.step.tokens(), step.step.tokens() == 1 ? "" : "s");
  if (step.outcome.time) {
    line += fmt::format(", simulated {}", timeText(simulatedSeconds));
  }
  line += fmt::format(", {:.1f} s have passed", wallSeconds());
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  hasLine = true;
}

Result<void> RunProgress::finish() {
  if (hasLine) {
    std::fputs("\r\033[K", stderr);
    hasLine = false;
  }
  for (size_t s = 0; s < detokenizers.size(); ++s) {
    std::string rest = detokenizers[s].finish();
    said[s] += rest;
    if (streams) {
      return print(rest + "\n\n");
    }
  }
  return {};
}
