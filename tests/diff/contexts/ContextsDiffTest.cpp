//===- ContextsDiffTest.cpp - Random programs, any number of contexts -----===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// pe-assign-contexts may write fields where it likes, as long as every command
// gets its operands. Random structured programs are interpreted before and
// after the pass; the commands must be equal, operand by operand.
//
//===----------------------------------------------------------------------===//

#include "compiler/pe/Passes.h"
#include "dialects/pe/Pe.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

using namespace mlir;
using namespace chipwright;

namespace {

//===----------------------------------------------------------------------===//
// Interpreter
//===----------------------------------------------------------------------===//

uint64_t maskOf(unsigned width) {
  return width >= 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1;
}

/// Name and slices of an issued command.
struct Issued {
  isa::Opcode opcode;
  std::vector<uint64_t> slices;
  bool operator==(const Issued &) const = default;
};

class Interpreter {
public:
  explicit Interpreter(unsigned contexts)
      : contexts(contexts), fields(std::max(1u, contexts)) {}

  void run(func::FuncOp function, ArrayRef<uint64_t> arguments) {
    for (auto [parameter, value] :
         llvm::zip(function.getArguments(), arguments)) {
      values[parameter] = value;
    }
    block(function.getBody().front());
  }

  std::vector<Issued> issued;
  uint64_t writes = 0, autoWrites = 0;

private:
  void block(Block &body) {
    for (Operation &op : body) {
      execute(&op);
    }
  }

  uint64_t of(Value value) { return values.at(value); }

  void execute(Operation *op) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      values[constant] = static_cast<uint64_t>(
          cast<IntegerAttr>(constant.getValue()).getInt());
    } else if (llvm::isa<arith::AddIOp>(op)) {
      binary(op, [](uint64_t a, uint64_t b) { return a + b; });
    } else if (llvm::isa<arith::SubIOp>(op)) {
      binary(op, [](uint64_t a, uint64_t b) { return a - b; });
    } else if (llvm::isa<arith::MulIOp>(op)) {
      binary(op, [](uint64_t a, uint64_t b) { return a * b; });
    } else if (llvm::isa<arith::ShLIOp>(op)) {
      binary(op, [](uint64_t a, uint64_t b) { return a << b; });
    } else if (llvm::isa<arith::ShRUIOp>(op)) {
      binary(op, [](uint64_t a, uint64_t b) { return a >> b; });
    } else if (llvm::isa<arith::OrIOp>(op)) {
      binary(op, [](uint64_t a, uint64_t b) { return a | b; });
    } else if (llvm::isa<arith::CmpIOp>(op)) { // the programs have only ult
      binary(op, [](uint64_t a, uint64_t b) { return uint64_t(a < b); });
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      uint64_t step = of(loop.getStep());
      for (uint64_t i = of(loop.getLowerBound()); i < of(loop.getUpperBound());
           i += step) {
        values[loop.getInductionVar()] = i;
        block(*loop.getBody());
      }
    } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
      Region &region = of(branch.getCondition()) ? branch.getThenRegion()
                                                 : branch.getElseRegion();
      if (!region.empty()) {
        block(region.front());
      }
    } else if (auto keep = dyn_cast<pe::KeepOp>(op)) {
      values[keep] = of(keep.getValue());
    } else if (auto set = dyn_cast<pe::SetOp>(op)) {
      ++writes;
      autoWrites += set.getField() == isa::autoField;
      ASSERT_LT(set.getCtx(), fields.size());
      fields[set.getCtx()][set.getField()] = of(set.getRs1());
    } else if (auto go = dyn_cast<pe::GoOp>(op)) {
      issue(go);
    } else if (auto command = dyn_cast<pe::CommandOpInterface>(op)) {
      Issued result{command.getXpeOpcode(), {}};
      for (const isa::SliceInfo &slice : isa::slices(result.opcode)) {
        OpFoldResult entry = command.getSlice(slice.name);
        uint64_t value =
            llvm::isa<Value>(entry)
                ? of(cast<Value>(entry))
                : static_cast<uint64_t>(
                      cast<IntegerAttr>(cast<Attribute>(entry)).getInt());
        result.slices.push_back(value & maskOf(slice.width));
      }
      issued.push_back(result);
    } else if (!op->hasTrait<OpTrait::IsTerminator>()) {
      FAIL() << "no meaning for " << op->getName().getStringRef().str();
    }
  }

  template <typename F> void binary(Operation *op, F function) {
    values[op->getResult(0)] =
        function(of(op->getOperand(0)), of(op->getOperand(1)));
  }

  void issue(pe::GoOp go) {
    ASSERT_LT(go.getCtx(), fields.size());
    auto &context = fields[go.getCtx()];
    uint64_t word = 0;
    if (go.getWord()) {
      word = of(go.getWord());
    } else if (contexts != 0) {
      word = context[isa::autoField];
      context[isa::autoField] += context[isa::stepField];
    }
    Issued result{go.getXpeOpcode(), {}};
    EXPECT_EQ(word & ~isa::wordMask(result.opcode), 0u);
    for (const isa::FieldInfo &field : isa::fields(result.opcode)) {
      EXPECT_EQ(context[field.index] & ~field.usedMask, 0u) << field.name;
    }
    for (const isa::SliceInfo &slice : isa::slices(result.opcode)) {
      uint64_t value = context[slice.field] >> slice.lo & maskOf(slice.width);
      if (slice.termLo >= 0) {
        value += word >> slice.termLo & maskOf(slice.termWidth);
      }
      EXPECT_EQ(value & ~maskOf(slice.width), 0u) << slice.name;
      result.slices.push_back(value);
    }
    issued.push_back(result);
    if (contexts == 0) {
      context.fill(0);
    }
  }

  unsigned contexts;
  std::vector<std::array<uint64_t, isa::fieldCount>> fields;
  DenseMap<Value, uint64_t> values;
};

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

/// Writes structured programs. All values are below 2^12, so that they fit
/// every slice that gets a value.
class Writer {
public:
  explicit Writer(uint64_t seed) : random(seed) {}

  std::string program() {
    text = "func.func @kernel_load(%a: i64, %b: i64, %c: i64) {\n"
           "  %zero = arith.constant 0 : i64\n"
           "  %one = arith.constant 1 : i64\n"
           "  %five = arith.constant 5 : i64\n";
    block(0, {"%a", "%b", "%c"});
    return text + "  return\n}\n";
  }

private:
  unsigned pick(unsigned count) {
    return static_cast<unsigned>(random() % count);
  }
  std::string fresh() { return "%v" + std::to_string(next++); }

  void block(unsigned depth, std::vector<std::string> scope) {
    for (unsigned n = 2 + pick(4); n > 0; --n) {
      unsigned kind = pick(10);
      const std::string &some = scope[pick(unsigned(scope.size()))];
      if (kind == 0 && depth < 4) {
        std::string i = fresh();
        text += "scf.for " + i + " = %zero to " +
                (pick(2) ? std::string("%five") : scope[pick(3)]) +
                " step %one : i64 {\n";
        std::vector<std::string> inner = scope;
        inner.push_back(i);
        block(depth + 1, inner);
        text += "}\n";
      } else if (kind == 1 && depth < 4) {
        std::string flag = fresh();
        text += flag + " = arith.cmpi ult, " + some + ", %five : i64\nscf.if " +
                flag + " {\n";
        block(depth + 1, scope);
        if (pick(2)) {
          text += "} else {\n";
          block(depth + 1, scope);
        }
        text += "}\n";
      } else if (kind == 2 && scope.size() < 9) {
        // Sums of values below 2^4 and a constant below 2^8.
        std::string scaled = fresh(), sum = fresh();
        text += scaled + " = arith.constant " + std::to_string(pick(256)) +
                " : i64\n" + sum + " = arith.addi " + scope[pick(3)] + ", " +
                scaled + " : i64\n";
        scope.push_back(sum);
      } else if (kind == 3) {
        row(some);
      } else {
        command(scope);
      }
    }
  }

  /// Parts of a product: words that grow by constants, in rounds.
  void row(const std::string &offset) {
    unsigned parts = 1 + pick(3), step = pick(64);
    std::string shape = std::to_string(1 + pick(2));
    for (unsigned i = 0; i < parts * (2 + pick(4)); ++i) {
      std::string constant = fresh(), sum = fresh();
      text += constant + " = arith.constant " +
              std::to_string(i / parts * step + i % parts * 256) + " : i64\n" +
              sum + " = arith.addi " + offset + ", " + constant +
              " : i64\npe.mml {a_rows = " + shape + ", a_offset = " + sum +
              ", bank = " + std::to_string(i % parts) +
              ", accumulate = " + std::to_string(i >= parts) + "}\n";
    }
  }

  void command(const std::vector<std::string> &scope) {
    static constexpr isa::Opcode kOpcodes[] = {
        isa::Opcode::DmaIn,   isa::Opcode::Mml,     isa::Opcode::Se,
        isa::Opcode::MluCopy, isa::Opcode::MluCopy, isa::Opcode::Drain};
    isa::Opcode opcode = kOpcodes[pick(6)];
    text += "pe." + pe::opName(opcode) + " {";
    const char *separator = "";
    for (const isa::SliceInfo &slice : isa::slices(opcode)) {
      if (pick(3)) {
        continue;
      }
      text += separator + std::string(slice.name) + " = ";
      separator = ", ";
      bool takesValue = slice.width >= 12 && !slice.codeNames;
      if (takesValue && pick(2)) {
        text += scope[pick(unsigned(scope.size()))];
      } else {
        // Few constants, so that commands often agree.
        unsigned limit = slice.codeNames
                             ? slice.codeCount
                             : 1u << std::min<unsigned>(slice.width, 2);
        text += std::to_string(pick(limit));
      }
    }
    text += "}\n";
  }

  std::mt19937_64 random;
  std::string text;
  unsigned next = 0;
};

uint64_t firstSeed() {
  const char *given = std::getenv("CHIPWRIGHT_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 7;
}

class ContextsDiff : public testing::TestWithParam<unsigned> {};

TEST_P(ContextsDiff, CommandsGetTheirOperands) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<arith::ArithDialect, func::FuncDialect, scf::SCFDialect,
                      pe::PeDialect>();
  const uint64_t begin = firstSeed();
  std::printf("CHIPWRIGHT_SEED=%llu\n", static_cast<unsigned long long>(begin));
  uint64_t issued = 0, writes = 0, autoWrites = 0;
  for (uint64_t seed = begin; seed < begin + 300; ++seed) {
    const std::string text = Writer(seed).program();
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(bool(module)) << "seed " << seed << "\n" << text;
    const uint64_t arguments[] = {3, seed % 16, 6};
    Interpreter before(0);
    before.run(module->lookupSymbol<func::FuncOp>("kernel_load"), arguments);

    PassManager passes(&context);
    if (seed % 2) {
      passes.addPass(createCanonicalizerPass());
      passes.addPass(createCSEPass());
    }
    passes.addPass(compiler::createPeAssignContexts({GetParam(), 262144}));
    ASSERT_TRUE(succeeded(passes.run(*module))) << "seed " << seed;
    Interpreter after(GetParam());
    after.run(module->lookupSymbol<func::FuncOp>("kernel_load"), arguments);
    ASSERT_EQ(after.issued.size(), before.issued.size()) << "seed " << seed;
    for (size_t i = 0; i < before.issued.size(); ++i) {
      ASSERT_EQ(after.issued[i], before.issued[i])
          << "seed " << seed << ", command " << i << " ("
          << pe::opName(before.issued[i].opcode) << ")\n"
          << text;
    }
    issued += before.issued.size();
    writes += after.writes;
    autoWrites += after.autoWrites;
  }
  std::printf("%u contexts: %.2f field writes per command\n", GetParam(),
              static_cast<double>(writes) / static_cast<double>(issued));
  EXPECT_GT(issued, 1000u);
  // Auto-increment takes part where there are contexts for it.
  if (GetParam() == 0) {
    EXPECT_EQ(autoWrites, 0u);
  } else if (GetParam() >= 16) {
    EXPECT_GT(autoWrites, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Contexts, ContextsDiff,
                         testing::Values(0, 1, 2, 4, 16, 32),
                         testing::PrintToStringParamName());

} // namespace
