//===- CommandTimer.h - When a DRAM command is legal ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The rules between the commands of one channel: for each command the earliest
// clock at which it is legal, kept up to date as commands are issued. Rules
// and names follow JESD209-5 (LPDDR5) and JESD238 (HBM3):
//
//  activate   -> column tRCD, -> precharge tRAS, -> activate of another bank
//             tRRD (by bank group), four in any tFAW
//  read       -> read tCCD, -> write RL + burst + gap - WL, -> precharge tRTP
//  write      -> write tCCD, -> read WL + burst + tWTR (by bank group),
//             -> precharge WL + burst + tWR
//  precharge  -> activate or refresh tRP; of all banks at once, tRPab
//  refresh    -> activate or refresh of the same bank(s) tRFC; a per-bank
//             refresh counts as an activate for tRRD, not for tFAW
//
// tRC is tRAS + tRP. Each command takes one clock of its bus. LPDDR5 has one
// bus and activates in two commands; tRP, tRRD, tFAW and all times after an
// activate count at the second. The first may stand two clocks before the
// second is legal, which leaves one clock between them to another command (the
// standard allows more, tAAD), and one bank of a channel at a time
// is between the two. HBM has a row and a column bus, shared by its
// pseudo-channels; everything else holds in each pseudo-channel by itself.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_DRAM_COMMANDTIMER_H
#define CHIPWRIGHT_SIM_DRAM_COMMANDTIMER_H

#include "sim/dram/DramTiming.h"

#include <array>
#include <vector>

namespace chipwright::sim {

class StateHash;

enum class DramCommand : uint8_t {
  ActivateSetup, // ACT-1; LPDDR5 only
  Activate,      // ACT, or ACT-2
  Precharge,
  PrechargeAll, // of one pseudo-channel
  Read,
  Write,
  RefreshAll, // of one pseudo-channel
  RefreshBank,
};

struct IssuedCommand {
  uint64_t clock;
  DramCommand command;
  uint32_t pseudo, bank, row;
};

class CommandTimer {
public:
  static constexpr uint64_t never = ~uint64_t(0);
  static constexpr uint32_t closed = ~uint32_t(0);

  explicit CommandTimer(const DramSpec &spec);

  /// First clock at which \p command is legal with what has been issued so
  /// far; never if another command must come first (a column command to a
  /// closed bank, an activate of an open one, ...).
  uint64_t earliest(DramCommand command, uint32_t pseudo, uint32_t bank) const;
  /// Notes that \p command is issued at \p clock, which must be at or after
  /// earliest(). \p row counts for activates.
  void issued(DramCommand command, uint32_t pseudo, uint32_t bank, uint32_t row,
              uint64_t clock);

  /// The open row of a bank, or closed.
  uint32_t openRow(uint32_t pseudo, uint32_t bank) const {
    return banks[pseudo * numBanks + bank].row;
  }
  /// Bank between its two activate commands; closed if none.
  uint32_t setupBank(uint32_t pseudo) const { return pseudos[pseudo].setup; }
  bool anyOpen(uint32_t pseudo) const { return pseudos[pseudo].open != 0; }

  /// Every later command is appended to \p stream; null ends that.
  void record(std::vector<IssuedCommand> *stream) { recorder = stream; }
  void reset();
  void hash(StateHash &hash, uint64_t epochClock) const;
  const DramTiming &rules() const { return timing; }

private:
  struct Bank {
    uint32_t row;
    uint64_t act, pre, read, write;
  };
  struct Group {
    uint64_t act, read, write;
  };
  struct Pseudo {
    uint64_t act, read, write;
    std::array<uint64_t, 4> window;
    unsigned windowPos, open;
    uint32_t setup;
  };
  uint64_t activateReady(const Pseudo &p, uint32_t pseudo, uint32_t bank) const;

  const DramTiming timing;
  const bool twoPart; // one bus, activates in two parts
  const unsigned numBanks, numGroups;
  std::vector<Bank> banks;
  std::vector<Group> groups;
  std::vector<Pseudo> pseudos;
  uint64_t rowBus, columnBus; // first free clock; one bus uses both alike
  std::vector<IssuedCommand> *recorder = nullptr;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_DRAM_COMMANDTIMER_H
