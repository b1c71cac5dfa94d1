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

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
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

/// Loops around the definition of \p value.
static unsigned loopDepth(Value value) {
  Operation *owner = value.getParentRegion()->getParentOp();
  return loopDepth(owner) + llvm::isa<LoopLikeOpInterface>(owner);
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

/// Executions of a command relative to one outside of loops. How often loops
/// run is unknown: eight is a guess that only ranks.
static uint64_t weightOf(unsigned depth) {
  constexpr unsigned kLoopWeightLog = 3, kMostLoops = 16;
  return uint64_t(1) << (kLoopWeightLog * std::min(depth, kMostLoops));
}

static std::vector<Group> makeGroups(const ContextPlan &plan,
                                     uint64_t localBytes) {
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
    group->weight += weightOf(command.depth);
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
      // A value costs an addition outside of the loops in which it is
      // constant, also in the word; in a field it would cost a write.
      inField &=
          own.sameAs(slice) && (own.isConstant() || !fitsTerm(own, localBytes));
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
                                               ArrayRef<size_t> members) {
  std::vector<SmallVector<size_t>> runs;
  for (size_t member : members) {
    // Members are in program order: one in a nested region ends a run.
    Block *block = plan.commands[member].op->getBlock();
    if (runs.empty() ||
        plan.commands[runs.back().back()].op->getBlock() != block) {
      runs.emplace_back();
    }
    runs.back().push_back(member);
  }
  return runs;
}

namespace {
/// Use of a context's auto-increment.
struct AutoPlan {
  uint64_t step = 0;
  /// Weighted instructions that it saves.
  uint64_t saved = 0;
  /// Commands in a row whose words grow by `step`.
  std::vector<SmallVector<size_t>> stretches;
  /// Commands alone in their loops whose words grow by `step` in each round.
  SmallVector<size_t> inLoops;
};
} // namespace

/// \returns by how much the word grows from one round of the loop around the
/// command to the next, if that is a constant and the loop runs it every time.
static std::optional<uint64_t> growthInLoop(const PlannedCommand &command) {
  Operation *op = command.op;
  auto loop = dyn_cast<scf::ForOp>(op->getParentOp());
  APInt step;
  if (!loop || !matchPattern(loop.getStep(), m_ConstantInt(&step))) {
    return std::nullopt;
  }
  uint64_t growth = 0;
  for (const WordForm::Term &term : command.word.terms) {
    if (term.value == loop.getInductionVar()) {
      growth = term.factor * step.getZExtValue();
    } else if (!loop.isDefinedOutsideOfLoop(term.value)) {
      return std::nullopt;
    }
  }
  return growth;
}

/// Auto-increment from round to round, for a context with one command per loop.
static AutoPlan planLoops(const ContextPlan &plan, ArrayRef<size_t> members) {
  AutoPlan result;
  for (size_t member : members) {
    const PlannedCommand &command = plan.commands[member];
    Operation *loop = command.op->getParentOp();
    std::optional<uint64_t> growth = growthInLoop(command);
    // A word that does not grow costs no addition either.
    if (!growth || *growth == 0 || (result.step && *growth != result.step)) {
      return AutoPlan();
    }
    // No other command in the loop may take or write auto.
    for (size_t other : members) {
      if (other != member && loop->isProperAncestor(plan.commands[other].op)) {
        return AutoPlan();
      }
    }
    result.step = *growth;
    result.inLoops.push_back(member);
    // Saves the addition, costs one and a write before the loop.
    result.saved += weightOf(command.depth) - 2 * weightOf(command.depth - 1);
  }
  return result;
}

/// \returns the stretches of \p run whose words grow by \p step.
static void addStretches(const ContextPlan &plan, ArrayRef<size_t> run,
                         uint64_t step, AutoPlan &result) {
  // A word in a register costs an addition and the issue; n with auto cost an
  // addition, the write of auto and n issues.
  constexpr size_t kShortest = 3;
  auto grows = [&](size_t a, size_t b) {
    const WordForm &one = plan.commands[a].word;
    const WordForm &other = plan.commands[b].word;
    return one.terms == other.terms && other.constant - one.constant == step;
  };
  for (size_t begin = 0; begin < run.size();) {
    size_t end = begin + 1;
    while (end < run.size() && grows(run[end - 1], run[end])) {
      ++end;
    }
    if (end - begin >= kShortest) {
      result.stretches.emplace_back(run.slice(begin, end - begin));
      result.saved +=
          (end - begin - 2) * weightOf(plan.commands[run[begin]].depth);
    }
    begin = end;
  }
}

/// Chooses the step that saves most for a context of \p members.
static AutoPlan chooseAuto(const ContextPlan &plan, ArrayRef<size_t> members) {
  std::vector<SmallVector<size_t>> runs = runsOf(plan, members);
  llvm::MapVector<uint64_t, AutoPlan> candidates;
  for (const SmallVector<size_t> &run : runs) {
    for (size_t i = 1; i < run.size(); ++i) {
      const WordForm &one = plan.commands[run[i - 1]].word;
      const WordForm &other = plan.commands[run[i]].word;
      if (one.terms == other.terms) {
        candidates.insert({other.constant - one.constant, AutoPlan()});
      }
    }
  }
  AutoPlan best = planLoops(plan, members);
  for (auto &[step, candidate] : candidates) {
    candidate.step = step;
    for (const SmallVector<size_t> &run : runs) {
      addStretches(plan, run, step, candidate);
    }
    if (candidate.saved > best.saved) {
      best = candidate;
    }
  }
  return best;
}

/// Every n-th command of each run: the words of a nest of loops often grow
/// steadily only from one round of the inner loops to the next.
static std::vector<Group> splitEvery(const ContextPlan &plan,
                                     const Group &group, size_t n) {
  std::vector<Group> parts(n);
  for (const SmallVector<size_t> &run : runsOf(plan, group.members)) {
    for (auto [i, member] : llvm::enumerate(run)) {
      parts[i % n].members.push_back(member);
      parts[i % n].weight += weightOf(plan.commands[member].depth);
    }
  }
  for (Group &part : parts) {
    llvm::sort(part.members);
  }
  llvm::erase_if(parts, [](const Group &part) { return part.members.empty(); });
  return parts;
}

/// Splits groups where contexts are left over and auto-increment then saves
/// more than the fields of the further contexts cost.
static void splitGroups(const ContextPlan &plan, std::vector<Group> &groups,
                        unsigned contexts) {
  std::vector<Group> result;
  size_t spare = contexts > groups.size() ? contexts - groups.size() : 0;
  for (const Group &group : groups) {
    std::vector<Group> best = {group};
    uint64_t bestGain = chooseAuto(plan, group.members).saved;
    const PlannedCommand &first = plan.commands[group.members.front()];
    // A field is written in the innermost loop that defines a part of it.
    unsigned depth = 0;
    for (auto &[number, field] : first.fields) {
      for (const FieldForm::Part &part : field.parts) {
        depth = std::max(depth, loopDepth(part.value));
      }
    }
    auto written = static_cast<uint64_t>(llvm::count_if(
        first.fields, [](auto &entry) { return !entry.second.isZero(); }));
    uint64_t cost = (written + 1) * weightOf(depth);
    for (size_t n = 2; n <= std::min(spare + 1, group.members.size()); ++n) {
      std::vector<Group> parts = splitEvery(plan, group, n);
      uint64_t saved = 0;
      for (const Group &part : parts) {
        saved += chooseAuto(plan, part.members).saved;
      }
      uint64_t paid = cost * (parts.size() - 1);
      if (saved > paid && saved - paid > bestGain) {
        bestGain = saved - paid;
        best = std::move(parts);
      }
    }
    spare -= best.size() - 1;
    llvm::append_range(result, best);
  }
  groups = std::move(result);
}

static void applyAuto(ContextPlan &plan, unsigned ctx, const AutoPlan &chosen) {
  using Issue = PlannedCommand::Issue;
  plan.steps[ctx] = chosen.step;
  for (const SmallVector<size_t> &stretch : chosen.stretches) {
    for (auto [i, member] : llvm::enumerate(stretch)) {
      plan.commands[member].issue = i == 0 ? Issue::AutoFirst : Issue::Auto;
    }
  }
  for (size_t member : chosen.inLoops) {
    plan.commands[member].issue = Issue::AutoLoop;
  }
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
  splitGroups(plan, groups, contexts);
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
      applyAuto(plan, ctx, chooseAuto(plan, group.members));
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
