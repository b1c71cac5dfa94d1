//===- Rings.cpp ----------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/Rings.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

void Rings::push(Value tile) { ringOf(tile).push_back({tile}); }

void Rings::release(Value tile) {
  auto &ring = ringOf(tile);
  for (Entry &entry : ring) {
    entry.dead |= entry.tile == tile;
  }
  while (!ring.empty() && ring.front().dead) {
    popped(plan.of(tile));
    ring.erase(ring.begin());
  }
}

void Rings::taken(Value tile) {
  auto &ring = ringOf(tile);
  assert(!ring.empty() && ring.front().tile == tile);
  ring.erase(ring.begin());
}

void Rings::rename(Value from, Value to) {
  for (Entry &entry : ringOf(from)) {
    if (entry.tile == from) {
      entry.tile = to;
    }
  }
}

int64_t Rings::offsetOf(Value tile) const {
  int64_t offset = 0;
  Value whole = tile;
  const Place &place = plan.of(tile);
  while (auto slice = whole.getDefiningOp<tensor::ExtractSliceOp>()) {
    offset += slice.getStaticOffset(0) * place.pitch() +
              slice.getStaticOffset(1) * bytesOf(place.type.getElementType());
    whole = slice.getSource();
  }
  auto ring = rings.find(&place);
  if (ring != rings.end()) {
    for (const Entry &entry : ring->second) {
      if (entry.tile == whole) {
        break;
      }
      offset += place.slotBytes();
    }
  }
  return offset;
}

bool Rings::follows(Value tile) const {
  if (!isa<RankedTensorType>(tile.getType())) {
    return false;
  }
  const Place &place = plan.of(tile);
  return !place.inBanks && place.isGatherIndex == ofLoads;
}

void Rings::done(Operation *op) {
  auto found = deaths.find(op);
  if (found != deaths.end()) {
    for (Value tile : found->second) {
      release(tile);
    }
  }
}

/// The last operation of the block of \p value that reads it, also through
/// slices and inside of regions; null if none does.
static Operation *lastReader(Value value, Block &block) {
  Operation *last = nullptr;
  for (Operation *user : value.getUsers()) {
    Operation *reader = block.findAncestorOpInBlock(*user);
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(user)) {
      // Slices of an outer tile may be taken further inside.
      Operation *inner = nullptr;
      for (Operation *next : slice->getUsers()) {
        Operation *place = block.findAncestorOpInBlock(*next);
        if (auto again = dyn_cast<tensor::ExtractSliceOp>(next)) {
          place = lastReader(again.getResult(), block);
        }
        if (place && (!inner || inner->isBeforeInBlock(place))) {
          inner = place;
        }
      }
      reader = inner;
    }
    if (reader && (!last || last->isBeforeInBlock(reader))) {
      last = reader;
    }
  }
  return last;
}

void Rings::enterBlock(Block &block) {
  for (BlockArgument argument : block.getArguments()) {
    if (!follows(argument)) {
      continue;
    }
    if (Operation *last = lastReader(argument, block)) {
      deaths[last].push_back(argument);
    } else {
      release(argument);
    }
  }
  for (Operation &op : block) {
    if (op.hasTrait<OpTrait::ConstantLike>() ||
        isa<tensor::ExtractSliceOp>(op)) {
      continue;
    }
    for (Value result : op.getResults()) {
      if (follows(result)) {
        // Nobody reads it: it leaves when it has come.
        Operation *last = lastReader(result, block);
        deaths[last ? last : &op].push_back(result);
      }
    }
  }
}
