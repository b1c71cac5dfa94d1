//===- Target.h - What machine code depends on ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The architectural parameters of a chip as the passes see them. They travel
// with the module, in its attribute `pe.chip`, so that a dumped stage can be
// compiled further without the chip's file.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_TARGET_H
#define CHIPWRIGHT_COMPILER_TARGET_H

#include "mlir/IR/BuiltinOps.h"

#include <cstdint>
#include <string>

namespace chipwright {

struct ChipSpec;

struct Target {
  std::string name;
  std::string isa;
  int64_t rows = 0, cols = 0;
  int64_t localBytes = 0;    // local memory below stacks and arguments
  int64_t argumentBytes = 0; // largest argument block
  int64_t contexts = 0, cbs = 0, banks = 0;
  int64_t streamRows = 0;   // rows of a full pass of the streamed operand
  int64_t cachedRows = 0;   // rows of the cached operand
  int64_t kBytes = 0;       // bytes of K per pass
  int64_t maxPasses = 0;    // K repeats of one matrix command
  int64_t granuleBytes = 0; // interleave of memory: good size of a row
  // Rates, for ranking schedules only: what a module does not say stands as
  // here. They are no part of what code depends on.
  int64_t portBytes = 64;     // of a PE, per cycle and direction
  int64_t memoryBytes = 2048; // of all banks of the SRAM, per cycle
  int64_t loadBytes = 64;     // of the cached operand, per cycle
  int64_t minPassCycles = 32; // of the matrix engine
  int64_t drainElements = 32; // of accumulator banks, per cycle
  int64_t lanes = 32;         // of the SIMD engine

  int64_t numPes() const { return rows * cols; }

  static Target of(const ChipSpec &spec);
  /// Reads the attribute of the module around \p op.
  /// \returns failure after a diagnostic if it is missing or incomplete.
  static mlir::FailureOr<Target> of(mlir::Operation *op);
  /// \returns the first parameter that code depends on and \p other has
  /// another value of, as "rows is 8 here and 4 there"; "" if there is none.
  std::string differenceTo(const Target &other) const;
  /// Writes the attribute.
  void attachTo(mlir::ModuleOp module) const;
};

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_TARGET_H
