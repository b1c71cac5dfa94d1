//===- TraceOptions.h - What a trace holds ----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_TRACE_TRACEOPTIONS_H
#define CHIPWRIGHT_SIM_TRACE_TRACEOPTIONS_H

#include "chips/ChipSpec.h"
#include "chips/Diagnostic.h"
#include "sim/core/Time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chipwright::sim {

/// Cycles [begin, end) of the PE clock since the machine was built.
struct CycleWindow {
  Cycle begin = 0, end = kNever;

  bool overlaps(Cycle from, Cycle to) const {
    return from < end && (to > begin || (from == to && from >= begin));
  }
  bool operator==(const CycleWindow &) const = default;
};

struct TraceOptions {
  /// Output; `-` is standard output.
  std::string path;
  /// Numbers of the PEs whose commands are recorded; empty: all.
  std::vector<unsigned> pes;
  /// Slices that overlap the window are recorded whole.
  CycleWindow window;
  /// Recording stops before the file becomes larger.
  uint64_t maxBytes = uint64_t(512) << 20;
  bool links = true; // NoC links
  bool dram = true;  // DRAM channels
  bool cbs = false;  // occupancy of each CB as a counter
};

/// Smallest TraceOptions::maxBytes: room for the frame of the file.
inline constexpr uint64_t kMinTraceBytes = 4096;

/// Parses "R,C" or several of them with ':' between, such as "0,0:1,3". R and
/// C may be ranges "0-3" or '*' for all. \returns PE numbers, ascending, each
/// once; an error (usage) that names the bad part and the grid.
Result<std::vector<unsigned>> parsePeList(std::string_view text,
                                          const GridSpec &grid);

/// Parses "A:B", cycles with A < B; either may be left out ("5000:", ":900").
Result<CycleWindow> parseWindow(std::string_view text);

/// What a CbWatch shows.
struct WatchOptions {
  unsigned pe = 0;
  std::optional<unsigned> cb; // all CBs of the PE if absent
};

/// Parses "pe=R,C" and "cb=N", in any order, separated by blanks; cb may be
/// left out.
Result<WatchOptions> parseWatch(std::string_view text, const ChipSpec &spec);

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_TRACE_TRACEOPTIONS_H
