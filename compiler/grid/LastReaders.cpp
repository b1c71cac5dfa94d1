//===- LastReaders.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/LastReaders.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace chipwright;

bool LastReaders::isFollowed(Value tile) const {
  return isa<RankedTensorType>(tile.getType()) && follows(tile);
}

void LastReaders::done(Operation *op) {
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

void LastReaders::enterBlock(Block &block) {
  for (BlockArgument argument : block.getArguments()) {
    if (!isFollowed(argument)) {
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
      if (isFollowed(result)) {
        // Nobody reads it: it leaves when it has come.
        Operation *last = lastReader(result, block);
        deaths[last ? last : &op].push_back(result);
      }
    }
  }
}
