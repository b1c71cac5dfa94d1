//===- DataCommandTest.cpp - row_topk, banks, transpose and copy ----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/BankCommand.h"
#include "sim/numerics/Element.h"
#include "sim/numerics/MoveCommand.h"
#include "sim/numerics/RowTopk.h"
#include "tests/unit/numerics/TestRandom.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>
#include <vector>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

const float inf = std::numeric_limits<float>::infinity();
const float nan_ = std::numeric_limits<float>::quiet_NaN();

TEST(RowTopk, LowestColumnWinsTies) {
  const float x[] = {1, 3, -0.0f, 3, 0, nan_, inf, 3, nan_};
  float out[9];
  int32_t idx[9];
  RowTopkArgs args;
  args.rows = 1;
  args.cols = 9;
  args.k = 9;
  args.x = {reinterpret_cast<const uint8_t *>(x), sizeof(x), DType::F32};
  args.out = {reinterpret_cast<uint8_t *>(out), sizeof(out), DType::F32};
  args.idx = reinterpret_cast<uint8_t *>(idx);
  args.idxPitch = sizeof(idx);
  ASSERT_EQ(rowTopkError(args), "");
  rowTopk(args);
  const int32_t order[] = {5, 8, 6, 1, 3, 7, 0, 2, 4};
  for (unsigned i = 0; i < 9; ++i) {
    EXPECT_EQ(idx[i], order[i]);
    EXPECT_EQ(floatBits(out[i]), floatBits(canonical(x[order[i]])));
  }
}

TEST(RowTopk, MatchesASort) {
  TestRandom random;
  for (unsigned trial = 0; trial < 300; ++trial) {
    unsigned rows = random.uniform(1, 4), cols = random.uniform(1, 200);
    unsigned k = random.uniform(0, std::min(cols, 40u));
    DType type = static_cast<DType>(random.uniform(0, 7));
    size_t pitch = cols * elementBytes(type) + random.uniform(0, 5);
    size_t outPitch = k * 2 + random.uniform(0, 5);
    size_t idxPitch = k * 4 + random.uniform(0, 5);
    std::vector<uint8_t> x = random.poison(rows * pitch + 1);
    std::vector<float> values(size_t(rows) * cols);
    for (size_t i = 0; i < values.size(); ++i) {
      // Few distinct values make many ties.
      values[i] = random.flip()
                      ? static_cast<float>(random.uniform(0, 6)) - 3.0f
                      : random.value(10);
      uint8_t *where = &x[i / cols * pitch + i % cols * elementBytes(type)];
      storeRow(type, &values[i], where, 1);
      loadRow(type, where, &values[i], 1);
    }
    std::vector<uint8_t> expectedOut = random.poison(rows * outPitch + 1);
    std::vector<uint8_t> expectedIdx = random.poison(rows * idxPitch + 1);
    std::vector<uint8_t> out = expectedOut, idx = expectedIdx;
    for (unsigned row = 0; row < rows; ++row) {
      std::vector<int32_t> order(cols);
      std::iota(order.begin(), order.end(), 0);
      const float *v = &values[size_t(row) * cols];
      std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
        if (std::isnan(v[a]) || std::isnan(v[b])) {
          bool both = std::isnan(v[a]) && std::isnan(v[b]);
          return both ? a < b : std::isnan(v[a]);
        }
        return v[a] != v[b] ? v[a] > v[b] : a < b;
      });
      for (unsigned i = 0; i < k; ++i) {
        storeRow(DType::F16, &v[order[i]], &expectedOut[row * outPitch + 2 * i],
                 1);
        std::memcpy(&expectedIdx[row * idxPitch + 4 * i], &order[i], 4);
      }
    }
    RowTopkArgs args;
    args.rows = rows;
    args.cols = cols;
    args.k = k;
    args.x = {x.data(), pitch, type};
    args.out = {out.data(), outPitch, DType::F16};
    args.idx = idx.data();
    args.idxPitch = idxPitch;
    ASSERT_EQ(rowTopkError(args), "");
    rowTopk(args);
    ASSERT_EQ(idx, expectedIdx);
    ASSERT_EQ(out, expectedOut);
  }
}

TEST(RowTopk, RefusesMoreValuesThanColumns) {
  RowTopkArgs args;
  args.cols = 4;
  args.k = 5;
  EXPECT_EQ(rowTopkError(args),
            "row_topk needs at least k columns, found k 5 and 4 columns");
  args.k = 4;
  args.out.dtype = static_cast<DType>(15);
  EXPECT_NE(rowTopkError(args), "");
}

TEST(BankInit, KindsAndWordTypes) {
  TestRandom random;
  for (unsigned trial = 0; trial < 300; ++trial) {
    BankInitArgs args;
    args.kind = static_cast<BankInitKind>(random.uniform(0, 2));
    args.rows = random.uniform(0, 9);
    args.cols = random.uniform(1, 600);
    args.dtype = static_cast<DType>(random.uniform(0, 7));
    unsigned size = elementBytes(args.dtype);
    args.srcPitch = args.cols * size + random.uniform(0, 7);
    std::vector<uint8_t> src =
        random.poison(args.rows * args.srcPitch + args.cols * size + 3);
    args.src = src.data() + 3;
    args.bankPitch = args.cols + random.uniform(0, 4);
    std::vector<uint32_t> bank(args.rows * args.bankPitch + 1, 0xdeadbeef);
    std::vector<uint32_t> expected = bank;
    for (unsigned row = 0; row < args.rows; ++row) {
      for (unsigned column = 0; column < args.cols; ++column) {
        size_t line = args.kind == BankInitKind::Tile ? row : 0;
        const uint8_t *from = args.src + line * args.srcPitch + column * size;
        uint32_t word = 0;
        if (args.kind == BankInitKind::Zero) {
          word = 0;
        } else if (args.dtype == DType::I32) {
          std::memcpy(&word, from, 4);
        } else if (args.dtype == DType::I8) {
          word = static_cast<uint32_t>(
              static_cast<int32_t>(static_cast<int8_t>(*from)));
        } else {
          float value;
          loadRow(args.dtype, from, &value, 1);
          word = floatBits(canonical(value));
        }
        expected[row * args.bankPitch + column] = word;
      }
    }
    args.bank = bank.data();
    bankInit(args);
    ASSERT_EQ(bank, expected)
        << "kind " << unsigned(args.kind) << " dtype " << unsigned(args.dtype);
  }
}

TEST(BankAdd, AddsWordsOfEitherType) {
  TestRandom random;
  for (bool integer : {false, true}) {
    for (HostIsa isa : supportedHostIsas()) {
      BankAddArgs args;
      args.rows = 5;
      args.cols = 67;
      args.integer = integer;
      args.incomingPitch = 70;
      args.bankPitch = 69;
      std::vector<uint32_t> incoming(5 * 70), bank(5 * 69);
      for (auto *words : {&incoming, &bank}) {
        for (uint32_t &word : *words) {
          word = integer ? random.bits() : floatBits(random.value(20));
        }
      }
      std::vector<uint32_t> expected = bank;
      for (unsigned row = 0; row < 5; ++row) {
        for (unsigned column = 0; column < 67; ++column) {
          uint32_t &word = expected[row * 69 + column];
          uint32_t other = incoming[row * 70 + column];
          word = integer
                     ? word + other
                     : floatBits(canonical(bitsFloat(word) + bitsFloat(other)));
        }
      }
      args.incoming = incoming.data();
      args.bank = bank.data();
      bankAdd(args, isa);
      ASSERT_EQ(bank, expected);
    }
  }
}

TEST(Move, TransposeAndCopyMoveEveryElementAndNothingElse) {
  TestRandom random;
  for (unsigned trial = 0; trial < 400; ++trial) {
    MoveArgs args;
    args.rows = random.uniform(0, 80);
    args.cols = random.uniform(1, 80);
    const unsigned sizes[] = {1, 2, 3, 4, 8, 16};
    args.elementBytes = sizes[random.uniform(0, 5)];
    bool transpose = random.flip();
    unsigned dstRows = transpose ? args.cols : args.rows;
    unsigned dstCols = transpose ? args.rows : args.cols;
    args.srcPitch = args.cols * args.elementBytes + random.uniform(0, 5);
    args.dstPitch = dstCols * args.elementBytes + random.uniform(0, 5);
    std::vector<uint8_t> src = random.poison(args.rows * args.srcPitch + 1);
    std::vector<uint8_t> dst = random.poison(dstRows * args.dstPitch + 1);
    std::vector<uint8_t> expected = dst;
    for (unsigned row = 0; row < args.rows; ++row) {
      for (unsigned column = 0; column < args.cols; ++column) {
        for (unsigned byte = 0; byte < args.elementBytes; ++byte) {
          unsigned r = transpose ? column : row, c = transpose ? row : column;
          expected[r * args.dstPitch + c * args.elementBytes + byte] =
              src[row * args.srcPitch + column * args.elementBytes + byte];
        }
      }
    }
    args.src = src.data();
    args.dst = dst.data();
    transpose ? moveTranspose(args) : moveCopy(args);
    ASSERT_EQ(dst, expected);
  }
}

} // namespace
