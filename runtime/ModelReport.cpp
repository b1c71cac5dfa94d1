//===- ModelReport.cpp - Runs of models as text and JSON ------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/ModelReport.h"

#include "chips/ChipReport.h"
#include "runtime/KernelReport.h"
#include "runtime/ReportText.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

using namespace chipwright;
using Json = nlohmann::ordered_json;

int ModelRun::exitStatus() const {
  bool agrees = !comparison || comparison->agrees();
  if (opErrors) {
    for (const OpError &error : *opErrors) {
      agrees &= error.agrees();
    }
  }
  return agrees ? ExitOk : ExitMismatch;
}

void chipwright::addMeasurement(Measurement &sum, const Measurement &more) {
  double before = double(sum.job.cycles), now = double(more.job.cycles);
  double all = std::max(before + now, 1.0);
  auto mean = [&](double a, double b) { return (a * before + b * now) / all; };
  sum.dramBusShare = mean(sum.dramBusShare, more.dramBusShare);
  sum.sramBankShare = mean(sum.sramBankShare, more.sramBankShare);
  if (more.nocLinkShare * now >= sum.nocLinkShare * before) {
    sum.busiestLink = more.busiestLink;
  }
  sum.nocLinkShare = mean(sum.nocLinkShare, more.nocLinkShare);
  sum.numPes = more.numPes;
  sum.seconds += more.seconds;
  sum.dramReadBytes += more.dramReadBytes;
  sum.dramWriteBytes += more.dramWriteBytes;
  sum.dramEccBytes += more.dramEccBytes;
  sum.sramReadBytes += more.sramReadBytes;
  sum.sramWriteBytes += more.sramWriteBytes;
  for (size_t type = 0; type < sum.macs.size(); ++type) {
    sum.macs[type] += more.macs[type];
  }
  for (size_t i = 0; i < sum.engines.size(); ++i) {
    sum.engines[i].name = more.engines[i].name;
    sum.engines[i].busy += more.engines[i].busy;
    for (unsigned cause = 0; cause < sim::numStalls; ++cause) {
      sum.engines[i].lost[cause] += more.engines[i].lost[cause];
    }
  }
  sim::EnergyReport &energy = sum.energy;
  const sim::EnergyReport &other = more.energy;
  for (auto part :
       {&sim::EnergyReport::dpe, &sim::EnergyReport::se, &sim::EnergyReport::re,
        &sim::EnergyReport::harts, &sim::EnergyReport::localMemory,
        &sim::EnergyReport::sram, &sim::EnergyReport::noc,
        &sim::EnergyReport::reductionNetwork, &sim::EnergyReport::dram,
        &sim::EnergyReport::host, &sim::EnergyReport::leakage,
        &sim::EnergyReport::seconds}) {
    energy.*part += other.*part;
  }
  sum.job.finished = true;
  sum.job.cycles += more.job.cycles;
  sum.job.kernelCycles += more.job.kernelCycles;
  sum.job.instructions += more.job.instructions;
  sum.job.commands += more.job.commands;
  sum.job.passes += more.job.passes;
  sum.job.trains += more.job.trains;
  sum.job.events += more.job.events;
  sum.job.pcHash = sum.job.pcHash * 0x100000001b3 ^ more.job.pcHash;
}

namespace {

/// An op's launches in a phase.
struct OpTime {
  std::string op;
  int64_t launches = 0;
  Measurement sum;
};

/// The prefill or the decode of a run.
struct Phase {
  const char *name;
  int64_t steps = 0, tokens = 0;
  double uploadSeconds = 0, downloadSeconds = 0;
  uint64_t uploadBytes = 0, downloadBytes = 0;
  Measurement sum;
  std::vector<OpTime> ops; // in order of their first launch
};

std::vector<Phase> phasesOf(const GenerateResult &result) {
  std::vector<Phase> phases;
  for (bool isPrefill : {true, false}) {
    Phase phase{isPrefill ? "prefill" : "decode", 0, 0, 0, 0, 0, 0, {}, {}};
    std::map<std::string, size_t> places;
    for (const StepRecord &step : result.steps) {
      if (step.isPrefill != isPrefill) {
        continue;
      }
      ++phase.steps;
      phase.tokens += step.tokens;
      if (!step.time) {
        continue;
      }
      phase.uploadSeconds += step.time->uploadSeconds;
      phase.downloadSeconds += step.time->downloadSeconds;
      phase.uploadBytes += step.time->uploadBytes;
      phase.downloadBytes += step.time->downloadBytes;
      addMeasurement(phase.sum, step.time->measurement);
      phase.sum.energy.host += step.time->hostLinkJoules;
      for (const LaunchRecord &launch : step.time->launches) {
        auto [place, isNew] = places.emplace(launch.op, phase.ops.size());
        if (isNew) {
          phase.ops.push_back({launch.op, 0, {}});
        }
        OpTime &op = phase.ops[place->second];
        ++op.launches;
        addMeasurement(op.sum, launch.measurement);
      }
    }
    if (phase.steps > 0) {
      phases.push_back(std::move(phase));
    }
  }
  return phases;
}

/// What every measured thing says of itself.
void addFigures(Json &json, const Measurement &m) {
  json["seconds"] = m.seconds;
  json["cycles"] = m.job.cycles;
  json["kernel_cycles"] = m.job.kernelCycles;
  json["dram_bytes_read"] = m.dramReadBytes;
  json["dram_bytes_written"] = m.dramWriteBytes;
  json["dram_bytes_ecc"] = m.dramEccBytes;
  json["sram_bytes"] = m.sramReadBytes + m.sramWriteBytes;
  if (Json macs = macsJson(m); !macs.empty()) {
    json["macs"] = macs;
  }
  json["energy_joules"] = m.energy.total();
}

Json simulatorJson(const sim::JobResult &job) {
  return {{"commands", job.commands},
          {"passes", job.passes},
          {"trains", job.trains},
          {"instructions", job.instructions},
          {"pc_hash", formatHash(job.pcHash)},
          {"events", job.events}};
}

double dramFraction(const Measurement &m, const ChipSpec &spec) {
  return double(m.dramReadBytes + m.dramWriteBytes) /
         (m.seconds * spec.dram.pinBytesPerSecond);
}

Json phaseJson(const Phase &phase, const ChipSpec &spec) {
  Json json = {{"steps", phase.steps}, {"tokens", phase.tokens}};
  addFigures(json, phase.sum);
  json["dram_bandwidth_fraction"] = dramFraction(phase.sum, spec);
  Json parts;
  for (const auto &[name, joules] : phase.sum.energy.parts()) {
    parts[name] = joules;
  }
  json["energy_parts_joules"] = parts;
  json["upload_bytes"] = phase.uploadBytes;
  json["upload_seconds"] = phase.uploadSeconds;
  json["download_bytes"] = phase.downloadBytes;
  json["download_seconds"] = phase.downloadSeconds;
  json["stalls"] = stallsJson(phase.sum);
  json["verdict"] = verdict(phase.sum);
  json["simulator"] = simulatorJson(phase.sum.job);
  Json ops = Json::array();
  for (const OpTime &op : phase.ops) {
    Json one = {{"op", op.op}, {"launches", op.launches}};
    addFigures(one, op.sum);
    one["verdict"] = verdict(op.sum);
    ops.push_back(one);
  }
  json["ops"] = ops;
  return json;
}

Json stepsJson(const GenerateResult &result) {
  Json steps = Json::array();
  for (const StepRecord &step : result.steps) {
    Json one = {{"phase", step.isPrefill ? "prefill" : "decode"},
                {"tokens", step.tokens},
                {"outputs", step.outputs}};
    if (step.time) {
      const StepTime &time = *step.time;
      addFigures(one, time.measurement);
      one["upload_seconds"] = time.uploadSeconds;
      one["download_seconds"] = time.downloadSeconds;
      one["simulator"] = simulatorJson(time.measurement.job);
      Json launches = Json::array();
      for (const LaunchRecord &launch : time.launches) {
        const sim::JobResult &job = launch.measurement.job;
        launches.push_back({{"op", launch.op},
                            {"cycles", job.cycles},
                            {"instructions", job.instructions},
                            {"pc_hash", formatHash(job.pcHash)}});
      }
      one["launches"] = launches;
    }
    steps.push_back(one);
  }
  return steps;
}

Json comparisonJson(const ComparisonResult &c) {
  Json json = {{"relative_error", c.relativeError},
               {"relative_error_bound", c.errorBound},
               {"rows", c.rows},
               {"same_top", c.sameTop},
               {"largest_kl", c.largestKl},
               {"choices", c.choices},
               {"differing_choices", c.differing},
               {"choices_beyond_error", c.beyondError},
               {"agrees", c.agrees()}};
  if (c.differing > 0) {
    json["worst_margin"] = c.worstMargin; // infinity becomes null
  }
  return json;
}

/// Everything that the host computes, with its CPU time; copies over the host
/// link are part of each phase.
Json hostWork(const GenerateResult &result) {
  double sampling = 0;
  for (const StepRecord &step : result.steps) {
    sampling += step.samplingSeconds;
  }
  return Json::array({{{"op", "sampling"}, {"seconds", sampling}}});
}

} // namespace

Json chipwright::toJson(const ModelRun &run, const std::string &commandLine) {
  Json json = {{"model", run.model},
               {"model_type", run.modelType},
               {"device", run.device},
               {"prompts", run.prompts}};
  const GenerateResult &result = run.generated;
  if (result.areTokensKnown) {
    json["tokens"] = result.tokens;
  }
  if (run.chip) {
    json["mode"] = modeName(run.mode);
    json["dtype"] = dtypeName(run.productType);
    if (run.linearType) {
      json["linear_dtype"] = dtypeName(*run.linearType);
    }
    if (run.weightType) {
      json["weight_dtype"] = models::blockTypeName(*run.weightType);
    }
    json["package"] = run.package;
    if (run.imageBytes) {
      json["memory_image_bytes"] = run.imageBytes;
    }
    if (result.ttftSeconds) {
      json["ttft_seconds"] = *result.ttftSeconds;
    }
    if (result.tpotSeconds) {
      json["tpot_seconds"] = *result.tpotSeconds;
      json["tokens_per_second_per_user"] = 1 / *result.tpotSeconds;
      json["tokens_per_second"] =
          double(run.prompts.size()) / *result.tpotSeconds;
    }
    Measurement all;
    for (const Phase &phase : phasesOf(result)) {
      json[phase.name] = phaseJson(phase, run.chip->spec);
      addMeasurement(all, phase.sum);
    }
    json["macs"] = macsJson(all);
  }
  if (!run.texts.empty()) {
    json["texts"] = run.texts;
  }
  if (run.perplexity) {
    json["perplexity"] = *run.perplexity;
    json["predicted_tokens"] = run.predictedTokens;
  }
  json["steps"] = stepsJson(result);
  if (run.comparison) {
    json["relative_error"] = run.comparison->relativeError;
    json["comparison"] = comparisonJson(*run.comparison);
  }
  if (run.opErrors) {
    Json ops = Json::array();
    for (const OpError &error : *run.opErrors) {
      ops.push_back({{"step", error.step},
                     {"op", error.op},
                     {"value", error.value},
                     {"kind", models::opKindName(error.kind)},
                     {"relative_error", error.error},
                     {"relative_error_bound", error.limit()},
                     {"row", error.row},
                     {"column", error.column},
                     {"agrees", error.agrees()}});
    }
    json["op_errors"] = ops;
  }
  if (run.opChoices) {
    json["op_choices"] = {{"choices", run.opChoices->choices},
                          {"differing_choices", run.opChoices->differing},
                          {"choices_beyond_error", run.opChoices->beyondError}};
  }
  json["host_work"] = hostWork(result);
  if (run.chip) {
    const ChipSpec &spec = run.chip->spec;
    json["provenance"] = {
        {"kind", "simulated"},
        {"model",
         fmt::format("chipwright {} ({} DRAM)", versionString(),
                     spec.dram.level == DramLevel::Command ? "command-level"
                                                           : "burst-level")},
        {"conditions",
         "LLC empty before the first step and kept from launch to launch; a "
         "step ends when its last launch is seen to be complete; images are "
         "sent unless the launch before used the same"}};
  }
  json["simulator"] = {{"cpu_seconds", run.cpuSeconds},
                       {"process_cpu_seconds", processCpuSeconds(true)},
                       {"wall_seconds", run.wallSeconds},
                       {"peak_memory_bytes", peakMemoryBytes()}};
  json["version"] = versionString();
  json["command_line"] = commandLine;
  if (run.chip) {
    json["chip_hash"] = formatHash(run.chip->hash());
    json["chip"] = toJson(*run.chip);
  }
  return json;
}

static void formatPhase(std::string &text, const Phase &phase,
                        const ChipSpec &spec) {
  const Measurement &m = phase.sum;
  auto line = [&](const char *name, const std::string &value) {
    text += fmt::format("  {:<16}{}\n", name, value);
  };
  text += fmt::format("{}: {} tokens in {} step{}\n", phase.name, phase.tokens,
                      phase.steps, phase.steps == 1 ? "" : "s");
  line("time",
       fmt::format("{}, {} cycles ({} in kernels); host link {}",
                   timeText(m.seconds), m.job.cycles, m.job.kernelCycles,
                   timeText(phase.uploadSeconds + phase.downloadSeconds)));
  line("DRAM",
       fmt::format("{} read, {} written, {} ECC; {:.1f} % of the pin "
                   "rate",
                   bytesText(m.dramReadBytes), bytesText(m.dramWriteBytes),
                   bytesText(m.dramEccBytes), dramFraction(m, spec) * 100));
  line("SRAM", fmt::format("{} read, {} written", bytesText(m.sramReadBytes),
                           bytesText(m.sramWriteBytes)));
  line("energy", energyText(m.energy));
  std::vector<const OpTime *> ops;
  for (const OpTime &op : phase.ops) {
    ops.push_back(&op);
  }
  std::sort(ops.begin(), ops.end(), [](const OpTime *a, const OpTime *b) {
    sim::Cycle left = a->sum.job.cycles, right = b->sum.job.cycles;
    return left != right ? left > right : a < b;
  });
  constexpr size_t kShown = 6;
  for (size_t i = 0; i < std::min(ops.size(), kShown); ++i) {
    const OpTime &op = *ops[i];
    line(i == 0 ? "longest" : "",
         fmt::format("{:>5.1f} %  {}: {}",
                     double(op.sum.job.cycles) /
                         double(std::max<sim::Cycle>(m.job.cycles, 1)) * 100,
                     op.op, verdict(op.sum)));
  }
  line("verdict", verdict(m));
}

static std::string formatChecks(const ModelRun &run) {
  std::string text;
  if (run.comparison) {
    const ComparisonResult &c = *run.comparison;
    text += fmt::format("error           {:.3g} relative to fp32 on the host, "
                        "{} {:.3g}; same largest logit in {} of {} rows\n",
                        c.relativeError,
                        c.relativeError <= c.errorBound ? "within" : "EXCEEDS",
                        c.errorBound, c.sameTop, c.rows);
    if (c.choices > 0) {
      text += fmt::format("routing         {} of {} choices of experts differ, "
                          "{} by more than the logits' error\n",
                          c.differing, c.choices, c.beyondError);
    }
  }
  if (run.opErrors) {
    size_t wrong = 0;
    const OpError *first = nullptr, *largest = nullptr;
    for (const OpError &error : *run.opErrors) {
      wrong += !error.agrees();
      first = !first && !error.agrees() ? &error : first;
      bool isLarger = !largest || !(error.error / error.limit() <=
                                    largest->error / largest->limit());
      largest = isLarger ? &error : largest;
    }
    text += fmt::format("ops             {} results against fp64, {} beyond "
                        "their bound\n",
                        run.opErrors->size(), wrong);
    const OpError *shown = first ? first : largest;
    if (shown) {
      text += fmt::format("                {}: {} (step {}, value {}): {:.3g}, "
                          "bound {:.3g}, largest at [{}, {}]\n",
                          first ? "first" : "largest", shown->op, shown->step,
                          shown->value, shown->error, shown->limit(),
                          shown->row, shown->column);
    }
  }
  return text;
}

std::string chipwright::formatRun(const ModelRun &run) {
  const GenerateResult &result = run.generated;
  const std::string quantised =
      (run.linearType ? fmt::format(", linear maps and experts in {}",
                                    dtypeName(*run.linearType))
                      : "") +
      (run.weightType ? fmt::format(", weights in {}",
                                    models::blockTypeName(*run.weightType))
                      : "");
  std::string text =
      run.chip ? fmt::format("{} ({}) in {}{} on {} ({} mode)\n", run.model,
                             run.modelType, dtypeName(run.productType),
                             quantised, run.chip->spec.name, modeName(run.mode))
               : fmt::format("{} ({}) in fp32{} on the host\n", run.model,
                             run.modelType, quantised);
  for (size_t s = 0; s < result.tokens.size(); ++s) {
    text += fmt::format(
        "sequence {}: {} tokens, then {}\n", s, run.prompts[s].size(),
        !result.areTokensKnown ? fmt::format("{} unknown ones (timing mode)",
                                             result.tokens[s].size())
        : result.tokens[s].empty()
            ? std::string("none")
            : fmt::format("{}", fmt::join(result.tokens[s], ",")));
    if (run.texts.size() > 1) { // that of a single one was shown as it came
      text += run.texts[s] + "\n";
    }
  }
  std::vector<Phase> phases =
      run.chip ? phasesOf(result) : std::vector<Phase>();
  for (const Phase &phase : phases) {
    formatPhase(text, phase, run.chip->spec);
  }
  if (result.ttftSeconds) {
    text += fmt::format("first token     {} (TTFT)\n",
                        timeText(*result.ttftSeconds));
  }
  if (result.tpotSeconds) {
    text += fmt::format("next tokens     {} each (TPOT), {:.4g} tokens/s\n",
                        timeText(*result.tpotSeconds),
                        double(run.prompts.size()) / *result.tpotSeconds);
  }
  for (const Phase &phase : phases) {
    if (phase.tokens > 0) {
      text += fmt::format("energy          {:.4g} mJ a token in {}\n",
                          phase.sum.energy.total() * 1e3 / double(phase.tokens),
                          phase.name);
    }
  }
  if (run.perplexity) {
    text +=
        fmt::format("perplexity      {:.4f} over {} tokens of the prompts\n",
                    *run.perplexity, run.predictedTokens);
  }
  text += formatChecks(run);
  double simulated = 0;
  for (const StepRecord &step : result.steps) {
    simulated += step.time ? step.time->seconds() : 0;
  }
  text += fmt::format("simulator       {:.3f} CPU s", run.cpuSeconds);
  if (simulated > 0) {
    text += fmt::format("; {:.3g} times as long as the chip takes",
                        run.wallSeconds / simulated);
  }
  text += "\n";
  if (!phases.empty()) {
    text += "verdict: " + std::string(phases.back().name) + " is " +
            verdict(phases.back().sum) + "\n";
  }
  return text;
}
