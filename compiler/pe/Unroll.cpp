//===- Unroll.cpp - Unroll short loops around commands --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/pe/Passes.h"
#include "dialects/pe/Pe.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Utils/Utils.h"
#include "mlir/IR/BuiltinOps.h"

namespace chipwright::compiler {
#define GEN_PASS_DEF_PEUNROLL
#include "compiler/pe/Passes.h.inc"
} // namespace chipwright::compiler

using namespace mlir;
using namespace chipwright;

namespace {
struct PeUnroll : compiler::impl::PeUnrollBase<PeUnroll> {
  using Base::Base;

  void runOnOperation() override {
    // Inner loops first: an unrolled loop may make its parent innermost.
    SmallVector<scf::ForOp> loops;
    getOperation().walk<WalkOrder::PostOrder>(
        [&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp loop : loops) {
      if (shouldUnroll(loop) && failed(loopUnrollFull(loop))) {
        loop.emitError("loop with constant bounds could not be unrolled");
        return signalPassFailure();
      }
    }
  }

  bool shouldUnroll(scf::ForOp loop) {
    std::optional<APInt> trips = loop.getStaticTripCount();
    if (!trips || trips->isZero()) {
      return false;
    }
    uint64_t commands = 0;
    bool isInnermost = true;
    loop.getBody()->walk([&](Operation *op) {
      commands += llvm::isa<pe::CommandOpInterface>(op);
      isInnermost &= !llvm::isa<LoopLikeOpInterface>(op);
    });
    return isInnermost && commands != 0 && trips->ule(maxCommands) &&
           trips->getZExtValue() * commands <= maxCommands;
  }
};
} // namespace
