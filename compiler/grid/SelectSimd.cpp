//===- SelectSimd.cpp - Element-wise operations to commands ---------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A command runs its parts in a fixed order of slots: swap pairs, scale, first
// operation, window, function, second operation, reduction. A chain of
// operations becomes one command if its steps can be placed in slots of that
// order; every step takes the first slot that can hold it, which leaves the
// most room to those behind.
//
// Chains are gathered from their end: the value that somebody needs, then the
// value it is computed from, as long as nobody else needs that.
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/GridPasses.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

#include <optional>

namespace chipwright {
#define GEN_PASS_DEF_SELECTSIMDPASS
#include "compiler/grid/GridPasses.h.inc"
} // namespace chipwright

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

namespace {

/// One step of a chain.
struct Step {
  enum Kind { Convert, Swap, Scale, Operate, Window, Apply };
  Kind kind = Convert;
  Alu alu = Alu::add;
  Function function = Function::id;
  Value y;           // Operate: the operand as written
  double factor = 1; // Scale
  WindowOp window;
  Value x; // what the step works on
};

/// A second operand as a command takes it.
struct SecondOperand {
  Operand kind = Operand::none;
  Value tile;
  double value = 0;
  int64_t segment = 0; // of kind per_segment
};

/// The parts of a command, filled from steps.
struct Command {
  bool swapPairs = false;
  std::optional<double> scale;
  Alu alu1 = Alu::add, alu2 = Alu::add;
  SecondOperand y1, y2;
  WindowOp window;
  Function function = Function::id;
  /// Columns per segment of operands of kind per_segment, 0: there are none.
  int64_t segment = 0;
};

} // namespace

/// The value before widening, which operands of commands do for nothing.
static Value withoutWidening(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::SIToFPOp>(op)) {
      break;
    }
    value = op->getOperand(0);
  }
  return value;
}

static SecondOperand secondOperand(Value y) {
  if (std::optional<double> value = splatOf(y)) {
    return {Operand::immediate, {}, *value};
  }
  Value tile = withoutWidening(y);
  auto broadcast = tile.getDefiningOp<BroadcastOp>();
  if (!broadcast) {
    return {Operand::tile, tile};
  }
  Value vector = withoutWidening(broadcast.getVector());
  if (broadcast.getSegment()) {
    return {Operand::per_segment, vector, 0,
            static_cast<int64_t>(*broadcast.getSegment())};
  }
  // A vector of one element may be both; rows are cheaper to step over.
  bool perRow =
      colsOf(vector.getType()) == 1 &&
      rowsOf(vector.getType()) == rowsOf(broadcast.getTile().getType());
  return {perRow ? Operand::per_row : Operand::per_col, vector};
}

static bool isTile(Type type) { return isa<RankedTensorType>(type); }

/// Can \p op be a step of a chain (not counting where it stands)?
static bool isElementwise(Operation *op) {
  return op->getNumResults() == 1 && isTile(op->getResult(0).getType()) &&
         (isa<ApplyOp, RoundOp, SwapPairsOp, WindowOp>(op) ||
          ((isa<arith::ArithDialect>(op->getDialect()) ||
            isa<math::MathDialect>(op->getDialect())) &&
           !isa<arith::ConstantOp>(op)));
}

/// Which operand of a commutative operation the chain goes on with: one that
/// can be part of the same command, otherwise one that is a whole tile.
static bool prefersRight(Operation *op) {
  auto worth = [&](Value value) {
    if (splatOf(value) || value.getDefiningOp<BroadcastOp>()) {
      return 0; // must be the second operand
    }
    Operation *from = value.getDefiningOp();
    return from && isElementwise(from) && value.hasOneUse() &&
                   from->getBlock() == op->getBlock()
               ? 2
               : 1;
  };
  return worth(op->getOperand(1)) > worth(op->getOperand(0));
}

static Step operate(Operation *op, Alu alu, Alu reversed) {
  bool right = prefersRight(op);
  Step step;
  step.x = op->getOperand(right);
  step.y = op->getOperand(!right);
  step.kind = Step::Operate;
  step.alu = right ? reversed : alu;
  std::optional<double> value = splatOf(step.y);
  if (value && alu == Alu::mul) {
    step.kind = Step::Scale;
    step.factor = *value;
  }
  return step;
}

static Step apply(Value x, Function function) {
  Step step;
  step.kind = Step::Apply;
  step.function = function;
  step.x = x;
  return step;
}

/// \returns the step that \p op is, or nothing if no command can do it.
static std::optional<Step> stepOf(Operation *op) {
  using Answer = std::optional<Step>;
  return TypeSwitch<Operation *, Answer>(op)
      .Case<arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp, RoundOp>(
          [](auto convert) {
            Step step;
            step.x = convert->getOperand(0);
            return step;
          })
      .Case([&](arith::AddFOp) { return operate(op, Alu::add, Alu::add); })
      .Case([&](arith::SubFOp) { return operate(op, Alu::sub, Alu::rsub); })
      .Case([&](arith::MulFOp) { return operate(op, Alu::mul, Alu::mul); })
      .Case([&](arith::MinimumFOp) { return operate(op, Alu::min, Alu::min); })
      .Case([&](arith::MaximumFOp) { return operate(op, Alu::max, Alu::max); })
      .Case([](arith::NegFOp negate) {
        Step step;
        step.kind = Step::Scale;
        step.factor = -1;
        step.x = negate.getOperand();
        return step;
      })
      .Case([](arith::DivFOp divide) -> Answer {
        if (splatOf(divide.getLhs()) == 1.0) {
          return apply(divide.getRhs(), Function::recip);
        }
        return std::nullopt;
      })
      .Case([](math::ExpOp f) { return apply(f.getOperand(), Function::exp); })
      .Case([](math::RsqrtOp f) {
        return apply(f.getOperand(), Function::rsqrt);
      })
      .Case(
          [](math::TanhOp f) { return apply(f.getOperand(), Function::tanh); })
      .Case([](math::LogOp f) { return apply(f.getOperand(), Function::log); })
      .Case([](math::AbsFOp f) { return apply(f.getOperand(), Function::abs); })
      .Case([](ApplyOp f) { return apply(f.getX(), f.getFunction()); })
      .Case([](SwapPairsOp swap) {
        Step step;
        step.kind = Step::Swap;
        step.x = swap.getX();
        return step;
      })
      .Case([](WindowOp window) {
        Step step;
        step.kind = Step::Window;
        step.window = window;
        step.x = window.getX();
        return step;
      })
      .Default([](Operation *) { return std::nullopt; });
}

/// Places \p steps (first to last) in the slots of one command.
static std::optional<Command> place(ArrayRef<Step> steps) {
  enum Slot { Swap, Scale, First, Window, Apply, Second, End };
  Command command;
  int next = Swap;
  auto take = [&](Slot slot) {
    if (slot < next) {
      return false;
    }
    next = slot + 1;
    return true;
  };
  for (const Step &step : steps) {
    switch (step.kind) {
    case Step::Convert:
      break;
    case Step::Swap:
      if (!take(Swap)) {
        return std::nullopt;
      }
      command.swapPairs = true;
      break;
    case Step::Window:
      if (!take(Window)) {
        return std::nullopt;
      }
      command.window = step.window;
      break;
    case Step::Apply:
      if (!take(Apply)) {
        return std::nullopt;
      }
      command.function = step.function;
      break;
    case Step::Scale:
      if (take(Scale)) {
        command.scale = step.factor;
      } else if (take(First)) {
        command.alu1 = Alu::mul;
        command.y1 = {Operand::immediate, {}, step.factor};
      } else if (take(Second)) {
        command.alu2 = Alu::mul;
        command.y2 = {Operand::immediate, {}, step.factor};
      } else {
        return std::nullopt;
      }
      break;
    case Step::Operate: {
      SecondOperand y = secondOperand(step.y);
      // A command has one width of segments.
      if (y.segment && command.segment && y.segment != command.segment) {
        return std::nullopt;
      }
      command.segment = std::max(command.segment, y.segment);
      if (take(First)) {
        command.alu1 = step.alu;
        command.y1 = y;
      } else if (take(Second)) {
        command.alu2 = step.alu;
        command.y2 = y;
      } else {
        return std::nullopt;
      }
      break;
    }
    }
  }
  return command;
}

namespace {

class Selector {
public:
  explicit Selector(ProgramOp program) : program(program), dominance(program) {}

  LogicalResult run() {
    SmallVector<RowReduceOp> reductions;
    program.walk([&](RowReduceOp reduce) { reductions.push_back(reduce); });
    for (RowReduceOp reduce : reductions) {
      recompute(reduce);
    }
    SmallVector<Operation *> work;
    program.walk([&](Operation *op) {
      if (isElementwise(op) || isa<RowReduceOp>(op)) {
        work.push_back(op);
      }
    });
    for (Operation *op : work) {
      if (failed(check(op))) {
        return failure();
      }
      if (auto reduce = dyn_cast<RowReduceOp>(op)) {
        attach(reduce);
      }
    }
    for (Operation *op : llvm::reverse(work)) {
      if (!gone.contains(op)) {
        select(op);
      }
    }
    // Vectors are repeated by the commands that read them.
    WalkResult left = program.walk([&](BroadcastOp broadcast) {
      if (broadcast.use_empty()) {
        broadcast.erase();
        return WalkResult::advance();
      }
      broadcast.emitOpError("is used other than as the second operand of an "
                            "element-wise operation on a tile");
      return WalkResult::interrupt();
    });
    return failure(left.wasInterrupted());
  }

private:
  LogicalResult check(Operation *op) {
    if (isa<RowReduceOp>(op)) {
      return success();
    }
    if (!stepOf(op)) {
      return op->emitOpError("on tiles has no command of the SIMD engine; "
                             "write it with operations that have");
    }
    if (!isa<arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp, RoundOp>(op) &&
        !elementOf(op->getResult(0).getType()).isF32()) {
      return op->emitOpError("works on ")
             << elementOf(op->getResult(0).getType())
             << "; element-wise work is done in f32: extend the operands and "
                "truncate the result";
    }
    return success();
  }

  /// A value that is reduced and also enters one later computation would be
  /// stored in fp32 in between. Where the later command can begin from the
  /// same tile instead, both compute it: that takes no more passes, and no
  /// place in local memory.
  void recompute(RowReduceOp reduce) {
    Value value = reduce.getX();
    if (std::distance(value.use_begin(), value.use_end()) != 2) {
      return;
    }
    Operation *other = nullptr;
    for (Operation *user : value.getUsers()) {
      other = user == reduce.getOperation() ? other : user;
    }
    if (!other || other->getBlock() != reduce->getBlock() ||
        !isElementwise(other) || isa<arith::TruncFOp, RoundOp>(other)) {
      return; // the command that computes it can reduce and keep it
    }
    std::optional<Step> last = stepOf(other);
    if (!last || last->x != value || last->y == value) {
      return;
    }
    SmallVector<Operation *> chain; // last to first
    SmallVector<Step> steps = {*last};
    Value x = value;
    while (Operation *from = x.getDefiningOp()) {
      std::optional<Step> step =
          isElementwise(from) && from->getBlock() == other->getBlock() &&
                  (x == value || x.hasOneUse())
              ? stepOf(from)
              : std::nullopt;
      if (!step) {
        break;
      }
      chain.push_back(from);
      if (step->kind != Step::Convert) {
        steps.insert(steps.begin(), *step);
      }
      x = step->x;
      if (!elementOf(x.getType()).isF32() ||
          isa_and_nonnull<arith::ExtFOp, arith::SIToFPOp>(x.getDefiningOp())) {
        break; // widened from what lies in local memory
      }
    }
    // Sums are read out once.
    if (chain.empty() || !place(steps) ||
        isa_and_nonnull<MatmulOp, scf::ForOp>(x.getDefiningOp())) {
      return;
    }
    OpBuilder builder(other);
    IRMapping map;
    for (Operation *op : llvm::reverse(chain)) {
      builder.clone(*op, map);
    }
    other->replaceUsesOfWith(value, map.lookup(value));
  }

  /// Finds a reduction's part in other commands: the running combination that
  /// follows it, and the command that computes (and keeps) its operand.
  void attach(RowReduceOp reduce) {
    Operation *from = reduce.getX().getDefiningOp();
    bool hasSegments = false;
    for (Value operand : from ? from->getOperands() : ValueRange()) {
      auto broadcast = operand.getDefiningOp<BroadcastOp>();
      hasSegments |= broadcast && broadcast.getSegment();
    }
    if (from && !hasSegments && isElementwise(from) &&
        !isa<arith::ExtFOp>(from) && !reduce.getX().hasOneUse() &&
        !attached.count(from) && from->getBlock() == reduce->getBlock()) {
      attached[from] = reduce;
      inOther.insert(reduce);
    }
    if (!reduce.getY().hasOneUse()) {
      return;
    }
    Operation *user = *reduce.getY().getUsers().begin();
    bool isMax = reduce.getKind() == Reduction::max ||
                 reduce.getKind() == Reduction::absmax;
    if (user->getBlock() != reduce->getBlock() ||
        !(isMax ? isa<arith::MaximumFOp>(user) : isa<arith::AddFOp>(user))) {
      return;
    }
    Value previous = user->getOperand(user->getOperand(0) == reduce.getY());
    Operation *place = inOther.contains(reduce) ? from : reduce;
    if (previous != reduce.getY() && dominance.dominates(previous, place) &&
        !splatOf(previous)) {
      running[reduce] = user;
      inOther.insert(user);
    }
  }

  void select(Operation *root) {
    if (inOther.contains(root)) {
      return;
    }
    // Broadcasts whose users have become commands.
    for (Operation *user : llvm::make_early_inc_range(root->getUsers())) {
      if (isa<BroadcastOp>(user) && user->use_empty()) {
        user->erase();
      }
    }
    if (root->use_empty()) {
      erase(root);
      return;
    }
    SmallVector<Operation *> chain; // last to first
    SmallVector<Step> steps;        // first to last
    RowReduceOp reduce = dyn_cast<RowReduceOp>(root);
    bool stores = !reduce;
    Value x;
    if (reduce) {
      x = reduce.getX();
    } else {
      Step step = *stepOf(root);
      steps.push_back(step);
      chain.push_back(root);
      x = step.x;
      reduce = attached.lookup(root);
    }
    Operation *block = root;
    while (Operation *from = x.getDefiningOp()) {
      if (!isElementwise(from) || !elementOf(x.getType()).isF32()) {
        break;
      }
      bool isFree = isa<arith::ExtFOp, arith::SIToFPOp>(from);
      RowReduceOp other = attached.lookup(from);
      unsigned users =
          static_cast<unsigned>(std::distance(x.use_begin(), x.use_end()));
      if (!isFree && (users != (other ? 2u : 1u) ||
                      from->getBlock() != block->getBlock())) {
        break;
      }
      // A reduction takes the value at the end of the command.
      if (other && (reduce || llvm::any_of(steps, [](const Step &step) {
                      return step.kind != Step::Convert;
                    }))) {
        break;
      }
      Step step = *stepOf(from);
      steps.insert(steps.begin(), step);
      std::optional<Command> command = place(steps);
      if (!command || (command->segment && (reduce || other))) {
        steps.erase(steps.begin());
        break;
      }
      if (other) {
        reduce = other;
      }
      chain.push_back(from);
      x = step.x;
    }
    emit(root, chain, steps, x, stores, reduce);
  }

  void emit(Operation *root, ArrayRef<Operation *> chain, ArrayRef<Step> steps,
            Value x, bool stores, RowReduceOp reduce) {
    // Behind the last step that computes: what follows it only converts, and
    // users of the reduction may come before that.
    Operation *last = root;
    for (Operation *op : chain) {
      last = op;
      if (!isa<arith::TruncFOp, RoundOp>(op)) {
        break;
      }
    }
    Command command = *place(steps);
    OpBuilder builder(last);
    Operation *combined = reduce ? running.lookup(reduce) : nullptr;
    auto f32 = [&](double value) {
      return builder.getF32FloatAttr(static_cast<float>(value));
    };
    auto optional = [&](const SecondOperand &y) {
      return y.kind == Operand::immediate ? f32(y.value) : FloatAttr();
    };
    Value run =
        combined
            ? combined->getOperand(combined->getOperand(0) == reduce.getY())
            : Value();
    IntegerAttr segment = command.segment
                              ? builder.getI64IntegerAttr(command.segment)
                          : reduce ? reduce.getSegmentAttr()
                                   : IntegerAttr();
    Type outType = stores ? root->getResult(0).getType() : Type();
    Type redType = reduce ? reduce.getY().getType() : Type();
    auto simd = SimdOp::create(
        builder, root->getLoc(), outType, redType, withoutWidening(x),
        command.y1.tile, command.y2.tile,
        command.window ? command.window.getBounds() : Value(),
        command.window ? command.window.getBase() : Value(), run,
        command.swapPairs, command.scale ? f32(*command.scale) : FloatAttr(),
        command.y1.kind, command.alu1, optional(command.y1),
        command.window ? command.window.getFillAttr() : FloatAttr(),
        command.function, command.y2.kind, command.alu2, optional(command.y2),
        reduce ? reduce.getKind() : Reduction::none, segment);
    if (Attribute tag = root->getAttr("tag")) {
      simd->setAttr("tag", tag);
    }
    if (stores) {
      root->getResult(0).replaceAllUsesWith(simd.getOut());
    }
    if (reduce) {
      Operation *end = combined ? combined : reduce.getOperation();
      end->getResult(0).replaceAllUsesWith(simd.getRed());
      if (combined) {
        erase(combined);
      }
      erase(reduce);
    }
    for (Operation *op : chain) {
      if (!op->use_empty()) {
        break; // a conversion that others read as well
      }
      erase(op);
    }
  }

  void erase(Operation *op) {
    gone.insert(op);
    op->erase();
  }

  ProgramOp program;
  DominanceInfo dominance;
  /// The reduction that the command of an operation also does.
  DenseMap<Operation *, RowReduceOp> attached;
  /// The combination with previous values that follows a reduction.
  DenseMap<Operation *, Operation *> running;
  /// Operations that become part of the command of an earlier one.
  DenseSet<Operation *> inOther;
  DenseSet<Operation *> gone;
};

class SelectSimd : public chipwright::impl::SelectSimdPassBase<SelectSimd> {
public:
  using SelectSimdPassBase::SelectSimdPassBase;

  void runOnOperation() override {
    if (failed(Selector(getOperation()).run())) {
      signalPassFailure();
    }
  }
};

} // namespace
