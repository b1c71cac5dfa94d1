//===- PeQueue.cpp - From instruction to queued command -------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A command is decoded and checked when its instruction issues: everything
// that is wrong with it whatever the timing is found here. Its CB ranges get
// their absolute positions, and DMA commands move the logical pointer.
//
//===----------------------------------------------------------------------===//

#include "sim/memory/AddressMap.h"
#include "sim/numerics/Element.h"
#include "sim/numerics/SimdCommand.h"
#include "sim/pe/Pe.h"
#include "sim/pe/PeOperands.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

using namespace chipwright;
using namespace chipwright::sim;
using isa::Opcode;

namespace {

template <typename T>
bool decodeInto(Command &command, const uint64_t *fields, uint64_t word,
                std::string &why) {
  return T::decode(fields, word, command.operands.emplace<T>(), why);
}

bool decodeOperands(Command &command, const uint64_t *fields, uint64_t word,
                    std::string &why) {
  switch (command.opcode) {
  case Opcode::DmaIn:
    return decodeInto<isa::DmaInCommand>(command, fields, word, why);
  case Opcode::DmaOut:
    return decodeInto<isa::DmaOutCommand>(command, fields, word, why);
  case Opcode::DmaPrefetch:
    return decodeInto<isa::DmaPrefetchCommand>(command, fields, word, why);
  case Opcode::Mml:
    return decodeInto<isa::MmlCommand>(command, fields, word, why);
  case Opcode::BankInit:
    return decodeInto<isa::BankInitCommand>(command, fields, word, why);
  case Opcode::Reduce:
    return decodeInto<isa::ReduceCommand>(command, fields, word, why);
  case Opcode::Drain:
    return isa::SeCommand::decodeDrain(
        fields, word, command.operands.emplace<isa::SeCommand>(), why);
  case Opcode::Se:
    return decodeInto<isa::SeCommand>(command, fields, word, why);
  case Opcode::RowTopk:
    return decodeInto<isa::RowTopkCommand>(command, fields, word, why);
  case Opcode::MluTranspose:
  case Opcode::MluCopy:
    return isa::MluCommand::decode(fields, word,
                                   command.operands.emplace<isa::MluCommand>(),
                                   why, command.opcode);
  default:
    why = "not a command";
    return false;
  }
}

/// Gives the local pitch of a DMA command its default. \returns what is wrong
/// with the block, or nothing.
template <typename T> std::string checkBlock(T &dma) {
  if (dma.localPitch == 0) {
    dma.localPitch = dma.rowBytes;
  }
  if (dma.localPitch >= dma.rowBytes && dma.validRows <= dma.rows &&
      dma.validBytes <= dma.rowBytes) {
    return "";
  }
  return fmt::format("a block of {} rows of {} bytes has a local pitch of {} "
                     "and {} valid rows of {} valid bytes; the pitch must not "
                     "be smaller than a row, the valid part not larger than "
                     "the block",
                     dma.rows, dma.rowBytes, dma.localPitch, dma.validRows,
                     dma.validBytes);
}

/// Bytes from the first to the last byte of a tile.
uint64_t tileBytes(uint64_t rows, uint64_t pitch, uint64_t rowBytes) {
  return rows == 0 ? 0 : (rows - 1) * pitch + rowBytes;
}

} // namespace

bool Pe::badCommand(const Command &command, std::string text) {
  services.faults.fault(FaultKind::BadCommand, siteOf(command),
                        std::move(text));
  return false;
}

CustomResult Pe::issue(unsigned hart, const isa::DecodedXpe &inst,
                       uint32_t word, uint64_t rs1, Cycle cycle) {
  HartState &state = harts[hart];
  const CpSpec &cp = services.spec.cp;
  if (inst.ctx >= std::max(1u, cp.contexts)) {
    return fail(hart, FaultKind::IllegalInstruction,
                fmt::format("context {} does not exist, the chip has {} "
                            "(cp.contexts); recompile the kernel for it",
                            inst.ctx, cp.contexts));
  }
  isa::Engine engine = isa::instInfo(inst.opcode).engine;
  unsigned engineIndex = static_cast<unsigned>(engine);
  CommandQueue &queue = queues[hart * kEngines + engineIndex];
  if (queue.full()) {
    return block(hart, Block::QueueFull, engineIndex);
  }

  auto &context = state.contexts[inst.ctx];
  bool isAuto = inst.rs1 == 0 && cp.contexts != 0;
  uint64_t varying = isAuto ? context[isa::autoField] : rs1;

  Command &command = queue.push();
  command.opcode = inst.opcode;
  command.engine = engine;
  command.hart = static_cast<uint8_t>(hart);
  command.numInputs = command.numOutputs = 0;
  command.bank = -1;
  command.word = word;
  command.pc = state.hart->pc();
  command.number = state.commands;
  command.eligible = cycle + cp.launchCycles + cp.dispatchCycles;

  const uint64_t *fields = context.data();
  std::array<uint64_t, isa::fieldCount> changed;
  if (services.hook) {
    changed = context;
    services.hook->issuing(peNumber, hart, state.commands, inst.opcode,
                           changed.data(), varying);
    fields = changed.data();
  }
  std::string why;
  if (!decodeOperands(command, fields, varying, why)) {
    badCommand(command, why);
  } else {
    prepare(command);
  }
  if (services.faults.stopped(peNumber)) {
    state.hart->fail(HartErrorKind::Environment, "command refused");
    return CustomResult::error();
  }
  if (isAuto) {
    context[isa::autoField] += context[isa::stepField];
  }
  if (cp.contexts == 0) {
    context.fill(0);
  }
  ++state.commands;
  ++state.outstanding;
  ++count.commands[static_cast<unsigned>(inst.opcode)];
  if (queue.size() == 1) {
    wakeAt(std::max(command.eligible, lastEvaluated + 1));
  }
  return CustomResult::done(cycle + cp.launchCycles);
}

bool Pe::prepare(Command &command) {
  switch (command.opcode) {
  case Opcode::DmaIn:
    return prepareDmaIn(command);
  case Opcode::DmaOut:
    return prepareDmaOut(command);
  case Opcode::Mml:
    return prepareMml(command);
  case Opcode::BankInit:
    return prepareBankInit(command);
  case Opcode::Reduce:
    return prepareReduce(command);
  case Opcode::Drain:
  case Opcode::Se:
    return prepareSe(command);
  case Opcode::RowTopk:
    return prepareTopk(command);
  case Opcode::MluTranspose:
  case Opcode::MluCopy:
    return prepareMlu(command);
  default:
    return true; // prefetch touches no CB
  }
}

//===----------------------------------------------------------------------===//
// CB ranges and banks
//===----------------------------------------------------------------------===//

bool Pe::checkCb(unsigned hart, unsigned cb, bool write, const char *what) {
  if (cb >= cbs.size() || !cbs[cb].configured) {
    fail(hart, FaultKind::CbMisuse,
         cb >= cbs.size()
             ? fmt::format("{} names CB {}, the chip has {} (cp.cbs); use CB 0 "
                           "to {}",
                           what, cb, cbs.size(), cbs.size() - 1)
             : fmt::format("{} names CB {}, which has not been set up; "
                           "xpe.cb.setup gives it a place before its first "
                           "use, behind a barrier if the other hart does it",
                           what, cb));
    return false;
  }
  PointerSide &side = write ? cbs[cb].writer : cbs[cb].reader;
  if (side.hart < 0) {
    side.hart = static_cast<int8_t>(hart);
  }
  if (side.hart != static_cast<int8_t>(hart)) {
    fail(hart, FaultKind::CbMisuse,
         fmt::format("{} makes hart {} a second {} of CB {}, hart {} is it "
                     "already; a CB has one producer and one consumer hart",
                     what, hart, write ? "producer" : "consumer", cb,
                     side.hart));
    return false;
  }
  return true;
}

bool Pe::checkRange(unsigned hart, unsigned cb, uint64_t position,
                    uint64_t bytes, bool write, const char *what) {
  const CircularBuffer &buffer = cbs[cb];
  uint64_t logical = write ? buffer.writer.logical : buffer.reader.logical;
  uint64_t last = position - logical + bytes;
  if (last > buffer.size) {
    fail(hart, write ? FaultKind::CbOverflow : FaultKind::CbUnderflow,
         fmt::format("{} {} bytes {} to {} counted from the {} pointer of CB "
                     "{}, which holds {}; set the CB up larger or move less "
                     "at a time",
                     what, write ? "writes" : "reads", position - logical, last,
                     write ? "write" : "read", cb, buffer.size));
    return false;
  }
  uint64_t begin = position % buffer.size;
  if (bytes != 0 && begin + bytes > buffer.size) {
    fail(hart, FaultKind::CbMisuse,
         fmt::format("{} of {} bytes at place {} of CB {} crosses its wrap at "
                     "{}; make the CB a multiple of its slot",
                     what, bytes, begin, cb, buffer.size));
    return false;
  }
  if (!write && buffer.writer.hart == static_cast<int8_t>(hart) &&
      position + bytes > buffer.writer.logical) {
    fail(hart, FaultKind::CbUnderflow,
         fmt::format("{} reads up to byte {} of CB {}, but this hart, its "
                     "producer, has pushed only {}; push before reading",
                     what, position + bytes, cb, buffer.writer.logical));
    return false;
  }
  return true;
}

bool Pe::addInput(Command &command, unsigned cb, uint64_t offset,
                  uint64_t bytes, const char *what) {
  if (!checkCb(command.hart, cb, /*write=*/false, what)) {
    return false;
  }
  PointerSide &side = cbs[cb].reader;
  uint64_t position = side.logical + offset;
  if (!checkRange(command.hart, cb, position, bytes, /*write=*/false, what)) {
    return false;
  }
  command.inputs[command.numInputs++] = {position, static_cast<uint32_t>(bytes),
                                         side.use(), 0,
                                         static_cast<uint8_t>(cb)};
  return true;
}

bool Pe::addOutput(Command &command, unsigned cb, uint64_t offset,
                   uint64_t bytes, const char *what) {
  if (!checkCb(command.hart, cb, /*write=*/true, what)) {
    return false;
  }
  CircularBuffer &buffer = cbs[cb];
  uint64_t position = buffer.writer.logical + offset;
  if (!checkRange(command.hart, cb, position, bytes, /*write=*/true, what)) {
    return false;
  }
  uint32_t ticket = buffer.nextTicket++;
  buffer.openWriters.push_back({ticket, static_cast<uint8_t>(command.engine)});
  command.outputs[command.numOutputs++] = {
      position, static_cast<uint32_t>(bytes), buffer.writer.use(), ticket,
      static_cast<uint8_t>(cb)};
  return true;
}

bool Pe::useBank(Command &command, unsigned bank, unsigned rows,
                 unsigned cols) {
  const DpeSpec &dpe = services.spec.dpe;
  if (bank >= banks.size()) {
    return badCommand(command,
                      fmt::format("accumulator bank {} does not exist, a PE "
                                  "has {} (re.banks); use bank 0 to {}",
                                  bank, banks.size(), banks.size() - 1));
  }
  if (rows > dpe.streamRows || cols > dpe.tiles * dpe.tileRows) {
    return badCommand(
        command,
        fmt::format("a block of {} x {} does not fit an accumulator "
                    "bank of {} x {} (dpe.stream_rows x dpe.tiles * "
                    "dpe.tile_rows)",
                    rows, cols, dpe.streamRows, dpe.tiles * dpe.tileRows));
  }
  command.bank = static_cast<int16_t>(bank);
  command.bankTicket = banks[bank].nextTicket++;
  return true;
}

//===----------------------------------------------------------------------===//
// One function per kind of command
//===----------------------------------------------------------------------===//

bool Pe::prepareDmaIn(Command &command) {
  auto &dma = std::get<isa::DmaInCommand>(command.operands);
  if (std::string why = checkBlock(dma); !why.empty()) {
    return badCommand(command, why);
  }
  if (dma.fill != uint32_t(isa::FillKind::Zero) &&
      isReadOnly(static_cast<DType>(dma.fillDtype))) {
    return badCommand(
        command, fmt::format("{} has no minus infinity; fill with zeros",
                             dtypeName(static_cast<DType>(dma.fillDtype))));
  }
  if (dma.mcast != 0) {
    bool isRow = static_cast<isa::McastKind>(dma.mcast) == isa::McastKind::Row;
    unsigned member = isRow ? col() : row();
    unsigned members =
        isRow ? services.spec.grid.cols : services.spec.grid.rows;
    if (!(dma.mcastMask >> member & 1) ||
        (members < 64 && dma.mcastMask >> members != 0)) {
      return badCommand(
          command, fmt::format("multicast mask {:#x} must hold this PE (bit "
                               "{}) and nothing beyond the {} PEs of its {}",
                               dma.mcastMask, member, members,
                               isRow ? "row" : "column"));
    }
    if (dma.indexed) {
      return badCommand(command,
                        "a multicast takes no index list; use a strided one");
    }
  }
  uint64_t bytes = uint64_t(dma.rows) * dma.localPitch;
  if (dma.indexed &&
      !addInput(command, dma.indexCb, dma.indexOffset,
                uint64_t(dma.validRows) * 4, "index list of xpe.dma.in")) {
    return false;
  }
  if (!addOutput(command, dma.cb, 0, bytes, "xpe.dma.in")) {
    return false;
  }
  cbs[dma.cb].writer.close(static_cast<uint32_t>(bytes), 0,
                           /*counted=*/false);
  return true;
}

bool Pe::prepareDmaOut(Command &command) {
  auto &dma = std::get<isa::DmaOutCommand>(command.operands);
  if (std::string why = checkBlock(dma); !why.empty()) {
    return badCommand(command, why);
  }
  uint64_t bytes = uint64_t(dma.rows) * dma.localPitch;
  if (!addInput(command, dma.cb, 0, bytes, "xpe.dma.out")) {
    return false;
  }
  if (dma.indexed &&
      !addInput(command, dma.indexCb, dma.indexOffset,
                uint64_t(dma.validRows) * 4, "index list of xpe.dma.out")) {
    return false;
  }
  cbs[dma.cb].reader.close(static_cast<uint32_t>(bytes), 0,
                           /*counted=*/false);
  ++harts[command.hart].writesIssued;
  return true;
}

bool Pe::prepareMml(Command &command) {
  const auto &mml = std::get<isa::MmlCommand>(command.operands);
  const DpeSpec &dpe = services.spec.dpe;
  auto a = static_cast<DType>(mml.aDtype), b = static_cast<DType>(mml.bDtype);
  for (DType type : {a, b}) {
    if (std::find(dpe.dtypes.begin(), dpe.dtypes.end(), type) ==
        dpe.dtypes.end()) {
      return badCommand(command,
                        fmt::format("the DPE of {} does not multiply {} "
                                    "(dpe.dtypes); convert the operands in "
                                    "the SE, or use another chip",
                                    services.spec.name, dtypeName(type)));
    }
  }
  if (std::string why = matrixTypesError(a, b); !why.empty()) {
    return badCommand(command, why);
  }
  if (elementBytes(a) != elementBytes(b)) {
    return badCommand(command, "operands of xpe.mml differ in element size");
  }
  if (mml.passes == 0 || mml.passes > services.spec.cp.mmlMaxPasses) {
    return badCommand(command,
                      fmt::format("{} passes in one command, 1 to {} are "
                                  "possible (cp.mml_max_passes)",
                                  mml.passes, services.spec.cp.mmlMaxPasses));
  }
  if (mml.bKn && !dpe.bKn) {
    return badCommand(command, "this DPE takes its second operand as N x K "
                               "only (dpe.b_kn); transpose it in the MLU");
  }
  if (mml.aRows == 0 || mml.bRows == 0) {
    return badCommand(command, "xpe.mml with no rows");
  }
  if (!useBank(command, mml.bank, mml.aRows, mml.bRows)) {
    return false;
  }
  unsigned k = dpe.kBytes / elementBytes(b);
  uint64_t aBytes = tileBytes(mml.aRows, mml.aPitch, dpe.kBytes) +
                    uint64_t(mml.passes - 1) * mml.aStep;
  uint64_t bTile = mml.bKn
                       ? tileBytes(k, mml.bPitch, mml.bRows * elementBytes(b))
                       : tileBytes(mml.bRows, mml.bPitch, dpe.kBytes);
  uint64_t bBytes = bTile + uint64_t(mml.passes - 1) * mml.bStep;
  return addInput(command, mml.aCb, mml.aOffset, aBytes, "xpe.mml") &&
         addInput(command, mml.bCb, mml.bOffset, bBytes, "xpe.mml");
}

bool Pe::prepareBankInit(Command &command) {
  const auto &init = std::get<isa::BankInitCommand>(command.operands);
  if (!useBank(command, init.bank, init.rows, init.cols)) {
    return false;
  }
  auto type = static_cast<DType>(init.dtype);
  if (isReadOnly(type)) {
    return badCommand(command,
                      fmt::format("xpe.bank.init does not convert {}; let "
                                  "xpe.se convert it first",
                                  dtypeName(type)));
  }
  unsigned element = elementBytes(type);
  switch (static_cast<isa::BankInitKind>(init.kind)) {
  case isa::BankInitKind::Zero:
    return true;
  case isa::BankInitKind::Tile:
    return addInput(
        command, init.cb, init.offset,
        tileBytes(init.rows, init.pitch, uint64_t(init.cols) * element),
        "xpe.bank.init");
  case isa::BankInitKind::PerCol:
    return addInput(command, init.cb, init.offset,
                    uint64_t(init.cols) * element, "xpe.bank.init");
  }
  return badCommand(command, "unknown kind of bank initialisation");
}

bool Pe::prepareReduce(Command &command) {
  const auto &reduce = std::get<isa::ReduceCommand>(command.operands);
  auto direction = static_cast<isa::ReduceDirection>(reduce.direction);
  const char *way =
      direction == isa::ReduceDirection::Down ? "above" : "to the left";
  if (reduce.receive && services.reduction.sender(peNumber, direction) < 0) {
    return badCommand(command,
                      fmt::format("xpe.reduce receives, but PE {},{} has no "
                                  "neighbour {}",
                                  row(), col(), way));
  }
  if (reduce.forward && services.reduction.receiver(peNumber, direction) < 0) {
    return badCommand(
        command, fmt::format("xpe.reduce forwards, but PE {},{} is the last "
                             "of its line",
                             row(), col()));
  }
  if (!reduce.receive && !reduce.forward) {
    return badCommand(command, "xpe.reduce neither receives nor forwards");
  }
  return useBank(command, reduce.bank, reduce.rows, reduce.cols);
}

bool Pe::prepareSe(Command &command) {
  const auto &se = std::get<isa::SeCommand>(command.operands);
  bool drain = command.opcode == Opcode::Drain;
  const char *what = drain ? "xpe.drain" : "xpe.se";
  if (se.rows == 0 || se.cols == 0) {
    return badCommand(command, fmt::format("{} of {} rows and {} columns", what,
                                           se.rows, se.cols));
  }
  if (!se.store && se.reduce == 0) {
    return badCommand(command,
                      fmt::format("{} neither stores nor reduces", what));
  }
  if (se.swapPairs && se.cols % 2) {
    return badCommand(command, fmt::format("{} swaps pairs of {} columns; the "
                                           "number must be even",
                                           what, se.cols));
  }
  auto bytesOf = [](uint32_t dtype, uint64_t count) {
    return elementBytes(static_cast<DType>(dtype), count);
  };
  if (std::string why = storedTypesError(se, what, services.spec);
      !why.empty()) {
    return badCommand(command, why);
  }
  if (drain) {
    auto type = static_cast<DType>(se.dtype);
    if (type != DType::F32 && type != DType::I32) {
      return badCommand(
          command,
          fmt::format("a bank holds fp32 or int32, not {}", dtypeName(type)));
    }
    if (!useBank(command, se.cb, se.rows, se.cols)) {
      return false;
    }
  } else if (!addInput(command, se.cb, se.offset,
                       tileBytes(se.rows, se.pitch, bytesOf(se.dtype, se.cols)),
                       what)) {
    return false;
  }
  auto operand = [&](uint32_t kind, uint32_t cb, uint32_t offset,
                     uint32_t pitch, uint32_t dtype) {
    uint64_t bytes = 0;
    switch (static_cast<isa::OperandKind>(kind)) {
    case isa::OperandKind::Tile:
      bytes = tileBytes(se.rows, pitch, bytesOf(dtype, se.cols));
      break;
    case isa::OperandKind::PerRow:
      bytes = tileBytes(se.rows, pitch, bytesOf(dtype, 1));
      break;
    case isa::OperandKind::PerCol:
      bytes = bytesOf(dtype, se.cols);
      break;
    case isa::OperandKind::PerSegment:
      bytes = tileBytes(se.rows, pitch,
                        bytesOf(dtype, simdSegments(se.cols, se.segment)));
      break;
    default:
      return true;
    }
    return addInput(command, cb, offset, bytes, what);
  };
  if (!operand(se.y1Kind, se.y1Cb, se.y1Offset, se.y1Pitch, se.y1Dtype) ||
      !operand(se.y2Kind, se.y2Cb, se.y2Offset, se.y2Pitch, se.y2Dtype)) {
    return false;
  }
  if (se.window &&
      !addInput(command, se.winCb, se.winOffset, uint64_t(se.rows) * 8, what)) {
    return false;
  }
  uint64_t segmentBytes =
      bytesOf(se.redDtype, simdSegments(se.cols, se.segment));
  if (se.reduce && se.running &&
      !addInput(command, se.runCb, se.runOffset,
                tileBytes(se.rows, se.runPitch, segmentBytes), what)) {
    return false;
  }
  if (se.store &&
      !addOutput(command, se.outCb, se.outOffset,
                 tileBytes(se.rows, se.outPitch, bytesOf(se.outDtype, se.cols)),
                 what)) {
    return false;
  }
  return !se.reduce ||
         addOutput(command, se.redCb, se.redOffset,
                   tileBytes(se.rows, se.redPitch, segmentBytes), what);
}

bool Pe::prepareTopk(Command &command) {
  const auto &topk = std::get<isa::RowTopkCommand>(command.operands);
  if (topk.rows == 0 || topk.k == 0 || topk.k > topk.cols) {
    return badCommand(command,
                      fmt::format("xpe.row_topk finds {} of {} columns in {} "
                                  "rows; 1 to all columns are possible",
                                  topk.k, topk.cols, topk.rows));
  }
  for (uint32_t code : {topk.dtype, topk.outDtype}) {
    if (isReadOnly(static_cast<DType>(code))) {
      return badCommand(command,
                        fmt::format("xpe.row_topk does not take {}; let xpe.se "
                                    "convert it first",
                                    dtypeName(static_cast<DType>(code))));
    }
  }
  unsigned in = elementBytes(static_cast<DType>(topk.dtype));
  unsigned out = elementBytes(static_cast<DType>(topk.outDtype));
  return addInput(command, topk.cb, topk.offset,
                  tileBytes(topk.rows, topk.pitch, uint64_t(topk.cols) * in),
                  "xpe.row_topk") &&
         addOutput(command, topk.outCb, topk.outOffset,
                   tileBytes(topk.rows, topk.outPitch, uint64_t(topk.k) * out),
                   "xpe.row_topk") &&
         addOutput(command, topk.idxCb, topk.idxOffset,
                   tileBytes(topk.rows, topk.idxPitch, uint64_t(topk.k) * 4),
                   "xpe.row_topk");
}

bool Pe::prepareMlu(Command &command) {
  const auto &mlu = std::get<isa::MluCommand>(command.operands);
  bool transpose = command.opcode == Opcode::MluTranspose;
  const char *what = transpose ? "xpe.mlu.transpose" : "xpe.mlu.copy";
  bool possible = mlu.elemBytes == 1 || mlu.elemBytes == 2 ||
                  mlu.elemBytes == 4 || mlu.elemBytes == 8;
  if (!possible || mlu.rows == 0 || mlu.cols == 0) {
    return badCommand(command,
                      fmt::format("{} of {} x {} elements of {} bytes; "
                                  "elements have 1, 2, 4 or 8",
                                  what, mlu.rows, mlu.cols, mlu.elemBytes));
  }
  unsigned outRows = transpose ? mlu.cols : mlu.rows;
  unsigned outCols = transpose ? mlu.rows : mlu.cols;
  return addInput(
             command, mlu.cb, mlu.offset,
             tileBytes(mlu.rows, mlu.pitch, uint64_t(mlu.cols) * mlu.elemBytes),
             what) &&
         addOutput(command, mlu.outCb, mlu.outOffset,
                   tileBytes(outRows, mlu.outPitch,
                             uint64_t(outCols) * mlu.elemBytes),
                   what);
}
