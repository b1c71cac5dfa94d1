//===- CbWatch.h - Prints what happens to circular buffers ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_TRACE_CBWATCH_H
#define CHIPWRIGHT_SIM_TRACE_CBWATCH_H

#include "sim/pe/PeServices.h"
#include "sim/trace/TraceOptions.h"

#include <cstdio>
#include <vector>

namespace chipwright::sim {

/// Prints one line per pointer move of the watched CBs: cycle, PE, CB, push or
/// pop, bytes moved, bytes in the CB afterwards.
class CbWatch final : public TraceSink {
public:
  /// \p out stays open as long as the watch is used.
  CbWatch(const ChipSpec &spec, const WatchOptions &options, std::FILE *out);

  void command(unsigned, const Command &, Cycle, Cycle) override {}
  void link(unsigned, Cycle, Cycle, uint64_t) override {}
  void dram(unsigned, Cycle, Cycle, uint64_t, bool) override {}
  void cbEvent(unsigned pe, unsigned cb, bool push, uint32_t bytes,
               uint64_t occupied, Cycle at) override;

private:
  unsigned cols;
  WatchOptions options;
  std::FILE *out;
};

/// Hands every event to several sinks, in order.
class TraceFan final : public TraceSink {
public:
  /// \p sink outlives the fan.
  void add(TraceSink &sink) { sinks.push_back(&sink); }
  /// The sink to give to a machine: null without sinks, the only one, or this.
  TraceSink *get() {
    return sinks.empty() ? nullptr : sinks.size() == 1 ? sinks[0] : this;
  }

  void command(unsigned pe, const Command &command, Cycle begin,
               Cycle end) override;
  void link(unsigned link, Cycle begin, Cycle end, uint64_t bytes) override;
  void dram(unsigned channel, Cycle begin, Cycle end, uint64_t bytes,
            bool write) override;
  void cbEvent(unsigned pe, unsigned cb, bool push, uint32_t bytes,
               uint64_t occupied, Cycle at) override;

private:
  std::vector<TraceSink *> sinks;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_TRACE_CBWATCH_H
