//===- CircularBuffer.h - Pointers of a circular buffer ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A CB has a write side and a read side. Each side has two positions, counted
// in bytes since setup and never wrapped:
//
//   logical    where the next command of the owning hart counts its offsets
//              from; it moves in program order, as commands reach the command
//              processor;
//   effective  what the other side sees; it moves when a push, a pop or a DMA
//              takes effect.
//
// A command therefore knows its absolute place when it is queued, and a pop
// need not be waited for by the commands behind it. Between two moves lies an
// epoch; a move takes effect, in order, once all commands of its epoch are
// done.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_PE_CIRCULARBUFFER_H
#define CHIPWRIGHT_SIM_PE_CIRCULARBUFFER_H

#include "sim/core/Time.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace chipwright::sim {

/// One side of a CB.
class PointerSide {
public:
  uint64_t logical = 0;
  uint64_t effective = 0;
  int8_t hart = -1; // owner; -1 until first use

  void reset() { *this = PointerSide(); }

  /// Registers a command of the current epoch. \returns the epoch.
  uint32_t use() {
    ++epochs[openEpoch & mask].users;
    return openEpoch;
  }

  /// A command of \p epoch is done.
  void release(uint32_t epoch) { --epochs[epoch & mask].users; }

  /// Ends the epoch with a move by \p bytes that takes effect at \p from at
  /// the earliest. \p counted: the move occupies an entry of the owner's
  /// pointer queue.
  void close(uint32_t bytes, Cycle from, bool counted) {
    Epoch &epoch = epochs[openEpoch & mask];
    epoch.bytes = bytes;
    epoch.from = from;
    epoch.counted = counted;
    logical += bytes;
    if (++openEpoch - firstEpoch == epochs.size()) {
      grow();
    }
    epochs[openEpoch & mask] = Epoch();
  }

  bool hasMove() const { return firstEpoch != openEpoch; }
  /// The oldest move that has not taken effect: users left, bytes, time.
  uint32_t moveUsers() const { return epochs[firstEpoch & mask].users; }
  uint32_t moveBytes() const { return epochs[firstEpoch & mask].bytes; }
  Cycle moveFrom() const { return epochs[firstEpoch & mask].from; }
  bool moveCounted() const { return epochs[firstEpoch & mask].counted; }
  void takeMove() {
    effective += moveBytes();
    ++firstEpoch;
  }

private:
  struct Epoch {
    Cycle from = 0;
    uint32_t users = 0;
    uint32_t bytes = 0;
    bool counted = false;
  };

  void grow() {
    std::vector<Epoch> larger(epochs.size() * 2);
    for (uint32_t e = firstEpoch; e != openEpoch; ++e) {
      larger[e & (larger.size() - 1)] = epochs[e & mask];
    }
    epochs = std::move(larger);
    mask = static_cast<uint32_t>(epochs.size() - 1);
  }

  std::vector<Epoch> epochs = std::vector<Epoch>(16);
  uint32_t mask = 15;
  uint32_t firstEpoch = 0, openEpoch = 0;
};

struct CircularBuffer {
  bool configured = false;
  uint32_t base = 0; // in local memory
  uint32_t size = 0; // bytes
  PointerSide writer, reader;

  /// Writers that are queued or running, oldest first: ticket and engine.
  struct OpenWriter {
    uint32_t ticket;
    uint8_t engine;
  };
  std::vector<OpenWriter> openWriters;
  uint32_t nextTicket = 0;

  uint64_t occupied() const { return writer.effective - reader.effective; }
  /// Local-memory offset of an absolute position.
  uint32_t place(uint64_t position) const {
    return base + static_cast<uint32_t>(position % size);
  }
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_PE_CIRCULARBUFFER_H
