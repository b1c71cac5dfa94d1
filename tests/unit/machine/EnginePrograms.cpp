//===- EnginePrograms.cpp - MLU, SE, DPE, RE, local memory ----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// CBs are filled by a push without data: timing does not depend on contents.
// A push issued before a command has taken effect when the command starts,
// since both spend the same time in the command processor.
//
//===----------------------------------------------------------------------===//

#include "tests/unit/machine/Microprograms.h"

#include "tests/unit/hart/Assembler.h"

#include <algorithm>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;
using sim::divideUp;
using sim::Op;

namespace {

constexpr uint32_t kHalf = 32 << 10; // of the local memory that is used

/// CB 0 with \p in bytes in it, CB 1 with room for \p out.
void inputAndOutput(HartCode &code, uint32_t in, uint32_t out) {
  code.cbSetup(0, 0, in).cbSetup(1, kHalf, out).cbPush(0, in);
}

/// E of a command that is the last one of \p code.
Cycle eligibleOfLast(const Micro &micro, const ChipSpec &spec,
                     const HartCode &code) {
  return eligible(spec, micro.program.reached(code) -
                            std::max(1u, spec.cp.launchCycles));
}

} // namespace

//===----------------------------------------------------------------------===//
// MLU
//===----------------------------------------------------------------------===//

Micro test::mluCopy(const ChipSpec &spec) {
  constexpr unsigned kRows = 16, kCols = 320;
  Micro micro(spec);
  HartCode &code = micro.program.main();
  inputAndOutput(code, kRows * kCols, kRows * kCols);
  isa::MluCommand mlu;
  mlu.cb = 0;
  mlu.rows = kRows;
  mlu.cols = kCols;
  mlu.elemBytes = 1;
  mlu.pitch = mlu.outPitch = kCols;
  mlu.outCb = 1;
  code.bind(0, mlu).go(Opcode::MluCopy, 0);
  // Row by row at mlu.bytes a cycle; every byte is read and written in local
  // memory; the last write lands ls.latency_cycles later.
  Cycle duration = kRows * divideUp(kCols, spec.mlu.bytes);
  Cycle finish = eligibleOfLast(micro, spec, code) +
                 bounded(spec, duration, 2 * kRows * kCols) +
                 spec.ls.latencyCycles;
  micro.cycles = kernelCycles(spec, finish);
  return micro;
}

Micro test::mluTranspose(const ChipSpec &spec) {
  constexpr unsigned kRows = 64, kCols = 80;
  Micro micro(spec);
  HartCode &code = micro.program.main();
  inputAndOutput(code, kRows * kCols * 2, kRows * kCols * 2);
  isa::MluCommand mlu;
  mlu.cb = 0;
  mlu.rows = kRows;
  mlu.cols = kCols;
  mlu.elemBytes = 2;
  mlu.pitch = kCols * 2;
  mlu.outPitch = kRows * 2;
  mlu.outCb = 1;
  code.bind(0, mlu).go(Opcode::MluTranspose, 0);
  // Tile by tile: its rows are read, then its columns are written. Tiles at
  // the edge are smaller.
  Cycle duration = 0;
  for (unsigned r = 0; r < kRows; r += spec.mlu.tile) {
    for (unsigned c = 0; c < kCols; c += spec.mlu.tile) {
      Cycle rows = std::min(spec.mlu.tile, kRows - r);
      Cycle cols = std::min(spec.mlu.tile, kCols - c);
      duration += rows * divideUp(cols * 2, spec.mlu.bytes) +
                  cols * divideUp(rows * 2, spec.mlu.bytes);
    }
  }
  Cycle finish = eligibleOfLast(micro, spec, code) +
                 bounded(spec, duration, 4 * kRows * kCols) +
                 spec.ls.latencyCycles;
  micro.cycles = kernelCycles(spec, finish);
  return micro;
}

//===----------------------------------------------------------------------===//
// SE
//===----------------------------------------------------------------------===//

static isa::SeCommand simd(unsigned rows, unsigned cols) {
  isa::SeCommand se;
  se.rows = rows;
  se.cols = cols;
  se.pitch = se.outPitch = cols * 4;
  se.store = 1;
  se.outCb = 1;
  return se;
}

/// Slots of \p slots, then pipeline and write.
static Cycle simdFinish(const ChipSpec &spec, Cycle start, unsigned rows,
                        unsigned cols, Cycle slots) {
  Cycle duration = rows * divideUp(cols, spec.se.lanes) * slots;
  return start + bounded(spec, duration, uint64_t(rows) * cols * 8) +
         spec.se.fillCycles + spec.ls.latencyCycles;
}

Micro test::simdChain(const ChipSpec &spec) {
  constexpr unsigned kRows = 6, kCols = 192;
  Micro micro(spec);
  HartCode &code = micro.program.main();
  inputAndOutput(code, kRows * kCols * 4, kRows * kCols * 4);
  isa::SeCommand se = simd(kRows, kCols);
  se.scale = 1;
  se.scaleImm = 0x3f800000;
  se.y1Kind = 4; // immediate
  se.f = 1;      // exp
  se.y2Kind = 4;
  code.bind(0, se).go(Opcode::Se, 0);
  // Four operations on each element: scale, first operand, exp, second one.
  Cycle slots = divideUp(4, spec.se.opsPerSlot);
  micro.cycles =
      kernelCycles(spec, simdFinish(spec, eligibleOfLast(micro, spec, code),
                                    kRows, kCols, slots));
  return micro;
}

Micro test::simdReciprocal(const ChipSpec &spec) {
  constexpr unsigned kRows = 6, kCols = 192;
  Micro micro(spec);
  HartCode &code = micro.program.main();
  inputAndOutput(code, kRows * kCols * 4, kRows * kCols * 4);
  isa::SeCommand se = simd(kRows, kCols);
  se.f = 2; // reciprocal: slots of its own beside the one that every chain has
  code.bind(0, se).go(Opcode::Se, 0);
  micro.cycles =
      kernelCycles(spec, simdFinish(spec, eligibleOfLast(micro, spec, code),
                                    kRows, kCols, 1 + spec.se.divSlots));
  return micro;
}

Micro test::rowTopk(const ChipSpec &spec) {
  constexpr unsigned kRows = 5, kCols = 96, kValues = 3;
  Micro micro(spec);
  HartCode &code = micro.program.main();
  inputAndOutput(code, kRows * kCols * 4, kRows * kValues * 4);
  code.cbSetup(2, 2 * kHalf, kRows * kValues * 4);
  isa::RowTopkCommand topk;
  topk.rows = kRows;
  topk.cols = kCols;
  topk.k = kValues;
  topk.pitch = kCols * 4;
  topk.outCb = 1;
  topk.outPitch = topk.idxPitch = kValues * 4;
  topk.idxCb = 2;
  code.bind(0, topk).go(Opcode::RowTopk, 0);
  // One scan of a row per value.
  Cycle duration = kRows * divideUp(kCols, spec.se.lanes) * kValues;
  uint64_t bytes = kRows * (kCols + 2 * kValues) * 4;
  Cycle finish = eligibleOfLast(micro, spec, code) +
                 bounded(spec, duration, bytes) + spec.se.fillCycles +
                 spec.ls.latencyCycles;
  micro.cycles = kernelCycles(spec, finish);
  return micro;
}

//===----------------------------------------------------------------------===//
// DPE and RE
//===----------------------------------------------------------------------===//

/// One pass of full size out of CB 0 (streamed) and CB 1 (cached).
static isa::MmlCommand fullPass(const ChipSpec &spec, unsigned streamed,
                                DType type = DType::F16) {
  isa::MmlCommand mml;
  mml.aCb = 0;
  mml.bCb = 1;
  mml.aPitch = mml.bPitch = spec.dpe.kBytes;
  mml.aRows = streamed;
  mml.bRows = spec.dpe.tiles * spec.dpe.tileRows;
  mml.passes = 1;
  mml.aDtype = mml.bDtype = uint32_t(type);
  return mml;
}

/// Both operands of \p count passes, each in its CB.
static void matrixOperands(const ChipSpec &spec, HartCode &code,
                           unsigned streamed, unsigned count) {
  uint32_t a = streamed * spec.dpe.kBytes;
  uint32_t b = spec.dpe.tiles * spec.dpe.tileRows * spec.dpe.kBytes * count;
  code.cbSetup(0, 0, a).cbSetup(1, kHalf, b).cbPush(0, a).cbPush(1, b);
}

/// Cycles that the loader of the DPE takes for one cached operand.
static Cycle loadCycles(const ChipSpec &spec) {
  uint64_t bytes =
      uint64_t(spec.dpe.tiles) * spec.dpe.tileRows * spec.dpe.kBytes;
  return bounded(spec, divideUp(bytes, spec.dpe.loadBytes), bytes);
}

/// \p count passes of \p streamed rows, each with a cached operand of its own.
/// \returns the end of the last one's stream.
static Cycle passes(const ChipSpec &spec, Micro &micro, unsigned streamed,
                    unsigned count, DType type = DType::F16) {
  HartCode &code = micro.program.main();
  matrixOperands(spec, code, streamed, count);
  uint64_t bytes =
      uint64_t(spec.dpe.tiles) * spec.dpe.tileRows * spec.dpe.kBytes;
  constexpr unsigned kWord = 8, kStep = 9;
  code.constant(kWord, 0).constant(kStep, bytes << 24); // b_offset
  isa::MmlCommand mml = fullPass(spec, streamed, type);
  Cycle duration = bounded(spec, std::max(streamed, spec.dpe.minPassCycles), 0);
  Cycle load = loadCycles(spec);
  Cycle loaderFree = 0, streamStart = 0, streamEnd = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (i == 0 || spec.cp.contexts == 0) {
      code.bind(0, mml);
    }
    code.goWith(Opcode::Mml, 0, kWord);
    Cycle start = eligibleOfLast(micro, spec, code);
    code.plain(rType(Op::Add, kWord, kWord, kStep));
    // A command is accepted once the one before has begun to stream. Its
    // operand is loaded into the spare half of the operand cache, free by
    // then, while the other streams.
    start = std::max({start, streamStart, loaderFree});
    Cycle loaded = start + load;
    loaderFree = loaded;
    streamStart = std::max(loaded, streamEnd);
    streamEnd = streamStart + duration;
  }
  return streamEnd;
}

Micro test::matrixPass(const ChipSpec &spec) {
  Micro micro(spec);
  // Load, then a full stream.
  micro.cycles =
      kernelCycles(spec, passes(spec, micro, spec.dpe.streamRows, 1));
  return micro;
}

/// Types change what a pass multiplies, not how long it takes.
Micro test::matrixPassInt8(const ChipSpec &spec) {
  Micro micro(spec);
  micro.cycles = kernelCycles(
      spec, passes(spec, micro, spec.dpe.streamRows, 1, DType::I8));
  return micro;
}

Micro test::matrixPassTf32(const ChipSpec &spec) {
  Micro micro(spec);
  micro.cycles = kernelCycles(
      spec, passes(spec, micro, spec.dpe.streamRows, 1, DType::TF32));
  return micro;
}

Micro test::matrixLoadBound(const ChipSpec &spec) {
  Micro micro(spec);
  // Half the streamed rows: on most chips the load takes longer.
  micro.cycles =
      kernelCycles(spec, passes(spec, micro, spec.dpe.streamRows / 2, 8));
  return micro;
}

Micro test::matrixShortPasses(const ChipSpec &spec) {
  // Passes of two rows that share one cached operand: the array takes
  // dpe.min_pass_cycles for each, unless the hart is slower.
  constexpr unsigned kRows = 2, kCount = 12;
  Micro micro(spec);
  HartCode &code = micro.program.main();
  matrixOperands(spec, code, kRows, 1);
  isa::MmlCommand mml = fullPass(spec, kRows);
  Cycle duration = std::max(kRows, spec.dpe.minPassCycles);
  Cycle streamEnd = 0, streamStart = 0;
  for (unsigned i = 0; i < kCount; ++i) {
    if (i == 0 || spec.cp.contexts == 0) {
      code.bind(0, mml);
    }
    code.go(Opcode::Mml, 0);
    Cycle start = std::max(eligibleOfLast(micro, spec, code), streamStart);
    Cycle loaded = i == 0 ? start + loadCycles(spec) : start;
    streamStart = std::max(loaded, streamEnd);
    streamEnd = streamStart + duration;
  }
  micro.cycles = kernelCycles(spec, streamEnd);
  return micro;
}

Micro test::matrixDrain(const ChipSpec &spec) {
  Micro micro(spec);
  HartCode &code = micro.program.main();
  Cycle streamEnd = passes(spec, micro, spec.dpe.streamRows, 1);
  unsigned rows = spec.dpe.streamRows;
  unsigned cols = spec.dpe.tiles * spec.dpe.tileRows;
  code.cbSetup(2, 2 * kHalf, rows * cols * 4);
  isa::SeCommand drain; // of bank 0
  drain.rows = rows;
  drain.cols = cols;
  drain.store = 1;
  drain.outCb = 2;
  drain.outPitch = cols * 4;
  drain.scale = 1;
  drain.y1Kind = 4; // immediate
  drain.f = 5;      // silu
  // On a chip without contexts the one set of fields is clear again.
  unsigned ctx = spec.cp.contexts ? 1 : 0;
  code.bind(ctx, drain).go(Opcode::Drain, ctx);
  // The bank is read once the last products have landed. The chain of three
  // operations takes as many read-outs as re.drain_ops makes of it; the values
  // pass the SE's pipeline on the way out.
  Cycle landed = streamEnd + spec.ls.latencyCycles + spec.dpe.pipelineCycles;
  Cycle start = std::max(eligibleOfLast(micro, spec, code), landed);
  Cycle readOuts = spec.re.drainOps == 0 ? 3 : divideUp(3, spec.re.drainOps);
  Cycle duration = rows * divideUp(cols, spec.re.drainElements) * readOuts;
  Cycle finish = start + bounded(spec, duration, uint64_t(rows) * cols * 4) +
                 spec.se.fillCycles + spec.ls.latencyCycles;
  micro.cycles = kernelCycles(spec, finish);
  return micro;
}

Micro test::bankPreload(const ChipSpec &spec) {
  // A bank is set from a vector, then multiplied into: the first product waits
  // for the end of the preload.
  Micro micro(spec);
  HartCode &code = micro.program.main();
  unsigned rows = spec.dpe.streamRows;
  unsigned cols = spec.dpe.tiles * spec.dpe.tileRows;
  matrixOperands(spec, code, rows, 1);
  code.cbSetup(2, 2 * kHalf, cols * 4).cbPush(2, cols * 4);
  isa::MmlCommand mml = fullPass(spec, rows);
  mml.accumulate = 1;
  isa::BankInitCommand init;
  init.cb = 2;
  init.pitch = cols * 4;
  init.kind = uint32_t(isa::BankInitKind::PerCol);
  init.rows = rows;
  init.cols = cols;
  if (spec.cp.contexts != 0) {
    code.bind(0, mml);
  }
  code.bind(spec.cp.contexts ? 1 : 0, init);
  code.go(Opcode::BankInit, spec.cp.contexts ? 1 : 0);
  Cycle preload =
      bounded(spec, rows * divideUp(cols, spec.re.drainElements), cols * 4);
  Cycle preloaded = eligibleOfLast(micro, spec, code) + preload;
  if (spec.cp.contexts == 0) {
    code.bind(0, mml);
  }
  code.go(Opcode::Mml, 0);
  Cycle loaded = eligibleOfLast(micro, spec, code) + loadCycles(spec);
  Cycle finish =
      std::max(preloaded, loaded) + std::max(rows, spec.dpe.minPassCycles);
  micro.cycles = kernelCycles(spec, finish);
  return micro;
}

//===----------------------------------------------------------------------===//
// Local memory
//===----------------------------------------------------------------------===//

Micro test::localContention(const ChipSpec &spec) {
  // A copy and an SE command at once. The copy came first and keeps its rate;
  // the SE gets what is left, and all once the copy has ended.
  constexpr unsigned kRows = 8, kCols = 512;
  Micro micro(spec);
  HartCode &code = micro.program.main();
  inputAndOutput(code, kRows * kCols * 4, kRows * kCols * 4);
  code.cbSetup(2, 2 * kHalf, kRows * kCols * 4);
  isa::MluCommand mlu;
  mlu.rows = kRows;
  mlu.cols = kCols * 4;
  mlu.elemBytes = 1;
  mlu.pitch = mlu.outPitch = kCols * 4;
  mlu.outCb = 2;
  bool contexts = spec.cp.contexts != 0;
  isa::SeCommand se = simd(kRows, kCols);
  if (contexts) {
    code.bind(1, se);
  }
  code.bind(0, mlu).go(Opcode::MluCopy, 0);
  Cycle copyStart = eligibleOfLast(micro, spec, code);
  if (!contexts) {
    code.bind(0, se);
  }
  code.go(Opcode::Se, contexts ? 1 : 0);
  Cycle simdStart = eligibleOfLast(micro, spec, code);

  const uint64_t bytes = kRows * kCols * 8; // read and written, each command
  const uint64_t capacity = uint64_t(spec.ls.banks) * spec.ls.bankBytes;
  Cycle copyTime = kRows * divideUp(kCols * 4, spec.mlu.bytes);
  Cycle simdTime = kRows * divideUp(kCols, spec.se.lanes);
  uint64_t copyRate = std::min(divideUp(bytes, copyTime), capacity);
  uint64_t simdRate = std::min(divideUp(bytes, simdTime), capacity);
  Cycle copyMoved = copyStart + divideUp(bytes, copyRate);
  Cycle copyEnd = std::max(copyStart + copyTime, copyMoved);
  uint64_t left = bytes;
  Cycle moved = simdStart;
  if (moved < copyMoved) {
    uint64_t rate = std::min(simdRate, capacity - copyRate);
    uint64_t share = std::min(left, rate * (copyMoved - moved));
    moved =
        rate != 0 && share == left ? moved + divideUp(left, rate) : copyMoved;
    left -= share;
  }
  moved += divideUp(left, simdRate);
  Cycle simdEnd = std::max(simdStart + simdTime, moved);
  micro.cycles =
      kernelCycles(spec, std::max(copyEnd, simdEnd + spec.se.fillCycles) +
                             spec.ls.latencyCycles);
  return micro;
}
