//===- CommandForm.h - Fields and word of a command -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// What a command's operands look like to the hart: 64-bit fields packed from
// slices, and a word that is a sum of shifted terms.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_PE_COMMANDFORM_H
#define CHIPWRIGHT_COMPILER_PE_COMMANDFORM_H

#include "dialects/pe/Pe.h"

namespace chipwright::compiler {

/// Slices of one field: constants together, values with their place.
struct FieldForm {
  struct Part {
    mlir::Value value;
    const isa::SliceInfo *slice;
    bool operator==(const Part &other) const {
      return value == other.value && slice->lo == other.slice->lo &&
             slice->width == other.slice->width;
    }
  };
  uint64_t constant = 0;
  llvm::SmallVector<Part, 2> parts;

  bool operator==(const FieldForm &) const = default;
  bool isZero() const { return constant == 0 && parts.empty(); }
  mlir::Value materialize(mlir::OpBuilder &builder, mlir::Location loc) const;
};

/// constant + sum of factor * value, modulo 2^64.
struct WordForm {
  struct Term {
    mlir::Value value;
    uint64_t factor;
    bool operator==(const Term &) const = default;
  };
  uint64_t constant = 0;
  llvm::SmallVector<Term, 4> terms;

  bool operator==(const WordForm &) const = default;
  bool isZero() const { return constant == 0 && terms.empty(); }
  /// Adds `factor * value`, taking sums and constant factors of \p value apart.
  void add(mlir::Value value, uint64_t factor);
  mlir::Value materialize(mlir::OpBuilder &builder, mlir::Location loc) const;
};

/// A slice's constant or value; a value that is an arith.constant counts as a
/// constant.
struct SliceForm {
  const isa::SliceInfo *info;
  mlir::Value value;
  int64_t constant = 0;

  bool isConstant() const { return !value; }
  bool sameAs(const SliceForm &other) const {
    return value == other.value && constant == other.constant;
  }
};

/// All slices of \p command in the order of the layout; fails with a message
/// if a constant does not fit.
mlir::FailureOr<llvm::SmallVector<SliceForm>>
readSlices(pe::CommandOpInterface command);

/// \returns whether the slice can stand in the word: its term is as wide as
/// every value of it. \p localBytes bounds offsets in local memory.
bool fitsTerm(const SliceForm &slice, uint64_t localBytes);

/// An i64 constant.
mlir::Value makeConstant(mlir::OpBuilder &builder, mlir::Location loc,
                         uint64_t value);

} // namespace chipwright::compiler

#endif // CHIPWRIGHT_COMPILER_PE_COMMANDFORM_H
