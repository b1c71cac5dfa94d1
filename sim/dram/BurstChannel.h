//===- BurstChannel.h - DRAM channel by arithmetic --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The fast level: a run of column accesses to one row is timed in one step, in
// the order in which requests come. The resources are the same as those of
// CommandChannel:
//
//  - Queue slots. An access enters when the one readQueue places earlier has
//    left; from then on its row is prepared while other banks use the bus.
//  - Activates. Four-activate window and activate spacing are granted in
//    order; a grant does not wait for the bank, so a busy bank delays only its
//    own run.
//  - Data bus. A run takes the first free time at or after its data is ready.
//    Idle times that a late run leaves behind are kept in a short list, later
//    runs may use them (first-ready, first-come).
//  - Bank groups. Column commands of one group stand ccdLong apart; a run
//    ends no earlier than that allows, the bus time in between is others'.
//  - Command buses, as work per run.
//  - Direction. Writes wait in the write queue and are written in batches
//    between the watermarks, or when no read waits; rows of a batch are
//    prepared only after the direction has changed.
//  - Refresh, as blocked time from its due date.
//
// Times are femtoseconds; arrivals are not rounded to clock edges.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_DRAM_BURSTCHANNEL_H
#define CHIPWRIGHT_SIM_DRAM_BURSTCHANNEL_H

#include "sim/dram/DramAddressMap.h"
#include "sim/dram/DramChannel.h"
#include "sim/dram/DramTiming.h"
#include "sim/dram/FreeTimes.h"

#include <array>
#include <vector>

namespace chipwright::sim {

class BurstChannel final : public DramChannel {
public:
  /// \p spec must pass DramTiming::check().
  BurstChannel(const DramSpec &spec, const MemorySpec &memory);

  /// Times \p request and \returns its completion; the listener is not called.
  uint64_t accessNow(const DramRequest &request);

  /// For tests: times every run by the general path, which is what the short
  /// way for reads of whole granules is compared with.
  void timeEachRunApart(bool on) { eachRunApart = on; }

  void access(const DramRequest &request) override;
  uint64_t nextEventFs() const override { return noEvent; }
  void advanceTo(uint64_t) override {}
  uint64_t drain() override;
  uint64_t quiesce(uint64_t fs) override;
  void reset() override;
  uint64_t digest() const override;
  const DramCounters &counters() const override { return count; }
  uint64_t dataBytes() const override { return map.dataBytes(); }

private:
  static constexpr uint32_t closed = ~uint32_t(0);
  /// Places that the list of held slots moves on before it is put back to the
  /// front; few, to stay in the cache of the host.
  static constexpr unsigned heldSlide = 32;
  /// Granules that readGranules() takes at once.
  static constexpr unsigned kMostGranules = 16;

  // Every time member is an earliest allowed time; zero allows all.
  struct Bank {
    uint32_t row;
    uint16_t group;      // index into groups
    bool written;        // its last column command was a write
    uint64_t activated;  // time of the activate of `row`
    uint64_t preReady;   // earliest precharge
    uint64_t actReady;   // earliest activate of a closed bank
    uint64_t refreshDue; // per-bank refresh
  };
  struct Group {
    uint64_t actReady;  // rrdLong
    uint64_t dataReady; // next data slot of this group
    uint64_t writeEnd;  // end of its last write data
  };
  struct Pseudo {
    uint64_t actReady; // rrdShort
    std::array<uint64_t, 4> window;
    unsigned windowPos;
    FreeTimes bus;
    bool wrote;        // in the current write batch
    uint64_t deferred; // bus time of reads that the batch has overtaken
    uint64_t delay;    // of their commands, once it is over
    uint64_t resume;   // first read data behind it
    uint64_t reopened; // first data of an overtaken read
  };
  /// Reads that hold queue slots; they leave one access time apart.
  struct Held {
    uint64_t firstLeave;
    uint32_t row;
    uint16_t accesses;
    uint16_t bank; // index into banks
  };
  struct Write {
    uint32_t pseudo, bank, row, accesses;
    uint64_t entry;
  };

  /// What reads of several granules carry from run to run.
  struct Reads {
    uint64_t blockedUntil, columnFree, rowFree, lastReadCas;
    Held *heldBegin, *heldEnd;
    unsigned heldAccesses;
    uint64_t activates;
  };
  /// What a run of some accesses takes.
  struct RunTimes {
    RunTimes(const BurstChannel &c, unsigned n)
        : accesses(n), columns(n * c.tck), bus(n * c.burst),
          group(n * c.ccdLong), inGroup((n - 1) * c.ccdLong + c.burst),
          beforeLast((n - 1) * c.burst) {}
    unsigned accesses;
    uint64_t columns, bus, group, inGroup, beforeLast;
  };

  template <typename Run> void forEachRun(const DramRequest &request, Run run);
  bool readsOn(const DramRequest &request) const;
  uint64_t readGranules(const DramRequest &request);
  uint64_t readOn(Reads &r, const RunTimes &run, unsigned pseudo,
                  unsigned bankIndex, uint32_t row, uint64_t arrival);
  uint64_t readSlot(Reads &r, unsigned n);
  uint64_t writeNow(const DramRequest &request);
  template <bool IsWrite>
  uint64_t serve(uint32_t pseudo, uint32_t bank, uint32_t row, unsigned n,
                 uint64_t entry);
  uint64_t readSlot(unsigned n);
  void slideHeld();
  void holdSlots(unsigned bank, uint32_t row, uint64_t firstLeave, unsigned n);
  void reopen(const Held &run);
  uint64_t readRun(const DramLocation &place, unsigned n, uint64_t arrival);
  uint64_t writeRun(const DramLocation &place, unsigned n, uint64_t arrival);
  void serveWrite(uint64_t time, unsigned limit);
  void chooseWrite();
  uint64_t writePrecharge(const Bank &bank) const;
  unsigned wrap(unsigned i) const {
    return i >= writeQueue ? i - writeQueue : i;
  }
  void drainTo(uint64_t time, unsigned level);
  void drainIdle(uint64_t until);
  void toWrites(uint64_t time);
  void toReads();
  void refreshAll(uint64_t seen);
  void refreshBank(Bank &bank, uint64_t seen);
  void clearState(uint64_t time);

  const DramTiming timing;
  const DramAddressMap map;
  const unsigned accessShift, accessBytes, numBanks, numGroups, numPseudo;
  const bool ecc, allBank, splitBuses;
  const unsigned readQueue, writeQueue, highAccesses, lowAccesses;
  // The rules in femtoseconds.
  const uint64_t controller, tck, burst, rl, wl, rcdRead, rcdWrite, rp, rpAll,
      ras, rtp, writeToPre, ccdLong, rrdShort, rrdLong, faw, wtrShort, wtrLong,
      rtwGap, refi, rfcAll, rfcBank, bankRefi;

  std::vector<Bank> banks;   // [pseudo][bank]
  std::vector<Group> groups; // [pseudo][group]
  std::vector<Pseudo> pseudos;
  std::vector<Held> held;           // [heldBegin, heldEnd), by firstLeave
  std::vector<uint64_t> writeSlots; // ring: when each slot frees
  std::vector<Write> writes;        // ring
  unsigned heldBegin, heldEnd, heldAccesses;
  unsigned writePos, writeHead, writeCount, writeAccesses;
  bool writing, eachRunApart = false;
  uint64_t blockedUntil; // arrivals behind a full queue
  uint64_t drainFrom;    // the high watermark was passed; zero if not
  uint64_t modeStart;    // when the present direction was chosen
  uint64_t lastReadCas, lastWriteCas;
  uint64_t columnFree, rowFree; // command buses; one bus uses columnFree
  uint64_t columnDeferred;      // command time of overtaken reads
  uint64_t refreshDue;
  uint64_t epoch; // last canonical point
  DramCounters count;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_DRAM_BURSTCHANNEL_H
