//===- Machine.h - One simulated chip ---------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Builds the SystemC model of a chip and launches jobs on it. No SystemC type
// shows in this header. A process may hold one Machine at a time; another may
// follow when it is gone.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_MACHINE_MACHINE_H
#define CHIPWRIGHT_SIM_MACHINE_MACHINE_H

#include "chips/ChipSpec.h"
#include "sim/machine/Job.h"
#include "sim/memory/GlobalMemory.h"

#include <memory>
#include <string>
#include <vector>

namespace chipwright::sim {

class MemorySystem;
class MulticastNetwork;
class Pe;
class CommandHook;
class TraceSink;

enum class Mode { Functional, Timing };

struct MachineOptions {
  Mode mode = Mode::Timing;
  Cycle maxCycles = Cycle(1) << 40;
  /// Not 0: permute events and processes with this seed (tests).
  uint64_t shuffleSeed = 0;
  TraceSink *trace = nullptr;
  CommandHook *hook = nullptr; // tests
};

class Machine {
public:
  /// \p spec must have been validated (loadChip does) and outlive the machine.
  Machine(const ChipSpec &spec, const MachineOptions &options);
  ~Machine();
  Machine(const Machine &) = delete;
  Machine &operator=(const Machine &) = delete;

  /// Declares a buffer; see GlobalMemory::declare.
  Buffer *declare(std::string name, uint64_t base, uint64_t bytes,
                  BufferKind kind);
  GlobalMemory &memory();

  /// Runs \p job to its end or to the first fault. The machine keeps caches
  /// and memory from launch to launch; after a fault it takes no more jobs.
  JobResult launch(const Job &job);

  const ChipSpec &spec() const;
  const MachineOptions &options() const;
  unsigned numPes() const;
  const Pe &pe(unsigned number) const;
  Pe &pe(unsigned number);
  MemorySystem &paths();
  const MemorySystem &paths() const;
  const MulticastNetwork &multicast() const;
  Cycle now() const;

  /// Hash of all state outside the PEs that later launches depend on.
  uint64_t digest() const;

private:
  struct Parts;
  std::unique_ptr<Parts> parts;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_MACHINE_MACHINE_H
