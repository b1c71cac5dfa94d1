//===- GridEnumsTest.cpp - Choices of grid operations as codes ------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Lowering casts enumerations of the grid dialect to those of the instruction
// set, so both must have the same cases in the same order.
//
//===----------------------------------------------------------------------===//

#include "dialects/grid/Grid.h"
#include "dialects/isa/Xpe.h"

#include <gtest/gtest.h>

#include <string>

using namespace chipwright;

namespace {

/// Compares the names of all codes below \p count, by \p nameOf and by the
/// manual, and that the dialect has no more of them.
template <typename Machine, typename NameOf>
void expectSame(unsigned count, uint64_t largest, NameOf nameOf) {
  EXPECT_EQ(largest + 1, count);
  for (unsigned code = 0; code < count; ++code) {
    EXPECT_EQ(nameOf(code), isa::toString(static_cast<Machine>(code))) << code;
  }
}

#define EXPECT_SAME_CODES(DIALECT, MACHINE, COUNT)                             \
  expectSame<isa::MACHINE>(                                                    \
      isa::COUNT, grid::getMaxEnumValFor##DIALECT(), [](unsigned code) {       \
        return grid::stringify##DIALECT(static_cast<grid::DIALECT>(code))      \
            .str();                                                            \
      })

TEST(GridEnums, HaveTheCodesOfTheMachine) {
  EXPECT_SAME_CODES(Fill, FillKind, fillKindCount);
  EXPECT_SAME_CODES(Multicast, McastKind, mcastKindCount);
  // Reads know the first two of them.
  EXPECT_SAME_CODES(CachePolicy, WritePolicy, writePolicyCount);
  EXPECT_SAME_CODES(Reduction, RowReduction, rowReductionCount);
  EXPECT_SAME_CODES(Function, SeFunction, seFunctionCount);
  EXPECT_SAME_CODES(Alu, AluOp, aluOpCount);
  EXPECT_SAME_CODES(Operand, OperandKind, operandKindCount);
}

TEST(GridEnums, PoliciesOfReadsAreThoseOfWrites) {
  ASSERT_LE(isa::readPolicyCount, isa::writePolicyCount);
  for (unsigned code = 0; code < isa::readPolicyCount; ++code) {
    EXPECT_STREQ(isa::toString(static_cast<isa::ReadPolicy>(code)),
                 isa::toString(static_cast<isa::WritePolicy>(code)));
  }
}

} // namespace
