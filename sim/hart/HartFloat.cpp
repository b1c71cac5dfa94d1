//===- HartFloat.cpp - Floating-point instructions of a hart --------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/hart/Hart.h"
#include "sim/hart/SoftFloat.h"

namespace chipwright::sim {

namespace {

constexpr uint64_t boxBits = 0xffffffff00000000;

/// A binary32 register operand; what is not NaN-boxed reads as canonical NaN.
uint32_t unbox(uint64_t bits) {
  return (bits & boxBits) == boxBits ? uint32_t(bits)
                                     : SoftFloat32::canonicalNan;
}
uint64_t box(uint32_t bits) { return bits | boxBits; }

/// Operand and result of one format as they stand in a register.
template <typename Format> struct Lane;
template <> struct Lane<Binary32> {
  static uint32_t get(uint64_t bits) { return unbox(bits); }
  static uint64_t put(uint32_t bits) { return box(bits); }
};
template <> struct Lane<Binary64> {
  static uint64_t get(uint64_t bits) { return bits; }
  static uint64_t put(uint64_t bits) { return bits; }
};

/// The instructions that both formats have, named without their suffix.
enum class FloatOp : uint8_t {
  Madd,
  Msub,
  Nmsub,
  Nmadd,
  Add,
  Sub,
  Mul,
  Div,
  Sqrt,
  Min,
  Max,
  Eq,
  Lt,
  Le,
  ToW,
  ToWu,
  ToL,
  ToLu,
  FromW,
  FromWu,
  FromL,
  FromLu,
};

template <typename Format>
uint64_t arithmetic(FloatOp op, uint64_t ra, uint64_t rb, uint64_t rc,
                    Rounding mode, uint8_t &flags) {
  using F = SoftFloat<Format>;
  using L = Lane<Format>;
  auto a = L::get(ra), b = L::get(rb), c = L::get(rc);
  switch (op) {
  case FloatOp::Madd:
    return L::put(F::fma(a, b, c, mode, flags));
  case FloatOp::Msub:
    return L::put(F::fma(a, b, c ^ F::signBit, mode, flags));
  case FloatOp::Nmsub:
    return L::put(F::fma(a ^ F::signBit, b, c, mode, flags));
  case FloatOp::Nmadd:
    return L::put(F::fma(a ^ F::signBit, b, c ^ F::signBit, mode, flags));
  case FloatOp::Add:
    return L::put(F::add(a, b, mode, flags));
  case FloatOp::Sub:
    return L::put(F::sub(a, b, mode, flags));
  case FloatOp::Mul:
    return L::put(F::mul(a, b, mode, flags));
  case FloatOp::Div:
    return L::put(F::div(a, b, mode, flags));
  case FloatOp::Sqrt:
    return L::put(F::sqrt(a, mode, flags));
  case FloatOp::Min:
    return L::put(F::min(a, b, flags));
  case FloatOp::Max:
    return L::put(F::max(a, b, flags));
  case FloatOp::Eq:
    return F::equal(a, b, flags);
  case FloatOp::Lt:
    return F::less(a, b, flags);
  case FloatOp::Le:
    return F::lessEqual(a, b, flags);
  case FloatOp::ToW:
    return F::toInteger(a, 32, true, mode, flags);
  case FloatOp::ToWu:
    return F::toInteger(a, 32, false, mode, flags);
  case FloatOp::ToL:
    return F::toInteger(a, 64, true, mode, flags);
  case FloatOp::ToLu:
    return F::toInteger(a, 64, false, mode, flags);
  case FloatOp::FromW:
    return L::put(
        F::fromInteger(uint64_t(int64_t(int32_t(ra))), true, mode, flags));
  case FloatOp::FromWu:
    return L::put(F::fromInteger(uint32_t(ra), false, mode, flags));
  case FloatOp::FromL:
    return L::put(F::fromInteger(ra, true, mode, flags));
  case FloatOp::FromLu:
    return L::put(F::fromInteger(ra, false, mode, flags));
  }
  return 0;
}

/// Sign of the second operand put on the first: copied, inverted or xor-ed.
template <typename Format>
uint64_t injectSign(uint64_t ra, uint64_t rb, bool invert, bool exclusive) {
  using F = SoftFloat<Format>;
  using L = Lane<Format>;
  auto a = L::get(ra), b = L::get(rb);
  auto sign = b & F::signBit;
  if (invert) {
    sign ^= F::signBit;
  }
  return L::put(exclusive ? a ^ sign : (a & ~F::signBit) | sign);
}

} // namespace

bool Hart::executeFloat(const DecodedOp &op, bool tainted, uint64_t &value) {
  const uint64_t a = regs[op.rs1], b = regs[op.rs2], c = regs[op.rs3];
  switch (op.op) {
  case Op::FsgnjS:
    value = injectSign<Binary32>(a, b, false, false);
    return true;
  case Op::FsgnjnS:
    value = injectSign<Binary32>(a, b, true, false);
    return true;
  case Op::FsgnjxS:
    value = injectSign<Binary32>(a, b, false, true);
    return true;
  case Op::FsgnjD:
    value = injectSign<Binary64>(a, b, false, false);
    return true;
  case Op::FsgnjnD:
    value = injectSign<Binary64>(a, b, true, false);
    return true;
  case Op::FsgnjxD:
    value = injectSign<Binary64>(a, b, false, true);
    return true;
  case Op::FmvXW: // raw bits, boxed or not
    value = uint64_t(int64_t(int32_t(a)));
    return true;
  case Op::FmvWX:
    value = box(uint32_t(a));
    return true;
  case Op::FmvXD:
  case Op::FmvDX:
    value = a;
    return true;
  case Op::FclassS:
    value = SoftFloat32::classify(unbox(a));
    return true;
  case Op::FclassD:
    value = SoftFloat64::classify(a);
    return true;
  default:
    break;
  }

  // Compares, min and max keep their function in the rounding mode field.
  OpFormat format = opFormat(op.op);
  unsigned mode = op.rm == 7 ? frm : op.rm;
  if (format == OpFormat::FRFixed || format == OpFormat::FCompare) {
    mode = 0;
  }
  if (mode > unsigned(Rounding::NearestMaxMagnitude)) {
    return false;
  }
  const Rounding rounding = Rounding(mode);
  uint8_t raised = 0;
  switch (op.op) {
#define FLOAT_OP(OP, FORMAT, NAME)                                             \
  case Op::OP:                                                                 \
    value = arithmetic<FORMAT>(FloatOp::NAME, a, b, c, rounding, raised);      \
    break;
#define FLOAT_OPS(STEM, NAME)                                                  \
  FLOAT_OP(STEM##S, Binary32, NAME)                                            \
  FLOAT_OP(STEM##D, Binary64, NAME)
    FLOAT_OPS(Fmadd, Madd)
    FLOAT_OPS(Fmsub, Msub)
    FLOAT_OPS(Fnmsub, Nmsub)
    FLOAT_OPS(Fnmadd, Nmadd)
    FLOAT_OPS(Fadd, Add)
    FLOAT_OPS(Fsub, Sub)
    FLOAT_OPS(Fmul, Mul)
    FLOAT_OPS(Fdiv, Div)
    FLOAT_OPS(Fsqrt, Sqrt)
    FLOAT_OPS(Fmin, Min)
    FLOAT_OPS(Fmax, Max)
    FLOAT_OPS(Feq, Eq)
    FLOAT_OPS(Flt, Lt)
    FLOAT_OPS(Fle, Le)
    FLOAT_OPS(FcvtW, ToW)
    FLOAT_OPS(FcvtWu, ToWu)
    FLOAT_OPS(FcvtL, ToL)
    FLOAT_OPS(FcvtLu, ToLu)
    FLOAT_OP(FcvtSW, Binary32, FromW)
    FLOAT_OP(FcvtSWu, Binary32, FromWu)
    FLOAT_OP(FcvtSL, Binary32, FromL)
    FLOAT_OP(FcvtSLu, Binary32, FromLu)
    FLOAT_OP(FcvtDW, Binary64, FromW)
    FLOAT_OP(FcvtDWu, Binary64, FromWu)
    FLOAT_OP(FcvtDL, Binary64, FromL)
    FLOAT_OP(FcvtDLu, Binary64, FromLu)
#undef FLOAT_OPS
#undef FLOAT_OP
  case Op::FcvtSD:
    value = box(float64To32(a, rounding, raised));
    break;
  case Op::FcvtDS:
    value = float32To64(unbox(a), raised);
    break;
  default:
    return false;
  }
  fflags |= raised;
  fflagsTainted |= tainted;
  return true;
}

} // namespace chipwright::sim
