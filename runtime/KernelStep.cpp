//===- KernelStep.cpp - Kernels of several launches -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/KernelStep.h"

#include "package/PackageFile.h"
#include "runtime/KernelBuild.h"
#include "runtime/PackageMachine.h"
#include "runtime/Tensor.h"

#include <fmt/format.h>

#include <algorithm>

using namespace chipwright;

namespace {

/// One plan on its way through a machine.
class Steps {
public:
  Steps(const Kernel &kernel, const KernelPlan &plan, const ResolvedChip &chip,
        const RunOptions &options)
      : kernel(kernel), plan(plan), chip(chip), options(options) {}

  Result<KernelResult> run() {
    if (auto done = build(); !done) {
      return done.error();
    }
    const double before = processCpuSeconds(/*withChildren=*/false);
    if (auto done = prepare(); !done) {
      return done.error();
    }
    KernelResult result;
    result.kernel = kernel.name;
    result.mode = options.mode;
    result.seed = options.seed;
    result.dtype = plan.dtype;
    result.minimalBytes = plan.minimalBytes;
    result.routed = plan.routed;
    for (size_t i = 0; i < package.buffers.size(); ++i) {
      const PlacedBuffer &buffer = machine->placement()[i];
      result.buffers.push_back(
          {buffer.name, buffer.space == sim::Space::Sram ? "sram" : "dram",
           buffer.address, buffer.bytes,
           package.buffers[i].role == BufferRole::Activation});
    }
    if (auto done = launch(result); !done) {
      return done.error();
    }
    result.measurement.cpuSeconds =
        processCpuSeconds(/*withChildren=*/false) - before;
    if (result.measurement.job.finished) {
      setFlops(plan, chip.spec, result);
      if (machine->isFunctional() && plan.referenceByRows) {
        compare(result);
      }
    }
    return result;
  }

private:
  Result<void> build() {
    Result<Package> made =
        buildStep(chip.spec, plan.step, kernel.name, plan.symbols);
    if (!made) {
      return Diagnostic{fmt::format("kernel {} does not fit {}, {}: {}",
                                    kernel.name, chip.spec.name, plan.wayOut,
                                    made.error().message),
                        made.error().exitStatus};
    }
    package = made.take();
    // Buffers of the plan in the package: by name, the output by its role.
    for (const KernelBuffer &buffer : plan.buffers) {
      auto same = [&](const PackageBuffer &one) {
        return buffer.isOutput ? one.role == BufferRole::Output
                               : one.role != BufferRole::Activation &&
                                     one.name == buffer.name;
      };
      auto found =
          std::find_if(package.buffers.begin(), package.buffers.end(), same);
      if (found == package.buffers.end() ||
          largestBytes(package, *found) != buffer.bytes() ||
          found->dtype != buffer.dtype) {
        return Diagnostic{fmt::format("kernel {}: the compiler made no buffer "
                                      "{} with {} bytes of {}",
                                      kernel.name, buffer.name, buffer.bytes(),
                                      dtypeName(buffer.dtype)),
                          ExitBadInput};
      }
      if (buffer.isOutput) {
        found->name = buffer.name;
      }
      numbers.push_back(found - package.buffers.begin());
    }
    return {};
  }

  Result<void> prepare() {
    std::vector<PlacedBuffer> placed;
    for (const PackageBuffer &buffer : package.buffers) {
      Role role =
          buffer.role == BufferRole::Weight ? Role::Weight : Role::Activation;
      placed.push_back({buffer.name, largestBytes(package, buffer),
                        choiceFor(options.placement, role)});
    }
    if (auto fits = placeBuffers(chip.spec, placed); !fits) {
      return fits.error();
    }
    MachineRequest request;
    request.mode = options.mode;
    request.maxCycles = options.maxCycles;
    request.shuffleSeed = options.shuffleSeed;
    request.trace = options.trace;
    request.placement = std::move(placed);
    if (options.imageLoaded) {
      request.beforeLaunch = [this](const sim::KernelImage &image,
                                    const std::string &) {
        options.imageLoaded(image);
      };
    }
    auto made = PackageMachine::create(package, chip, request, kernel.name);
    if (!made) {
      return made.error();
    }
    machine = made.take();
    if (machine->isFunctional()) {
      poisonTemporaries();
    }
    for (size_t i = 0; machine->isFunctional() && i < numbers.size(); ++i) {
      fillBuffer(plan.buffers[i], options.seed, i,
                 machine->stored(numbers[i]).data());
    }
    return {};
  }

  /// What no launch writes is no number, as in an output.
  void poisonTemporaries() {
    for (size_t i = 0; i < package.buffers.size(); ++i) {
      const PackageBuffer &buffer = package.buffers[i];
      if (buffer.role == BufferRole::Activation && !buffer.isControl) {
        std::span<uint8_t> bytes = machine->stored(static_cast<int64_t>(i));
        std::fill(bytes.begin(), bytes.end(), uint8_t(0xff));
      }
    }
  }

  /// Writes what launch \p number decides from numbers that are not there.
  Result<void> give(size_t number) {
    for (const auto &value : package.launches[number].results) {
      if (!machine->isGiven(number, value.buffer)) {
        continue;
      }
      auto given = plan.given.find(value.name);
      const size_t words =
          machine->placement()[static_cast<size_t>(value.buffer)].bytes /
          sizeof(int32_t);
      if (given == plan.given.end() || given->second.size() != words) {
        return Diagnostic{fmt::format("kernel {}: the {} words that {} decides "
                                      "are not given",
                                      kernel.name, words, value.name),
                          ExitBadInput};
      }
      machine->write(value.buffer,
                     {reinterpret_cast<const uint8_t *>(given->second.data()),
                      words * sizeof(int32_t)});
    }
    return {};
  }

  Result<void> launch(KernelResult &result) {
    const CounterSnapshot before = machine->counters();
    std::vector<LaunchRecord> records;
    for (size_t i = 0; i < package.launches.size(); ++i) {
      if (!machine->isFunctional()) {
        if (auto done = give(i); !done) {
          return done;
        }
      }
      bool isLast = i + 1 == package.launches.size();
      auto record = machine->launch(i, plan.symbols, /*writeBack=*/isLast);
      if (!record) {
        if (record.error().exitStatus != ExitStopped) {
          return record.error();
        }
        result.measurement.job.finished = false;
        result.measurement.job.fault.text = record.error().message;
        return {};
      }
      const PackageProgram &program =
          package.programs[static_cast<size_t>(package.launches[i].program)];
      result.launches.push_back({program.name, record->measurement.job.cycles});
      records.push_back(record.take());
    }
    result.measurement = machine->measureSince(before, records);
    return {};
  }

  void compare(KernelResult &result) {
    auto read = [&](size_t number, uint64_t firstRow, uint64_t rows) {
      KernelBuffer part = plan.buffers[number];
      part.rows = 1;
      const uint8_t *start =
          machine->stored(numbers[number]).data() + firstRow * part.bytes();
      part.rows = rows;
      return toMatrix(part, start);
    };
    const size_t out = plan.buffers.size() - 1;
    result.relativeError = relativeError(read(out, 0, plan.buffers[out].rows),
                                         plan.referenceByRows(read));
    result.errorBound = plan.errorBound;
    // Not a number is no agreement.
    result.agrees = *result.relativeError <= plan.errorBound;
  }

  const Kernel &kernel;
  const KernelPlan &plan;
  const ResolvedChip &chip;
  const RunOptions &options;
  Package package;
  std::vector<int64_t> numbers; // of the plan's buffers in the package
  std::unique_ptr<PackageMachine> machine;
};

} // namespace

Result<KernelResult> chipwright::runSteps(const Kernel &kernel,
                                          const KernelPlan &plan,
                                          const ResolvedChip &chip,
                                          const RunOptions &options) {
  return Steps(kernel, plan, chip, options).run();
}
