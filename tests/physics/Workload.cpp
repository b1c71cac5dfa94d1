//===- Workload.cpp -------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/physics/Workload.h"

#include "runtime/KernelBuild.h"
#include "sim/machine/Machine.h"
#include "sim/pe/Pe.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace chipwright;
using namespace chipwright::physics;

std::vector<Workload> physics::workloads(Regime regime) {
  switch (regime) {
  case Regime::Dpe:
    return dpeWorkloads();
  case Regime::Se:
    return seWorkloads();
  case Regime::Dram:
    return dramWorkloads();
  case Regime::Sram:
    return sramWorkloads();
  case Regime::Noc:
    return nocWorkloads();
  case Regime::Issue:
    return issueWorkloads();
  case Regime::Latency:
    return latencyWorkloads();
  }
  return {};
}

std::function<Result<Program>(const ChipSpec &)>
physics::shipped(const char *kernel, KernelShape shape,
                 PlacementOptions placement) {
  return [=](const ChipSpec &spec) -> Result<Program> {
    const Kernel *found = findKernel(kernel);
    if (!found) {
      return Diagnostic{fmt::format("there is no kernel {}", kernel)};
    }
    Result<KernelPlan> plan = planKernel(*found, spec, shape);
    if (!plan) {
      return plan.error();
    }
    Program program;
    program.source = plan->program.empty()
                         ? kernelDirectory() + "/" + found->source
                         : std::string(kernel);
    program.text = plan->program;
    program.defines = plan->defines;
    for (const KernelBuffer &buffer : plan->buffers) {
      program.buffers.push_back(
          {buffer.name, buffer.bytes(), choiceFor(placement, buffer.role)});
    }
    program.arguments = plan->arguments;
    return program;
  };
}

ResolvedChip physics::chipWith(const std::vector<std::string> &sets) {
  Result<ResolvedChip> chip = loadChip("mtia-2i", sets);
  if (!chip) {
    std::fprintf(stderr, "%s\n", chip.error().message.c_str());
    std::exit(EXIT_FAILURE);
  }
  return chip.take();
}

Result<const sim::KernelImage *> ImageCache::get(const ResolvedChip &chip,
                                                 const Program &program) {
  std::string key = fmt::format("{} {:x} {}", program.source,
                                chip.architecturalFingerprint(), program.text);
  for (const auto &[name, value] : program.defines) {
    key += " " + name + "=" + value;
  }
  for (const auto &[name, image] : images) {
    if (name == key) {
      return image.get();
    }
  }
  Result<std::vector<uint8_t>> elf =
      program.text.empty()
          ? buildKernel(chip.spec, program.source, {.defines = program.defines})
          : buildProgram(chip.spec, program.text, program.source);
  if (!elf) {
    return elf.error();
  }
  Result<sim::KernelImage> image = loadKernel(*elf, program.source);
  if (!image) {
    return image.error();
  }
  images.emplace_back(key, std::make_unique<sim::KernelImage>(image.take()));
  return images.back().second.get();
}

/// Fills a control buffer with a list: every line's first word is the address
/// of the line after it.
static void linkLines(sim::Buffer &buffer, uint64_t bytes, unsigned line) {
  for (uint64_t offset = 0; offset + line <= bytes; offset += line) {
    uint64_t next = buffer.base + (offset + line) % bytes;
    std::memcpy(buffer.data() + offset, &next, sizeof(next));
  }
}

Result<Outcome> physics::runProgram(ImageCache &images,
                                    const ResolvedChip &chip,
                                    const Program &program) {
  Result<const sim::KernelImage *> image = images.get(chip, program);
  if (!image) {
    return image.error();
  }
  std::vector<PlacedBuffer> placed = program.buffers;
  if (auto fits = placeBuffers(chip.spec, placed); !fits) {
    return fits.error();
  }
  // A run that never ends shall fail, not hang.
  sim::MachineOptions options;
  options.maxCycles = 50'000'000;
  sim::Machine machine(chip.spec, options);
  std::vector<uint64_t> addresses;
  for (const PlacedBuffer &buffer : placed) {
    sim::Buffer *declared = machine.declare(
        buffer.name, buffer.address, buffer.bytes,
        program.isLinked ? sim::BufferKind::Control : sim::BufferKind::Bulk);
    if (!declared) {
      return Diagnostic{"no memory for buffer " + buffer.name};
    }
    if (program.isLinked) {
      linkLines(*declared, buffer.bytes, chip.spec.hart.cacheLineBytes);
    }
    addresses.push_back(buffer.address);
  }
  sim::Job job;
  job.image = *image;
  job.arguments = program.arguments(addresses);
  job.rows = chip.spec.grid.rows;
  job.cols = chip.spec.grid.cols;
  job.writeBack = true;
  sim::JobResult result = machine.launch(job);
  if (!result.finished) {
    return Diagnostic{result.fault.text, ExitStopped};
  }
  Outcome outcome;
  outcome.measurement = measure(machine, result);
  outcome.energy = sim::computeEnergy(chip.spec, machine, result.cycles);
  for (unsigned pe = 0; pe < machine.numPes(); ++pe) {
    const sim::PeCounters &count = machine.pe(pe).counters();
    outcome.dpePasses += count.dpePasses;
    outcome.dpeUnderfilled += double(count.dpeUnderfilled) / 1024;
  }
  return outcome;
}

//===----------------------------------------------------------------------===//
// Resources
//===----------------------------------------------------------------------===//

#define RESOURCE(path, member)                                                 \
  {path, [](const ChipSpec &spec) -> double { return spec.member; }}

const std::vector<Resource> &physics::regimeResources() {
  static const std::vector<Resource> list = {
      RESOURCE("dram.channels", dram.channels),
      RESOURCE("sram.banks", sram.banks),
      RESOURCE("noc.link_bytes", noc.linkBytes),
      RESOURCE("clock_ghz", clockGhz)};
  return list;
}

const std::vector<Resource> &physics::otherResources() {
  static const std::vector<Resource> list = {
      RESOURCE("sram.bank_bytes", sram.bankBytes),
      RESOURCE("sram.llc_ways", sram.llcWays),
      RESOURCE("fi.port_bytes", fi.portBytes),
      RESOURCE("fi.outstanding_requests", fi.outstandingRequests),
      RESOURCE("ls.banks", ls.banks),
      RESOURCE("dpe.load_bytes", dpe.loadBytes),
      RESOURCE("re.drain_elements", re.drainElements),
      RESOURCE("re.drain_ops", re.drainOps),
      RESOURCE("se.lanes", se.lanes),
      RESOURCE("se.ops_per_slot", se.opsPerSlot),
      RESOURCE("mlu.bytes", mlu.bytes),
      RESOURCE("cp.queue_commands", cp.queueCommands),
      RESOURCE("noc.multicast_commands", noc.multicastCommands),
      RESOURCE("noc.shaping_burst_bytes", noc.shapingBurstBytes),
      RESOURCE("dram.read_queue", dram.readQueue),
      RESOURCE("dram.write_queue", dram.writeQueue),
      RESOURCE("hart.dcache_bytes", hart.dcacheBytes)};
  return list;
}

#undef RESOURCE

const char *physics::resourceOf(Regime regime) {
  switch (regime) {
  case Regime::Dram:
    return "dram.channels";
  case Regime::Sram:
    return "sram.banks";
  case Regime::Noc:
    return "noc.link_bytes";
  default:
    return "clock_ghz";
  }
}

std::vector<std::string> physics::doubled(const std::vector<std::string> &sets,
                                          const Resource &resource) {
  std::vector<std::string> result = sets;
  ResolvedChip chip = chipWith(sets);
  result.push_back(
      fmt::format("{}={}", resource.path, 2 * resource.value(chip.spec)));
  return result;
}
