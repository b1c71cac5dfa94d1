//===- PeData.cpp - What commands compute and move ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Local memory is stored in both modes, since control data lives there too;
// taint marks which bytes depend on bulk contents. Functional mode computes
// them, timing mode leaves them alone.
//
//===----------------------------------------------------------------------===//

#include "sim/memory/AddressMap.h"
#include "sim/numerics/BankCommand.h"
#include "sim/numerics/Element.h"
#include "sim/numerics/MoveCommand.h"
#include "sim/numerics/RowTopk.h"
#include "sim/pe/Pe.h"
#include "sim/pe/PeOperands.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

using namespace chipwright;
using namespace chipwright::sim;
using isa::Opcode;

uint8_t *Pe::at(const CbRange &range) {
  return local.data() + cbs[range.cb].place(range.position);
}

void Pe::taintOutputs(const Command &command) {
  for (unsigned i = 0; i < command.numOutputs; ++i) {
    const CbRange &range = command.outputs[i];
    taintRange(cbs[range.cb].place(range.position), range.bytes);
  }
}

void Pe::taintRange(uint32_t place, uint32_t bytes) {
  constexpr uint32_t block = HartWindow::kBlockBytes;
  for (const uint32_t end = place + bytes; place < end;) {
    const uint32_t stop = std::min(end, place - place % block + block);
    if (mayBeClean[place / block]) {
      std::memset(taint.data() + place, 1, stop - place);
      mayBeClean[place / block] = stop - place != block;
    }
    place = stop;
  }
}

void Pe::noteClean(uint32_t place, uint32_t bytes) {
  constexpr uint32_t block = HartWindow::kBlockBytes;
  if (bytes != 0) {
    std::fill(mayBeClean.begin() + place / block,
              mayBeClean.begin() + (place + bytes - 1) / block + 1, 1);
  }
}

/// Words from one row of an accumulator bank to the next.
static size_t bankPitch(const ChipSpec &spec) {
  return size_t(spec.dpe.tiles) * spec.dpe.tileRows;
}

//===----------------------------------------------------------------------===//
// Engines
//===----------------------------------------------------------------------===//

void Pe::computeMml(const Command &command) {
  const auto &mml = std::get<isa::MmlCommand>(command.operands);
  auto type = static_cast<DType>(mml.aDtype);
  unsigned k = services.spec.dpe.kBytes / elementBytes(type);
  CachedKey key{command.inputs[1].position,
                mml.bCb,
                mml.bPitch,
                mml.bRows,
                mml.bDtype,
                mml.bKn};
  const uint8_t *a = at(command.inputs[0]), *b = at(command.inputs[1]);
  for (unsigned pass = 0; pass < mml.passes; ++pass) {
    if (!(key == dataKey)) {
      cachedOperand.load({static_cast<DType>(mml.bDtype), b, mml.bPitch,
                          mml.bRows, k, mml.bKn != 0});
      dataKey = key;
    }
    MatrixPassArgs args;
    args.a = {type, a, mml.aPitch, mml.aRows, k, false};
    args.b = &cachedOperand;
    args.accumulate = mml.accumulate || pass != 0;
    args.bank = bankData[command.bank].data();
    args.bankPitch = bankPitch(services.spec);
    matrixPass(args);
    bankIsInteger[command.bank] = type == DType::I8;
    a += mml.aStep;
    b += mml.bStep;
    key.position += mml.bStep;
  }
}

void Pe::computeBankInit(const Command &command) {
  const auto &init = std::get<isa::BankInitCommand>(command.operands);
  BankInitArgs args;
  args.kind = static_cast<BankInitKind>(init.kind);
  args.rows = init.rows;
  args.cols = init.cols;
  args.src = command.numInputs ? at(command.inputs[0]) : nullptr;
  args.srcPitch = init.pitch;
  args.dtype = static_cast<DType>(init.dtype);
  args.bank = bankData[command.bank].data();
  args.bankPitch = bankPitch(services.spec);
  bankInit(args);
  bankIsInteger[command.bank] =
      args.dtype == DType::I8 || args.dtype == DType::I32;
}

void Pe::computeReduce(const Command &command, std::vector<uint32_t> &block) {
  const auto &reduce = std::get<isa::ReduceCommand>(command.operands);
  std::vector<uint32_t> &bank = bankData[command.bank];
  size_t pitch = bankPitch(services.spec);
  if (reduce.receive) {
    BankAddArgs args;
    args.rows = reduce.rows;
    args.cols = reduce.cols;
    args.integer = bankIsInteger[command.bank];
    args.incoming = block.data();
    args.incomingPitch = reduce.cols;
    args.bank = bank.data();
    args.bankPitch = pitch;
    bankAdd(args);
  }
  if (reduce.forward) {
    block.resize(size_t(reduce.rows) * reduce.cols);
    for (unsigned row = 0; row < reduce.rows; ++row) {
      std::copy_n(bank.data() + row * pitch, reduce.cols,
                  block.data() + size_t(row) * reduce.cols);
    }
  }
}

void Pe::computeSe(const Command &command) {
  const auto &se = std::get<isa::SeCommand>(command.operands);
  bool drain = command.opcode == Opcode::Drain;
  SimdArgs args;
  args.rows = se.rows;
  args.cols = se.cols;
  args.segment = se.segment;
  args.chain = simdChainOf(se);
  args.scaleImm = std::bit_cast<float>(se.scaleImm);
  args.fillImm = std::bit_cast<float>(se.fillImm);
  args.y1Imm = std::bit_cast<float>(se.y1Imm);
  args.y2Imm = std::bit_cast<float>(se.y2Imm);
  args.winBase = static_cast<int32_t>(se.winBase);

  // Operands stand in the order in which prepareSe() added them.
  unsigned next = 0;
  auto isCb = [](SimdOperand kind) {
    return kind != SimdOperand::None && kind != SimdOperand::Immediate;
  };
  if (drain) {
    args.x = {reinterpret_cast<const uint8_t *>(bankData[se.cb].data()),
              bankPitch(services.spec) * 4, static_cast<DType>(se.dtype)};
  } else {
    args.x = {at(command.inputs[next++]), se.pitch,
              static_cast<DType>(se.dtype)};
  }
  if (isCb(args.chain.y1Kind)) {
    args.y1 = {at(command.inputs[next++]), se.y1Pitch,
               static_cast<DType>(se.y1Dtype)};
  }
  if (isCb(args.chain.y2Kind)) {
    args.y2 = {at(command.inputs[next++]), se.y2Pitch,
               static_cast<DType>(se.y2Dtype)};
  }
  if (args.chain.window) {
    args.win = at(command.inputs[next++]);
  }
  if (args.chain.reduce != SimdReduce::None && args.chain.running) {
    args.run = {at(command.inputs[next++]), se.runPitch,
                static_cast<DType>(se.redDtype)};
  }
  next = 0;
  if (args.chain.store) {
    args.out = {at(command.outputs[next++]), se.outPitch,
                static_cast<DType>(se.outDtype)};
  }
  if (args.chain.reduce != SimdReduce::None) {
    args.red = {at(command.outputs[next++]), se.redPitch,
                static_cast<DType>(se.redDtype)};
  }
  simdExecute(args);
}

void Pe::computeTopk(const Command &command) {
  const auto &topk = std::get<isa::RowTopkCommand>(command.operands);
  RowTopkArgs args;
  args.rows = topk.rows;
  args.cols = topk.cols;
  args.k = topk.k;
  args.x = {at(command.inputs[0]), topk.pitch, static_cast<DType>(topk.dtype)};
  args.out = {at(command.outputs[0]), topk.outPitch,
              static_cast<DType>(topk.outDtype)};
  args.idx = at(command.outputs[1]);
  args.idxPitch = topk.idxPitch;
  rowTopk(args);
}

/// The MLU only moves bytes, so control data may pass through it: it moves
/// data and taint in both modes.
void Pe::computeMlu(const Command &command) {
  const auto &mlu = std::get<isa::MluCommand>(command.operands);
  MoveArgs args;
  args.rows = mlu.rows;
  args.cols = mlu.cols;
  args.elementBytes = mlu.elemBytes;
  args.srcPitch = mlu.pitch;
  args.dstPitch = mlu.outPitch;
  uint32_t from = cbs[command.inputs[0].cb].place(command.inputs[0].position);
  uint32_t to = cbs[command.outputs[0].cb].place(command.outputs[0].position);
  noteClean(to, command.outputs[0].bytes);
  for (ZeroedBytes *memory : {&local, &taint}) {
    args.src = memory->data() + from;
    args.dst = memory->data() + to;
    if (command.opcode == Opcode::MluTranspose) {
      moveTranspose(args);
    } else {
      moveCopy(args);
    }
  }
}

//===----------------------------------------------------------------------===//
// DMA
//===----------------------------------------------------------------------===//

bool Pe::transferBlock(const Command &command, TransferBlock &block) {
  bool indexed = false;
  if (command.opcode == Opcode::DmaIn) {
    const auto &dma = std::get<isa::DmaInCommand>(command.operands);
    block = {dma.addr, dma.pitch, dma.validRows, dma.validBytes, {}};
    indexed = dma.indexed;
  } else if (command.opcode == Opcode::DmaOut) {
    const auto &dma = std::get<isa::DmaOutCommand>(command.operands);
    block = {dma.addr, dma.pitch, dma.validRows, dma.validBytes, {}};
    indexed = dma.indexed;
  } else {
    const auto &dma = std::get<isa::DmaPrefetchCommand>(command.operands);
    block = {dma.addr, dma.pitch, dma.rows, dma.rowBytes, {}};
  }
  if (block.bytes() == 0) {
    block.rows = 0;
    return true;
  }
  if (indexed) {
    unsigned list = command.opcode == Opcode::DmaIn ? 0 : 1;
    uint32_t place =
        cbs[command.inputs[list].cb].place(command.inputs[list].position);
    for (uint32_t row = 0; row < block.rows; ++row) {
      int32_t number = 0;
      std::memcpy(&number, local.data() + place + row * 4, 4);
      if (taint[place + row * 4] || taint[place + row * 4 + 3]) {
        services.faults.fault(
            FaultKind::TaintedControl, siteOf(command),
            fmt::format("entry {} of the index list depends on bulk data; "
                        "let the list pass through a control buffer",
                        row));
        return false;
      }
      block.rowAddresses.push_back(block.address +
                                   uint64_t(block.pitch) * uint64_t(number));
    }
    for (uint64_t address : block.rowAddresses) {
      if (!mayTransfer(command, address, block.rowBytes)) {
        return false;
      }
    }
    return true;
  }
  return mayTransfer(command, block.lowest(), block.span());
}

bool Pe::mayTransfer(const Command &command, uint64_t address, uint64_t bytes) {
  Space space = spaceOf(address);
  if (chipOf(address) == 0 && space == Space::Pe) {
    uint64_t offset = offsetOf(address);
    if (offset / kPeWindowBytes < services.spec.grid.numPes() &&
        offset % kPeWindowBytes + bytes <= local.size() &&
        command.opcode != Opcode::DmaPrefetch) {
      return true;
    }
  } else if (chipOf(address) == 0 && space != Space::Local &&
             services.memory.find(address, bytes)) {
    if (command.opcode != Opcode::DmaPrefetch || space == Space::Dram) {
      return true;
    }
  }
  services.faults.fault(
      FaultKind::BadAccess, siteOf(command),
      fmt::format("{} of {} bytes at {:#x} ({}) does not lie in one declared "
                  "buffer{}; {}",
                  isa::instInfo(command.opcode).mnemonic, bytes, address,
                  spaceName(space),
                  command.opcode == Opcode::DmaPrefetch ? " in DRAM" : "",
                  services.memory.describeNearest(address)));
  return false;
}

void Pe::moveData(const Command &command) {
  if (command.opcode == Opcode::DmaPrefetch) {
    return;
  }
  bool out = command.opcode == Opcode::DmaOut;
  TransferBlock block;
  if (!transferBlock(command, block)) {
    return;
  }
  uint32_t pitch = 0, rows = 0, rowBytes = 0;
  CbRange range;
  uint8_t filler = 0;
  DType fillType = DType::F32;
  if (out) {
    const auto &dma = std::get<isa::DmaOutCommand>(command.operands);
    pitch = dma.localPitch;
    range = command.inputs[0];
  } else {
    const auto &dma = std::get<isa::DmaInCommand>(command.operands);
    pitch = dma.localPitch;
    rows = dma.rows;
    rowBytes = dma.rowBytes;
    filler = static_cast<uint8_t>(dma.fill);
    fillType = static_cast<DType>(dma.fillDtype);
    range = command.outputs[0];
  }
  if (range.bytes == 0) {
    return;
  }
  uint32_t place = cbs[range.cb].place(range.position);
  for (uint32_t row = 0; row < block.rows; ++row) {
    uint64_t address = block.addressOfRow(row);
    if (!moveRow(command, address, place + row * pitch, block.rowBytes, out)) {
      return;
    }
  }
  if (out) {
    return;
  }
  // What lies beyond the valid part is known, whatever the buffer holds.
  bool bulk = services.functional || filler == 0;
  for (uint32_t row = 0; bulk && row < rows; ++row) {
    uint32_t from = row < block.rows ? block.rowBytes : 0;
    if (from < rowBytes) {
      fillBytes(place + row * pitch + from, rowBytes - from, filler, fillType);
    }
  }
}

/// Writes zeros or minus infinity of \p type to local memory.
void Pe::fillBytes(uint32_t place, uint32_t bytes, unsigned kind, DType type) {
  std::memset(taint.data() + place, 0, bytes);
  noteClean(place, bytes);
  if (static_cast<isa::FillKind>(kind) == isa::FillKind::Zero) {
    std::memset(local.data() + place, 0, bytes);
    return;
  }
  float minusInfinity = -std::numeric_limits<float>::infinity();
  uint8_t pattern[8];
  storeRow(type, &minusInfinity, pattern, 1);
  unsigned width = elementBytes(type);
  for (uint32_t i = 0; i < bytes; ++i) {
    local[place + i] = pattern[i % width];
  }
}

bool Pe::moveRow(const Command &command, uint64_t address, uint32_t place,
                 uint32_t bytes, bool out) {
  if (spaceOf(address) == Space::Pe) {
    Pe &peer = *peers[offsetOf(address) / kPeWindowBytes];
    uint64_t there = offsetOf(address) % kPeWindowBytes;
    (out ? peer : *this)
        .noteClean(out ? static_cast<uint32_t>(there) : place, bytes);
    for (auto member : {&Pe::local, &Pe::taint}) {
      uint8_t *mine = (this->*member).data() + place;
      uint8_t *theirs = (peer.*member).data() + there;
      std::memmove(out ? theirs : mine, out ? mine : theirs, bytes);
    }
    return true;
  }
  Buffer &buffer = *services.memory.find(address, bytes);
  bool control = buffer.kind == BufferKind::Control;
  uint8_t *memory =
      buffer.data() ? buffer.data() + (address - buffer.base) : nullptr;
  if (!out) {
    if (memory) {
      std::memcpy(local.data() + place, memory, bytes);
    }
    if (control) {
      std::memset(taint.data() + place, 0, bytes);
      noteClean(place, bytes);
    } else {
      taintRange(place, bytes);
    }
    return true;
  }
  services.memory.touch(buffer, address, bytes);
  if (control && !buffer.preset) {
    const uint8_t *dirty = static_cast<const uint8_t *>(
        std::memchr(taint.data() + place, 1, bytes));
    if (dirty) {
      services.faults.fault(
          FaultKind::TaintedControl, siteOf(command),
          fmt::format("byte {} written to control buffer '{}' depends on bulk "
                      "data, and timing may depend on that buffer; write it "
                      "to a bulk buffer",
                      address + uint64_t(dirty - (taint.data() + place)) -
                          buffer.base,
                      buffer.name));
      return false;
    }
  }
  if (memory && !(buffer.preset && !services.functional)) {
    std::memcpy(memory, local.data() + place, bytes);
  }
  return true;
}
