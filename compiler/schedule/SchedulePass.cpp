//===- SchedulePass.cpp - Tile sizes and places of operations -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Candidates are ranked by estimated time. Whether one fits is not estimated:
// the program is copied, lowered up to the point where local memory is planned,
// and LocalPlan says. Rings without room for the next tile stop overlap, so a
// plan with shallow ones must win by more than what that costs. Plans in which
// tiles share rings or sums are spilled are for what fits in no other way.
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/Banks.h"
#include "compiler/grid/GridPasses.h"
#include "compiler/grid/LocalPlan.h"
#include "compiler/schedule/Candidates.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace chipwright {
#define GEN_PASS_DEF_SCHEDULEPASS
#include "compiler/grid/GridPasses.h.inc"
} // namespace chipwright

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

namespace {

/// Copies that are lowered per operation at most.
constexpr unsigned kMaxTrials = 400;

/// What became of a copy with a schedule.
struct Trial {
  bool fits = false;
  /// Time lost to shallow rings, as a factor.
  double penalty = 1;
};

class Scheduler {
public:
  Scheduler(ProgramOp program, const Target &target, ModuleOp module)
      : program(program), target(target), module(module) {}

  LogicalResult run() {
    program.walk([&](GenericOp op) { ops.push_back(op); });
    chosen.assign(ops.size(), std::nullopt);
    lists.resize(ops.size());
    for (size_t i = 0; i < ops.size(); ++i) {
      if (ops[i].getSchedule()) {
        continue;
      }
      FailureOr<OpModel> model = OpModel::of(ops[i], target);
      if (failed(model)) {
        return failure();
      }
      mayBeTight = false;
      lists[i] = candidates(*model);
      choose(i);
      if (!chosen[i]) {
        // Whatever is left: sums may be larger than all banks.
        mayBeTight = anyTight = true;
        lists[i] = candidates(*model, /*maySpill=*/true);
        choose(i);
      }
      if (!chosen[i] && failed(refuse(i))) {
        return failure();
      }
    }
    mayBeTight = anyTight;
    if (failed(fitTogether())) {
      return failure();
    }
    for (size_t i = 0; i < ops.size(); ++i) {
      if (chosen[i]) {
        ops[i].setScheduleAttr(attribute(lists[i][*chosen[i]]));
      }
    }
    return success();
  }

private:
  ScheduleAttr attribute(const Schedule &schedule) {
    return ScheduleAttr::get(program.getContext(), schedule.tile, schedule.on);
  }

  /// Lowers a copy of the program with candidate \p pick of each operation
  /// (nothing: the operation is left out, unless it is scheduled already).
  Trial attempt(ArrayRef<std::optional<size_t>> pick, bool alone,
                std::string *said = nullptr,
                std::vector<mlir::Diagnostic> *notes = nullptr) {
    ++trials;
    OpBuilder builder(program.getContext());
    OwningOpRef<ModuleOp> copy = ModuleOp::create(module.getLoc());
    (*copy)->setAttrs(module->getAttrDictionary());
    builder.setInsertionPointToEnd(copy->getBody());
    auto clone = cast<ProgramOp>(builder.clone(*program));
    SmallVector<GenericOp> made;
    clone.walk([&](GenericOp op) { made.push_back(op); });
    for (size_t i = 0; i < made.size(); ++i) {
      if (pick[i]) {
        made[i].setScheduleAttr(attribute(lists[i][*pick[i]]));
      } else if (alone || !made[i].getSchedule()) {
        made[i].erase();
      }
    }
    Trial trial;
    ScopedDiagnosticHandler handler(
        program.getContext(), [&](mlir::Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == DiagnosticSeverity::Error && said &&
              said->empty()) {
            *said = diagnostic.str();
            for (mlir::Diagnostic &note : diagnostic.getNotes()) {
              notes->push_back(std::move(note));
            }
          }
          return success();
        });
    PassManager passes(program.getContext());
    passes.enableVerifier(false);
    OpPassManager &nested = passes.nest<ProgramOp>();
    nested.addPass(createExpandPass());
    nested.addPass(createCanonicalizerPass());
    nested.addPass(createCSEPass());
    nested.addPass(createSelectSimdPass());
    nested.addPass(createNormalizePass());
    if (failed(passes.run(*copy))) {
      return trial;
    }
    auto lowered = *copy->getOps<ProgramOp>().begin();
    FailureOr<LocalPlan> plan = LocalPlan::make(lowered, target);
    if (failed(plan)) {
      return trial;
    }
    trial.fits = mayBeTight || !plan->isTight();
    // One slot: nothing overlaps. Two: a round trip to memory may show. Spilled
    // sums go to local memory and back for each product.
    constexpr double kSingle = 1.6, kDouble = 1.05, kSpilled = 2;
    bool spills = false;
    lowered.walk([&](MatmulOp product) { spills |= isSpilled(product); });
    for (const Place &place : plan->places()) {
      if (place.inBanks || !place.maker) {
        continue;
      }
      bool inLoop = !isa<ProgramOp>(place.maker->getParentOp());
      bool moves = isa<LoadOp>(place.maker) || place.isStored;
      if (inLoop && moves && place.depth == 1) {
        trial.penalty = std::max(trial.penalty, kSingle);
      } else if (inLoop && isa<LoadOp>(place.maker) && place.depth == 2) {
        trial.penalty = std::max(trial.penalty, kDouble);
      }
    }
    trial.penalty *= spills ? kSpilled : 1;
    return trial;
  }

  /// Are all blocks of \p a at least as large as those of \p b, on the same
  /// PEs? Then it does not fit where b does not.
  static bool isLarger(const Schedule &a, const Schedule &b) {
    if (a.on != b.on) {
      return false;
    }
    for (size_t dim = 0; dim < a.tile.size(); ++dim) {
      if (a.tile[dim] < b.tile[dim]) {
        return false;
      }
    }
    return true;
  }

  /// The best candidate of operation \p i as if it were the only one, if any.
  void choose(size_t i) {
    std::vector<std::optional<size_t>> pick(ops.size());
    std::vector<size_t> tooLarge;
    double best = 0;
    trials = 0;
    for (size_t j = 0; j < lists[i].size() && trials < kMaxTrials; ++j) {
      const Schedule &schedule = lists[i][j];
      if (chosen[i] && schedule.cost >= best) {
        break;
      }
      if (llvm::any_of(tooLarge, [&](size_t other) {
            return isLarger(schedule, lists[i][other]);
          })) {
        continue;
      }
      pick[i] = j;
      Trial trial = attempt(pick, /*alone=*/true);
      if (!trial.fits) {
        tooLarge.push_back(j);
      } else if (!chosen[i] || schedule.cost * trial.penalty < best) {
        chosen[i] = j;
        best = schedule.cost * trial.penalty;
      }
    }
  }

  /// Says why even the smallest tiles of operation \p i do not fit.
  LogicalResult refuse(size_t i) {
    if (lists[i].empty()) {
      return ops[i].emitOpError("has no schedule for ")
             << target.name << ": the smallest tiles of its operands need more "
             << "than the " << target.localBytes
             << " bytes of local memory (ls.bytes less stacks and arguments), "
                "or a sum more than "
             << target.banks << " accumulator banks (re.banks) of "
             << target.streamRows << " x " << target.cachedRows;
    }
    auto volume = [](const Schedule &schedule) {
      double product = 1;
      for (int64_t block : schedule.tile) {
        product *= double(block);
      }
      return product;
    };
    size_t smallest = 0;
    for (size_t j = 1; j < lists[i].size(); ++j) {
      if (volume(lists[i][j]) < volume(lists[i][smallest])) {
        smallest = j;
      }
    }
    std::vector<std::optional<size_t>> pick(ops.size());
    pick[i] = smallest;
    std::string said;
    std::vector<mlir::Diagnostic> notes;
    if (attempt(pick, /*alone=*/true, &said, &notes).fits) {
      // Behind more candidates than are tried.
      chosen[i] = smallest;
      return success();
    }
    InFlightDiagnostic error = ops[i].emitOpError("has no schedule for ")
                               << target.name << "; with its smallest tiles, "
                               << attribute(lists[i][smallest]) << ": " << said;
    for (mlir::Diagnostic &note : notes) {
      error.attachNote(note.getLocation()) << note.str();
    }
    return error;
  }

  /// Moves operations to smaller tiles until the program fits as a whole.
  LogicalResult fitTogether() {
    trials = 0;
    std::string said;
    std::vector<mlir::Diagnostic> notes;
    while (ops.size() > 1 && llvm::any_of(chosen, [](const auto &pick) {
             return pick.has_value();
           })) {
      said.clear();
      notes.clear();
      if (attempt(chosen, /*alone=*/false, &said, &notes).fits) {
        break;
      }
      // The step that costs least among those to less data.
      size_t victim = ops.size();
      size_t next = 0;
      double least = 0;
      for (size_t i = 0; i < ops.size(); ++i) {
        if (!chosen[i]) {
          continue;
        }
        const Schedule &now = lists[i][*chosen[i]];
        for (size_t j = *chosen[i] + 1; j < lists[i].size(); ++j) {
          const Schedule &other = lists[i][j];
          if (other.on == now.on && other.tile != now.tile &&
              isLarger(now, other)) {
            double more = other.cost - now.cost;
            if (victim == ops.size() || more < least) {
              victim = i;
              next = j;
              least = more;
            }
            break;
          }
        }
      }
      if (victim == ops.size() && !mayBeTight) {
        mayBeTight = true;
        continue;
      }
      if (victim == ops.size() || trials >= kMaxTrials) {
        InFlightDiagnostic error =
            program.emitError()
            << "operations of @" << program.getSymName()
            << " fit local memory one by one, but not together: " << said
            << "; split the program";
        for (mlir::Diagnostic &note : notes) {
          error.attachNote(note.getLocation()) << note.str();
        }
        return error;
      }
      chosen[victim] = next;
    }
    return success();
  }

  ProgramOp program;
  const Target &target;
  ModuleOp module;
  std::vector<GenericOp> ops;
  std::vector<std::vector<Schedule>> lists;
  std::vector<std::optional<size_t>> chosen;
  /// May plans be tight (LocalPlan.h)?
  bool mayBeTight = false, anyTight = false;
  unsigned trials = 0;
};

class SchedulePass : public chipwright::impl::SchedulePassBase<SchedulePass> {
public:
  using SchedulePassBase::SchedulePassBase;

  void runOnOperation() override {
    for (ProgramOp program : getOperation().getOps<ProgramOp>()) {
      bool isComplete = true;
      program.walk(
          [&](GenericOp op) { isComplete &= op.getSchedule().has_value(); });
      if (isComplete) {
        continue;
      }
      FailureOr<Target> target = Target::of(program);
      if (failed(target) ||
          failed(Scheduler(program, *target, getOperation()).run())) {
        return signalPassFailure();
      }
    }
  }
};

} // namespace
