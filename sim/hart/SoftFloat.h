//===- SoftFloat.h - Exact IEEE 754 arithmetic in integers ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// IEEE 754-2019 binary32 and binary64 with the choices that the RISC-V "F"
// chapter makes: every NaN result is the canonical quiet NaN, tininess is
// detected after rounding, min and max are minimumNumber and maximumNumber,
// conversions to integers saturate and raise only the invalid flag when they
// do. Values travel as bit patterns; the host's floating-point unit is never
// used, so that results do not depend on it.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_HART_SOFTFLOAT_H
#define CHIPWRIGHT_SIM_HART_SOFTFLOAT_H

#include <cstdint>

namespace chipwright::sim {

/// Rounding modes as frm encodes them.
enum class Rounding : uint8_t {
  NearestEven = 0,
  TowardZero = 1,
  Down = 2,
  Up = 3,
  NearestMaxMagnitude = 4,
};

/// Exception flags as fflags encodes them.
enum FloatFlag : uint8_t {
  FlagInexact = 1,
  FlagUnderflow = 2,
  FlagOverflow = 4,
  FlagDivideByZero = 8,
  FlagInvalid = 16,
};

struct Binary32 {
  using Bits = uint32_t;
  static constexpr unsigned exponentBits = 8, mantissaBits = 23;
};

struct Binary64 {
  using Bits = uint64_t;
  static constexpr unsigned exponentBits = 11, mantissaBits = 52;
};

/// Arithmetic on one format. Flags are or-ed into \p flags.
template <typename Format> struct SoftFloat {
  using Bits = typename Format::Bits;
  static constexpr unsigned width =
      1 + Format::exponentBits + Format::mantissaBits;
  static constexpr Bits signBit = Bits(1) << (width - 1);
  static constexpr Bits mantissaMask = (Bits(1) << Format::mantissaBits) - 1;
  static constexpr Bits infinity = Bits((Bits(1) << Format::exponentBits) - 1)
                                   << Format::mantissaBits;
  static constexpr Bits canonicalNan =
      infinity | Bits(1) << (Format::mantissaBits - 1);

  static bool isNan(Bits a) { return (a & ~signBit) > infinity; }
  static bool isSignallingNan(Bits a) {
    return isNan(a) && !(a >> (Format::mantissaBits - 1) & 1);
  }

  static Bits add(Bits a, Bits b, Rounding mode, uint8_t &flags);
  static Bits sub(Bits a, Bits b, Rounding mode, uint8_t &flags);
  static Bits mul(Bits a, Bits b, Rounding mode, uint8_t &flags);
  static Bits div(Bits a, Bits b, Rounding mode, uint8_t &flags);
  static Bits sqrt(Bits a, Rounding mode, uint8_t &flags);
  /// a * b + c with one rounding.
  static Bits fma(Bits a, Bits b, Bits c, Rounding mode, uint8_t &flags);

  static Bits min(Bits a, Bits b, uint8_t &flags);
  static Bits max(Bits a, Bits b, uint8_t &flags);
  /// Quiet comparison.
  static bool equal(Bits a, Bits b, uint8_t &flags);
  /// Signalling comparisons: any NaN is invalid.
  static bool less(Bits a, Bits b, uint8_t &flags);
  static bool lessEqual(Bits a, Bits b, uint8_t &flags);
  /// The 10-bit mask of fclass.
  static uint64_t classify(Bits a);

  /// Rounds to an integer of \p bits (32 or 64) bits. Out of range and NaN
  /// saturate (NaN to the largest value). \returns the integer, 32-bit ones
  /// sign-extended from bit 31 as the instruction does.
  static uint64_t toInteger(Bits a, unsigned bits, bool isSigned, Rounding mode,
                            uint8_t &flags);
  /// \p value is taken as signed or unsigned 64-bit integer.
  static Bits fromInteger(uint64_t value, bool isSigned, Rounding mode,
                          uint8_t &flags);
};

extern template struct SoftFloat<Binary32>;
extern template struct SoftFloat<Binary64>;

using SoftFloat32 = SoftFloat<Binary32>;
using SoftFloat64 = SoftFloat<Binary64>;

/// Widens exactly (a signalling NaN raises invalid).
uint64_t float32To64(uint32_t a, uint8_t &flags);
uint32_t float64To32(uint64_t a, Rounding mode, uint8_t &flags);

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_HART_SOFTFLOAT_H
