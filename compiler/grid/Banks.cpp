//===- Banks.cpp ----------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/Banks.h"

#include "compiler/grid/LocalPlan.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

/// In the text of a program: {spilled}.
static constexpr StringLiteral kSpilled = "spilled";

bool chipwright::isSpilled(MatmulOp product) {
  return product->hasAttr(kSpilled);
}

namespace {

class Lives {
public:
  Lives(ProgramOp program, const Target &target)
      : program(program), target(target) {
    number(program);
  }

  std::vector<SumLife> run() {
    program.walk<WalkOrder::PreOrder>([&](Operation *op) {
      for (Value result : op->getResults()) {
        add(result);
      }
      if (auto loop = dyn_cast<scf::ForOp>(op)) {
        for (Value argument : loop.getRegionIterArgs()) {
          add(argument);
        }
      }
    });
    join();
    llvm::MapVector<void *, SumLife> lives;
    for (Value value : values) {
      void *leader = classes.getLeaderValue(value.getAsOpaquePointer());
      auto [entry, isNew] = lives.try_emplace(leader);
      SumLife &life = entry->second;
      auto [first, last] = rangeOf(value);
      life.first = isNew ? first : std::min(life.first, first);
      life.last = std::max(life.last, last);
      if (auto product = value.getDefiningOp<MatmulOp>()) {
        life.products.push_back(product);
      }
      auto type = cast<RankedTensorType>(value.getType());
      life.banks =
          ((type.getDimSize(0) + target.streamRows - 1) / target.streamRows) *
          ((type.getDimSize(1) + target.cachedRows - 1) / target.cachedRows);
    }
    std::vector<SumLife> result;
    for (auto &[leader, life] : lives) {
      result.push_back(std::move(life));
    }
    program.walk([&](MatmulOp product) {
      if (isSpilled(product)) {
        unsigned position = places[product].first;
        result.push_back({{product}, position, position, 1});
      }
    });
    return result;
  }

private:
  void number(Operation *op) {
    unsigned first = next++;
    for (Region &region : op->getRegions()) {
      for (Operation &inner : region.getOps()) {
        number(&inner);
      }
    }
    places[op] = {first, op->getNumRegions() ? next++ : first};
  }

  void add(Value value) {
    if (isa<RankedTensorType>(value.getType()) && liesInBanks(value)) {
      values.push_back(value);
      classes.insert(value.getAsOpaquePointer());
    }
  }

  void join(Value a, Value b) {
    if (!splatOf(b) && liesInBanks(b) && liesInBanks(a)) {
      classes.unionSets(a.getAsOpaquePointer(), b.getAsOpaquePointer());
    }
  }

  void join() {
    program.walk([&](scf::ForOp loop) {
      for (const Carried &carried : carriedTiles(loop)) {
        for (Value other : {carried.init, carried.yielded, carried.result}) {
          join(carried.argument, other);
        }
      }
    });
    program.walk(
        [&](MatmulOp product) { join(product.getSum(), product.getAcc()); });
  }

  /// From where \p value is made to its last reader, up to the end of loops
  /// that read it again.
  std::pair<unsigned, unsigned> rangeOf(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      return places[argument.getOwner()->getParentOp()];
    }
    Operation *maker = value.getDefiningOp();
    unsigned first = isa<scf::ForOp>(maker) ? places[maker].second
                                            : places[maker].first,
             last = first;
    extend(value, value.getParentBlock()->getParentOp(), last);
    return {first, last};
  }

  void extend(Value value, Operation *home, unsigned &last) {
    for (Operation *user : value.getUsers()) {
      last = std::max(last, places[user].first);
      for (Operation *around = user->getParentOp(); around != home;
           around = around->getParentOp()) {
        last = std::max(last, places[around].second);
      }
      if (auto slice = dyn_cast<tensor::ExtractSliceOp>(user)) {
        extend(slice.getResult(), home, last);
      }
    }
  }

  ProgramOp program;
  const Target &target;
  llvm::DenseMap<Operation *, std::pair<unsigned, unsigned>> places;
  unsigned next = 0;
  llvm::EquivalenceClasses<void *> classes;
  SmallVector<Value> values;
};

} // namespace

std::vector<SumLife> chipwright::livesOfSums(ProgramOp program,
                                             const Target &target) {
  return Lives(program, target).run();
}

/// Banks that \p lives hold at position \p at.
static int64_t banksAt(ArrayRef<SumLife> lives, unsigned at) {
  int64_t banks = 0;
  for (const SumLife &life : lives) {
    banks += life.first <= at && at <= life.last ? life.banks : 0;
  }
  return banks;
}

int64_t chipwright::mostBanks(ArrayRef<SumLife> lives) {
  int64_t most = 0;
  for (const SumLife &life : lives) {
    most = std::max(most, banksAt(lives, life.first));
  }
  return most;
}

void chipwright::spillSums(ProgramOp program, const Target &target) {
  while (true) {
    std::vector<SumLife> lives = livesOfSums(program, target);
    const SumLife *worst = nullptr;
    for (const SumLife &life : lives) {
      if (banksAt(lives, life.first) <= target.banks) {
        continue;
      }
      // Somewhere in this one's life there are too few.
      for (const SumLife &other : lives) {
        bool isThere = other.first <= life.first && life.first <= other.last;
        MatmulOp product = other.products.front();
        if (isThere && !isSpilled(product) &&
            elementOf(product.getSum().getType()).isF32() &&
            (!worst || other.last - other.first > worst->last - worst->first)) {
          worst = &other;
        }
      }
      break;
    }
    if (!worst) {
      return;
    }
    for (MatmulOp product : worst->products) {
      product->setAttr(kSpilled, UnitAttr::get(product.getContext()));
    }
  }
}
