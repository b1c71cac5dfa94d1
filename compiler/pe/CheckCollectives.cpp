//===- CheckCollectives.cpp - Collectives under uniform control flow ------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A value varies along the rows of PEs, along the columns, or not at all:
// arguments and constants do not, the PE's position does, and so does what is
// computed from it or read from an address that varies. Loops and branches
// around a collective operation must not vary over its group. Where they
// depend on the position alone and the group is constant, they are evaluated
// for each member. A group that is itself computed from what varies around it
// (the PEs of a line that have an iteration in this round) is taken to name
// the PEs that get there.
//
//===----------------------------------------------------------------------===//

#include "compiler/pe/Passes.h"
#include "dialects/pe/Pe.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

namespace chipwright::compiler {
#define GEN_PASS_DEF_PECHECKCOLLECTIVES
#include "compiler/pe/Passes.h.inc"
} // namespace chipwright::compiler

using namespace mlir;
using namespace chipwright;

namespace {

/// Directions in which a value may differ from PE to PE.
enum Varies : unsigned { kNot = 0, kByRow = 1, kByCol = 2, kByBoth = 3 };

struct Position {
  int64_t row, col;
};

/// The PEs that take part in an operation.
struct Group {
  unsigned along = kNot;
  /// Numbers of members along the group, if the mask is constant: for a
  /// multicast in `rows` or `cols`, for a barrier in both.
  std::optional<uint64_t> rows, cols;
  /// Computed at run time.
  Value mask;
  const char *name = "";
};

class PeCheckCollectives
    : public compiler::impl::PeCheckCollectivesBase<PeCheckCollectives> {
public:
  using Base::Base;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    for (StringRef name : {"kernel_load", "kernel_compute"}) {
      auto function = getOperation().lookupSymbol<func::FuncOp>(name);
      if (!function || function.isExternal()) {
        continue;
      }
      varies.clear();
      for (Block &block : function.getBody()) {
        visit(block);
      }
      function.walk([&](Operation *op) {
        if (std::optional<Group> group = groupOf(op)) {
          check(op, *group, function);
        }
      });
    }
    if (hasError) {
      signalPassFailure();
    }
  }

private:
  unsigned of(Value value) const { return varies.lookup(value); }
  void visit(Block &block);
  void visitLoop(scf::ForOp loop);
  void visitBranch(scf::IfOp branch);
  void visitPlain(Operation &op);
  static std::optional<Group> groupOf(Operation *op);
  void check(Operation *op, const Group &group, func::FuncOp function);
  bool isUniform(Operation *around, Operation *op, const Group &group,
                 unsigned direction) const;
  static bool hasSameOnBothSides(scf::IfOp branch);

  llvm::DenseMap<Value, unsigned> varies;
  bool hasError = false;
};

//===----------------------------------------------------------------------===//
// What varies
//===----------------------------------------------------------------------===//

/// \p value without casts between index and integers.
Value stripped(Value value) {
  while (auto cast = value.getDefiningOp<arith::IndexCastOp>()) {
    value = cast.getIn();
  }
  return value;
}

/// Are both the same, as far as equal reads of the position go?
bool isEqual(Value a, Value b) {
  a = stripped(a), b = stripped(b);
  auto x = a.getDefiningOp<pe::InfoOp>(), y = b.getDefiningOp<pe::InfoOp>();
  return a == b || (x && y && x.getWhich() == y.getWhich());
}

scf::ForOp loopOf(Value variable) {
  auto argument = dyn_cast<BlockArgument>(stripped(variable));
  auto loop = argument
                  ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp())
                  : scf::ForOp();
  return loop && argument == loop.getInductionVar() ? loop : scf::ForOp();
}

void PeCheckCollectives::visit(Block &block) {
  for (Operation &op : block) {
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      visitLoop(loop);
    } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
      visitBranch(branch);
    } else {
      visitPlain(op);
    }
  }
}

void PeCheckCollectives::visitLoop(scf::ForOp loop) {
  const unsigned bounds =
      of(loop.getLowerBound()) | of(loop.getUpperBound()) | of(loop.getStep());
  varies[loop.getInductionVar()] =
      of(loop.getLowerBound()) | of(loop.getStep());
  for (auto [init, argument] :
       llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs())) {
    varies[argument] |= of(init);
  }
  // Each turn makes an argument vary that did not, so there are few.
  for (bool isChanged = true; isChanged;) {
    visit(*loop.getBody());
    isChanged = false;
    for (auto [yielded, argument] :
         llvm::zip(loop.getYieldedValues(), loop.getRegionIterArgs())) {
      unsigned all = of(argument) | of(yielded);
      isChanged |= all != of(argument);
      varies[argument] = all;
    }
  }
  for (auto [argument, result] :
       llvm::zip(loop.getRegionIterArgs(), loop.getResults())) {
    varies[result] = of(argument) | bounds;
  }
}

void PeCheckCollectives::visitBranch(scf::IfOp branch) {
  for (Region &region : branch->getRegions()) {
    for (Block &block : region) {
      visit(block);
    }
  }
  for (auto [i, result] : llvm::enumerate(branch.getResults())) {
    auto at = static_cast<unsigned>(i);
    varies[result] = of(branch.getCondition()) |
                     of(branch.thenYield().getOperand(at)) |
                     of(branch.elseYield().getOperand(at));
  }
}

void PeCheckCollectives::visitPlain(Operation &op) {
  unsigned all = kNot;
  for (Value operand : op.getOperands()) {
    all |= of(operand);
  }
  if (auto info = dyn_cast<pe::InfoOp>(op)) {
    switch (static_cast<isa::InfoItem>(info.getWhich())) {
    case isa::InfoItem::Row:
      all = kByRow;
      break;
    case isa::InfoItem::Col:
      all = kByCol;
      break;
    case isa::InfoItem::Pe:
    case isa::InfoItem::LsBase:
    case isa::InfoItem::SemBase:
      all = kByBoth;
      break;
    default:
      break;
    }
  } else if (llvm::isa<pe::ArgOp>(op)) {
    all = kNot; // every PE has the same argument block
  } else if (llvm::isa<pe::CbWaitOp, pe::CbReserveOp, pe::CounterOp>(op) ||
             op.getNumRegions() != 0) {
    all = kByBoth; // addresses of a PE's own memory; clocks
  } else if (auto difference = dyn_cast<arith::SubIOp>(op)) {
    // In a loop that begins at the PE's position, this is the round.
    scf::ForOp loop = loopOf(difference.getLhs());
    if (loop && isEqual(difference.getRhs(), loop.getLowerBound())) {
      all = of(loop.getStep());
    }
  }
  for (Value result : op.getResults()) {
    varies[result] = all;
  }
  for (Region &region : op.getRegions()) {
    for (Block &block : region) {
      for (BlockArgument argument : block.getArguments()) {
        varies[argument] = kByBoth;
      }
      visit(block);
    }
  }
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

std::optional<Group> PeCheckCollectives::groupOf(Operation *op) {
  Group group;
  if (auto transfer = dyn_cast<pe::DmaInOp>(op)) {
    std::optional<int64_t> kind =
        getConstantIntValue(transfer.getSlice("mcast"));
    if (!kind || *kind == static_cast<int64_t>(isa::McastKind::None)) {
      return std::nullopt;
    }
    const bool isRow = *kind == static_cast<int64_t>(isa::McastKind::Row);
    OpFoldResult mask = transfer.getSlice("mcast_mask");
    if (std::optional<int64_t> bits = getConstantIntValue(mask)) {
      (isRow ? group.cols : group.rows) = static_cast<uint64_t>(*bits);
    } else {
      group.mask = cast<Value>(mask);
    }
    group.along = isRow ? kByCol : kByRow;
    group.name = isRow ? "multicast along a row" : "multicast along a column";
    return group;
  }
  if (llvm::isa<pe::BarrierOp, pe::BarrierHartOp>(op)) {
    if (std::optional<int64_t> bits = getConstantIntValue(op->getOperand(0))) {
      group.rows = static_cast<uint64_t>(*bits) & 0xffffffff;
      group.cols = static_cast<uint64_t>(*bits) >> 32;
    } else {
      group.mask = op->getOperand(0);
    }
    group.along = kByBoth;
    group.name = "barrier";
    return group;
  }
  if (auto reduce = dyn_cast<pe::ReduceOp>(op)) {
    group.along = getConstantIntValue(reduce.getSlice("direction")) ==
                          static_cast<int64_t>(isa::ReduceDirection::Down)
                      ? kByRow
                      : kByCol;
    group.name = "reduction";
    return group;
  }
  return std::nullopt;
}

/// The value for the PE at \p position, if it depends on nothing else.
std::optional<APInt>
evaluate(Value value, Position position,
         llvm::DenseMap<Value, std::optional<APInt>> &known) {
  auto [at, isNew] = known.try_emplace(value);
  if (!isNew) {
    return at->second;
  }
  auto made = [&]() -> std::optional<APInt> {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant))) {
      return constant;
    }
    Operation *op = value.getDefiningOp();
    if (auto info = dyn_cast_or_null<pe::InfoOp>(op)) {
      auto which = static_cast<isa::InfoItem>(info.getWhich());
      if (which == isa::InfoItem::Row || which == isa::InfoItem::Col) {
        return APInt(64, static_cast<uint64_t>(which == isa::InfoItem::Row
                                                   ? position.row
                                                   : position.col));
      }
    }
    if (!op || op->getNumRegions() != 0 || op->getNumOperands() == 0 ||
        op->getNumResults() != 1 || !isMemoryEffectFree(op)) {
      return std::nullopt;
    }
    SmallVector<Attribute> operands;
    for (Value operand : op->getOperands()) {
      std::optional<APInt> number = evaluate(operand, position, known);
      if (!number) {
        return std::nullopt;
      }
      operands.push_back(IntegerAttr::get(operand.getType(), *number));
    }
    SmallVector<OpFoldResult> results;
    if (failed(op->fold(operands, results)) || results.size() != 1) {
      return std::nullopt;
    }
    if (auto same = dyn_cast<Value>(results[0])) {
      return evaluate(same, position, known);
    }
    auto number = dyn_cast<IntegerAttr>(cast<Attribute>(results[0]));
    return number ? std::optional(number.getValue()) : std::nullopt;
  }();
  known[value] = made;
  return made;
}

/// Values that \p value is computed from, down to what is no arithmetic; not
/// the PE's position. The size of the grid counts as one value, wherever read.
void collectSources(Value value, llvm::SmallPtrSetImpl<const void *> &sources,
                    llvm::SmallPtrSetImpl<Operation *> &seen) {
  Operation *op = value.getDefiningOp();
  if (auto info = dyn_cast_or_null<pe::InfoOp>(op)) {
    auto which = static_cast<isa::InfoItem>(info.getWhich());
    if (which == isa::InfoItem::Rows || which == isa::InfoItem::Cols) {
      sources.insert(info.getWhichAttr().getAsOpaquePointer());
    }
    return;
  }
  if (!op || op->getNumOperands() == 0 ||
      llvm::isa<pe::LoadOp, pe::ArgOp>(op) || !isMemoryEffectFree(op) ||
      op->getNumRegions() != 0) {
    if (!matchPattern(value, m_Constant())) {
      sources.insert(value.getAsOpaquePointer());
    }
    return;
  }
  if (seen.insert(op).second) {
    for (Value operand : op->getOperands()) {
      collectSources(operand, sources, seen);
    }
  }
}

/// The bounds of a loop, or the condition of a branch.
SmallVector<Value, 3> controlsOf(Operation *around) {
  if (auto loop = dyn_cast<scf::ForOp>(around)) {
    return {loop.getLowerBound(), loop.getUpperBound(), loop.getStep()};
  }
  if (auto branch = dyn_cast<scf::IfOp>(around)) {
    return {branch.getCondition()};
  }
  return {};
}

/// Is \p mask computed from the loop's variable, or from what a control of
/// \p around is computed from?
bool isNamedBy(Value mask, Operation *around) {
  llvm::SmallPtrSet<const void *, 8> ofMask, ofControl;
  llvm::SmallPtrSet<Operation *, 16> seen;
  collectSources(mask, ofMask, seen);
  if (auto loop = dyn_cast<scf::ForOp>(around);
      loop && ofMask.contains(loop.getInductionVar().getAsOpaquePointer())) {
    return true;
  }
  seen.clear();
  for (Value control : controlsOf(around)) {
    collectSources(control, ofControl, seen);
  }
  // Also a mask of positions alone, such as that of a PE by itself.
  return ofMask.empty() || llvm::any_of(ofControl, [&](const void *source) {
           return ofMask.contains(source);
         });
}

/// Rounds of a loop from the PE's position in steps of a constant that divides
/// its constant end: all PEs have as many.
bool isDealtOutEvenly(scf::ForOp loop) {
  auto info = stripped(loop.getLowerBound()).getDefiningOp<pe::InfoOp>();
  std::optional<int64_t> end = getConstantIntValue(loop.getUpperBound()),
                         step = getConstantIntValue(loop.getStep());
  return info && end && step && *step > 0 && *end % *step == 0;
}

/// Do both sides of \p branch issue the same collective operations? Then it
/// does not matter which of them a PE takes.
bool PeCheckCollectives::hasSameOnBothSides(scf::IfOp branch) {
  SmallVector<SmallVector<Attribute>, 2> sides;
  bool isFlat = true;
  for (Region &region : branch->getRegions()) {
    auto &side = sides.emplace_back();
    region.walk([&](Operation *op) {
      if (groupOf(op)) {
        isFlat &= op->getParentRegion() == &region;
        side.push_back(op->getName().getIdentifier());
        if (auto transfer = dyn_cast<pe::DmaInOp>(op)) {
          DictionaryAttr slices = transfer.getSlices();
          side.push_back(slices.get("mcast"));
          side.push_back(slices.get("mcast_mask"));
        }
      }
    });
  }
  return isFlat && sides.size() == 2 && sides[0] == sides[1];
}

/// May all members of \p group enter \p around, and as often?
bool PeCheckCollectives::isUniform(Operation *around, Operation *op,
                                   const Group &group,
                                   unsigned direction) const {
  auto branch = dyn_cast<scf::IfOp>(around);
  auto loop = dyn_cast<scf::ForOp>(around);
  if (!branch && !loop) {
    return true; // other control flow is not followed
  }
  if ((branch && hasSameOnBothSides(branch)) ||
      (loop && isDealtOutEvenly(loop))) {
    return true;
  }
  if (group.mask) {
    return isNamedBy(group.mask, around);
  }
  // Who takes part in a reduction is not written in it; that PEs at different
  // places of the chain do different things is usual.
  const bool isReduce = llvm::isa<pe::ReduceOp>(op);
  constexpr int64_t kLines = 32; // of a mask
  const uint64_t rows = group.rows.value_or(1), cols = group.cols.value_or(1);
  for (Value control : controlsOf(around)) {
    if (!(of(control) & direction)) {
      continue;
    }
    std::optional<APInt> first;
    for (int64_t row = 0; row < kLines; ++row) {
      for (int64_t col = 0; col < kLines; ++col) {
        if (!(rows >> row & 1) || !(cols >> col & 1)) {
          continue;
        }
        llvm::DenseMap<Value, std::optional<APInt>> known;
        std::optional<APInt> here = evaluate(control, {row, col}, known);
        if (!here) {
          return false;
        }
        if (isReduce) {
          continue;
        }
        if (first && *first != *here) {
          return false;
        }
        first = here;
      }
    }
  }
  return true;
}

void PeCheckCollectives::check(Operation *op, const Group &group,
                               func::FuncOp function) {
  for (Operation *around = op->getParentOp(); around && around != function;
       around = around->getParentOp()) {
    unsigned all = kNot;
    for (Value control : controlsOf(around)) {
      all |= of(control);
    }
    const unsigned direction = all & group.along;
    if (direction == kNot || isUniform(around, op, group, direction)) {
      continue;
    }
    InFlightDiagnostic error = emitError(op->getLoc())
                               << "'" << op->getName() << "'";
    if (auto command = dyn_cast<pe::CommandOpInterface>(op)) {
      if (auto tag = command.getTag()) {
        error << " of \"" << *tag << "\"";
      }
      if (auto transfer = dyn_cast<pe::DmaInOp>(op)) {
        if (auto cb = getConstantIntValue(transfer.getSlice("cb"))) {
          error << " into CB " << *cb;
        }
      }
    }
    error << " is a " << group.name << ", and some PEs of its group reach it "
          << "and others do not: it stands in a "
          << (llvm::isa<scf::ForOp>(around) ? "loop whose bounds vary"
                                            : "branch whose condition varies")
          << " with the PE's "
          << (direction == kByRow   ? "row"
              : direction == kByCol ? "column"
                                    : "row and column")
          << ", expected one that is the same for all members; move it out, or "
             "let each PE "
          << (llvm::isa<pe::DmaInOp>(op) ? "load for itself (mcast = none)"
                                         : "take part");
    error.attachNote(around->getLoc()) << "this one";
    hasError = true;
    return;
  }
}

} // namespace
