//===- KernelRun.cpp - One kernel, from source to checked result ----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/KernelRun.h"

#include "runtime/KernelBuild.h"
#include "runtime/KernelStep.h"
#include "runtime/Tensor.h"

#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace chipwright;
using namespace chipwright::sim;

int KernelResult::exitStatus() const {
  if (!measurement.job.finished) {
    return ExitStopped;
  }
  return agrees ? ExitOk : ExitMismatch;
}

namespace {

/// What runKernel and runUserKernel have in common.
class Session {
public:
  Session(const ResolvedChip &chip, const RunOptions &options)
      : chip(chip), options(options) {}

  /// Places the buffers and makes the machine with them.
  Result<void> prepare(std::vector<PlacedBuffer> wanted,
                       const std::vector<BufferKind> &kinds) {
    cpuBefore = processCpuSeconds(/*withChildren=*/false);
    placed = std::move(wanted);
    if (auto fits = placeBuffers(chip.spec, placed); !fits) {
      return fits.error();
    }
    machine.emplace(chip.spec,
                    MachineOptions{options.mode, options.maxCycles,
                                   options.shuffleSeed, options.trace});
    for (size_t i = 0; i < placed.size(); ++i) {
      Buffer *buffer = machine->declare(placed[i].name, placed[i].address,
                                        placed[i].bytes, kinds[i]);
      if (!buffer) {
        return Diagnostic{
            fmt::format("this computer has no memory for the {} bytes of "
                        "buffer {}; use --mode timing, which stores no "
                        "tensors, or smaller sizes",
                        placed[i].bytes, placed[i].name),
            ExitDoesNotFit};
      }
      buffers.push_back(buffer);
    }
    return {};
  }

  std::vector<uint64_t> addresses() const {
    std::vector<uint64_t> result;
    for (const PlacedBuffer &buffer : placed) {
      result.push_back(buffer.address);
    }
    return result;
  }

  Result<void> launch(const KernelImage &image,
                      const std::vector<uint8_t> &arguments,
                      KernelResult &result) {
    if (arguments.size() > chip.spec.control.descriptorBytes) {
      return Diagnostic{
          fmt::format("the argument block has {} bytes, a job descriptor of "
                      "{} holds {} (control.descriptor_bytes); pass fewer "
                      "arguments, or a control buffer",
                      arguments.size(), chip.spec.name,
                      chip.spec.control.descriptorBytes),
          ExitDoesNotFit};
    }
    if (options.imageLoaded) {
      options.imageLoaded(image);
    }
    Job job;
    job.image = &image;
    job.arguments = arguments;
    job.rows = chip.spec.grid.rows;
    job.cols = chip.spec.grid.cols;
    job.writeBack = true;
    JobResult outcome = machine->launch(job);
    result.measurement = measure(*machine, outcome);
    result.measurement.cpuSeconds =
        processCpuSeconds(/*withChildren=*/false) - cpuBefore;
    result.mode = options.mode;
    result.seed = options.seed;
    for (const PlacedBuffer &buffer : placed) {
      result.buffers.push_back({buffer.name,
                                buffer.space == Space::Sram ? "sram" : "dram",
                                buffer.address, buffer.bytes});
    }
    return {};
  }

  const ResolvedChip &chip;
  const RunOptions &options;
  std::vector<PlacedBuffer> placed;
  std::optional<Machine> machine;
  std::vector<Buffer *> buffers;
  double cpuBefore = 0;
};

} // namespace

Result<KernelResult> chipwright::runKernel(const Kernel &kernel,
                                           const KernelShape &shape,
                                           const ResolvedChip &chip,
                                           const RunOptions &options) {
  const ChipSpec &spec = chip.spec;
  KernelShape seeded = shape;
  seeded.seed = options.seed;
  Result<KernelPlan> made = planKernel(kernel, spec, seeded);
  if (!made) {
    return made.error();
  }
  const KernelPlan &plan = *made;
  if (!plan.step.empty()) {
    return runSteps(kernel, plan, chip, options);
  }
  std::vector<PlacedBuffer> wanted;
  for (const KernelBuffer &buffer : plan.buffers) {
    wanted.push_back({buffer.name, buffer.bytes(),
                      choiceFor(options.placement, buffer.role)});
  }
  // Refuse what does not fit before the compiler is started.
  std::vector<PlacedBuffer> trial = wanted;
  if (auto fits = placeBuffers(spec, trial); !fits) {
    return fits.error();
  }
  Result<std::vector<uint8_t>> elf = buildPlan(kernel, plan, spec);
  if (!elf) {
    return elf.error();
  }
  Result<KernelImage> image = loadKernel(*elf, kernel.name);
  if (!image) {
    return image.error();
  }

  KernelResult result;
  result.kernel = kernel.name;
  if (!kernel.dtypes.empty()) {
    result.dtype = plan.dtype;
  }
  result.minimalBytes = plan.minimalBytes;
  Session session(chip, options);
  std::vector<BufferKind> kinds(wanted.size(), BufferKind::Bulk);
  if (auto ready = session.prepare(std::move(wanted), kinds); !ready) {
    return ready.error();
  }
  bool functional = options.mode == Mode::Functional;
  for (size_t i = 0; functional && i < plan.buffers.size(); ++i) {
    fillBuffer(plan.buffers[i], options.seed, i, session.buffers[i]->data());
  }
  if (auto done =
          session.launch(*image, plan.arguments(session.addresses()), result);
      !done) {
    return done.error();
  }

  setFlops(plan, spec, result);
  if (functional && plan.reference && result.measurement.job.finished) {
    std::vector<Matrix> inputs;
    for (size_t i = 0; i + 1 < plan.buffers.size(); ++i) {
      inputs.push_back(toMatrix(plan.buffers[i], session.buffers[i]->data()));
    }
    Matrix out = toMatrix(plan.buffers.back(), session.buffers.back()->data());
    result.relativeError = relativeError(out, plan.reference(inputs));
    result.errorBound = plan.errorBound;
    // Not a number is no agreement.
    result.agrees = *result.relativeError <= plan.errorBound;
  }
  return result;
}

void chipwright::setFlops(const KernelPlan &plan, const ChipSpec &spec,
                          KernelResult &result) {
  double peak = spec.peakFlops(plan.dtype);
  if (plan.flops > 0) {
    result.flops = plan.flops;
    if (peak > 0 && result.measurement.seconds > 0) {
      result.peakFraction = plan.flops / (result.measurement.seconds * peak);
    }
  }
}

Result<KernelResult> chipwright::runUserKernel(const UserKernel &kernel,
                                               const ResolvedChip &chip,
                                               const RunOptions &options) {
  std::vector<PlacedBuffer> wanted;
  std::vector<BufferKind> kinds;
  for (const UserBuffer &buffer : kernel.buffers) {
    wanted.push_back({buffer.name, buffer.bytes,
                      buffer.memory.value_or(
                          choiceFor(options.placement, Role::Activation))});
    kinds.push_back(buffer.isControl ? BufferKind::Control : BufferKind::Bulk);
  }
  std::vector<PlacedBuffer> trial = wanted;
  if (auto fits = placeBuffers(chip.spec, trial); !fits) {
    return fits.error();
  }
  std::vector<uint8_t> elf = kernel.elf;
  if (!elf.empty()) {
    // Compiled by the caller.
  } else if (kernel.path.ends_with(".c")) {
    Result<std::vector<uint8_t>> built = buildKernel(chip.spec, kernel.path);
    if (!built) {
      return built.error();
    }
    elf = built.take();
  } else {
    if (std::filesystem::is_directory(kernel.path)) {
      return Diagnostic{kernel.path + ": is a folder, expected a kernel in C "
                                      "(.c) or an ELF file",
                        ExitBadInput};
    }
    std::error_code failed;
    if (std::filesystem::exists(kernel.path, failed) &&
        !std::filesystem::is_regular_file(kernel.path, failed)) {
      return Diagnostic{kernel.path + ": is a device or a pipe, expected a "
                                      "kernel in C (.c) or an ELF file",
                        ExitBadInput};
    }
    std::ifstream file(kernel.path, std::ios::binary);
    if (!file) {
      return Diagnostic{fmt::format("{}: the file cannot be read: {}",
                                    kernel.path, std::strerror(errno)),
                        ExitBadInput};
    }
    elf.assign(std::istreambuf_iterator<char>(file), {});
    if (!file) {
      return Diagnostic{kernel.path + ": the file cannot be read",
                        ExitBadInput};
    }
  }
  Result<KernelImage> image = loadKernel(elf, kernel.path);
  if (!image) {
    return image.error();
  }
  Session session(chip, options);
  if (auto ready = session.prepare(std::move(wanted), kinds); !ready) {
    return ready.error();
  }
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    if (options.mode == Mode::Functional && !kernel.buffers[i].isControl) {
      KernelBuffer bytes{.name = kernel.buffers[i].name,
                         .dtype = DType::I8,
                         .rows = 1,
                         .cols = kernel.buffers[i].bytes,
                         .low = -128,
                         .high = 127};
      fillRandom(bytes, options.seed * 0x9e3779b97f4a7c15 + i,
                 session.buffers[i]->data());
    }
  }
  std::vector<uint64_t> words = session.addresses();
  words.insert(words.end(), kernel.arguments.begin(), kernel.arguments.end());
  std::vector<uint8_t> block(words.size() * 8);
  if (!block.empty()) {
    std::memcpy(block.data(), words.data(), block.size());
  }
  KernelResult result;
  result.kernel = kernel.path;
  if (auto done = session.launch(*image, block, result); !done) {
    return done.error();
  }
  return result;
}
