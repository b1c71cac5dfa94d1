//===- TileProgram.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/command_processor/TileProgram.h"

#include "sim/memory/AddressMap.h"
#include "sim/numerics/Element.h"

#include <algorithm>
#include <bit>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;
using sim::elementBytes;

namespace {

uint32_t code(DType type) { return static_cast<uint32_t>(type); }

class Generator {
public:
  Generator(Random &random, const ProgramLimits &limits)
      : random(random), limits(limits) {}

  TileProgram generate();

private:
  /// Everything that follows from the loops around a step.
  struct Region {
    std::vector<Step> *steps;
    bool rowUniform, colUniform; // counts agree along rows, columns of PEs
    std::vector<unsigned> executions; // of the region, per PE
    unsigned depth;
  };

  void fillRegion(Region &region);
  void randomStep(Region &region);
  void loop(Region &region);
  void load(Region &region, uint8_t ring);
  void store(Region &region, uint8_t ring);
  void pop(Region &region, uint8_t ring, unsigned slots);
  void compute(Region &region);
  void fillSlots(Region &region, uint8_t ring);
  void produce(Region &region, uint8_t ring, uint32_t at, uint32_t bytes);
  void simd(Region &region, uint8_t ring, uint32_t at, uint32_t bytes);
  void move(Region &region, uint8_t ring, uint32_t at, uint32_t bytes);
  bool product(Region &region, uint8_t ring, uint32_t at, uint32_t bytes);
  void reduceRows(Region &region);
  void topk(Region &region);
  void chainOperands(isa::SeCommand &se, unsigned outBytes);
  void push(Region &region, uint8_t ring, unsigned slots);
  template <typename T>
  void command(Region &region, Opcode opcode, const T &operands);

  /// A slot that hart 1 may read: ring and offset of the slot.
  struct Place {
    uint32_t cb, offset;
  };
  bool anyReadable() const;
  Place readable(uint32_t bytes);
  uint8_t someMiddle() {
    return static_cast<uint8_t>(
        random.range(firstMiddle, program.rings.size() - 1));
  }
  DType someType(unsigned maxBytes);
  unsigned addControl();
  unsigned numPes() const { return program.numPes(); }

  Random &random;
  const ProgramLimits &limits;
  TileProgram program;
  uint32_t slot = 0;
  uint8_t firstMiddle = 0;
  std::vector<unsigned> occupied; // slots by ring
  unsigned budget = 0;            // steps that may still be made
  bool readsEarlier = false;      // loads may read what phase 1 stored
  uint64_t outUsed = 0, outOfPhases = 0;
};

unsigned Generator::addControl() {
  for (auto &record : program.control) {
    record.push_back(0);
  }
  return static_cast<unsigned>(program.control[0].size() - 1);
}

template <typename T>
void Generator::command(Region &region, Opcode opcode, const T &operands) {
  Step step{};
  step.kind = Step::Kind::Command;
  step.opcode = opcode;
  step.operands = operands;
  region.steps->push_back(std::move(step));
}

bool Generator::anyReadable() const {
  return std::any_of(occupied.begin() + 1, occupied.end(),
                     [](unsigned slots) { return slots != 0; });
}

/// \returns room for \p bytes somewhere inside one of the slots there are.
Generator::Place Generator::readable(uint32_t bytes) {
  uint8_t ring = 0;
  do {
    ring = static_cast<uint8_t>(random.range(1, program.rings.size() - 1));
  } while (occupied[ring] == 0);
  uint32_t inside = slot - bytes;
  uint32_t at = random.chance(50) ? 0 : uint32_t(random.below(inside + 1));
  uint64_t depth = random.chance(60) ? 0 : random.below(occupied[ring]);
  return {ring, uint32_t(depth) * slot + at};
}

DType Generator::someType(unsigned maxBytes) {
  for (;;) {
    DType type = random.pick({DType::F32, DType::F16, DType::F16, DType::BF16,
                              DType::I8, DType::I32, DType::F8E4M3,
                              DType::F8E5M2});
    if (elementBytes(type) <= maxBytes) {
      return type;
    }
  }
}

//===----------------------------------------------------------------------===//
// Hart 0
//===----------------------------------------------------------------------===//

void Generator::load(Region &region, uint8_t ring) {
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
    step.stride = std::min<uint64_t>(step.stride,
                                     (bytes - span) / std::max(1u, most));
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

void Generator::push(Region &region, uint8_t ring, unsigned slots) {
  Step step{};
  step.kind = Step::Kind::Push;
  step.cb = ring;
  step.bytes = slots * slot;
  region.steps->push_back(std::move(step));
  occupied[ring] += slots;
}

void Generator::pop(Region &region, uint8_t ring, unsigned slots) {
  Step step{};
  step.kind = Step::Kind::Pop;
  step.cb = ring;
  step.bytes = slots * slot;
  region.steps->push_back(std::move(step));
  occupied[ring] -= slots;
}

void Generator::store(Region &region, uint8_t ring) {
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

void Generator::chainOperands(isa::SeCommand &se, unsigned outBytes) {
  // An operand needs no more bytes per element than the result, so that it
  // fits a slot whenever the result does.
  auto operand = [&](uint32_t &kind, uint32_t &op, uint32_t &cb,
                     uint32_t &offset, uint32_t &pitch, uint32_t &dtype,
                     uint32_t &imm) {
    kind = random.chance(50) ? 0 : uint32_t(random.range(1, 4));
    op = uint32_t(random.below(6));
    unsigned width = 0;
    uint32_t bytes = 0;
    DType type = someType(outBytes);
    width = elementBytes(type);
    switch (static_cast<isa::OperandKind>(kind)) {
    case isa::OperandKind::Tile:
      pitch = se.cols * width;
      bytes = se.rows * pitch;
      break;
    case isa::OperandKind::PerRow:
      pitch = width * uint32_t(random.range(1, 3));
      bytes = (se.rows - 1) * pitch + width;
      break;
    case isa::OperandKind::PerCol:
      bytes = se.cols * width;
      break;
    case isa::OperandKind::Immediate:
      imm = std::bit_cast<uint32_t>(float(int(random.below(64)) - 32) / 8);
      return;
    default:
      return;
    }
    if (bytes > slot) {
      kind = 0;
      return;
    }
    Place place = readable(bytes);
    cb = place.cb;
    offset = place.offset;
    dtype = code(type);
  };
  operand(se.y1Kind, se.op1, se.y1Cb, se.y1Offset, se.y1Pitch, se.y1Dtype,
          se.y1Imm);
  operand(se.y2Kind, se.op2, se.y2Cb, se.y2Offset, se.y2Pitch, se.y2Dtype,
          se.y2Imm);
  se.f = random.chance(60) ? 0 : uint32_t(random.below(10));
  se.scale = random.chance(30);
  se.scaleImm = std::bit_cast<uint32_t>(0.25f * float(random.below(16)));
  se.swapPairs = se.cols % 2 == 0 && random.chance(20);
  if (random.chance(10) && se.rows * 8 <= slot) {
    Place place = readable(se.rows * 8);
    se.window = 1;
    se.winCb = place.cb;
    se.winOffset = place.offset;
    se.winBase = uint32_t(random.below(64));
    se.fillImm = std::bit_cast<uint32_t>(-1.5f);
  }
}

/// Fills [at, at + bytes) behind the write pointer of \p ring.
void Generator::simd(Region &region, uint8_t ring, uint32_t at,
                     uint32_t bytes) {
  isa::SeCommand se;
  DType out = someType(4);
  unsigned width = elementBytes(out);
  unsigned elements = bytes / width;
  se.rows = 1u << random.below(5);
  se.cols = elements / se.rows;
  DType in = someType(width);
  se.dtype = code(in);
  se.pitch = se.cols * elementBytes(in);
  Place x = readable(se.rows * se.pitch);
  se.cb = x.cb;
  se.offset = x.offset;
  se.store = 1;
  se.outCb = ring;
  se.outOffset = at;
  se.outPitch = se.cols * width;
  se.outDtype = code(out);
  chainOperands(se, width);
  command(region, Opcode::Se, se);
}

void Generator::move(Region &region, uint8_t ring, uint32_t at,
                     uint32_t bytes) {
  isa::MluCommand mlu;
  mlu.elemBytes = 1u << random.below(4);
  mlu.rows = 1u << random.below(5);
  mlu.cols = bytes / mlu.elemBytes / mlu.rows;
  if (mlu.cols == 0) {
    mlu.rows = 1;
    mlu.cols = bytes / mlu.elemBytes;
  }
  mlu.pitch = random.chance(70) ? mlu.cols * mlu.elemBytes
                                : uint32_t(random.below(mlu.cols)) *
                                      mlu.elemBytes;
  Place from = readable((mlu.rows - 1) * mlu.pitch + mlu.cols * mlu.elemBytes);
  mlu.cb = from.cb;
  mlu.offset = from.offset;
  bool transpose = random.chance(50);
  mlu.outCb = ring;
  mlu.outOffset = at;
  mlu.outPitch = (transpose ? mlu.rows : mlu.cols) * mlu.elemBytes;
  command(region, transpose ? Opcode::MluTranspose : Opcode::MluCopy, mlu);
}

/// Matrix products into a bank and its read-out.
bool Generator::product(Region &region, uint8_t ring, uint32_t at,
                        uint32_t bytes) {
  DType out = random.pick({DType::F32, DType::F32, DType::F16, DType::BF16});
  unsigned elements = bytes / elementBytes(out);
  unsigned most = slot / limits.kBytes; // rows of an operand in a slot
  isa::MmlCommand mml;
  mml.aRows = std::min({1u << random.below(6), 32u, most});
  mml.bRows = elements / mml.aRows;
  if (mml.bRows == 0 || mml.bRows > std::min(64u, most)) {
    mml.aRows = std::min(32u, most);
    mml.bRows = elements / mml.aRows;
  }
  if (mml.bRows == 0 || mml.bRows > std::min(64u, most) ||
      mml.aRows * mml.bRows != elements) {
    return false;
  }
  bool integer = random.chance(25);
  mml.bank = uint32_t(random.below(limits.banks));
  if (random.chance(30)) {
    isa::BankInitCommand init;
    init.rows = mml.aRows;
    init.cols = mml.bRows;
    init.bank = mml.bank;
    init.kind = uint32_t(random.below(3));
    DType type = integer ? DType::I32 : DType::F16;
    if (init.kind == 1 && init.rows * init.cols * elementBytes(type) > slot) {
      init.kind = 2;
    }
    init.dtype = code(type);
    init.pitch = init.cols * elementBytes(type);
    Place place = readable(init.kind == 1 ? init.rows * init.pitch
                                          : init.pitch);
    init.cb = place.cb;
    init.offset = place.offset;
    command(region, Opcode::BankInit, init);
    mml.accumulate = 1;
  } else {
    mml.accumulate = random.chance(30);
  }
  unsigned products = unsigned(random.range(1, 3));
  for (unsigned i = 0; i < products; ++i) {
    auto type = [&] {
      return integer ? DType::I8 : random.pick({DType::F16, DType::BF16});
    };
    mml.aDtype = code(type());
    mml.bDtype = code(type());
    mml.passes = uint32_t(random.range(1, limits.maxPasses));
    auto side = [&](uint32_t rows, uint32_t &cb, uint32_t &offset,
                    uint32_t &pitch, uint32_t &step) {
      pitch = limits.kBytes;
      uint32_t span = rows * limits.kBytes;
      uint32_t slack = slot - span;
      step = mml.passes > 1 ? uint32_t(random.below(
                                  slack / (mml.passes - 1) + 1))
                            : uint32_t(random.below(256));
      if (mml.passes > 1) {
        span += step * (mml.passes - 1);
      }
      Place place = readable(span);
      cb = place.cb;
      offset = place.offset;
    };
    side(mml.aRows, mml.aCb, mml.aOffset, mml.aPitch, mml.aStep);
    side(mml.bRows, mml.bCb, mml.bOffset, mml.bPitch, mml.bStep);
    command(region, Opcode::Mml, mml);
    mml.accumulate = 1;
  }
  isa::SeCommand drain;
  drain.cb = mml.bank;
  drain.rows = mml.aRows;
  drain.cols = mml.bRows;
  drain.dtype = code(integer ? DType::I32 : DType::F32);
  drain.store = 1;
  drain.outCb = ring;
  drain.outOffset = at;
  drain.outPitch = drain.cols * elementBytes(out);
  drain.outDtype = code(out);
  chainOperands(drain, elementBytes(out));
  command(region, Opcode::Drain, drain);
  return true;
}

void Generator::produce(Region &region, uint8_t ring, uint32_t at,
                        uint32_t bytes) {
  switch (random.below(4)) {
  case 0:
    move(region, ring, at, bytes);
    return;
  case 1:
    if (product(region, ring, at, bytes)) {
      return;
    }
    [[fallthrough]];
  default:
    simd(region, ring, at, bytes);
  }
}

/// Fills and pushes one or two slots, perhaps each from two engines.
void Generator::fillSlots(Region &region, uint8_t ring) {
  unsigned slots = random.chance(60) ? 1 : 2;
  bool together = random.chance(20);
  for (unsigned i = 0; i < slots; ++i) {
    uint32_t at = together ? i * slot : 0;
    if (random.chance(70)) {
      produce(region, ring, at, slot);
    } else {
      produce(region, ring, at, slot / 2);
      produce(region, ring, at + slot / 2, slot / 2);
    }
    if (!together) {
      push(region, ring, 1);
    }
  }
  if (together) {
    push(region, ring, slots);
  }
}

/// A row reduction, with or without its tile.
void Generator::reduceRows(Region &region) {
  uint8_t ring = someMiddle(), other = someMiddle();
  isa::SeCommand se;
  DType red = random.pick({DType::F32, DType::F32, DType::F16});
  unsigned width = elementBytes(red);
  bool store = ring != other && random.chance(60);
  unsigned segment = 1, outWidth = width;
  if (store || random.chance(50)) {
    outWidth = 1u << random.below(std::countr_zero(width) + 1);
    segment = width / outWidth;
  }
  unsigned elements = slot / width * segment;
  DType in = someType(outWidth);
  se.rows = 1u << random.below(5);
  se.cols = elements / se.rows;
  se.segment = segment;
  se.dtype = code(in);
  se.pitch = se.cols * elementBytes(in);
  Place x = readable(se.rows * se.pitch);
  se.cb = x.cb;
  se.offset = x.offset;
  se.store = store;
  se.outCb = other;
  se.outPitch = se.cols * outWidth;
  do {
    se.outDtype = code(someType(outWidth));
  } while (elementBytes(static_cast<DType>(se.outDtype)) != outWidth);
  chainOperands(se, outWidth);
  se.reduce = uint32_t(random.range(1, 4));
  se.redCb = ring;
  se.redPitch = slot / se.rows;
  se.redDtype = code(red);
  if (random.chance(30)) {
    Place run = readable(slot);
    se.running = 1;
    se.runCb = run.cb;
    se.runOffset = run.offset;
    se.runPitch = se.redPitch;
  }
  command(region, Opcode::Se, se);
  push(region, ring, 1);
  if (store) {
    push(region, other, 1);
  }
}

void Generator::topk(Region &region) {
  uint8_t ring = someMiddle(), other = someMiddle();
  if (ring == other) {
    return;
  }
  isa::RowTopkCommand topk;
  DType in = random.pick({DType::F16, DType::BF16, DType::F32, DType::I8});
  unsigned width = elementBytes(in);
  topk.rows = 1u << random.range(2, 4);
  topk.k = slot / 4 / topk.rows;
  topk.cols = uint32_t(random.range(topk.k, topk.k * (4 / width)));
  topk.dtype = code(in);
  topk.pitch = topk.cols * width;
  Place x = readable(topk.rows * topk.pitch);
  topk.cb = x.cb;
  topk.offset = x.offset;
  topk.outCb = ring;
  topk.outPitch = topk.idxPitch = topk.k * 4;
  topk.outDtype = code(DType::F32);
  topk.idxCb = other;
  command(region, Opcode::RowTopk, topk);
  push(region, ring, 1);
  push(region, other, 1);
}

void Generator::compute(Region &region) {
  switch (random.below(8)) {
  case 0:
  case 1:
    reduceRows(region);
    return;
  case 2:
    topk(region);
    return;
  default:
    fillSlots(region, someMiddle());
  }
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

void Generator::loop(Region &region) {
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

void Generator::randomStep(Region &region) {
  // More slots than this never wait in a ring.
  constexpr unsigned kMostSlots = 6;
  uint8_t ring =
      static_cast<uint8_t>(random.range(1, program.rings.size() - 1));
  bool full = std::any_of(occupied.begin() + firstMiddle, occupied.end(),
                          [](unsigned n) { return n + 2 > kMostSlots; });
  switch (random.below(10)) {
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

void Generator::fillRegion(Region &region) {
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

TileProgram Generator::generate() {
  auto [rows, cols] = random.pick<std::pair<unsigned, unsigned>>(
      {{1, 1}, {1, 2}, {2, 1}, {1, 3}, {3, 1}, {2, 2}, {2, 2}, {1, 4},
       {4, 1}});
  program.rows = rows;
  program.cols = cols;
  program.control.resize(numPes());
  slot = random.pick({256u, 512u, 1024u});
  firstMiddle = static_cast<uint8_t>(1 + random.range(1, 3));
  program.firstMiddle = firstMiddle;
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

} // namespace

TileProgram test::randomProgram(Random &random, const ProgramLimits &limits) {
  return Generator(random, limits).generate();
}
