//===- DramTiming.cpp - DRAM timing in command clocks ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/dram/DramTiming.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <initializer_list>

using namespace chipwright;
using namespace chipwright::sim;

static uint64_t nsToFs(double ns) {
  return static_cast<uint64_t>(std::llround(ns * 1e6));
}

/// Whole clocks that cover \p ns; a product that misses a clock edge only by
/// the rounding of the period to femtoseconds does not cost another clock.
static unsigned ceilClocks(double ns, uint64_t tckFs) {
  uint64_t fs = nsToFs(ns);
  uint64_t slack = fs / 1000000 + 1;
  return static_cast<unsigned>((std::max(fs, slack) - slack + tckFs - 1) /
                               tckFs);
}

static double accessNs(const DramSpec &spec) {
  double bytesPerSecond =
      spec.pinBytesPerSecond / spec.channels / spec.pseudoChannels;
  return spec.accessBytes / bytesPerSecond * 1e9;
}

DramTiming::DramTiming(const DramSpec &spec) {
  const DramTimingSpec &t = spec.timing;
  tckFs = nsToFs(t.tckNs);
  auto clocks = [&](double ns) { return ceilClocks(ns, tckFs); };
  burst = std::max(1u, clocks(accessNs(spec)));
  rl = clocks(t.rlNs);
  wl = clocks(t.wlNs);
  rcdRead = clocks(t.rcdReadNs);
  rcdWrite = clocks(t.rcdWriteNs);
  rp = clocks(t.rpNs);
  rpAll = clocks(t.rpAllNs);
  ras = clocks(t.rasNs);
  wr = clocks(t.wrNs);
  rtp = clocks(t.rtpNs);
  // Two accesses can never share the data bus, whatever tCCD says.
  ccdShort = std::max(burst, clocks(t.ccdShortNs));
  ccdLong = std::max(ccdShort, clocks(t.ccdLongNs));
  rrdShort = clocks(t.rrdShortNs);
  rrdLong = std::max(rrdShort, clocks(t.rrdLongNs));
  faw = clocks(t.fawNs);
  wtrShort = clocks(t.wtrShortNs);
  wtrLong = std::max(wtrShort, clocks(t.wtrLongNs));
  rtwGap = clocks(t.rtwGapNs);
  refi = static_cast<unsigned>(nsToFs(t.refiNs) / tckFs);
  rfcAll = clocks(t.rfcAllNs);
  rfcBank = clocks(t.rfcBankNs);
}

unsigned DramTiming::readToWrite() const {
  unsigned dataEnd = rl + burst + rtwGap;
  // A write latency beyond the whole read still takes one command slot.
  return dataEnd > wl ? dataEnd - wl : 1;
}

static std::string message(const char *what, double found, const char *need) {
  char text[256];
  std::snprintf(text, sizeof text, "dram: %s is %.9g, but must be %s", what,
                found, need);
  return text;
}

std::string DramTiming::check(const DramSpec &spec) {
  const DramTimingSpec &t = spec.timing;
  struct Count {
    const char *name;
    unsigned value;
  };
  for (const Count &c :
       std::initializer_list<Count>{{"channels", spec.channels},
                                    {"pseudo_channels", spec.pseudoChannels},
                                    {"bank_groups", spec.bankGroups},
                                    {"banks_per_group", spec.banksPerGroup},
                                    {"read_queue", spec.readQueue},
                                    {"write_queue", spec.writeQueue}}) {
    if (c.value == 0) {
      return message(c.name, 0, "at least 1");
    }
  }
  if (!std::has_single_bit(spec.accessBytes)) {
    return message("access_bytes", spec.accessBytes, "a power of two");
  }
  if (!std::has_single_bit(spec.eccDataBytes) ||
      spec.eccDataBytes < spec.accessBytes) {
    return message("ecc_data_bytes", spec.eccDataBytes,
                   "a power of two of at least access_bytes");
  }
  if (!std::has_single_bit(spec.rowBytes) ||
      spec.rowBytes < spec.eccDataBytes + spec.accessBytes) {
    return message("row_bytes", spec.rowBytes,
                   "a power of two that holds ecc_data_bytes and one access "
                   "of code");
  }
  uint64_t banks = uint64_t(spec.channels) * spec.pseudoChannels *
                   spec.bankGroups * spec.banksPerGroup;
  if (spec.bytes / banks < spec.rowBytes) {
    return message("bytes", double(spec.bytes),
                   "at least one row in each bank");
  }
  struct Time {
    const char *name;
    double ns;
  };
  for (const Time &x :
       std::initializer_list<Time>{{"timing.rl_ns", t.rlNs},
                                   {"timing.wl_ns", t.wlNs},
                                   {"timing.rcd_read_ns", t.rcdReadNs},
                                   {"timing.rcd_write_ns", t.rcdWriteNs},
                                   {"timing.rp_ns", t.rpNs},
                                   {"timing.rp_all_ns", t.rpAllNs},
                                   {"timing.ras_ns", t.rasNs},
                                   {"timing.wr_ns", t.wrNs},
                                   {"timing.rtp_ns", t.rtpNs},
                                   {"timing.ccd_short_ns", t.ccdShortNs},
                                   {"timing.ccd_long_ns", t.ccdLongNs},
                                   {"timing.rrd_short_ns", t.rrdShortNs},
                                   {"timing.rrd_long_ns", t.rrdLongNs},
                                   {"timing.faw_ns", t.fawNs},
                                   {"timing.wtr_short_ns", t.wtrShortNs},
                                   {"timing.wtr_long_ns", t.wtrLongNs},
                                   {"timing.rtw_gap_ns", t.rtwGapNs},
                                   {"timing.rfc_all_ns", t.rfcAllNs},
                                   {"timing.rfc_bank_ns", t.rfcBankNs},
                                   {"controller_ns", spec.controllerNs}}) {
    if (!(x.ns >= 0 && x.ns <= 1e6)) {
      return message(x.name, x.ns, "between 0 and 1e6 ns");
    }
  }
  if (!(t.tckNs >= 0.001 && t.tckNs <= 1000)) {
    return message("timing.tck_ns", t.tckNs, "between 0.001 and 1000 ns");
  }
  if (!(spec.pinBytesPerSecond > 0)) {
    return message("pin_bytes_per_second", spec.pinBytesPerSecond,
                   "above zero");
  }
  double burstClocks = accessNs(spec) / t.tckNs;
  if (!(burstClocks <= 1024)) {
    return message("pin_bytes_per_second", spec.pinBytesPerSecond,
                   "enough for one access in 1024 clocks");
  }
  DramTiming resolved(spec);
  if (std::fabs(resolved.burst - burstClocks) > 0.01 * burstClocks) {
    return message("clocks of one access (access_bytes / pin rate / tck_ns)",
                   burstClocks,
                   "a whole number: change timing.tck_ns or "
                   "pin_bytes_per_second");
  }
  if (!(spec.drainLow >= 0 && spec.drainLow <= spec.drainHigh &&
        spec.drainHigh < 1)) {
    return message("drain_high", spec.drainHigh,
                   "below 1 and not below drain_low, itself not below 0");
  }
  // A refresh interval must leave time to work: all banks closed and
  // refreshed, or each bank of its turn.
  double busy = spec.refresh == DramRefresh::AllBank ? t.rpAllNs + t.rfcAllNs
                                                     : t.rpNs + t.rfcBankNs;
  if (!(t.refiNs > 2 * (busy + t.rasNs) && t.refiNs <= 1e9)) {
    return message("timing.refi_ns", t.refiNs,
                   "more than twice precharge, refresh and ras time together");
  }
  return {};
}
