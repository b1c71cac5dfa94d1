//===- Device.h - What executes steps of a model ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_DEVICE_H
#define CHIPWRIGHT_RUNTIME_DEVICE_H

#include "chips/Diagnostic.h"
#include "models/Reference.h"
#include "models/Step.h"
#include "runtime/Measurement.h"
#include "runtime/PackageMachine.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace chipwright {

/// What a router made of a step's tokens.
struct RouterRecord {
  models::HostMatrix<float> logits;   // [tokens, experts]; may be empty
  models::HostMatrix<int32_t> chosen; // [tokens, chosen], as executed
};

/// What a step cost on a chip.
struct StepTime {
  Measurement measurement; // first dispatch to last completion
  std::vector<LaunchRecord> launches;
  /// Copies over the host link: step descriptor in, logits out.
  uint64_t uploadBytes = 0, downloadBytes = 0;
  double uploadSeconds = 0, downloadSeconds = 0, hostLinkJoules = 0;

  /// From the host's request to its having the logits.
  double seconds() const {
    return uploadSeconds + measurement.seconds + downloadSeconds;
  }
};

struct StepOutcome {
  /// [outputs, vocabulary]; nothing in timing mode.
  std::optional<models::HostMatrix<float>> logits;
  std::map<std::string, RouterRecord> routers; // by op
  std::optional<StepTime> time;                // chips only
};

/// Executes steps of one model and keeps its key/value caches.
class Device {
public:
  virtual ~Device() = default;

  /// \returns "sim" or "cpu".
  virtual const char *name() const = 0;

  /// \returns the slots of the key/value caches.
  virtual int64_t slots() const = 0;

  /// Executes a step. \p replay names experts to take instead of the routers'
  /// own choice; a chip refuses it.
  virtual Result<StepOutcome> run(const models::Step &step,
                                  const models::RouterChoices *replay) = 0;
};

/// The host: models::Reference in fp32. \p graph and \p weights must outlive
/// the device.
std::unique_ptr<Device> makeCpuDevice(const models::Graph &graph,
                                      const models::Weights &weights,
                                      int64_t slots,
                                      models::ReferenceOptions options = {});

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_DEVICE_H
