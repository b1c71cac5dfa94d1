//===- CpuDevice.cpp - The reference pass as a device ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/Device.h"

using namespace chipwright;
using namespace chipwright::models;

namespace {

class CpuDevice final : public Device {
public:
  CpuDevice(const Graph &graph, const Weights &weights, int64_t slots,
            ReferenceOptions options)
      : reference(graph, weights, options), cache(graph, slots),
        numSlots(slots) {}

  const char *name() const override { return "cpu"; }
  int64_t slots() const override { return numSlots; }

  Result<StepOutcome> run(const Step &step,
                          const RouterChoices *replay) override {
    StepOptions<float> options;
    options.replay = replay;
    auto result = reference.run(step, cache, options);
    if (!result) {
      return result.error();
    }
    StepOutcome outcome;
    for (RouterReport<float> &router : result->routers) {
      outcome.routers[router.name] = {std::move(router.logits),
                                      std::move(router.taken)};
    }
    outcome.logits = std::move(result->logits);
    return outcome;
  }

private:
  Reference<float> reference;
  KvCache<float> cache;
  int64_t numSlots;
};

} // namespace

std::unique_ptr<Device> chipwright::makeCpuDevice(const Graph &graph,
                                                  const Weights &weights,
                                                  int64_t slots,
                                                  ReferenceOptions options) {
  return std::make_unique<CpuDevice>(graph, weights, slots, options);
}
