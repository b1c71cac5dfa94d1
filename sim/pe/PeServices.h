//===- PeServices.h - What a PE uses of the chip around it ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_PE_PESERVICES_H
#define CHIPWRIGHT_SIM_PE_PESERVICES_H

#include "chips/ChipSpec.h"
#include "dialects/isa/Xpe.h"
#include "sim/core/Time.h"
#include "sim/core/TimingWheel.h"
#include "sim/memory/GlobalMemory.h"
#include "sim/memory/MemorySystem.h"

#include <functional>
#include <string>

namespace chipwright::sim {

class BarrierNetwork;
class MulticastNetwork;
class ReductionNetwork;
class TrainArbiter;
class Pe;
struct Command;

/// What stopped a simulated program.
enum class FaultKind : uint8_t {
  IllegalInstruction,
  BadAccess,
  Misaligned,
  CbOverflow,
  CbUnderflow,
  CbMisuse,   // not set up, two producers, range across the wrap
  BadCommand, // fields that no engine executes
  MulticastOrder,
  StaleLine,
  TaintedControl,
  Runaway,
  Deadlock,
};

const char *faultName(FaultKind kind);

/// A place in the simulated program.
struct FaultSite {
  unsigned pe;
  unsigned hart;
  uint64_t pc;
  uint32_t word;
  /// Another PE that has part in the fault, or -1.
  int other = -1;
};

/// Text for a pc: the address, its function and instruction.
using PlaceOf = std::function<std::string(uint64_t pc)>;

/// Receives the faults of a run, which ends with the cycle of the first one.
/// Of faults in that cycle the PE with the lowest number is reported, so the
/// order in which PEs are evaluated does not show.
class FaultSink {
public:
  virtual ~FaultSink() = default;
  virtual void fault(FaultKind kind, const FaultSite &site,
                     std::string text) = 0;
  virtual bool stopped() const = 0;
  /// \p pe has raised a fault, or has part in one.
  virtual bool stopped(unsigned pe) const = 0;
};

/// Sees commands as they run; all times in cycles. Null when not tracing.
class TraceSink {
public:
  virtual ~TraceSink() = default;
  /// \p command keeps its engine busy in [begin, end). A matrix command that
  /// waits for operands between its passes is reported once per busy stretch;
  /// DMA commands of one direction overlap. Calls are not sorted by time.
  virtual void command(unsigned pe, const Command &command, Cycle begin,
                       Cycle end) = 0;
  virtual void link(unsigned link, Cycle begin, Cycle end, uint64_t bytes) = 0;
  /// An access reached \p channel at \p begin; its last data was read, or
  /// taken into the write queue, at \p end.
  virtual void dram(unsigned channel, Cycle begin, Cycle end, uint64_t bytes,
                    bool write) = 0;
  /// A pointer of a CB moved: which ("push" or "pop"), by how much.
  virtual void cbEvent(unsigned pe, unsigned cb, bool push, uint32_t bytes,
                       uint64_t occupied, Cycle at) = 0;
};

/// Sees each command's fields and word before they are decoded, in the order
/// of the issuing hart, and may change them. Tests inject faults with it.
class CommandHook {
public:
  virtual ~CommandHook() = default;
  /// \p number counts commands, pushes and pops of this hart.
  virtual void issuing(unsigned pe, unsigned hart, uint64_t number,
                       isa::Opcode opcode, uint64_t *fields,
                       uint64_t &word) = 0;
};

struct PeServices {
  const ChipSpec &spec;
  TimingWheel &wheel;
  GlobalMemory &memory;
  MemorySystem &paths;
  TrainArbiter &arbiter;
  MulticastNetwork &multicast;
  ReductionNetwork &reduction;
  BarrierNetwork &barriers;
  FaultSink &faults;
  /// Told when both harts of a PE have halted and its commands are done.
  WheelClient &control;
  TraceSink *trace = nullptr;
  bool functional = true;
  Cycle maxCycles = kNever;
  CommandHook *hook = nullptr;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_PE_PESERVICES_H
