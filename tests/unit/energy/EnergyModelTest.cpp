//===- EnergyModelTest.cpp ------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The counts of a small run against arithmetic on its shapes, and the formulas
// against numbers.
//
//===----------------------------------------------------------------------===//

#include "sim/energy/EnergyModel.h"
#include "sim/memory/AddressMap.h"
#include "tests/unit/trace/TraceMachine.h"

#include <gtest/gtest.h>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

/// Sum over the granules of [offset, offset + bytes) of bytes times
/// \p hops(unit).
template <typename Locate, typename Hops>
uint64_t hopBytes(const Interleave &map, uint64_t offset, uint64_t bytes,
                  Locate locate, Hops hops) {
  uint64_t sum = 0;
  while (bytes != 0) {
    uint64_t piece = std::min(bytes, map.granuleRest(offset));
    sum += piece * hops(locate(offset).unit);
    offset += piece;
    bytes -= piece;
  }
  return sum;
}

TEST(EnergyCountsTest, MatrixRunByHand) {
  ResolvedChip chip = smallChip();
  const ChipSpec &spec = chip.spec;
  MatrixRun job(spec, nullptr);
  JobResult result = job.run();
  EnergyCounts counts = energyCounts(*job.machine);

  constexpr uint64_t pes = 4, rows = 2, elements = job.m * job.n;
  uint64_t passes = uint64_t(job.steps) * job.passes;
  EXPECT_EQ(counts.mac16, pes * passes * elements * job.k);
  EXPECT_EQ(counts.mac8, 0u);
  EXPECT_EQ(counts.mac32, 0u);
  EXPECT_EQ(counts.seOperations, pes * elements); // exp
  // Read-out, and the addition in the PE that ends each row's chain.
  EXPECT_EQ(counts.reOperations, pes * elements + rows * elements);
  EXPECT_EQ(counts.reductionHopBytes, rows * elements * 4);

  uint64_t dpe = passes * (job.m + job.n) * job.k * 2;
  uint64_t dmaIn = uint64_t(job.steps) * (job.aBytes + job.bBytes);
  // Read-out writes the result, SE and MLU read and write it, DMA reads it.
  uint64_t result16 = 6 * uint64_t(job.outBytes);
  EXPECT_EQ(counts.lsBytes, pes * (dpe + dmaIn + result16));

  // A by every PE, B once per row, results once.
  EXPECT_EQ(counts.sramBytes, pes * job.steps * job.aBytes);
  uint64_t dram = rows * job.steps * job.bBytes + pes * job.outBytes;
  EXPECT_EQ(counts.dramBytes, dram);
  EXPECT_EQ(counts.hostBytes, 0u);
  EXPECT_EQ(counts.instructions, result.instructions);

  const Interleave &map = job.machine->paths().interleave();
  const Noc &noc = job.machine->paths().noc();
  auto inSram = [&](uint64_t offset) { return map.sram(offset); };
  auto inDram = [&](uint64_t offset) { return map.dram(offset); };
  uint64_t hops = 0;
  for (unsigned pe = 0; pe < pes; ++pe) {
    hops +=
        hopBytes(map, job.aOffset, uint64_t(job.steps) * job.aBytes, inSram,
                 [&](unsigned unit) { return noc.unitToPe(unit, pe).hops; });
    hops +=
        hopBytes(map, job.outOffset + pe * job.outBytes, job.outBytes, inDram,
                 [&](unsigned unit) { return noc.peToUnit(pe, unit).hops; });
  }
  for (unsigned row = 0; row < rows; ++row) {
    hops += hopBytes(map, job.bOffset, uint64_t(job.steps) * job.bBytes, inDram,
                     [&](unsigned unit) {
                       return noc.multicast(unit, Line::Row, row).hops;
                     });
  }
  EXPECT_EQ(counts.nocHopBytes, hops);
}

TEST(EnergyCountsTest, InLineCodeCounts) {
  ResolvedChip with = smallChip({"dram.ecc=true"});
  uint64_t bytes = 0;
  {
    MatrixRun job(with.spec, nullptr);
    job.run();
    EnergyCounts counts = energyCounts(*job.machine);
    EXPECT_GT(counts.dramEccBytes, 0u);
    // One code access protects at most a granule of data.
    EXPECT_GE(counts.dramEccBytes * with.spec.dram.eccDataBytes,
              counts.dramBytes * with.spec.dram.accessBytes);
    bytes = counts.dramBytes;
  }
  ResolvedChip without = smallChip({"dram.ecc=false"});
  MatrixRun job(without.spec, nullptr);
  job.run();
  EnergyCounts counts = energyCounts(*job.machine);
  EXPECT_EQ(counts.dramEccBytes, 0u);
  EXPECT_EQ(counts.dramBytes, bytes);
}

TEST(EnergyCountsTest, SecondLaunchCountsTheSame) {
  ResolvedChip chip = smallChip();
  MatrixRun job(chip.spec, nullptr);
  job.run();
  EnergyCounts first = energyCounts(*job.machine);
  job.run();
  EnergyCounts second = energyCounts(*job.machine).since(first);
  EXPECT_EQ(second.mac16, first.mac16);
  EXPECT_EQ(second.instructions, first.instructions);
  EXPECT_EQ(second.lsBytes, first.lsBytes);
  EXPECT_EQ(second.sramBytes, first.sramBytes);
  EXPECT_EQ(second.nocHopBytes, first.nocHopBytes);
  EXPECT_EQ(second.reductionHopBytes, first.reductionHopBytes);
  EXPECT_EQ(second.dramBytes, first.dramBytes);
  EXPECT_EQ(second.reOperations, first.reOperations);
  EXPECT_EQ(second.seOperations, first.seOperations);
}

/// Each part alone, with round energies, so that no two parts can be mixed up.
TEST(EnergyModelTest, FormulaOfEachPart) {
  ResolvedChip chip = smallChip();
  ChipSpec spec = chip.spec;
  spec.clockGhz = 1.0; // a cycle is 1 ns
  spec.energy.mac16Pj = 2;
  spec.energy.mac8Pj = 3;
  spec.energy.mac32Pj = 5;
  spec.energy.seOpPj = 7;
  spec.energy.lsPjPerBit = 0.25;
  spec.energy.sramPjPerBit = 0.5;
  spec.energy.dramPjPerBit = 4;
  spec.energy.hostPjPerBit = 8;
  spec.energy.wirePjPerBitMm = 0.125;
  spec.energy.hopMm = 2;
  spec.energy.instructionPj = 11;
  spec.energy.leakageWattsPerMm2 = 0.01;
  spec.package.dieMm2 = 400;
  spec.package.tdpWatts = 80;

  EnergyCounts counts;
  counts.mac16 = 1'000;
  counts.mac8 = 10'000;
  counts.mac32 = 100'000;
  counts.seOperations = 20'000;
  counts.reOperations = 30'000;
  counts.lsBytes = 1'000;
  counts.sramBytes = 2'000;
  counts.nocHopBytes = 3'000;
  counts.reductionHopBytes = 4'000;
  counts.dramBytes = 5'000;
  counts.dramEccBytes = 500;
  counts.hostBytes = 6'000;
  counts.instructions = 7'000;
  EnergyReport report = computeEnergy(spec, counts, 1'000'000);

  constexpr double pj = 1e-12;
  EXPECT_DOUBLE_EQ(report.dpe, (2'000 + 30'000 + 500'000) * pj);
  EXPECT_DOUBLE_EQ(report.se, 140'000 * pj);
  EXPECT_DOUBLE_EQ(report.re, 210'000 * pj);
  EXPECT_DOUBLE_EQ(report.harts, 77'000 * pj);
  EXPECT_DOUBLE_EQ(report.localMemory, 2'000 * pj);
  EXPECT_DOUBLE_EQ(report.sram, 8'000 * pj);
  EXPECT_DOUBLE_EQ(report.noc, 6'000 * pj);
  EXPECT_DOUBLE_EQ(report.reductionNetwork, 8'000 * pj);
  EXPECT_DOUBLE_EQ(report.dram, 176'000 * pj);
  EXPECT_DOUBLE_EQ(report.host, 384'000 * pj);
  EXPECT_DOUBLE_EQ(report.seconds, 1e-3);
  EXPECT_DOUBLE_EQ(report.leakage, 4e-3); // 4 W for 1 ms
  double dynamic = (532'000 + 140'000 + 210'000 + 77'000 + 2'000 + 8'000 +
                    6'000 + 8'000 + 176'000 + 384'000) *
                   pj;
  EXPECT_DOUBLE_EQ(report.total(), 4e-3 + dynamic);
  EXPECT_DOUBLE_EQ(report.averageWatts(), (4e-3 + dynamic) / 1e-3);
  EXPECT_DOUBLE_EQ(report.tdpFraction, (4 + dynamic * 1e3) / 80);
}

TEST(EnergyModelTest, NoTimeNoWatts) {
  ResolvedChip chip = smallChip();
  EnergyReport report = computeEnergy(chip.spec, EnergyCounts(), 0);
  EXPECT_EQ(report.total(), 0);
  EXPECT_EQ(report.averageWatts(), 0);
  EXPECT_EQ(report.tdpFraction, 0);
}

class MulticastHops : public testing::TestWithParam<const char *> {};

/// A tree to all members has the hops of the route; one to a single member
/// those of the way to it; and members never cost less than fewer of them.
TEST_P(MulticastHops, FollowTheMembers) {
  Result<ResolvedChip> chip =
      loadChip(GetParam(), {}, {CHIPWRIGHT_SOURCE_DIR "/chips"});
  ASSERT_TRUE(chip) << chip.error().message;
  const GridSpec &grid = chip->spec.grid;
  std::unique_ptr<Noc> noc = Noc::create(chip->spec);
  std::vector<Cycle> arrivals(64);
  auto cost = [&](unsigned unit, Line line, unsigned index, uint64_t mask) {
    uint64_t before = noc->hopBytes();
    noc->sendMulticast(noc->multicast(unit, line, index), mask, 0, 64,
                       arrivals.data());
    return (noc->hopBytes() - before) / 64;
  };
  for (Line line : {Line::Row, Line::Column}) {
    unsigned members = line == Line::Row ? grid.cols : grid.rows;
    unsigned lines = line == Line::Row ? grid.rows : grid.cols;
    for (unsigned unit = 0; unit < noc->numUnits(); ++unit) {
      for (unsigned index = 0; index < lines; ++index) {
        uint64_t all = (uint64_t(1) << members) - 1;
        EXPECT_EQ(cost(unit, line, index, all),
                  noc->multicast(unit, line, index).hops);
        uint64_t last = 0;
        for (unsigned member = 0; member < members; ++member) {
          EXPECT_GE(cost(unit, line, index, uint64_t(1) << member), 1u);
          uint64_t some = cost(unit, line, index, (uint64_t(2) << member) - 1);
          EXPECT_GE(some, last);
          EXPECT_LE(some, noc->multicast(unit, line, index).hops);
          last = some;
        }
      }
    }
  }
  // PE 0,0 is the master of row 0, the first that a tree reaches.
  for (unsigned unit = 0; unit < noc->numUnits(); ++unit) {
    EXPECT_EQ(cost(unit, Line::Row, 0, 1), noc->unitToPe(unit, 0).hops);
  }
}

INSTANTIATE_TEST_SUITE_P(Chips, MulticastHops,
                         testing::Values("mtia-2i", "mtia-300"),
                         [](const auto &info) {
                           return std::string(info.param) == "mtia-2i"
                                      ? "crossbar"
                                      : "mesh";
                         });

} // namespace
