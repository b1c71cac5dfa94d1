//===- AssignContexts.cpp - Commands to field writes and issues -----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Every command first asks for all its fields. A request moves out of a loop
// if it is the only one in the loop for that field of that context and its
// values come from outside. What the context is known to hold already is then
// dropped, in program order; a launch begins with 0 in all fields.
//
//===----------------------------------------------------------------------===//

#include "compiler/pe/ContextPlan.h"
#include "compiler/pe/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/MapVector.h"

#include <set>

namespace chipwright::compiler {
#define GEN_PASS_DEF_PEASSIGNCONTEXTS
#include "compiler/pe/Passes.h.inc"
} // namespace chipwright::compiler

using namespace mlir;
using namespace chipwright;
using namespace chipwright::compiler;

namespace {

/// Context and field number.
using Place = std::pair<unsigned, unsigned>;

struct Request {
  Place place;
  FieldForm form;
  /// Of the command that asks, for messages and debug information.
  Location loc;
};

/// Contents of fields, as far as they are known.
using State = std::map<Place, FieldForm>;

class Assigner {
public:
  Assigner(func::FuncOp function, ContextPlan &plan, unsigned contexts)
      : function(function), plan(plan), contexts(contexts) {}

  void run() {
    for (PlannedCommand &command : plan.commands) {
      byOp[command.op] = &command;
      request(command);
    }
    if (contexts != 0) {
      function->walk<WalkOrder::PostOrder>(
          [&](LoopLikeOpInterface loop) { hoist(loop); });
      State state;
      eliminate(function.getBody(), state, {});
    }
    emit();
  }

private:
  void request(PlannedCommand &command) {
    Operation *op = command.op;
    for (auto &[field, form] : command.fields) {
      if (contexts == 0 && form.isZero()) {
        continue; // the staging set was cleared
      }
      requests[op].push_back({{command.ctx, field}, form, op->getLoc()});
    }
    if (uint64_t step = plan.steps[command.ctx]) {
      FieldForm form;
      form.constant = step;
      requests[op].push_back(
          {{command.ctx, isa::stepField}, form, op->getLoc()});
    }
  }

  /// Moves requests from inside of \p loop to before it.
  void hoist(LoopLikeOpInterface loop) {
    // Null: different forms, or values from inside.
    llvm::MapVector<Place, const Request *> wanted;
    auto forEach = [&](auto use) {
      for (Region *region : loop.getLoopRegions()) {
        region->walk([&](Operation *op) {
          if (auto found = requests.find(op); found != requests.end()) {
            use(found->second);
          }
        });
      }
    };
    forEach([&](SmallVector<Request> &list) {
      for (Request &one : list) {
        bool isInvariant =
            llvm::all_of(one.form.parts, [&](const FieldForm::Part &part) {
              return loop.isDefinedOutsideOfLoop(part.value);
            });
        const Request *candidate = isInvariant ? &one : nullptr;
        auto [place, isNew] = wanted.insert({one.place, candidate});
        if (!isNew &&
            (!candidate || !place->second || place->second->form != one.form)) {
          place->second = nullptr;
        }
      }
    });
    SmallVector<Request> before;
    for (auto &[place, found] : wanted) {
      if (found) {
        before.push_back(*found);
      }
    }
    forEach([&](SmallVector<Request> &list) {
      llvm::erase_if(list,
                     [&](const Request &one) { return wanted[one.place]; });
    });
    if (!before.empty()) {
      llvm::append_range(requests[loop], before);
    }
  }

  /// Places that requests inside of \p op write.
  std::set<Place> writtenIn(Operation *op) {
    std::set<Place> result;
    for (Region &region : op->getRegions()) {
      region.walk([&](Operation *inner) {
        if (auto found = requests.find(inner); found != requests.end()) {
          for (const Request &one : found->second) {
            result.insert(one.place);
          }
        }
      });
    }
    return result;
  }

  /// Drops requests that \p state makes needless. \p unknown are places that
  /// were written before, in a way that is not known.
  void eliminate(Region &region, State &state, std::set<Place> unknown) {
    for (Block &block : region) {
      for (Operation &op : block) {
        if (auto found = requests.find(&op); found != requests.end()) {
          llvm::erase_if(found->second, [&](const Request &one) {
            auto known = state.find(one.place);
            bool holds = known != state.end()
                             ? known->second == one.form
                             : one.form.isZero() && !unknown.count(one.place);
            state[one.place] = one.form;
            unknown.erase(one.place);
            return holds;
          });
        }
        if (op.getNumRegions() == 0) {
          continue;
        }
        // A loop's body also runs after itself; the branches of an `if` begin
        // with what holds before it.
        State inside = state;
        std::set<Place> unknownInside = unknown;
        if (!llvm::isa<scf::IfOp>(op)) {
          forget(writtenIn(&op), inside, unknownInside);
        }
        for (Region &nested : op.getRegions()) {
          State own = inside;
          eliminate(nested, own, unknownInside);
        }
        forget(writtenIn(&op), state, unknown); // what was not dropped
      }
    }
  }

  static void forget(const std::set<Place> &places, State &state,
                     std::set<Place> &unknown) {
    for (Place place : places) {
      state.erase(place);
      unknown.insert(place);
    }
  }

  void emit() {
    // In program order, which makes the output independent of addresses.
    SmallVector<Operation *> order;
    function->walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (requests.count(op) || byOp.count(op)) {
        order.push_back(op);
      }
    });
    OpBuilder builder(function.getContext());
    llvm::MapVector<Operation *, SmallVector<PlannedCommand *>> loops;
    for (PlannedCommand &command : plan.commands) {
      if (contexts != 0 && command.issue == PlannedCommand::Issue::AutoLoop) {
        loops[command.op->getParentOp()].push_back(&command);
      }
    }
    for (auto &[loop, commands] : loops) {
      builder.setInsertionPoint(loop);
      for (PlannedCommand *command : commands) {
        writeAuto(builder, *command, cast<scf::ForOp>(loop));
      }
    }
    for (Operation *op : order) {
      builder.setInsertionPoint(op);
      for (const Request &one : requests[op]) {
        Value value = one.form.materialize(builder, one.loc);
        pe::SetOp::create(builder, one.loc, one.place.first, one.place.second,
                          value);
      }
      if (auto command = byOp.find(op); command != byOp.end()) {
        issue(builder, *command->second);
      }
    }
  }

  /// The word of \p command. Words that follow one another in a block and
  /// differ by a constant are made from each other, behind a pe.keep: one
  /// register and one addition instead of a register for each.
  Value makeWord(OpBuilder &builder, PlannedCommand &command) {
    Location loc = command.op.getLoc();
    auto &last = lastWords[command.ctx];
    Value value;
    bool follows = last.value && last.block == command.op->getBlock() &&
                   last.form.terms == command.word.terms && command.depth > 0;
    if (follows && last.form.constant == command.word.constant) {
      value = last.value;
    } else if (follows) {
      value = arith::AddIOp::create(
          builder, loc, last.value,
          makeConstant(builder, loc,
                       command.word.constant - last.form.constant));
      value = pe::KeepOp::create(builder, loc, value);
    } else {
      value = command.word.materialize(builder, loc);
    }
    last = {value, command.op->getBlock(), command.word};
    return value;
  }

  /// Writes the word of the first round of \p loop to auto.
  static void writeAuto(OpBuilder &builder, PlannedCommand &command,
                        scf::ForOp loop) {
    WordForm word;
    word.constant = command.word.constant;
    for (const WordForm::Term &term : command.word.terms) {
      bool isInduction = term.value == loop.getInductionVar();
      word.add(isInduction ? loop.getLowerBound() : term.value, term.factor);
    }
    Location loc = command.op.getLoc();
    pe::SetOp::create(builder, loc, command.ctx, isa::autoField,
                      word.materialize(builder, loc));
  }

  void issue(OpBuilder &builder, PlannedCommand &command) {
    Operation *op = command.op;
    Location loc = op->getLoc();
    using Issue = PlannedCommand::Issue;
    Value word;
    bool isZero = command.word.isZero();
    if (contexts == 0) {
      word = isZero ? Value() : command.word.materialize(builder, loc);
    } else if (command.issue == Issue::Register) {
      word = makeWord(builder, command);
    } else if (command.issue == Issue::AutoFirst) {
      pe::SetOp::create(builder, loc, command.ctx, isa::autoField,
                        makeWord(builder, command));
    }
    auto go = pe::GoOp::create(
        builder, loc,
        builder.getStringAttr(pe::opName(command.op.getXpeOpcode())),
        builder.getI64IntegerAttr(command.ctx), word,
        op->getAttrOfType<StringAttr>("tag"));
    go->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    op->erase();
  }

  struct LastWord {
    Value value;
    Block *block = nullptr;
    WordForm form;
  };

  func::FuncOp function;
  ContextPlan &plan;
  unsigned contexts;
  DenseMap<Operation *, PlannedCommand *> byOp;
  DenseMap<Operation *, SmallVector<Request>> requests;
  std::map<unsigned, LastWord> lastWords;
};

struct PeAssignContexts
    : compiler::impl::PeAssignContextsBase<PeAssignContexts> {
  using Base::Base;

  void runOnOperation() override {
    for (Operation &op : *getOperation().getBody()) {
      if (failed(assign(&op))) {
        return signalPassFailure();
      }
    }
  }

  LogicalResult assign(Operation *op) {
    Operation *firstCommand = nullptr, *firstByHand = nullptr;
    op->walk<WalkOrder::PreOrder>([&](Operation *inner) {
      if (!firstCommand && llvm::isa<pe::CommandOpInterface>(inner)) {
        firstCommand = inner;
      }
      if (!firstByHand && llvm::isa<pe::SetOp, pe::GoOp>(inner)) {
        firstByHand = inner;
      }
    });
    if (!firstCommand) {
      return success();
    }
    auto function = dyn_cast<func::FuncOp>(op);
    if (!function || (function.getName() != "kernel_load" &&
                      function.getName() != "kernel_compute")) {
      return firstCommand->emitOpError()
             << "stands outside of the functions kernel_load and "
                "kernel_compute; make the function that holds it private, so "
                "that it is inlined";
    }
    if (firstByHand) {
      InFlightDiagnostic error =
          firstByHand->emitOpError()
          << "writes a context in a function that also has commands without "
             "one; use only one of the two forms in a function";
      error.attachNote(firstCommand->getLoc()) << "command without a context";
      return failure();
    }
    if (!function.getBody().hasOneBlock()) {
      return function.emitOpError(
          "has branches between blocks; use scf.for, scf.while and scf.if");
    }
    FailureOr<ContextPlan> plan = planContexts(function, contexts, localBytes);
    if (failed(plan)) {
      return failure();
    }
    Assigner(function, *plan, contexts).run();
    return success();
  }
};

} // namespace
