//===- HartPrograms.cpp - Launch, instructions, issue, caches -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/machine/Microprograms.h"

#include "tests/unit/hart/Assembler.h"

#include <algorithm>
#include <vector>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;
using sim::divideUp;
using sim::Op;

// Registers that HartCode leaves alone.
static constexpr unsigned s0 = 8, s1 = 9, s2 = 18;

Micro test::emptyKernel(const ChipSpec &spec) {
  Micro micro(spec);
  // Prologue and one halt.
  micro.cycles =
      kernelCycles(spec, micro.program.reached(micro.program.main()) + 1);
  return micro;
}

Micro test::wholeLaunch(const ChipSpec &spec) {
  Micro micro = emptyKernel(spec);
  // The control core takes its time, descriptor and image pass the control
  // core's link and travel, the work-queue engine starts the harts; at the end
  // the control core sees the last PE's message.
  Cycle transfer = divideUp(spec.control.descriptorBytes +
                                micro.program.image().bytes.size(),
                            spec.noc.linkBytes);
  micro.cycles += spec.control.dispatchCycles + controlLatency(spec, 0, 0) +
                  transfer + spec.control.wqeCycles +
                  std::max(1u, spec.control.completionCycles);
  micro.wholeLaunch = true;
  return micro;
}

Micro test::hartArithmetic(const ChipSpec &spec) {
  Micro micro(spec);
  HartCode &code = micro.program.main();
  code.constant(s0, sim::kLocalBase);
  Cycle cycles = micro.program.reached(code);
  auto then = [&](uint32_t word, Cycle cost) {
    code.other(word);
    cycles += cost;
  };
  const HartSpec &hart = spec.hart;
  // An instruction and one that needs its result: the second issues when the
  // result is there, and takes one cycle.
  then(iType(Op::Ld, s1, s0, 0), hart.loadCycles);
  then(addi(s2, s1, 1), 1);
  then(rType(Op::Mul, s1, s2, s2), hart.mulCycles);
  then(addi(s2, s1, 1), 1);
  then(rType(Op::FaddS, 1, 2, 3), hart.fpCycles);
  then(rType(Op::FaddS, 1, 1, 1), hart.fpCycles);
  then(rType(Op::FsgnjS, 1, 1, 1), 1);
  // A multiplication nobody waits for: one cycle.
  then(rType(Op::Mul, s1, s2, s2), 1);
  // Divisions occupy the hart.
  then(rType(Op::Div, s1, s2, s2),
       std::max(hart.divCycles, hart.mulCycles - 1));
  then(rType(Op::FdivS, 1, 1, 1), hart.fpDivCycles);
  // A branch to the next instruction, taken, and one not taken.
  then(bType(Op::Beq, 0, 0, 4), 1 + hart.branchCycles);
  then(bType(Op::Bne, 0, 0, 4), 1);
  micro.cycles = kernelCycles(spec, cycles + 1);
  return micro;
}

Micro test::fieldWrites(const ChipSpec &spec) {
  Micro micro(spec);
  HartCode &code = micro.program.main();
  for (unsigned i = 0; i < 12; ++i) {
    code.set(0, i, i);
  }
  // Twelve constants of one instruction each, twelve writes, halt.
  micro.cycles = kernelCycles(
      spec, HartProgram::prologueCycles(spec) +
                12 * (1 + Cycle(std::max(1u, spec.cp.writeCycles))) + 1);
  return micro;
}

/// An SE command over \p rows x \p cols fp32 elements from CB 0 to CB 1.
static isa::SeCommand simdMove(unsigned rows, unsigned cols) {
  isa::SeCommand se;
  se.cb = 0;
  se.pitch = cols * 4;
  se.rows = rows;
  se.cols = cols;
  se.store = 1;
  se.outCb = 1;
  se.outPitch = cols * 4;
  return se;
}

Micro test::queueCredit(const ChipSpec &spec) {
  // 20 SE commands of one context, all alike: the contents of the context
  // stay. Without contexts a command would clear it, so the fields of those
  // chips are written every time.
  constexpr unsigned kCommands = 20, kRows = 3, kCols = 512;
  Micro micro(spec);
  HartCode &code = micro.program.main();
  code.cbSetup(0, 0, kRows * kCols * 4).cbSetup(1, 8192, kRows * kCols * 4);
  code.cbPush(0, kRows * kCols * 4);
  isa::SeCommand se = simdMove(kRows, kCols);
  Cycle duration =
      bounded(spec, kRows * divideUp(kCols, spec.se.lanes), kRows * kCols * 8);
  Cycle step = std::max(1u, spec.cp.launchCycles);
  Cycle issue = 0, hart = 0, previous = 0;
  std::vector<Cycle> start;
  for (unsigned i = 0; i < kCommands; ++i) {
    IssueCost before = code.cost();
    if (i == 0 || spec.cp.contexts == 0) {
      code.bind(0, se);
    }
    IssueCost after = code.cost();
    issue = i == 0 ? micro.program.reached(code)
                   : hart + after.cycles(spec) - before.cycles(spec);
    // The queue holds queue_commands that have not started. A hart that finds
    // it full goes on in the cycle after the start that makes room.
    if (i >= spec.cp.queueCommands) {
      issue = std::max(issue, start[i - spec.cp.queueCommands] + 1);
    }
    start.push_back(std::max(eligible(spec, issue), previous));
    previous = start.back() + duration;
    code.go(Opcode::Se, 0);
    hart = issue + step;
  }
  // So long that the hart ends last: what it lost shows.
  unsigned tail = static_cast<unsigned>(kCommands * duration + 200);
  code.idle(tail);
  micro.cycles = kernelCycles(spec, hart + tail + 1);
  return micro;
}

Micro test::cbHandOver(const ChipSpec &spec) {
  constexpr unsigned kBytes = 256;
  Micro micro(spec);
  HartCode &producer = micro.program.on(0, 0, 0);
  HartCode &consumer = micro.program.on(0, 0, 1);
  HartClock clock0(spec, producer), clock1(spec, consumer);
  Cycle step = std::max(1u, spec.cp.launchCycles);

  // Hart 0 sets the CB up; then both meet at a barrier of this PE.
  producer.cbSetup(0, 0, kBytes).barrier(1, 1, 1);
  consumer.barrier(1, 1, 1);
  Cycle released = std::max(clock0.now(), clock1.now()) +
                   std::max(1u, spec.control.barrierCycles);
  clock0.goOn(released);
  clock1.goOn(released);

  // Hart 0 pushes 40 cycles later. The push takes effect when it leaves the
  // command processor, and a hart that waits for it goes on the cycle after.
  producer.idle(40).cbPush(0, kBytes);
  Cycle pushed = eligible(spec, clock0.now() - step);
  consumer.cbWait(0, kBytes);
  clock1.goOn(std::max(clock1.now(), pushed + 1 + step));

  // Hart 1 pops 30 cycles later. Hart 0 has asked for space meanwhile.
  consumer.idle(30).cbPop(0, kBytes);
  Cycle popped = eligible(spec, clock1.now() - step);
  producer.cbReserve(0, kBytes);
  clock0.goOn(std::max(clock0.now(), popped + 1 + step));
  micro.cycles =
      kernelCycles(spec, std::max({clock0.now() + 1, clock1.now() + 1}));
  return micro;
}

//===----------------------------------------------------------------------===//
// Caches of the harts
//===----------------------------------------------------------------------===//

/// Loads of the lines at \p offsets of the control buffer in SRAM, in order.
static Micro lineLoads(const ChipSpec &spec,
                       const std::vector<unsigned> &offsets) {
  Micro micro(spec);
  HartCode &code = micro.program.main();
  const HartSpec &hart = spec.hart;
  unsigned line = hart.cacheLineBytes;
  unsigned sets = hart.dcacheBytes / line / hart.cacheWays;
  // Least recently used in each set, most recent first.
  std::vector<std::vector<uint64_t>> tags(sets);
  code.constant(s0, MicroMachine::kSramControl);
  Cycle cycles = micro.program.reached(code);
  for (unsigned offset : offsets) {
    code.other(uType(Op::Lui, s1, offset >> 12));
    code.other(rType(Op::Add, s1, s1, s0));
    code.other(iType(Op::Lbu, s2, s1, static_cast<int32_t>(offset & 0xfff)));
    uint64_t address = MicroMachine::kSramControl + offset;
    uint64_t number = address / line;
    std::vector<uint64_t> &set = tags[number % sets];
    auto found = std::find(set.begin(), set.end(), number);
    // A hit issues and goes on. A miss asks for the line and issues again when
    // it is there.
    cycles += 3;
    if (found != set.end()) {
      set.erase(found);
    } else {
      cycles += sramReadLatency(spec, sramUnit(spec, number * line), line);
      if (set.size() == hart.cacheWays) {
        set.pop_back();
      }
    }
    set.insert(set.begin(), number);
  }
  micro.cycles = kernelCycles(spec, cycles + 1);
  return micro;
}

Micro test::dataCacheStream(const ChipSpec &spec) {
  // 512 bytes in steps of eight: a miss per line.
  std::vector<unsigned> offsets;
  for (unsigned i = 0; i < 512; i += 8) {
    offsets.push_back(i & 0x7ff);
  }
  return lineLoads(spec, offsets);
}

Micro test::dataCacheReuse(const ChipSpec &spec) {
  // 1.5 KiB, twice: the second round hits if the cache holds it. Each load is
  // in a line of its own.
  std::vector<unsigned> offsets;
  for (unsigned round = 0; round < 2; ++round) {
    for (unsigned i = 0; i < 1536; i += 128) {
      offsets.push_back(i);
    }
  }
  return lineLoads(spec, offsets);
}

Micro test::dataCacheConflict(const ChipSpec &spec) {
  // Three lines of one set, in turn.
  std::vector<unsigned> offsets;
  for (unsigned round = 0; round < 4; ++round) {
    for (unsigned i = 0; i < 3; ++i) {
      offsets.push_back(i * 4096);
    }
  }
  return lineLoads(spec, offsets);
}

Micro test::instructionCache(const ChipSpec &spec) {
  Micro micro(spec);
  HartCode &code = micro.program.main();
  code.idle(340);
  Cycle cycles = micro.program.reached(code) + 1;
  uint64_t bytes = micro.program.image().bytes.size();
  if (bytes > spec.hart.icacheBytes) {
    // The image does not fit, so no line of it is there at the start. A
    // straight line of code misses each of its lines once; a fill reads the
    // resident image as local memory is read. The image begins at a line.
    uint64_t lines = divideUp(bytes, spec.hart.cacheLineBytes);
    // The idle hart's halt precedes the code of hart 0 in the image.
    cycles += lines * (spec.ls.latencyCycles +
                       divideUp(spec.hart.cacheLineBytes, spec.ls.bankBytes));
  }
  micro.cycles = kernelCycles(spec, cycles);
  return micro;
}
