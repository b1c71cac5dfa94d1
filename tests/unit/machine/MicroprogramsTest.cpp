//===- MicroprogramsTest.cpp - Exact cycle counts -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Every program of Microprograms.h takes exactly the cycles that its
// derivation gives, on the default chip and on chips with other values. Both
// modes agree, and so does every order of events inside a cycle.
//
//===----------------------------------------------------------------------===//

#include "tests/unit/machine/Microprograms.h"

#include <gtest/gtest.h>

#include <fmt/ranges.h>

#include <algorithm>

using namespace chipwright;
using namespace chipwright::test;

namespace {

struct Chip {
  Sets sets;
  const char *base = "mtia-2i";
};

// Values that differ from the default ones in all respects that a program of
// this file can see.
const Sets kSlowEngines = {"hart.load_cycles=4",
                           "hart.mul_cycles=6",
                           "hart.div_cycles=33",
                           "hart.branch_cycles=5",
                           "hart.fp_cycles=7",
                           "hart.fp_div_cycles=15",
                           "cp.write_cycles=1",
                           "cp.launch_cycles=3",
                           "cp.dispatch_cycles=9",
                           "cp.queue_commands=5",
                           "cp.atomic_cycles=11",
                           "ls.banks=10",
                           "ls.bank_bytes=32",
                           "ls.latency_cycles=7",
                           "dpe.load_bytes=32",
                           "dpe.min_pass_cycles=21",
                           "dpe.pipeline_cycles=9",
                           "re.drain_ops=1",
                           "re.drain_elements=32",
                           "re.link_bytes=48",
                           "re.hop_cycles=13",
                           "se.lanes=24",
                           "se.ops_per_slot=1",
                           "se.div_slots=9",
                           "se.fill_cycles=3",
                           "mlu.bytes=48",
                           "mlu.tile=16",
                           "control.barrier_hop_cycles=9",
                           "control.barrier_cycles=1"};
const Sets kSlowNetwork = {"fi.port_bytes=32",
                           "fi.outstanding_requests=1024",
                           "fi.request_bytes=64",
                           "noc.link_bytes=96",
                           "noc.hop_cycles=7",
                           "noc.crossbar_cycles=4",
                           "sram.bank_bytes=128",
                           "sram.latency_cycles=29",
                           "ls.latency_cycles=5",
                           "control.dispatch_cycles=77",
                           "control.descriptor_bytes=192",
                           "control.wqe_cycles=31",
                           "control.completion_cycles=12",
                           "host.bytes_per_second=17e9",
                           "host.payload_bytes=128",
                           "host.overhead_bytes=20",
                           "host.round_trip_ns=1234",
                           "clock_ghz=1.1"};
const Sets kFastNetwork = {
    "fi.port_bytes=128",    "fi.outstanding_requests=512",
    "fi.request_bytes=32",  "noc.link_bytes=32",
    "noc.hop_cycles=1",     "noc.crossbar_cycles=21",
    "sram.bank_bytes=64",   "sram.latency_cycles=5",
    "ls.latency_cycles=1",  "cp.launch_cycles=2",
    "cp.dispatch_cycles=2", "clock_ghz=2"};
const Sets kNoContexts = {"cp.contexts=0", "cp.write_cycles=2", "se.lanes=64",
                          "mlu.bytes=128", "ls.banks=2"};
const Sets kSmallGrid = {"grid.rows=2", "grid.cols=2"};
const Sets kOnePe = {"grid.rows=1", "grid.cols=1"};

Cycle simulate(const ChipSpec &spec, const Micro &micro, sim::Mode mode,
               uint64_t seed) {
  MicroMachine machine(spec, mode, seed);
  sim::JobResult result =
      machine.run(micro.program, micro.rows, micro.cols, micro.writeBack);
  return micro.wholeLaunch ? result.cycles : result.kernelCycles;
}

void check(MicroBuilder build, const std::vector<Chip> &chips) {
  ASSERT_GE(chips.size(), 4u);
  std::vector<Cycle> counts;
  for (size_t i = 0; i < chips.size(); ++i) {
    SCOPED_TRACE(fmt::format("chip {}: {} {}", i, chips[i].base,
                             fmt::join(chips[i].sets, " ")));
    ChipSpec spec = chipWith(chips[i].sets, chips[i].base);
    Micro micro = build(spec);
    EXPECT_EQ(simulate(spec, micro, sim::Mode::Timing, 0), micro.cycles);
    if (spec.grid.numPes() <= 4) {
      EXPECT_EQ(simulate(spec, micro, sim::Mode::Functional, 0), micro.cycles);
      EXPECT_EQ(simulate(spec, micro, sim::Mode::Timing, 77), micro.cycles);
    }
    counts.push_back(micro.cycles);
  }
  // A formula that says the same for every chip would be no formula.
  std::sort(counts.begin(), counts.end());
  EXPECT_NE(counts.front(), counts.back());
}

/// The default chip, the other published one, and three unlike both.
const std::vector<Chip> kPeChips = {{{}, "mtia-2i"},
                                    {{}, "mtia-300"},
                                    {kOnePe + kSlowEngines},
                                    {kOnePe + kNoContexts},
                                    {kOnePe + kSlowNetwork}};
const Sets kUnshaped = {"noc.shaping=false"};
const std::vector<Chip> kMemoryChips = {
    {oneUnit() + kUnshaped},
    {kOnePe + oneUnit()},
    {kOnePe + oneUnit() + kSlowNetwork},
    {kOnePe + oneUnit() + kFastNetwork},
    {kOnePe + oneUnitMesh() + Sets{"noc.hop_cycles=6"}},
    {kOnePe + oneUnit() + kNoContexts}};
const std::vector<Chip> kGridChips = {{{}, "mtia-2i"},
                                      {{}, "mtia-300"},
                                      {kSmallGrid + kSlowEngines},
                                      {kSmallGrid + kSlowNetwork},
                                      {kSmallGrid + kNoContexts}};
const std::vector<Chip> kGridMemoryChips = {
    {oneUnit() + kUnshaped},
    {kSmallGrid + oneUnit() + kUnshaped},
    {kSmallGrid + oneUnit() + kSlowNetwork + kUnshaped},
    {kSmallGrid + oneUnit() + kFastNetwork + kUnshaped},
    {kSmallGrid + oneUnit() + kNoContexts + kUnshaped}};

} // namespace

TEST(Microprograms, emptyKernel) { check(emptyKernel, kPeChips); }
TEST(Microprograms, wholeLaunch) { check(wholeLaunch, kPeChips); }
TEST(Microprograms, hartArithmetic) { check(hartArithmetic, kPeChips); }
TEST(Microprograms, fieldWrites) { check(fieldWrites, kPeChips); }
TEST(Microprograms, queueCredit) { check(queueCredit, kPeChips); }
TEST(Microprograms, cbHandOver) { check(cbHandOver, kPeChips); }
TEST(Microprograms, dataCacheStream) { check(dataCacheStream, kMemoryChips); }
TEST(Microprograms, dataCacheReuse) {
  check(dataCacheReuse,
        {{{}},
         {oneUnit() + Sets{"hart.dcache_bytes=1024"}},
         {kOnePe + kSlowNetwork},
         {kOnePe + oneUnit() + kFastNetwork +
          Sets{"hart.dcache_bytes=1024", "hart.cache_ways=2"}}});
}
TEST(Microprograms, dataCacheConflict) {
  check(dataCacheConflict, {{{}},
                            {oneUnit() + Sets{"hart.cache_ways=2"}},
                            {kOnePe + kSlowNetwork + Sets{"hart.cache_ways=1"}},
                            {kOnePe + oneUnit() + kFastNetwork}});
}
TEST(Microprograms, instructionCache) {
  check(instructionCache,
        {{{kOnePe}},
         {kOnePe + Sets{"hart.icache_bytes=1024"}},
         {kOnePe + Sets{"hart.icache_bytes=1024", "hart.cache_line_bytes=32"}},
         {kOnePe + kSlowEngines + Sets{"hart.icache_bytes=512"}}});
}

TEST(Microprograms, mluCopy) { check(mluCopy, kPeChips); }
TEST(Microprograms, mluTranspose) { check(mluTranspose, kPeChips); }
TEST(Microprograms, simdChain) { check(simdChain, kPeChips); }
TEST(Microprograms, simdReciprocal) { check(simdReciprocal, kPeChips); }
TEST(Microprograms, rowTopk) { check(rowTopk, kPeChips); }
TEST(Microprograms, matrixPass) { check(matrixPass, kPeChips); }
TEST(Microprograms, matrixLoadBound) { check(matrixLoadBound, kPeChips); }
TEST(Microprograms, matrixShortPasses) { check(matrixShortPasses, kPeChips); }
TEST(Microprograms, matrixDrain) { check(matrixDrain, kPeChips); }
TEST(Microprograms, bankPreload) { check(bankPreload, kPeChips); }
TEST(Microprograms, localContention) { check(localContention, kPeChips); }

TEST(Microprograms, dmaOnePiece) {
  check(dmaOnePiece, kPeChips);
  check(dmaOnePiece, kMemoryChips);
}
TEST(Microprograms, dmaStream) { check(dmaStream, kMemoryChips); }
TEST(Microprograms, dmaStore) { check(dmaStore, kMemoryChips); }
TEST(Microprograms, dmaWindow) {
  check(
      dmaWindow,
      {{oneUnit() + kUnshaped + Sets{"fi.outstanding_requests=16"}},
       {kOnePe + oneUnit() + Sets{"fi.outstanding_requests=8"}},
       {kOnePe + oneUnit() + kSlowNetwork + Sets{"fi.outstanding_requests=12"}},
       {kOnePe + oneUnit() + kFastNetwork +
        Sets{"fi.outstanding_requests=24"}}});
}
TEST(Microprograms, dmaShaping) {
  const Sets two = {"grid.rows=2", "grid.cols=1"};
  check(dmaShaping, {{oneUnit()},
                     {two + oneUnit()},
                     {two + oneUnit() + Sets{"noc.shaping_burst_bytes=1024"}},
                     {two + oneUnit() + kUnshaped},
                     {two + oneUnit() + kFastNetwork}});
}
TEST(Microprograms, dmaHost) { check(dmaHost, kPeChips); }
TEST(Microprograms, dmaStrided) {
  const Sets banks = {"dram.channels=1",     "dram.pin_bytes_per_second=12.8e9",
                      "sram.banks=2",        "sram.bank_bytes=16",
                      "fi.request_bytes=64", "noc.shaping=false"};
  check(dmaStrided,
        {{banks},
         {banks + Sets{"memory.interleave_hash=false"}},
         {kOnePe + banks +
          Sets{"memory.interleave_bytes=512", "memory.interleave_hash=false"}},
         {kOnePe + banks +
          Sets{"sram.latency_cycles=31", "noc.link_bytes=128"}}});
}

TEST(Microprograms, gridBarrier) { check(gridBarrier, kGridChips); }
TEST(Microprograms, gridSemaphore) { check(gridSemaphore, kGridChips); }
TEST(Microprograms, gridReduce) { check(gridReduce, kGridChips); }
TEST(Microprograms, gridNeighbourRead) { check(gridNeighbourRead, kGridChips); }
TEST(Microprograms, gridMulticast) {
  check(gridMulticast, kGridMemoryChips);
  check(gridMulticast, {{kSmallGrid + oneUnitMesh() + kUnshaped},
                        {kSmallGrid + oneUnitMesh() +
                         Sets{"noc.shaping=false", "noc.hop_cycles=8"}},
                        {kSmallGrid + oneUnit() +
                         Sets{"noc.shaping=false", "noc.multicast=false"}},
                        {kSmallGrid + oneUnit() +
                         Sets{"noc.shaping=false", "sram.latency_cycles=40"}}});
}
TEST(Microprograms, gridMulticastCommands) {
  const Sets two = {"noc.multicast_commands=2", "noc.shaping=false"};
  check(gridMulticastCommands, {{oneUnit() + kUnshaped},
                                {kSmallGrid + oneUnit() + two},
                                {kSmallGrid + oneUnit() + kSlowNetwork + two},
                                {kSmallGrid + oneUnit() + kFastNetwork + two}});
}
TEST(Microprograms, gridTrains) {
  const Sets tall = {"grid.rows=2",         "grid.cols=2",
                     "noc.shaping=false",   "fi.port_bytes=128",
                     "sram.bank_bytes=256", "fi.outstanding_requests=1024"};
  check(gridTrains, {{oneUnit() + tall},
                     {oneUnit() + tall + Sets{"noc.train_bytes=8192"}},
                     {oneUnit() + tall + Sets{"noc.train_bytes=2048"}},
                     {oneUnit() + tall + Sets{"sram.latency_cycles=50"}}});
}

TEST(Microprograms, dramRead) {
  check(dramRead, {{dramChip()},
                   {dramChip() + Sets{"dram.timing.rl_ns=30"}},
                   {dramChip() + Sets{"dram.ecc=true"}},
                   {dramChip() + Sets{"dram.kind=hbm3"}},
                   {dramChip() + Sets{"dram.level=burst"}}});
}
TEST(Microprograms, dramPairs) {
  for (MicroBuilder build :
       {dramPairConflict, dramPairNeighbour, dramPairGroup, dramPairRow}) {
    check(build, {{dramChip()},
                  {dramChip() + Sets{"dram.timing.rp_ns=10"}},
                  {dramChip() + Sets{"dram.row_bytes=1024"}},
                  {dramChip() + Sets{"dram.timing.rcd_read_ns=25"}},
                  {dramChip() + Sets{"dram.banks_per_group=2"}}});
  }
}
TEST(Microprograms, dramStreams) {
  for (MicroBuilder build :
       {dramLongConflict, dramFiveBanks, dramTwoStreams, dramWrite,
        dramWriteAck, dramWriteThenReadShort, dramWriteThenReadLong}) {
    check(build, {{dramChip()},
                  {dramChip() + Sets{"dram.timing.rcd_read_ns=25",
                                     "dram.timing.rcd_write_ns=25"}},
                  {dramChip() + Sets{"dram.controller_ns=20"}},
                  {dramChip() + Sets{"dram.read_queue=8", "dram.write_queue=4",
                                     "dram.controller_ns=15"}}});
  }
}
TEST(Microprograms, dramTurns) {
  // The write queue holds a granule: no batch ends before it is written.
  for (MicroBuilder build : {dramReadThenWrite, dramWriteThenConflict}) {
    check(build,
          {{dramChip()},
           {dramChip() +
            Sets{"dram.timing.rcd_read_ns=25", "dram.timing.rcd_write_ns=25"}},
           {dramChip() + Sets{"dram.controller_ns=20"}},
           {dramChip() + Sets{"dram.read_queue=8", "dram.timing.wl_ns=15"}}});
  }
}
