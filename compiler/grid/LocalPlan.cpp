//===- LocalPlan.cpp ------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/LocalPlan.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

/// More slots than this hide no more latency.
static constexpr int64_t kMaxDepth = 8;

static int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// A ring starts at a whole line of the widest local memory bank.
static int64_t ringBytes(const Place &ring, int64_t depth) {
  constexpr int64_t kLine = 64;
  return divideUp(depth * ring.slotBytes(), kLine) * kLine;
}

Value chipwright::wholeOf(Value value) {
  while (auto slice = value.getDefiningOp<tensor::ExtractSliceOp>()) {
    value = slice.getSource();
  }
  return value;
}

bool chipwright::liesInBanks(Value value) {
  llvm::SmallPtrSet<void *, 8> seen;
  while (seen.insert(value.getAsOpaquePointer()).second) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
      if (!loop) {
        return false;
      }
      value = loop.getTiedLoopYieldedValue(argument)->get();
    } else if (auto loop = value.getDefiningOp<scf::ForOp>()) {
      value = loop.getYieldedValues()[cast<OpResult>(value).getResultNumber()];
    } else {
      return value.getDefiningOp<MatmulOp>() != nullptr;
    }
  }
  return false; // a state that nobody changes
}

SmallVector<Carried> chipwright::carriedTiles(Operation *op) {
  SmallVector<Carried> result;
  auto loop = cast<scf::ForOp>(op);
  for (auto [init, argument, yielded, value] :
       llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs(),
                 loop.getYieldedValues(), loop.getResults())) {
    if (isa<RankedTensorType>(value.getType())) {
      result.push_back({init, argument, yielded, value});
    }
  }
  return result;
}

void LocalPlan::classify(ProgramOp program, const Target &target) {
  llvm::EquivalenceClasses<void *> classes;
  SmallVector<Value> tiles;
  auto add = [&](Value value) {
    if (isa<RankedTensorType>(value.getType())) {
      classes.insert(value.getAsOpaquePointer());
      tiles.push_back(value);
    }
  };
  program.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op->hasTrait<OpTrait::ConstantLike>() ||
        isa<tensor::ExtractSliceOp>(op)) {
      return;
    }
    for (Value result : op->getResults()) {
      add(result);
    }
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      for (Value argument : loop.getRegionIterArgs()) {
        add(argument);
      }
    }
  });
  program.walk([&](scf::ForOp loop) {
    for (const Carried &carried : carriedTiles(loop)) {
      for (Value other : {carried.init, carried.yielded, carried.result}) {
        // A sum may start from a zero that lies nowhere, or from a tile that
        // is loaded into its banks.
        if (!splatOf(other) &&
            liesInBanks(other) == liesInBanks(carried.argument)) {
          classes.unionSets(carried.argument.getAsOpaquePointer(),
                            other.getAsOpaquePointer());
        }
      }
    }
  });
  program.walk([&](MatmulOp matmul) {
    if (!splatOf(matmul.getAcc()) && liesInBanks(matmul.getAcc())) {
      classes.unionSets(matmul.getAcc().getAsOpaquePointer(),
                        matmul.getSum().getAsOpaquePointer());
    }
  });
  // Places in the order of the program, so that compilation is reproducible.
  llvm::DenseMap<void *, unsigned> leaders;
  for (Value tile : tiles) {
    void *leader = classes.getLeaderValue(tile.getAsOpaquePointer());
    auto [entry, isNew] =
        leaders.try_emplace(leader, static_cast<unsigned>(all.size()));
    if (isNew) {
      all.emplace_back().type = cast<RankedTensorType>(tile.getType());
    }
    index[tile] = entry->second;
    Place &place = all[entry->second];
    Operation *maker = tile.getDefiningOp();
    place.isCarried |= isa<BlockArgument>(tile);
    if (maker && !isa<scf::ForOp>(maker)) {
      place.maker = place.maker ? place.maker : maker;
      place.inBanks |= isa<MatmulOp>(maker);
      place.filledByLoad |= isa<LoadOp, FillOp>(maker);
      auto chain = dyn_cast<SimdOp>(maker);
      place.isInParts |= chain && tile == chain.getRed() &&
                         colsOf(chain.getX().getType()) > kMaxColumns;
    }
    for (Operation *user : tile.getUsers()) {
      place.isStored |= isa<StoreOp>(user);
      auto load = dyn_cast<LoadOp>(user);
      place.isGatherIndex |= load && load.getGather() == tile;
    }
  }
  for (Place &place : all) {
    if (place.inBanks) {
      place.rowParts = divideUp(place.type.getDimSize(0), target.streamRows);
      place.colParts = divideUp(place.type.getDimSize(1), target.cachedRows);
    }
  }
}

LogicalResult LocalPlan::assignBanks(ProgramOp program, const Target &target) {
  int64_t next = 0;
  for (Place &place : all) {
    if (place.inBanks) {
      place.firstBank = next;
      next += place.rowParts * place.colParts;
    }
  }
  if (next <= target.banks) {
    return success();
  }
  InFlightDiagnostic error = program.emitError()
                             << "sums of products of @" << program.getSymName()
                             << " need " << next << " accumulator banks, "
                             << target.name << " has " << target.banks
                             << " (re.banks); use smaller tiles";
  for (const Place &place : all) {
    if (place.inBanks) {
      error.attachNote(place.maker->getLoc())
          << place.rowParts * place.colParts << " banks of "
          << target.streamRows << " x " << target.cachedRows << " for this "
          << place.type;
    }
  }
  return error;
}

LogicalResult LocalPlan::assignRings(ProgramOp program, const Target &target) {
  std::vector<Place *> rings;
  int64_t used = 0;
  for (Place &place : all) {
    if (!place.inBanks) {
      place.cb = static_cast<int64_t>(rings.size());
      place.depth = place.isCarried || place.isInParts ? 2 : 1;
      used += ringBytes(place, place.depth);
      rings.push_back(&place);
    }
  }
  auto explain = [&](InFlightDiagnostic &error) {
    for (Place *ring : rings) {
      error.attachNote(ring->maker->getLoc())
          << "CB " << ring->cb << ": " << ring->depth << " x "
          << ring->slotBytes() << " bytes for this " << ring->type;
    }
  };
  if (static_cast<int64_t>(rings.size()) > target.cbs) {
    InFlightDiagnostic error = program.emitError()
                               << "@" << program.getSymName() << " needs "
                               << rings.size() << " circular buffers, "
                               << target.name << " has " << target.cbs
                               << " (cp.cbs); split the program";
    explain(error);
    return error;
  }
  if (used > target.localBytes) {
    InFlightDiagnostic error = program.emitError()
                               << "tiles of @" << program.getSymName()
                               << " need " << used << " bytes of local memory, "
                               << target.name << " has " << target.localBytes
                               << " besides stacks and arguments (ls.bytes); "
                               << "use smaller tiles";
    explain(error);
    return error;
  }
  // Overlap: two slots where somebody fills one while another is read, most
  // urgent first; then more for loads, to hide the latency of memory.
  auto deepen = [&](Place *ring, int64_t depth) {
    int64_t more = ringBytes(*ring, depth) - ringBytes(*ring, ring->depth);
    if (ring->depth < depth && used + more <= target.localBytes) {
      used += more;
      ring->depth = depth;
    }
  };
  auto isLoadedOnce = [](const Place *ring) {
    return isa<ProgramOp>(ring->maker->getParentOp());
  };
  for (Place *ring : rings) {
    if (ring->filledByLoad && !isLoadedOnce(ring)) {
      deepen(ring, 2);
    }
  }
  for (Place *ring : rings) {
    if (ring->isStored) {
      deepen(ring, ring->isCarried ? 3 : 2);
    }
  }
  for (Place *ring : rings) {
    if (!isLoadedOnce(ring)) {
      deepen(ring, 2);
    }
  }
  for (int64_t depth = 3; depth <= kMaxDepth; ++depth) {
    for (Place *ring : rings) {
      if (ring->filledByLoad && !isLoadedOnce(ring) &&
          !isa<FillOp>(ring->maker)) {
        deepen(ring, depth);
      }
    }
  }
  int64_t next = 0;
  for (Place *ring : rings) {
    ring->base = next;
    next += ringBytes(*ring, ring->depth);
  }
  return success();
}

FailureOr<LocalPlan> LocalPlan::make(ProgramOp program, const Target &target) {
  LocalPlan plan;
  plan.classify(program, target);
  if (failed(plan.assignBanks(program, target)) ||
      failed(plan.assignRings(program, target))) {
    return failure();
  }
  return plan;
}

const Place &LocalPlan::of(Value tile) const {
  return all[index.lookup(wholeOf(tile))];
}
