//===- SoftFloat.cpp - Exact IEEE 754 arithmetic in integers --------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Every operation unpacks its operands, forms the exact result (or one with
// enough bits and a sticky lowest bit) as a 128-bit significand, and rounds it
// once in roundPack(). A finite value is (-1)^sign * significand * 2^(exponent
// - 127): with the leading one in bit 127, `exponent` is that of the value.
//
//===----------------------------------------------------------------------===//

#include "sim/hart/SoftFloat.h"

#include <bit>
#include <limits>
#include <utility>

namespace chipwright::sim {

namespace {

using Wide = unsigned __int128;

enum class Kind : uint8_t { Zero, Finite, Infinite, QuietNan, SignallingNan };

struct Unpacked {
  Kind kind;
  bool sign;
  int exponent;
  Wide significand; // leading one in bit 127 if Finite
};

unsigned leadingZeros(Wide value) {
  uint64_t high = uint64_t(value >> 64);
  return high ? unsigned(std::countl_zero(high))
              : 64 + unsigned(std::countl_zero(uint64_t(value)));
}

/// Shifts right and keeps in the lowest bit whether any one was shifted out.
Wide shiftRightSticky(Wide value, unsigned distance) {
  if (distance == 0) {
    return value;
  }
  if (distance >= 128) {
    return value != 0;
  }
  return value >> distance | ((value << (128 - distance)) != 0);
}

/// Whether rounding in \p mode moves a magnitude away from zero. \p rest holds
/// the discarded bits, left-aligned at bit 127.
bool roundsUp(Rounding mode, bool sign, bool odd, Wide rest) {
  constexpr Wide half = Wide(1) << 127;
  switch (mode) {
  case Rounding::NearestEven:
    return rest > half || (rest == half && odd);
  case Rounding::TowardZero:
    return false;
  case Rounding::Down:
    return sign && rest;
  case Rounding::Up:
    return !sign && rest;
  case Rounding::NearestMaxMagnitude:
    return rest >= half;
  }
  return false;
}

template <typename Format> Unpacked unpack(typename Format::Bits bits) {
  using F = SoftFloat<Format>;
  constexpr int bias = (1 << (Format::exponentBits - 1)) - 1;
  Unpacked value{};
  value.sign = (bits & F::signBit) != 0;
  unsigned exponent = unsigned((bits & F::infinity) >> Format::mantissaBits);
  Wide mantissa = bits & F::mantissaMask;
  if (exponent == (1u << Format::exponentBits) - 1) {
    value.kind = !mantissa                  ? Kind::Infinite
                 : F::isSignallingNan(bits) ? Kind::SignallingNan
                                            : Kind::QuietNan;
    return value;
  }
  if (exponent == 0 && !mantissa) {
    value.kind = Kind::Zero;
    return value;
  }
  value.kind = Kind::Finite;
  if (exponent) {
    mantissa |= Wide(1) << Format::mantissaBits;
  } else {
    exponent = 1;
  }
  unsigned shift = leadingZeros(mantissa);
  value.significand = mantissa << shift;
  // Bit mantissaBits has weight 2^(exponent - bias).
  value.exponent =
      int(exponent) - bias + (127 - int(shift) - int(Format::mantissaBits));
  return value;
}

/// Rounds a nonzero value whose leading one is in bit 127.
template <typename Format>
typename Format::Bits roundPack(bool sign, int exponent, Wide significand,
                                Rounding mode, uint8_t &flags) {
  using F = SoftFloat<Format>;
  using Bits = typename Format::Bits;
  constexpr unsigned precision = Format::mantissaBits + 1;
  constexpr int bias = (1 << (Format::exponentBits - 1)) - 1;
  constexpr int minExponent = 1 - bias, maxExponent = bias;
  const Bits signBits = sign ? F::signBit : 0;

  bool tiny = false;
  bool subnormal = exponent < minExponent;
  if (subnormal) {
    // Tiny after rounding: still below the smallest normal number when rounded
    // as if the exponent had no lower bound.
    Wide rest = significand << precision;
    Wide kept = significand >> (128 - precision);
    bool carries =
        (kept + 1) >> precision != 0 && roundsUp(mode, sign, kept & 1, rest);
    tiny = exponent < minExponent - 1 || !carries;
    int distance = minExponent - exponent;
    significand = shiftRightSticky(significand,
                                   distance > 200 ? 200 : unsigned(distance));
    exponent = minExponent;
  }
  Wide rest = significand << precision;
  Bits kept = Bits(significand >> (128 - precision));
  if (roundsUp(mode, sign, kept & 1, rest)) {
    ++kept;
    if (kept >> precision) {
      kept >>= 1;
      ++exponent;
    }
  }
  if (rest) {
    flags |= FlagInexact | (tiny ? FlagUnderflow : 0);
  }
  if (exponent > maxExponent) {
    flags |= FlagOverflow | FlagInexact;
    bool toInfinity = mode == Rounding::NearestEven ||
                      mode == Rounding::NearestMaxMagnitude ||
                      (mode == Rounding::Up && !sign) ||
                      (mode == Rounding::Down && sign);
    return signBits | (toInfinity ? F::infinity : Bits(F::infinity - 1));
  }
  if (!(kept >> Format::mantissaBits)) {
    return signBits | kept; // subnormal or zero
  }
  return signBits | Bits(exponent + bias) << Format::mantissaBits |
         (kept & F::mantissaMask);
}

template <typename Format>
typename Format::Bits roundAny(bool sign, int exponent, Wide significand,
                               Rounding mode, uint8_t &flags) {
  if (!significand) {
    return sign ? SoftFloat<Format>::signBit : 0;
  }
  unsigned shift = leadingZeros(significand);
  return roundPack<Format>(sign, exponent - int(shift), significand << shift,
                           mode, flags);
}

template <typename Format> typename Format::Bits invalid(uint8_t &flags) {
  flags |= FlagInvalid;
  return SoftFloat<Format>::canonicalNan;
}

bool isNan(const Unpacked &value) {
  return value.kind == Kind::QuietNan || value.kind == Kind::SignallingNan;
}

template <typename Format>
typename Format::Bits propagateNan(uint8_t &flags, const Unpacked &a,
                                   const Unpacked &b) {
  if (a.kind == Kind::SignallingNan || b.kind == Kind::SignallingNan) {
    flags |= FlagInvalid;
  }
  return SoftFloat<Format>::canonicalNan;
}

/// Sum of two values that are zero or finite; significands may be any 128-bit
/// product with the leading one in bit 127.
template <typename Format>
typename Format::Bits addFinite(Unpacked a, Unpacked b, Rounding mode,
                                uint8_t &flags) {
  using F = SoftFloat<Format>;
  auto signedZero = [](bool sign) ->
      typename Format::Bits { return sign ? F::signBit : 0; };
  if (a.kind == Kind::Zero && b.kind == Kind::Zero) {
    return signedZero(a.sign == b.sign ? a.sign : mode == Rounding::Down);
  }
  if (a.kind == Kind::Zero) {
    return roundAny<Format>(b.sign, b.exponent, b.significand, mode, flags);
  }
  if (b.kind == Kind::Zero) {
    return roundAny<Format>(a.sign, a.exponent, a.significand, mode, flags);
  }
  if (a.exponent < b.exponent) {
    std::swap(a, b);
  }
  // One bit of headroom for the carry. The significands have at most 106
  // bits, so this loses nothing, and the alignment shift loses bits only if
  // the exponents differ by 2 or more, where at most one leading bit cancels
  // and the sticky bit stays far below the rounding position.
  Wide x = a.significand >> 1;
  Wide y =
      shiftRightSticky(b.significand >> 1, unsigned(a.exponent - b.exponent));
  if (a.sign == b.sign) {
    return roundAny<Format>(a.sign, a.exponent + 1, x + y, mode, flags);
  }
  if (x == y) {
    return signedZero(mode == Rounding::Down);
  }
  bool negative = x < y;
  return roundAny<Format>(a.sign != negative, a.exponent + 1,
                          negative ? y - x : x - y, mode, flags);
}

template <typename Format>
typename Format::Bits addUnpacked(const Unpacked &a, const Unpacked &b,
                                  Rounding mode, uint8_t &flags) {
  if (isNan(a) || isNan(b)) {
    return propagateNan<Format>(flags, a, b);
  }
  using F = SoftFloat<Format>;
  if (a.kind == Kind::Infinite || b.kind == Kind::Infinite) {
    if (a.kind == b.kind && a.sign != b.sign) {
      return invalid<Format>(flags);
    }
    bool sign = a.kind == Kind::Infinite ? a.sign : b.sign;
    return (sign ? F::signBit : 0) | F::infinity;
  }
  return addFinite<Format>(a, b, mode, flags);
}

/// Product without rounding: two significands of at most 53 bits.
Unpacked multiplyFinite(const Unpacked &a, const Unpacked &b) {
  Unpacked product{};
  product.kind = Kind::Finite;
  product.sign = a.sign != b.sign;
  Wide bits =
      Wide(uint64_t(a.significand >> 64)) * Wide(uint64_t(b.significand >> 64));
  // Leading one in bit 127 or 126.
  product.exponent = a.exponent + b.exponent + 1;
  if (!(bits >> 127)) {
    bits <<= 1;
    --product.exponent;
  }
  product.significand = bits;
  return product;
}

/// Square root of \p value, rounded down.
uint64_t squareRoot(Wide value) {
  uint64_t root = 0;
  for (int bit = 63; bit >= 0; --bit) {
    uint64_t candidate = root | uint64_t(1) << bit;
    if (Wide(candidate) * candidate <= value) {
      root = candidate;
    }
  }
  return root;
}

/// Compares values that are not NaN: negative, zero or positive.
template <typename Format>
int compare(typename Format::Bits a, typename Format::Bits b) {
  using F = SoftFloat<Format>;
  if (!((a | b) & ~F::signBit)) {
    return 0; // both zeros are equal
  }
  bool signA = a & F::signBit, signB = b & F::signBit;
  if (signA != signB) {
    return signA ? -1 : 1;
  }
  if (a == b) {
    return 0;
  }
  return (a < b) != signA ? -1 : 1;
}

} // namespace

template <typename Format>
auto SoftFloat<Format>::add(Bits a, Bits b, Rounding mode, uint8_t &flags)
    -> Bits {
  return addUnpacked<Format>(unpack<Format>(a), unpack<Format>(b), mode, flags);
}

template <typename Format>
auto SoftFloat<Format>::sub(Bits a, Bits b, Rounding mode, uint8_t &flags)
    -> Bits {
  return add(a, b ^ signBit, mode, flags);
}

template <typename Format>
auto SoftFloat<Format>::mul(Bits a, Bits b, Rounding mode, uint8_t &flags)
    -> Bits {
  Unpacked x = unpack<Format>(a), y = unpack<Format>(b);
  if (chipwright::sim::isNan(x) || chipwright::sim::isNan(y)) {
    return propagateNan<Format>(flags, x, y);
  }
  Bits sign = x.sign != y.sign ? signBit : 0;
  bool zero = x.kind == Kind::Zero || y.kind == Kind::Zero;
  if (x.kind == Kind::Infinite || y.kind == Kind::Infinite) {
    return zero ? invalid<Format>(flags) : sign | infinity;
  }
  if (zero) {
    return sign;
  }
  Unpacked product = multiplyFinite(x, y);
  return roundPack<Format>(product.sign, product.exponent, product.significand,
                           mode, flags);
}

template <typename Format>
auto SoftFloat<Format>::fma(Bits a, Bits b, Bits c, Rounding mode,
                            uint8_t &flags) -> Bits {
  Unpacked x = unpack<Format>(a), y = unpack<Format>(b), z = unpack<Format>(c);
  bool zero = x.kind == Kind::Zero || y.kind == Kind::Zero;
  bool infinite = x.kind == Kind::Infinite || y.kind == Kind::Infinite;
  // Infinity times zero is invalid even with a quiet NaN as addend.
  if (!chipwright::sim::isNan(x) && !chipwright::sim::isNan(y) && zero &&
      infinite) {
    return invalid<Format>(flags);
  }
  if (chipwright::sim::isNan(x) || chipwright::sim::isNan(y) ||
      chipwright::sim::isNan(z)) {
    propagateNan<Format>(flags, x, y);
    return propagateNan<Format>(flags, z, z);
  }
  Unpacked product{};
  if (infinite || zero) {
    product.kind = infinite ? Kind::Infinite : Kind::Zero;
    product.sign = x.sign != y.sign;
  } else {
    product = multiplyFinite(x, y);
  }
  return addUnpacked<Format>(product, z, mode, flags);
}

template <typename Format>
auto SoftFloat<Format>::div(Bits a, Bits b, Rounding mode, uint8_t &flags)
    -> Bits {
  Unpacked x = unpack<Format>(a), y = unpack<Format>(b);
  if (chipwright::sim::isNan(x) || chipwright::sim::isNan(y)) {
    return propagateNan<Format>(flags, x, y);
  }
  Bits sign = x.sign != y.sign ? signBit : 0;
  if (x.kind == y.kind && x.kind != Kind::Finite) {
    return invalid<Format>(flags); // 0/0 and inf/inf
  }
  if (x.kind == Kind::Infinite) {
    return sign | infinity;
  }
  if (x.kind == Kind::Zero || y.kind == Kind::Infinite) {
    return sign;
  }
  if (y.kind == Kind::Zero) {
    flags |= FlagDivideByZero;
    return sign | infinity;
  }
  // A 127-bit by 64-bit division gives 63 or 64 quotient bits, at least ten
  // more than the precision; the remainder is sticky.
  Wide divisor = y.significand >> 64;
  Wide dividend = x.significand >> 1;
  Wide quotient = dividend / divisor;
  bool remains = quotient * divisor != dividend;
  // dividend has weight 2^(x.exponent - 126), divisor 2^(y.exponent - 63).
  return roundAny<Format>(x.sign != y.sign,
                          x.exponent - y.exponent - 63 + 127 - 1,
                          quotient << 1 | remains, mode, flags);
}

template <typename Format>
auto SoftFloat<Format>::sqrt(Bits a, Rounding mode, uint8_t &flags) -> Bits {
  Unpacked x = unpack<Format>(a);
  if (chipwright::sim::isNan(x)) {
    return propagateNan<Format>(flags, x, x);
  }
  if (x.kind == Kind::Zero) {
    return a;
  }
  if (x.sign) {
    return invalid<Format>(flags);
  }
  if (x.kind == Kind::Infinite) {
    return a;
  }
  // value = s * 2^(exponent - 127); make the power even. The root then has 64
  // bits with the leading one in bit 63.
  Wide s = x.significand;
  int power = x.exponent - 127;
  if (power & 1) {
    s >>= 1; // operand significands have zeros there
    ++power;
  }
  uint64_t root = squareRoot(s);
  bool remains = Wide(root) * root != s;
  return roundAny<Format>(false, power / 2 + 127 - 1, Wide(root) << 1 | remains,
                          mode, flags);
}

template <typename Format>
auto SoftFloat<Format>::min(Bits a, Bits b, uint8_t &flags) -> Bits {
  if (isSignallingNan(a) || isSignallingNan(b)) {
    flags |= FlagInvalid;
  }
  if (isNan(a) || isNan(b)) {
    return !isNan(a) ? a : !isNan(b) ? b : canonicalNan;
  }
  int order = compare<Format>(a, b);
  // -0 is less than +0 here.
  return order < 0 || (order == 0 && (a & signBit)) ? a : b;
}

template <typename Format>
auto SoftFloat<Format>::max(Bits a, Bits b, uint8_t &flags) -> Bits {
  if (isSignallingNan(a) || isSignallingNan(b)) {
    flags |= FlagInvalid;
  }
  if (isNan(a) || isNan(b)) {
    return !isNan(a) ? a : !isNan(b) ? b : canonicalNan;
  }
  int order = compare<Format>(a, b);
  return order > 0 || (order == 0 && !(a & signBit)) ? a : b;
}

template <typename Format>
bool SoftFloat<Format>::equal(Bits a, Bits b, uint8_t &flags) {
  if (isSignallingNan(a) || isSignallingNan(b)) {
    flags |= FlagInvalid;
  }
  return !isNan(a) && !isNan(b) && compare<Format>(a, b) == 0;
}

template <typename Format>
bool SoftFloat<Format>::less(Bits a, Bits b, uint8_t &flags) {
  if (isNan(a) || isNan(b)) {
    flags |= FlagInvalid;
    return false;
  }
  return compare<Format>(a, b) < 0;
}

template <typename Format>
bool SoftFloat<Format>::lessEqual(Bits a, Bits b, uint8_t &flags) {
  if (isNan(a) || isNan(b)) {
    flags |= FlagInvalid;
    return false;
  }
  return compare<Format>(a, b) <= 0;
}

template <typename Format> uint64_t SoftFloat<Format>::classify(Bits a) {
  bool sign = a & signBit;
  if (isNan(a)) {
    return isSignallingNan(a) ? 1 << 8 : 1 << 9;
  }
  Bits magnitude = a & ~signBit;
  if (magnitude == infinity) {
    return sign ? 1 << 0 : 1 << 7;
  }
  if (magnitude == 0) {
    return sign ? 1 << 3 : 1 << 4;
  }
  if (magnitude <= mantissaMask) {
    return sign ? 1 << 2 : 1 << 5;
  }
  return sign ? 1 << 1 : 1 << 6;
}

template <typename Format>
uint64_t SoftFloat<Format>::toInteger(Bits a, unsigned bits, bool isSigned,
                                      Rounding mode, uint8_t &flags) {
  const uint64_t largest =
      isSigned ? (uint64_t(1) << (bits - 1)) - 1
               : std::numeric_limits<uint64_t>::max() >> (64 - bits);
  const uint64_t smallest = isSigned ? uint64_t(0) - (largest + 1) : 0;
  auto extend = [&](uint64_t value) {
    return bits == 32 ? uint64_t(int64_t(int32_t(value))) : value;
  };
  Unpacked x = unpack<Format>(a);
  if (chipwright::sim::isNan(x)) {
    flags |= FlagInvalid;
    return extend(largest);
  }
  if (x.kind == Kind::Zero) {
    return 0;
  }
  if (x.kind == Kind::Infinite || x.exponent > 64) {
    flags |= FlagInvalid;
    return extend(x.sign ? smallest : largest);
  }
  // Integer part: the bits at or above 2^0; the rest left-aligned.
  Wide whole = 0, rest = 0;
  if (x.exponent >= 0) {
    whole = x.significand >> (127 - x.exponent);
    rest = x.significand << (x.exponent + 1);
  } else {
    rest = shiftRightSticky(
        x.significand, x.exponent < -128 ? 127u : unsigned(-1 - x.exponent));
  }
  whole += roundsUp(mode, x.sign, whole & 1, rest);
  Wide limit = x.sign ? (isSigned ? Wide(largest) + 1 : 0) : Wide(largest);
  if (whole > limit) {
    flags |= FlagInvalid;
    return extend(x.sign ? smallest : largest);
  }
  if (rest) {
    flags |= FlagInexact;
  }
  uint64_t magnitude = uint64_t(whole);
  return extend(x.sign ? uint64_t(0) - magnitude : magnitude);
}

template <typename Format>
auto SoftFloat<Format>::fromInteger(uint64_t value, bool isSigned,
                                    Rounding mode, uint8_t &flags) -> Bits {
  bool sign = isSigned && int64_t(value) < 0;
  uint64_t magnitude = sign ? uint64_t(0) - value : value;
  return roundAny<Format>(sign, 127, magnitude, mode, flags);
}

template struct SoftFloat<Binary32>;
template struct SoftFloat<Binary64>;

uint64_t float32To64(uint32_t a, uint8_t &flags) {
  Unpacked x = unpack<Binary32>(a);
  uint64_t sign = x.sign ? SoftFloat64::signBit : 0;
  switch (x.kind) {
  case Kind::Zero:
    return sign;
  case Kind::Infinite:
    return sign | SoftFloat64::infinity;
  case Kind::SignallingNan:
    flags |= FlagInvalid;
    return SoftFloat64::canonicalNan;
  case Kind::QuietNan:
    return SoftFloat64::canonicalNan;
  case Kind::Finite:
    break;
  }
  return roundPack<Binary64>(x.sign, x.exponent, x.significand,
                             Rounding::NearestEven, flags);
}

uint32_t float64To32(uint64_t a, Rounding mode, uint8_t &flags) {
  Unpacked x = unpack<Binary64>(a);
  uint32_t sign = x.sign ? SoftFloat32::signBit : 0;
  switch (x.kind) {
  case Kind::Zero:
    return sign;
  case Kind::Infinite:
    return sign | SoftFloat32::infinity;
  case Kind::SignallingNan:
    flags |= FlagInvalid;
    return SoftFloat32::canonicalNan;
  case Kind::QuietNan:
    return SoftFloat32::canonicalNan;
  case Kind::Finite:
    break;
  }
  return roundPack<Binary32>(x.sign, x.exponent, x.significand, mode, flags);
}

} // namespace chipwright::sim
