//===- FabricInterface.cpp - DMA commands ---------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/pe/FabricInterface.h"

#include "sim/pe/MulticastNetwork.h"
#include "sim/pe/Pe.h"

#include <algorithm>
#include <utility>

using namespace chipwright;
using namespace chipwright::sim;

/// A PE's share of the SRAM bandwidth, bytes per cycle; both directions of a
/// PE are shaped apart.
static double sourceShare(const ChipSpec &spec) {
  return double(spec.sram.banks) * spec.sram.bankBytes / spec.grid.numPes();
}

FabricInterface::FabricInterface(PeServices &services, Pe &pe)
    : services(services), pe(pe),
      in(services, pe.number(), sourceShare(services.spec), pe.number() * 4),
      out(services, pe.number(), sourceShare(services.spec),
          pe.number() * 4 + 1) {}

uint32_t FabricInterface::newSlot(const Command &command, Cycle now) {
  uint32_t index = 0;
  while (index < slots.size() && slots[index].inUse) {
    ++index;
  }
  if (index == slots.size()) {
    slots.emplace_back();
  }
  slots[index].command = command;
  slots[index].inUse = true;
  slots[index].started = now;
  ++openCommands;
  return index;
}

void FabricInterface::startIn(const Command &command, TransferBlock block,
                              Cycle now) {
  const auto &dma = std::get<isa::DmaInCommand>(command.operands);
  uint32_t slot = newSlot(command, now);
  pe.counters().dmaInBytes += block.bytes();
  pe.counters().fillBytes += uint64_t(dma.rows) * dma.rowBytes - block.bytes();
  auto kind = static_cast<isa::McastKind>(dma.mcast);
  if (kind != isa::McastKind::None && services.spec.noc.multicast) {
    // The line's master fetches; this FI takes its next command.
    services.multicast.join(pe, slot, command, std::move(block), now);
    pe.acceptFabric(/*outbound=*/false, now + 1);
    return;
  }
  inFree = false;
  in.start({std::move(block), AccessKind::Read,
            static_cast<CachePolicy>(dma.policy), 0, Line::Row, 0, this, slot},
           now);
}

void FabricInterface::startPrefetch(const Command &command, TransferBlock block,
                                    Cycle now) {
  uint32_t slot = newSlot(command, now);
  inFree = false;
  in.start({std::move(block), AccessKind::Prefetch, CachePolicy::Allocate, 0,
            Line::Row, 0, this, slot},
           now);
}

void FabricInterface::startOut(const Command &command, TransferBlock block,
                               Cycle now) {
  const auto &dma = std::get<isa::DmaOutCommand>(command.operands);
  uint32_t slot = newSlot(command, now);
  pe.counters().dmaOutBytes += block.bytes();
  outFree = false;
  Cycle ready = now + services.spec.ls.latencyCycles;
  out.start({std::move(block), AccessKind::Write,
             static_cast<CachePolicy>(dma.policy), 0, Line::Row, 0, this, slot},
            ready);
}

void FabricInterface::transferIssued(uint32_t token, Cycle at) {
  bool outbound = slots[token].command.engine == isa::Engine::FiOut;
  (outbound ? outFree : inFree) = true;
  pe.acceptFabric(outbound, at);
}

void FabricInterface::transferDone(uint32_t token, const MemoryReply &done) {
  complete(token, done.done[0]);
}

void FabricInterface::multicastDone(uint32_t slot, Cycle at) {
  complete(slot, at);
}

void FabricInterface::complete(uint32_t index, Cycle at) {
  Slot &slot = slots[index];
  slot.inUse = false;
  --openCommands;
  bool outbound = slot.command.engine == isa::Engine::FiOut;
  Cycle from = std::max(slot.started, activeUntil[outbound]);
  activeTime[outbound] += at > from ? at - from : 0;
  activeUntil[outbound] = std::max(activeUntil[outbound], at);
  pe.dmaDone(slot.command, slot.started, at);
}
