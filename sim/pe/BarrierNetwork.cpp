//===- BarrierNetwork.cpp -------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/pe/BarrierNetwork.h"

#include "sim/pe/Pe.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

using namespace chipwright;
using namespace chipwright::sim;

static unsigned middle(uint32_t mask) {
  unsigned first = static_cast<unsigned>(std::countr_zero(mask));
  unsigned last = static_cast<unsigned>(std::bit_width(mask)) - 1;
  return (first + last) / 2;
}

static unsigned apart(unsigned a, unsigned b) { return a > b ? a - b : b - a; }

bool BarrierNetwork::arrive(unsigned pe, unsigned hart, unsigned id,
                            uint32_t rowMask, uint32_t colMask,
                            bool onlyThisHart, Cycle at) {
  unsigned row = pe / spec.grid.cols, col = pe % spec.grid.cols;
  if (row >= 32 || col >= 32 || !(rowMask >> row & 1) ||
      !(colMask >> col & 1) ||
      static_cast<unsigned>(std::bit_width(rowMask)) > spec.grid.rows ||
      static_cast<unsigned>(std::bit_width(colMask)) > spec.grid.cols) {
    return false;
  }
  unsigned rootRow = middle(rowMask), rootCol = middle(colMask);
  auto travel = [&](unsigned r, unsigned c) {
    return Cycle(apart(r, rootRow) + apart(c, rootCol)) *
           spec.control.barrierHopCycles;
  };
  Key key{id, rowMask, colMask, onlyThisHart ? hart : kHarts};
  State &state = open[key];
  state.latest = std::max(state.latest, at + travel(row, col));
  state.arrived.emplace_back(pe, hart);
  unsigned expected =
      static_cast<unsigned>(std::popcount(rowMask) * std::popcount(colMask)) *
      (onlyThisHart ? 1 : kHarts);
  if (state.arrived.size() < expected) {
    return true;
  }
  // At least one cycle, so that no release falls into the cycle of the last
  // arrival.
  Cycle release = state.latest + std::max(1u, spec.control.barrierCycles);
  for (auto [member, memberHart] : state.arrived) {
    Cycle when =
        release + travel(member / spec.grid.cols, member % spec.grid.cols);
    wheel.post(when, Phase::Deliver, pes[member], Pe::BarrierRelease,
               memberHart);
  }
  open.erase(key);
  return true;
}

std::vector<std::string> BarrierNetwork::waits() const {
  std::vector<std::string> result;
  for (const auto &[key, state] : open) {
    auto [id, rowMask, colMask, hart] = key;
    std::string missing;
    unsigned listed = 0;
    for (unsigned row = 0; row < spec.grid.rows && row < 32; ++row) {
      for (unsigned col = 0; col < spec.grid.cols && col < 32; ++col) {
        if (!(rowMask >> row & 1) || !(colMask >> col & 1)) {
          continue;
        }
        for (unsigned h = 0; h < kHarts; ++h) {
          if (hart != kHarts && hart != h) {
            continue;
          }
          std::pair<unsigned, unsigned> member(row * spec.grid.cols + col, h);
          bool there = std::find(state.arrived.begin(), state.arrived.end(),
                                 member) != state.arrived.end();
          if (!there && ++listed <= 8) {
            missing += fmt::format(" PE {},{} hart {}", row, col, h);
          }
        }
      }
    }
    result.push_back(fmt::format(
        "barrier {} (rows {:#x}, columns {:#x}): {} arrived, missing{}{}", id,
        rowMask, colMask, state.arrived.size(), missing,
        listed > 8 ? fmt::format(" and {} more", listed - 8) : ""));
  }
  return result;
}
