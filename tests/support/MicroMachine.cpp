//===- MicroMachine.cpp ---------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/support/MicroMachine.h"

#include "chips/ResolvedChip.h"

#include <stdexcept>

using namespace chipwright;
using namespace chipwright::test;

ChipSpec test::chipWith(const Sets &sets, const std::string &base) {
  Result<ResolvedChip> chip = loadChip(base, sets);
  if (!chip) {
    throw std::runtime_error(chip.error().message);
  }
  return chip->spec;
}

Sets test::operator+(Sets a, const Sets &b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

static sim::MachineOptions optionsOf(sim::Mode mode, uint64_t shuffleSeed) {
  sim::MachineOptions options;
  options.mode = mode;
  options.shuffleSeed = shuffleSeed;
  options.maxCycles = 1 << 26; // a wrong test ends
  return options;
}

MicroMachine::MicroMachine(const ChipSpec &spec, sim::Mode mode,
                           uint64_t shuffleSeed)
    : chip(spec, optionsOf(mode, shuffleSeed)) {
  chip.declare("sram", kSramBase, kSramBytes, sim::BufferKind::Bulk);
  chip.declare("sram control", kSramControl, kControlBytes,
               sim::BufferKind::Control);
  chip.declare("dram", kDramBase, kDramBytes, sim::BufferKind::Bulk);
  chip.declare("dram control", kDramControl, kControlBytes,
               sim::BufferKind::Control);
  chip.declare("host", kHostBase, kHostBytes, sim::BufferKind::Bulk);
}

sim::JobResult MicroMachine::run(const HartProgram &program, unsigned rows,
                                 unsigned cols, bool writeBack) {
  return run(program.image(), rows, cols, writeBack);
}

sim::JobResult MicroMachine::run(const sim::KernelImage &image, unsigned rows,
                                 unsigned cols, bool writeBack,
                                 const std::vector<uint8_t> &arguments) {
  sim::Job job;
  job.image = &image;
  job.rows = rows;
  job.cols = cols;
  job.writeBack = writeBack;
  job.arguments = arguments;
  sim::JobResult result = chip.launch(job);
  if (!result.finished) {
    throw std::runtime_error(result.fault.text);
  }
  return result;
}
