//===- Candidates.cpp -----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/schedule/Candidates.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

static int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t roundUp(int64_t a, int64_t unit) {
  return divideUp(a, unit) * unit;
}

namespace {

/// Rows and columns of a command have 16 bits, bytes of a row 24.
constexpr int64_t kMaxElements = 65535, kMaxRowBytes = (1 << 24) - 1;
/// Rounds up to which even shares of the PEs are tried.
constexpr int64_t kMaxRounds = 12;

class Generator {
public:
  Generator(const OpModel &model, bool maySpill)
      : model(model), target(model.chip()), maySpill(maySpill) {}

  std::vector<Schedule> run() {
    std::vector<std::vector<int64_t>> blocks;
    for (unsigned dim = 0; dim < model.numDims(); ++dim) {
      blocks.push_back(blocksOf(dim));
    }
    places({}, blocks);
    // Among equals those whose PEs work on neighbouring blocks at the same
    // time, then larger blocks: a total order, so that every run chooses the
    // same.
    auto spread = [](const Schedule &schedule) {
      return -llvm::count(schedule.on, PlaceOfDim::all);
    };
    std::sort(found.begin(), found.end(),
              [&](const Schedule &a, const Schedule &b) {
                return std::tuple(a.cost, a.bytes, spread(a), b.tile, a.on) <
                       std::tuple(b.cost, b.bytes, spread(b), a.tile, b.on);
              });
    constexpr size_t kMany = 4000;
    if (found.size() > kMany) {
      // The smallest tiles stay: they are what fits if anything does.
      auto smallest = std::min_element(found.begin(), found.end(),
                                       [&](const auto &a, const auto &b) {
                                         return localBytes(a) < localBytes(b);
                                       });
      Schedule last = *smallest;
      found.resize(kMany);
      found.push_back(last);
    }
    return std::move(found);
  }

private:
  //===--------------------------------------------------------------------===//
  // Blocks of one dimension
  //===--------------------------------------------------------------------===//

  /// Blocks are multiples of this: whole passes where the dimension is K.
  int64_t unitOf(unsigned dim) const {
    int64_t unit = 1;
    for (const OpModel::Product &product : model.allProducts()) {
      if (product.k.dim == static_cast<int>(dim)) {
        unit = std::lcm(unit, target.kBytes / product.elementBytes);
      }
    }
    for (const OpModel::Transfer &transfer : model.allTransfers()) {
      for (const TileSize &size : {transfer.rows, transfer.cols}) {
        if (size.dim == static_cast<int>(dim)) {
          unit = std::lcm(unit, size.divisor);
        }
      }
      // Rows of packed elements are whole bytes.
      if (transfer.cols.dim == static_cast<int>(dim) &&
          transfer.elementBits < 8) {
        unit = std::lcm(unit, int64_t(2));
      }
    }
    return unit;
  }

  /// Bytes of an element where \p dim makes up the columns of a tile, else 0.
  int64_t columnBytes(unsigned dim) const {
    int64_t bytes = 0;
    for (const OpModel::Transfer &transfer : model.allTransfers()) {
      if (transfer.cols.dim == static_cast<int>(dim)) {
        bytes = std::max(bytes, (transfer.elementBits + 7) / 8);
      }
    }
    return bytes;
  }

  std::vector<int64_t> blocksOf(unsigned dim) const {
    const int64_t size = model.size(dim);
    if (model.kind(dim) == DimKind::list) {
      return {1};
    }
    if (model.kind(dim) == DimKind::full) {
      return {size};
    }
    bool isOfTile = false;
    for (const OpModel::Transfer &transfer : model.allTransfers()) {
      isOfTile |= transfer.rows.dim == static_cast<int>(dim) ||
                  transfer.cols.dim == static_cast<int>(dim);
    }
    if (!isOfTile) {
      return {1}; // chooses among tiles
    }
    std::set<int64_t> wanted;
    const int64_t unit = unitOf(dim);
    bool isProduct = unit > 1;
    auto parts = [&](int64_t part) {
      isProduct = true;
      for (int64_t count = target.banks; count > 1; --count) {
        if ((count - 1) * part < size) {
          wanted.insert(count * part);
        }
      }
      for (int64_t rows = part; rows >= std::min<int64_t>(part, 4); rows /= 2) {
        wanted.insert(rows);
      }
      shares(wanted, size, 1, target.banks * part);
    };
    for (const OpModel::Product &product : model.allProducts()) {
      if (product.m.dim == static_cast<int>(dim)) {
        parts(target.streamRows);
      }
      if (product.n.dim == static_cast<int>(dim)) {
        parts(target.cachedRows);
      }
    }
    if (unit > 1) {
      // Chunks of K: up to an interleave granule.
      int64_t most = std::max(unit, unit * target.granuleBytes / target.kBytes);
      for (int64_t chunk = unit; chunk <= most; chunk *= 2) {
        wanted.insert(chunk);
      }
      for (int64_t count = 1; divideUp(size, count) > unit && count < 64;
           ++count) {
        if (int64_t chunk = roundUp(divideUp(size, count), unit);
            chunk <= most) {
          wanted.insert(chunk);
        }
      }
    }
    const int64_t bytes = columnBytes(dim);
    if (!isProduct) {
      const int64_t step =
          bytes ? std::max<int64_t>(1, target.granuleBytes / bytes) : 1;
      for (int64_t block = 1; block <= 512 * step; block *= 2) {
        // Narrow tiles are for what fits nowhere else.
        if (!bytes || block == 1 || block * bytes >= 32) {
          wanted.insert(block);
        }
      }
      shares(wanted, size, step, 64 * step);
    }
    std::vector<int64_t> result;
    for (int64_t block : wanted) {
      int64_t used = roundUp(block, unit);
      // A block beyond the end is wasted; of those, the size itself is best.
      if (used >= size) {
        used = model.isKnown(dim) || !isProduct ? roundUp(size, unit) : used;
      }
      if (used <= kMaxElements &&
          used * std::max<int64_t>(bytes, 1) <= kMaxRowBytes &&
          !llvm::is_contained(result, used)) {
        result.push_back(used);
      }
    }
    if (result.empty()) {
      result.push_back(unit);
    }
    return result;
  }

  /// Even shares of \p size among PEs, in multiples of \p unit.
  void shares(std::set<int64_t> &wanted, int64_t size, int64_t unit,
              int64_t most) const {
    for (int64_t lines : {target.rows, target.cols, target.numPes()}) {
      for (int64_t round = 1; round <= kMaxRounds; ++round) {
        int64_t share = roundUp(divideUp(size, lines * round), unit);
        if (share <= most) {
          wanted.insert(share);
        }
      }
      // The fewest rounds in which shares are not too large.
      int64_t rounds = divideUp(size, lines * most);
      wanted.insert(roundUp(divideUp(size, lines * rounds), unit));
    }
  }

  //===--------------------------------------------------------------------===//
  // Combinations
  //===--------------------------------------------------------------------===//

  void places(SmallVector<PlaceOfDim, 4> on,
              const std::vector<std::vector<int64_t>> &blocks) {
    unsigned dim = static_cast<unsigned>(on.size());
    if (dim == model.numDims()) {
      // Every PE gets work of its own: all are shared out, and once.
      bool row = llvm::is_contained(on, PlaceOfDim::row),
           col = llvm::is_contained(on, PlaceOfDim::col),
           all = llvm::is_contained(on, PlaceOfDim::all);
      bool isShared = all ? !row && !col : row && col;
      bool mayShare = false;
      for (unsigned i = 0; i < dim; ++i) {
        mayShare |= model.isDealtOut(i);
      }
      if (mayShare && !isShared) {
        return;
      }
      Schedule schedule;
      schedule.on = on;
      tiles(schedule, blocks);
      return;
    }
    SmallVector<PlaceOfDim, 4> choices = {PlaceOfDim::seq};
    if (model.isDealtOut(dim)) {
      choices = {PlaceOfDim::row, PlaceOfDim::col, PlaceOfDim::all,
                 PlaceOfDim::seq};
    }
    for (PlaceOfDim choice : choices) {
      SmallVector<PlaceOfDim, 4> next = on;
      next.push_back(choice);
      places(next, blocks);
    }
  }

  void tiles(Schedule schedule,
             const std::vector<std::vector<int64_t>> &blocks) {
    size_t dim = schedule.tile.size();
    if (dim == blocks.size()) {
      if (fitsAlone(schedule)) {
        model.evaluate(schedule);
        found.push_back(schedule);
      }
      return;
    }
    for (int64_t block : blocks[dim]) {
      Schedule next = schedule;
      next.tile.push_back(block);
      tiles(std::move(next), blocks);
    }
  }

  /// Bytes of one tile of each operand and result.
  int64_t localBytes(const Schedule &schedule) const {
    int64_t bytes = 0;
    for (const OpModel::Transfer &transfer : model.allTransfers()) {
      bytes += transfer.bytes(schedule.tile);
    }
    return bytes;
  }

  /// What needs no plan to be seen.
  bool fitsAlone(const Schedule &schedule) const {
    for (const OpModel::Product &product : model.allProducts()) {
      if (!maySpill &&
          divideUp(product.m.of(schedule.tile), target.streamRows) *
                  divideUp(product.n.of(schedule.tile), target.cachedRows) >
              target.banks) {
        return false;
      }
    }
    return localBytes(schedule) <= target.localBytes;
  }

  const OpModel &model;
  const Target &target;
  const bool maySpill;
  std::vector<Schedule> found;
};

} // namespace

std::vector<Schedule> chipwright::candidates(const OpModel &model,
                                             bool maySpill) {
  return Generator(model, maySpill).run();
}
