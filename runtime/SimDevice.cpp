//===- SimDevice.cpp - A compiled model on a simulated chip ---------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/SimDevice.h"

#include "package/PackageFile.h"
#include "runtime/WeightUpload.h"
#include "sim/host/HostLink.h"
#include "sim/numerics/Element.h"

#include <fmt/format.h>

#include <cstring>

using namespace chipwright;
using namespace chipwright::models;

const Value *chipwright::findValue(const Graph &graph,
                                   const std::string &name) {
  for (const Value &value : graph.values) {
    if (value.name == name) {
      return &value;
    }
  }
  return nullptr;
}

/// The rows and columns of \p value in a step.
static std::pair<int64_t, int64_t> sizeOf(const Value &value,
                                          const StepSizes &sizes) {
  int64_t rows = 1, columns = 1;
  for (size_t i = 0; i < value.shape.size(); ++i) {
    const Dim &dim = value.shape[i];
    int64_t size = dim.kind == Dim::Fixed    ? dim.size
                   : dim.kind == Dim::Tokens ? valueOf({1, "tokens"}, sizes)
                                             : valueOf({1, "outputs"}, sizes);
    (i == 0 ? rows : columns) *= size;
  }
  return {rows, columns};
}

template <typename T>
Result<HostValue<T>> chipwright::readValue(PackageMachine &machine,
                                           const Value &value, int64_t buffer,
                                           const StepSizes &sizes) {
  const PackageBuffer &described =
      machine.package().buffers[static_cast<size_t>(buffer)];
  auto [rows, columns] = sizeOf(value, sizes);
  bool isIndex = value.element == ElementKind::Index;
  if (elementsOf(described, sizes) != rows * columns ||
      isIndex != (described.dtype == DType::I32)) {
    return Diagnostic{
        fmt::format("buffer {}: expected the {} elements of value {}, found {} "
                    "of {}; compile this model again",
                    described.name, rows * columns, value.name,
                    elementsOf(described, sizes), dtypeName(described.dtype)),
        ExitBadInput};
  }
  const uint8_t *data = machine.stored(buffer).data();
  auto count = static_cast<size_t>(rows * columns);
  HostValue<T> result;
  if (isIndex) {
    result.index.resize(rows, columns);
    if (count) {
      std::memcpy(result.index.data(), data, count * sizeof(int32_t));
    }
    return result;
  }
  HostMatrix<float> numbers(rows, columns);
  sim::loadRow(described.dtype, data, numbers.data(), count);
  result.real = numbers.cast<T>();
  return result;
}

namespace chipwright {
template Result<HostValue<float>>
readValue<float>(PackageMachine &, const Value &, int64_t, const StepSizes &);
template Result<HostValue<double>>
readValue<double>(PackageMachine &, const Value &, int64_t, const StepSizes &);
} // namespace chipwright

Result<std::unique_ptr<SimDevice>> SimDevice::create(const Package &package,
                                                     const Graph &graph,
                                                     const Weights *weights,
                                                     const ResolvedChip &chip,
                                                     const Request &request) {
  if (auto same = checkChip(package, chip, request.packageName); !same) {
    return same.error();
  }
  if (auto same = checkModel(package, graph, request.packageName); !same) {
    return same.error();
  }
  std::unique_ptr<SimDevice> device(new SimDevice(package, graph, request));
  if (auto good = device->checkBuffers(); !good) {
    return good.error();
  }
  auto machine = PackageMachine::create(package, chip, request.machine,
                                        request.packageName);
  if (!machine) {
    return machine.error();
  }
  device->chipMachine = machine.take();
  for (size_t i = 0; i < package.buffers.size(); ++i) {
    // Tables of long contexts are large: none where nothing is stored.
    if (package.buffers[i].role == BufferRole::Table &&
        !device->chipMachine->stored(static_cast<int64_t>(i)).empty()) {
      auto bytes = tableBytes(package.buffers[i], graph);
      if (!bytes) {
        return bytes.error();
      }
      device->chipMachine->write(static_cast<int64_t>(i), *bytes);
    }
  }
  if (device->chipMachine->isFunctional()) {
    if (!weights) {
      return Diagnostic{"functional mode needs the model's weights; name a "
                        "checkpoint, or use --mode timing",
                        ExitUsage};
    }
    if (auto done = uploadWeights(*device->chipMachine, graph, *weights);
        !done) {
      return done.error();
    }
  } else if (!request.routing) {
    for (size_t launch = 0; launch < package.launches.size(); ++launch) {
      for (const auto &result : package.launches[launch].results) {
        if (device->chipMachine->isGiven(launch, result.buffer)) {
          return Diagnostic{
              fmt::format("{}: timing mode has no numbers from which {} could "
                          "choose; give the choices with --routing trace:F, "
                          "which a functional run writes with --save-routing",
                          request.packageName, package.launches[launch].op),
              ExitUsage};
        }
      }
    }
  }
  return device;
}

Result<void> SimDevice::checkBuffers() {
  for (size_t i = 0; i < package.buffers.size(); ++i) {
    if (package.buffers[i].role == BufferRole::Output) {
      if (output >= 0) {
        return Diagnostic{
            fmt::format("{}: expected one buffer of logits, found {} and {}; "
                        "compile the model again",
                        request.packageName,
                        package.buffers[static_cast<size_t>(output)].name,
                        package.buffers[i].name),
            ExitBadInput};
      }
      output = static_cast<int64_t>(i);
    }
  }
  if (output < 0 || !package.bounds.contains("slots")) {
    return Diagnostic{
        fmt::format("{}: expected a buffer of logits and a bound of slots, "
                    "found none; compile the model again",
                    request.packageName),
        ExitBadInput};
  }
  numSlots = package.bounds.at("slots");
  return {};
}

Result<void> SimDevice::checkPositions(const Step &step) const {
  for (const PackageBuffer &buffer : package.buffers) {
    for (int32_t position : step.positions) {
      if (buffer.role == BufferRole::Table &&
          position >= buffer.shape[0].constant) {
        return Diagnostic{
            fmt::format("position {}: expected 0 to {}, which the package was "
                        "compiled for; compile for more --max-context",
                        position, buffer.shape[0].constant - 1),
            ExitDoesNotFit};
      }
    }
  }
  return {};
}

template <typename F> Result<void> SimDevice::eachObserver(F call) {
  for (LaunchObserver *observer : observers) {
    if (Result<void> done = call(*observer); !done) {
      return done;
    }
  }
  return {};
}

Result<void> SimDevice::give(size_t launch, const StepSizes &sizes,
                             const RoutingTrace::Step &routing) {
  for (const auto &result : package.launches[launch].results) {
    if (!chipMachine->isGiven(launch, result.buffer)) {
      continue;
    }
    const PackageBuffer &buffer =
        package.buffers[static_cast<size_t>(result.buffer)];
    auto given =
        routing.contents.find({static_cast<int64_t>(launch), buffer.name});
    size_t wanted = static_cast<size_t>(elementsOf(buffer, sizes)) *
                    dtypeBytes(buffer.dtype) / sizeof(int32_t);
    size_t found = given == routing.contents.end() ? 0 : given->second.size();
    if (found != wanted) {
      return Diagnostic{
          fmt::format("routing of step {}: expected {} words of buffer {} "
                      "after launch {} ({}), found {}; record the run again",
                      stepNumber, wanted, buffer.name, launch,
                      package.launches[launch].op, found),
          ExitBadInput};
    }
    if (found) {
      chipMachine->write(result.buffer, {reinterpret_cast<const uint8_t *>(
                                             given->second.data()),
                                         found * sizeof(int32_t)});
    }
  }
  return {};
}

Result<void> SimDevice::recordRouters(size_t launch, const StepSizes &sizes,
                                      StepOutcome &outcome) {
  for (const auto &result : package.launches[launch].results) {
    const Value *value = findValue(graph, result.name);
    if (!value || value->producer < 0) {
      continue;
    }
    const Op &op = graph.ops[static_cast<size_t>(value->producer)];
    bool isLogits = value->id == op.results[0];
    bool isChoice = op.results.size() > 1 && value->id == op.results[1];
    if (op.kind != OpKind::Router || !(isLogits || isChoice)) {
      continue;
    }
    auto read = readValue<float>(*chipMachine, *value, result.buffer, sizes);
    if (!read) {
      return read.error();
    }
    RouterRecord &record = outcome.routers[op.name];
    if (isLogits) {
      record.logits = std::move(read->real);
    } else {
      record.chosen = std::move(read->index);
    }
  }
  return {};
}

Result<StepOutcome> SimDevice::run(const Step &step,
                                   const RouterChoices *replay) {
  if (replay) {
    return Diagnostic{"a chip takes no choices of experts from outside; "
                      "replay them on the cpu device",
                      ExitUsage};
  }
  if (auto good = verifyStep(graph, step, numSlots); !good) {
    return good.error();
  }
  if (auto good = checkPositions(step); !good) {
    return good.error();
  }
  auto counted = stepSizes(package, step);
  if (!counted) {
    return counted.error();
  }
  const StepSizes &sizes = *counted;
  const RoutingTrace::Step *routing = nullptr;
  if (request.routing && !chipMachine->isFunctional()) {
    if (stepNumber >= request.routing->steps.size() ||
        request.routing->steps[stepNumber].ids != step.ids ||
        request.routing->steps[stepNumber].sequences != step.sequences ||
        request.routing->steps[stepNumber].positions != step.positions) {
      return Diagnostic{
          fmt::format("routing: expected a record of step {} with its {} "
                      "tokens, found {}; record a run with the same prompts "
                      "and options",
                      stepNumber, step.tokens(),
                      stepNumber >= request.routing->steps.size()
                          ? "no such step"
                          : "other tokens"),
          ExitBadInput};
    }
    routing = &request.routing->steps[stepNumber];
  }
  StepOutcome outcome;
  StepTime &time = outcome.time.emplace();
  for (size_t i = 0; i < package.buffers.size(); ++i) {
    if (package.buffers[i].role == BufferRole::Input) {
      std::vector<uint8_t> bytes = inputBytes(package.buffers[i], step);
      chipMachine->write(static_cast<int64_t>(i), bytes);
      time.uploadBytes += bytes.size();
    }
  }
  bool isWatched = chipMachine->isFunctional();
  auto begun = eachObserver(
      [&](LaunchObserver &o) { return o.stepBegins(step, sizes); });
  if (isWatched && !begun) {
    return begun.error();
  }
  CounterSnapshot before = chipMachine->counters();
  for (size_t launch = 0; launch < package.launches.size(); ++launch) {
    if (routing) {
      if (auto done = give(launch, sizes, *routing); !done) {
        return done.error();
      }
    }
    if (isWatched) {
      auto done = eachObserver([&](LaunchObserver &o) {
        return o.beforeLaunch(*chipMachine, launch);
      });
      if (!done) {
        return done.error();
      }
    }
    auto record = chipMachine->launch(launch, sizes);
    if (!record) {
      return record.error();
    }
    time.launches.push_back(record.take());
    if (isWatched) {
      if (auto done = eachObserver([&](LaunchObserver &o) {
            return o.afterLaunch(*chipMachine, launch);
          });
          !done) {
        return done.error();
      }
      if (auto done = recordRouters(launch, sizes, outcome); !done) {
        return done.error();
      }
    }
  }
  time.measurement = chipMachine->measureSince(before, time.launches);
  const PackageBuffer &logits = package.buffers[static_cast<size_t>(output)];
  time.downloadBytes = static_cast<uint64_t>(elementsOf(logits, sizes)) *
                       dtypeBytes(logits.dtype);
  const ChipSpec &spec = chipMachine->spec();
  constexpr double kSecondsPerFs = 1e-15, kJoulesPerPj = 1e-12;
  time.uploadSeconds = double(sim::hostTransferFs(spec.host, time.uploadBytes,
                                                  /*write=*/true)) *
                       kSecondsPerFs;
  time.downloadSeconds = double(sim::hostTransferFs(
                             spec.host, time.downloadBytes, /*write=*/false)) *
                         kSecondsPerFs;
  time.hostLinkJoules = double(time.uploadBytes + time.downloadBytes) * 8 *
                        spec.energy.hostPjPerBit * kJoulesPerPj;
  if (isWatched) {
    auto read = readValue<float>(
        *chipMachine, graph.values[static_cast<size_t>(graph.logits)], output,
        sizes);
    if (!read) {
      return read.error();
    }
    outcome.logits = std::move(read->real);
    if (auto done =
            eachObserver([](LaunchObserver &o) { return o.stepEnds(); });
        !done) {
      return done.error();
    }
  }
  ++stepNumber;
  return outcome;
}

Result<void> RoutingRecorder::stepBegins(const Step &step,
                                         const StepSizes &sizes) {
  current = sizes;
  trace.steps.push_back({step.ids, step.sequences, step.positions, {}, {}});
  return {};
}

Result<void> RoutingRecorder::afterLaunch(PackageMachine &machine,
                                          size_t launch) {
  for (const auto &result : machine.package().launches[launch].results) {
    if (!machine.isGiven(launch, result.buffer)) {
      continue;
    }
    const PackageBuffer &buffer =
        machine.package().buffers[static_cast<size_t>(result.buffer)];
    size_t words = static_cast<size_t>(elementsOf(buffer, current)) *
                   dtypeBytes(buffer.dtype) / sizeof(int32_t);
    std::vector<int32_t> &contents =
        trace.steps.back()
            .contents[{static_cast<int64_t>(launch), buffer.name}];
    contents.resize(words);
    if (words) {
      std::memcpy(contents.data(), machine.stored(result.buffer).data(),
                  words * sizeof(int32_t));
    }
  }
  return {};
}
