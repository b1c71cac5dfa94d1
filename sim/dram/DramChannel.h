//===- DramChannel.h - One DRAM channel behind its controller ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The interface of both levels of the DRAM model. The model times accesses; it
// holds no data.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_DRAM_DRAMCHANNEL_H
#define CHIPWRIGHT_SIM_DRAM_DRAMCHANNEL_H

#include "chips/ChipSpec.h"

#include <cstdint>
#include <memory>
#include <string>

namespace chipwright::sim {

/// One run of bytes, in the channel's own address space.
struct DramRequest {
  uint64_t timeFs;        // arrival at the controller
  uint64_t channelOffset; // of the first byte, among the channel's data bytes
  unsigned bytes;         // at least 1; may span rows and banks
  bool write;
  uint64_t tag; // handed back with the completion
};

/// Receives completions. A read completes with its last data on the pins; a
/// write when the controller has taken all of it into its write queue, from
/// where it is written later (writes are posted).
class DramListener {
public:
  virtual ~DramListener() = default;
  virtual void dramDone(uint64_t tag, uint64_t timeFs) = 0;
};

struct DramCounters {
  uint64_t readBytes = 0, writeBytes = 0; // accesses * accessBytes, data only
  uint64_t eccBytes = 0;                  // code accesses * accessBytes
  uint64_t activates = 0;
  uint64_t rowHits = 0, rowMisses = 0; // per column access
  uint64_t refreshes = 0;              // refresh commands
  uint64_t turnarounds = 0;            // changes of bus direction
  uint64_t busyFs = 0; // data bus held, summed over pseudo-channels

  bool operator==(const DramCounters &) const = default;
};

class DramChannel {
public:
  virtual ~DramChannel() = default;

  /// Takes a request. Calls should be nearly sorted by time; one may lie
  /// ahead of later ones. The burst level answers during the call, with a time
  /// that may lie in the future; the command level answers from advanceTo().
  virtual void access(const DramRequest &request) = 0;

  /// Earliest time at which advanceTo() has something to do; noEvent if never.
  virtual uint64_t nextEventFs() const = 0;
  /// Brings the channel up to \p fs, events at \p fs included.
  virtual void advanceTo(uint64_t fs) = 0;

  /// Empties the queues. \returns when the last data is on the pins; in the
  /// past if nothing waited. Open rows and the refresh phase stay as they are.
  virtual uint64_t drain() = 0;

  /// Reaches the canonical state as early as possible at or after \p fs: every
  /// queue drained, every bank precharged, and an all-bank refresh done, so
  /// that the next one is due a full interval later. \returns the time at
  /// which that holds; no later request may be earlier than it.
  virtual uint64_t quiesce(uint64_t fs) = 0;

  /// Back to the canonical state at time zero, counters cleared.
  virtual void reset() = 0;
  /// Hash of the state relative to the last canonical point; equal for a
  /// new channel and for one that was just quiesced.
  virtual uint64_t digest() const = 0;

  virtual const DramCounters &counters() const = 0;
  /// Data bytes that the channel holds.
  virtual uint64_t dataBytes() const = 0;

  void setListener(DramListener *target) { listener = target; }

  static constexpr uint64_t noEvent = ~uint64_t(0);

protected:
  DramListener *listener = nullptr;
};

/// Builds one channel at the level that \p spec names. \returns null and sets
/// \p error to one sentence if the specification cannot be built.
std::unique_ptr<DramChannel> makeDramChannel(const DramSpec &spec,
                                             const MemorySpec &memory,
                                             DramListener *listener,
                                             std::string &error);

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_DRAM_DRAMCHANNEL_H
