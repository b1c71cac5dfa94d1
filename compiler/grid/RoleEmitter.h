//===- RoleEmitter.h - One hart's share of a tile program -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Both harts run the program's control flow; what differs is which operations
// they issue. RoleEmitter clones loops and scalars and leaves the operations
// on tiles to LoadEmitter (hart 0) and ComputeEmitter (hart 1).
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_GRID_ROLEEMITTER_H
#define CHIPWRIGHT_COMPILER_GRID_ROLEEMITTER_H

#include "compiler/Target.h"
#include "compiler/grid/LocalPlan.h"
#include "dialects/pe/Pe.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace chipwright {

class RoleEmitter {
public:
  /// \p block is the address of the argument block (i64), at whose function
  /// \p builder stands.
  RoleEmitter(grid::ProgramOp program, const LocalPlan &plan,
              const Target &target, mlir::OpBuilder &builder,
              mlir::Value block);
  virtual ~RoleEmitter() = default;

  mlir::LogicalResult run();

protected:
  /// Issues \p op; called for operations on tiles.
  virtual mlir::LogicalResult issue(mlir::Operation *op) = 0;
  /// Does this hart do the program's writes of single values?
  virtual bool writesControl() const { return false; }
  /// Around the body of a loop: carried tiles change their names.
  virtual void enterLoop(mlir::scf::ForOp loop, mlir::scf::ForOp made) {}
  virtual void leaveLoop(mlir::scf::ForOp loop) {}
  /// Is called when a block begins, and behind each operation of it.
  virtual void enterBlock(mlir::Block &block) {}
  virtual void done(mlir::Operation *op) {}

  mlir::Value scalar(mlir::Value value) const { return map.lookup(value); }
  /// \p value (index) as an i64 for a command, a constant if it is one.
  mlir::OpFoldResult word(mlir::Value value);
  mlir::Value index(int64_t value);
  mlir::Value i64(int64_t value);

  struct BufferArgument {
    mlir::Value address;                  // i64
    llvm::SmallVector<mlir::Value> sizes; // index
  };
  const BufferArgument &bufferOf(mlir::Value buffer) { return buffers[buffer]; }
  /// The name of the model's operation that \p op belongs to, or "".
  llvm::StringRef tagOf(mlir::Operation *op) const;

  /// A transfer between a buffer and a tile: slices that loads and stores
  /// have in common.
  llvm::SmallVector<pe::SliceValue, 16>
  transferSlices(mlir::Operation *op, mlir::Value buffer,
                 mlir::OperandRange indices, mlir::Value limit, bool indexed,
                 std::optional<uint64_t> width, mlir::RankedTensorType tile,
                 int64_t cb);

  mlir::OpBuilder &b;
  const LocalPlan &plan;
  const Target &target;
  mlir::IRMapping map;

private:
  void readArguments(mlir::Value block);
  mlir::LogicalResult emitBlock(mlir::Block &block);
  mlir::LogicalResult emit(mlir::Operation *op);
  mlir::LogicalResult emitFor(mlir::scf::ForOp loop);
  mlir::LogicalResult emitIf(mlir::scf::IfOp branch);
  mlir::LogicalResult emitParallel(grid::ParallelOp loop);
  void emitRead(grid::ReadOp read);
  void emitWrite(grid::WriteOp write);
  /// Address of an element of a control buffer (i64).
  mlir::Value addressOf(mlir::Location loc, mlir::Value buffer,
                        mlir::OperandRange indices);
  /// Control buffers may have changed behind the hart's cache.
  void invalidateControl(mlir::Location loc);
  void emitBarrier(mlir::Location loc);
  /// Elements from the start of \p buffer to the element at \p indices.
  mlir::Value linearIndex(mlir::Location loc, mlir::Value buffer,
                          mlir::OperandRange indices);
  /// min(length, size - at), at least 0; a constant if it is provable.
  mlir::Value validPart(mlir::Location loc, mlir::Value at, mlir::Value size,
                        int64_t length);

  grid::ProgramOp program;
  llvm::DenseMap<mlir::Value, BufferArgument> buffers;
  /// First iteration of this PE in the parallel loop around, and its position
  /// in the line.
  struct Round {
    mlir::Value iteration, count, position;
    int64_t length;
  };
  llvm::DenseMap<mlir::Operation *, Round> rounds;
};

/// Code of an element type in commands.
isa::ElementType elementCode(mlir::Type type);

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_GRID_ROLEEMITTER_H
