//===- RandomChip.cpp -----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/command_processor/RandomChip.h"

#include "chips/Geometry.h"

#include <algorithm>

using namespace chipwright;
using namespace chipwright::test;

ChipSpec test::randomArchitecture(const ChipSpec &base, Random &random) {
  ChipSpec chip = base;
  chip.ls.bytes = 128 << 10;
  chip.sram.llsBytes = 4 << 20;
  chip.sram.bytes = (4 << 20) + (512 << 10);
  chip.sram.partitionBytes = 64 << 10;
  chip.dram.bytes = uint64_t(1) << 30;
  chip.cp.contexts = random.pick({0u, 1u, 4u, 16u, 16u});
  chip.cp.mmlMaxPasses = unsigned(random.range(1, 4));
  chip.re.banks = unsigned(random.range(1, 4));
  return chip;
}

ChipSpec test::randomTiming(const ChipSpec &architecture, Random &random) {
  for (;;) {
    ChipSpec chip = architecture;
    auto number = [&](unsigned low, unsigned high) {
      return unsigned(random.range(low, high));
    };
    auto powerOfTwo = [&](unsigned low, unsigned high) {
      unsigned value = low;
      while (value < high && random.chance(60)) {
        value *= 2;
      }
      return value;
    };
    chip.clockGhz = 0.5 + 0.1 * number(0, 15);
    chip.hart.loadCycles = number(1, 6);
    chip.hart.mulCycles = number(1, 6);
    chip.hart.branchCycles = number(0, 4);
    chip.hart.cacheLineBytes = powerOfTwo(32, 128);
    chip.hart.cacheWays = powerOfTwo(1, 4);
    chip.hart.dcacheBytes = powerOfTwo(1024, 16384);
    chip.hart.icacheBytes = powerOfTwo(1024, 16384);
    chip.cp.writeCycles = number(0, 6);
    chip.cp.launchCycles = number(0, 4);
    chip.cp.dispatchCycles = number(0, 12);
    chip.cp.queueCommands = random.pick({1u, 2u, 3u, 4u, 8u, 16u, 64u});
    chip.ls.banks = powerOfTwo(1, 32);
    chip.ls.bankBytes = powerOfTwo(8, 128);
    chip.ls.latencyCycles = number(0, 30);
    chip.fi.portBytes = powerOfTwo(4, 128);
    chip.fi.requestBytes = powerOfTwo(32, 256);
    chip.fi.outstandingRequests = number(1, 64);
    chip.dpe.loadBytes = powerOfTwo(8, 64);
    chip.dpe.minPassCycles = number(1, 32);
    chip.dpe.pipelineCycles = number(0, 40);
    chip.re.drainOps = number(1, 4);
    chip.re.drainElements = powerOfTwo(4, 64);
    chip.re.linkBytes = powerOfTwo(16, 256);
    chip.re.hopCycles = number(0, 8);
    chip.se.lanes = powerOfTwo(4, 64);
    chip.se.opsPerSlot = number(1, 3);
    chip.se.divSlots = number(1, 8);
    chip.se.fillCycles = number(0, 60);
    chip.mlu.bytes = powerOfTwo(4, 128);
    chip.mlu.tile = powerOfTwo(4, 64);
    bool mesh = random.chance(40);
    chip.noc.topology = mesh ? NocTopology::Mesh : NocTopology::Crossbar;
    chip.noc.linkBytes = powerOfTwo(8, 128);
    chip.noc.hopCycles = number(0, 8);
    chip.noc.crossbarCycles = mesh ? 0 : number(0, 20);
    chip.noc.packetBytes = powerOfTwo(64, 512);
    chip.noc.trainBytes = chip.noc.packetBytes * number(1, 8);
    chip.noc.contention = random.chance(80);
    chip.noc.multicast = random.chance(80);
    chip.noc.multicastCommands = number(1, 8);
    chip.noc.shaping = random.chance(50);
    chip.noc.shapingBurstBytes = chip.noc.packetBytes * number(1, 4);
    chip.memory.interleaveBytes = powerOfTwo(256, 1024);
    chip.memory.interleaveHash = random.chance(50);
    chip.dram.channels = powerOfTwo(1, 4);
    chip.dram.pinBytesPerSecond = 12.8e9 * chip.dram.channels;
    chip.dram.level =
        random.chance(30) ? DramLevel::Command : DramLevel::Burst;
    chip.dram.ecc = random.chance(50);
    chip.dram.controllerNs = number(0, 200);
    chip.sram.banks = chip.dram.channels * powerOfTwo(1, 4);
    chip.sram.bankBytes = powerOfTwo(8, 128);
    chip.sram.latencyCycles = number(0, 40);
    chip.sram.llcWays = powerOfTwo(1, 8);
    chip.control.dispatchCycles = number(0, 400);
    chip.control.wqeCycles = number(0, 200);
    chip.control.completionCycles = number(0, 200);
    chip.control.barrierHopCycles = number(0, 10);
    chip.control.barrierCycles = number(0, 20);
    if (!checkGeometry(chip)) {
      return chip;
    }
  }
}
