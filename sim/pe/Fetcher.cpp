//===- Fetcher.cpp - Pacing of memory requests ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/pe/FabricInterface.h"

#include <algorithm>
#include <bit>
#include <utility>

using namespace chipwright;
using namespace chipwright::sim;

Fetcher::Fetcher(PeServices &services, unsigned pe, double share,
                 unsigned orderKey)
    : services(services), pe(pe), key(orderKey),
      requestBytes(services.spec.fi.requestBytes),
      window(services.spec.fi.outstandingRequests),
      trainBytes(services.spec.noc.trainBytes),
      trainCycles(divideUp(trainBytes, services.spec.fi.portBytes)),
      cyclesPerByte1024(services.spec.noc.shaping && share > 0
                            ? static_cast<uint64_t>(1024.0 / share + 0.5)
                            : 0),
      burst1024(cyclesPerByte1024 * services.spec.noc.shapingBurstBytes),
      pieces(16), freeRequests(window) {}

void Fetcher::start(Transfer transfer, Cycle from) {
  uint32_t index = 0;
  while (index < active.size() && active[index].inUse) {
    ++index;
  }
  if (index == active.size()) {
    active.emplace_back();
  }
  Active &slot = active[index];
  slot.transfer = std::move(transfer);
  slot.row = slot.offset = slot.openPieces = 0;
  slot.issued = false;
  slot.inUse = true;
  slot.latest = from;
  if (slot.transfer.members != 0) {
    if (!slot.members) {
      slot.members = std::make_unique<MemoryReply>();
    }
    slot.members->done.fill(from);
  }
  order.push_back(index);
  if (order.size() == 1) {
    scheduleTrain(std::max(from, nextIssue));
  }
}

void Fetcher::scheduleTrain(Cycle at) {
  trainAt = at;
  services.arbiter.request(this, at);
}

void Fetcher::issueTrain(Cycle now) {
  if (trainAt != now) {
    return; // asked for again at another time
  }
  trainAt = kNever;
  if (order.empty()) {
    return;
  }
  ++numTrains;
  uint32_t index = order.front();
  Active &slot = active[index];
  uint64_t budget = trainBytes;
  const TransferBlock &block = slot.transfer.block;
  bool more = block.rows != 0 && block.rowBytes != 0;
  while (more && budget != 0) {
    // Requests far in the future are left to a later train, so that shared
    // resources are asked in nearly the order of time.
    if (nextIssue > now + trainCycles) {
      break;
    }
    if (!issuePiece(slot, index, now, budget)) {
      return; // memoryReply() goes on
    }
    more = slot.row < block.rows;
  }
  if (more) {
    scheduleTrain(std::max(nextIssue, now + 1));
    return;
  }
  slot.issued = true;
  order.pop_front();
  Cycle next = std::max(nextIssue, now + 1);
  slot.transfer.owner->transferIssued(slot.transfer.token, next);
  finishIfDone(index);
  if (!order.empty()) {
    scheduleTrain(next);
  }
}

bool Fetcher::issuePiece(Active &slot, uint32_t index, Cycle now,
                         uint64_t &budget) {
  const TransferBlock &block = slot.transfer.block;
  uint64_t address = block.addressOfRow(slot.row) + slot.offset;
  uint64_t bytes = std::min<uint64_t>(
      {services.paths.interleave().granuleRest(address),
       block.rowBytes - slot.offset, budget, requestBytes.value() * window});
  uint64_t first = address / requestBytes;
  uint32_t requests =
      static_cast<uint32_t>((address + bytes - 1) / requestBytes - first + 1);
  if (requests > window) {
    requests = window; // one more than the window for an unaligned piece
  }

  Cycle at = std::max(nextIssue, now);
  // The oldest pieces make room once they are answered. One that gave more
  // room than was needed was waited for then.
  Cycle answered = 0;
  if (freeRequests < requests) {
    blockedSince = std::min(blockedSince, at);
  }
  while (freeRequests < requests) {
    const Piece &oldest = pieceOf(oldestPiece);
    if (oldest.answered == kNever) {
      nextIssue = std::max(nextIssue, answered);
      waitsForAnswer = true;
      return false;
    }
    answered = std::max(answered, oldest.answered);
    freeRequests += oldest.requests;
    ++oldestPiece;
    --numPieces;
  }
  if (answered > at) {
    at = nextIssue = answered;
    if (at > now + trainCycles) {
      return true; // a later train goes on
    }
  }
  if (blockedSince != kNever) {
    stalledByWindow += at - blockedSince;
    blockedSince = kNever;
  }
  if (cyclesPerByte1024) {
    // A member of a multicast is charged its share only.
    unsigned receivers = std::max(1, std::popcount(slot.transfer.members));
    uint64_t at1024 = at * 1024;
    if (theoreticalArrival1024 > at1024 + burst1024) {
      Cycle allowed = divideUp(theoreticalArrival1024 - burst1024, 1024);
      stalledByShaping += allowed - at;
      at = allowed;
      at1024 = at * 1024;
    }
    theoreticalArrival1024 =
        std::max(theoreticalArrival1024, at1024) +
        (receivers == 1 ? bytes * cyclesPerByte1024
                        : bytes * cyclesPerByte1024 / receivers);
  }
  nextIssue = at + requests;

  MemoryAccess access;
  access.address = address;
  access.bytes = static_cast<uint32_t>(bytes);
  access.kind = slot.transfer.kind;
  access.policy = slot.transfer.policy;
  access.at = at;
  access.pe = static_cast<uint16_t>(pe);
  access.members = slot.transfer.members;
  access.line = slot.transfer.line;
  access.lineIndex = slot.transfer.lineIndex;

  if (numPieces == pieces.size()) {
    growPieces();
  }
  uint32_t piece = oldestPiece + numPieces++;
  pieceOf(piece) = {index, requests, kNever};
  freeRequests -= requests;
  ++slot.openPieces;

  budget -= bytes;
  slot.offset += static_cast<uint32_t>(bytes);
  if (slot.offset == block.rowBytes) {
    slot.offset = 0;
    ++slot.row;
  }

  MemoryReply reply;
  if (services.paths.access(access, reply, this, piece)) {
    memoryReply(now, piece, reply);
  }
  return true;
}

void Fetcher::growPieces() {
  std::vector<Piece> larger(pieces.size() * 2);
  for (uint32_t i = 0; i < numPieces; ++i) {
    larger[(oldestPiece + i) & (larger.size() - 1)] = pieceOf(oldestPiece + i);
  }
  pieces = std::move(larger);
}

void Fetcher::memoryReply(Cycle now, uint32_t token, const MemoryReply &reply) {
  Piece &piece = pieceOf(token);
  Active &slot = active[piece.transfer];
  Cycle last = 0;
  if (slot.transfer.members == 0) {
    last = reply.done[0];
  } else {
    for (uint64_t rest = slot.transfer.members; rest; rest &= rest - 1) {
      unsigned member = static_cast<unsigned>(std::countr_zero(rest));
      Cycle &latest = slot.members->done[member];
      latest = std::max(latest, reply.done[member]);
      last = std::max(last, reply.done[member]);
    }
  }
  slot.latest = std::max(slot.latest, last);
  piece.answered = last;
  --slot.openPieces;
  if (slot.issued) {
    finishIfDone(piece.transfer);
  }
  if (waitsForAnswer && trainAt == kNever) {
    waitsForAnswer = false;
    // The answer may lie ahead; issuePiece() waits for it.
    scheduleTrain(now + 1);
  }
}

void Fetcher::finishIfDone(uint32_t index) {
  Active &slot = active[index];
  if (!slot.issued || slot.openPieces != 0) {
    return;
  }
  slot.inUse = false;
  // The owner may start the next transfer in this slot.
  MemoryReply done;
  if (slot.transfer.members == 0) {
    done.done[0] = slot.latest;
  } else {
    done = *slot.members;
  }
  slot.transfer.owner->transferDone(slot.transfer.token, done);
}
