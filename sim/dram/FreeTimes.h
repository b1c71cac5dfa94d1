//===- FreeTimes.h - When a data bus is free --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A bus that is booked ahead, not in order of time: idle times that a late run
// leaves behind may be taken by later runs. The kGaps latest of them are kept.
//
// The list stands at the end of an array, the latest time last, so that taking
// a gap out or splitting one moves older ones by a place. They are moved in
// blocks of a fixed size, and the place is found by counting: neither has a
// branch that depends on the list, which no predictor of the host would know.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_DRAM_FREETIMES_H
#define CHIPWRIGHT_SIM_DRAM_FREETIMES_H

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace chipwright::sim {

/// Free times of a bus whose users come in units of one access time.
class FreeTimes {
public:
  FreeTimes() { freeOnlyFrom(0); }

  /// Forgets the gaps; the bus is free from \p time on.
  void freeOnlyFrom(uint64_t time) {
    from.fill(0);
    until.fill(0);
    from[kLast] = time;
    until[kLast] = kNoEnd;
  }

  /// End of the last reservation.
  uint64_t end() const { return from[kLast]; }

  /// First time at or after \p ready at which there is room for an access,
  /// which takes \p burst.
  uint64_t start(uint64_t ready, uint64_t burst) const {
    return std::max(from[place(ready + burst)], ready);
  }

  /// Takes \p need, a multiple of \p burst, from \p ready on: in gaps and
  /// then at the end, in parts that are multiples of \p burst, too. What is
  /// left of a gap is kept if it has room for an access. \returns the end of
  /// the last part.
  [[gnu::always_inline]] uint64_t reserve(uint64_t ready, uint64_t need,
                                          uint64_t burst) {
    for (unsigned at = place(ready + burst);; ++at) {
      const uint64_t begin = from[at], stop = until[at];
      const uint64_t start = std::max(begin, ready);
      const uint64_t room = stop - start;
      const uint64_t take = room >= need ? need : room / burst * burst;
      const uint64_t end = start + take;
      const bool head = begin + burst <= start;
      const bool tail = end + burst <= stop;
      const Block olderFrom(&from[at - kGaps]), olderUntil(&until[at - kGaps]);
      from[at - 1] = begin;
      until[at - 1] = start;
      from[at] = tail ? end : begin;
      until[at] = tail ? stop : start;
      const unsigned to = at - kGaps + 1 - head - tail;
      olderFrom.store(&from[to]);
      olderUntil.store(&until[to]);
      until[kFirst - 1] = 0; // the oldest gap may have made room
      need -= take;
      if (need == 0) {
        return end;
      }
    }
  }

  /// Free time between \p time and the end.
  uint64_t freeAfter(uint64_t time) const {
    uint64_t sum = 0;
    for (unsigned i = kFirst; i < kLast; ++i) {
      sum += until[i] > time ? until[i] - std::max(from[i], time) : 0;
    }
    return sum;
  }

  /// Calls \p visit with begin and end of each gap, in order of time.
  template <typename Visitor> void forEachGap(Visitor visit) const {
    for (unsigned i = kFirst; i < kLast; ++i) {
      if (until[i] != 0) {
        visit(from[i], until[i]);
      }
    }
  }

  static constexpr unsigned kGaps = 8;

private:
  using Pair = uint64_t __attribute__((vector_size(16)));
  /// As many places as there are gaps, in registers.
  struct Block {
    explicit Block(const uint64_t *source)
        : a(load(source)), b(load(source + 2)), c(load(source + 4)),
          d(load(source + 6)) {}
    void store(uint64_t *target) const {
      std::memcpy(target, &a, sizeof(Pair));
      std::memcpy(target + 2, &b, sizeof(Pair));
      std::memcpy(target + 4, &c, sizeof(Pair));
      std::memcpy(target + 6, &d, sizeof(Pair));
    }
    Pair a, b, c, d;
  };
  static_assert(kGaps == 8);

  static Pair load(const uint64_t *source) {
    Pair pair;
    std::memcpy(&pair, source, sizeof(pair));
    return pair;
  }
  static constexpr unsigned kFirst = kGaps + 1, kLast = kFirst + kGaps;
  /// Later than any time, by less than half the range of a word.
  static constexpr uint64_t kNoEnd = uint64_t(1) << 62;

  /// The first place that is free until \p end or longer. Gaps end in order,
  /// none is too short for an access, and places without a gap end at zero.
  unsigned place(uint64_t end) const {
    Pair before = {};
    for (unsigned i = kFirst; i < kLast; i += 2) {
      before += (load(&until[i]) - end) >> 63;
    }
    return kFirst + static_cast<unsigned>(before[0] + before[1]);
  }

  // Places kFirst to kLast - 1 are for gaps, the last one is the time behind
  // all reservations; those before are there to be moved with the others.
  std::array<uint64_t, kLast + 1> from, until;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_DRAM_FREETIMES_H
