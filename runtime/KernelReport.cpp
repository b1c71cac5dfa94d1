//===- KernelReport.cpp - Results of kernels as text and JSON -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/KernelReport.h"

#include "chips/ChipReport.h"
#include "runtime/ReportText.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace chipwright;
using namespace chipwright::sim;
using Json = nlohmann::ordered_json;

const char *chipwright::versionString() { return CHIPWRIGHT_VERSION; }

double chipwright::dramBandwidthFraction(const KernelResult &result,
                                         const ChipSpec &spec) {
  const Measurement &m = result.measurement;
  double bytes = double(m.dramReadBytes + m.dramWriteBytes);
  return bytes / (m.seconds * spec.dram.pinBytesPerSecond);
}

Json chipwright::toJson(const KernelResult &result, const ResolvedChip &chip,
                        const std::string &commandLine) {
  const Measurement &m = result.measurement;
  const JobResult &job = m.job;
  Json json;
  json["kernel"] = result.kernel;
  json["mode"] = modeName(result.mode);
  if (result.dtype) {
    json["dtype"] = dtypeName(*result.dtype);
  }
  if (job.finished) {
    json["seconds"] = m.seconds;
    json["cycles"] = job.cycles;
    json["kernel_cycles"] = job.kernelCycles;
    if (result.flops) {
      json["flops"] = *result.flops;
    }
    if (result.peakFraction) {
      json["peak_fraction"] = *result.peakFraction;
    }
    json["dram_bytes_read"] = m.dramReadBytes;
    json["dram_bytes_written"] = m.dramWriteBytes;
    json["dram_bytes_ecc"] = m.dramEccBytes;
    json["dram_bandwidth_fraction"] = dramBandwidthFraction(result, chip.spec);
    json["sram_bytes"] = m.sramReadBytes + m.sramWriteBytes;
    if (Json macs = macsJson(m); !macs.empty()) {
      json["macs"] = macs;
    }
    json["energy_joules"] = m.energy.total();
    Json parts;
    for (const auto &[name, joules] : m.energy.parts()) {
      parts[name] = joules;
    }
    json["energy_parts_joules"] = parts;
    json["average_watts"] = m.energy.averageWatts();
    if (result.relativeError) {
      json["relative_error"] = *result.relativeError; // NaN becomes null
      json["relative_error_bound"] = *result.errorBound;
      json["agrees"] = result.agrees;
      json["seed"] = result.seed;
    }
    if (result.routed) {
      const RoutedTokens &routed = *result.routed;
      json["experts"] = {{"all", routed.experts},
                         {"used", routed.used},
                         {"tokens_max", routed.largest},
                         {"tokens_mean", routed.mean}};
    }
    json["stalls"] = stallsJson(m);
    json["verdict"] = verdict(result);
  } else {
    json["stopped"] = job.fault.text;
  }
  Json buffers = Json::array();
  for (const BufferResult &buffer : result.buffers) {
    buffers.push_back({{"name", buffer.name},
                       {"space", buffer.space},
                       {"address", fmt::format("{:#x}", buffer.address)},
                       {"bytes", buffer.bytes}});
  }
  json["buffers"] = buffers;
  if (!result.launches.empty()) {
    Json launches = Json::array();
    for (const KernelLaunch &launch : result.launches) {
      launches.push_back(
          {{"program", launch.program}, {"cycles", launch.cycles}});
    }
    json["launches"] = launches;
  }
  json["host_work"] = Json::array();
  json["provenance"] = {
      {"kind", "simulated"},
      {"model",
       fmt::format("chipwright {} ({} DRAM)", versionString(),
                   chip.spec.dram.level == DramLevel::Command ? "command-level"
                                                              : "burst-level")},
      {"conditions", "LLC empty at the start; the end is when dirty lines are "
                     "in DRAM; " +
                         (result.launches.empty()
                              ? std::string("one launch, image sent with it")
                              : fmt::format("{} launches one behind the other, "
                                            "image sent with each",
                                            result.launches.size()))}};
  json["simulator"] = {{"cpu_seconds", m.cpuSeconds},
                       {"process_cpu_seconds", processCpuSeconds(true)},
                       {"commands", job.commands},
                       {"passes", job.passes},
                       {"trains", job.trains},
                       {"instructions", job.instructions},
                       {"pc_hash", formatHash(job.pcHash)},
                       {"events", job.events}};
  json["version"] = versionString();
  json["command_line"] = commandLine;
  json["chip_hash"] = formatHash(chip.hash());
  json["chip"] = toJson(chip);
  return json;
}

std::string chipwright::formatKernel(const KernelResult &result,
                                     const ResolvedChip &chip) {
  const Measurement &m = result.measurement;
  const JobResult &job = m.job;
  std::string text = fmt::format("{}{}{} on {} ({} mode)\n", result.kernel,
                                 result.dtype ? " " : "",
                                 result.dtype ? dtypeName(*result.dtype) : "",
                                 chip.spec.name, modeName(result.mode));
  auto line = [&](const char *name, const std::string &value) {
    text += fmt::format("  {:<16}{}\n", name, value);
  };
  unsigned temporaries = 0;
  uint64_t temporaryBytes = 0;
  for (const BufferResult &buffer : result.buffers) {
    if (buffer.isTemporary) {
      ++temporaries;
      temporaryBytes += buffer.bytes;
      continue;
    }
    line("buffer",
         fmt::format("{}: {} in {} at {:#x}", buffer.name,
                     bytesText(buffer.bytes), buffer.space, buffer.address));
  }
  if (temporaries) {
    line("buffers", fmt::format("{} between launches: {}", temporaries,
                                bytesText(temporaryBytes)));
  }
  if (!job.finished) {
    return text + "stopped: " + job.fault.text + "\n";
  }
  line("time", fmt::format("{}, {} cycles ({} in the kernel)",
                           timeText(m.seconds), job.cycles, job.kernelCycles));
  if (result.flops) {
    line("flops", fmt::format("{:.4g}, {:.4g} TFLOP/s", *result.flops,
                              *result.flops / m.seconds * 1e-12));
  }
  if (result.peakFraction) {
    line("peak",
         fmt::format("{:.1f} % of the {} peak of the DPEs",
                     *result.peakFraction * 100, dtypeName(*result.dtype)));
  }
  line("DRAM",
       fmt::format("{} read, {} written, {} ECC; {:.1f} % of the pin "
                   "rate",
                   bytesText(m.dramReadBytes), bytesText(m.dramWriteBytes),
                   bytesText(m.dramEccBytes),
                   dramBandwidthFraction(result, chip.spec) * 100));
  line("SRAM",
       fmt::format("{} read, {} written; {:.4g} GB/s",
                   bytesText(m.sramReadBytes), bytesText(m.sramWriteBytes),
                   double(m.sramReadBytes + m.sramWriteBytes) / m.seconds *
                       1e-9));
  line("energy", energyText(m.energy));
  for (const EngineTime &engine : m.engines) {
    if (engine.busy == 0) {
      continue;
    }
    double all = double(job.cycles) * m.numPes;
    std::string lost;
    std::array<unsigned, numStalls> order;
    for (unsigned i = 0; i < numStalls; ++i) {
      order[i] = i;
    }
    std::stable_sort(order.begin(), order.end(), [&](unsigned a, unsigned b) {
      return engine.lost[a] > engine.lost[b];
    });
    for (unsigned i = 0; i < 3; ++i) {
      if (engine.lost[order[i]]) {
        lost += fmt::format(", {} {:.1f} %",
                            stallName(static_cast<Stall>(order[i])),
                            double(engine.lost[order[i]]) / all * 100);
      }
    }
    line(engine.name.c_str(),
         fmt::format("busy {:.1f} %{}{}", double(engine.busy) / all * 100,
                     lost.empty() ? "" : "; lost for",
                     lost.empty() ? "" : lost.substr(1)));
  }
  if (result.routed) {
    const RoutedTokens &routed = *result.routed;
    line("experts",
         fmt::format("{} of {} used, with {} tokens at most and {:.4g} on "
                     "average",
                     routed.used, routed.experts, routed.largest, routed.mean));
  }
  for (const KernelLaunch &launch : result.launches) {
    line("launch",
         fmt::format("{}: {} cycles, {:.1f} %", launch.program, launch.cycles,
                     double(launch.cycles) / double(job.cycles) * 100));
  }
  if (result.relativeError) {
    line("error", fmt::format("{:.3g} relative to fp64, {} {:.3g} (seed {})",
                              *result.relativeError,
                              result.agrees ? "within" : "EXCEEDS",
                              *result.errorBound, result.seed));
  }
  line("simulator",
       fmt::format("{:.3f} CPU s; {} commands, {} instructions, {} events, pc "
                   "hash {}",
                   m.cpuSeconds, job.commands, job.instructions, job.events,
                   formatHash(job.pcHash)));
  return text + "verdict: " + verdict(result) + "\n";
}
