//===- RingSharing.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/RingSharing.h"

#include "compiler/grid/LastReaders.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

RingTrace::RingTrace(ProgramOp program,
                     std::function<std::optional<unsigned>(Value)> placeOf)
    : placeOf(std::move(placeOf)) {
  walk(program.getBody().front());
}

void RingTrace::add(Kind kind, Operation *op, Value tile, Value renamed) {
  std::optional<unsigned> place = tile ? placeOf(tile) : 0u;
  if (place) {
    events.push_back({kind, *place, tile.getAsOpaquePointer(),
                      renamed.getAsOpaquePointer(), op});
  }
}

/// In the order in which the emitters go through a block.
void RingTrace::walk(Block &block) {
  LastReaders readers(
      [&](Value tile) { return placeOf(tile).has_value(); },
      [&](Value tile) { add(Kind::Release, block.getParentOp(), tile); });
  readers.enterBlock(block);
  for (Operation &op : block) {
    if (op.hasTrait<OpTrait::IsTerminator>()) {
      break;
    }
    visit(&op);
    readers.done(&op);
  }
}

void RingTrace::visit(Operation *op) {
  if (op->hasTrait<OpTrait::ConstantLike>() ||
      isa<tensor::ExtractSliceOp>(op)) {
    return;
  }
  if (op->getNumRegions() != 0) {
    SmallVector<Carried> carried;
    if (isa<scf::ForOp>(op)) {
      carried = carriedTiles(op);
    }
    for (const Carried &tile : carried) {
      // A sum in banks may start from a tile in a ring, which stays there.
      if (placeOf(tile.argument)) {
        add(Kind::Rename, op, tile.init, tile.argument);
      }
    }
    for (Region &region : op->getRegions()) {
      if (region.empty()) {
        continue;
      }
      add(Kind::Enter, op);
      walk(region.front());
      for (const Carried &tile : carried) {
        add(Kind::Rename, op, tile.yielded, tile.argument);
      }
      add(Kind::Leave, op);
    }
    for (const Carried &tile : carried) {
      add(Kind::Rename, op, tile.argument, tile.result);
    }
    return;
  }
  if (auto store = dyn_cast<StoreOp>(op)) {
    add(Kind::Take, op, store.getTile());
    return;
  }
  for (Value result : op->getResults()) {
    if (isa<RankedTensorType>(result.getType())) {
      add(Kind::Push, op, result);
    }
  }
}

std::optional<int64_t>
RingTrace::occupancy(const std::vector<bool> &places) const {
  struct Entry {
    void *tile;
    bool dead;
    bool operator==(const Entry &other) const = default;
  };
  SmallVector<Entry, 8> ring;
  SmallVector<SmallVector<Entry, 8>> outside;
  size_t most = 0;
  const Operation *lastPush = nullptr;
  for (const Event &event : events) {
    if (event.kind == Kind::Enter) {
      outside.push_back(ring);
      continue;
    }
    if (event.kind == Kind::Leave) {
      if (outside.pop_back_val() != ring) {
        return std::nullopt;
      }
      continue;
    }
    if (!places[event.place]) {
      continue;
    }
    switch (event.kind) {
    case Kind::Push:
      // Two results of a command would be written at the same place.
      if (event.op == lastPush) {
        return std::nullopt;
      }
      lastPush = event.op;
      ring.push_back({event.tile, false});
      most = std::max(most, ring.size());
      break;
    case Kind::Release:
      for (Entry &entry : ring) {
        entry.dead |= entry.tile == event.tile;
      }
      while (!ring.empty() && ring.front().dead) {
        ring.erase(ring.begin());
      }
      break;
    case Kind::Take:
      // A store takes the oldest tile.
      if (ring.empty() || ring.front().tile != event.tile) {
        return std::nullopt;
      }
      ring.erase(ring.begin());
      break;
    default:
      for (Entry &entry : ring) {
        entry.tile = entry.tile == event.tile ? event.renamed : entry.tile;
      }
    }
  }
  return static_cast<int64_t>(most);
}
