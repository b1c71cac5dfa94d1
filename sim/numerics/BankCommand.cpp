//===- BankCommand.cpp - What bank.init and reduce commands do ------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/BankCommand.h"

#include "sim/numerics/Element.h"

#include <cstring>

using namespace chipwright;
using namespace chipwright::sim;

static void loadBankRow(DType dtype, const uint8_t *src, uint32_t *words,
                        size_t n, HostIsa isa) {
  switch (dtype) {
  case DType::I32:
    std::memcpy(words, src, n * sizeof(uint32_t));
    return;
  case DType::I8:
    for (size_t i = 0; i < n; ++i) {
      words[i] = static_cast<uint32_t>(
          static_cast<int32_t>(static_cast<int8_t>(src[i])));
    }
    return;
  default:
    break;
  }
  constexpr size_t block = 256;
  float values[block];
  for (size_t i = 0; i < n; i += block) {
    size_t count = n - i < block ? n - i : block;
    loadRow(dtype, src + i * elementBytes(dtype), values, count, isa);
    storeRow(DType::F32, values, reinterpret_cast<uint8_t *>(words + i), count,
             isa);
  }
}

void chipwright::sim::bankInit(const BankInitArgs &args, HostIsa isa) {
  for (unsigned row = 0; row < args.rows && args.cols > 0; ++row) {
    uint32_t *words = args.bank + row * args.bankPitch;
    switch (args.kind) {
    case BankInitKind::Zero:
      std::memset(words, 0, args.cols * sizeof(uint32_t));
      break;
    case BankInitKind::Tile:
      loadBankRow(args.dtype, args.src + row * args.srcPitch, words, args.cols,
                  isa);
      break;
    case BankInitKind::PerColumn:
      loadBankRow(args.dtype, args.src, words, args.cols, isa);
      break;
    }
  }
}

namespace {

struct AddRow {
  template <HostIsa Isa>
  static CHIPWRIGHT_ALWAYS_INLINE void
  run(bool integer, const uint32_t *__restrict incoming,
      uint32_t *__restrict words, size_t n) {
    if (integer) {
      for (size_t i = 0; i < n; ++i) {
        words[i] += incoming[i];
      }
      return;
    }
    for (size_t i = 0; i < n; ++i) {
      words[i] =
          floatBits(canonical(bitsFloat(words[i]) + bitsFloat(incoming[i])));
    }
  }
};

} // namespace

void chipwright::sim::bankAdd(const BankAddArgs &args, HostIsa isa) {
  for (unsigned row = 0; row < args.rows && args.cols > 0; ++row) {
    dispatch<AddRow>(isa, args.integer,
                     args.incoming + row * args.incomingPitch,
                     args.bank + row * args.bankPitch, size_t(args.cols));
  }
}
