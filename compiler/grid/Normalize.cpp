//===- Normalize.cpp - Every tile where its readers can read it -----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/Target.h"
#include "compiler/grid/Banks.h"
#include "compiler/grid/GridPasses.h"
#include "compiler/grid/LocalPlan.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <cmath>

namespace chipwright {
#define GEN_PASS_DEF_NORMALIZEPASS
#include "compiler/grid/GridPasses.h.inc"
} // namespace chipwright

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

namespace {

class Normalizer {
public:
  Normalizer(ProgramOp program, const Target &target)
      : program(program), target(target) {}

  LogicalResult run() {
    if (failed(check())) {
      return failure();
    }
    program.walk([&](LoadOp load) { ownIndices(load); });
    spillSums(program, target);
    program.walk([&](scf::ForOp loop) { carryInPlace(loop); });
    program.walk([&](MatmulOp matmul) { accumulateInPlace(matmul); });
    // Operations are added in front of the visited one, or replace it.
    SmallVector<Operation *> users;
    program.walk([&](Operation *op) { users.push_back(op); });
    for (Operation *op : users) {
      readable(op);
    }
    program.walk([&](StoreOp store) { storeLast(store); });
    return success();
  }

private:
  /// Is \p value even for every PE and iteration, as far as its text shows?
  static bool isEven(Value value) {
    if (std::optional<int64_t> constant = getConstantIntValue(value)) {
      return *constant % 2 == 0;
    }
    if (auto product = value.getDefiningOp<arith::MulIOp>()) {
      return isEven(product.getLhs()) || isEven(product.getRhs());
    }
    if (auto sum = value.getDefiningOp<arith::AddIOp>()) {
      return isEven(sum.getLhs()) && isEven(sum.getRhs());
    }
    auto argument = dyn_cast<BlockArgument>(value);
    auto loop = argument
                    ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp())
                    : scf::ForOp();
    return loop && loop.getInductionVar() == value &&
           isEven(loop.getLowerBound()) && isEven(loop.getStep());
  }

  /// Packed tiles are loaded in whole bytes and converted as a whole.
  static LogicalResult checkPacked(Operation *op) {
    for (Type result : op->getResultTypes()) {
      auto tile = dyn_cast<RankedTensorType>(result);
      if (!tile || !isReadOnly(tile.getElementType())) {
        continue;
      }
      auto fill = dyn_cast<FillOp>(op);
      if (fill && fill.getValue() == Fill::neg_inf) {
        return op->emitOpError("of minus infinity, which ")
               << tile.getElementType() << " lacks";
      }
      if (!isPacked(tile.getElementType())) {
        continue;
      }
      if (tile.getDimSize(1) % 2 != 0) {
        return op->emitOpError("yields a tile with rows of whole bytes: an "
                               "even number of columns, found ")
               << tile;
      }
      if (isa<tensor::ExtractSliceOp>(op)) {
        return op->emitOpError("of a tile of ")
               << tile.getElementType()
               << "; convert the whole tile, and take a part of the result";
      }
      auto load = dyn_cast<LoadOp>(op);
      if (load && !isEven(load.getIndices().back())) {
        return op->emitOpError("of ")
               << tile.getElementType()
               << " begins at a whole byte: at an even column, that is a "
                  "constant, a multiple, or a loop's variable with even start "
                  "and step";
      }
    }
    return success();
  }

  LogicalResult check() {
    WalkResult packed =
        program.walk([](Operation *op) { return WalkResult(checkPacked(op)); });
    if (packed.wasInterrupted()) {
      return failure();
    }
    WalkResult result = program.walk([&](Operation *op) {
      bool hasTile = llvm::any_of(op->getResultTypes(), [](Type type) {
        return isa<RankedTensorType>(type);
      });
      if (llvm::isa<GenericOp>(op) ||
          llvm::any_of(op->getResultTypes(), [](Type type) {
            auto tile = dyn_cast<RankedTensorType>(type);
            return tile && !tile.hasStaticShape();
          })) {
        op->emitOpError("is not scheduled; run grid-expand first");
        return WalkResult::interrupt();
      }
      if (!hasTile || isa<GridDialect>(op->getDialect()) ||
          isa<scf::ForOp, tensor::ExtractSliceOp>(op)) {
        return WalkResult::advance();
      }
      if (isa<arith::ConstantOp>(op)) {
        if (splatOf(op->getResult(0))) {
          return WalkResult::advance();
        }
        op->emitOpError("a constant tile has equal elements; put others into "
                        "a buffer");
        return WalkResult::interrupt();
      }
      op->emitOpError("yields a tile but no command computes it");
      return WalkResult::interrupt();
    });
    if (!result.wasInterrupted()) {
      result = program.walk([](LoadOp load) {
        if (!load.getGather() || load.getGather().getDefiningOp<LoadOp>()) {
          return WalkResult::advance();
        }
        load.emitOpError("gathers by row numbers that were computed on the "
                         "chip; store them and load them behind a barrier");
        return WalkResult::interrupt();
      });
    }
    if (!result.wasInterrupted()) {
      result = program.walk([](tensor::ExtractSliceOp slice) {
        bool fixed =
            llvm::none_of(slice.getStaticOffsets(), ShapedType::isDynamic) &&
            llvm::all_of(slice.getStaticStrides(),
                         [](int64_t stride) { return stride == 1; });
        if (fixed) {
          return WalkResult::advance();
        }
        slice.emitOpError("of a tile has constant offsets and no strides");
        return WalkResult::interrupt();
      });
    }
    return failure(result.wasInterrupted());
  }

  Value copyBefore(Operation *place, Value value) {
    OpBuilder builder(place);
    if (std::optional<double> constant = splatOf(value)) {
      return tileOf(builder, place->getLoc(),
                    cast<RankedTensorType>(value.getType()), *constant,
                    /*byHart1=*/true);
    }
    if (liesInBanks(value)) {
      return drain(builder, place->getLoc(), value);
    }
    return CopyOp::create(builder, place->getLoc(), value.getType(), value);
  }

  /// A command that only moves \p x, in its type.
  static Value drain(OpBuilder &builder, Location loc, Value x) {
    return identity(builder, loc, x, FloatAttr());
  }
  static Value identity(OpBuilder &builder, Location loc, Value x,
                        FloatAttr add) {
    return SimdOp::create(builder, loc, x.getType(), Type(), x, Value(),
                          Value(), Value(), Value(), Value(), false,
                          FloatAttr(), add ? Operand::immediate : Operand::none,
                          Alu::add, add, FloatAttr(), Function::id,
                          Operand::none, Alu::add, FloatAttr(), Reduction::none,
                          IntegerAttr())
        .getOut();
  }

  static Value tileOf(OpBuilder &builder, Location loc, RankedTensorType type,
                      double value, bool byHart1) {
    bool isNegInf = std::isinf(value) && value < 0;
    Value tile = FillOp::create(builder, loc, type,
                                isNegInf ? Fill::neg_inf : Fill::zero);
    if (value != 0 && !isNegInf) {
      return identity(builder, loc, tile,
                      builder.getF32FloatAttr(static_cast<float>(value)));
    }
    return byHart1 ? Value(CopyOp::create(builder, loc, type, tile)) : tile;
  }

  /// May \p value become the state of a loop or of a product without a copy?
  /// \p user takes it over: nobody may read it afterwards.
  bool canHandOver(Value value, Operation *user) {
    if (isa_and_nonnull<LoadOp, FillOp, tensor::ExtractSliceOp>(
            value.getDefiningOp()) ||
        value.getParentBlock() != user->getBlock()) {
      return false;
    }
    for (OpOperand &use : value.getUses()) {
      Operation *other =
          user->getBlock()->findAncestorOpInBlock(*use.getOwner());
      if (other != user && user->isBeforeInBlock(other)) {
        return false;
      }
      if (other == user && use.getOwner() != user) {
        return false; // read inside of the loop that changes it
      }
    }
    return llvm::hasSingleElement(
        llvm::make_filter_range(value.getUses(), [&](OpOperand &use) {
          return use.getOwner() == user;
        }));
  }

  void carryInPlace(scf::ForOp loop) {
    for (auto [i, carried] : llvm::enumerate(carriedTiles(loop))) {
      bool inBanks = liesInBanks(carried.argument);
      OpOperand &init =
          *loop.getTiedLoopInit(cast<BlockArgument>(carried.argument));
      std::optional<double> constant = splatOf(carried.init);
      // A sum starts from zero or from a tile that is loaded into its banks.
      bool isReady =
          inBanks && (constant ? *constant == 0 : !liesInBanks(carried.init));
      if (!isReady && (constant || liesInBanks(carried.init) != inBanks ||
                       !canHandOver(carried.init, loop))) {
        init.set(copyBefore(loop, carried.init));
      }
      Operation *yield = loop.getBody()->getTerminator();
      OpOperand &last =
          *loop.getTiedLoopYieldedValue(cast<BlockArgument>(carried.argument));
      if (splatOf(carried.yielded) || isa<BlockArgument>(carried.yielded) ||
          !canHandOver(carried.yielded, yield)) {
        last.set(copyBefore(yield, carried.yielded));
      }
    }
  }

  /// Row numbers of a gather are read by hart 0: they come straight from
  /// memory, and other readers get a tile of their own.
  void ownIndices(LoadOp load) {
    if (!load.getGather() || load.getGather().hasOneUse()) {
      return;
    }
    Operation *index = load.getGather().getDefiningOp();
    OpBuilder builder(load);
    load.getGatherMutable().assign(builder.clone(*index)->getResult(0));
  }

  void accumulateInPlace(MatmulOp matmul) {
    Value acc = matmul.getAcc();
    if (!splatOf(acc) && liesInBanks(acc) && !canHandOver(acc, matmul)) {
      OpBuilder builder(matmul);
      matmul.getAccMutable().assign(drain(builder, matmul.getLoc(), acc));
    }
  }

  /// Gives each operand of \p op a form that its command reads.
  void readable(Operation *op) {
    if (isa<scf::ForOp, scf::YieldOp>(op)) {
      return;
    }
    OpBuilder builder(op);
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = operand.get();
      auto type = dyn_cast<RankedTensorType>(value.getType());
      if (!type) {
        continue;
      }
      if (std::optional<double> constant = splatOf(value)) {
        bool isZeroSum = isa<MatmulOp>(op) && operand.getOperandNumber() == 2 &&
                         *constant == 0;
        if (!isZeroSum) {
          operand.set(tileOf(builder, op->getLoc(), type, *constant,
                             /*byHart1=*/false));
        }
      } else if (liesInBanks(value) && !readsSum(op, operand)) {
        operand.set(drain(builder, op->getLoc(), value));
      }
    }
  }

  bool readsSum(Operation *op, OpOperand &operand) {
    if (auto product = dyn_cast<MatmulOp>(op)) {
      return operand.getOperandNumber() == 2 && !isSpilled(product);
    }
    auto simd = dyn_cast<SimdOp>(op);
    // Banks that share rows cannot be reduced together.
    return simd && operand.getOperandNumber() == 0 &&
           (simd.getReduce() == Reduction::none ||
            colsOf(simd.getX().getType()) <= target.cachedRows) &&
           // Nor do parts of a sum begin where segments do.
           simd.getY1Kind() != Operand::per_segment &&
           simd.getY2Kind() != Operand::per_segment;
  }

  /// A store removes the tile from its ring.
  void storeLast(StoreOp store) {
    Value tile = store.getTile();
    bool isLast = !isa<BlockArgument>(tile) &&
                  !tile.getDefiningOp<tensor::ExtractSliceOp>() &&
                  tile.getParentBlock() == store->getBlock();
    for (Operation *user : tile.getUsers()) {
      Operation *other = store->getBlock()->findAncestorOpInBlock(*user);
      isLast &= user == store.getOperation() ||
                (other && other->isBeforeInBlock(store));
    }
    if (!isLast) {
      OpBuilder builder(store);
      store.getTileMutable().assign(
          CopyOp::create(builder, store.getLoc(), tile.getType(), tile));
    }
  }

  ProgramOp program;
  const Target &target;
};

class Normalize : public chipwright::impl::NormalizePassBase<Normalize> {
public:
  using NormalizePassBase::NormalizePassBase;

  void runOnOperation() override {
    FailureOr<Target> target = Target::of(getOperation());
    if (failed(target) || failed(Normalizer(getOperation(), *target).run())) {
      signalPassFailure();
    }
  }
};

} // namespace
