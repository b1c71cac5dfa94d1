//===- DramTiming.h - DRAM timing in command clocks -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Turns the nanoseconds of a DramSpec into whole command clocks. Both levels
// of the DRAM model read their rules from here and nowhere else.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_DRAM_DRAMTIMING_H
#define CHIPWRIGHT_SIM_DRAM_DRAMTIMING_H

#include "chips/ChipSpec.h"

#include <cstdint>
#include <string>

namespace chipwright::sim {

/// Timing of one channel in command clocks (tCK). Minimum times are rounded up
/// to whole clocks; the refresh interval, a maximum, is rounded down. Names
/// follow JEDEC: rl/wl are read and write latency (command to first data), rcd
/// activate to column command, rp precharge, ras activate to precharge, wr
/// write recovery after the last data, rtp read to precharge, ccd column to
/// column, rrd activate to activate, faw four-activate window, wtr end of
/// write data to read command, refi refresh interval, rfc refresh time. Short
/// is between bank groups, Long inside one.
struct DramTiming {
  /// Resolves \p spec, which must pass check().
  explicit DramTiming(const DramSpec &spec);

  /// \returns an empty string, or one sentence that says what \p spec has
  /// that no channel can be built from.
  static std::string check(const DramSpec &spec);

  uint64_t tckFs;
  /// Clocks that one column access holds the data bus of a (pseudo-)channel:
  /// accessBytes over the bytes per second of its pins.
  unsigned burst;
  unsigned rl, wl, rcdRead, rcdWrite, rp, rpAll, ras, wr, rtp, ccdShort,
      ccdLong, rrdShort, rrdLong, faw, wtrShort, wtrLong, rtwGap, refi, rfcAll,
      rfcBank;

  /// Read command to write command: read data, the bus gap, then write data.
  unsigned readToWrite() const;
  /// Write command to read command, same or other bank group.
  unsigned writeToReadShort() const { return wl + burst + wtrShort; }
  unsigned writeToReadLong() const { return wl + burst + wtrLong; }
  /// Write command to precharge of its bank.
  unsigned writeToPrecharge() const { return wl + burst + wr; }

  uint64_t toFs(uint64_t clocks) const { return clocks * tckFs; }
  /// First clock edge at or after \p fs.
  uint64_t toClock(uint64_t fs) const { return (fs + tckFs - 1) / tckFs; }
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_DRAM_DRAMTIMING_H
