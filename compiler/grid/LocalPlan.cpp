//===- LocalPlan.cpp ------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/LocalPlan.h"

#include "compiler/grid/Banks.h"
#include "compiler/grid/RingSharing.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SmallPtrSet.h"

#include <numeric>

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

/// More slots than this hide no more latency.
static constexpr int64_t kMaxDepth = 8;

static int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// A ring starts at a whole line of the widest local memory bank.
static int64_t ringBytes(const Ring &ring, int64_t depth) {
  constexpr int64_t kLine = 64;
  return divideUp(depth * ring.slot, kLine) * kLine;
}

static int64_t ringBytes(const Ring &ring) {
  return ringBytes(ring, ring.depth);
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
      auto product = value.getDefiningOp<MatmulOp>();
      return product && !isSpilled(product);
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
      place.inBanks |= isa<MatmulOp>(maker) && liesInBanks(tile);
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
    if (place.type.getRank() == 2) {
      place.rowParts = divideUp(place.type.getDimSize(0), target.streamRows);
      place.colParts = divideUp(place.type.getDimSize(1), target.cachedRows);
    }
  }
}

static LogicalResult refuseBanks(ProgramOp program, const Target &target,
                                 ArrayRef<SumLife> lives, int64_t most) {
  InFlightDiagnostic error = program.emitError()
                             << "sums of products of @" << program.getSymName()
                             << " need " << most << " accumulator banks, "
                             << target.name << " has " << target.banks
                             << " (re.banks); use smaller tiles";
  for (const SumLife &life : lives) {
    MatmulOp product = life.products.front();
    error.attachNote(product.getLoc())
        << life.banks << " banks of " << target.streamRows << " x "
        << target.cachedRows << " for this " << product.getSum().getType();
  }
  return error;
}

LogicalResult LocalPlan::assignBanks(ProgramOp program, const Target &target) {
  std::vector<SumLife> lives = livesOfSums(program, target);
  int64_t together = 0;
  for (const SumLife &life : lives) {
    together += life.banks;
    tight |= isSpilled(life.products.front());
  }
  const int64_t most = mostBanks(lives);
  if (most > target.banks) {
    return refuseBanks(program, target, lives, most);
  }
  // As long as there are enough, no sum waits for another one's drain.
  tight |= together > target.banks;
  std::vector<unsigned> freeFrom(static_cast<size_t>(target.banks), 0);
  std::vector<size_t> order(lives.size());
  std::iota(order.begin(), order.end(), size_t(0));
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::pair(lives[a].first, a) < std::pair(lives[b].first, b);
  });
  // While one part of a spilled sum is drained, the next may be multiplied.
  constexpr int64_t kBorrowed = 2;
  for (size_t number : order) {
    const SumLife &life = lives[number];
    MatmulOp product = life.products.front();
    const int64_t wanted = isSpilled(product) ? kBorrowed : life.banks;
    std::vector<int64_t> banks;
    for (size_t bank = 0; bank < freeFrom.size(); ++bank) {
      if (freeFrom[bank] <= life.first &&
          static_cast<int64_t>(banks.size()) < wanted) {
        banks.push_back(static_cast<int64_t>(bank));
        freeFrom[bank] = tight ? life.last + 1 : ~0u;
      }
    }
    if (isSpilled(product)) {
      borrowed[product] = std::move(banks);
    } else {
      all[index.lookup(product.getSum())].banks = std::move(banks);
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Rings
//===----------------------------------------------------------------------===//

int64_t LocalPlan::bytesOfRings() const {
  int64_t bytes = 0;
  for (const Ring &ring : allRings) {
    bytes += ringBytes(ring);
  }
  return bytes;
}

std::optional<Ring> LocalPlan::merged(const Ring &a, const Ring &b,
                                      const RingTrace &trace) const {
  const Place &first = all[a.places.front()], &second = all[b.places.front()];
  if (first.filledByLoad != second.filledByLoad ||
      first.isGatherIndex != second.isGatherIndex) {
    return std::nullopt; // other harts
  }
  Ring ring;
  std::vector<bool> chosen(all.size());
  for (const Ring *part : {&a, &b}) {
    ring.slot = std::max(ring.slot, part->slot);
    for (unsigned place : part->places) {
      if (all[place].isInParts) {
        return std::nullopt;
      }
      ring.places.push_back(place);
      chosen[place] = true;
    }
  }
  std::optional<int64_t> depth = trace.occupancy(chosen);
  if (!depth) {
    return std::nullopt;
  }
  llvm::sort(ring.places);
  ring.depth = *depth;
  return ring;
}

/// Unites pairs of rings until the rest fits, those first whose union takes
/// least memory.
void LocalPlan::shareRings(const Target &target, const RingTrace &trace) {
  while (true) {
    const bool isMany = static_cast<int64_t>(allRings.size()) > target.cbs;
    if (!isMany && bytesOfRings() <= target.localBytes) {
      return;
    }
    std::optional<Ring> best;
    int64_t least = 0;
    size_t bestA = 0, bestB = 0;
    for (size_t a = 0; a < allRings.size(); ++a) {
      for (size_t b = a + 1; b < allRings.size(); ++b) {
        std::optional<Ring> both = merged(allRings[a], allRings[b], trace);
        if (!both) {
          continue;
        }
        int64_t more =
            ringBytes(*both) - ringBytes(allRings[a]) - ringBytes(allRings[b]);
        if (best ? more < least : isMany || more < 0) {
          best = std::move(both);
          least = more;
          bestA = a;
          bestB = b;
        }
      }
    }
    if (!best) {
      return;
    }
    tight = true;
    allRings[bestA] = std::move(*best);
    allRings.erase(allRings.begin() + static_cast<std::ptrdiff_t>(bestB));
  }
}

/// Puts each of \p own into the first ring that takes it: fewer rings than
/// pairs may lead to, whatever their bytes.
void LocalPlan::fillRings(std::vector<Ring> own, const RingTrace &trace) {
  std::vector<Ring> filled;
  for (Ring &ring : own) {
    bool isTaken = false;
    for (Ring &other : filled) {
      if (std::optional<Ring> both = merged(other, ring, trace)) {
        other = std::move(*both);
        isTaken = true;
        break;
      }
    }
    if (!isTaken) {
      filled.push_back(std::move(ring));
    }
  }
  if (filled.size() < allRings.size()) {
    allRings = std::move(filled);
    tight = true;
  }
}

/// Overlap: two slots where somebody fills one while another is read, most
/// urgent first; then more for loads, to hide the latency of memory.
void LocalPlan::deepenRings(const Target &target) {
  int64_t used = bytesOfRings();
  auto deepen = [&](Ring &ring, int64_t depth) {
    int64_t more = ringBytes(ring, depth) - ringBytes(ring);
    if (ring.depth < depth && used + more <= target.localBytes) {
      used += more;
      ring.depth = depth;
    }
  };
  auto any = [&](const Ring &ring, auto what) {
    return llvm::any_of(ring.places,
                        [&](unsigned place) { return what(all[place]); });
  };
  auto isLoadedOnce = [&](const Ring &ring) {
    return !any(ring, [](const Place &place) {
      return !isa<ProgramOp>(place.maker->getParentOp());
    });
  };
  auto isLoaded = [](const Place &place) { return place.filledByLoad; };
  // A slot more than a shared ring must have.
  std::vector<int64_t> wanted;
  for (const Ring &ring : allRings) {
    wanted.push_back(ring.isShared() ? ring.depth + 1 : 2);
  }
  for (auto [ring, depth] : llvm::zip(allRings, wanted)) {
    if (any(ring, isLoaded) && !isLoadedOnce(ring)) {
      deepen(ring, depth);
    }
  }
  for (auto [ring, depth] : llvm::zip(allRings, wanted)) {
    if (any(ring, [](const Place &place) { return place.isStored; })) {
      bool isCarried = !ring.isShared() && all[ring.places[0]].isCarried;
      deepen(ring, isCarried ? 3 : depth);
    }
  }
  for (auto [ring, depth] : llvm::zip(allRings, wanted)) {
    if (!isLoadedOnce(ring)) {
      deepen(ring, depth);
    }
  }
  for (int64_t depth = 3; depth <= kMaxDepth; ++depth) {
    for (Ring &ring : allRings) {
      if (any(ring, isLoaded) && !isLoadedOnce(ring) &&
          any(ring,
              [](const Place &place) { return !isa<FillOp>(place.maker); })) {
        deepen(ring, depth);
      }
    }
  }
}

LogicalResult LocalPlan::assignRings(ProgramOp program, const Target &target) {
  for (auto [number, place] : llvm::enumerate(all)) {
    if (!place.inBanks) {
      Ring &ring = allRings.emplace_back();
      ring.places = {static_cast<unsigned>(number)};
      ring.slot = place.tileBytes();
      ring.depth = place.isCarried || place.isInParts ? 2 : 1;
    }
  }
  auto numberOf = [&](Value tile) -> std::optional<unsigned> {
    auto place = index.find(tile);
    return place == index.end() || all[place->second].inBanks
               ? std::nullopt
               : std::optional(place->second);
  };
  if (static_cast<int64_t>(allRings.size()) > target.cbs ||
      bytesOfRings() > target.localBytes) {
    RingTrace trace(program, numberOf);
    std::vector<Ring> own = allRings;
    shareRings(target, trace);
    for (int turn = 0; turn < 2; ++turn) {
      if (static_cast<int64_t>(allRings.size()) > target.cbs) {
        fillRings(own, trace);
      }
      std::reverse(own.begin(), own.end());
    }
  }
  auto explain = [&](InFlightDiagnostic &error) {
    for (auto [cb, ring] : llvm::enumerate(allRings)) {
      for (unsigned place : ring.places) {
        error.attachNote(all[place].maker->getLoc())
            << "CB " << cb << ": " << ring.depth << " x " << ring.slot
            << " bytes for this " << all[place].type;
      }
    }
  };
  if (static_cast<int64_t>(allRings.size()) > target.cbs) {
    InFlightDiagnostic error = program.emitError()
                               << "@" << program.getSymName() << " needs "
                               << allRings.size() << " circular buffers, "
                               << target.name << " has " << target.cbs
                               << " (cp.cbs); split the program";
    explain(error);
    return error;
  }
  if (int64_t used = bytesOfRings(); used > target.localBytes) {
    InFlightDiagnostic error = program.emitError()
                               << "tiles of @" << program.getSymName()
                               << " need " << used << " bytes of local memory, "
                               << target.name << " has " << target.localBytes
                               << " besides stacks and arguments (ls.bytes); "
                               << "use smaller tiles";
    explain(error);
    return error;
  }
  deepenRings(target);
  int64_t next = 0;
  for (auto [cb, ring] : llvm::enumerate(allRings)) {
    for (unsigned place : ring.places) {
      all[place].cb = static_cast<int64_t>(cb);
      all[place].base = next;
      all[place].depth = ring.depth;
      all[place].slot = ring.slot;
    }
    next += ringBytes(ring);
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
