//===- SimDevice.h - A compiled model on a simulated chip -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_SIMDEVICE_H
#define CHIPWRIGHT_RUNTIME_SIMDEVICE_H

#include "runtime/Device.h"
#include "runtime/RoutingTrace.h"

#include <memory>
#include <string>
#include <vector>

namespace chipwright {

/// Sees a step's launches as they happen (functional mode) and may look at and
/// change the buffers between them. An error ends the step.
class LaunchObserver {
public:
  virtual ~LaunchObserver() = default;
  virtual Result<void> stepBegins(const models::Step &, const StepSizes &) {
    return {};
  }
  virtual Result<void> beforeLaunch(PackageMachine &, size_t) { return {}; }
  virtual Result<void> afterLaunch(PackageMachine &, size_t) { return {}; }
  virtual Result<void> stepEnds() { return {}; }
};

/// The elements of a buffer as numbers, in the shape that \p value of the graph
/// has in a step with \p sizes. T is float or double.
/// Refused: a buffer of another type or size than the value's.
template <typename T>
Result<models::HostValue<T>> readValue(PackageMachine &machine,
                                       const models::Value &value,
                                       int64_t buffer, const StepSizes &sizes);

/// \returns the graph's value of that name, or nullptr.
const models::Value *findValue(const models::Graph &graph,
                               const std::string &name);

class SimDevice final : public Device {
public:
  struct Request {
    MachineRequest machine;
    /// Timing mode: decisions of an earlier run, step by step.
    const RoutingTrace *routing = nullptr;
    std::string packageName; // for messages
  };

  /// Makes the machine and, in functional mode, converts \p weights into its
  /// buffers (\p weights may be null in timing mode). All arguments must
  /// outlive the device. Refused: a package of another chip or model, or one
  /// without exactly one output; weights or tables that do not have the
  /// buffers' sizes; timing mode without routing for a model that routes.
  static Result<std::unique_ptr<SimDevice>>
  create(const Package &package, const models::Graph &graph,
         const models::Weights *weights, const ResolvedChip &chip,
         const Request &request);

  const char *name() const override { return "sim"; }
  int64_t slots() const override { return numSlots; }
  Result<StepOutcome> run(const models::Step &step,
                          const models::RouterChoices *replay) override;

  /// \p observer must outlive the device; functional mode only.
  void observe(LaunchObserver &observer) { observers.push_back(&observer); }

  PackageMachine &machine() { return *chipMachine; }

private:
  SimDevice(const Package &package, const models::Graph &graph,
            const Request &request)
      : package(package), graph(graph), request(request) {}

  Result<void> checkBuffers();
  Result<void> checkPositions(const models::Step &step) const;
  Result<void> give(size_t launch, const StepSizes &sizes,
                    const RoutingTrace::Step &routing);
  Result<void> recordRouters(size_t launch, const StepSizes &sizes,
                             StepOutcome &outcome);
  template <typename F> Result<void> eachObserver(F call);

  const Package &package;
  const models::Graph &graph;
  Request request;
  std::unique_ptr<PackageMachine> chipMachine;
  std::vector<LaunchObserver *> observers;
  int64_t output = -1; // buffer
  int64_t numSlots = 0;
  size_t stepNumber = 0;
};

/// Records the decisions of a functional run.
class RoutingRecorder final : public LaunchObserver {
public:
  explicit RoutingRecorder(uint64_t package) { trace.package = package; }

  Result<void> stepBegins(const models::Step &step,
                          const StepSizes &sizes) override;
  Result<void> afterLaunch(PackageMachine &machine, size_t launch) override;

  RoutingTrace trace;

private:
  StepSizes current;
};

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_SIMDEVICE_H
