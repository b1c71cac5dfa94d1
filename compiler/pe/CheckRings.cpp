//===- CheckRings.cpp - Balance and occupancy of circular buffers ---------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A CB has one producer and one consumer hart, which may be the same. What the
// producer pushes in a loop's body, or in one side of a branch, is compared
// with what the consumer pops in its copy of it. Copies are found by position
// and by the expressions of bounds and conditions. An amount counts as wrong
// only if no value of what is known at run time makes it right; what cannot be
// compared is left to the machine.
//
//===----------------------------------------------------------------------===//

#include "compiler/pe/CheckRings.h"
#include "compiler/pe/Passes.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace chipwright::compiler {
#define GEN_PASS_DEF_PECHECKRINGS
#include "compiler/pe/Passes.h.inc"
} // namespace chipwright::compiler

using namespace mlir;
using namespace chipwright;
using namespace chipwright::compiler;

/// Moves of a CB's pointers in one direction.
using Way = Amount RingEffect::*;

static std::string textOf(const Amount &amount) {
  std::string text = std::to_string(amount.constant) + " bytes";
  if (amount.isConstant()) {
    return text;
  }
  return amount.constant == 0 ? "a number of bytes known at run time"
                              : text + " and more, known at run time,";
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

void RingChecker::findRings(func::FuncOp function) {
  function.walk([&](pe::CbSetupOp setup) {
    Ring &ring = rings[static_cast<int>(setup.getCb())];
    ring.isPlain &= !ring.setup && setup->getParentOp() == function;
    ring.setup = setup;
    if (auto word = getConstantIntValue(setup.getRs1())) {
      ring.capacity = static_cast<int64_t>(static_cast<uint64_t>(*word) >> 32);
    }
  });
}

bool RingChecker::run() {
  functions[0] = module.lookupSymbol<func::FuncOp>("kernel_load");
  functions[1] = module.lookupSymbol<func::FuncOp>("kernel_compute");
  if (!functions[0] || !functions[1] || functions[0].isExternal() ||
      functions[1].isExternal()) {
    return true;
  }
  TreeBuilder builder;
  for (unsigned hart = 0; hart < 2; ++hart) {
    findRings(functions[hart]);
    trees[hart] = builder.build(functions[hart], hart);
  }
  for (func::FuncOp function : functions) {
    checkSizes(function);
  }
  if (trees[0] && trees[1]) {
    for (unsigned hart = 0; hart < 2; ++hart) {
      for (const auto &[cb, effect] : trees[hart]->effects) {
        rings[cb].pushes[hart] = effect.push != Amount();
        rings[cb].pops[hart] = effect.pop != Amount();
      }
    }
    Fills fills;
    for (const auto &[cb, ring] : rings) {
      checkBalance(cb, ring);
      if (isDone.contains(cb) || isUnclear.contains(cb)) {
        continue;
      }
      balanced.insert(cb);
      if (!ring.capacity) {
        continue;
      }
      if (ring.pushes[0] == ring.pops[0]) {
        if (follow(cb, *trees[ring.pushes[0] ? 0 : 1], 0)) {
          followed.insert(cb);
        }
      } else {
        fills[cb] = 0;
      }
    }
    followBoth(*trees[0], *trees[1], fills);
    for (const auto &[cb, fill] : fills) {
      if (fill) {
        followed.insert(cb);
      }
    }
  }
  return !hasError;
}

void RingChecker::report() {
  for (const auto &[cb, ring] : rings) {
    emitRemark((ring.setup ? ring.setup : module.getOperation())->getLoc())
        << "CB " << cb << ": balance "
        << (balanced.contains(cb) ? "known" : "not known") << ", fill "
        << (followed.contains(cb) ? "known" : "not known");
  }
}

//===----------------------------------------------------------------------===//
// Balance
//===----------------------------------------------------------------------===//

static SmallVector<const CheckItem *> structured(const CheckRegion &region,
                                                 int cb, Way way) {
  SmallVector<const CheckItem *> found;
  for (const CheckItem &item : region.items) {
    auto effect = item.effects.find(cb);
    if (item.cb < 0 && effect != item.effects.end() &&
        effect->second.*way != Amount()) {
      found.push_back(&item);
    }
  }
  return found;
}

static Amount amountOf(const CheckRegion &region, int cb, Way way) {
  auto effect = region.effects.find(cb);
  return effect == region.effects.end() ? Amount() : effect->second.*way;
}

/// The first push or pop of \p cb, for a note.
static Operation *firstOf(const CheckRegion &region, int cb, Way way) {
  for (const CheckItem &item : region.items) {
    auto effect = item.effects.find(cb);
    if (effect == item.effects.end() || effect->second.*way == Amount()) {
      continue;
    }
    if (item.cb >= 0) {
      return item.op;
    }
    for (const auto &inner : item.regions) {
      if (Operation *op = firstOf(*inner, cb, way)) {
        return op;
      }
    }
  }
  return nullptr;
}

static bool pushesInLoop(const CheckRegion &region, int cb) {
  return llvm::any_of(
      structured(region, cb, &RingEffect::push), [&](const CheckItem *item) {
        return item->isLoop() || llvm::any_of(item->regions, [&](auto &side) {
                 return pushesInLoop(*side, cb);
               });
      });
}

/// Does \p more at the end of the program only take room that is there?
bool RingChecker::isHarmless(int cb, Operation *scope, const Amount &more,
                             const CheckRegion &producer) const {
  const Ring &ring = rings.at(cb);
  if (!llvm::isa<func::FuncOp>(scope) || more.sign() <= 0) {
    return false;
  }
  return more.isConstant() ? !ring.capacity || more.constant <= *ring.capacity
                           : !pushesInLoop(producer, cb);
}

/// Compares a region of the producer with the same one of the consumer, inner
/// ones first. \returns true if something was said.
bool RingChecker::compare(int cb, Operation *scope, const CheckRegion &producer,
                          const CheckRegion &consumer) {
  Amount more = amountOf(producer, cb, &RingEffect::push);
  more.add(amountOf(consumer, cb, &RingEffect::pop), -1);
  const bool isRest = isHarmless(cb, scope, more, producer);
  auto pushed = structured(producer, cb, &RingEffect::push),
       popped = structured(consumer, cb, &RingEffect::pop);
  bool isSame = pushed.size() == popped.size();
  for (size_t i = 0; isSame && i < pushed.size(); ++i) {
    isSame = pushed[i]->key == popped[i]->key;
  }
  for (size_t i = 0; isSame && i < pushed.size(); ++i) {
    // What one constant loop or branch adds, another may take away.
    const bool mayCompensate = !pushed[i]->isLoop() || pushed[i]->trips;
    if ((more.sign() == 0 || isRest) && mayCompensate) {
      continue;
    }
    for (size_t side = 0; side < pushed[i]->regions.size(); ++side) {
      if (compare(cb, pushed[i]->op, *pushed[i]->regions[side],
                  *popped[i]->regions[side])) {
        return true;
      }
    }
  }
  if (more != Amount() && more.sign() == 0) {
    isUnclear.insert(cb);
  }
  if (more.sign() == 0) {
    return false;
  }
  sayUnbalanced(cb, scope, more, producer, consumer);
  return true;
}

void RingChecker::sayUnbalanced(int cb, Operation *scope, const Amount &more,
                                const CheckRegion &producer,
                                const CheckRegion &consumer) {
  const char *what = llvm::isa<scf::ForOp>(scope)  ? "an iteration of this loop"
                     : llvm::isa<scf::IfOp>(scope) ? "a side of this branch"
                                                   : "the program";
  const bool isRest = isHarmless(cb, scope, more, producer);
  InFlightDiagnostic said =
      isRest ? emitWarning(scope->getLoc()) : emitError(scope->getLoc());
  const Amount in = amountOf(producer, cb, &RingEffect::push),
               out = amountOf(consumer, cb, &RingEffect::pop);
  Operation *push = firstOf(producer, cb, &RingEffect::push),
            *pop = firstOf(consumer, cb, &RingEffect::pop);
  said << what << " pushes " << textOf(in) << " into CB " << cb << " and pops "
       << textOf(out) << ", expected as much: "
       << (isRest            ? "the rest stays in the CB"
           : more.sign() > 0 ? "the CB fills up and its producer waits for ever"
                             : "the consumer waits for ever")
       << "; "
       << (more.sign() > 0 ? "pop what is pushed (pe.cb_pop, pe.dma_out)"
                           : "pop no more than is pushed (pe.cb_push, "
                             "pe.dma_in)");
  if (push) {
    said.attachNote(push->getLoc()) << "pushed by " << describe(push);
  }
  if (pop) {
    said.attachNote(pop->getLoc()) << "popped by " << describe(pop);
  }
  hasError |= !isRest;
  isDone.insert(cb);
}

void RingChecker::checkBalance(int cb, const Ring &ring) {
  const bool isProducerClear = ring.pushes[0] != ring.pushes[1],
             isConsumerClear = ring.pops[0] != ring.pops[1];
  const bool moves =
      ring.pushes[0] || ring.pushes[1] || ring.pops[0] || ring.pops[1];
  if (!moves || !ring.isPlain || isDone.contains(cb) ||
      (ring.pushes[0] && ring.pushes[1]) || (ring.pops[0] && ring.pops[1])) {
    isDone.insert(cb);
    return;
  }
  // Who does not move the CB at all stands for a missing side.
  const unsigned producer = isProducerClear ? ring.pushes[1] : !ring.pops[1],
                 consumer = isConsumerClear ? ring.pops[1] : !producer;
  const bool isFed = ring.pushes[0] || ring.pushes[1];
  compare(cb, functions[isFed ? producer : consumer], *trees[producer],
          *trees[consumer]);
}

//===----------------------------------------------------------------------===//
// Occupancy
//===----------------------------------------------------------------------===//

bool RingChecker::overflows(int cb, Operation *where, int64_t fill,
                            const Twine &what) {
  const Ring &ring = rings[cb];
  if (fill <= *ring.capacity) {
    return false;
  }
  InFlightDiagnostic error =
      emitError(where->getLoc())
      << what << " CB " << cb << " would hold " << fill
      << " bytes in the order of the program, expected at "
         "most the "
      << *ring.capacity
      << " that it has: its producer waits for ever; make "
         "the CB larger (pe.cb_setup) or pop earlier";
  error.attachNote(ring.setup->getLoc()) << "the CB is set up here";
  hasError = true;
  isDone.insert(cb);
  return true;
}

/// Follows a CB through the one function that pushes and pops it.
/// \returns the bytes in it behind \p region, if they are known.
RingChecker::Fill RingChecker::follow(int cb, const CheckRegion &region,
                                      Fill fill) {
  for (const CheckItem &item : region.items) {
    auto effect = item.effects.find(cb);
    if (!fill || effect == item.effects.end() || isDone.contains(cb)) {
      continue;
    }
    if (item.cb >= 0) {
      const Amount &push = effect->second.push, &pop = effect->second.pop;
      if (!push.isConstant() || !pop.isConstant()) {
        return std::nullopt;
      }
      fill = wrappingSum(*fill, push.constant);
      if (overflows(cb, item.op, *fill, "behind " + describe(item.op))) {
        return std::nullopt;
      }
      fill = wrappingSum(*fill, wrappingProduct(pop.constant, -1));
    } else if (item.isLoop()) {
      fill = followLoop(cb, item, *fill);
    } else {
      Fill taken = follow(cb, *item.regions[0], fill),
           other = follow(cb, *item.regions[1], fill);
      fill = taken == other ? taken : std::nullopt;
    }
  }
  return fill;
}

RingChecker::Fill RingChecker::followLoop(int cb, const CheckItem &loop,
                                          int64_t fill) {
  if (loop.trips == 0) {
    return fill;
  }
  Fill after = follow(cb, *loop.regions[0], fill);
  if (!after || *after == fill || isDone.contains(cb)) {
    return after;
  }
  const int64_t each = wrappingSum(*after, wrappingProduct(fill, -1));
  if (loop.trips) {
    int64_t last = wrappingSum(fill, wrappingProduct(each, *loop.trips - 1));
    if (each <= 0) {
      return wrappingSum(last, each);
    }
    // The last iteration holds most; a body is gone through twice for it.
    constexpr unsigned kMaxRepeated = 8;
    if (repeated == kMaxRepeated) {
      return std::nullopt;
    }
    ++repeated;
    Fill end = follow(cb, *loop.regions[0], last);
    --repeated;
    return end;
  }
  if (each > 0) {
    InFlightDiagnostic error =
        emitError(loop.op->getLoc())
        << "an iteration of this loop leaves " << each << " bytes in CB " << cb
        << ", expected none, since the number of iterations is known at run "
           "time only and the CB has "
        << *rings[cb].capacity << " bytes; pop within the loop what it pushes";
    error.attachNote(firstOf(*loop.regions[0], cb, &RingEffect::push)->getLoc())
        << "pushed here";
    hasError = true;
    isDone.insert(cb);
  }
  return std::nullopt;
}

/// Follows CBs between the harts through regions that are copies of each
/// other. In the order of the program, what stands before a loop of both comes
/// before it in both; how the harts' operations between two loops follow each
/// other is not known, so fills are compared at loops and branches only.
void RingChecker::followBoth(const CheckRegion &load,
                             const CheckRegion &compute, Fills &fills) {
  const CheckRegion *sides[2] = {&load, &compute};
  SmallVector<size_t> at[2];
  for (unsigned hart = 0; hart < 2; ++hart) {
    for (auto [i, item] : llvm::enumerate(sides[hart]->items)) {
      if (item.cb < 0 && llvm::any_of(
                             item.effects,
                             [&](const auto &effect) {
                               return fills.contains(effect.first);
                             })) {
        at[hart].push_back(i);
      }
    }
  }
  bool isSame = at[0].size() == at[1].size();
  for (size_t k = 0; isSame && k < at[0].size(); ++k) {
    isSame = load.items[at[0][k]].key == compute.items[at[1][k]].key;
  }
  if (!isSame) {
    for (auto &[cb, fill] : fills) {
      fill = std::nullopt;
    }
    return;
  }
  size_t next[2] = {0, 0};
  for (size_t k = 0; k <= at[0].size(); ++k) {
    const bool isEnd = k == at[0].size();
    for (unsigned hart = 0; hart < 2; ++hart) {
      size_t end = isEnd ? sides[hart]->items.size() : at[hart][k];
      for (; next[hart] < end; ++next[hart]) {
        const CheckItem &item = sides[hart]->items[next[hart]];
        for (const auto &[cb, effect] : item.effects) {
          auto fill = fills.find(cb);
          if (fill == fills.end() || !fill->second) {
            continue;
          }
          if (!effect.push.isConstant() || !effect.pop.isConstant()) {
            fill->second = std::nullopt;
            continue;
          }
          Amount moved = effect.push;
          moved.add(effect.pop, -1);
          fill->second = wrappingSum(*fill->second, moved.constant);
        }
      }
    }
    if (isEnd) {
      return;
    }
    const CheckItem &loadItem = load.items[next[0]++],
                    &computeItem = compute.items[next[1]++];
    for (auto &[cb, fill] : fills) {
      if (fill && !isDone.contains(cb) &&
          overflows(cb, loadItem.op, *fill,
                    loadItem.isLoop() ? "before this loop"
                                      : "before this branch")) {
        fill = std::nullopt;
      }
    }
    if (loadItem.trips == 0) {
      continue;
    }
    const Fills before = fills;
    for (size_t side = 0; side < loadItem.regions.size(); ++side) {
      Fills inside = before;
      followBoth(*loadItem.regions[side], *computeItem.regions[side], inside);
      for (auto &[cb, fill] : fills) {
        // A region that leaves a CB as it was does so each time.
        if (inside[cb] != before.at(cb)) {
          fill = std::nullopt;
        }
      }
    }
  }
}

namespace {
struct PeCheckRings : compiler::impl::PeCheckRingsBase<PeCheckRings> {
  using Base::Base;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    RingChecker checker(getOperation());
    if (!checker.run()) {
      signalPassFailure();
    }
    if (report) {
      checker.report();
    }
  }
};

} // namespace
