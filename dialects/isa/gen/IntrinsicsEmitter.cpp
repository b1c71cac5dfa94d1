//===- IntrinsicsEmitter.cpp - C header for kernels -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "dialects/isa/gen/Emitters.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace chipwright::isagen {

/// Text of `.insn r opcode, funct3, funct7, rd, rs1, rs2` and its operands.
namespace {
struct Assembly {
  std::string text;
  std::string outputs;
  std::string inputs;
};
} // namespace

/// \p hasWord: rs1 of a command is a register, else x0.
static Assembly assemble(const Inst &inst, bool hasWord) {
  Assembly result;
  unsigned operand = 0;
  auto input = [&](StringRef constraint, StringRef name) {
    result.inputs += (result.inputs.empty() ? "" : ", ") +
                     ("\"" + constraint + "\"(" + name + ")").str();
    return "%" + std::to_string(operand++);
  };
  std::string rd = "x0";
  if (inst.rd.isRegister()) {
    result.outputs = "\"=r\"(result)";
    rd = "%" + std::to_string(operand++);
  }
  std::string rs1 = "x0";
  if (inst.rs1.isRegister() && hasWord) {
    // LLVM's RISC-V "r" never picks x0, which would mean `auto` here; a plain
    // register operand may be x0 ("J" is the constant 0, %z prints it).
    if (inst.rs1.kind == Part::Kind::Word) {
      rs1 = input("r", "word");
    } else {
      rs1 = "%z" + input("rJ", "rs1").substr(1);
    }
  }
  std::string rs2 = "x" + std::to_string(inst.rs2.value);
  if (inst.rs2.isRegister()) {
    rs2 = "%z" + input("rJ", "rs2").substr(1);
  } else if (inst.rs2.isImmediate()) {
    rs2 = "x" + input("i", inst.rs2.name);
  }
  std::string funct7 = std::to_string(inst.funct7.value);
  if (inst.funct7.isImmediate()) {
    funct7 = input("i", inst.funct7.name);
  }
  result.text = ".insn r 0x" + utohexstr(inst.major, true) + ", " +
                std::to_string(inst.funct3) + ", " + funct7 + ", " + rd + ", " +
                rs1 + ", " + rs2;
  return result;
}

static void emitAsm(const Inst &inst, bool hasWord, raw_ostream &os) {
  Assembly assembly = assemble(inst, hasWord);
  os << "  __asm__" << (inst.isPure ? "" : " volatile") << "(\""
     << assembly.text << "\"\n          : " << assembly.outputs
     << "\n          : " << assembly.inputs;
  if (inst.ordersMemory) {
    os << "\n          : \"memory\"";
  }
  os << ");\n";
}

static void emitHartInst(const Inst &inst, raw_ostream &os) {
  os << "/* " << inst.mnemonic << ": " << inst.summary << ". */\n"
     << "XPE_FN " << (inst.rd.isRegister() ? "uint64_t" : "void") << " xpe_"
     << inst.cName() << "(";
  StringRef separator = "";
  auto parameter = [&](StringRef type, StringRef name) {
    os << separator << type << " " << name;
    separator = ", ";
  };
  if (inst.rs2.isImmediate()) {
    parameter("unsigned", inst.rs2.name);
  }
  if (inst.funct7.isImmediate()) {
    parameter("unsigned", inst.funct7.name);
  }
  if (inst.rs1.isRegister()) {
    parameter("uint64_t", "rs1");
  }
  if (inst.rs2.isRegister()) {
    parameter("uint64_t", "rs2");
  }
  if (separator.empty()) {
    os << "void";
  }
  os << ") {\n";
  if (inst.rd.isRegister()) {
    os << "  uint64_t result;\n";
  }
  emitAsm(inst, /*hasWord=*/true, os);
  if (inst.rd.isRegister()) {
    os << "  return result;\n";
  }
  os << "}\n\n";
}

static void emitLayout(const Layout &layout, raw_ostream &os) {
  std::string type = "struct xpe_" + layout.name;
  os << type << " {\n";
  bool empty = true;
  for (const Field &field : layout.fields) {
    for (const Slice &slice : field.slices) {
      os << "  " << (slice.isSigned ? "int64_t " : "uint64_t ") << slice.name
         << "; /* " << slice.doc << " */\n";
      empty = false;
    }
  }
  if (empty) {
    os << "  char unused;\n";
  }
  os << "};\n\n";
  os << "XPE_FN void xpe_" << layout.name << "_fields(unsigned ctx, const "
     << type << " *c) {\n";
  for (const Field &field : layout.fields) {
    os << "  XPE_PUT(ctx, " << field.index << ", ";
    StringRef separator = "";
    for (const Slice &slice : field.slices) {
      os << separator << (slice.isSigned ? "XPE_SIGNED" : "XPE_SLICE") << "(c->"
         << slice.name << ", " << slice.lo << ", " << slice.width() << ")";
      separator = " |\n      ";
    }
    os << (field.slices.empty() ? "0" : "") << ");\n";
  }
  os << "}\n\n";
}

static void emitCommand(const Inst &inst, raw_ostream &os) {
  std::string name = "xpe_" + inst.cName();
  std::string type = "const struct xpe_" + inst.layout->name + " *";
  os << "/* " << inst.mnemonic << ": " << inst.summary << ". */\n";
  // The word.
  os << "XPE_FN uint64_t " << name << "_word(";
  StringRef separator = "";
  for (const Term &term : inst.word) {
    os << separator << "uint64_t " << term.slice;
    separator = ", ";
  }
  os << (inst.word.empty() ? "void" : "") << ") {\n  return ";
  separator = "";
  for (const Term &term : inst.word) {
    os << separator << "XPE_TERM(" << term.slice << ", " << term.lo << ", "
       << term.width() << ")";
    separator = " + ";
  }
  os << (inst.word.empty() ? "0" : "") << ";\n}\n";
  // Persistent fields, where the chip has contexts.
  os << "XPE_FN void " << name << "_bind(unsigned ctx, " << type
     << "c) {\n#if XPE_CONTEXTS > 0\n  xpe_" << inst.layout->name
     << "_fields(ctx, c);\n#else\n  (void)ctx;\n  (void)c;\n#endif\n}\n";
  os << "XPE_FN void " << name << "_go(unsigned ctx, " << type
     << "c, uint64_t word) {\n#if XPE_CONTEXTS > 0\n  (void)c;\n#else\n"
     << "  ctx = 0;\n  xpe_" << inst.layout->name
     << "_fields(ctx, c);\n#endif\n";
  emitAsm(inst, /*hasWord=*/true, os);
  os << "}\n#if XPE_CONTEXTS > 0\nXPE_FN void " << name
     << "_auto(unsigned ctx) {\n";
  emitAsm(inst, /*hasWord=*/false, os);
  os << "}\n#endif\n\n";
}

static void emitPrologue(const Model &model, raw_ostream &os) {
  os << R"(/*===- xpe.h - The Xpe extension for C kernels -------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Generated by xpe-tblgen from dialects/isa/Xpe.td.
 *
 * Freestanding C11 for clang --target=riscv64, -O1 or higher. XPE_CONTEXTS is
 * the number of contexts of a hart (cp.contexts of the chip). Parameters ctx,
 * field, cb, sem, id and which must be compile-time constants.
 *
 * A command is written as
 *   struct xpe_x c = {...};           operands that do not vary
 *   xpe_x_bind(ctx, &c);              before the loop
 *   xpe_x_go(ctx, &c, word);          in the loop
 * With XPE_CONTEXTS == 0 bind does nothing, go writes all fields that are not
 * the constant 0 (the command clears the staging set) and ctx is ignored.
 * With contexts, c is not read by go.
 *
 * The word is a sum of terms: xpe_x_word(...) places each term and adds them.
 * Build it from terms that are affine in the loop variable and the compiler
 * keeps it in one register with one addition per iteration. In an unrolled
 * loop advance one variable through xpe_keep(word), or loop strength reduction
 * keeps a register and an addition for each copy of the body. Terms are not
 * masked: a term that is too large runs into the next one.
\*===------------------------------------------------------------------===*/

#ifndef CHIPWRIGHT_XPE_H
#define CHIPWRIGHT_XPE_H

#include <stdint.h>

#ifndef XPE_CONTEXTS
#error "define XPE_CONTEXTS as the number of contexts of the chip"
#endif
#ifndef __OPTIMIZE__
#error "xpe.h needs -O1 or higher: operands must fold to constants"
#endif

#define XPE_FN static inline __attribute__((always_inline, unused))

/* Never defined: a call that remains after optimisation is an error at the
 * place of the command. */
__attribute__((error("a constant is too large for its slice"))) void
xpe_slice_overflow(void);

XPE_FN uint64_t xpe_slice(uint64_t value, unsigned lo, unsigned width) {
  if (width < 64 && __builtin_constant_p(value) && value >> (width & 63)) {
    xpe_slice_overflow();
  }
  return value << lo;
}
XPE_FN uint64_t xpe_signed(int64_t value, unsigned lo, unsigned width) {
  const int64_t limit = (int64_t)1 << (width - 1);
  if (__builtin_constant_p(value) && (value < -limit || value >= limit)) {
    xpe_slice_overflow();
  }
  return ((uint64_t)value << (64 - width)) >> (64 - width - lo);
}
#define XPE_SLICE(value, lo, width) xpe_slice((value), (lo), (width))
#define XPE_SIGNED(value, lo, width) xpe_signed((value), (lo), (width))
#define XPE_TERM(value, lo, width) xpe_slice((value), (lo), (width))

/* The same value, of which the compiler knows nothing. */
XPE_FN uint64_t xpe_keep(uint64_t word) {
  __asm__("" : "+r"(word));
  return word;
}

/* The staging set of a chip without contexts is clear before each command. */
#if XPE_CONTEXTS > 0
#define XPE_PUT(ctx, field, value) xpe_set((ctx), (field), (value))
#else
#define XPE_PUT(ctx, field, value)                                            \
  do {                                                                        \
    const uint64_t put = (value);                                             \
    if (!(__builtin_constant_p(put) && put == 0)) {                           \
      xpe_set((ctx), (field), put);                                           \
    }                                                                         \
  } while (0)
#endif

)";
  for (const auto &item : model.enums) {
    os << "/* " << item->doc << " */\nenum {\n";
    unsigned value = 0;
    for (const EnumCase &code : item->cases) {
      os << "  XPE_" << item->cPrefix << "_" << StringRef(code.name).upper()
         << " = " << value++ << ", /* " << code.doc << " */\n";
    }
    os << "};\n\n";
  }
}

void emitIntrinsics(const Model &model, raw_ostream &os) {
  emitPrologue(model, os);
  for (const Inst &inst : model.insts) {
    if (!inst.isCommand()) {
      emitHartInst(inst, os);
    }
  }
  os << "/* The word of commands that xpe_x_auto issues: its first value, and "
        "what\n * each such command adds to it. */\n"
     << "#if XPE_CONTEXTS > 0\n"
     << "XPE_FN void xpe_set_auto(unsigned ctx, uint64_t word) {\n"
     << "  xpe_set(ctx, " << model.autoField << ", word);\n}\n"
     << "XPE_FN void xpe_set_step(unsigned ctx, uint64_t step) {\n"
     << "  xpe_set(ctx, " << model.stepField << ", step);\n}\n#endif\n\n";
  for (const auto &layout : model.layouts) {
    if (!model.commandsOf(*layout).empty()) {
      emitLayout(*layout, os);
    }
  }
  for (const Inst &inst : model.insts) {
    if (inst.isCommand()) {
      emitCommand(inst, os);
    }
  }
  os << "#endif /* CHIPWRIGHT_XPE_H */\n";
}

} // namespace chipwright::isagen
