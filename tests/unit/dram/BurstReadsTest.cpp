//===- BurstReadsTest.cpp - The short way against the general one ---------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Reads of whole granules are timed by code of their own. It must give the
// times of the general path exactly, whatever the channel did before: two
// channels are handed the same requests, one of them goes step by step.
//
//===----------------------------------------------------------------------===//

#include "sim/dram/BurstChannel.h"
#include "tests/unit/dram/DramTestDevices.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace chipwright;
using namespace chipwright::sim;
using namespace chipwright::dramtest;

namespace {

struct Traffic {
  const char *name;
  unsigned streams;      // each reads on from where it is
  unsigned granules;     // of a request, at most
  unsigned gapNs;        // between requests, at most
  unsigned writePercent; // of requests
  unsigned oddPercent;   // not of whole granules
};

constexpr Traffic kTraffics[] = {
    {"one stream", 1, 4, 10, 0, 0},
    {"many streams, saturating", 72, 4, 4, 0, 0},
    {"many streams, idle in between", 24, 8, 120, 0, 0},
    {"long requests", 8, 16, 100, 0, 0},
    {"parts of granules between whole ones", 32, 4, 20, 0, 10},
    {"writes now and then", 32, 4, 30, 2, 2},
    {"copies", 16, 4, 30, 40, 5},
};

void compare(const DramSpec &spec, const Traffic &traffic, uint64_t start,
             unsigned requests) {
  const MemorySpec mem = memory();
  BurstChannel shortWay(spec, mem), general(spec, mem);
  general.timeEachRunApart(true);
  Random random(start);
  const unsigned granule = DramAddressMap(spec, mem).granuleBytes();
  const uint64_t last = general.dataBytes() / granule - 64;
  std::vector<uint64_t> position(traffic.streams);
  for (uint64_t &each : position) {
    each = random.below(last);
  }
  uint64_t now = 0;
  for (unsigned i = 0; i < requests; ++i) {
    // A request may lie before the one that came before it.
    now += random.below(traffic.gapNs * 1000) * 1000;
    uint64_t &at = position[random.below(traffic.streams)];
    const unsigned n = 1 + unsigned(random.below(traffic.granules));
    DramRequest request{now - std::min(now, random.below(3) * 5000000),
                        at * granule, n * granule,
                        random.below(100) < traffic.writePercent, i};
    if (random.below(100) < traffic.oddPercent) {
      request.channelOffset += random.below(granule);
      request.bytes = 1 + unsigned(random.below(2 * granule));
    }
    at = at + n < last ? at + n : random.below(last);
    ASSERT_EQ(shortWay.accessNow(request), general.accessNow(request))
        << traffic.name << ", request " << i;
    if (i % 64 == 0) {
      ASSERT_EQ(shortWay.digest(), general.digest())
          << traffic.name << ", request " << i;
    }
    if (random.below(2000) == 0) {
      ASSERT_EQ(shortWay.drain(), general.drain());
    }
  }
  EXPECT_EQ(shortWay.counters(), general.counters()) << traffic.name;
  EXPECT_EQ(shortWay.quiesce(now), general.quiesce(now)) << traffic.name;
  EXPECT_EQ(shortWay.digest(), general.digest()) << traffic.name;
}

TEST(BurstReadsTest, ShortWayGivesTheTimesOfTheGeneralOne) {
  const uint64_t start = seed();
  const unsigned requests = std::getenv("CHIPWRIGHT_LONG") ? 400000 : 6000;
  for (const DramSpec &device : {lpddr5(), hbm3()}) {
    for (const bool chip : {false, true}) {
      for (const bool ecc : {false, true}) {
        DramSpec spec = chip ? chipController(device) : device;
        spec.ecc = ecc;
        SCOPED_TRACE(
            std::string(spec.kind == DramKind::Hbm3 ? "HBM3" : "LPDDR5") +
            (chip ? ", per-bank refresh" : ", all-bank refresh") +
            (ecc ? ", code" : ""));
        for (const Traffic &traffic : kTraffics) {
          compare(spec, traffic, start, requests);
          if (HasFatalFailure()) {
            return;
          }
        }
      }
    }
  }
}

// Queues that a run fills, and such as hold a part of the last one.
TEST(BurstReadsTest, ShortQueues) {
  const uint64_t start = seed();
  for (const unsigned queue : {4u, 8u, 12u, 20u}) {
    DramSpec spec = chipController(hbm3());
    spec.readQueue = queue;
    SCOPED_TRACE("queue of " + std::to_string(queue));
    for (const Traffic &traffic : kTraffics) {
      compare(spec, traffic, start, 3000);
      if (HasFatalFailure()) {
        return;
      }
    }
  }
}

} // namespace
