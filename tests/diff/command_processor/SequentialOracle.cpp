//===- SequentialOracle.cpp -----------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/command_processor/SequentialOracle.h"

#include "sim/numerics/BankCommand.h"
#include "sim/numerics/Element.h"
#include "sim/numerics/MatrixPass.h"
#include "sim/numerics/MoveCommand.h"
#include "sim/numerics/RowTopk.h"
#include "sim/numerics/SimdCommand.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

using namespace chipwright;
using namespace chipwright::test;
using namespace chipwright::sim;
using isa::Opcode;

namespace {

struct Stream {
  std::vector<uint8_t> data;
  uint64_t writer = 0, reader = 0;
};

class PeOracle {
public:
  PeOracle(const TileProgram &program, const ChipSpec &spec, unsigned pe,
           const std::vector<uint8_t> &in, OracleResult &result)
      : program(program), spec(spec), record(program.control[pe]), in(in),
        result(result), operations(result.operations[pe]),
        streams(program.rings.size()), executed(program.statements, 0),
        bankPitch(size_t(spec.dpe.tiles) * spec.dpe.tileRows),
        banks(spec.re.banks,
              std::vector<uint32_t>(spec.dpe.streamRows * bankPitch)) {}

  /// Runs the steps of phase \p phase.
  void runPhase(unsigned phase) {
    unsigned at = 0;
    for (const Step &step : program.steps) {
      if (step.kind == Step::Kind::Phase) {
        if (at++ == phase) {
          HartOperation op{};
          op.kind = HartOperation::Kind::Phase;
          operations[0].push_back(op);
          operations[1].push_back(op);
        }
      } else if (at == phase) {
        run(step);
      }
    }
  }

  void finish() {
    for (size_t ring = 0; ring < streams.size(); ++ring) {
      if (streams[ring].writer != streams[ring].reader) {
        fail("a ring is not empty at the end");
      }
    }
  }

private:
  void fail(const char *text) {
    if (result.error.empty()) {
      result.error = text;
    }
  }

  void run(const Step &step);
  void command(const Step &step);
  void dmaIn(const Step &step, isa::DmaInCommand dma);
  void dmaOut(const Step &step, const isa::DmaOutCommand &dma);
  void mml(const isa::MmlCommand &mml);
  void bankInit(const isa::BankInitCommand &init);
  void simd(const isa::SeCommand &se, bool drain);
  void topk(const isa::RowTopkCommand &topk);
  void move(const isa::MluCommand &mlu, bool transpose);

  uint64_t pushed(uint8_t ring, uint64_t bytes, unsigned hart) {
    streams[ring].writer += bytes;
    reach(ring, bytes);
    return note(HartOperation::Kind::Push, ring, bytes, hart);
  }
  uint64_t popped(uint8_t ring, uint64_t bytes, unsigned hart) {
    streams[ring].reader += bytes;
    reach(ring, bytes);
    if (streams[ring].reader > streams[ring].writer) {
      fail("more is popped than was pushed");
    }
    return note(HartOperation::Kind::Pop, ring, bytes, hart);
  }
  uint64_t note(HartOperation::Kind kind, uint8_t ring, uint64_t bytes,
                unsigned hart) {
    HartOperation op{};
    op.kind = kind;
    op.cb = ring;
    op.bytes = bytes;
    operations[hart].push_back(std::move(op));
    return bytes;
  }

  uint8_t *input(uint32_t ring, uint32_t offset, uint64_t bytes);
  uint8_t *output(uint32_t ring, uint32_t offset, uint64_t bytes);
  void reach(uint32_t ring, uint64_t bytes) {
    unsigned slots = unsigned(divide(bytes, program.rings[ring].slotBytes));
    result.reachSlots[ring] = std::max(result.reachSlots[ring], slots);
  }
  static uint64_t divide(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

  SimdSource source(uint32_t ring, uint32_t offset, uint32_t pitch,
                    uint32_t dtype, uint64_t rows, uint64_t rowBytes) {
    return {input(ring, offset, (rows - 1) * pitch + rowBytes), pitch,
            static_cast<DType>(dtype)};
  }

  const TileProgram &program;
  const ChipSpec &spec;
  const std::vector<uint64_t> &record;
  const std::vector<uint8_t> &in;
  OracleResult &result;
  std::array<std::vector<HartOperation>, 2> &operations;
  std::vector<Stream> streams;
  std::vector<uint64_t> executed; // by DMA statement
  size_t bankPitch;
  std::vector<std::vector<uint32_t>> banks;
  HartOperation current;
};

uint8_t *PeOracle::input(uint32_t ring, uint32_t offset, uint64_t bytes) {
  Stream &stream = streams[ring];
  uint64_t begin = stream.reader + offset;
  if (begin + bytes > stream.writer) {
    fail("something is read that was not pushed");
    stream.data.resize(std::max<size_t>(stream.data.size(), begin + bytes));
  }
  current.inputs.push_back({uint8_t(ring), begin + bytes});
  reach(ring, offset + bytes);
  return stream.data.data() + begin;
}

uint8_t *PeOracle::output(uint32_t ring, uint32_t offset, uint64_t bytes) {
  Stream &stream = streams[ring];
  uint64_t begin = stream.writer + offset;
  if (stream.data.size() < begin + bytes) {
    // Other pointers into the stream may be in use; see reserve below.
    stream.data.resize(begin + bytes);
  }
  current.outputs.push_back({uint8_t(ring), begin + bytes});
  reach(ring, offset + bytes);
  unsigned slots = unsigned(
      divide(begin + bytes - stream.reader, program.rings[ring].slotBytes));
  result.peakSlots[ring] = std::max(result.peakSlots[ring], slots);
  return stream.data.data() + begin;
}

void PeOracle::run(const Step &step) {
  switch (step.kind) {
  case Step::Kind::Loop:
    for (uint64_t i = 0; i < record[step.control]; ++i) {
      for (const Step &inner : step.body) {
        run(inner);
      }
    }
    return;
  case Step::Kind::Command:
    command(step);
    return;
  case Step::Kind::Push:
    pushed(step.cb, step.bytes, 1);
    return;
  case Step::Kind::Pop:
    popped(step.cb, step.bytes, 1);
    return;
  case Step::Kind::Scalar: {
    // The value itself is the loop's count, which the record holds too.
    Stream &stream = streams[step.cb];
    note(HartOperation::Kind::Reserve, step.cb, stream.writer + kScalarBytes,
         0);
    current = {};
    output(step.cb, 0, kScalarBytes);
    pushed(step.cb, kScalarBytes, 0);
    note(HartOperation::Kind::Wait, step.cb, stream.reader + kScalarBytes, 1);
    popped(step.cb, kScalarBytes, 1);
    return;
  }
  case Step::Kind::Phase:
    return;
  }
}

void PeOracle::command(const Step &step) {
  ++result.commands;
  current = {};
  current.kind = HartOperation::Kind::Command;
  current.engine = static_cast<unsigned>(isa::instInfo(step.opcode).engine);
  // A command's pointers into streams must stay valid while all of its
  // operands are taken.
  for (Stream &stream : streams) {
    stream.data.reserve(stream.writer + 16 * 1024);
  }
  switch (step.opcode) {
  case Opcode::DmaIn:
    dmaIn(step, std::get<isa::DmaInCommand>(step.operands));
    break;
  case Opcode::DmaOut:
    dmaOut(step, std::get<isa::DmaOutCommand>(step.operands));
    break;
  case Opcode::Mml:
    mml(std::get<isa::MmlCommand>(step.operands));
    break;
  case Opcode::BankInit:
    bankInit(std::get<isa::BankInitCommand>(step.operands));
    break;
  case Opcode::RowTopk:
    topk(std::get<isa::RowTopkCommand>(step.operands));
    break;
  case Opcode::MluCopy:
  case Opcode::MluTranspose:
    move(std::get<isa::MluCommand>(step.operands),
         step.opcode == Opcode::MluTranspose);
    break;
  default:
    simd(std::get<isa::SeCommand>(step.operands), step.opcode == Opcode::Drain);
    break;
  }
  operations[step.hart].push_back(current);
}

void PeOracle::dmaIn(const Step &step, isa::DmaInCommand dma) {
  uint64_t address =
      record[step.control] + executed[step.statement]++ * step.stride;
  if (step.multicast) {
    current.mcast = record[step.control + 1] >> 8 & 3;
    current.mask = record[step.control + 2];
  }
  uint32_t bytes = dma.rows * dma.rowBytes;
  uint8_t *to = output(dma.cb, 0, bytes);
  current.movesWriter = true;
  current.cb = uint8_t(dma.cb);
  current.bytes = bytes;
  uint8_t pattern[4] = {};
  auto type = static_cast<DType>(dma.fillDtype);
  if (dma.fill == 1) {
    float minusInfinity = -std::numeric_limits<float>::infinity();
    storeRow(type, &minusInfinity, pattern, 1);
  }
  const MemoryPlan &memory = program.memory;
  bool fromOut =
      address >= memory.outBase && address < memory.outBase + memory.outBytes;
  const std::vector<uint8_t> &from = fromOut ? result.out : in;
  uint64_t base = fromOut ? memory.outBase : memory.inBase;
  for (uint32_t row = 0; row < dma.rows; ++row) {
    uint32_t valid = row < dma.validRows ? dma.validBytes : 0;
    uint64_t at = address + uint64_t(dma.pitch * int64_t(row)) - base;
    if (valid != 0 && at + valid > from.size()) {
      fail("a load leaves its buffer");
      return;
    }
    std::copy_n(from.data() + at, valid, to);
    for (uint32_t i = valid; i < dma.rowBytes; ++i) {
      to[i] = pattern[(i - valid) % elementBytes(type)];
    }
    to += dma.rowBytes;
  }
  streams[dma.cb].writer += bytes;
}

void PeOracle::dmaOut(const Step &step, const isa::DmaOutCommand &dma) {
  uint64_t address =
      record[step.control] + executed[step.statement]++ * step.stride;
  uint32_t bytes = dma.rows * dma.rowBytes;
  const uint8_t *from = input(dma.cb, 0, bytes);
  current.movesReader = true;
  current.cb = uint8_t(dma.cb);
  current.bytes = bytes;
  uint64_t at = address - program.memory.outBase;
  for (uint32_t row = 0; row < dma.validRows && dma.validBytes; ++row) {
    uint64_t place = at + uint64_t(dma.pitch) * row;
    if (place + dma.validBytes > result.out.size()) {
      fail("a store leaves its buffer");
      return;
    }
    std::copy_n(from + row * dma.rowBytes, dma.validBytes,
                result.out.data() + place);
  }
  streams[dma.cb].reader += bytes;
}

void PeOracle::mml(const isa::MmlCommand &mml) {
  auto aType = static_cast<DType>(mml.aDtype);
  auto bType = static_cast<DType>(mml.bDtype);
  unsigned k = spec.dpe.kBytes / elementBytes(aType);
  uint64_t more = mml.passes - 1;
  const uint8_t *a =
      input(mml.aCb, mml.aOffset,
            (mml.aRows - 1) * mml.aPitch + spec.dpe.kBytes + more * mml.aStep);
  const uint8_t *b =
      input(mml.bCb, mml.bOffset,
            (mml.bRows - 1) * mml.bPitch + spec.dpe.kBytes + more * mml.bStep);
  current.bank = int(mml.bank);
  for (unsigned pass = 0; pass < mml.passes; ++pass) {
    CachedOperand cached;
    cached.load({bType, b + pass * mml.bStep, mml.bPitch, mml.bRows, k, false});
    MatrixPassArgs args;
    args.a = {aType, a + pass * mml.aStep, mml.aPitch, mml.aRows, k, false};
    args.b = &cached;
    args.accumulate = mml.accumulate || pass != 0;
    args.bank = banks[mml.bank].data();
    args.bankPitch = bankPitch;
    matrixPass(args);
  }
}

void PeOracle::bankInit(const isa::BankInitCommand &init) {
  BankInitArgs args;
  args.kind = static_cast<BankInitKind>(init.kind);
  args.rows = init.rows;
  args.cols = init.cols;
  args.dtype = static_cast<DType>(init.dtype);
  args.srcPitch = init.pitch;
  unsigned rowBytes = init.cols * elementBytes(args.dtype);
  if (args.kind == BankInitKind::Tile) {
    args.src =
        input(init.cb, init.offset, (init.rows - 1) * init.pitch + rowBytes);
  } else if (args.kind == BankInitKind::PerColumn) {
    args.src = input(init.cb, init.offset, rowBytes);
  }
  args.bank = banks[init.bank].data();
  args.bankPitch = bankPitch;
  current.bank = int(init.bank);
  sim::bankInit(args);
}

void PeOracle::simd(const isa::SeCommand &se, bool drain) {
  SimdArgs args;
  args.rows = se.rows;
  args.cols = se.cols;
  args.segment = se.segment;
  args.chain.swapPairs = se.swapPairs;
  args.chain.scale = se.scale;
  args.chain.y1Kind = SimdOperand(se.y1Kind);
  args.chain.op1 = SimdOp(se.op1);
  args.chain.window = se.window;
  args.chain.f = SeFunction(se.f);
  args.chain.y2Kind = SimdOperand(se.y2Kind);
  args.chain.op2 = SimdOp(se.op2);
  args.chain.store = se.store;
  args.chain.reduce = SimdReduce(se.reduce);
  args.chain.running = se.running;
  args.scaleImm = std::bit_cast<float>(se.scaleImm);
  args.fillImm = std::bit_cast<float>(se.fillImm);
  args.y1Imm = std::bit_cast<float>(se.y1Imm);
  args.y2Imm = std::bit_cast<float>(se.y2Imm);
  args.winBase = int32_t(se.winBase);
  auto width = [](uint32_t dtype) {
    return elementBytes(static_cast<DType>(dtype));
  };
  if (drain) {
    current.bank = int(se.cb);
    args.x = {reinterpret_cast<const uint8_t *>(banks[se.cb].data()),
              bankPitch * 4, static_cast<DType>(se.dtype)};
  } else {
    args.x = source(se.cb, se.offset, se.pitch, se.dtype, se.rows,
                    elementBytes(static_cast<DType>(se.dtype), se.cols));
  }
  unsigned segments = se.segment ? (se.cols + se.segment - 1) / se.segment : 1;
  auto operand = [&](uint32_t kind, uint32_t cb, uint32_t offset,
                     uint32_t pitch, uint32_t dtype) -> SimdSource {
    switch (SimdOperand(kind)) {
    case SimdOperand::Tile:
      return source(cb, offset, pitch, dtype, se.rows, se.cols * width(dtype));
    case SimdOperand::PerSegment:
      return source(cb, offset, pitch, dtype, se.rows, segments * width(dtype));
    case SimdOperand::PerRow:
      return source(cb, offset, pitch, dtype, se.rows, width(dtype));
    case SimdOperand::PerColumn:
      return source(cb, offset, pitch, dtype, 1, se.cols * width(dtype));
    default:
      return {};
    }
  };
  args.y1 = operand(se.y1Kind, se.y1Cb, se.y1Offset, se.y1Pitch, se.y1Dtype);
  args.y2 = operand(se.y2Kind, se.y2Cb, se.y2Offset, se.y2Pitch, se.y2Dtype);
  if (se.window) {
    args.win = input(se.winCb, se.winOffset, se.rows * 8);
  }
  uint64_t redRow = segments * width(se.redDtype);
  if (se.reduce && se.running) {
    args.run = source(se.runCb, se.runOffset, se.runPitch, se.redDtype, se.rows,
                      redRow);
  }
  if (se.store) {
    args.out = {
        output(se.outCb, se.outOffset,
               (se.rows - 1) * se.outPitch + se.cols * width(se.outDtype)),
        se.outPitch, static_cast<DType>(se.outDtype)};
  }
  if (se.reduce) {
    args.red = {
        output(se.redCb, se.redOffset, (se.rows - 1) * se.redPitch + redRow),
        se.redPitch, static_cast<DType>(se.redDtype)};
  }
  simdExecute(args);
}

void PeOracle::topk(const isa::RowTopkCommand &topk) {
  RowTopkArgs args;
  args.rows = topk.rows;
  args.cols = topk.cols;
  args.k = topk.k;
  args.x = source(topk.cb, topk.offset, topk.pitch, topk.dtype, topk.rows,
                  topk.cols * elementBytes(static_cast<DType>(topk.dtype)));
  uint64_t bytes = uint64_t(topk.rows) * topk.k * 4;
  args.out = {output(topk.outCb, topk.outOffset, bytes), topk.outPitch,
              static_cast<DType>(topk.outDtype)};
  args.idx = output(topk.idxCb, topk.idxOffset, bytes);
  args.idxPitch = topk.idxPitch;
  rowTopk(args);
}

void PeOracle::move(const isa::MluCommand &mlu, bool transpose) {
  uint32_t size = mlu.elemBytes;
  const uint8_t *from =
      input(mlu.cb, mlu.offset, (mlu.rows - 1) * mlu.pitch + mlu.cols * size);
  uint32_t outRows = transpose ? mlu.cols : mlu.rows;
  uint32_t outCols = transpose ? mlu.rows : mlu.cols;
  uint8_t *to = output(mlu.outCb, mlu.outOffset,
                       (outRows - 1) * mlu.outPitch + outCols * size);
  for (uint32_t row = 0; row < mlu.rows; ++row) {
    for (uint32_t col = 0; col < mlu.cols; ++col) {
      uint8_t *place = transpose ? to + col * mlu.outPitch + row * size
                                 : to + row * mlu.outPitch + col * size;
      std::copy_n(from + row * mlu.pitch + col * size, size, place);
    }
  }
}

} // namespace

OracleResult test::runSequentially(const TileProgram &program,
                                   const ChipSpec &spec,
                                   const std::vector<uint8_t> &in,
                                   const std::vector<uint8_t> &out) {
  OracleResult result;
  result.out = out;
  result.peakSlots.assign(program.rings.size(), 1);
  result.reachSlots.assign(program.rings.size(), 0);
  result.operations.resize(program.numPes());
  std::vector<PeOracle> pes;
  for (unsigned pe = 0; pe < program.numPes(); ++pe) {
    pes.emplace_back(program, spec, pe, in, result);
  }
  unsigned phases = 1;
  for (const Step &step : program.steps) {
    phases += step.kind == Step::Kind::Phase;
  }
  for (unsigned phase = 0; phase < phases; ++phase) {
    for (PeOracle &pe : pes) {
      pe.runPhase(phase);
    }
  }
  for (PeOracle &pe : pes) {
    pe.finish();
  }
  return result;
}
