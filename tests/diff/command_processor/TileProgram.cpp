//===- TileProgram.cpp - Regions, loads and stores ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/command_processor/TileProgram.h"

#include "sim/memory/AddressMap.h"
#include "sim/numerics/Element.h"
#include "tests/diff/command_processor/ProgramGenerator.h"

#include <algorithm>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;
using sim::elementBytes;

unsigned ProgramGenerator::addControl() {
  for (auto &record : program.control) {
    record.push_back(0);
  }
  return static_cast<unsigned>(program.control[0].size() - 1);
}

bool ProgramGenerator::anyReadable() const {
  return std::any_of(occupied.begin() + 1, occupied.end(),
                     [](unsigned slots) { return slots != 0; });
}

/// \returns room for \p bytes somewhere inside one of the slots there are.
ProgramGenerator::Place ProgramGenerator::readable(uint32_t bytes) {
  uint8_t ring = 0;
  do {
    ring = static_cast<uint8_t>(random.range(1, program.rings.size() - 1));
  } while (occupied[ring] == 0);
  uint32_t inside = slot - bytes;
  uint32_t at = random.chance(50) ? 0 : uint32_t(random.below(inside + 1));
  uint64_t depth = random.chance(60) ? 0 : random.below(occupied[ring]);
  return {ring, uint32_t(depth) * slot + at};
}

DType ProgramGenerator::someType(unsigned maxBytes) {
  for (;;) {
    DType type =
        random.pick({DType::F32, DType::F16, DType::F16, DType::BF16, DType::I8,
                     DType::I32, DType::F8E4M3, DType::F8E5M2});
    if (elementBytes(type) <= maxBytes) {
      return type;
    }
  }
}

//===----------------------------------------------------------------------===//
// Hart 0
//===----------------------------------------------------------------------===//

void ProgramGenerator::load(Region &region, uint8_t ring) {
  Step step{};
  step.kind = Step::Kind::Command;
  step.hart = 0;
  step.opcode = Opcode::DmaIn;
  step.statement = program.statements++;
  step.control = addControl();
  isa::DmaInCommand dma;
  dma.cb = ring;
  dma.rows = 1u << random.below(5);
  dma.rowBytes = slot / dma.rows;
  dma.localPitch = random.chance(50) ? 0 : dma.rowBytes;
  dma.validRows = dma.rows;
  dma.validBytes = dma.rowBytes;
  if (random.chance(30)) {
    dma.validRows = uint32_t(random.range(0, dma.rows));
    dma.validBytes = uint32_t(random.range(0, dma.rowBytes));
    dma.fill = uint32_t(random.below(2));
    dma.fillDtype = code(someType(4));
  }
  dma.policy = uint32_t(random.below(2));
  // Rows may be scattered, repeated or upside down.
  int64_t pitch = random.chance(60) ? dma.rowBytes
                                    : int64_t(random.below(2 * dma.rowBytes));
  bool down = random.chance(10);
  dma.pitch = down ? -pitch : pitch;
  uint64_t span = uint64_t(pitch) * (dma.rows - 1) + dma.rowBytes;
  step.stride = random.chance(80) ? slot : random.below(2 * slot);

  uint64_t from = program.memory.inBase, bytes = program.memory.inBytes;
  unsigned most =
      *std::max_element(region.executions.begin(), region.executions.end());
  if (readsEarlier && outOfPhases > span && random.chance(60)) {
    from = program.memory.outBase;
    bytes = outOfPhases;
    step.stride =
        std::min<uint64_t>(step.stride, (bytes - span) / std::max(1u, most));
  }
  uint64_t room = bytes - span - most * step.stride;
  bool byRow = region.rowUniform && program.cols > 1;
  bool byCol = region.colUniform && program.rows > 1;
  unsigned kind = 0;
  if ((byRow || byCol) && random.chance(60)) {
    kind = byRow && (!byCol || random.chance(50)) ? 1 : 2;
    step.multicast = true;
    addControl();
    addControl();
  }
  unsigned lines = kind == 1 ? program.rows : program.cols;
  unsigned members = kind == 1 ? program.cols : program.rows;
  std::vector<uint64_t> masks(lines), addresses(lines);
  auto place = [&] {
    uint64_t at = random.below(room + 1);
    at = random.chance(70) ? at & ~uint64_t(63) : at;
    return from + at + (down ? span - dma.rowBytes : 0);
  };
  for (unsigned line = 0; line < lines; ++line) {
    masks[line] = 1 + random.below((uint64_t(1) << members) - 1);
    if (random.chance(50)) {
      masks[line] = (uint64_t(1) << members) - 1;
    }
    addresses[line] = place();
  }
  step.operands = dma;
  for (unsigned pe = 0; pe < numPes(); ++pe) {
    auto &record = program.control[pe];
    record[step.control] = place();
    if (!step.multicast) {
      continue;
    }
    unsigned row = pe / program.cols, col = pe % program.cols;
    unsigned line = kind == 1 ? row : col, member = kind == 1 ? col : row;
    isa::DmaInCommand own = dma;
    // Not a member: it reads for itself.
    if (masks[line] >> member & 1) {
      own.mcast = kind;
      own.mcastMask = masks[line];
      record[step.control] = addresses[line];
    }
    uint64_t fields[isa::fieldCount] = {};
    isa::encodeFields(own, fields);
    record[step.control + 1] = fields[5];
    record[step.control + 2] = fields[6];
  }
  region.steps->push_back(std::move(step));
  ++occupied[ring];
}

//===----------------------------------------------------------------------===//
// Hart 1
//===----------------------------------------------------------------------===//

void ProgramGenerator::push(Region &region, uint8_t ring, unsigned slots) {
  Step step{};
  step.kind = Step::Kind::Push;
  step.cb = ring;
  step.bytes = slots * slot;
  region.steps->push_back(std::move(step));
  occupied[ring] += slots;
}

void ProgramGenerator::pop(Region &region, uint8_t ring, unsigned slots) {
  Step step{};
  step.kind = Step::Kind::Pop;
  step.cb = ring;
  step.bytes = slots * slot;
  region.steps->push_back(std::move(step));
  occupied[ring] -= slots;
}

void ProgramGenerator::store(Region &region, uint8_t ring) {
  Step step{};
  step.kind = Step::Kind::Command;
  step.opcode = Opcode::DmaOut;
  step.statement = program.statements++;
  step.control = addControl();
  isa::DmaOutCommand dma;
  dma.cb = ring;
  dma.rows = 1u << random.below(5);
  dma.rowBytes = slot / dma.rows;
  dma.localPitch = random.chance(50) ? 0 : dma.rowBytes;
  dma.validRows = dma.rows;
  dma.validBytes = dma.rowBytes;
  if (random.chance(25)) {
    dma.validRows = uint32_t(random.range(0, dma.rows));
    dma.validBytes = uint32_t(random.range(0, dma.rowBytes));
  }
  dma.policy = uint32_t(random.below(3));
  dma.pitch = dma.rowBytes + (random.chance(50) ? 0 : random.below(64));
  step.stride = uint64_t(dma.pitch) * dma.rows;
  step.operands = dma;
  for (unsigned pe = 0; pe < numPes(); ++pe) {
    program.control[pe][step.control] = program.memory.outBase + outUsed;
    outUsed += step.stride * region.executions[pe];
  }
  region.steps->push_back(std::move(step));
  --occupied[ring];
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

void ProgramGenerator::loop(Region &region) {
  Step step{};
  step.kind = Step::Kind::Loop;
  step.control = addControl();
  Region body{&step.body, region.rowUniform, region.colUniform,
              region.executions, region.depth + 1};
  unsigned agreement = unsigned(random.below(4));
  body.rowUniform &= agreement == 0 || agreement == 1;
  body.colUniform &= agreement == 0 || agreement == 2;
  std::vector<unsigned> drawn;
  for (unsigned i = 0; i < numPes(); ++i) {
    drawn.push_back(unsigned(random.chance(15) ? 0 : random.range(1, 3)));
  }
  for (unsigned pe = 0; pe < numPes(); ++pe) {
    unsigned row = pe / program.cols, col = pe % program.cols;
    unsigned from = agreement == 0   ? 0
                    : agreement == 1 ? row
                    : agreement == 2 ? col
                                     : pe;
    program.control[pe][step.control] = drawn[from];
    body.executions[pe] *= drawn[from];
  }
  if (random.chance(40)) {
    Step scalar{};
    scalar.kind = Step::Kind::Scalar;
    scalar.cb = kScalarRing;
    scalar.control = step.control;
    region.steps->push_back(std::move(scalar));
    step.countFromScalar = true;
  }
  fillRegion(body);
  region.steps->push_back(std::move(step));
}

void ProgramGenerator::randomStep(Region &region) {
  // More slots than this never wait in a ring.
  constexpr unsigned kMostSlots = 6;
  uint8_t ring =
      static_cast<uint8_t>(random.range(1, program.rings.size() - 1));
  bool full = std::any_of(occupied.begin() + firstMiddle, occupied.end(),
                          [](unsigned n) { return n + 2 > kMostSlots; });
  switch (random.below(12)) {
  case 10:
  case 11:
    skew(region);
    return;
  case 0:
  case 1:
  case 2: {
    uint8_t input = static_cast<uint8_t>(random.range(1, firstMiddle - 1));
    if (occupied[input] < kMostSlots) {
      load(region, input);
    }
    return;
  }
  case 3:
    if (region.depth < 2 && budget > 4) {
      loop(region);
    }
    return;
  case 4:
    if (occupied[ring] != 0) {
      pop(region, ring,
          random.chance(80) ? 1 : unsigned(random.range(1, occupied[ring])));
    }
    return;
  case 5:
    if (occupied[ring] != 0) {
      store(region, ring);
    }
    return;
  default:
    if (anyReadable() && !full) {
      compute(region);
    }
    return;
  }
}

void ProgramGenerator::fillRegion(Region &region) {
  std::vector<unsigned> before = occupied;
  unsigned steps = unsigned(random.range(2, 7));
  for (unsigned i = 0; i < steps && budget > 0; ++i) {
    --budget; // before the step, which may be a loop
    randomStep(region);
  }
  // The region's net effect on every ring is zero.
  for (uint8_t ring = 1; ring < program.rings.size(); ++ring) {
    while (occupied[ring] > before[ring]) {
      if (random.chance(70)) {
        store(region, ring);
      } else {
        pop(region, ring, 1);
      }
    }
  }
  for (uint8_t ring = 1; ring < program.rings.size(); ++ring) {
    while (occupied[ring] < before[ring]) {
      if (ring < firstMiddle) {
        load(region, ring);
      } else if (anyReadable()) {
        produce(region, ring, 0, slot);
        push(region, ring, 1);
      } else {
        // Something to read: a load whose slot is dropped again.
        load(region, 1);
        produce(region, ring, 0, slot);
        push(region, ring, 1);
        pop(region, 1, 1);
      }
    }
  }
}

TileProgram ProgramGenerator::generate() {
  auto [rows, cols] = random.pick<std::pair<unsigned, unsigned>>(
      {{1, 1}, {1, 2}, {2, 1}, {1, 3}, {3, 1}, {2, 2}, {2, 2}, {1, 4}, {4, 1}});
  program.rows = rows;
  program.cols = cols;
  program.control.resize(numPes());
  slot = random.pick({256u, 512u, 1024u});
  firstMiddle = static_cast<uint8_t>(1 + random.pick({1, 2, 2, 3, 3}));
  unsigned rings = firstMiddle + unsigned(random.range(1, 3));
  program.rings.assign(rings, {slot});
  program.rings[kScalarRing].slotBytes = kScalarBytes;
  occupied.assign(rings, 0);

  MemoryPlan &memory = program.memory;
  memory.inBytes = 64 << 10;
  auto space = [&] {
    return random.chance(50) ? sim::Space::Sram : sim::Space::Dram;
  };
  memory.inBase = sim::physicalAddress(space(), 0);
  memory.outBase = sim::physicalAddress(space(), 128 << 10);
  memory.controlBase = sim::physicalAddress(space(), 96 << 10);

  unsigned phases = random.chance(25) ? 2 : 1;
  for (unsigned phase = 0; phase < phases; ++phase) {
    budget = 14;
    readsEarlier = phase != 0;
    outOfPhases = outUsed;
    Region top{&program.steps, true, true, std::vector<unsigned>(numPes(), 1),
               0};
    while (budget > 0) {
      fillRegion(top);
    }
    if (phase + 1 < phases) {
      Step step{};
      step.kind = Step::Kind::Phase;
      program.steps.push_back(std::move(step));
    }
  }
  memory.outBytes = std::max<uint64_t>(outUsed, 64);
  return std::move(program);
}

TileProgram test::randomProgram(Random &random, const ProgramLimits &limits) {
  return ProgramGenerator(random, limits).generate();
}
