//===- TensorTest.cpp - Contents of buffers -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "RuntimeTestSupport.h"

#include "runtime/Tensor.h"

#include <cmath>

using namespace chipwright;

TEST(Tensor, RandomStaysInRangeAndRepeats) {
  for (DType type : {DType::F16, DType::F32, DType::BF16, DType::I8}) {
    KernelBuffer buffer{.name = "x",
                        .dtype = type,
                        .rows = 3,
                        .cols = 5000,
                        .low = -2,
                        .high = 1};
    std::vector<uint8_t> one(buffer.bytes()), two(buffer.bytes());
    fillRandom(buffer, 7, one.data());
    fillRandom(buffer, 7, two.data());
    EXPECT_EQ(one, two);
    fillRandom(buffer, 8, two.data());
    EXPECT_NE(one, two);
    Matrix values = toMatrix(buffer, one.data());
    EXPECT_GE(values.minCoeff(), -2);
    EXPECT_LE(values.maxCoeff(), 1);
    EXPECT_LT(values.minCoeff(), -1.9);
    EXPECT_GT(values.maxCoeff(), 0.9);
  }
}

TEST(Tensor, PoisonDisagreesWithEverything) {
  for (DType type :
       {DType::F16, DType::F32, DType::BF16, DType::F8E4M3, DType::F8E5M2}) {
    KernelBuffer buffer{.name = "x", .dtype = type, .rows = 2, .cols = 3};
    std::vector<uint8_t> data(buffer.bytes());
    poison(buffer, data.data());
    Matrix values = toMatrix(buffer, data.data());
    EXPECT_TRUE(std::isnan(values(1, 2))) << dtypeName(type);
    EXPECT_TRUE(std::isnan(relativeError(values, Matrix::Ones(2, 3))));
  }
  KernelBuffer buffer{.name = "x", .dtype = DType::I8, .rows = 1, .cols = 3};
  std::vector<uint8_t> data(3);
  poison(buffer, data.data());
  EXPECT_EQ(toMatrix(buffer, data.data())(0, 2), -128);
}

TEST(Tensor, RelativeErrorByHand) {
  Matrix reference(1, 2), out(1, 2);
  reference << 3, 4;
  out << 3, 4.5;
  EXPECT_DOUBLE_EQ(relativeError(out, reference), 0.1);
  EXPECT_DOUBLE_EQ(relativeError(out, Matrix::Zero(1, 2)),
                   std::sqrt(9 + 4.5 * 4.5));
}
