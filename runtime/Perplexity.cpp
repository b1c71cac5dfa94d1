//===- Perplexity.cpp - How well a model predicts a text ------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/Perplexity.h"

#include <cmath>

using namespace chipwright;

void Perplexity::add(const SessionStep &step) {
  if (!step.outcome.logits) {
    return;
  }
  const models::HostMatrix<float> &logits = *step.outcome.logits;
  for (size_t row = 0; row < step.step.outputs.size(); ++row) {
    auto token = static_cast<size_t>(step.step.outputs[row]);
    const auto &prompt =
        prompts[static_cast<size_t>(step.step.sequences[token])];
    auto next = static_cast<size_t>(step.step.positions[token]) + 1;
    if (next >= prompt.size()) {
      continue;
    }
    auto values =
        logits.row(static_cast<Eigen::Index>(row)).cast<double>().array();
    double largest = values.maxCoeff();
    sum += largest + std::log((values - largest).exp().sum()) -
           values(prompt[next]);
    ++count;
  }
}

std::optional<double> Perplexity::value() const {
  return count > 0 ? std::optional(std::exp(sum / double(count)))
                   : std::nullopt;
}
