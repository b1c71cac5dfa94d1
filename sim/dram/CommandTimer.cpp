//===- CommandTimer.cpp - When a DRAM command is legal --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/dram/CommandTimer.h"

#include "sim/dram/StateHash.h"

#include <algorithm>

using namespace chipwright;
using namespace chipwright::sim;

static void raise(uint64_t &limit, uint64_t clock) {
  limit = std::max(limit, clock);
}

CommandTimer::CommandTimer(const DramSpec &spec)
    : timing(spec), twoPart(spec.kind == DramKind::Lpddr5),
      numBanks(spec.bankGroups * spec.banksPerGroup),
      numGroups(spec.bankGroups), banks(spec.pseudoChannels * numBanks),
      groups(spec.pseudoChannels * numGroups), pseudos(spec.pseudoChannels) {
  reset();
}

void CommandTimer::reset() {
  std::fill(banks.begin(), banks.end(), Bank{closed, 0, 0, 0, 0});
  std::fill(groups.begin(), groups.end(), Group{});
  std::fill(pseudos.begin(), pseudos.end(), Pseudo{});
  for (Pseudo &p : pseudos) {
    p.setup = closed;
  }
  rowBus = columnBus = 0;
}

/// What the bank, its group and its pseudo-channel ask of an activate.
uint64_t CommandTimer::activateReady(const Pseudo &p, uint32_t pseudo,
                                     uint32_t bank) const {
  const Group &group = groups[pseudo * numGroups + bank % numGroups];
  return std::max({banks[pseudo * numBanks + bank].act, group.act, p.act,
                   p.window[p.windowPos]});
}

uint64_t CommandTimer::earliest(DramCommand command, uint32_t pseudo,
                                uint32_t bankIndex) const {
  const Pseudo &p = pseudos[pseudo];
  const Bank &bank = banks[pseudo * numBanks + bankIndex];
  const Group &group = groups[pseudo * numGroups + bankIndex % numGroups];
  const bool open = bank.row != closed;
  switch (command) {
  case DramCommand::ActivateSetup: {
    if (!twoPart || open || p.setup != closed) {
      return never;
    }
    uint64_t ready = activateReady(p, pseudo, bankIndex);
    return std::max(rowBus, ready - std::min<uint64_t>(ready, 2));
  }
  case DramCommand::Activate:
    if (open || (twoPart && p.setup != bankIndex)) {
      return never;
    }
    return std::max(rowBus, activateReady(p, pseudo, bankIndex));
  case DramCommand::Precharge:
    return open ? std::max(rowBus, bank.pre) : never;
  case DramCommand::PrechargeAll: {
    if (p.setup != closed) {
      return never;
    }
    uint64_t ready = rowBus;
    for (unsigned i = 0; i < numBanks; ++i) {
      const Bank &other = banks[pseudo * numBanks + i];
      if (other.row != closed) {
        raise(ready, other.pre);
      }
    }
    return ready;
  }
  case DramCommand::Read:
    return open ? std::max({columnBus, bank.read, group.read, p.read}) : never;
  case DramCommand::Write:
    return open ? std::max({columnBus, bank.write, group.write, p.write})
                : never;
  case DramCommand::RefreshAll: {
    if (p.open != 0 || p.setup != closed) {
      return never;
    }
    uint64_t ready = rowBus;
    for (unsigned i = 0; i < numBanks; ++i) {
      raise(ready, banks[pseudo * numBanks + i].act);
    }
    return ready;
  }
  case DramCommand::RefreshBank:
    if (open || p.setup == bankIndex) {
      return never;
    }
    return std::max({rowBus, bank.act, group.act, p.act});
  }
  return never;
}

void CommandTimer::issued(DramCommand command, uint32_t pseudo,
                          uint32_t bankIndex, uint32_t row, uint64_t clock) {
  Pseudo &p = pseudos[pseudo];
  Bank &bank = banks[pseudo * numBanks + bankIndex];
  Group &group = groups[pseudo * numGroups + bankIndex % numGroups];
  const DramTiming &t = timing;
  switch (command) {
  case DramCommand::ActivateSetup:
    p.setup = bankIndex;
    break;
  case DramCommand::Activate:
    p.setup = closed;
    ++p.open;
    bank.row = row;
    bank.read = clock + t.rcdRead;
    bank.write = clock + t.rcdWrite;
    bank.pre = clock + t.ras;
    raise(p.act, clock + t.rrdShort);
    raise(group.act, clock + t.rrdLong);
    p.window[p.windowPos] = clock + t.faw;
    p.windowPos = (p.windowPos + 1) & 3;
    break;
  case DramCommand::Precharge:
    bank.row = closed;
    bank.act = clock + t.rp;
    --p.open;
    break;
  case DramCommand::PrechargeAll:
    for (unsigned i = 0; i < numBanks; ++i) {
      Bank &other = banks[pseudo * numBanks + i];
      if (other.row != closed) {
        other.row = closed;
        other.act = clock + t.rpAll;
      }
    }
    p.open = 0;
    break;
  case DramCommand::Read:
    raise(p.read, clock + t.ccdShort);
    raise(group.read, clock + t.ccdLong);
    raise(p.write, clock + t.readToWrite());
    raise(bank.pre, clock + t.rtp);
    break;
  case DramCommand::Write:
    raise(p.write, clock + t.ccdShort);
    raise(group.write, clock + t.ccdLong);
    raise(p.read, clock + t.writeToReadShort());
    raise(group.read, clock + t.writeToReadLong());
    raise(bank.pre, clock + t.writeToPrecharge());
    break;
  case DramCommand::RefreshAll:
    for (unsigned i = 0; i < numBanks; ++i) {
      banks[pseudo * numBanks + i].act = clock + t.rfcAll;
    }
    break;
  case DramCommand::RefreshBank:
    bank.act = clock + t.rfcBank;
    raise(p.act, clock + t.rrdShort);
    raise(group.act, clock + t.rrdLong);
    break;
  }
  const bool column =
      command == DramCommand::Read || command == DramCommand::Write;
  if (twoPart || column) {
    columnBus = clock + 1;
  }
  if (twoPart || !column) {
    rowBus = clock + 1;
  }
  if (recorder) {
    recorder->push_back({clock, command, pseudo, bankIndex, row});
  }
}

void CommandTimer::hash(StateHash &hash, uint64_t epochClock) const {
  auto time = [&](uint64_t t) { hash.add(t == 0 ? 0 : t - epochClock); };
  for (const Bank &bank : banks) {
    hash.add(bank.row);
    for (uint64_t t : {bank.act, bank.pre, bank.read, bank.write}) {
      time(t);
    }
  }
  for (const Group &group : groups) {
    for (uint64_t t : {group.act, group.read, group.write}) {
      time(t);
    }
  }
  for (const Pseudo &p : pseudos) {
    for (uint64_t t : {p.act, p.read, p.write}) {
      time(t);
    }
    for (unsigned i = 0; i < 4; ++i) {
      time(p.window[(p.windowPos + i) & 3]);
    }
    hash.add(p.open);
    hash.add(p.setup);
  }
  time(rowBus);
  time(columnBus);
}
