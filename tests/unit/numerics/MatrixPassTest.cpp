//===- MatrixPassTest.cpp - The matrix pass against its definition --------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/MatrixPass.h"
#include "sim/numerics/Element.h"
#include "tests/unit/numerics/TestRandom.h"

#include <Eigen/Dense>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <vector>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

const DType matrixTypes[] = {DType::F16,    DType::BF16, DType::F8E4M3,
                             DType::F8E5M2, DType::TF32, DType::F32};

/// A random operand in memory with odd pitch and alignment, and its values in
/// rows x k order.
struct RandomOperand {
  std::vector<uint8_t> bytes;
  std::vector<float> values;
  MatrixOperand operand;

  RandomOperand(TestRandom &random, DType type, unsigned rows, unsigned k,
                bool kn, unsigned rarity) {
    unsigned size = elementBytes(type);
    unsigned lines = kn ? k : rows;
    unsigned length = kn ? rows : k;
    size_t pitch = length * size + random.uniform(0, 9);
    size_t shift = random.uniform(0, 7);
    bytes = random.poison(shift + lines * pitch + 1);
    values.resize(size_t(rows) * k);
    for (unsigned line = 0; line < lines; ++line) {
      for (unsigned i = 0; i < length; ++i) {
        float value = type == DType::I8
                          ? static_cast<float>(random.uniform(0, 255)) - 128.0f
                          : random.value(rarity);
        uint8_t *where = &bytes[shift + line * pitch + i * size];
        storeRow(type, &value, where, 1);
        loadRow(type, where, &value, 1);
        values[kn ? size_t(i) * k + line : size_t(line) * k + i] = value;
      }
    }
    operand = {type, bytes.data() + shift, pitch, rows, k, kn};
  }

  float at(unsigned row, unsigned i) const {
    return values[size_t(row) * operand.k + i];
  }
};

float naive(const RandomOperand &a, const RandomOperand &b, unsigned row,
            unsigned column, float start) {
  // volatile: one rounding after each operation, whatever the compiler does.
  volatile float acc = start;
  for (unsigned i = 0; i < a.operand.k; ++i) {
    volatile float product = a.at(row, i) * b.at(column, i);
    acc = acc + product;
  }
  return canonical(acc);
}

void compareWithNaive(TestRandom &random, DType aType, DType bType,
                      unsigned rarity) {
  unsigned rows = random.uniform(1, 45);
  unsigned columns = random.uniform(1, 100);
  unsigned k = random.uniform(1, 8) == 1 ? random.uniform(257, 700)
                                         : random.uniform(0, 80);
  bool integer = aType == DType::I8;
  RandomOperand a(random, aType, rows, k, false, rarity);
  RandomOperand b(random, bType, columns, k, random.flip(), rarity);
  size_t pitch = columns + random.uniform(0, 5);
  std::vector<uint32_t> before(rows * pitch);
  for (uint32_t &word : before) {
    word = integer ? random.bits() : floatBits(random.value(rarity));
  }
  bool accumulate = random.flip();
  std::vector<uint32_t> expected = before;
  for (unsigned i = 0; i < rows; ++i) {
    for (unsigned j = 0; j < columns; ++j) {
      uint32_t &word = expected[i * pitch + j];
      if (integer) {
        word = accumulate ? word : 0;
        for (unsigned n = 0; n < k; ++n) {
          word += static_cast<uint32_t>(static_cast<int32_t>(a.at(i, n)) *
                                        static_cast<int32_t>(b.at(j, n)));
        }
      } else {
        word =
            floatBits(naive(a, b, i, j, accumulate ? bitsFloat(word) : 0.0f));
      }
    }
  }
  for (HostIsa isa : supportedHostIsas()) {
    CachedOperand cached;
    cached.load(b.operand, isa);
    std::vector<uint32_t> bank = before;
    MatrixPassArgs args;
    args.a = a.operand;
    args.b = &cached;
    args.accumulate = accumulate;
    args.bank = bank.data();
    args.bankPitch = pitch;
    matrixPass(args, isa);
    for (size_t i = 0; i < bank.size(); ++i) {
      ASSERT_EQ(bank[i], expected[i])
          << "isa " << unsigned(isa) << " types " << unsigned(aType) << " "
          << unsigned(bType) << " rows " << rows << " columns " << columns
          << " k " << k << " row " << i / pitch << " column " << i % pitch;
    }
  }
}

TEST(MatrixPass, MatchesTheScalarLoopBitForBit) {
  TestRandom random;
  for (DType aType : matrixTypes) {
    for (DType bType : matrixTypes) {
      for (unsigned i = 0; i < 8; ++i) {
        ASSERT_NO_FATAL_FAILURE(
            compareWithNaive(random, aType, bType, 1000000));
        ASSERT_NO_FATAL_FAILURE(compareWithNaive(random, aType, bType, 60));
      }
    }
  }
}

TEST(MatrixPass, Int8MatchesTheScalarLoop) {
  TestRandom random;
  for (unsigned i = 0; i < 100; ++i) {
    ASSERT_NO_FATAL_FAILURE(compareWithNaive(random, DType::I8, DType::I8, 1));
  }
}

/// The largest products in every place, over more than one chunk of k, and a
/// sum that wraps.
TEST(MatrixPass, Int8IsExactAtTheExtremes) {
  const unsigned k = 1000;
  std::vector<uint8_t> low(k, 0x80);
  for (HostIsa isa : supportedHostIsas()) {
    CachedOperand cached;
    cached.load({DType::I8, low.data(), k, 1, k, false}, isa);
    uint32_t bank = 0x7fffffff;
    MatrixPassArgs args;
    args.a = {DType::I8, low.data(), k, 1, k, false};
    args.b = &cached;
    args.bank = &bank;
    args.bankPitch = 1;
    args.accumulate = true;
    matrixPass(args, isa);
    EXPECT_EQ(bank, 0x7fffffffu + 16384u * k);
    args.accumulate = false;
    matrixPass(args, isa);
    EXPECT_EQ(bank, 16384u * k);
  }
}

/// bf16 products may leave the range of fp32; the definition rounds them
/// before the addition, where a fused multiply-add would round the sum only.
TEST(MatrixPass, ProductsRoundBeforeTheyAreAdded) {
  struct Case {
    float a, b, bank;
    uint32_t expected;
  };
  const Case cases[] = {
      // 2^128 is infinity already; fused: 2^127.
      {0x1p100f, 0x1p28f, -0x1p127f, 0x7f800000},
      // Half of the smallest subnormal is zero; fused: 1.5 steps, to 2.
      {0x1p-75f, 0x1p-75f, 0x1p-149f, 1},
  };
  for (HostIsa isa : supportedHostIsas()) {
    for (DType type : {DType::BF16, DType::TF32, DType::F32}) {
      for (const Case &c : cases) {
        uint8_t a[4], b[4];
        storeRow(type, &c.a, a, 1);
        storeRow(type, &c.b, b, 1);
        CachedOperand cached;
        cached.load({type, b, 4, 1, 1, false}, isa);
        uint32_t word = floatBits(c.bank);
        MatrixPassArgs args;
        args.a = {type, a, 4, 1, 1, false};
        args.b = &cached;
        args.bank = &word;
        args.bankPitch = 1;
        args.accumulate = true;
        matrixPass(args, isa);
        EXPECT_EQ(word, c.expected) << "type " << unsigned(type);
      }
    }
  }
}

TEST(MatrixPass, NanInTheBankIsCanonical) {
  const float values[] = {INFINITY, 0.0f};
  uint8_t a[4], b[4];
  storeRow(DType::F16, values, a, 2);
  const float swapped[] = {0.0f, 1.0f};
  storeRow(DType::F16, swapped, b, 2);
  for (HostIsa isa : supportedHostIsas()) {
    CachedOperand cached;
    cached.load({DType::F16, b, 4, 1, 2, false}, isa);
    uint32_t word = 0;
    MatrixPassArgs args;
    args.a = {DType::F16, a, 4, 1, 2, false};
    args.b = &cached;
    args.bank = &word;
    args.bankPitch = 1;
    matrixPass(args, isa);
    EXPECT_EQ(word, canonicalNanBits);
  }
}

/// A whole product in passes, against Eigen in fp64. The bound is the standard
/// one of recursive summation: |error| <= k u / (1 - k u) |A| |B|^T per
/// element, u = 2^-24.
TEST(MatrixPass, PassesSumToTheProductOfEigen) {
  TestRandom random;
  for (DType type :
       {DType::F16, DType::BF16, DType::F8E4M3, DType::F8E5M2, DType::TF32}) {
    const unsigned rows = 32, columns = 64, k = 512;
    const unsigned passK = 32 / elementBytes(type);
    RandomOperand a(random, type, rows, k, false, ~0u);
    RandomOperand b(random, type, columns, k, false, ~0u);
    std::vector<uint32_t> bank(rows * columns, 0xdeadbeef);
    CachedOperand cached;
    for (unsigned start = 0; start < k; start += passK) {
      MatrixOperand slice = b.operand;
      slice.data += start * elementBytes(type);
      slice.k = passK;
      cached.load(slice);
      MatrixPassArgs args;
      args.a = a.operand;
      args.a.data += start * elementBytes(type);
      args.a.k = passK;
      args.b = &cached;
      args.accumulate = start != 0;
      args.bank = bank.data();
      args.bankPitch = columns;
      matrixPass(args);
    }
    using Rows =
        Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Eigen::MatrixXd left =
        Eigen::Map<Rows>(a.values.data(), rows, k).cast<double>();
    Eigen::MatrixXd right =
        Eigen::Map<Rows>(b.values.data(), columns, k).cast<double>();
    Eigen::MatrixXd exact = left * right.transpose();
    Eigen::MatrixXd scale =
        left.cwiseAbs() * right.cwiseAbs().transpose() * (k * 0x1.01p-24);
    Eigen::MatrixXd result =
        Eigen::Map<Rows>(reinterpret_cast<float *>(bank.data()), rows, columns)
            .cast<double>();
    EXPECT_LE((result - exact).norm(), scale.norm());
    EXPECT_TRUE(((result - exact).cwiseAbs().array() <= scale.array()).all());
    EXPECT_LE((result - exact).norm() / exact.norm(), 1e-5);
    EXPECT_GT(exact.norm(), 0.0);
  }
}

TEST(MatrixPass, CachedOperandIsACopy) {
  std::vector<uint8_t> b(4 * 2);
  const float ones[] = {1.0f, 1.0f, 1.0f, 1.0f};
  storeRow(DType::F16, ones, b.data(), 4);
  std::vector<uint8_t> a = b;
  CachedOperand cached;
  cached.load({DType::F16, b.data(), 8, 1, 4, false});
  b.assign(b.size(), 0xff);
  uint32_t word = 0;
  MatrixPassArgs args;
  args.a = {DType::F16, a.data(), 8, 1, 4, false};
  args.b = &cached;
  args.bank = &word;
  args.bankPitch = 1;
  matrixPass(args);
  EXPECT_EQ(bitsFloat(word), 4.0f);
  EXPECT_EQ(cached.rows(), 1u);
  EXPECT_EQ(cached.k(), 4u);
  // A smaller operand after a larger one leaves nothing of it behind.
  cached.load({DType::F16, a.data(), 4, 2, 2, false});
  uint32_t words[2] = {};
  args.a.k = 2;
  args.bank = words;
  args.bankPitch = 2;
  matrixPass(args);
  EXPECT_EQ(bitsFloat(words[0]), 2.0f);
  EXPECT_EQ(bitsFloat(words[1]), 2.0f);
}

TEST(MatrixPass, TypesThatCannotMeetAreRefused) {
  EXPECT_EQ(matrixTypesError(DType::F16, DType::BF16), "");
  EXPECT_EQ(matrixTypesError(DType::I8, DType::I8), "");
  EXPECT_NE(matrixTypesError(DType::I8, DType::F16), "");
  EXPECT_NE(matrixTypesError(DType::F16, DType::I8), "");
  EXPECT_NE(matrixTypesError(DType::I32, DType::I32), "");
  EXPECT_NE(matrixTypesError(static_cast<DType>(9), DType::F16), "");
}

} // namespace
