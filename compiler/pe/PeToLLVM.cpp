//===- PeToLLVM.cpp - Instructions to inline assembly ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// All pe operations work on integers that LLVM has too, so each one is
// replaced where it stands; upstream passes convert what is around them.
//
//===----------------------------------------------------------------------===//

#include "compiler/pe/Passes.h"
#include "dialects/pe/Pe.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

#include <map>

namespace chipwright::compiler {
#define GEN_PASS_DEF_CONVERTPETOLLVM
#include "compiler/pe/Passes.h.inc"
} // namespace chipwright::compiler

using namespace mlir;
using namespace chipwright;

/// Text for a string in assembly: without quotes, backslashes and controls.
static std::string asmString(StringRef text) {
  std::string result;
  for (char c : text) {
    bool isPlain = llvm::isPrint(c) && c != '"' && c != '\\';
    result += isPlain ? c : '_';
  }
  return result;
}

/// "k.mlir:12:3", without folders: the same text compiles to the same bytes
/// anywhere.
static std::string locationText(Location loc) {
  std::string text = "?";
  loc->walk([&](Location part) {
    if (auto file = dyn_cast<FileLineColLoc>(part)) {
      text = (llvm::sys::path::filename(file.getFilename().getValue()) + ":" +
              Twine(file.getLine()) + ":" + Twine(file.getColumn()))
                 .str();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return text;
}

namespace {
/// An instruction as text and its operands.
struct Assembly {
  std::string text;
  std::string constraints;
  SmallVector<Value, 2> operands;
  bool hasResult = false;
};

struct ConvertPeToLLVM : compiler::impl::ConvertPeToLLVMBase<ConvertPeToLLVM> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    tags.clear();
    tagList.clear();
    if (failed(check(module))) {
      return signalPassFailure();
    }
    SmallVector<Operation *> ops;
    module.walk([&](Operation *op) {
      if (llvm::isa<pe::PeDialect>(op->getDialect())) {
        ops.push_back(op);
      }
    });
    for (Operation *op : ops) {
      if (failed(convert(op))) {
        return signalPassFailure();
      }
    }
    addEntry(module);
  }

  /// What would only fail behind LLVM, without the operation's place.
  LogicalResult check(ModuleOp module) {
    for (StringRef name : {"kernel_load", "kernel_compute"}) {
      auto function = module.lookupSymbol<func::FuncOp>(name);
      if (!function || function.isDeclaration()) {
        return module.emitError()
               << "the module has no function " << name << ", which hart "
               << (name == "kernel_load" ? 0 : 1) << " runs; add func.func @"
               << name << "(%args: i64)";
      }
      Type i64 = IntegerType::get(&getContext(), 64);
      if (function.getArgumentTypes() != ArrayRef<Type>(i64) ||
          function.getNumResults() != 0) {
        return function.emitOpError()
               << "is " << function.getFunctionType()
               << ", expected (i64) -> (): its parameter is the address of "
                  "the argument block";
      }
    }
    WalkResult walked = module.walk([&](Operation *op) {
      if (auto call = dyn_cast<func::CallOp>(op)) {
        auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
        if (!callee || callee.isDeclaration()) {
          call.emitOpError() << "calls '" << call.getCallee()
                             << "', which the module does not define; a "
                                "kernel is linked with nothing";
          return WalkResult::interrupt();
        }
      }
      auto isBad = [](Type type) {
        auto integer = dyn_cast<IntegerType>(type);
        return !type.isIndex() && !(integer && integer.getWidth() <= 64) &&
               !llvm::isa<FunctionType>(type);
      };
      SmallVector<Type> types(op->getOperandTypes());
      llvm::append_range(types, op->getResultTypes());
      for (Type type : types) {
        if (isBad(type)) {
          op->emitOpError() << "works on " << type
                            << ", but code of harts has only integers of up "
                               "to 64 bits; let an engine do it";
          return WalkResult::interrupt();
        }
      }
      return WalkResult::advance();
    });
    return failure(walked.wasInterrupted());
  }

  LogicalResult convert(Operation *op) {
    OpBuilder builder(op);
    if (llvm::isa<pe::CommandOpInterface>(op)) {
      return op->emitOpError("has no context yet; run pe-assign-contexts");
    }
    if (auto arg = dyn_cast<pe::ArgOp>(op)) {
      replaceLoad(builder, op, arg.getBlock(), arg.getOffset(),
                  /*isInvariant=*/true);
    } else if (auto load = dyn_cast<pe::LoadOp>(op)) {
      replaceLoad(builder, op, load.getAddress(), load.getOffset(),
                  /*isInvariant=*/false);
    } else if (auto store = dyn_cast<pe::StoreOp>(op)) {
      Type type = store.getValue().getType();
      Value pointer = makePointer(builder, op->getLoc(), store.getAddress(),
                                  store.getOffset());
      LLVM::StoreOp::create(builder, op->getLoc(), store.getValue(), pointer,
                            type.getIntOrFloatBitWidth() / 8);
      op->erase();
    } else if (auto keep = dyn_cast<pe::KeepOp>(op)) {
      replace(builder, op, {"", "=r,0", {keep.getValue()}, true},
              /*isVolatile=*/false);
    } else if (auto go = dyn_cast<pe::GoOp>(op)) {
      isa::DecodedXpe inst;
      inst.opcode = go.getXpeOpcode();
      inst.ctx = static_cast<uint8_t>(go.getCtx());
      std::string tag =
          go.getTag() ? go.getTag()->str() : locationText(op->getLoc());
      Assembly assembly = assemble(inst, {}, /*isWord=*/true, go.getWord());
      mark(assembly, tag);
      replace(builder, op, assembly, /*isVolatile=*/true);
    } else {
      return convertInstruction(builder, op);
    }
    return success();
  }

  LogicalResult convertInstruction(OpBuilder &builder, Operation *op) {
    StringRef name = op->getName().stripDialect();
    std::optional<isa::Opcode> opcode = pe::opcodeFromOpName(name);
    if (!opcode) {
      return op->emitOpError("has no machine code");
    }
    isa::DecodedXpe inst;
    inst.opcode = *opcode;
    for (const isa::ImmediateInfo &immediate : isa::immediates(*opcode)) {
      inst.*immediate.member = static_cast<uint8_t>(
          op->getAttrOfType<IntegerAttr>(immediate.name).getInt());
    }
    Assembly assembly =
        assemble(inst, op->getOperands(), /*isWord=*/false, Value());
    if (auto tag = op->getAttrOfType<StringAttr>("tag")) {
      mark(assembly, tag.getValue());
    }
    replace(builder, op, assembly, !isa::instInfo(*opcode).isPure);
    return success();
  }

  /// `.insn r` for \p inst, whose registers are still 0.
  static Assembly assemble(const isa::DecodedXpe &inst, ValueRange registers,
                           bool isWord, Value word) {
    const isa::InstInfo &info = isa::instInfo(inst.opcode);
    // The verifier has checked the immediates.
    uint32_t code = isa::encode(inst).value_or(0);
    Assembly result;
    unsigned next = 0;
    auto constrain = [&](StringRef constraint) {
      result.constraints += (next ? "," : "") + constraint.str();
      return next++;
    };
    std::string rd = "x0", rs1 = "x0";
    std::string rs2 = "x" + std::to_string(code >> 20 & 31);
    if (info.writesRd) {
      rd = "$" + std::to_string(constrain("=r"));
      result.hasResult = true;
    }
    // A plain operand that is 0 may be x0. A word may not, x0 means `auto`;
    // "r" never is x0.
    auto plain = [&](Value value) {
      result.operands.push_back(value);
      return "${" + std::to_string(constrain("rJ")) + ":z}";
    };
    if (isWord && word) {
      result.operands.push_back(word);
      rs1 = "$" + std::to_string(constrain("r"));
    } else if (!isWord) {
      unsigned operand = 0;
      if (info.readsRs1) {
        rs1 = plain(registers[operand++]);
      }
      if (info.readsRs2) {
        rs2 = plain(registers[operand++]);
      }
    }
    if (info.ordersMemory) {
      constrain("~{memory}");
    }
    result.text = (".insn r 0x" + Twine::utohexstr(code & 0x7f) + ", " +
                   Twine(code >> 12 & 7) + ", " + Twine(code >> 25) + ", " +
                   rd + ", " + rs1 + ", " + rs2)
                      .str();
    return result;
  }

  /// Writes the instruction's address and the number of \p tag.
  void mark(Assembly &assembly, StringRef tag) {
    auto [place, isNew] =
        tags.insert({asmString(tag), static_cast<unsigned>(tagList.size())});
    if (isNew) {
      tagList.push_back(place->first);
    }
    assembly.text = (".Lxpe${:uid}:\n" + Twine(assembly.text) +
                     "\n.pushsection .chipwright.ops,\"\",@progbits\n"
                     ".quad .Lxpe${:uid}\n.word " +
                     Twine(place->second) + "\n.popsection")
                        .str();
  }

  static void replace(OpBuilder &builder, Operation *op,
                      const Assembly &assembly, bool isVolatile) {
    auto result = LLVM::InlineAsmOp::create(
        builder, op->getLoc(),
        assembly.hasResult ? TypeRange(builder.getI64Type()) : TypeRange(),
        assembly.operands, builder.getStringAttr(assembly.text),
        builder.getStringAttr(assembly.constraints),
        isVolatile ? builder.getUnitAttr() : UnitAttr(), UnitAttr(),
        LLVM::TailCallKindAttr::get(builder.getContext(),
                                    LLVM::TailCallKind::None),
        LLVM::AsmDialectAttr(), ArrayAttr());
    op->replaceAllUsesWith(result->getResults());
    op->erase();
  }

  static Value makePointer(OpBuilder &builder, Location loc, Value address,
                           uint64_t offset) {
    if (offset != 0) {
      Value constant = LLVM::ConstantOp::create(
          builder, loc, builder.getI64Type(),
          builder.getI64IntegerAttr(static_cast<int64_t>(offset)));
      address = LLVM::AddOp::create(builder, loc, address, constant);
    }
    return LLVM::IntToPtrOp::create(
        builder, loc, LLVM::LLVMPointerType::get(builder.getContext()),
        address);
  }

  static void replaceLoad(OpBuilder &builder, Operation *op, Value address,
                          uint64_t offset, bool isInvariant) {
    Type type = op->getResult(0).getType();
    Value pointer = makePointer(builder, op->getLoc(), address, offset);
    Value load = LLVM::LoadOp::create(
        builder, op->getLoc(), type, pointer, type.getIntOrFloatBitWidth() / 8,
        /*isVolatile=*/false, /*isNonTemporal=*/false, isInvariant);
    op->getResult(0).replaceAllUsesWith(load);
    op->erase();
  }

  /// The entry of both harts, and the names of .chipwright.ops.
  void addEntry(ModuleOp module) {
    isa::DecodedXpe halt;
    halt.opcode = isa::Opcode::Halt;
    std::string haltText = assemble(halt, {}, /*isWord=*/false, Value()).text;
    // A launch sets a0 = argument block, a1 = hart, sp = end of free memory.
    std::string text = ".section .text.start, \"ax\"\n.globl _start\n_start:\n"
                       "  beqz a1, 1f\n  li t0, " +
                       std::to_string(stackBytes) +
                       "\n  sub sp, sp, t0\n  call kernel_compute\n  j 2f\n"
                       "1:\n  call kernel_load\n2:\n  " +
                       haltText + "\n";
    text += ".section .chipwright.tags, \"\", @progbits\n";
    for (const std::string &tag : tagList) {
      text += ".asciz \"" + tag + "\"\n";
    }
    text += ".text\n";
    Builder builder(&getContext());
    SmallVector<Attribute> lines;
    for (StringRef line : llvm::split(text, '\n')) {
      lines.push_back(builder.getStringAttr(line));
    }
    module->setAttr(LLVM::LLVMDialect::getModuleLevelAsmAttrName(),
                    builder.getArrayAttr(lines));
  }

  /// Tags and their numbers.
  std::map<std::string, unsigned> tags;
  std::vector<std::string> tagList;
};
} // namespace
