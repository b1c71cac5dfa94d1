//===- OpSchedules.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/llm/OpSchedules.h"

#include <fmt/format.h>

#include <algorithm>

using namespace chipwright;

/// Most rows of a block: few tokens shall still reach many PEs.
static constexpr int64_t kMaxRows = 8;

std::string chipwright::rowSchedule(const Target &target, int64_t rowBytes,
                                    std::vector<std::string> dims,
                                    int64_t full) {
  int64_t rows = kMaxRows;
  while (rows > 1 && rows * rowBytes * 3 > target.localBytes) {
    rows /= 2;
  }
  std::string tile = std::to_string(rows), on = "all";
  for (size_t i = 1; i < dims.size(); ++i) {
    tile += ", 1";
    on += ", all";
  }
  if (full != 0) {
    tile += ", " + std::to_string(full);
    on += ", seq";
  }
  return fmt::format("#grid.schedule<tile = [{}], on = [{}]>", tile, on);
}

std::string chipwright::blockSchedule(const Target &target, int64_t cols) {
  int64_t width = std::min<int64_t>(cols, 512);
  int64_t rows = kMaxRows;
  while (rows > 1 && rows * width * 12 * 3 > target.localBytes) {
    rows /= 2;
  }
  return fmt::format("#grid.schedule<tile = [{}, {}], on = [all, all]>", rows,
                     width);
}

int64_t chipwright::kTile(const Target &target, int64_t elementBytes) {
  constexpr int64_t kLongest = 256;
  return std::max(target.kBytes, kLongest / target.kBytes * target.kBytes) /
         elementBytes;
}

std::string chipwright::matmulSchedule(const Target &target, int64_t n,
                                       int64_t elementBytes) {
  return fmt::format(
      "#grid.schedule<tile = [{}, {}, {}], on = [seq, all, seq]>",
      target.streamRows, std::min(n, target.cachedRows),
      kTile(target, elementBytes));
}
