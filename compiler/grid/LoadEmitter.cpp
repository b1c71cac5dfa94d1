//===- LoadEmitter.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/LoadEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

/// Zeros of types that are only read are zero bytes.
static isa::ElementType fillCode(Type type) {
  return isReadOnly(type) ? isa::ElementType::I8 : elementCode(type);
}

LoadEmitter::LoadEmitter(ProgramOp program, const LocalPlan &plan,
                         const Target &target, OpBuilder &builder, Value block)
    : RoleEmitter(program, plan, target, builder, block),
      rings(plan, /*ofLoads=*/true, [this](const Place &place) {
        pe::CbPopOp::create(b, b.getUnknownLoc(),
                            static_cast<uint64_t>(place.cb), i64(place.slot));
      }) {}

LogicalResult LoadEmitter::issue(Operation *op) {
  if (auto transfer = dyn_cast<LoadOp>(op)) {
    load(transfer);
  } else if (auto constant = dyn_cast<FillOp>(op)) {
    fill(constant);
  }
  return success();
}

void LoadEmitter::load(LoadOp op) {
  RankedTensorType type = op.getTile().getType();
  const Place &place = plan.of(op.getTile());
  auto slices =
      transferSlices(op, op.getBuffer(), op.getIndices(), op.getLimit(),
                     bool(op.getGather()), op.getWidth(), type, place.cb);
  slices.push_back({"fill", op.getFill()});
  slices.push_back({"fill_dtype", fillCode(type.getElementType())});
  slices.push_back({"policy", op.getPolicy()});
  slices.push_back({"mcast", op.getMulticast()});
  if (op.getMask()) {
    slices.push_back({"mcast_mask", word(scalar(op.getMask()))});
  }
  if (op.getGather()) {
    slices.push_back({"index_cb", plan.of(op.getGather()).cb});
    slices.push_back({"index_offset", rings.offsetOf(op.getGather())});
  }
  pe::DmaInOp::create(b, op.getLoc(), slices, tagOf(op));
  fillSlot(op.getLoc(), place);
  if (place.isGatherIndex) {
    rings.push(op.getTile());
  }
}

/// A block without a valid part is all fill; nothing is read.
void LoadEmitter::fill(FillOp op) {
  RankedTensorType type = op.getTile().getType();
  const Place &place = plan.of(op.getTile());
  pe::DmaInOp::create(b, op.getLoc(),
                      {{"rows", type.getDimSize(0)},
                       {"row_bytes", place.pitch()},
                       {"cb", place.cb},
                       {"fill", op.getValue()},
                       {"fill_dtype", fillCode(type.getElementType())}},
                      tagOf(op));
  fillSlot(op.getLoc(), place);
}

/// A transfer moves the pointer by its tile; larger tiles share its ring.
void LoadEmitter::fillSlot(Location loc, const Place &place) {
  if (int64_t rest = place.slot - place.tileBytes()) {
    pe::CbPushOp::create(b, loc, static_cast<uint64_t>(place.cb), i64(rest));
  }
}
