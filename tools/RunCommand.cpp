//===- RunCommand.cpp - chipwright run ------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/ChipReport.h"
#include "package/PackageFile.h"
#include "runtime/KernelReport.h"
#include "runtime/ModelReport.h"
#include "runtime/Reproduce.h"
#include "runtime/TensorFiles.h"
#include "tools/Arguments.h"
#include "tools/Commands.h"
#include "tools/Output.h"
#include "tools/ProgramMemory.h"
#include "tools/RunProgress.h"
#include "tools/RunRequest.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace chipwright;
using namespace chipwright::tools;
namespace po = boost::program_options;
using Json = nlohmann::ordered_json;
using Strings = std::vector<std::string>;

namespace {

constexpr const char *kCommand = "run";

/// What the run needs of the model beside its numbers.
struct Words {
  std::optional<models::ModelTokenizer> tokenizer; // where prompts are texts
  std::vector<int32_t> stops;
};

/// Makes tokens of the prompts in words.
Result<Words> encodePrompts(RunRequest &request) {
  Words words;
  if (request.texts.empty()) {
    return words;
  }
  auto opened = models::openModelTokenizer(request.model);
  if (!opened) {
    return opened.error();
  }
  for (const std::string &text : request.texts) {
    auto prompt = models::encodePrompt(*opened, text, request.isChat);
    if (!prompt) {
      return prompt.error();
    }
    if (prompt->ids.empty()) {
      return Diagnostic{"--prompt gives no token; expected a text that is not "
                        "empty",
                        ExitUsage};
    }
    request.prompts.push_back(std::move(prompt->ids));
    words.stops = std::move(prompt->stops);
  }
  words.tokenizer = opened.take();
  return words;
}

/// Text may be printed while it comes: nothing else goes to stdout.
bool mayStream(const RunRequest &request) {
  return request.json != "-" && request.tracing.path != "-";
}

/// Bounds that hold what \p request asks for.
SessionLimits limitsFor(const RunRequest &request) {
  SessionLimits limits;
  limits.maxBatch = static_cast<int64_t>(request.prompts.size());
  int64_t all = 0;
  for (const auto &prompt : request.prompts) {
    auto size = static_cast<int64_t>(prompt.size());
    all += size;
    limits.maxContext = std::max(
        limits.maxContext, size + std::max<int64_t>(request.newTokens, 1));
  }
  constexpr int64_t kMostTokens = 512;
  limits.maxTokens =
      std::max(std::min(all, request.prefillTokens ? request.prefillTokens
                                                   : kMostTokens),
               limits.maxBatch);
  auto take = [](const std::optional<uint64_t> &from, int64_t &to) {
    to = from ? static_cast<int64_t>(*from) : to;
  };
  take(request.compile.maxTokens, limits.maxTokens);
  take(request.compile.maxBatch, limits.maxBatch);
  take(request.compile.maxContext, limits.maxContext);
  return limits;
}

/// The host, with linear maps quantised to an 8-bit type if there is one, or
/// with the numbers that weights of a 4-bit type keep.
models::ReferenceOptions hostOptions(std::optional<DType> linear,
                                     std::optional<DType> weights) {
  models::ReferenceOptions options;
  options.linear = linear ? models::rowTypeOf(*linear) : std::nullopt;
  options.weights = weights ? models::blockTypeOf(*weights) : std::nullopt;
  return options;
}
models::ReferenceOptions hostOptions(const Package &package) {
  return hostOptions(linearTypeOf(package), weightTypeOf(package));
}

Result<Package> packageFor(const RunRequest &request, const OpenedModel &model,
                           const ResolvedChip &chip) {
  if (!request.package.empty()) {
    return readPackage(request.package);
  }
  SessionLimits limits = limitsFor(request);
  CompileRequest compile;
  compile.config = &model.config;
  compile.graph = &model.graph;
  compile.chip = &chip;
  compile.productType = request.compile.dtype.value_or(compile.productType);
  compile.linearType = request.compile.linearType;
  compile.weightType = request.compile.weightType;
  compile.maxTokens = limits.maxTokens;
  compile.maxBatch = limits.maxBatch;
  compile.maxContext = limits.maxContext;
  auto compiled = compileModel(compile);
  if (!compiled) {
    return compiled.error();
  }
  return std::move(compiled->package);
}

GenerateRequest generationOf(const RunRequest &request, const Words &words,
                             const OpenedModel &model) {
  GenerateRequest generation;
  generation.prompts = request.prompts;
  generation.maxNewTokens = request.newTokens;
  generation.prefillTokens = request.prefillTokens;
  generation.endTokens = model.config.endTokens;
  generation.endTokens.insert(generation.endTokens.end(), words.stops.begin(),
                              words.stops.end());
  generation.allLogits = request.allLogits;
  generation.sampling = request.sampling;
  return generation;
}

/// Ends what is shown and puts it into the report.
Result<void> finish(RunProgress &progress, ModelRun &run) {
  run.wallSeconds = progress.wallSeconds();
  if (auto done = progress.finish(); !done) {
    return done;
  }
  run.texts = progress.texts();
  run.perplexity = progress.perplexity().value();
  run.predictedTokens = progress.perplexity().tokens();
  return {};
}

Result<ModelRun> runOnHost(const RunRequest &request, const Words &words) {
  auto model = openModel(request.model, /*withWeights=*/true);
  if (!model) {
    return model.error();
  }
  SessionLimits limits = limitsFor(request);
  models::ReferenceOptions options =
      hostOptions(request.compile.linearType, request.compile.weightType);
  if (!options.linear && !options.weights) {
    // Memory then holds little beside the caches, whatever the model's size.
    // To find the scales of quantised rows again at each step takes too long.
    options.keepBytes = 0;
  }
  releaseProgramMemory();
  auto device =
      makeCpuDevice(model->graph, *model->weights, limits.slots(), options);
  Session session(model->graph, *device, limits);
  GenerateRequest generation = generationOf(request, words, *model);
  RunProgress progress(request.prompts, words.tokenizer, mayStream(request),
                       request.perplexity);
  generation.afterStep = [&](const SessionStep &step,
                             const std::map<int32_t, int32_t> &next) {
    return progress.add(step, next);
  };
  auto generated = generate(session, generation);
  if (!generated) {
    return generated.error();
  }
  ModelRun run;
  if (auto done = finish(progress, run); !done) {
    return done.error();
  }
  run.generated = generated.take();
  run.modelType = model->config.modelType;
  run.linearType = request.compile.linearType;
  run.weightType =
      hostOptions(request.compile.linearType, request.compile.weightType)
          .weights;
  return run;
}

/// Puts the hooks of a trace into \p machine.
Result<void> beginTrace(const RunRequest &request, const ChipSpec &spec,
                        Tracing &tracing, RunOptions &hooks,
                        MachineRequest &machine) {
  if (auto ready = tracing.begin(request.tracing, spec, hooks); !ready) {
    return ready;
  }
  machine.mode = request.mode;
  machine.maxCycles = request.maxCycles;
  machine.trace = hooks.trace;
  if (!request.tracing.path.empty()) {
    machine.beforeLaunch = [&tracing](const sim::KernelImage &image,
                                      const std::string &op) {
      tracing.beforeLaunch(image, op);
    };
    machine.afterLaunch = [&tracing](const std::string &op,
                                     const sim::JobResult &result) {
      tracing.afterLaunch(op, result);
    };
  }
  return {};
}

Result<ModelRun> runOnChip(const RunRequest &request, const Words &words,
                           const ResolvedChip &chip) {
  bool isFunctional = request.mode == sim::Mode::Functional;
  auto model = openModel(request.model, isFunctional);
  if (!model) {
    return model.error();
  }
  auto package = packageFor(request, *model, chip);
  if (!package) {
    return package.error();
  }
  for (const std::string &op : {request.inject, request.reproduceOp}) {
    if (!op.empty()) {
      if (auto known = requireOp(*package, op); !known) {
        return known.error();
      }
    }
  }
  uint64_t hash = packageHash(encodePackage(*package));
  SimDevice::Request wanted;
  wanted.packageName = request.package.empty() ? "package" : request.package;
  std::optional<RoutingTrace> routing;
  if (!request.routing.empty()) {
    auto read = readRouting(request.routing, hash);
    if (!read) {
      return read.error();
    }
    wanted.routing = &routing.emplace(read.take());
  }
  Tracing tracing;
  RunOptions hooks;
  if (auto ready =
          beginTrace(request, chip.spec, tracing, hooks, wanted.machine);
      !ready) {
    return ready.error();
  }
  releaseProgramMemory();
  auto made = SimDevice::create(*package, model->graph,
                                model->weights ? &*model->weights : nullptr,
                                chip, wanted);
  if (!made) {
    return made.error();
  }
  SimDevice &device = **made;
  SessionLimits limits = SessionLimits::of(*package);

  // In this order: a fault is seen by all that look at results.
  BitFlip flip(request.inject);
  RoutingRecorder recorder(hash);
  TensorSaver tensors(request.saveTensors);
  OpSaver reproduce(request.reproduceOp, request.reproduceTo,
                    request.chipOptions);
  std::optional<OpCheck> ops;
  if (!request.inject.empty()) {
    device.observe(flip);
  }
  if (!request.saveRouting.empty()) {
    device.observe(recorder);
  }
  if (!request.saveTensors.empty()) {
    device.observe(tensors);
  }
  if (!request.reproduceOp.empty()) {
    device.observe(reproduce);
  }
  if (request.checkOps) {
    ops.emplace(model->graph, *model->weights, package->productType,
                limits.slots(), hostOptions(*package).linear, std::nullopt,
                hostOptions(*package).weights);
    device.observe(*ops);
  }
  std::unique_ptr<Device> host, imitation;
  std::optional<Comparison> comparison;
  if (request.checkCpu) {
    // Weights of 4 bits are those of both.
    host = makeCpuDevice(model->graph, *model->weights, limits.slots(),
                         hostOptions(std::nullopt, weightTypeOf(*package)));
    if (linearTypeOf(*package) && !request.errorBound) {
      models::ReferenceOptions options = hostOptions(*package);
      options.rounding = package->productType == DType::F16
                             ? models::OperandRounding::F16
                             : models::OperandRounding::BF16;
      imitation =
          makeCpuDevice(model->graph, *model->weights, limits.slots(), options);
    }
    comparison.emplace(
        *host,
        request.errorBound.value_or(logitsErrorBound(package->productType)),
        imitation.get());
  }
  Session session(model->graph, device, limits);
  GenerateRequest generation = generationOf(request, words, *model);
  RunProgress progress(request.prompts, words.tokenizer, mayStream(request),
                       request.perplexity);
  generation.routing = wanted.routing;
  generation.afterStep = [&](const SessionStep &step,
                             const std::map<int32_t, int32_t> &next) {
    if (!request.saveRouting.empty()) {
      recorder.trace.steps.back().next = next;
    }
    if (auto done = progress.add(step, next); !done) {
      return done;
    }
    return comparison ? comparison->add(step) : Result<void>();
  };
  auto generated = generate(session, generation);
  if (!generated) {
    return generated.error();
  }
  if (!request.saveRouting.empty()) {
    if (auto done = writeRouting(recorder.trace, request.saveRouting); !done) {
      return done.error();
    }
  }
  if (auto done = tracing.finish(); !done) {
    return done.error();
  }
  ModelRun run;
  if (auto done = finish(progress, run); !done) {
    return done.error();
  }
  run.modelType = model->config.modelType;
  run.mode = request.mode;
  run.generated = generated.take();
  run.chip = &chip;
  run.package = formatHash(hash);
  run.imageBytes = device.machine().imageBytes();
  run.productType = package->productType;
  run.linearType = linearTypeOf(*package);
  run.weightType = hostOptions(*package).weights;
  if (comparison) {
    run.comparison = comparison->result();
  }
  if (ops) {
    run.opErrors = ops->errors();
    run.opChoices = ops->choices();
  }
  return run;
}

/// Writes \p json where it is wanted, and prints \p text unless stdout is
/// taken.
Result<void> publish(const RunRequest &request, const Json &json,
                     const std::string &text) {
  if (!request.json.empty()) {
    std::string dumped =
        json.dump(2, ' ', false, Json::error_handler_t::replace);
    if (auto done = writeOutput(request.json, dumped + "\n"); !done) {
      return done;
    }
  }
  if (request.json != "-" && request.tracing.path != "-") {
    return print(text);
  }
  return {};
}

int runReplay(const RunRequest &request, const ResolvedChip &chip,
              const std::string &commandLine) {
  Tracing tracing;
  RunOptions hooks;
  MachineRequest machine;
  if (auto ready = beginTrace(request, chip.spec, tracing, hooks, machine);
      !ready) {
    return report(ready.error());
  }
  auto replay = replayOp(request.replay, chip, machine);
  if (!replay) {
    return report(replay.error());
  }
  if (auto done = tracing.finish(); !done) {
    return report(done.error());
  }
  const Measurement &m = replay->measurement;
  std::string text = fmt::format(
      "{} on {}: {} cycles, {:.3f} us\nverdict: {}\n", request.replay,
      chip.spec.name, m.job.cycles, m.seconds * 1e6, verdict(m));
  Json differing = Json::object();
  for (const auto &[buffer, bytes] : replay->differing) {
    differing[buffer] = bytes;
    text += fmt::format(
        "{}: {}\n", buffer,
        bytes == 0 ? "the bits that were saved"
                   : fmt::format("{} bytes differ from what was saved", bytes));
  }
  Json json = {{"replay", request.replay},
               {"cycles", m.job.cycles},
               {"seconds", m.seconds},
               {"energy_joules", m.energy.total()},
               {"differing_bytes", differing},
               {"verdict", verdict(m)},
               {"version", versionString()},
               {"command_line", commandLine},
               {"chip_hash", formatHash(chip.hash())},
               {"chip", toJson(chip)}};
  if (auto done = publish(request, json, text); !done) {
    return report(done.error());
  }
  return replay->agrees()
             ? int(ExitOk)
             : report({"the results differ from those that were saved",
                       ExitMismatch});
}

} // namespace

int tools::runCommand(const Strings &arguments,
                      const std::string &commandLine) {
  po::options_description options = runOptions();
  auto parsed = parseOptions(arguments, options, nullptr, kCommand);
  if (!parsed) {
    return report(parsed.error());
  }
  if (parsed->count("help")) {
    auto done = print(runHelp());
    return done ? int(ExitOk) : report(done.error());
  }
  auto request = readRunRequest(*parsed);
  if (!request) {
    return report(request.error());
  }
  for (const std::string &path : {request->json, request->saveRouting}) {
    if (!path.empty()) {
      if (auto possible = checkOutput(path); !possible) {
        return report(possible.error());
      }
    }
  }
  std::optional<ResolvedChip> chip;
  if (request->device == "sim") {
    auto read = readChip(*parsed);
    if (!read) {
      return report(read.error());
    }
    chip = read.take();
  }
  if (!request->replay.empty()) {
    if (!chip) {
      return report(usageError("--replay needs --device sim", kCommand));
    }
    return runReplay(*request, *chip, commandLine);
  }
  double before = processCpuSeconds(/*withChildren=*/false);
  auto words = encodePrompts(*request);
  if (!words) {
    return report(words.error());
  }
  auto run =
      chip ? runOnChip(*request, *words, *chip) : runOnHost(*request, *words);
  if (!run) {
    return report(run.error());
  }
  run->cpuSeconds = processCpuSeconds(/*withChildren=*/false) - before;
  run->model = request->model;
  run->device = request->device;
  run->prompts = request->prompts;
  if (auto done = publish(*request, toJson(*run, commandLine), formatRun(*run));
      !done) {
    return report(done.error());
  }
  return run->exitStatus() == ExitOk
             ? int(ExitOk)
             : report({"numbers disagree with the reference", ExitMismatch});
}
