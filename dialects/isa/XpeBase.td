//===- XpeBase.td - Classes of the Xpe extension -----------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Classes that describe the custom RISC-V extension Xpe: hart instructions,
// commands to the engines of a processing element (PE), and the context
// fields that a command reads. xpe-tblgen turns records of these classes into
// encoder, decoder, command structs, C intrinsics and manual.
//
// The classes include nothing, and every member of XpeInstFacts and
// XpeCommandFacts starts with `xpe`. A reader of the records that wants a second
// view of them (dialects/pe/PeOps.td: operations of a dialect) defines
// XPE_SECOND_VIEW and its own classes XpeInst and XpeCommand, which inherit from
// the facts and from a class of another generator.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_ISA_XPEBASE_TD
#define CHIPWRIGHT_DIALECTS_ISA_XPEBASE_TD

//===----------------------------------------------------------------------===//
// Enumerations: named codes of slices and immediates
//===----------------------------------------------------------------------===//

class XpeCase<string n, string d> {
  string name = n;
  string doc = d;
}

// Codes count from 0 in the order of `cases`. `cPrefix` names the constants of
// the C header: XPE_<cPrefix>_<NAME>.
class XpeEnum<string n, string prefix, string d, list<XpeCase> c> {
  string name = n;
  string cPrefix = prefix;
  string doc = d;
  list<XpeCase> cases = c;
}

//===----------------------------------------------------------------------===//
// Instruction words: RISC-V R-type, funct7 rs2 rs1 funct3 rd opcode
//===----------------------------------------------------------------------===//

// One of the four opcodes that the RISC-V base reserves for custom extensions
// (RISC-V Unprivileged ISA, table "RISC-V base opcode map").
class XpeMajor<string n, int op> {
  string name = n;
  int opcode = op;
}
def Custom0 : XpeMajor<"custom-0", 0x0b>;
def Custom1 : XpeMajor<"custom-1", 0x2b>;
def Custom2 : XpeMajor<"custom-2", 0x5b>;
def Custom3 : XpeMajor<"custom-3", 0x7b>;

// What stands in one of the parts funct7, rs2, rs1, rd of an instruction.
class XpePart<string n, string d> {
  string name = n;
  string doc = d;
}
// A constant; any other value is an illegal instruction.
class XpeFixed<int v> : XpePart<"", ""> {
  int value = v;
}
// An integer register.
class XpeReg<string d> : XpePart<"", d>;
// The register with a command's varying word; x0 selects the context's `auto`.
class XpeWordReg : XpePart<"", "the varying word; `x0` takes it from `auto`">;
// A constant operand 0 .. count-1; larger values are illegal instructions.
class XpeImm<string n, int c, string d> : XpePart<n, d> {
  int count = c;
}
class XpeEnumImm<string n, XpeEnum e, string d> : XpePart<n, d> {
  XpeEnum codes = e;
}

// The unit of the PE that executes an instruction or command.
class XpeEngine<string n, string d> {
  string name = n;
  string doc = d;
}
def FiIn : XpeEngine<"FiIn", "fabric interface, transfers into local memory">;
def FiOut : XpeEngine<"FiOut", "fabric interface, transfers out of it">;
def Dpe : XpeEngine<"Dpe", "dot-product engine">;
def Re : XpeEngine<"Re", "reduction engine, owner of the accumulator banks">;
def Se : XpeEngine<"Se", "SIMD engine for element-wise work">;
def Mlu : XpeEngine<"Mlu", "memory layout unit">;
def Cp : XpeEngine<"Cp", "command processor, or the hart itself">;

class XpeInstFacts<string mnemonic, XpeMajor major, int funct3> {
  string xpeMnemonic = mnemonic;
  XpeMajor xpeMajor = major;
  int xpeFunct3 = funct3;
  XpePart xpeFunct7 = XpeFixed<0>;
  XpePart xpeRs2 = XpeFixed<0>;
  XpePart xpeRs1 = XpeFixed<0>;
  XpePart xpeRd = XpeFixed<0>;
  XpeEngine xpeEngine = Cp;
  // The value depends on the operands alone: a compiler may hoist or merge it.
  bit xpePure = 0;
  // Orders the hart's loads and stores around it (a "memory" clobber in C).
  bit xpeOrdersMemory = 1;
  string xpeSummary = "";
  string xpeDescription = "";
}

//===----------------------------------------------------------------------===//
// Commands: persistent fields of a context plus one varying word
//===----------------------------------------------------------------------===//

// The field registers of a context. Fields below `autoField` belong to the
// command; `auto` is the word of a command whose rs1 is x0 and then grows by
// `step`.
def XpeContext {
  int fieldCount = 16;
  int autoField = 14;
  int stepField = 15;
}

// Bits hi..lo of a 64-bit context field. Names are snake_case.
class XpeSlice<string n, int h, int l, string d> {
  string name = n;
  int hi = h;
  int lo = l;
  string doc = d;
  bit isSigned = 0;
  // The bits of an fp32 number.
  bit isFloat = 0;
  list<XpeEnum> codes = [];
}
class XpeFloatSlice<string n, int h, int l, string d> : XpeSlice<n, h, l, d> {
  let isFloat = 1;
}
class XpeSignedSlice<string n, int h, int l, string d>
    : XpeSlice<n, h, l, d> {
  let isSigned = 1;
}
class XpeEnumSlice<string n, int h, int l, XpeEnum e, string d>
    : XpeSlice<n, h, l, d> {
  let codes = [e];
}

// Field `index` of the context; bits outside of its slices must be 0.
class XpeField<int i, string n, string d, list<XpeSlice> s> {
  int index = i;
  string name = n;
  string doc = d;
  list<XpeSlice> slices = s;
}

// All fields of one or more commands; becomes one struct.
class XpeLayout<string n, list<XpeField> f> {
  string name = n;
  list<XpeField> fields = f;
}

// Bits hi..lo of the varying word are added to the named slice.
class XpeTerm<string s, int h, int l> {
  string slice = s;
  int hi = h;
  int lo = l;
}

class XpeCommandFacts<string mnemonic, int opcode, XpeEngine engine,
                      XpeLayout layout, list<XpeTerm> word>
    : XpeInstFacts<mnemonic, Custom1, 0> {
  let xpeFunct7 = XpeFixed<opcode>;
  let xpeRs2 = XpeImm<"ctx", 32, "context with the command's fields">;
  let xpeRs1 = XpeWordReg<>;
  let xpeEngine = engine;
  XpeLayout xpeLayout = layout;
  list<XpeTerm> xpeWord = word;
  // Commands that share a layout but not the terms of the word get decode
  // functions of different names: decode<suffix>.
  string xpeDecodeSuffix = "";
}

//===----------------------------------------------------------------------===//
// The classes that records inherit from
//===----------------------------------------------------------------------===//

#ifndef XPE_SECOND_VIEW
class XpeInst<string mnemonic, XpeMajor major, int funct3>
    : XpeInstFacts<mnemonic, major, funct3>;
class XpeCommand<string mnemonic, int opcode, XpeEngine engine,
                 XpeLayout layout, list<XpeTerm> word>
    : XpeCommandFacts<mnemonic, opcode, engine, layout, word>;
#endif

#endif // CHIPWRIGHT_DIALECTS_ISA_XPEBASE_TD
