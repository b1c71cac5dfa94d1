//===- TrainArbiter.cpp ---------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/noc/TrainArbiter.h"

#include <algorithm>

using namespace chipwright::sim;

void TrainArbiter::request(TrainSource *source, Cycle now) {
  if (waiting.empty()) {
    wheel.post(now, Phase::Arbitrate, this, 0);
  }
  waiting.push_back(source);
}

void TrainArbiter::fire(Cycle now, uint32_t, uint64_t) {
  std::swap(waiting, serving);
  unsigned first = static_cast<unsigned>(now % numKeys);
  auto rank = [&](const TrainSource *source) {
    unsigned key = source->orderKey();
    return key >= first ? key - first : key + numKeys - first;
  };
  if (serving.size() > 1) {
    std::sort(serving.begin(), serving.end(),
              [&](const TrainSource *a, const TrainSource *b) {
                return rank(a) < rank(b);
              });
  }
  for (TrainSource *source : serving) {
    source->issueTrain(now);
  }
  serving.clear();
}
