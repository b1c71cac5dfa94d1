//===- GridToPe.cpp - Tile programs to the two harts ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/ComputeEmitter.h"
#include "compiler/grid/GridPasses.h"
#include "compiler/grid/LoadEmitter.h"

namespace chipwright {
#define GEN_PASS_DEF_GRIDTOPEPASS
#include "compiler/grid/GridPasses.h.inc"
} // namespace chipwright

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

namespace {

/// A function that takes the address of the argument block.
func::FuncOp makeFunction(OpBuilder &builder, ProgramOp program,
                          StringRef name) {
  builder.setInsertionPoint(program);
  Type i64 = builder.getI64Type();
  auto function = func::FuncOp::create(builder, program.getLoc(), name,
                                       builder.getFunctionType(i64, {}));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToEnd(entry);
  auto end = func::ReturnOp::create(builder, program.getLoc());
  builder.setInsertionPoint(end);
  return function;
}

class GridToPe : public chipwright::impl::GridToPePassBase<GridToPe> {
public:
  using GridToPePassBase::GridToPePassBase;

  void runOnOperation() override {
    SmallVector<ProgramOp> programs(getOperation().getOps<ProgramOp>());
    if (programs.size() != 1) {
      getOperation().emitError("a kernel is made of one grid.program, found ")
          << programs.size();
      return signalPassFailure();
    }
    ProgramOp program = programs.front();
    FailureOr<Target> target = Target::of(program);
    if (failed(target)) {
      return signalPassFailure();
    }
    FailureOr<LocalPlan> plan = LocalPlan::make(program, *target);
    if (failed(plan)) {
      return signalPassFailure();
    }
    OpBuilder builder(&getContext());
    func::FuncOp load = makeFunction(builder, program, "kernel_load");
    setUpRings(builder, program.getLoc(), *plan);
    LoadEmitter loads(program, *plan, *target, builder, load.getArgument(0));
    if (failed(loads.run())) {
      return signalPassFailure();
    }
    func::FuncOp compute = makeFunction(builder, program, "kernel_compute");
    ComputeEmitter computes(program, *plan, *target, builder,
                            compute.getArgument(0));
    if (failed(computes.run())) {
      return signalPassFailure();
    }
    program.erase();
  }

private:
  static void setUpRings(OpBuilder &builder, Location loc,
                         const LocalPlan &plan) {
    for (auto [cb, ring] : llvm::enumerate(plan.rings())) {
      int64_t base = plan.places()[ring.places.front()].base;
      Value word = arith::ConstantIntOp::create(
          builder, loc, base | (ring.depth * ring.slot) << 32, 64);
      pe::CbSetupOp::create(builder, loc, static_cast<uint64_t>(cb), word);
    }
  }
};

} // namespace
