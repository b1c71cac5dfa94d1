//===- PackageMachine.h - A package on a simulated chip ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The package's buffers placed and declared, its programs loaded, and its
// launches one by one. Knows nothing of models. One lives at a time in a
// process (see sim::Machine).
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_PACKAGEMACHINE_H
#define CHIPWRIGHT_RUNTIME_PACKAGEMACHINE_H

#include "chips/Diagnostic.h"
#include "chips/ResolvedChip.h"
#include "package/Package.h"
#include "runtime/Measurement.h"
#include "runtime/Placement.h"
#include "runtime/StepInputs.h"
#include "sim/machine/Machine.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace chipwright {

struct MachineRequest {
  sim::Mode mode = sim::Mode::Timing;
  sim::Cycle maxCycles = sim::Cycle(1) << 40; // of all launches together
  uint64_t shuffleSeed = 0;                   // see sim::MachineOptions
  sim::TraceSink *trace = nullptr;
  /// Addresses of the package's buffers; without, placePackage() decides.
  std::optional<std::vector<PlacedBuffer>> placement = {};
  /// Called with a launch's image and op before it (names for a trace).
  std::function<void(const sim::KernelImage &, const std::string &op)>
      beforeLaunch = {};
  /// Called with a launch's op and result after it.
  std::function<void(const std::string &op, const sim::JobResult &)>
      afterLaunch = {};
};

/// What one launch did.
struct LaunchRecord {
  size_t launch = 0; // index into Package::launches
  std::string op;
  Measurement measurement;
};

class PackageMachine {
public:
  /// Loads all programs, checks their argument blocks, places the buffers and
  /// makes the machine. \p package and \p chip must outlive the result and have
  /// been checked against each other; \p name stands for the package in
  /// messages. Buffers hold zeros.
  static Result<std::unique_ptr<PackageMachine>>
  create(const Package &package, const ResolvedChip &chip,
         const MachineRequest &request, const std::string &name);

  const Package &package() const { return packageRef; }
  const ChipSpec &spec() const { return machine->spec(); }
  const std::vector<PlacedBuffer> &placement() const { return placed; }
  bool isFunctional() const {
    return machine->options().mode == sim::Mode::Functional;
  }

  /// \returns the bytes that the chip's memories hold: those of all buffers and
  /// of the PEs' local memories. 0 in timing mode, which stores no tensors.
  uint64_t imageBytes() const;

  /// \returns the stored bytes of a buffer, all of its bound; none for a bulk
  /// buffer in timing mode.
  std::span<uint8_t> stored(int64_t buffer);

  /// Writes \p bytes to the start of a buffer as the host would, in no time.
  /// Without effect on a buffer that is not stored. The bytes fit.
  void write(int64_t buffer, std::span<const uint8_t> bytes);

  /// Whether launch \p launch writes \p buffer, a control buffer, from bulk
  /// data: those of its results. Only such buffers may take bulk data, and in
  /// timing mode their contents must be given before the launch.
  bool isGiven(size_t launch, int64_t buffer) const;

  /// Runs one launch; with \p writeBack it ends when all dirty lines of the
  /// LLC are in DRAM. \returns an error with exit status ExitStopped and the
  /// op's name if it was stopped; then the machine takes no more launches.
  Result<LaunchRecord> launch(size_t launch, const StepSizes &sizes,
                              bool writeBack = false);

  /// Counters since the machine was made.
  CounterSnapshot counters() const { return snapshot(*machine, lastJob); }

  /// Sums up the launches since \p before; \p records are those.
  Measurement measureSince(const CounterSnapshot &before,
                           std::span<const LaunchRecord> records) const;

private:
  PackageMachine(const Package &package, const MachineRequest &request)
      : packageRef(package), request(request) {}

  const Package &packageRef;
  MachineRequest request;
  std::vector<sim::KernelImage> images; // by program
  std::vector<PlacedBuffer> placed;     // by buffer
  std::optional<sim::Machine> machine;
  std::vector<sim::Buffer *> buffers;
  std::optional<int64_t> residentProgram;
  sim::JobResult lastJob;
};

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_PACKAGEMACHINE_H
