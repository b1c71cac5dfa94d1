//===- WorkloadsMemory.cpp - Bound by DRAM, SRAM or the NoC ---------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/physics/Workload.h"

#include <fmt/format.h>

#include <cmath>

using namespace chipwright;
using namespace chipwright::physics;

namespace {

using Sets = std::vector<std::string>;

enum class Place { Dram, Sram };

} // namespace

static PlacementOptions placement(Place place) {
  return {
      place == Place::Dram ? MemoryChoice::Dram : MemoryChoice::Sram, {}, {}};
}

/// Every input byte is read once and every output byte written once.
static Demand moved(double bytesIn, double bytesOut, Place place) {
  Demand demand;
  demand.bytesIn = bytesIn;
  demand.bytesOut = bytesOut;
  (place == Place::Dram ? demand.dramBytes : demand.sramBytes) =
      bytesIn + bytesOut;
  return demand;
}

static Workload stream(Regime regime, Place place, uint64_t elements,
                       double reads, DType type, Sets sets) {
  KernelShape shape;
  shape.elements = elements;
  shape.readFraction = reads;
  shape.dtype = type;
  double bytes = double(elements) * dtypeBytes(type);
  Workload workload{fmt::format("stream {} MiB {:.0f}% reads {} {}",
                                bytes / (1 << 20), 100 * reads, dtypeName(type),
                                place == Place::Dram ? "dram" : "sram"),
                    regime, std::move(sets),
                    shipped("stream", shape, placement(place)),
                    [=](const ChipSpec &) {
                      return moved(bytes * reads, bytes * (1 - reads), place);
                    }};
  // Reads and writes of DRAM share a bus. How well their batches fit depends on
  // the lead that one stream has over the other, which lasts for the whole run:
  // the command-level reference takes 101.6 us for 16 MiB of fp32 with
  // se.lanes=16 (which writes later, as the values written come from the SE),
  // 106.8 us with 32 and 110.8 us with 64.
  if (place == Place::Dram && reads > 0 && reads < 1) {
    workload.tolerance = 1.05;
  }
  return workload;
}

/// copy, add, transpose: \p inputs arrays in, one out.
static Workload elementwise(Regime regime, Place place, const char *kernel,
                            unsigned inputs, uint64_t rows, uint64_t cols,
                            DType type, Sets sets) {
  KernelShape shape;
  if (std::string_view(kernel) == "transpose") {
    shape.rows = rows;
    shape.cols = cols;
  } else {
    shape.elements = rows * cols;
  }
  shape.dtype = type;
  double bytes = double(rows) * double(cols) * dtypeBytes(type);
  bool adds = std::string_view(kernel) == "add";
  return {fmt::format("{} {}x{} {} {}", kernel, rows, cols, dtypeName(type),
                      place == Place::Dram ? "dram" : "sram"),
          regime, std::move(sets), shipped(kernel, shape, placement(place)),
          [=](const ChipSpec &) {
            Demand demand = moved(inputs * bytes, bytes, place);
            demand.seSlots = adds ? double(rows) * double(cols) : 0;
            return demand;
          }};
}

static Workload rowwise(Regime regime, Place place, const char *kernel,
                        uint64_t rows, uint64_t cols, DType type, Sets sets) {
  KernelShape shape;
  shape.rows = rows;
  shape.cols = cols;
  shape.dtype = type;
  double elements = double(rows) * double(cols);
  bool isSoftmax = std::string_view(kernel) == "softmax";
  return {fmt::format("{} {}x{} {} {}", kernel, rows, cols, dtypeName(type),
                      place == Place::Dram ? "dram" : "sram"),
          regime, std::move(sets), shipped(kernel, shape, placement(place)),
          [=](const ChipSpec &) {
            Demand demand = moved(elements * dtypeBytes(type),
                                  elements * dtypeBytes(type), place);
            // At least one slot per pass over the row (WorkloadsEngine.cpp).
            demand.seSlots = elements * (isSoftmax ? 3 : 2);
            return demand;
          }};
}

static Sets with(Sets sets, std::initializer_list<const char *> more) {
  sets.insert(sets.end(), more.begin(), more.end());
  return sets;
}

// Sizes: the run must be long against its start, in which the PEs ask for data
// faster than the memory delivers; how that settles varies by a microsecond
// with everything that shifts their first requests.

std::vector<Workload> physics::dramWorkloads() {
  constexpr Regime r = Regime::Dram;
  constexpr Place d = Place::Dram;
  const Sets square = {"grid.rows=4", "grid.cols=4"};
  return {
      stream(r, d, 8 << 20, 1, DType::F16, {}),
      stream(r, d, 8 << 20, 0, DType::F16, {}),
      stream(r, d, 4 << 20, 0.5, DType::F32, {}),
      stream(r, d, 8 << 20, 1, DType::F16, {"dram.ecc=false"}),
      stream(r, d, 8 << 20, 0.75, DType::I8,
             {"dram.channels=4", "sram.banks=16"}),
      stream(r, d, 8 << 20, 1, DType::F16, {"dram.refresh=all_bank"}),
      elementwise(r, d, "copy", 1, 1, 2 << 20, DType::F16, {}),
      elementwise(r, d, "add", 2, 1, 1 << 20, DType::BF16, {}),
      elementwise(r, d, "copy", 1, 1, 1 << 20, DType::F32,
                  with(square, {"dram.channels=8"})),
      elementwise(r, d, "transpose", 1, 1024, 1024, DType::F16,
                  with(square, {"dram.channels=4", "sram.banks=16"})),
      rowwise(r, d, "rmsnorm", 2048, 1024, DType::F16, {}),
      rowwise(r, d, "softmax", 2048, 1024, DType::F16, {}),
  };
}

std::vector<Workload> physics::sramWorkloads() {
  constexpr Regime r = Regime::Sram;
  constexpr Place s = Place::Sram;
  const Sets few = {"dram.channels=4", "sram.banks=8"};
  const Sets narrow = {"sram.bank_bytes=8"};
  const Sets square = {"grid.rows=4", "grid.cols=4", "dram.channels=4",
                       "sram.banks=8", "sram.bank_bytes=16"};
  return {
      stream(r, s, 4 << 20, 1, DType::F16, few),
      stream(r, s, 4 << 20, 0, DType::F16, few),
      stream(r, s, 4 << 20, 0.5, DType::F16, few),
      stream(r, s, 2 << 20, 1, DType::F32, narrow),
      stream(r, s, 2 << 20, 0.5, DType::F32, narrow),
      stream(r, s, 2 << 20, 1, DType::F16, square),
      elementwise(r, s, "copy", 1, 1, 2 << 20, DType::F16, few),
      elementwise(r, s, "copy", 1, 1, 1 << 20, DType::I8, square),
      elementwise(r, s, "add", 2, 1, 1 << 20, DType::F16, few),
      elementwise(r, s, "add", 2, 1, 1 << 20, DType::F32, narrow),
      elementwise(r, s, "transpose", 1, 1024, 1024, DType::F32, few),
      rowwise(r, s, "rmsnorm", 2048, 1024, DType::F16, narrow),
  };
}

std::vector<Workload> physics::nocWorkloads() {
  constexpr Regime r = Regime::Noc;
  constexpr Place s = Place::Sram;
  const Sets narrow = {"noc.link_bytes=16"};
  const Sets thin = {"noc.link_bytes=8"};
  const Sets square = {"grid.rows=4", "grid.cols=4", "noc.link_bytes=16"};
  const Sets wide = {"grid.rows=2", "grid.cols=8", "noc.link_bytes=16"};
  return {
      stream(r, s, 4 << 20, 1, DType::F16, narrow),
      stream(r, s, 4 << 20, 0, DType::F16, narrow),
      stream(r, s, 4 << 20, 0.5, DType::F16, thin),
      stream(r, s, 2 << 20, 1, DType::F32, thin),
      stream(r, s, 2 << 20, 1, DType::I8, square),
      stream(r, s, 2 << 20, 0, DType::F16, wide),
      stream(r, s, 2 << 20, 1, DType::F16, wide),
      elementwise(r, s, "copy", 1, 1, 1 << 20, DType::F16, thin),
      elementwise(r, s, "copy", 1, 1, 1 << 20, DType::F16, square),
      elementwise(r, s, "add", 2, 1, 1 << 20, DType::F16, thin),
      elementwise(r, s, "transpose", 1, 1024, 1024, DType::F16, thin),
      rowwise(r, s, "rmsnorm", 8192, 512, DType::F32, thin),
  };
}
