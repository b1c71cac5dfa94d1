//===- Instruction.h - Decoded RISC-V instructions --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The decoder turns every halfword of a text segment into one 16-byte record
// that the executor indexes with (pc - base) / 2. Compressed instructions are
// expanded to the base instruction that they stand for.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_HART_INSTRUCTION_H
#define CHIPWRIGHT_SIM_HART_INSTRUCTION_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace chipwright::sim {

/// Base instructions, and three that are not in the specification's list.
enum class Op : uint8_t {
#define HART_OP(NAME, MNEMONIC, FORMAT, MATCH, MASK) NAME,
#include "sim/hart/Ops.def"
  Custom,   // custom-0 to custom-3: the environment executes it
  Illegal,  // no encoding
  ImageEnd, // the halfword after the last one of the image
};

constexpr unsigned numOps = unsigned(Op::ImageEnd) + 1;

/// How fields of the word are used and printed.
enum class OpFormat : uint8_t {
  R,
  I,
  Shift6,
  Shift5,
  U,
  J,
  Jalr,
  B,
  Load,
  Store,
  Fence,
  None,
  Csr,
  CsrI,
  Lr,
  Amo,
  FLoad,
  FStore,
  FR4,      // fp <- fp, fp, fp with rounding mode
  FR,       // fp <- fp, fp with rounding mode
  FRFixed,  // fp <- fp, fp
  FF,       // fp <- fp with rounding mode
  XF,       // x <- fp with rounding mode
  XFFixed,  // x <- fp
  FX,       // fp <- x with rounding mode
  FXFixed,  // fp <- x
  FCompare, // x <- fp, fp
  Custom,
};

/// Compressed (16-bit) forms; None for a 32-bit instruction.
enum class CForm : uint8_t {
  None,
  Addi4spn,
  Fld,
  Lw,
  Ld,
  Fsd,
  Sw,
  Sd,
  Addi, // with c.nop
  Addiw,
  Li,
  Addi16sp,
  Lui,
  Srli,
  Srai,
  Andi,
  Sub,
  Xor,
  Or,
  And,
  Subw,
  Addw,
  J,
  Beqz,
  Bnez,
  Slli,
  Fldsp,
  Lwsp,
  Ldsp,
  Jr,
  Mv,
  Ebreak,
  Jalr,
  Add,
  Fsdsp,
  Swsp,
  Sdsp,
};

constexpr unsigned numCForms = unsigned(CForm::Sdsp) + 1;

/// Registers are numbered x0..x31 = 0..31 and f0..f31 = 32..63, so that one
/// file, one scoreboard and one taint map serve both. A source that an
/// instruction does not have is x0 (always ready, never tainted); a
/// destination that it does not have, or x0, is \ref discardRegister.
constexpr uint8_t firstFpRegister = 32;
constexpr uint8_t discardRegister = 64;
constexpr unsigned numRegisters = 65;

struct DecodedOp {
  Op op;
  uint8_t rd, rs1, rs2, rs3;
  uint8_t rm;     // rounding mode field (7: dynamic); CSR immediate ops: zimm
  uint8_t length; // bytes in memory, 2 or 4
  CForm form;
  int32_t imm;   // sign-extended immediate; CSR number for CSR ops
  uint32_t word; // the bits as they stand in memory
};
static_assert(sizeof(DecodedOp) == 16, "four records in a cache line");

/// Which general registers a custom instruction uses; what it does not use
/// neither stalls nor counts as a tainted operand.
struct CustomOperands {
  bool legal = true;
  bool readsRs1 = true, readsRs2 = true, writesRd = true;
};

/// Describes the custom instruction \p word. The extension's own decoder is
/// plugged in here; without one, every custom word reads rs1 and rs2 and
/// writes rd.
using CustomDecoder = CustomOperands (*)(uint32_t word);

/// Decodes one instruction. \p word holds 32 bits at the address; only the low
/// half counts if it is compressed. Unknown encodings give Op::Illegal.
DecodedOp decode(uint32_t word, CustomDecoder custom = nullptr);

/// Expands a 16-bit instruction of RV64 C with F and D into its 32-bit
/// equivalent. \returns 0, which is no instruction, for a reserved encoding.
/// \p form, if given, receives the compressed form.
uint32_t expandCompressed(uint16_t word, CForm *form = nullptr);

const char *opName(Op op);
OpFormat opFormat(Op op);
const char *cFormName(CForm form);
/// \returns the ABI name, "a0" or "fa0", of a register numbered as above.
const char *registerName(unsigned reg);

/// \returns the assembly text of \p word, in the syntax of llvm-objdump without
/// aliases; branch and jump targets are absolute, computed from \p pc.
std::string disassemble(uint32_t word, uint64_t pc);

/// The text of one program, decoded once and shared by all harts that run it.
class DecodedImage {
public:
  /// Decodes \p bytes that start at the even address \p base.
  DecodedImage(uint64_t base, const std::vector<uint8_t> &bytes,
               CustomDecoder custom = nullptr);

  uint64_t base() const { return baseAddress; }
  /// Number of halfwords; records has one Op::ImageEnd more.
  uint64_t halfwords() const { return records.size() - 1; }
  const DecodedOp *ops() const { return records.data(); }
  /// Whether \p pc is even and inside the image.
  bool contains(uint64_t pc) const {
    return !(pc & 1) && (pc - baseAddress) / 2 < halfwords();
  }

private:
  uint64_t baseAddress;
  std::vector<DecodedOp> records;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_HART_INSTRUCTION_H
