//===- DramChannel.cpp - One DRAM channel behind its controller -----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/dram/DramChannel.h"

#include "sim/dram/BurstChannel.h"
#include "sim/dram/CommandChannel.h"

using namespace chipwright;
using namespace chipwright::sim;

std::unique_ptr<DramChannel>
chipwright::sim::makeDramChannel(const DramSpec &spec, const MemorySpec &memory,
                                 DramListener *listener, std::string &error) {
  error = DramTiming::check(spec);
  if (!error.empty()) {
    return nullptr;
  }
  std::unique_ptr<DramChannel> channel;
  if (spec.level == DramLevel::Command) {
    channel = std::make_unique<CommandChannel>(spec, memory);
  } else {
    channel = std::make_unique<BurstChannel>(spec, memory);
  }
  channel->setListener(listener);
  return channel;
}
