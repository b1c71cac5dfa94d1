//===- PackageMachine.cpp - A package on a simulated chip -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/PackageMachine.h"

#include "runtime/KernelBuild.h"
#include "runtime/PackagePlacement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

using namespace chipwright;

Result<std::unique_ptr<PackageMachine>>
PackageMachine::create(const Package &package, const ResolvedChip &chip,
                       const MachineRequest &request, const std::string &name) {
  std::unique_ptr<PackageMachine> made(new PackageMachine(package, request));
  for (const PackageProgram &program : package.programs) {
    Result<sim::KernelImage> image = loadKernel(
        program.elf, fmt::format("{}, program {}", name, program.name));
    if (!image) {
      return image.error();
    }
    made->images.push_back(image.take());
  }
  for (const PackageLaunch &launch : package.launches) {
    uint64_t bytes = launch.arguments.size() * sizeof(uint64_t);
    if (bytes > chip.spec.control.descriptorBytes) {
      return Diagnostic{
          fmt::format("{}: the launch of {} has {} bytes of arguments, a job "
                      "descriptor of {} holds {} "
                      "(control.descriptor_bytes); compile the model again",
                      name, launch.op, bytes, chip.spec.name,
                      chip.spec.control.descriptorBytes),
          ExitDoesNotFit};
    }
  }
  if (request.placement) {
    made->placed = *request.placement;
  } else {
    auto placed = placePackage(chip.spec, package);
    if (!placed) {
      return placed.error();
    }
    made->placed = placed.take();
  }
  made->machine.emplace(
      chip.spec, sim::MachineOptions{request.mode, request.maxCycles,
                                     request.shuffleSeed, request.trace});
  for (size_t i = 0; i < package.buffers.size(); ++i) {
    const PlacedBuffer &place = made->placed[i];
    sim::Buffer *buffer = made->machine->declare(
        place.name, place.address, place.bytes,
        package.buffers[i].isControl ? sim::BufferKind::Control
                                     : sim::BufferKind::Bulk);
    if (!buffer) {
      return Diagnostic{
          fmt::format("this computer has no memory for the {} bytes of buffer "
                      "{}; use --mode timing, which stores no tensors, or "
                      "compile for smaller sizes",
                      place.bytes, place.name),
          ExitDoesNotFit};
    }
    made->buffers.push_back(buffer);
  }
  return made;
}

uint64_t PackageMachine::imageBytes() const {
  if (!isFunctional()) {
    return 0;
  }
  uint64_t bytes =
      uint64_t(spec().grid.rows) * spec().grid.cols * spec().ls.bytes;
  for (const PlacedBuffer &buffer : placed) {
    bytes += buffer.bytes;
  }
  return bytes;
}

std::span<uint8_t> PackageMachine::stored(int64_t buffer) {
  sim::Buffer &place = *buffers[static_cast<size_t>(buffer)];
  return {place.data(), place.data() ? place.bytes : 0};
}

void PackageMachine::write(int64_t buffer, std::span<const uint8_t> bytes) {
  sim::Buffer &place = *buffers[static_cast<size_t>(buffer)];
  if (place.data() && !bytes.empty()) {
    std::memcpy(place.data(), bytes.data(), bytes.size());
  }
  machine->memory().touch(place, place.base, bytes.size());
}

bool PackageMachine::isGiven(size_t launch, int64_t buffer) const {
  const PackageBuffer &described =
      packageRef.buffers[static_cast<size_t>(buffer)];
  const auto &results = packageRef.launches[launch].results;
  return described.isControl &&
         std::any_of(results.begin(), results.end(),
                     [&](const auto &value) { return value.buffer == buffer; });
}

Result<LaunchRecord>
PackageMachine::launch(size_t number, const StepSizes &sizes, bool writeBack) {
  const PackageLaunch &launch = packageRef.launches[number];
  std::vector<uint64_t> words;
  for (const PackageArgument &argument : launch.arguments) {
    words.push_back(argument.kind == PackageArgument::Address
                        ? placed[static_cast<size_t>(argument.buffer)].address
                        : static_cast<uint64_t>(valueOf(argument.size, sizes)));
  }
  const sim::KernelImage &image = images[static_cast<size_t>(launch.program)];
  if (request.beforeLaunch) {
    request.beforeLaunch(image, launch.op);
  }
  sim::Job job;
  job.image = &image;
  job.op = launch.op;
  job.rows = spec().grid.rows;
  job.cols = spec().grid.cols;
  job.writeBack = writeBack;
  job.resident = residentProgram == launch.program;
  job.arguments.resize(words.size() * sizeof(uint64_t));
  if (!words.empty()) {
    std::memcpy(job.arguments.data(), words.data(), job.arguments.size());
  }
  for (size_t i = 0; i < buffers.size(); ++i) {
    buffers[i]->preset = isGiven(number, static_cast<int64_t>(i));
  }
  CounterSnapshot before = counters();
  sim::JobResult outcome = machine->launch(job);
  if (!outcome.finished) {
    return Diagnostic{fmt::format("{} (launch {}): {}", launch.op, number,
                                  outcome.fault.text),
                      ExitStopped};
  }
  residentProgram = launch.program;
  lastJob = outcome;
  if (request.afterLaunch) {
    request.afterLaunch(launch.op, outcome);
  }
  return LaunchRecord{number, launch.op, measure(*machine, outcome, before)};
}

Measurement
PackageMachine::measureSince(const CounterSnapshot &before,
                             std::span<const LaunchRecord> records) const {
  sim::JobResult sum;
  sum.finished = true;
  for (const LaunchRecord &record : records) {
    const sim::JobResult &job = record.measurement.job;
    sum.kernelCycles += job.kernelCycles;
    sum.writeBackCycles += job.writeBackCycles;
    sum.completionCycles += job.completionCycles;
    sum.instructions += job.instructions;
    sum.events += job.events;
    sum.pcHash = sum.pcHash * 0x100000001b3 ^ job.pcHash;
  }
  if (!records.empty()) {
    const sim::JobResult &first = records.front().measurement.job;
    sum.firstStart = first.firstStart;
    sum.lastDone = records.back().measurement.job.lastDone;
    sum.end = records.back().measurement.job.end;
    sum.cycles = sum.end - (first.end - first.cycles);
  }
  sum.commands = lastJob.commands;
  sum.passes = lastJob.passes;
  sum.trains = lastJob.trains;
  return measure(*machine, sum, before);
}
