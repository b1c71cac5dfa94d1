//===- ProgramGenerator.h - Makes random tile programs ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Internal to randomProgram(). TileProgram.cpp makes regions, loads and
// stores, TileCommands.cpp what hart 1 computes.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_PROGRAMGENERATOR_H
#define CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_PROGRAMGENERATOR_H

#include "tests/diff/command_processor/TileProgram.h"

#include "chips/ChipSpec.h"

#include <utility>
#include <vector>

namespace chipwright::test {

/// The encoding of an element type in command fields.
inline uint32_t code(DType type) { return static_cast<uint32_t>(type); }

class ProgramGenerator {
public:
  ProgramGenerator(Random &random, const ProgramLimits &limits)
      : random(random), limits(limits) {}

  TileProgram generate();

private:
  /// Everything that follows from the loops around a step.
  struct Region {
    std::vector<Step> *steps;
    bool rowUniform, colUniform;      // counts agree along rows, columns of PEs
    std::vector<unsigned> executions; // of the region, per PE
    unsigned depth;
  };

  void fillRegion(Region &region);
  void randomStep(Region &region);
  void loop(Region &region);
  void load(Region &region, uint8_t ring);
  void store(Region &region, uint8_t ring);
  void pop(Region &region, uint8_t ring, unsigned slots);
  void compute(Region &region);
  void fillSlots(Region &region, uint8_t ring);
  void produce(Region &region, uint8_t ring, uint32_t at, uint32_t bytes);
  void simd(Region &region, uint8_t ring, uint32_t at, uint32_t bytes);
  void move(Region &region, uint8_t ring, uint32_t at, uint32_t bytes);
  bool product(Region &region, uint8_t ring, uint32_t at, uint32_t bytes);
  void reduceRows(Region &region);
  void skew(Region &region);
  void topk(Region &region);
  void chainOperands(isa::SeCommand &se, unsigned outBytes);
  void push(Region &region, uint8_t ring, unsigned slots);
  template <typename T>
  void command(Region &region, isa::Opcode opcode, const T &operands);

  /// A slot that hart 1 may read: ring and offset of the slot.
  struct Place {
    uint32_t cb, offset;
  };
  bool anyReadable() const;
  Place readable(uint32_t bytes);
  uint8_t someMiddle() {
    return static_cast<uint8_t>(
        random.range(firstMiddle, program.rings.size() - 1));
  }
  DType someType(unsigned maxBytes);
  unsigned addControl();
  unsigned numPes() const { return program.numPes(); }

  Random &random;
  const ProgramLimits &limits;
  TileProgram program;
  uint32_t slot = 0;
  uint8_t firstMiddle = 0;
  std::vector<unsigned> occupied; // slots by ring
  unsigned budget = 0;            // steps that may still be made
  bool readsEarlier = false;      // loads may read what phase 1 stored
  uint64_t outUsed = 0, outOfPhases = 0;
};

template <typename T>
void ProgramGenerator::command(Region &region, isa::Opcode opcode,
                               const T &operands) {
  Step step{};
  step.kind = Step::Kind::Command;
  step.opcode = opcode;
  step.operands = operands;
  region.steps->push_back(std::move(step));
}

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_PROGRAMGENERATOR_H
