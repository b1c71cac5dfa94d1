//===- SimdCommandTest.cpp - Chains against a scalar interpretation -------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/SimdCommand.h"
#include "sim/numerics/Element.h"
#include "tests/unit/numerics/TestRandom.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

const float inf = std::numeric_limits<float>::infinity();
const float nan_ = std::numeric_limits<float>::quiet_NaN();

/// Elements of which two share a byte, by the definitions of their formats.
float packedElement(DType type, const uint8_t *row, size_t column) {
  int code = row[column / 2] >> (column % 2 ? 4 : 0) & 15;
  if (type == DType::I4) {
    return static_cast<float>(code < 8 ? code : code - 16);
  }
  int exponent = code >> 1 & 3, fraction = code & 1;
  double magnitude = exponent == 0
                         ? fraction * 0.5
                         : std::ldexp(1 + 0.5 * fraction, exponent - 1);
  return static_cast<float>(code & 8 ? -magnitude : magnitude);
}

float element(const SimdSource &source, size_t row, size_t column) {
  const uint8_t *begin = source.data + row * source.pitch;
  if (dtypeBits(source.dtype) == 4) {
    return packedElement(source.dtype, begin, column);
  }
  if (source.dtype == DType::F8E8M0) {
    return begin[column] == 255
               ? nan_
               : static_cast<float>(std::ldexp(1.0, int(begin[column]) - 127));
  }
  float value;
  loadRow(source.dtype,
          source.data + row * source.pitch +
              column * elementBytes(source.dtype),
          &value, 1, HostIsa::Baseline);
  return value;
}

void setElement(const SimdTarget &target, size_t row, size_t column,
                float value) {
  storeRow(target.dtype, &value,
           target.data + row * target.pitch +
               column * elementBytes(target.dtype),
           1, HostIsa::Baseline);
}

float naiveOp(SimdOp op, float x, float y) {
  switch (op) {
  case SimdOp::Add:
    return x + y;
  case SimdOp::Sub:
    return x - y;
  case SimdOp::Mul:
    return x * y;
  case SimdOp::ReverseSub:
    return y - x;
  case SimdOp::Min:
  case SimdOp::Max:
    break;
  }
  if (std::isnan(x) || std::isnan(y)) {
    return nan_;
  }
  if (x == 0 && y == 0) {
    bool negative = op == SimdOp::Min ? std::signbit(x) || std::signbit(y)
                                      : std::signbit(x) && std::signbit(y);
    return negative ? -0.0f : 0.0f;
  }
  return op == SimdOp::Min ? std::fmin(x, y) : std::fmax(x, y);
}

float naiveStep(SimdOperand kind, SimdOp op, const SimdSource &y, float imm,
                float v, size_t row, size_t column, size_t segment) {
  switch (kind) {
  case SimdOperand::None:
    return v;
  case SimdOperand::Tile:
    return naiveOp(op, v, element(y, row, column));
  case SimdOperand::PerRow:
    return naiveOp(op, v, element(y, row, 0));
  case SimdOperand::PerColumn:
    return naiveOp(op, v, element(y, 0, column));
  case SimdOperand::Immediate:
    return naiveOp(op, v, imm);
  case SimdOperand::PerSegment:
    return naiveOp(op, v, element(y, row, column / segment));
  }
  return v;
}

float naiveReduce(SimdReduce kind, const std::vector<float> &v) {
  float start = kind == SimdReduce::Max ? -inf : 0.0f;
  std::vector<float> lanes(32, start);
  auto combine = [&](float a, float b) {
    return kind == SimdReduce::Max || kind == SimdReduce::AbsMax
               ? naiveOp(SimdOp::Max, a, b)
               : a + b;
  };
  for (size_t i = 0; i < v.size(); ++i) {
    float value = v[i];
    if (kind == SimdReduce::AbsMax) {
      value = std::fabs(value);
    } else if (kind == SimdReduce::SumSquares) {
      volatile float square = value * value;
      value = square;
    }
    lanes[i % 32] = combine(lanes[i % 32], value);
  }
  for (unsigned width = 16; width > 0; width /= 2) {
    for (unsigned l = 0; l < width; ++l) {
      lanes[l] = combine(lanes[l], lanes[l + width]);
    }
  }
  return lanes[0];
}

void naiveExecute(const SimdArgs &args) {
  const SimdChain &chain = args.chain;
  size_t segment = args.segment == 0 ? args.cols : args.segment;
  for (size_t row = 0; row < args.rows; ++row) {
    std::vector<float> results;
    for (size_t column = 0; column < args.cols; ++column) {
      float v = element(args.x, row, chain.swapPairs ? column ^ 1 : column);
      if (chain.scale) {
        v = v * args.scaleImm;
      }
      v = naiveStep(chain.y1Kind, chain.op1, args.y1, args.y1Imm, v, row,
                    column, segment);
      if (chain.window) {
        int32_t lo, hi;
        std::memcpy(&lo, args.win + 8 * row, 4);
        std::memcpy(&hi, args.win + 8 * row + 4, 4);
        int64_t index = int64_t(args.winBase) + int64_t(column);
        if (index < lo || index >= hi) {
          v = args.fillImm;
        }
      }
      v = seFunction(chain.f, v, HostIsa::Baseline);
      v = naiveStep(chain.y2Kind, chain.op2, args.y2, args.y2Imm, v, row,
                    column, segment);
      if (chain.store) {
        setElement(args.out, row, column, v);
      }
      results.push_back(v);
    }
    if (chain.reduce == SimdReduce::None) {
      continue;
    }
    for (size_t start = 0, index = 0; start < args.cols;
         start += segment, ++index) {
      size_t end = std::min<size_t>(start + segment, args.cols);
      float value =
          naiveReduce(chain.reduce, std::vector<float>(results.begin() + start,
                                                       results.begin() + end));
      if (chain.running) {
        SimdSource previous = args.run;
        previous.dtype = args.red.dtype;
        float old = element(previous, row, index);
        bool largest = chain.reduce == SimdReduce::Max ||
                       chain.reduce == SimdReduce::AbsMax;
        value = largest ? naiveOp(SimdOp::Max, old, value) : old + value;
      }
      setElement(args.red, row, index, value);
    }
  }
}

/// Memory of one operand with odd pitch, alignment and surroundings.
class Operand {
public:
  Operand(TestRandom &random, DType dtype, size_t rows, size_t columns,
          bool fill)
      : type(dtype), shift(random.uniform(0, 7)),
        bytesPerRow(elementBytes(type, columns) + random.uniform(0, 9)),
        bytes(random.poison(shift + rows * bytesPerRow + 16)) {
    for (uint8_t &byte : bytes) {
      // No engine writes these; every code occurs.
      byte = isReadOnly(type) ? static_cast<uint8_t>(random.bits()) : byte;
    }
    for (size_t row = 0; fill && !isReadOnly(type) && row < rows; ++row) {
      for (size_t column = 0; column < columns; ++column) {
        setElement(target(bytes), row, column, random.value(40));
      }
    }
  }

  SimdSource source() const {
    return {bytes.data() + shift, bytesPerRow, type};
  }
  SimdTarget target(std::vector<uint8_t> &memory) const {
    return {memory.data() + shift, bytesPerRow, type};
  }
  const std::vector<uint8_t> &initial() const { return bytes; }

private:
  DType type;
  size_t shift, bytesPerRow;
  std::vector<uint8_t> bytes;
};

DType randomType(TestRandom &random) {
  return static_cast<DType>(random.uniform(0, 7));
}

/// Types that operands may have: the second ones none of half a byte.
DType readType(TestRandom &random, bool isX) {
  DType type = static_cast<DType>(random.uniform(0, 10));
  return isX || dtypeBytes(type) != 0 ? type : DType::F8E8M0;
}

void compareRandomChain(TestRandom &random) {
  SimdArgs args;
  args.rows = random.uniform(0, 6);
  args.cols = random.uniform(0, 9) == 0 ? random.uniform(1000, 2100)
                                        : random.uniform(1, 150);
  SimdChain &chain = args.chain;
  chain.swapPairs = random.flip();
  if (chain.swapPairs) {
    args.cols += args.cols % 2;
  }
  chain.scale = random.flip();
  chain.y1Kind = static_cast<SimdOperand>(random.uniform(0, 5));
  chain.op1 = static_cast<SimdOp>(random.uniform(0, 5));
  chain.window = random.flip();
  chain.f = static_cast<SeFunction>(random.uniform(0, 9));
  chain.y2Kind = static_cast<SimdOperand>(random.uniform(0, 5));
  chain.op2 = static_cast<SimdOp>(random.uniform(0, 5));
  chain.store = random.uniform(0, 3) != 0;
  chain.reduce = static_cast<SimdReduce>(random.uniform(0, 4));
  chain.running = chain.reduce != SimdReduce::None && random.flip();
  args.segment = random.flip() ? 0 : random.uniform(1, args.cols);
  args.scaleImm = random.value(20);
  args.fillImm = random.flip() ? -inf : random.value(20);
  args.y1Imm = random.value(20);
  args.y2Imm = random.value(20);

  size_t rows = args.rows, segments = simdSegments(args.cols, args.segment);
  auto shaped = [&](SimdOperand kind) {
    size_t lines = kind == SimdOperand::PerColumn ? 1 : rows;
    size_t columns = kind == SimdOperand::PerRow       ? 1
                     : kind == SimdOperand::PerSegment ? segments
                                                       : args.cols;
    return Operand(random, readType(random, false), lines, columns, true);
  };
  Operand x(random, readType(random, true), rows, args.cols, true);
  Operand y1 = shaped(chain.y1Kind), y2 = shaped(chain.y2Kind);
  Operand out(random, randomType(random), rows, args.cols, false);
  DType redType = randomType(random);
  Operand red(random, redType, rows, segments, false);
  Operand run(random, redType, rows, segments, true);
  std::vector<int32_t> win(rows * 2);
  args.winBase = static_cast<int32_t>(random.uniform(0, 200)) - 100;
  for (int32_t &bound : win) {
    bound = random.uniform(0, 9) == 0
                ? static_cast<int32_t>(random.bits())
                : args.winBase - 5 +
                      static_cast<int32_t>(random.uniform(0, args.cols + 10));
  }
  args.x = x.source();
  args.y1 = y1.source();
  args.y2 = y2.source();
  args.run = run.source();
  args.win = reinterpret_cast<const uint8_t *>(win.data());
  ASSERT_EQ(simdArgsError(args), "");

  std::vector<uint8_t> expectedOut = out.initial();
  std::vector<uint8_t> expectedRed = red.initial();
  args.out = out.target(expectedOut);
  args.red = red.target(expectedRed);
  naiveExecute(args);
  for (HostIsa isa : supportedHostIsas()) {
    std::vector<uint8_t> foundOut = out.initial(), foundRed = red.initial();
    args.out = out.target(foundOut);
    args.red = red.target(foundRed);
    simdExecute(args, isa);
    std::string what = "isa " + std::to_string(unsigned(isa)) + " cols " +
                       std::to_string(args.cols) + " f " +
                       std::to_string(unsigned(chain.f)) + " op1 " +
                       std::to_string(unsigned(chain.op1)) + " op2 " +
                       std::to_string(unsigned(chain.op2)) + " reduce " +
                       std::to_string(unsigned(chain.reduce));
    ASSERT_EQ(foundOut, expectedOut) << what;
    ASSERT_EQ(foundRed, expectedRed) << what;
  }
}

TEST(SimdCommand, RandomChainsMatchTheScalarInterpretation) {
  TestRandom random;
  for (unsigned i = 0; i < 4000; ++i) {
    ASSERT_NO_FATAL_FAILURE(compareRandomChain(random)) << "chain " << i;
  }
}

SimdSource vectorSource(const std::vector<float> &values, size_t columns) {
  return {reinterpret_cast<const uint8_t *>(values.data()),
          columns * sizeof(float), DType::F32};
}

SimdTarget vectorTarget(std::vector<float> &values, size_t columns) {
  return {reinterpret_cast<uint8_t *>(values.data()), columns * sizeof(float),
          DType::F32};
}

/// Every step on values where a wrong order would show.
TEST(SimdCommand, StepsRunInTheDocumentedOrder) {
  std::vector<float> x{1, 2, 3, 4}, y1{10, 20, 30, 40}, y2{2};
  std::vector<float> out(4, nan_), red(2, nan_), run{100, 200};
  const int32_t win[] = {8, 10};
  SimdArgs args;
  args.rows = 1;
  args.cols = 4;
  args.segment = 2;
  args.chain = {true,
                true,
                SimdOperand::PerColumn,
                SimdOp::ReverseSub,
                true,
                SeFunction::Abs,
                SimdOperand::PerRow,
                SimdOp::Mul,
                true,
                SimdReduce::Sum,
                true};
  args.scaleImm = 100;
  args.fillImm = -7;
  args.x = vectorSource(x, 4);
  args.y1 = vectorSource(y1, 4);
  args.y2 = vectorSource(y2, 1);
  args.run = vectorSource(run, 2);
  args.win = reinterpret_cast<const uint8_t *>(win);
  args.winBase = 7;
  args.out = vectorTarget(out, 4);
  args.red = vectorTarget(red, 2);
  simdExecute(args);
  // swapped 2 1 4 3; x100; y1 - v: -190 -80 -370 -260; window keeps 1 and 2;
  // abs: 7 80 370 7; x2.
  EXPECT_EQ(out, (std::vector<float>{14, 160, 740, 14}));
  EXPECT_EQ(red, (std::vector<float>{274, 954}));
}

TEST(SimdCommand, ReductionUsesTheUnroundedValue) {
  std::vector<float> x{0.4f, 0.4f, 0.4f}, red(1, nan_);
  std::vector<uint8_t> out(3, 0x55);
  SimdArgs args;
  args.rows = 1;
  args.cols = 3;
  args.chain.store = true;
  args.chain.reduce = SimdReduce::Sum;
  args.x = vectorSource(x, 3);
  args.out = {out.data(), 3, DType::I8};
  args.red = vectorTarget(red, 1);
  simdExecute(args);
  EXPECT_EQ(out, (std::vector<uint8_t>{0, 0, 0}));
  EXPECT_NEAR(red[0], 1.2f, 1e-6);
}

/// 2^24 in lane 0 swallows ones added to it one by one, but not the ones that
/// gathered in other lanes: the result tells the order.
TEST(SimdCommand, SumsGatherInThirtyTwoLanes) {
  std::vector<float> x(64, 1.0f), red(1, nan_);
  x[0] = 0x1p24f;
  SimdArgs args;
  args.rows = 1;
  args.cols = 64;
  args.chain.reduce = SimdReduce::Sum;
  args.x = vectorSource(x, 64);
  args.red = vectorTarget(red, 1);
  simdExecute(args);
  // Lane 0 loses its second element; lane 16 adds 2, lane 8 adds 4, ...
  EXPECT_EQ(red[0], 0x1p24f + 62.0f);
}

TEST(SimdCommand, MaximaPropagateNanAndOrderZeros) {
  std::vector<float> x{-0.0f, 0.0f, nan_, 1.0f, -inf, -inf};
  std::vector<float> red(3, 5.0f);
  SimdArgs args;
  args.rows = 1;
  args.cols = 6;
  args.segment = 2;
  args.chain.reduce = SimdReduce::Max;
  args.x = vectorSource(x, 6);
  args.red = vectorTarget(red, 3);
  simdExecute(args);
  EXPECT_EQ(floatBits(red[0]), 0u);
  EXPECT_EQ(floatBits(red[1]), canonicalNanBits);
  EXPECT_EQ(red[2], -inf);
  args.chain.reduce = SimdReduce::AbsMax;
  simdExecute(args);
  EXPECT_EQ(floatBits(red[0]), 0u);
  EXPECT_EQ(red[2], inf);
}

TEST(SimdCommand, OutputMayReplaceTheInput) {
  TestRandom random;
  for (HostIsa isa : supportedHostIsas()) {
    std::vector<float> x(2 * 2050), expected(2 * 2050);
    for (float &value : x) {
      value = random.value(50);
    }
    SimdArgs args;
    args.rows = 2;
    args.cols = 2050;
    args.chain.swapPairs = args.chain.store = true;
    args.chain.f = SeFunction::Silu;
    args.x = vectorSource(x, 2050);
    args.out = vectorTarget(expected, 2050);
    simdExecute(args, isa);
    args.out = vectorTarget(x, 2050);
    simdExecute(args, isa);
    EXPECT_EQ(std::memcmp(x.data(), expected.data(), x.size() * 4), 0);
  }
}

TEST(SimdCommand, Int32SourcesAreRoundedOnce) {
  std::vector<int32_t> x{16777217, -5};
  std::vector<float> out(2, nan_);
  SimdArgs args;
  args.rows = 1;
  args.cols = 2;
  args.chain.store = args.chain.scale = true;
  args.scaleImm = 0.5f;
  args.x = {reinterpret_cast<uint8_t *>(x.data()), 8, DType::I32};
  args.out = vectorTarget(out, 2);
  simdExecute(args);
  EXPECT_EQ(out, (std::vector<float>{8388608.0f, -2.5f}));
}

// Every code times scales of blocks, as stored weights become 16-bit tiles.
TEST(SimdCommand, DequantisesBlocksOfEveryCode) {
  constexpr unsigned kBlocks = 9, kColumns = 32 * kBlocks;
  std::vector<uint8_t> codes(2 * kColumns / 2);
  for (size_t i = 0; i < codes.size(); ++i) {
    codes[i] = static_cast<uint8_t>(i * 37 + 11); // 37 is odd: every byte
  }
  std::vector<uint8_t> powers(2 * kBlocks);
  std::vector<uint16_t> scales(2 * kBlocks);
  for (size_t i = 0; i < powers.size(); ++i) {
    powers[i] = static_cast<uint8_t>(i * 14); // from 2^-127
    scales[i] = f32ToBf16(0.37f * static_cast<float>(i + 1));
  }
  for (DType type : {DType::I4, DType::F4E2M1}) {
    const bool isInteger = type == DType::I4;
    std::vector<uint16_t> out(2 * kColumns);
    SimdArgs args;
    args.rows = 2;
    args.cols = kColumns;
    args.segment = 32;
    args.chain.y1Kind = SimdOperand::PerSegment;
    args.chain.op1 = SimdOp::Mul;
    args.chain.store = true;
    args.x = {codes.data(), kColumns / 2, type};
    args.y1 = isInteger ? SimdSource{reinterpret_cast<uint8_t *>(scales.data()),
                                     2 * kBlocks, DType::BF16}
                        : SimdSource{powers.data(), kBlocks, DType::F8E8M0};
    args.out = {reinterpret_cast<uint8_t *>(out.data()), 2 * kColumns,
                DType::BF16};
    ASSERT_EQ(simdArgsError(args), "");
    simdExecute(args);
    for (size_t row = 0; row < 2; ++row) {
      for (size_t column = 0; column < kColumns; ++column) {
        // Code times scale is exact in fp64; one rounding to bf16 follows.
        double scale = element(args.y1, row, column / 32);
        double exact = double(packedElement(
                           type, codes.data() + row * kColumns / 2, column)) *
                       scale;
        int exponent = exact == 0 ? 0 : std::max(std::ilogb(exact), -126);
        double wanted = std::ldexp(
            std::nearbyint(std::ldexp(exact, 7 - exponent)), exponent - 7);
        EXPECT_EQ(double(bf16ToF32(out[row * kColumns + column])), wanted)
            << unsigned(type) << " row " << row << " column " << column;
      }
    }
  }
}

TEST(SimdCommand, WrongShapesAndCodesAreNamed) {
  SimdArgs args;
  args.rows = 1;
  args.cols = 7;
  EXPECT_EQ(simdArgsError(args), "");
  args.chain.swapPairs = true;
  EXPECT_EQ(simdArgsError(args),
            "swap_pairs needs an even number of columns, found 7");
  args.chain.swapPairs = false;
  args.chain.f = static_cast<SeFunction>(10);
  EXPECT_EQ(simdArgsError(args), "f is 10, the largest defined code is 9");
  args.chain.f = SeFunction::Identity;
  args.chain.store = true;
  args.out.dtype = static_cast<DType>(12);
  EXPECT_EQ(simdArgsError(args),
            "out_dtype is 12, the largest defined code is 10");
  args.out.dtype = DType::F4E2M1;
  EXPECT_EQ(simdArgsError(args),
            "out_dtype is 9, a type that engines read and do not write");
  args.out.dtype = DType::F8E8M0;
  EXPECT_EQ(simdArgsError(args),
            "out_dtype is 10, a type that engines read and do not write");
  args.chain.y1Kind = SimdOperand::Tile;
  args.y1.dtype = DType::I4;
  EXPECT_EQ(simdArgsError(args),
            "y1_dtype is 8, a type of half a byte, which only "
            "x may have; convert it by a command of its "
            "own");
  args.y1.dtype = DType::F8E8M0;
  args.chain.y2Kind = static_cast<SimdOperand>(6);
  EXPECT_EQ(simdArgsError(args), "y2_kind is 6, the largest defined code is 5");
  args.chain.y1Kind = args.chain.y2Kind = SimdOperand::None;
  args.chain.reduce = SimdReduce::Sum;
  args.chain.store = false;
  args.red.dtype = DType::I4;
  EXPECT_EQ(simdArgsError(args),
            "red_dtype is 8, a type that engines read and do not write");
  args.chain.reduce = SimdReduce::None;
  args.chain.store = false;
  EXPECT_EQ(simdArgsError(args), "");
  args.chain.running = true;
  EXPECT_EQ(simdArgsError(args), "running needs a reduction, found reduce 0");
}

TEST(SimdCommand, SlotsCountOperations) {
  SimdChain chain;
  chain.store = true;
  EXPECT_EQ(simdAluOps(chain), 0u);
  EXPECT_EQ(simdSlots(chain, 2, 4), 1u); // a copy takes a slot
  chain.scale = chain.window = true;
  EXPECT_EQ(simdAluOps(chain), 2u);
  EXPECT_EQ(simdSlots(chain, 2, 4), 1u);
  chain.y1Kind = SimdOperand::PerRow;
  chain.f = SeFunction::Exp;
  chain.reduce = SimdReduce::Sum;
  EXPECT_EQ(simdAluOps(chain), 5u);
  EXPECT_EQ(simdSlots(chain, 2, 4), 3u);
  chain.reduce = SimdReduce::SumSquares;
  EXPECT_EQ(simdAluOps(chain), 6u);
  chain.f = SeFunction::Rsqrt;
  EXPECT_EQ(simdAluOps(chain), 5u);
  EXPECT_EQ(simdSlots(chain, 2, 4), 7u);
  chain.swapPairs = chain.running = true;
  chain.y2Kind = SimdOperand::Immediate;
  EXPECT_EQ(simdAluOps(chain), 6u);
  EXPECT_EQ(simdSlots(chain, 1, 1), 7u);
}

TEST(SimdCommand, SegmentsPerRow) {
  EXPECT_EQ(simdSegments(64, 0), 1u);
  EXPECT_EQ(simdSegments(64, 32), 2u);
  EXPECT_EQ(simdSegments(65, 32), 3u);
  EXPECT_EQ(simdSegments(0, 0), 0u);
}

} // namespace
