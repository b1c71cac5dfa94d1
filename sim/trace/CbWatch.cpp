//===- CbWatch.cpp --------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/trace/CbWatch.h"

#include <fmt/format.h>

using namespace chipwright;
using namespace chipwright::sim;

CbWatch::CbWatch(const ChipSpec &spec, const WatchOptions &options,
                 std::FILE *out)
    : cols(spec.grid.cols), options(options), out(out) {}

void CbWatch::cbEvent(unsigned pe, unsigned cb, bool push, uint32_t bytes,
                      uint64_t occupied, Cycle at) {
  if (pe != options.pe || (options.cb && *options.cb != cb)) {
    return;
  }
  std::string line =
      fmt::format("cycle {} pe {},{} cb {} {} {} occupied {}\n", at, pe / cols,
                  pe % cols, cb, push ? "push" : "pop", bytes, occupied);
  std::fwrite(line.data(), 1, line.size(), out);
}

void TraceFan::command(unsigned pe, const Command &command, Cycle begin,
                       Cycle end) {
  for (TraceSink *sink : sinks) {
    sink->command(pe, command, begin, end);
  }
}

void TraceFan::link(unsigned link, Cycle begin, Cycle end, uint64_t bytes) {
  for (TraceSink *sink : sinks) {
    sink->link(link, begin, end, bytes);
  }
}

void TraceFan::dram(unsigned channel, Cycle begin, Cycle end, uint64_t bytes,
                    bool write) {
  for (TraceSink *sink : sinks) {
    sink->dram(channel, begin, end, bytes, write);
  }
}

void TraceFan::cbEvent(unsigned pe, unsigned cb, bool push, uint32_t bytes,
                       uint64_t occupied, Cycle at) {
  for (TraceSink *sink : sinks) {
    sink->cbEvent(pe, cb, push, bytes, occupied, at);
  }
}
