//===- PeEngines.cpp - How long commands take -----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The time of a command depends on its shape, types and flags and on what it
// shares with other commands: the bytes per cycle of local memory, the loader
// of the DPE, the reduction links. It never depends on tensor contents.
//
//===----------------------------------------------------------------------===//

#include "sim/memory/AddressMap.h"
#include "sim/numerics/Element.h"
#include "sim/numerics/SimdCommand.h"
#include "sim/pe/Pe.h"
#include "sim/pe/PeOperands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

using namespace chipwright;
using namespace chipwright::sim;
using isa::Engine;
using isa::Opcode;

static unsigned index(Engine engine) { return static_cast<unsigned>(engine); }

void Pe::start(Command &command, Cycle now) {
  switch (command.opcode) {
  case Opcode::DmaIn:
  case Opcode::DmaOut:
  case Opcode::DmaPrefetch:
    startDma(command, now);
    return;
  case Opcode::Mml:
    startMml(command, now);
    return;
  case Opcode::BankInit:
  case Opcode::Drain:
    startRe(command, now);
    return;
  case Opcode::Reduce:
    startReduce(command, now);
    return;
  case Opcode::Se:
  case Opcode::RowTopk:
    startSe(command, now);
    return;
  default:
    startMlu(command, now);
    return;
  }
}

void Pe::finishAt(const Command &command, Cycle inputsDone, Cycle outputsDone) {
  Completion inputs;
  inputs.at = inputsDone;
  inputs.hart = command.hart;
  inputs.numInputs = command.numInputs;
  inputs.inputs = command.inputs;
  if (command.numOutputs == 0 || inputsDone == outputsDone) {
    inputs.numOutputs = command.numOutputs;
    inputs.outputs = command.outputs;
    inputs.endsCommand = true;
    addCompletion(inputs);
    return;
  }
  addCompletion(inputs);
  Completion outputs;
  outputs.at = outputsDone;
  outputs.hart = command.hart;
  outputs.numOutputs = command.numOutputs;
  outputs.outputs = command.outputs;
  outputs.endsCommand = true;
  addCompletion(outputs);
}

void Pe::traceCommand(const Command &command, Cycle begin, Cycle end) {
  if (services.trace) {
    services.trace->command(peNumber, command, begin, end);
  }
}

static uint64_t rangeBytes(const Command &command) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < command.numInputs; ++i) {
    sum += command.inputs[i].bytes;
  }
  for (unsigned i = 0; i < command.numOutputs; ++i) {
    sum += command.outputs[i].bytes;
  }
  return sum;
}

/// Moves a command's operands through local memory at the rate at which the
/// engine would take them. \returns the end, \p duration after \p now unless
/// the banks are oversubscribed.
Cycle Pe::useLocal(Cycle now, Cycle begin, uint64_t bytes, Cycle duration) {
  count.lsBytes += bytes;
  if (bytes == 0 || duration == 0) {
    return begin + duration;
  }
  uint64_t rate = divideUp(bytes, duration);
  return std::max(begin + duration, lsRate.reserve(now, begin, bytes, rate));
}

//===----------------------------------------------------------------------===//
// DPE
//===----------------------------------------------------------------------===//

void Pe::startMml(Command &command, Cycle now) {
  const auto &mml = std::get<isa::MmlCommand>(command.operands);
  const DpeSpec &dpe = services.spec.dpe;
  Bank &bank = banks[command.bank];
  unsigned elementSize = elementBytes(static_cast<DType>(mml.aDtype));
  unsigned k = dpe.kBytes / elementSize;
  Cycle runBegin = kNever; // of passes that follow without a gap
  CachedKey key{command.inputs[1].position,
                mml.bCb,
                mml.bPitch,
                mml.bRows,
                mml.bDtype,
                mml.bKn};

  for (unsigned pass = 0; pass < mml.passes; ++pass) {
    Cycle operandThere = now;
    if (!(key == cachedKey)) {
      // The spare half of the operand cache is free once the pass before has
      // begun with the other half.
      Cycle begin = std::max({now, dpeLoaderFree, dpeStreamStart});
      uint64_t bytes = uint64_t(mml.bRows) * dpe.kBytes;
      operandThere =
          useLocal(now, begin, bytes, divideUp(bytes, dpe.loadBytes));
      dpeLoaderFree = operandThere;
      cachedKey = key;
    }
    Cycle begin = std::max({dpeStreamEnd, operandThere, bank.accessDone});
    Stall cause =
        begin == operandThere && operandThere > now ? Stall::Load : Stall::Bank;
    Cycle duration = std::max(mml.aRows, dpe.minPassCycles);
    Cycle end = std::max(
        begin + duration,
        useLocal(now, begin, uint64_t(mml.aRows) * dpe.kBytes, mml.aRows));
    stalls[index(Engine::Dpe)].work(now, begin, end, cause);
    if (begin != dpeStreamEnd || pass == 0) {
      if (pass != 0) {
        traceCommand(command, runBegin, dpeStreamEnd);
      }
      runBegin = begin;
    }
    dpeStreamStart = begin;
    dpeStreamEnd = end;
    count.dpeUnderfilled +=
        (end - begin) * 1024 -
        uint64_t(mml.aRows) * mml.bRows * 1024 / (dpe.tiles * dpe.tileRows);
    key.position += mml.bStep;
  }
  count.dpePasses += mml.passes;
  count.macs[mml.aDtype] += uint64_t(mml.aRows) * mml.bRows * k * mml.passes;
  if (services.functional) {
    computeMml(command);
  }
  ++bank.started;
  bank.productsLanded =
      dpeStreamEnd + services.spec.ls.latencyCycles + dpe.pipelineCycles;
  acceptAt[index(Engine::Dpe)] = dpeStreamStart;
  finishAt(command, dpeStreamEnd, dpeStreamEnd);
  traceCommand(command, runBegin, dpeStreamEnd);
}

//===----------------------------------------------------------------------===//
// RE
//===----------------------------------------------------------------------===//

void Pe::startRe(Command &command, Cycle now) {
  const ReSpec &re = services.spec.re;
  Cycle duration = 0, latency = 0;
  if (command.opcode == Opcode::Drain) {
    const auto &drain = std::get<isa::SeCommand>(command.operands);
    unsigned operations = simdAluOps(simdChainOf(drain));
    Cycle passes = std::max<Cycle>(1, divideUp(operations, re.drainOps));
    duration = drain.rows * divideUp(drain.cols, re.drainElements) * passes;
    latency = services.spec.se.fillCycles + services.spec.ls.latencyCycles;
    count.reOperations +=
        uint64_t(std::max(1u, operations)) * drain.rows * drain.cols;
    taintOutputs(command);
    if (services.functional) {
      computeSe(command);
    }
  } else {
    const auto &init = std::get<isa::BankInitCommand>(command.operands);
    duration = init.rows * divideUp(init.cols, re.drainElements);
    latency = 0;
    if (services.functional) {
      computeBankInit(command);
    }
  }
  Cycle end = useLocal(now, now, rangeBytes(command), duration);
  Bank &bank = banks[command.bank];
  ++bank.started;
  bank.accessDone = end;
  acceptAt[index(Engine::Re)] = end;
  stalls[index(Engine::Re)].work(now, now, end, Stall::Issue);
  finishAt(command, end, end + latency);
  traceCommand(command, now, end);
}

void Pe::startReduce(Command &command, Cycle now) {
  const auto &reduce = std::get<isa::ReduceCommand>(command.operands);
  const ReSpec &re = services.spec.re;
  auto direction = static_cast<isa::ReduceDirection>(reduce.direction);
  uint64_t bytes = uint64_t(reduce.rows) * reduce.cols * 4;
  Cycle duration = std::max<Cycle>(1, divideUp(bytes, re.linkBytes));
  Cycle end = now + duration;
  count.reduceBytes += reduce.forward ? bytes : 0;

  std::vector<uint32_t> block;
  if (reduce.receive) {
    count.reOperations += uint64_t(reduce.rows) * reduce.cols;
    auto &inbox = services.reduction.inbox(peNumber, direction);
    if (inbox.rows != reduce.rows || inbox.cols != reduce.cols) {
      badCommand(command,
                 fmt::format("xpe.reduce expects a block of {} x {}, its "
                             "neighbour sent {} x {}",
                             reduce.rows, reduce.cols, inbox.rows, inbox.cols));
      return;
    }
    block = std::move(inbox.data);
    inbox.full = false;
    // The link is free for the next block one hop after this one has passed.
    inbox.freeFrom = end + re.hopCycles;
    peers[services.reduction.sender(peNumber, direction)]->wakeAt(
        inbox.freeFrom);
  }
  if (services.functional) {
    computeReduce(command, block);
  }
  if (reduce.forward) {
    int next = services.reduction.receiver(peNumber, direction);
    auto &outbox = services.reduction.inbox(next, direction);
    outbox.full = true;
    outbox.headArrives = now + std::max(1u, re.hopCycles);
    outbox.rows = reduce.rows;
    outbox.cols = reduce.cols;
    outbox.data = std::move(block);
    peers[next]->wakeAt(outbox.headArrives);
  }
  Bank &bank = banks[command.bank];
  ++bank.started;
  bank.accessDone = end;
  acceptAt[index(Engine::Re)] = end;
  stalls[index(Engine::Re)].work(now, now, end, Stall::Issue);
  finishAt(command, end, end);
  traceCommand(command, now, end);
}

//===----------------------------------------------------------------------===//
// SE and MLU
//===----------------------------------------------------------------------===//

void Pe::startSe(Command &command, Cycle now) {
  const SeSpec &se = services.spec.se;
  Cycle duration = 0;
  taintOutputs(command);
  if (command.opcode == Opcode::Se) {
    const auto &simd = std::get<isa::SeCommand>(command.operands);
    SimdChain chain = simdChainOf(simd);
    Cycle slots = std::max(1u, simdSlots(chain, se.opsPerSlot, se.divSlots));
    duration = simd.rows * divideUp(simd.cols, se.lanes) * slots;
    count.seOperations +=
        uint64_t(std::max(1u, simdAluOps(chain))) * simd.rows * simd.cols;
    if (services.functional) {
      computeSe(command);
    }
  } else {
    // One scan of the row per value.
    const auto &topk = std::get<isa::RowTopkCommand>(command.operands);
    duration = topk.rows * divideUp(topk.cols, se.lanes) * topk.k;
    count.seOperations += uint64_t(topk.rows) * topk.cols * topk.k;
    if (services.functional) {
      computeTopk(command);
    }
  }
  Cycle end = useLocal(now, now, rangeBytes(command), duration);
  acceptAt[index(Engine::Se)] = end;
  stalls[index(Engine::Se)].work(now, now, end, Stall::Issue);
  finishAt(command, end, end + se.fillCycles + services.spec.ls.latencyCycles);
  traceCommand(command, now, end);
}

void Pe::startMlu(Command &command, Cycle now) {
  const auto &mlu = std::get<isa::MluCommand>(command.operands);
  const MluSpec &spec = services.spec.mlu;
  Cycle duration = 0;
  if (command.opcode == Opcode::MluTranspose) {
    // Tile by tile: rows in, columns out.
    for (unsigned r = 0; r < mlu.rows; r += spec.tile) {
      for (unsigned c = 0; c < mlu.cols; c += spec.tile) {
        uint64_t rows = std::min(spec.tile, mlu.rows - r);
        uint64_t cols = std::min(spec.tile, mlu.cols - c);
        duration += rows * divideUp(cols * mlu.elemBytes, spec.bytes) +
                    cols * divideUp(rows * mlu.elemBytes, spec.bytes);
      }
    }
  } else {
    duration =
        mlu.rows * divideUp(uint64_t(mlu.cols) * mlu.elemBytes, spec.bytes);
  }
  count.mluBytes += uint64_t(mlu.rows) * mlu.cols * mlu.elemBytes;
  computeMlu(command);
  Cycle end = useLocal(now, now, rangeBytes(command), duration);
  acceptAt[index(Engine::Mlu)] = end;
  stalls[index(Engine::Mlu)].work(now, now, end, Stall::Issue);
  finishAt(command, end, end + services.spec.ls.latencyCycles);
  traceCommand(command, now, end);
}

//===----------------------------------------------------------------------===//
// DMA
//===----------------------------------------------------------------------===//

void Pe::startDma(Command &command, Cycle now) {
  bool outbound = command.engine == Engine::FiOut;
  TransferBlock block;
  if (!transferBlock(command, block)) {
    return;
  }
  acceptAt[index(command.engine)] = kNever;
  stalls[index(command.engine)].open(now);
  if (outbound) {
    fi.startOut(command, std::move(block), now);
  } else if (command.opcode == Opcode::DmaPrefetch) {
    fi.startPrefetch(command, std::move(block), now);
  } else {
    fi.startIn(command, std::move(block), now);
  }
}

void Pe::acceptFabric(bool outbound, Cycle at) {
  acceptAt[index(outbound ? Engine::FiOut : Engine::FiIn)] = at;
  wakeAt(at);
}

void Pe::dmaDone(const Command &command, Cycle started, Cycle at) {
  bool outbound = command.engine == Engine::FiOut;
  HartState &state = harts[command.hart];
  // The data of a multicast may reach a near member before the answer for the
  // farthest one is known; this PE may not have been evaluated since.
  at = std::max(at, services.wheel.now() + 1);
  if (outbound) {
    // Acknowledgements of a hart count in the order of its commands.
    at = std::max(at, state.lastWriteAt);
    state.lastWriteAt = at;
  }
  moveData(command);
  stalls[index(command.engine)].close(at);
  Completion done;
  done.at = at;
  done.hart = command.hart;
  done.numInputs = command.numInputs;
  done.numOutputs = command.numOutputs;
  done.inputs = command.inputs;
  done.outputs = command.outputs;
  done.endsCommand = true;
  done.isWrite = outbound;
  addCompletion(done);
  traceCommand(command, started, at);
  uint64_t bytes = rangeBytes(command);
  count.lsBytes += bytes;
  lsRate.reserve(lastEvaluated, std::max(started, lastEvaluated), bytes,
                 services.spec.fi.portBytes);
}
