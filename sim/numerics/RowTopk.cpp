//===- RowTopk.cpp - What row_topk commands compute -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/RowTopk.h"

#include "sim/numerics/Element.h"

#include <cstring>
#include <vector>

using namespace chipwright;
using namespace chipwright::sim;

/// \returns an integer whose order is the order of the command: NaN on top,
/// the zeros equal.
static uint32_t orderKey(float value) {
  if (value != value) {
    return 0xffffffff;
  }
  uint32_t bits = floatBits(value + 0.0f); // -0 becomes +0
  return bits >> 31 ? ~bits : bits | 0x80000000;
}

std::string chipwright::sim::rowTopkError(const RowTopkArgs &args) {
  if (elementBytes(args.x.dtype) == 0 || elementBytes(args.out.dtype) == 0 ||
      isReadOnly(args.out.dtype)) {
    return "row_topk needs defined element types of whole bytes, found codes " +
           std::to_string(unsigned(args.x.dtype)) + " and " +
           std::to_string(unsigned(args.out.dtype));
  }
  if (args.k > args.cols) {
    return "row_topk needs at least k columns, found k " +
           std::to_string(args.k) + " and " + std::to_string(args.cols) +
           " columns";
  }
  return {};
}

void chipwright::sim::rowTopk(const RowTopkArgs &args, HostIsa isa) {
  struct Entry {
    uint32_t key;
    int32_t column;
  };
  std::vector<float> values(args.cols);
  std::vector<Entry> best(args.k);
  std::vector<float> chosen(args.k);
  for (unsigned row = 0; row < args.rows && args.k > 0; ++row) {
    loadRow(args.x.dtype, args.x.data + row * args.x.pitch, values.data(),
            args.cols, isa);
    unsigned held = 0;
    for (unsigned column = 0; column < args.cols; ++column) {
      uint32_t key = orderKey(values[column]);
      // Columns come in increasing order, so an equal key stays behind.
      if (held == args.k && key <= best[held - 1].key) {
        continue;
      }
      unsigned position = held < args.k ? held++ : held - 1;
      for (; position > 0 && best[position - 1].key < key; --position) {
        best[position] = best[position - 1];
      }
      best[position] = {key, static_cast<int32_t>(column)};
    }
    uint8_t *idx = args.idx + row * args.idxPitch;
    for (unsigned i = 0; i < args.k; ++i) {
      chosen[i] = values[best[i].column];
      std::memcpy(idx + i * sizeof(int32_t), &best[i].column, sizeof(int32_t));
    }
    storeRow(args.out.dtype, chosen.data(),
             args.out.data + row * args.out.pitch, args.k, isa);
  }
}
