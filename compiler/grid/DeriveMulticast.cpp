//===- DeriveMulticast.cpp - Loads shared by a line of PEs ----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// What a value depends on is a set of parallel loops: those whose iteration
// enters its computation, be it as an operand or through the control flow that
// chooses it. A load in a parallel loop on columns that depends on that loop
// neither by its operands nor by the control flow between the two is issued
// alike by all PEs of a row that have an iteration in this round.
//
// Members of a round: iteration i of the PE at position p of its line belongs
// to the round that starts at i - p, so min(count - (i - p), length) PEs of
// the line have one, those with the lowest positions.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target.h"
#include "compiler/grid/GridPasses.h"

#include "llvm/ADT/SmallPtrSet.h"

namespace chipwright {
#define GEN_PASS_DEF_DERIVEMULTICASTPASS
#include "compiler/grid/GridPasses.h.inc"
} // namespace chipwright

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

namespace {

using LoopSet = llvm::SmallPtrSet<Operation *, 4>;

/// Parallel loops whose iteration a value depends on.
class Dependence {
public:
  const LoopSet &of(Value value) {
    auto found = known.find(value);
    if (found != known.end()) {
      return found->second;
    }
    // Loop-carried values may lead back here: what is known so far stands in,
    // and the other operands of the cycle add the rest.
    known[value] = {};
    LoopSet result = compute(value);
    return known[value] = std::move(result);
  }

  /// Loops that decide whether and how often \p op runs within \p outer.
  LoopSet controlOf(Operation *op, Operation *outer) {
    LoopSet result;
    for (Operation *parent = op->getParentOp(); parent && parent != outer;
         parent = parent->getParentOp()) {
      if (auto loop = dyn_cast<ParallelOp>(parent)) {
        add(result, loop.getCount());
        // PEs of another position run other iterations of it.
        continue;
      }
      for (Value operand : parent->getOperands()) {
        // Bounds and conditions; initial values of tiles do not decide.
        if (operand.getType().isIntOrIndex()) {
          add(result, operand);
        }
      }
    }
    return result;
  }

private:
  LoopSet compute(Value value) {
    LoopSet result;
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      Operation *owner = argument.getOwner()->getParentOp();
      if (isa<ParallelOp>(owner)) {
        result.insert(owner);
        add(result, cast<ParallelOp>(owner).getCount());
      } else if (auto loop = dyn_cast<scf::ForOp>(owner)) {
        for (Value bound :
             {loop.getLowerBound(), loop.getUpperBound(), loop.getStep()}) {
          add(result, bound);
        }
        if (OpOperand *init = loop.getTiedLoopInit(argument)) {
          add(result, init->get());
          add(result, loop.getTiedLoopYieldedValue(argument)->get());
        }
      }
      return result;
    }
    Operation *op = value.getDefiningOp();
    for (Value operand : op->getOperands()) {
      add(result, operand);
    }
    for (Region &region : op->getRegions()) {
      for (Block &block : region) {
        for (Value operand : block.getTerminator()->getOperands()) {
          add(result, operand);
        }
      }
    }
    return result;
  }

  void add(LoopSet &set, Value value) {
    const LoopSet more = of(value);
    set.insert(more.begin(), more.end());
  }

  DenseMap<Value, LoopSet> known;
};

class DeriveMulticast
    : public chipwright::impl::DeriveMulticastPassBase<DeriveMulticast> {
public:
  using DeriveMulticastPassBase::DeriveMulticastPassBase;

  void runOnOperation() override {
    FailureOr<Target> target = Target::of(getOperation());
    if (failed(target)) {
      return signalPassFailure();
    }
    Dependence dependence;
    SmallVector<LoadOp> loads;
    getOperation().walk([&](LoadOp load) { loads.push_back(load); });
    for (LoadOp load : loads) {
      if (load.getMulticast() == Multicast::none && !load.getGather()) {
        share(load, *target, dependence);
      }
    }
  }

private:
  static void share(LoadOp load, const Target &target, Dependence &dependence) {
    LoopSet operands;
    for (Value operand : load->getOperands()) {
      const LoopSet &more = dependence.of(operand);
      operands.insert(more.begin(), more.end());
    }
    // The loop that saves most: a row's PEs if both would do.
    ParallelOp chosen;
    int64_t members = 1;
    for (auto loop = load->getParentOfType<ParallelOp>(); loop;
         loop = loop->getParentOfType<ParallelOp>()) {
      int64_t length =
          loop.getLines() == Lines::row ? target.rows : target.cols;
      if (operands.contains(loop) ||
          dependence.controlOf(load, loop).contains(loop) ||
          length <= members) {
        continue;
      }
      chosen = loop;
      members = length;
    }
    if (!chosen) {
      return;
    }
    OpBuilder builder(load.getContext());
    Value mask = maskOf(chosen, builder);
    load.getMaskMutable().assign(mask);
    load.setMulticast(chosen.getLines() == Lines::row ? Multicast::column
                                                      : Multicast::row);
  }

  /// Members of this round of \p loop, at the start of its body; made once.
  static Value maskOf(ParallelOp loop, OpBuilder &builder) {
    for (MembersOp made : loop.getBlock()->getOps<MembersOp>()) {
      return made.getMask();
    }
    builder.setInsertionPointToStart(loop.getBlock());
    return MembersOp::create(builder, loop.getLoc(), builder.getI64Type());
  }
};

} // namespace
