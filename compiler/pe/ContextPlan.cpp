//===- ContextPlan.cpp - Which context serves which command ---------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Commands that differ only in slices of the word share a context. Where there
// are more such groups than contexts, the groups that run most often keep one
// for themselves and the others share the last one.
//
//===----------------------------------------------------------------------===//

#include "compiler/pe/ContextPlan.h"

#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace chipwright;
using namespace chipwright::compiler;

namespace {
struct Group {
  SmallVector<size_t> members;
  /// Estimated executions, relative to one outside of loops.
  uint64_t weight = 0;
};
} // namespace

static unsigned loopDepth(Operation *op) {
  unsigned depth = 0;
  while ((op = op->getParentOp())) {
    depth += llvm::isa<LoopLikeOpInterface>(op);
  }
  return depth;
}

/// Whether \p value is the same in all iterations of the innermost loop around
/// \p op; false where there is no loop.
static bool isLoopInvariant(Value value, Operation *op) {
  auto loop = op->getParentOfType<LoopLikeOpInterface>();
  return loop && loop.isDefinedOutsideOfLoop(value);
}

/// Whether commands may share a context: equal but for slices with a term.
static bool mayShare(const PlannedCommand &a, const PlannedCommand &b,
                     uint64_t localBytes) {
  pe::CommandOpInterface one = a.op, other = b.op;
  if (one.getXpeOpcode() != other.getXpeOpcode()) {
    return false;
  }
  for (auto [x, y] : llvm::zip_equal(a.slices, b.slices)) {
    bool isTerm = fitsTerm(x, localBytes) && fitsTerm(y, localBytes);
    if (!isTerm && !x.sameAs(y)) {
      return false;
    }
  }
  return true;
}

static std::vector<Group> makeGroups(const ContextPlan &plan,
                                     uint64_t localBytes) {
  // Loops run often; how often is unknown. Eight is a guess that only ranks.
  constexpr unsigned kLoopWeightLog = 3, kMostLoops = 16;
  std::vector<Group> groups;
  for (auto [i, command] : llvm::enumerate(plan.commands)) {
    auto group = llvm::find_if(groups, [&](const Group &candidate) {
      return llvm::all_of(candidate.members, [&](size_t member) {
        return mayShare(plan.commands[member], command, localBytes);
      });
    });
    if (group == groups.end()) {
      group = groups.insert(groups.end(), Group());
    }
    group->members.push_back(i);
    group->weight += uint64_t(1)
                     << (kLoopWeightLog * std::min(command.depth, kMostLoops));
  }
  return groups;
}

/// Puts each slice of the group's commands into a field or into the word.
static void placeSlices(ContextPlan &plan, const Group &group,
                        uint64_t localBytes) {
  PlannedCommand &first = plan.commands[group.members.front()];
  for (size_t s = 0; s < first.slices.size(); ++s) {
    const SliceForm &slice = first.slices[s];
    bool inField = true;
    for (size_t member : group.members) {
      const PlannedCommand &command = plan.commands[member];
      const SliceForm &own = command.slices[s];
      bool stays = own.isConstant() || isLoopInvariant(own.value, command.op);
      inField &= own.sameAs(slice) && (stays || !fitsTerm(own, localBytes));
    }
    for (size_t member : group.members) {
      PlannedCommand &command = plan.commands[member];
      const SliceForm &own = command.slices[s];
      FieldForm &field = command.fields[own.info->field];
      if (!inField && own.isConstant()) {
        command.word.constant += static_cast<uint64_t>(own.constant)
                                 << own.info->termLo;
      } else if (!inField) {
        command.word.add(own.value, uint64_t(1) << own.info->termLo);
      } else if (own.isConstant()) {
        uint64_t mask = own.info->width >= 64
                            ? ~uint64_t(0)
                            : (uint64_t(1) << own.info->width) - 1;
        field.constant |= (static_cast<uint64_t>(own.constant) & mask)
                          << own.info->lo;
      } else {
        field.parts.push_back({own.value, own.info});
      }
    }
  }
}

/// Runs of commands of one context in one block, with nothing between them
/// that issues to the same context.
static std::vector<SmallVector<size_t>> runsOf(const ContextPlan &plan,
                                               const Group &group) {
  std::vector<SmallVector<size_t>> runs;
  for (size_t member : group.members) {
    Operation *op = plan.commands[member].op;
    bool continues = false;
    if (!runs.empty() &&
        plan.commands[runs.back().back()].op->getBlock() == op->getBlock()) {
      // Members are in program order: a member in a nested region would have
      // ended the run.
      continues = true;
    }
    if (!continues) {
      runs.emplace_back();
    }
    runs.back().push_back(member);
  }
  return runs;
}

/// Chooses the step that saves most instructions, and the commands that take
/// their word from `auto`. \returns the step, 0 if none saves anything.
static uint64_t planAuto(ContextPlan &plan, const Group &group) {
  std::vector<SmallVector<size_t>> runs = runsOf(plan, group);
  auto delta = [&](size_t a, size_t b) -> std::optional<uint64_t> {
    const WordForm &one = plan.commands[a].word;
    const WordForm &other = plan.commands[b].word;
    if (one.terms != other.terms) {
      return std::nullopt;
    }
    return other.constant - one.constant;
  };
  // A register word costs an addition and the issue, a run of n with auto an
  // addition, the write and n issues.
  constexpr size_t kShortest = 3;
  auto forStretches = [&](uint64_t step, auto use) {
    for (const SmallVector<size_t> &run : runs) {
      for (size_t begin = 0; begin < run.size();) {
        size_t end = begin + 1;
        while (end < run.size() && delta(run[end - 1], run[end]) == step) {
          ++end;
        }
        if (end - begin >= kShortest) {
          use(run, begin, end);
        }
        begin = end;
      }
    }
  };
  llvm::MapVector<uint64_t, uint64_t> saved;
  for (const SmallVector<size_t> &run : runs) {
    for (size_t i = 1; i < run.size(); ++i) {
      if (auto step = delta(run[i - 1], run[i])) {
        saved.insert({*step, 0});
      }
    }
  }
  uint64_t best = 0, bestSaved = 0;
  for (auto &[step, amount] : saved) {
    forStretches(
        step, [&](const SmallVector<size_t> &run, size_t begin, size_t end) {
          unsigned depth = std::min(plan.commands[run[begin]].depth, 16u);
          amount += (end - begin - 2) << (3 * depth);
        });
    if (amount > bestSaved) {
      bestSaved = amount;
      best = step;
    }
  }
  if (bestSaved == 0) {
    return 0;
  }
  using Issue = PlannedCommand::Issue;
  forStretches(best, [&](const SmallVector<size_t> &run, size_t begin,
                         size_t end) {
    for (size_t i = begin; i < end; ++i) {
      plan.commands[run[i]].issue = i == begin ? Issue::AutoFirst : Issue::Auto;
    }
  });
  return best;
}

FailureOr<ContextPlan> compiler::planContexts(Operation *function,
                                              unsigned contexts,
                                              uint64_t localBytes) {
  ContextPlan plan;
  WalkResult walked =
      function->walk<WalkOrder::PreOrder>([&](pe::CommandOpInterface op) {
        FailureOr<SmallVector<SliceForm>> slices = readSlices(op);
        if (failed(slices)) {
          return WalkResult::interrupt();
        }
        PlannedCommand command;
        command.op = op;
        command.slices = std::move(*slices);
        command.depth = loopDepth(op);
        // Fields without a slice in use are still read.
        for (const isa::FieldInfo &field : isa::fields(op.getXpeOpcode())) {
          command.fields[field.index];
        }
        plan.commands.push_back(std::move(command));
        return WalkResult::advance();
      });
  if (walked.wasInterrupted()) {
    return failure();
  }
  std::vector<Group> groups = makeGroups(plan, localBytes);
  for (const Group &group : groups) {
    placeSlices(plan, group, localBytes);
  }
  plan.steps.assign(std::max(1u, contexts), 0);
  if (contexts == 0) {
    return plan;
  }
  // Heavier groups first where contexts are short, else in program order.
  SmallVector<std::pair<uint64_t, size_t>> order;
  for (auto [i, group] : llvm::enumerate(groups)) {
    order.push_back({groups.size() > contexts ? ~group.weight : 0, i});
  }
  llvm::sort(order);
  for (auto [rank, entry] : llvm::enumerate(order)) {
    const Group &group = groups[entry.second];
    auto ctx = static_cast<unsigned>(std::min<size_t>(rank, contexts - 1));
    for (size_t member : group.members) {
      plan.commands[member].ctx = ctx;
    }
    bool isShared = groups.size() > contexts && ctx == contexts - 1;
    if (!isShared) {
      plan.steps[ctx] = planAuto(plan, group);
    }
  }
  // A word of 0 needs no register where auto and step stay 0.
  for (PlannedCommand &command : plan.commands) {
    if (command.word.isZero() && plan.steps[command.ctx] == 0) {
      bool isWritten =
          llvm::any_of(plan.commands, [&](const PlannedCommand &other) {
            return other.ctx == command.ctx &&
                   other.issue != PlannedCommand::Issue::Register &&
                   !other.word.isZero();
          });
      if (!isWritten) {
        command.issue = PlannedCommand::Issue::Auto;
      }
    }
  }
  return plan;
}
