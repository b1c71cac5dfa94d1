//===- TileCommands.cpp - What hart 1 computes ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/Element.h"
#include "tests/diff/command_processor/ProgramGenerator.h"

#include <algorithm>
#include <bit>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;
using sim::elementBytes;

void ProgramGenerator::chainOperands(isa::SeCommand &se, unsigned outBytes) {
  // An operand needs no more bytes per element than the result, so that it
  // fits a slot whenever the result does.
  auto operand = [&](uint32_t &kind, uint32_t &op, uint32_t &cb,
                     uint32_t &offset, uint32_t &pitch, uint32_t &dtype,
                     uint32_t &imm) {
    kind = random.chance(50) ? 0 : uint32_t(random.range(1, 5));
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
    case isa::OperandKind::PerSegment:
      pitch =
          width * (se.segment ? (se.cols + se.segment - 1) / se.segment : 1);
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
void ProgramGenerator::simd(Region &region, uint8_t ring, uint32_t at,
                            uint32_t bytes) {
  isa::SeCommand se;
  DType out = someType(4);
  unsigned width = elementBytes(out);
  unsigned elements = bytes / width;
  se.rows = 1u << random.below(5);
  se.cols = elements / se.rows;
  // What is only read takes no more bytes than any result.
  DType in = random.chance(20)
                 ? random.pick({DType::I4, DType::F4E2M1, DType::F8E8M0})
                 : someType(width);
  se.dtype = code(in);
  se.pitch = uint32_t(elementBytes(in, se.cols));
  se.segment = random.chance(50) ? 0 : 1u << random.below(5);
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

void ProgramGenerator::move(Region &region, uint8_t ring, uint32_t at,
                            uint32_t bytes) {
  isa::MluCommand mlu;
  mlu.elemBytes = 1u << random.below(4);
  mlu.rows = 1u << random.below(5);
  mlu.cols = bytes / mlu.elemBytes / mlu.rows;
  if (mlu.cols == 0) {
    mlu.rows = 1;
    mlu.cols = bytes / mlu.elemBytes;
  }
  mlu.pitch = random.chance(70)
                  ? mlu.cols * mlu.elemBytes
                  : uint32_t(random.below(mlu.cols)) * mlu.elemBytes;
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
bool ProgramGenerator::product(Region &region, uint8_t ring, uint32_t at,
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
    Place place =
        readable(init.kind == 1 ? init.rows * init.pitch : init.pitch);
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
      step = mml.passes > 1
                 ? uint32_t(random.below(slack / (mml.passes - 1) + 1))
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

void ProgramGenerator::produce(Region &region, uint8_t ring, uint32_t at,
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
void ProgramGenerator::fillSlots(Region &region, uint8_t ring) {
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
void ProgramGenerator::reduceRows(Region &region) {
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

void ProgramGenerator::topk(Region &region) {
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

/// Loads one ring far ahead of another whose slot is used first: the bound of
/// the first is tight, because hart 0's transfers keep their order.
void ProgramGenerator::skew(Region &region) {
  uint8_t ahead = static_cast<uint8_t>(random.range(1, firstMiddle - 1));
  uint8_t first = static_cast<uint8_t>(random.range(1, firstMiddle - 1));
  if (ahead == first || occupied[ahead] != 0 || occupied[first] != 0) {
    return;
  }
  unsigned slots = unsigned(random.range(3, 6));
  for (unsigned i = 0; i < slots; ++i) {
    load(region, ahead);
  }
  load(region, first);
  isa::SeCommand se;
  se.rows = 8;
  se.cols = slot / 2 / se.rows;
  se.dtype = se.outDtype = code(DType::F16);
  se.pitch = se.outPitch = se.cols * 2;
  se.store = 1;
  for (unsigned i = 0; i <= slots; ++i) {
    uint8_t from = i == 0 ? first : ahead;
    se.cb = from;
    se.outCb = someMiddle();
    command(region, Opcode::Se, se);
    push(region, uint8_t(se.outCb), 1);
    pop(region, from, 1);
    store(region, uint8_t(se.outCb));
  }
}

void ProgramGenerator::compute(Region &region) {
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
