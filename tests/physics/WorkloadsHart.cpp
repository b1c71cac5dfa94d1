//===- WorkloadsHart.cpp - Bound by issue or by latency -------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "dialects/isa/Xpe.h"
#include "tests/physics/Workload.h"
#include "tests/physics/kernels/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

using namespace chipwright;
using namespace chipwright::physics;

using Sets = std::vector<std::string>;

//===----------------------------------------------------------------------===//
// Issue
//===----------------------------------------------------------------------===//

namespace {

struct TinyKind {
  const char *name;
  isa::Opcode opcode;
  /// Fields that tiny.c fills with something other than 0.
  unsigned fields;
};

} // namespace

/// By TINY_*.
static constexpr TinyKind tinyKinds[] = {
    {"se", isa::Opcode::Se, 4},              // x, shape, operations, out
    {"mml", isa::Opcode::Mml, 5},            // a, b, shape, bank, steps
    {"bank.init", isa::Opcode::BankInit, 2}, // shape, bank
    {"mlu.copy", isa::Opcode::MluCopy, 3},   // x, shape, out
    {"drain", isa::Opcode::Drain, 3},        // shape, operations, out
};

static Workload tiny(unsigned kind, unsigned count, Sets sets) {
  const TinyKind &info = tinyKinds[kind];
  std::string chip;
  for (const std::string &set : sets) {
    chip += " " + set;
  }
  return {
      fmt::format("tiny {}", info.name), Regime::Issue, std::move(sets),
      local("tiny.c", {{"TINY_KIND", std::to_string(kind)}}, count_args{count}),
      [=](const ChipSpec &spec) {
        unsigned writes =
            spec.cp.contexts == 0
                ? info.fields
                : unsigned(std::popcount(isa::fieldMask(info.opcode)));
        Demand demand;
        demand.hartCycles =
            double(count) * TINY_UNROLL * commandCycles(spec, writes);
        return demand;
      }};
}

static Workload instructions(unsigned kind, unsigned count, Sets sets) {
  static constexpr const char *names[] = {"add", "xpe.set", "xpe.cb.push/pop"};
  return {fmt::format("instructions {}", names[kind]), Regime::Issue,
          std::move(sets),
          local("instructions.c", {{"INSTRUCTION_KIND", std::to_string(kind)}},
                count_args{count}),
          [=](const ChipSpec &spec) {
            double cycles = kind == INSTRUCTION_ADD ? 1
                            : kind == INSTRUCTION_SET
                                ? std::max(1u, spec.cp.writeCycles)
                                : commandCycles(spec, 0);
            Demand demand;
            demand.hartCycles = double(count) * INSTRUCTION_UNROLL * cycles;
            return demand;
          }};
}

std::vector<Workload> physics::issueWorkloads() {
  const Sets none = {"cp.contexts=0"};
  const Sets slow = {"cp.contexts=0", "cp.write_cycles=6"};
  const Sets fast = {"cp.write_cycles=1"};
  const Sets small = {"grid.rows=2", "grid.cols=2"};
  return {
      tiny(TINY_SE, 60, {}),
      tiny(TINY_SE, 120, none),
      tiny(TINY_SE, 100, fast),
      tiny(TINY_MML, 60, none),
      tiny(TINY_MML, 60, slow),
      tiny(TINY_MLU, 150, none),
      tiny(TINY_MLU, 150, {}),
      tiny(TINY_BANK_INIT, 200, small),
      tiny(TINY_DRAIN, 120, none),
      tiny(TINY_DRAIN, 60, {}),
      instructions(INSTRUCTION_ADD, 400, {}),
      instructions(INSTRUCTION_SET, 100, {}),
      instructions(INSTRUCTION_POINTER, 400, {}),
  };
}

//===----------------------------------------------------------------------===//
// Latency
//===----------------------------------------------------------------------===//

/// Cycles of one step of chain.c, at least.
static double stepCycles(const ChipSpec &spec, unsigned kind) {
  double command = commandCycles(spec, 0) + spec.cp.dispatchCycles;
  double hops = double(spec.grid.rows + spec.grid.cols - 2);
  double simd = spec.se.fillCycles + spec.ls.latencyCycles;
  switch (kind) {
  case CHAIN_BARRIER:
    // Wherever the root is, a PE is half the way across the grid from it.
    return 2.0 * (spec.grid.rows / 2 + spec.grid.cols / 2) *
               spec.control.barrierHopCycles +
           spec.control.barrierCycles;
  case CHAIN_SEMAPHORE:
    return 2 * (command + hops * spec.noc.hopCycles + spec.cp.atomicCycles);
  case CHAIN_READ:
    return command + memoryTripCycles(spec) + spec.sram.latencyCycles +
           spec.ls.latencyCycles;
  case CHAIN_WRITE:
    return command + spec.ls.latencyCycles + memoryTripCycles(spec) +
           spec.sram.latencyCycles;
  case CHAIN_LOAD:
    return memoryTripCycles(spec) + spec.sram.latencyCycles;
  case CHAIN_SE:
    return 1 + simd;
  case CHAIN_MML:
    return spec.dpe.minPassCycles + spec.ls.latencyCycles +
           spec.dpe.pipelineCycles + 1 + simd;
  case CHAIN_DIVIDE:
    return spec.hart.divCycles;
  default:
    return spec.hart.mulCycles;
  }
}

/// Instructions of a step that one hart issues, at least.
static double stepInstructions(unsigned kind) {
  switch (kind) {
  case CHAIN_SEMAPHORE:
    return 2;
  case CHAIN_READ:
  case CHAIN_WRITE:
  case CHAIN_SE:
    return 3;
  case CHAIN_MML:
    return 4;
  default:
    return 1;
  }
}

static Workload chain(unsigned kind, unsigned count, Sets sets) {
  static constexpr const char *names[] = {"barrier",   "semaphore", "read",
                                          "write",     "load",      "se",
                                          "mml+drain", "div",       "mul"};
  bool isLinked = kind == CHAIN_LOAD;
  // READ and WRITE go 256 bytes further in every step, each PE from another
  // start; a list is longer than the data cache.
  uint64_t buffer = kind == CHAIN_READ || kind == CHAIN_WRITE
                        ? uint64_t(count + 64) * 256
                    : isLinked ? 64 << 10
                               : 0;
  return {fmt::format("chain {}", names[kind]), Regime::Latency,
          std::move(sets),
          local("chain.c", {{"CHAIN_KIND", std::to_string(kind)}},
                chain_args{0, count}, buffer, isLinked),
          [=](const ChipSpec &spec) {
            Demand demand;
            demand.chainCycles = count * stepCycles(spec, kind);
            demand.hartCycles = count * stepInstructions(kind);
            return demand;
          }};
}

static Workload empty(Sets sets) {
  return {"empty", Regime::Latency, std::move(sets),
          shipped("empty", {}, {MemoryChoice::Auto, {}, {}}),
          [](const ChipSpec &) { return Demand(); }};
}

std::vector<Workload> physics::latencyWorkloads() {
  const Sets small = {"grid.rows=2", "grid.cols=2"};
  const Sets far = {"noc.hop_cycles=5", "noc.crossbar_cycles=20"};
  return {
      empty({}),
      empty(small),
      chain(CHAIN_BARRIER, 100, {}),
      chain(CHAIN_BARRIER, 200, small),
      chain(CHAIN_SEMAPHORE, 100, {}),
      chain(CHAIN_SEMAPHORE, 200, small),
      chain(CHAIN_READ, 100, {}),
      chain(CHAIN_READ, 100, far),
      chain(CHAIN_WRITE, 100, {}),
      chain(CHAIN_LOAD, 200, {}),
      chain(CHAIN_LOAD, 200, far),
      chain(CHAIN_SE, 300, {}),
      chain(CHAIN_MML, 200, {}),
      chain(CHAIN_DIVIDE, 500, {}),
      chain(CHAIN_MULTIPLY, 4000, small),
  };
}
