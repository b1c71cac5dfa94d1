//===- Geometry.cpp - Can this machine exist? -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/Geometry.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace chipwright {

namespace {

/// Collects the first broken rule.
class Checker {
public:
  std::optional<GeometryError> first;

  void require(bool holds, std::vector<std::string> paths, std::string text) {
    if (!holds && !first) {
      first = GeometryError{std::move(paths), std::move(text)};
    }
  }

  void powerOfTwo(const char *path, uint64_t value) {
    if (!std::has_single_bit(value)) {
      uint64_t below = std::bit_floor(value);
      require(false, {path},
              fmt::format("{}: expected a power of two, found {}; use {} or {}",
                          path, value, below, below * 2));
    }
  }

  /// \p path must be a multiple of \p unitPath.
  void multiple(const char *path, uint64_t value, const char *unitPath,
                uint64_t unit) {
    if (value % unit != 0) {
      uint64_t below = value / unit * unit;
      require(false, {path, unitPath},
              fmt::format("{}: expected a multiple of {} = {}, found {}; use "
                          "{}{} or change {}",
                          path, unitPath, unit, value,
                          below ? fmt::format("{}, ", below) : "", below + unit,
                          unitPath));
    }
  }

  void atMost(const char *path, double value, const char *limitPath,
              double limit) {
    require(value <= limit, {path, limitPath},
            fmt::format("{}: expected at most {} = {}, found {}; lower the "
                        "former or raise the latter",
                        path, limitPath, limit, value));
  }
};

void checkHart(const ChipSpec &chip, Checker &check) {
  check.powerOfTwo("hart.cache_line_bytes", chip.hart.cacheLineBytes);
  uint64_t way = uint64_t(chip.hart.cacheLineBytes) * chip.hart.cacheWays;
  for (auto [path, bytes] : {std::pair<const char *, uint64_t>{
                                 "hart.icache_bytes", chip.hart.icacheBytes},
                             {"hart.dcache_bytes", chip.hart.dcacheBytes}}) {
    check.require(
        bytes % way == 0 && std::has_single_bit(bytes / way),
        {path, "hart.cache_ways", "hart.cache_line_bytes"},
        fmt::format("{}: expected a power of two of sets of {} ways "
                    "x {} bytes, found {} bytes; use {}",
                    path, chip.hart.cacheWays, chip.hart.cacheLineBytes, bytes,
                    way * std::bit_ceil(std::max<uint64_t>(1, bytes / way))));
  }
}

void checkPe(const ChipSpec &chip, Checker &check) {
  check.powerOfTwo("ls.bank_bytes", chip.ls.bankBytes);
  check.multiple("ls.bytes", chip.ls.bytes, "ls.bank_bytes", chip.ls.bankBytes);
  check.powerOfTwo("dpe.k_bytes", chip.dpe.kBytes);
  check.powerOfTwo("fi.request_bytes", chip.fi.requestBytes);
  // The double-buffered operands of one pass and one fp32 result must fit.
  uint64_t cachedRows = uint64_t(chip.dpe.tiles) * chip.dpe.tileRows;
  uint64_t operands = (cachedRows + chip.dpe.streamRows) * chip.dpe.kBytes;
  uint64_t result = cachedRows * chip.dpe.streamRows * 4;
  uint64_t needed = 2 * operands + result;
  check.require(
      chip.ls.bytes >= needed, {"ls.bytes"},
      fmt::format("ls.bytes: expected at least {} bytes (operands of two "
                  "passes and one fp32 result block), found {}; raise ls.bytes "
                  "or shrink dpe.tiles, dpe.tile_rows, dpe.stream_rows, "
                  "dpe.k_bytes",
                  needed, chip.ls.bytes));
  check.atMost("dpe.load_bytes", chip.dpe.loadBytes,
               "dpe.tiles x dpe.tile_rows x dpe.k_bytes",
               static_cast<double>(cachedRows * chip.dpe.kBytes));
  for (DType type : chip.dpe.dtypes) {
    check.require(
        chip.dpe.kBytes % dtypeBytes(type) == 0, {"dpe.k_bytes", "dpe.dtypes"},
        fmt::format("dpe.k_bytes: expected whole {} elements, found "
                    "{} bytes; use a multiple of {}",
                    dtypeName(type), chip.dpe.kBytes, dtypeBytes(type)));
  }
}

void checkNoc(const ChipSpec &chip, Checker &check) {
  check.powerOfTwo("noc.packet_bytes", chip.noc.packetBytes);
  check.require(chip.noc.trainBytes >= chip.noc.packetBytes,
                {"noc.train_bytes", "noc.packet_bytes"},
                fmt::format("noc.train_bytes: expected at least one packet, "
                            "noc.packet_bytes = {}, found {}; raise the former "
                            "or lower the latter",
                            chip.noc.packetBytes, chip.noc.trainBytes));
  check.multiple("noc.train_bytes", chip.noc.trainBytes, "noc.packet_bytes",
                 chip.noc.packetBytes);
  check.require(!chip.noc.shaping ||
                    chip.noc.shapingBurstBytes >= chip.noc.packetBytes,
                {"noc.shaping_burst_bytes", "noc.packet_bytes"},
                fmt::format("noc.shaping_burst_bytes: expected at least one "
                            "packet, noc.packet_bytes = {}, found {}; the "
                            "bucket would never release one",
                            chip.noc.packetBytes, chip.noc.shapingBurstBytes));
  check.require(chip.noc.topology == NocTopology::Crossbar ||
                    chip.noc.crossbarCycles == 0,
                {"noc.crossbar_cycles", "noc.topology"},
                fmt::format("noc.crossbar_cycles: expected 0 on a mesh, which "
                            "has no crossbar, found {}; set it to 0 or use "
                            "noc.topology: crossbar",
                            chip.noc.crossbarCycles));
}

void checkSram(const ChipSpec &chip, Checker &check) {
  const SramSpec &sram = chip.sram;
  check.multiple("sram.bytes", sram.bytes, "sram.partition_bytes",
                 sram.partitionBytes);
  check.multiple("sram.lls_bytes", sram.llsBytes, "sram.partition_bytes",
                 sram.partitionBytes);
  check.atMost("sram.lls_bytes", static_cast<double>(sram.llsBytes),
               "sram.bytes", static_cast<double>(sram.bytes));
  // Slices stand in front of the memory channels, the same number at each.
  check.multiple("sram.banks", sram.banks, "dram.channels", chip.dram.channels);
  check.require(sram.bytes % sram.banks == 0, {"sram.banks", "sram.bytes"},
                fmt::format("sram.banks: expected a divisor of sram.bytes = "
                            "{}, found {}; change one of them",
                            sram.bytes, sram.banks));
  check.powerOfTwo("sram.bank_bytes", sram.bankBytes);
  uint64_t llc = sram.bytes - std::min(sram.llsBytes, sram.bytes);
  uint64_t row =
      uint64_t(sram.banks) * sram.llcWays * chip.memory.interleaveBytes;
  check.require(llc % row == 0,
                {"sram.lls_bytes", "sram.llc_ways", "sram.banks",
                 "memory.interleave_bytes"},
                fmt::format("sram.llc_ways: expected the cache part, {} bytes, "
                            "to be a multiple of banks x ways x interleave "
                            "granule = {} x {} x {} = {}, found a rest of {}; "
                            "change one of the three",
                            llc, sram.banks, sram.llcWays,
                            chip.memory.interleaveBytes, row, llc % row));
}

void checkDram(const ChipSpec &chip, Checker &check) {
  const DramSpec &dram = chip.dram;
  const DramTimingSpec &timing = dram.timing;
  check.powerOfTwo("memory.interleave_bytes", chip.memory.interleaveBytes);
  check.powerOfTwo("dram.access_bytes", dram.accessBytes);
  check.powerOfTwo("dram.row_bytes", dram.rowBytes);
  check.powerOfTwo("dram.bank_groups", dram.bankGroups);
  check.powerOfTwo("dram.banks_per_group", dram.banksPerGroup);
  check.powerOfTwo("dram.pseudo_channels", dram.pseudoChannels);
  check.require(chip.memory.interleaveBytes <= dram.rowBytes,
                {"memory.interleave_bytes", "dram.row_bytes"},
                fmt::format("memory.interleave_bytes: expected at most one "
                            "row, dram.row_bytes = {}, found {}; lower it or "
                            "raise dram.row_bytes",
                            dram.rowBytes, chip.memory.interleaveBytes));
  check.multiple("memory.interleave_bytes", chip.memory.interleaveBytes,
                 "dram.access_bytes", dram.accessBytes);
  check.atMost("fi.request_bytes", chip.fi.requestBytes,
               "memory.interleave_bytes", chip.memory.interleaveBytes);
  check.atMost("hart.cache_line_bytes", chip.hart.cacheLineBytes,
               "memory.interleave_bytes", chip.memory.interleaveBytes);
  // Every bank holds whole rows.
  uint64_t rowsOfAllBanks = uint64_t(dram.channels) * dram.pseudoChannels *
                            dram.bankGroups * dram.banksPerGroup *
                            dram.rowBytes;
  check.require(dram.bytes % rowsOfAllBanks == 0,
                {"dram.bytes", "dram.channels", "dram.row_bytes"},
                fmt::format("dram.bytes: expected whole rows in every bank, a "
                            "multiple of channels x pseudo-channels x banks x "
                            "row = {}, found {}; use {}",
                            rowsOfAllBanks, dram.bytes,
                            std::max<uint64_t>(1, dram.bytes / rowsOfAllBanks) *
                                rowsOfAllBanks));
  if (dram.ecc) {
    check.powerOfTwo("dram.ecc_data_bytes", dram.eccDataBytes);
    // A code access protects data of one row of one channel.
    check.require(
        dram.eccDataBytes <= chip.memory.interleaveBytes,
        {"dram.ecc_data_bytes", "memory.interleave_bytes"},
        fmt::format("dram.ecc_data_bytes: expected at most one interleave "
                    "granule, memory.interleave_bytes = {}, found {}; lower "
                    "the former, raise the latter, or set dram.ecc=false",
                    chip.memory.interleaveBytes, dram.eccDataBytes));
    check.require(dram.eccDataBytes >= dram.accessBytes,
                  {"dram.ecc_data_bytes", "dram.access_bytes"},
                  fmt::format("dram.ecc_data_bytes: expected at least one "
                              "access, dram.access_bytes = {}, found {}",
                              dram.accessBytes, dram.eccDataBytes));
    uint64_t codes =
        chip.memory.interleaveBytes / std::max(1u, dram.eccDataBytes);
    uint64_t slot = chip.memory.interleaveBytes + codes * dram.accessBytes;
    check.require(
        slot <= dram.rowBytes,
        {"memory.interleave_bytes", "dram.row_bytes", "dram.ecc"},
        fmt::format("memory.interleave_bytes: expected a row to hold a granule "
                    "and its code, {} + {} bytes, found dram.row_bytes = {}; "
                    "lower memory.interleave_bytes or set dram.ecc=false",
                    chip.memory.interleaveBytes, codes * dram.accessBytes,
                    dram.rowBytes));
  }
  check.require(dram.drainLow < dram.drainHigh,
                {"dram.drain_low", "dram.drain_high"},
                fmt::format("dram.drain_low: expected less than "
                            "dram.drain_high = {}, found {}",
                            dram.drainHigh, dram.drainLow));
  check.require(dram.drainHigh < 1, {"dram.drain_high"},
                fmt::format("dram.drain_high: expected less than 1, found {}; "
                            "a full write queue would never drain",
                            dram.drainHigh));
  // Commands and data share one clock grid (1 % for published rates that are
  // rounded).
  double accessClocks = 1e9 * dram.accessBytes * dram.channels *
                        dram.pseudoChannels / dram.pinBytesPerSecond /
                        timing.tckNs;
  double wholeClocks = std::max(1.0, std::round(accessClocks));
  check.require(
      std::fabs(accessClocks - wholeClocks) <= 0.01 * wholeClocks &&
          wholeClocks <= 1024,
      {"dram.pin_bytes_per_second", "dram.timing.tck_ns", "dram.access_bytes"},
      fmt::format("dram.pin_bytes_per_second: expected one access of {} bytes "
                  "to take a whole number of command clocks, 1 to 1024, found "
                  "{:.4g} clocks of {} ns; use {:.6g} or change "
                  "dram.timing.tck_ns",
                  dram.accessBytes, accessClocks, timing.tckNs,
                  dram.pinBytesPerSecond * accessClocks / wholeClocks));
  // Data of two accesses must not overlap on the pins.
  double accessNs = 1e9 * dram.accessBytes * dram.channels *
                    dram.pseudoChannels / dram.pinBytesPerSecond;
  check.require(
      timing.ccdShortNs >= 0.99 * accessNs,
      {"dram.timing.ccd_short_ns", "dram.pin_bytes_per_second"},
      fmt::format("dram.timing.ccd_short_ns: expected at least the {:.4g} ns "
                  "that the pins take for one access of {} bytes, found {}; "
                  "raise it, or raise dram.pin_bytes_per_second",
                  accessNs, dram.accessBytes, timing.ccdShortNs));
  check.atMost("dram.timing.ccd_short_ns", timing.ccdShortNs,
               "dram.timing.ccd_long_ns", timing.ccdLongNs);
  check.atMost("dram.timing.rrd_short_ns", timing.rrdShortNs,
               "dram.timing.rrd_long_ns", timing.rrdLongNs);
  check.atMost("dram.timing.wtr_short_ns", timing.wtrShortNs,
               "dram.timing.wtr_long_ns", timing.wtrLongNs);
  check.atMost("dram.timing.rcd_read_ns", timing.rcdReadNs,
               "dram.timing.ras_ns", timing.rasNs);
  check.atMost("dram.timing.rp_ns", timing.rpNs, "dram.timing.rp_all_ns",
               timing.rpAllNs);
  bool perBank = dram.refresh == DramRefresh::PerBank;
  const char *rfcPath =
      perBank ? "dram.timing.rfc_bank_ns" : "dram.timing.rfc_all_ns";
  double rfcNs = perBank ? timing.rfcBankNs : timing.rfcAllNs;
  double closeNs = perBank ? timing.rpNs : timing.rpAllNs;
  double needNs = 2 * (closeNs + rfcNs + timing.rasNs);
  check.require(
      needNs < timing.refiNs, {rfcPath, "dram.timing.refi_ns"},
      fmt::format("{}: expected precharge, refresh and row time together, {} "
                  "ns, to be less than half of dram.timing.refi_ns = {}, found "
                  "a refresh of {}; the channel would do little but refresh; "
                  "raise dram.timing.refi_ns above {}",
                  rfcPath, needNs / 2, timing.refiNs, rfcNs, needNs));
}

void checkPackage(const ChipSpec &chip, Checker &check) {
  check.atMost("package.typical_watts", chip.package.typicalWatts,
               "package.tdp_watts", chip.package.tdpWatts);
}

} // namespace

std::optional<GeometryError> checkGeometry(const ChipSpec &spec) {
  Checker check;
  checkHart(spec, check);
  checkPe(spec, check);
  checkNoc(spec, check);
  checkDram(spec, check);
  checkSram(spec, check);
  checkPackage(spec, check);
  return check.first;
}

} // namespace chipwright
