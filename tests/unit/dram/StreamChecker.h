//===- StreamChecker.h - Independent check of a command stream --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Reads a recorded command stream and reports what breaks a rule. Shares
// nothing with the model but the command names: rules are taken pair by pair
// from the nanoseconds of the specification.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_DRAM_STREAMCHECKER_H
#define CHIPWRIGHT_TESTS_UNIT_DRAM_STREAMCHECKER_H

#include "sim/dram/CommandTimer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

namespace chipwright::dramtest {

class StreamChecker {
public:
  explicit StreamChecker(const DramSpec &s) : spec(s) {}

  /// One line for each rule broken.
  std::vector<std::string> check(std::vector<sim::IssuedCommand> stream) {
    // Stable and nearly sorted already; std::stable_sort of this library
    // version trips over a deprecation warning.
    for (size_t i = 1; i < stream.size(); ++i) {
      for (size_t j = i; j > 0 && stream[j].clock < stream[j - 1].clock; --j) {
        std::swap(stream[j], stream[j - 1]);
      }
    }
    std::vector<std::string> broken;
    std::map<std::pair<unsigned, unsigned>, unsigned> open;
    std::map<unsigned, unsigned> setup; // pseudo-channel -> bank
    const DramTimingSpec &t = spec.timing;
    const int64_t horizon =
        writeEnd() + clocks(t.rfcAllNs) + clocks(t.rfcBankNs) +
        clocks(t.fawNs) + clocks(t.rasNs) + clocks(t.rpNs) + clocks(t.rpAllNs) +
        clocks(t.wrNs) + clocks(t.rlNs) + clocks(t.rtwGapNs) +
        clocks(t.wtrLongNs) + clocks(t.wtrShortNs) + clocks(t.rtpNs) +
        clocks(t.rcdReadNs) + clocks(t.rcdWriteNs) + clocks(t.rrdLongNs) +
        clocks(t.rrdShortNs) + clocks(t.ccdLongNs) + clocks(t.ccdShortNs);
    for (size_t i = 0; i < stream.size(); ++i) {
      const sim::IssuedCommand &now = stream[i];
      auto fail = [&](const std::string &what) {
        broken.push_back("command " + std::to_string(i) + " (" + name(now) +
                         ") at clock " + std::to_string(now.clock) + ": " +
                         what);
      };
      std::pair<unsigned, unsigned> bank{now.pseudo, now.bank};
      bool anyOpen = false;
      for (const auto &[key, row] : open) {
        anyOpen |= key.first == now.pseudo;
      }
      switch (now.command) {
      case C::ActivateSetup:
        if (spec.kind != DramKind::Lpddr5 || setup.count(now.pseudo)) {
          fail("two-part activate not possible here");
        }
        if (open.count(bank)) {
          fail("activate of an open bank");
        }
        setup[now.pseudo] = now.bank;
        break;
      case C::Activate:
        if (open.count(bank)) {
          fail("activate of an open bank");
        }
        if (spec.kind == DramKind::Lpddr5) {
          if (!setup.count(now.pseudo) || setup[now.pseudo] != now.bank) {
            fail("second part without the first");
          }
          setup.erase(now.pseudo);
        }
        open[bank] = now.row;
        break;
      case C::Precharge:
        if (!open.erase(bank)) {
          fail("precharge of a closed bank");
        }
        break;
      case C::PrechargeAll:
        std::erase_if(
            open, [&](const auto &e) { return e.first.first == now.pseudo; });
        break;
      case C::Read:
      case C::Write:
        if (!open.count(bank) || open[bank] != now.row) {
          fail("column command to a row that is not open");
        }
        break;
      case C::RefreshAll:
        if (anyOpen || setup.count(now.pseudo)) {
          fail("refresh of all banks with an open one");
        }
        break;
      case C::RefreshBank:
        if (open.count(bank)) {
          fail("refresh of an open bank");
        }
        break;
      }
      unsigned activates = 0;
      for (size_t j = i; j-- > 0;) {
        const sim::IssuedCommand &before = stream[j];
        int64_t gap = int64_t(now.clock) - int64_t(before.clock);
        if (gap >= horizon) {
          break;
        }
        if (gap == 0 && sameBus(before, now)) {
          fail("bus taken by " + name(before));
        }
        if (before.pseudo != now.pseudo) {
          continue;
        }
        int64_t need = minimum(before, now);
        if (gap < need) {
          fail(std::to_string(gap) + " clocks after " + name(before) +
               ", at least " + std::to_string(need));
        }
        if (now.command == C::Activate && before.command == C::Activate) {
          ++activates;
          if (activates == 4 && gap < clocks(spec.timing.fawNs)) {
            fail("five activates in tFAW");
          }
        }
      }
    }
    return broken;
  }

  int64_t clocks(double ns) const {
    return int64_t(std::ceil(ns / spec.timing.tckNs - 1e-6));
  }
  int64_t burst() const {
    return clocks(spec.accessBytes * 1e9 * spec.channels * spec.pseudoChannels /
                  spec.pinBytesPerSecond);
  }
  int64_t writeEnd() const { return clocks(spec.timing.wlNs) + burst(); }

private:
  using C = sim::DramCommand;

  static bool column(C c) { return c == C::Read || c == C::Write; }
  bool sameBus(const sim::IssuedCommand &a, const sim::IssuedCommand &b) const {
    return spec.kind == DramKind::Lpddr5 ||
           column(a.command) == column(b.command);
  }
  static std::string name(const sim::IssuedCommand &c) {
    static const char *names[] = {"ACT-1", "ACT", "PRE",   "PREA",
                                  "RD",    "WR",  "REFab", "REFpb"};
    return std::string(names[int(c.command)]) + " pc" +
           std::to_string(c.pseudo) + " bank" + std::to_string(c.bank);
  }

  /// Least distance from a to b in one pseudo-channel; 0 if no rule.
  int64_t minimum(const sim::IssuedCommand &a,
                  const sim::IssuedCommand &b) const {
    const DramTimingSpec &t = spec.timing;
    const bool bank = a.bank == b.bank;
    const bool group = a.bank % spec.bankGroups == b.bank % spec.bankGroups;
    const C x = a.command, y = b.command;
    const bool bankOf = bank || y == C::PrechargeAll; // all banks are its own
    switch (x) {
    case C::ActivateSetup:
      return y == C::Activate && bank ? 1 : 0;
    case C::Activate:
      if (y == C::Activate || y == C::RefreshBank) {
        return bank ? clocks(t.rasNs) + clocks(t.rpNs)
                    : clocks(group ? t.rrdLongNs : t.rrdShortNs);
      }
      if (y == C::Read && bank) {
        return clocks(t.rcdReadNs);
      }
      if (y == C::Write && bank) {
        return clocks(t.rcdWriteNs);
      }
      if ((y == C::Precharge || y == C::PrechargeAll) && bankOf) {
        return clocks(t.rasNs);
      }
      return 0;
    case C::Precharge:
      return ((y == C::Activate || y == C::RefreshBank) && bank) ||
                     y == C::RefreshAll
                 ? clocks(t.rpNs)
                 : 0;
    case C::PrechargeAll:
      return y == C::Activate || y == C::RefreshBank || y == C::RefreshAll
                 ? clocks(t.rpAllNs)
                 : 0;
    case C::Read:
      if (y == C::Read) {
        return std::max(burst(), clocks(group ? t.ccdLongNs : t.ccdShortNs));
      }
      if (y == C::Write) {
        return clocks(t.rlNs) + burst() + clocks(t.rtwGapNs) - clocks(t.wlNs);
      }
      return (y == C::Precharge || y == C::PrechargeAll) && bankOf
                 ? clocks(t.rtpNs)
                 : 0;
    case C::Write:
      if (y == C::Write) {
        return std::max(burst(), clocks(group ? t.ccdLongNs : t.ccdShortNs));
      }
      if (y == C::Read) {
        return writeEnd() + clocks(group ? t.wtrLongNs : t.wtrShortNs);
      }
      return (y == C::Precharge || y == C::PrechargeAll) && bankOf
                 ? writeEnd() + clocks(t.wrNs)
                 : 0;
    case C::RefreshAll:
      return y == C::Activate || y == C::RefreshAll || y == C::RefreshBank
                 ? clocks(t.rfcAllNs)
                 : 0;
    case C::RefreshBank:
      if (y == C::RefreshAll) {
        return clocks(t.rfcBankNs);
      }
      if (y == C::Activate || y == C::RefreshBank) {
        return bank ? clocks(t.rfcBankNs)
                    : clocks(group ? t.rrdLongNs : t.rrdShortNs);
      }
      return 0;
    }
    return 0;
  }

  const DramSpec spec;
};

} // namespace chipwright::dramtest

#endif // CHIPWRIGHT_TESTS_UNIT_DRAM_STREAMCHECKER_H
