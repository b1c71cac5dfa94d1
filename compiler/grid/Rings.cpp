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
              bytesOf(place.type.getElementType(), slice.getStaticOffset(1));
    whole = slice.getSource();
  }
  auto ring = rings.find(place.cb);
  if (ring != rings.end()) {
    for (const Entry &entry : ring->second) {
      if (entry.tile == whole) {
        break;
      }
      offset += place.slot;
    }
  }
  return offset;
}

bool Rings::follows(Value tile) const {
  const Place &place = plan.of(tile);
  return !place.inBanks && place.isGatherIndex == ofLoads;
}
