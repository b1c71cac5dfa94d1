//===- GemmSchedule.cpp ---------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/GemmSchedule.h"

#include "runtime/KernelBuild.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

using namespace chipwright;

static uint64_t divideUp(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

namespace {

class Scheduler {
public:
  Scheduler(const ChipSpec &spec, uint64_t m, uint64_t n, uint64_t k,
            DType type)
      : spec(spec), m(m), n(n), elementBytes(dtypeBytes(type)),
        kBytes(k * elementBytes),
        localBytes(spec.ls.bytes - reservedLocalBytes(spec)) {}

  std::optional<GemmSchedule> best() {
    std::optional<GemmSchedule> result;
    uint64_t least = 0;
    const unsigned cached = spec.dpe.tiles * spec.dpe.tileRows;
    for (unsigned mBlock : blocks(m, spec.dpe.streamRows)) {
      for (unsigned nBlock : blocks(n, cached)) {
        uint64_t parts =
            divideUp(mBlock, spec.dpe.streamRows) * divideUp(nBlock, cached);
        if (parts > spec.re.banks) {
          continue;
        }
        for (bool spreadN : {false, true}) {
          GemmSchedule schedule;
          schedule.mBlock = mBlock;
          schedule.nBlock = nBlock;
          schedule.spreadN = spreadN;
          if (!fitRings(schedule)) {
            continue;
          }
          uint64_t moved = fetchedBytes(schedule);
          schedule.estimate = estimate(schedule);
          // Among equals, the one that moves least.
          if (!result || std::pair(schedule.estimate, moved) <
                             std::pair(result->estimate, least)) {
            result = schedule;
            least = moved;
          }
        }
      }
    }
    return result;
  }

private:
  /// Multiples of a full part up to what the banks could hold, and, for what
  /// is smaller than a part, fractions of it. Largest first: it wins ties.
  std::vector<unsigned> blocks(uint64_t size, unsigned part) const {
    std::vector<unsigned> result;
    for (unsigned count = spec.re.banks; count > 1; --count) {
      if (uint64_t(count - 1) * part < size) {
        result.push_back(count * part);
      }
    }
    for (unsigned rows = part; rows >= std::min(part, 8u); rows /= 2) {
      result.push_back(rows);
    }
    return result;
  }

  uint64_t ringBytes(const GemmSchedule &schedule) const {
    return uint64_t(schedule.mBlock + schedule.nBlock) * schedule.chunkBytes *
               schedule.depth +
           2 * uint64_t(schedule.mBlock) * schedule.nBlock * elementBytes;
  }

  /// The longest chunks, up to an interleave granule, that leave rings of at
  /// least three slots; then as many slots as fit, up to eight.
  bool fitRings(GemmSchedule &schedule) const {
    constexpr unsigned kShallow = 3, kDeep = 8;
    unsigned maxPasses = std::bit_floor(spec.cp.mmlMaxPasses);
    for (unsigned depth : {kShallow, 2u, 1u}) {
      unsigned longest = std::max(spec.memory.interleaveBytes, spec.dpe.kBytes);
      for (unsigned steps = std::bit_floor(longest / spec.dpe.kBytes);
           steps >= 1; steps /= 2) {
        unsigned bytes = steps * spec.dpe.kBytes;
        if (steps > 1 && bytes / 2 >= kBytes) {
          continue; // half of it would do
        }
        schedule.chunkBytes = bytes;
        schedule.passes = std::min(maxPasses, steps);
        schedule.depth = depth;
        if (ringBytes(schedule) > localBytes) {
          continue;
        }
        while (depth == kShallow && schedule.depth < kDeep) {
          ++schedule.depth;
          if (ringBytes(schedule) > localBytes) {
            --schedule.depth;
            break;
          }
        }
        return true;
      }
    }
    return false;
  }

  /// Operand bytes of the whole product that memory sends.
  uint64_t fetchedBytes(const GemmSchedule &schedule) const {
    uint64_t mBlocks = divideUp(m, schedule.mBlock);
    uint64_t nBlocks = divideUp(n, schedule.nBlock);
    uint64_t aTimes = divideUp(nBlocks, spec.grid.cols);
    uint64_t bTimes =
        schedule.spreadN ? mBlocks : divideUp(mBlocks, spec.grid.rows);
    return kBytes * (aTimes * mBlocks * schedule.mBlock +
                     bTimes * nBlocks * schedule.nBlock);
  }

  uint64_t estimate(const GemmSchedule &schedule) const {
    const unsigned cached = spec.dpe.tiles * spec.dpe.tileRows;
    const uint64_t rows = spec.grid.rows, cols = spec.grid.cols;
    uint64_t mBlocks = divideUp(m, schedule.mBlock);
    uint64_t nBlocks = divideUp(n, schedule.nBlock);
    uint64_t mActive = schedule.spreadN ? 1 : std::min(mBlocks, rows);
    uint64_t nActive = std::min(nBlocks, schedule.spreadN ? rows * cols : cols);
    uint64_t blocksOfPe =
        divideUp(mBlocks, schedule.spreadN ? 1 : rows) *
        divideUp(nBlocks, schedule.spreadN ? rows * cols : cols);

    // One block: the largest of its demands on each resource.
    uint64_t steps = divideUp(kBytes, spec.dpe.kBytes);
    uint64_t aRows = std::min(schedule.mBlock, spec.dpe.streamRows);
    uint64_t bRows = std::min(schedule.nBlock, cached);
    uint64_t aParts = divideUp(schedule.mBlock, aRows);
    uint64_t bParts = divideUp(schedule.nBlock, bRows);
    uint64_t stream =
        aParts * bParts * std::max<uint64_t>(aRows, spec.dpe.minPassCycles);
    uint64_t loads = bParts * (schedule.passes > 1 ? aParts : 1) *
                     divideUp(bRows * spec.dpe.kBytes, spec.dpe.loadBytes);
    uint64_t dpe = steps * std::max(stream, loads);
    uint64_t port =
        divideUp(uint64_t(schedule.mBlock + schedule.nBlock) * kBytes,
                 spec.fi.portBytes);
    // A block of A is fetched once per PE row, a block of B once per PE
    // column, or once per PE when block columns are spread.
    uint64_t aCopies = schedule.spreadN ? divideUp(nActive, cols) : mActive;
    uint64_t fetched =
        (aCopies * schedule.mBlock + nActive * schedule.nBlock) * kBytes;
    uint64_t sram =
        divideUp(fetched, uint64_t(spec.sram.banks) * spec.sram.bankBytes);
    uint64_t drain =
        aParts * bParts * aRows * divideUp(bRows, spec.re.drainElements);
    // Resources work side by side, but not perfectly: what comes close to the
    // bound costs a little.
    uint64_t bound = std::max({dpe, port, sram});
    return blocksOfPe * (bound + (dpe + port + sram - bound) / 16) + drain;
  }

  const ChipSpec &spec;
  uint64_t m, n;
  unsigned elementBytes;
  uint64_t kBytes;
  uint64_t localBytes;
};

} // namespace

Result<GemmSchedule> chipwright::scheduleGemm(const ChipSpec &spec, uint64_t m,
                                              uint64_t n, uint64_t k,
                                              DType type) {
  if (spec.ls.bytes > reservedLocalBytes(spec)) {
    if (std::optional<GemmSchedule> found =
            Scheduler(spec, m, n, k, type).best()) {
      return *found;
    }
  }
  return Diagnostic{
      fmt::format("no blocks of a product fit the {} bytes of local memory of "
                  "{} (ls.bytes), {} of which are stacks and arguments; give "
                  "the PEs more",
                  spec.ls.bytes, spec.name, reservedLocalBytes(spec)),
      ExitDoesNotFit};
}
