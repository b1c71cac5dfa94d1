//===- CheckTree.cpp ------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/pe/CheckTree.h"

#include "dialects/pe/Pe.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace chipwright;
using namespace chipwright::compiler;

//===----------------------------------------------------------------------===//
// Amounts
//===----------------------------------------------------------------------===//

int Amount::sign() const {
  bool more = constant > 0, less = constant < 0;
  for (auto [symbol, factor] : terms) {
    more |= factor > 0;
    less |= factor < 0;
  }
  return more == less ? 0 : more ? 1 : -1;
}

void Amount::add(const Amount &other, int64_t factor) {
  constant = wrappingSum(constant, wrappingProduct(other.constant, factor));
  for (auto [symbol, times] : other.terms) {
    int64_t &mine = terms[symbol];
    mine = wrappingSum(mine, wrappingProduct(times, factor));
    if (mine == 0) {
      terms.erase(symbol);
    }
  }
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// What a key begins with, where that is not the name of an operation.
enum : uintptr_t {
  kArgument = 1, // must not be a pointer
  kVariable,
  kBounds,
  kTrips,
  kIf,
  kProduct,
  kChosen,
  kHart,
};

unsigned Numbering::of(const Key &key) {
  auto [at, isNew] = numbers.try_emplace(key, next);
  next += isNew;
  return at->second;
}

unsigned Numbering::of(Value value) {
  auto [at, isNew] = values.try_emplace(value, next);
  next += isNew;
  return at->second;
}

void Numbering::visit(Operation &op) {
  barriers += llvm::isa<pe::BarrierOp, pe::BarrierHartOp>(op);
  if (op.getNumResults() == 0) {
    return;
  }
  Key key = {
      reinterpret_cast<uintptr_t>(op.getName().getAsOpaquePointer()),
      reinterpret_cast<uintptr_t>(op.getAttrDictionary().getAsOpaquePointer())};
  if (auto info = dyn_cast<pe::InfoOp>(op);
      info && info.getWhich() == uint64_t(isa::InfoItem::Hart)) {
    key = {kHart, hart};
  } else if (llvm::isa<pe::LoadOp>(op)) {
    key.push_back(barriers);
  } else if (!isMemoryEffectFree(&op)) {
    return; // of() makes new ones
  }
  for (Value operand : op.getOperands()) {
    key.push_back(of(operand));
  }
  for (auto [i, result] : llvm::enumerate(op.getResults())) {
    key.push_back(i);
    key.push_back(
        reinterpret_cast<uintptr_t>(result.getType().getAsOpaquePointer()));
    set(result, of(key));
  }
}

//===----------------------------------------------------------------------===//
// Trees
//===----------------------------------------------------------------------===//

std::unique_ptr<CheckRegion> TreeBuilder::build(func::FuncOp function,
                                                unsigned hart) {
  numbers.hart = hart;
  numbers.barriers = 0;
  for (BlockArgument argument : function.getArguments()) {
    numbers.set(argument,
                numbers.of(Numbering::Key{kArgument, argument.getArgNumber()}));
  }
  if (!function.getBody().hasOneBlock()) {
    return nullptr;
  }
  std::unique_ptr<CheckRegion> tree = walk(function.getBody().front());
  return isDecided ? std::move(tree) : nullptr;
}

std::unique_ptr<CheckRegion> TreeBuilder::walk(Block &block) {
  auto region = std::make_unique<CheckRegion>();
  for (Operation &op : block) {
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      visitLoop(loop, *region);
    } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
      visitBranch(branch, *region);
    } else if (op.getNumRegions() != 0 || llvm::isa<CallOpInterface>(op)) {
      bool hasEffect = llvm::isa<CallOpInterface>(op);
      op.walk([&](Operation *inner) {
        hasEffect |= llvm::isa<pe::CbPushOp, pe::CbPopOp, pe::DmaInOp,
                               pe::DmaOutOp, pe::GoOp, CallOpInterface>(inner);
      });
      isDecided &= !hasEffect;
    } else {
      numbers.visit(op);
      visitEffect(op, *region);
    }
  }
  for (const CheckItem &item : region->items) {
    for (const auto &[cb, effect] : item.effects) {
      RingEffect &sum = region->effects[cb];
      sum.push.add(effect.push);
      sum.pop.add(effect.pop);
    }
  }
  return region;
}

Amount TreeBuilder::scaled(const Amount &inner, uintptr_t kind, unsigned key) {
  Amount result;
  if (inner.constant != 0) {
    result.terms[numbers.of(Numbering::Key{kind, key})] = inner.constant;
  }
  for (auto [symbol, factor] : inner.terms) {
    Amount term;
    term.terms[numbers.of(Numbering::Key{kind, key, symbol})] = factor;
    result.add(term);
  }
  return result;
}

void TreeBuilder::visitLoop(scf::ForOp loop, CheckRegion &into) {
  CheckItem item;
  item.op = loop;
  item.key = numbers.of(Numbering::Key{
      kBounds, numbers.of(loop.getLowerBound()),
      numbers.of(loop.getUpperBound()), numbers.of(loop.getStep())});
  if (std::optional<APInt> trips = loop.getStaticTripCount();
      trips && trips->getActiveBits() < 32) {
    item.trips = static_cast<int64_t>(trips->getZExtValue());
  }
  auto nested = static_cast<uintptr_t>(llvm::count(around, item.key));
  numbers.set(loop.getInductionVar(),
              numbers.of(Numbering::Key{kVariable, item.key, nested}));
  around.push_back(item.key);
  item.regions.push_back(walk(*loop.getBody()));
  around.pop_back();
  for (const auto &[cb, effect] : item.regions[0]->effects) {
    RingEffect &sum = item.effects[cb];
    for (Amount RingEffect::*way : {&RingEffect::push, &RingEffect::pop}) {
      Amount body = effect.*way;
      if (item.trips) {
        (sum.*way).constant = wrappingProduct(body.constant, *item.trips);
        body.constant = 0;
      }
      // A symbol may depend on the loop's variable: its sum is a new one.
      (sum.*way).add(scaled(body, kTrips, item.key));
    }
  }
  if (!item.effects.empty()) {
    into.items.push_back(std::move(item));
  }
}

void TreeBuilder::visitBranch(scf::IfOp branch, CheckRegion &into) {
  CheckItem item;
  item.op = branch;
  unsigned condition = numbers.of(branch.getCondition());
  item.key = numbers.of(Numbering::Key{kIf, condition});
  for (Region *region : branch.getRegions()) {
    if (region->empty()) {
      item.regions.push_back(std::make_unique<CheckRegion>());
      continue;
    }
    item.regions.push_back(walk(region->front()));
  }
  for (auto [i, result] : llvm::enumerate(branch.getResults())) {
    numbers.set(
        result,
        numbers.of(Numbering::Key{
            kChosen, condition,
            numbers.of(branch.thenYield().getOperand(static_cast<unsigned>(i))),
            numbers.of(
                branch.elseYield().getOperand(static_cast<unsigned>(i)))}));
  }
  for (const auto &region : item.regions) {
    for (const auto &[cb, effect] : region->effects) {
      item.effects.try_emplace(cb);
    }
  }
  for (auto &[cb, effect] : item.effects) {
    for (Amount RingEffect::*way : {&RingEffect::push, &RingEffect::pop}) {
      Amount taken = item.regions[0]->effects[cb].*way,
             other = item.regions[1]->effects[cb].*way;
      if (taken == other) {
        effect.*way = taken;
        continue;
      }
      // Symbols must not be negative, so each side has one of its own.
      (effect.*way).add(scaled(taken, kIf, condition));
      (effect.*way).add(scaled(other, kChosen, condition));
    }
  }
  if (!item.effects.empty()) {
    into.items.push_back(std::move(item));
  }
}

Amount TreeBuilder::amountOf(OpFoldResult value) {
  Amount amount;
  if (std::optional<int64_t> constant = getConstantIntValue(value)) {
    amount.constant = *constant;
  } else {
    amount.terms[numbers.of(cast<Value>(value))] = 1;
  }
  return amount;
}

Amount TreeBuilder::product(const Amount &a, const Amount &b) {
  Amount result;
  if (a.isConstant() || b.isConstant()) {
    result.add(a.isConstant() ? b : a,
               a.isConstant() ? a.constant : b.constant);
    return result;
  }
  // Both are single symbols here.
  uintptr_t x = a.terms.begin()->first, y = b.terms.begin()->first;
  result.terms[numbers.of(
      Numbering::Key{kProduct, std::min(x, y), std::max(x, y)})] = 1;
  return result;
}

void TreeBuilder::visitEffect(Operation &op, CheckRegion &into) {
  int cb = -1;
  RingEffect effect;
  if (auto push = dyn_cast<pe::CbPushOp>(op)) {
    cb = static_cast<int>(push.getCb());
    effect.push = amountOf(OpFoldResult(push.getRs1()));
  } else if (auto pop = dyn_cast<pe::CbPopOp>(op)) {
    cb = static_cast<int>(pop.getCb());
    effect.pop = amountOf(OpFoldResult(pop.getRs1()));
  } else if (llvm::isa<pe::DmaInOp, pe::DmaOutOp>(op)) {
    auto transfer = cast<pe::CommandOpInterface>(op);
    std::optional<int64_t> ring = getConstantIntValue(transfer.getSlice("cb"));
    if (!ring) {
      isDecided = false;
      return;
    }
    cb = static_cast<int>(*ring);
    OpFoldResult pitch = transfer.getSlice("local_pitch");
    if (getConstantIntValue(pitch) == 0) {
      pitch = transfer.getSlice("row_bytes");
    }
    Amount bytes =
        product(amountOf(transfer.getSlice("rows")), amountOf(pitch));
    (llvm::isa<pe::DmaInOp>(op) ? effect.push : effect.pop) = bytes;
  } else {
    isDecided &= !llvm::isa<pe::GoOp>(op);
    return;
  }
  CheckItem item;
  item.op = &op;
  item.cb = cb;
  item.effects[cb] = effect;
  into.items.push_back(std::move(item));
}
