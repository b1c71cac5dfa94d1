//===- Reproduce.cpp - One op of a run, by itself -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/Reproduce.h"

#include "models/MappedFile.h"
#include "models/Safetensors.h"
#include "package/PackageFile.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

using namespace chipwright;
using namespace chipwright::models;
using Json = nlohmann::ordered_json;

//===----------------------------------------------------------------------===//
// Saving
//===----------------------------------------------------------------------===//

Result<void> OpSaver::stepBegins(const Step &, const StepSizes &sizes) {
  current = sizes;
  return {};
}

void OpSaver::cut(const Package &whole) {
  const std::vector<PackageLaunch> &launches = whole.launches;
  for (size_t i = launches.size(); i-- > 0;) {
    first = launches[i].op == op ? i : first;
  }
  for (size_t i = first; i < launches.size(); ++i) {
    last = launches[i].op == op ? i : last;
  }
  part = whole;
  part.launches.assign(launches.begin() + static_cast<std::ptrdiff_t>(first),
                       launches.begin() + static_cast<std::ptrdiff_t>(last) +
                           1);
  part.buffers.clear();
  part.programs.clear();
  std::map<int64_t, int64_t> buffers, programs;
  auto keep = [](std::map<int64_t, int64_t> &map, int64_t old) {
    return map.emplace(old, static_cast<int64_t>(map.size())).first->second;
  };
  for (PackageLaunch &launch : part.launches) {
    launch.program = keep(programs, launch.program);
    for (PackageArgument &argument : launch.arguments) {
      if (argument.kind == PackageArgument::Address) {
        argument.buffer = keep(buffers, argument.buffer);
      }
    }
    for (auto *values : {&launch.operands, &launch.results}) {
      for (PackageLaunch::Value &value : *values) {
        value.buffer = keep(buffers, value.buffer);
      }
    }
  }
  used.resize(buffers.size());
  part.buffers.resize(buffers.size());
  for (auto [old, now] : buffers) {
    used[static_cast<size_t>(now)] = old;
    part.buffers[static_cast<size_t>(now)] =
        whole.buffers[static_cast<size_t>(old)];
  }
  part.programs.resize(programs.size());
  for (auto [old, now] : programs) {
    part.programs[static_cast<size_t>(now)] =
        whole.programs[static_cast<size_t>(old)];
  }
}

std::vector<OpSaver::Contents> OpSaver::copy(PackageMachine &machine,
                                             bool onlyResults) const {
  std::vector<Contents> copies;
  for (size_t i = 0; i < part.buffers.size(); ++i) {
    bool isResult = std::any_of(
        part.launches.begin(), part.launches.end(), [&](const auto &launch) {
          return std::any_of(launch.results.begin(), launch.results.end(),
                             [&](const auto &value) {
                               return value.buffer == static_cast<int64_t>(i);
                             });
        });
    if (isResult || !onlyResults) {
      std::span<uint8_t> bytes = machine.stored(used[i]);
      copies.push_back({part.buffers[i].name, {bytes.begin(), bytes.end()}});
    }
  }
  return copies;
}

Result<void> OpSaver::beforeLaunch(PackageMachine &machine, size_t launch) {
  if (!isDone && part.launches.empty()) {
    cut(machine.package());
  }
  if (!isDone && launch == first) {
    inputs = copy(machine, /*onlyResults=*/false);
  }
  return {};
}

Result<void> OpSaver::afterLaunch(PackageMachine &machine, size_t launch) {
  if (isDone || launch != last) {
    return {};
  }
  isDone = true;
  return save(copy(machine, /*onlyResults=*/true));
}

Result<void> OpSaver::save(const std::vector<Contents> &results) const {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return Diagnostic{fmt::format("{}: the folder cannot be made: {}",
                                  directory, error.message()),
                      ExitBadInput};
  }
  auto tensors = [](const std::vector<Contents> &contents) {
    std::vector<TensorToWrite> list;
    for (const Contents &one : contents) {
      TensorToWrite tensor;
      tensor.spec.name = one.name;
      tensor.spec.type = StoredType::U8;
      tensor.spec.shape = {static_cast<int64_t>(one.bytes.size())};
      tensor.fill = [&one](std::byte *data) {
        if (!one.bytes.empty()) {
          std::memcpy(data, one.bytes.data(), one.bytes.size());
        }
      };
      list.push_back(std::move(tensor));
    }
    return list;
  };
  Json sizes = Json::object();
  for (const auto &[symbol, value] : current) {
    sizes[symbol] = value;
  }
  std::string script =
      fmt::format("#!/bin/sh\n# {} by itself\nexec chipwright run --replay "
                  "\"$(dirname \"$0\")\" --mode functional {}\n",
                  op, chipOptions);
  for (const Result<void> &done :
       {writePackage(part, directory + "/package.cwx"),
        writeSafetensorsFile(directory + "/inputs.safetensors",
                             tensors(inputs)),
        writeSafetensorsFile(directory + "/results.safetensors",
                             tensors(results)),
        writeTextFile(directory + "/step.json",
                      Json{{"op", op}, {"sizes", sizes}}.dump(2) + "\n"),
        writeTextFile(directory + "/run.sh", script)}) {
    if (!done) {
      return done;
    }
  }
  std::filesystem::permissions(directory + "/run.sh",
                               std::filesystem::perms::owner_exec,
                               std::filesystem::perm_options::add, error);
  return {};
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

bool OpReplay::agrees() const {
  return std::all_of(differing.begin(), differing.end(),
                     [](const auto &one) { return one.second == 0; });
}

static Result<StepSizes> readSizes(const Package &package,
                                   const std::string &path) {
  auto file = models::MappedFile::open(path, "the sizes of an op");
  if (!file) {
    return file.error();
  }
  std::string_view text(reinterpret_cast<const char *>(file->data()),
                        file->size());
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  Diagnostic wrong{path + ": expected the sizes that --reproduce writes, each "
                          "within the package's bounds; save the op again",
                   ExitBadInput};
  if (!json.is_object() || !json.contains("sizes") ||
      !json["sizes"].is_object()) {
    return wrong;
  }
  StepSizes sizes;
  for (const auto &[symbol, value] : json["sizes"].items()) {
    auto bound = package.bounds.find(symbol);
    if (!value.is_number_integer() || value < 0 ||
        (bound != package.bounds.end() && value > bound->second)) {
      return wrong;
    }
    sizes[symbol] = value.get<int64_t>();
  }
  return sizes;
}

/// The bytes saved for \p buffer, or an error.
static Result<std::span<const uint8_t>> savedBytes(const TensorStore &store,
                                                   const std::string &path,
                                                   const PackageBuffer &buffer,
                                                   uint64_t bytes) {
  const StoredTensor *tensor = store.find(buffer.name);
  if (!tensor || tensor->type != StoredType::U8 || tensor->bytes != bytes) {
    return Diagnostic{fmt::format("{}: expected {} bytes of buffer {}, found "
                                  "{}; save the op again",
                                  path, bytes, buffer.name,
                                  tensor ? "a tensor of another type or size"
                                         : "no such tensor"),
                      ExitBadInput};
  }
  return std::span<const uint8_t>(
      reinterpret_cast<const uint8_t *>(tensor->data), tensor->bytes);
}

Result<OpReplay> chipwright::replayOp(const std::string &directory,
                                      const ResolvedChip &chip,
                                      const MachineRequest &request) {
  auto package = readPackage(directory + "/package.cwx");
  if (!package) {
    return package.error();
  }
  if (auto same = checkChip(*package, chip, directory + "/package.cwx");
      !same) {
    return same.error();
  }
  auto sizes = readSizes(*package, directory + "/step.json");
  if (!sizes) {
    return sizes.error();
  }
  std::string inputsPath = directory + "/inputs.safetensors";
  std::string resultsPath = directory + "/results.safetensors";
  auto inputs = openSafetensorsFile(inputsPath);
  if (!inputs) {
    return inputs.error();
  }
  auto results = openSafetensorsFile(resultsPath);
  if (!results) {
    return results.error();
  }
  auto machine = PackageMachine::create(*package, chip, request, directory);
  if (!machine) {
    return machine.error();
  }
  PackageMachine &m = **machine;
  for (size_t i = 0; i < package->buffers.size(); ++i) {
    const PackageBuffer &buffer = package->buffers[i];
    auto bytes = savedBytes(**inputs, inputsPath, buffer,
                            largestBytes(*package, buffer));
    if (!bytes) {
      return bytes.error();
    }
    m.write(static_cast<int64_t>(i), *bytes);
  }
  OpReplay replay;
  CounterSnapshot before = m.counters();
  for (size_t launch = 0; launch < package->launches.size(); ++launch) {
    for (const auto &value : package->launches[launch].results) {
      if (!m.isFunctional() && m.isGiven(launch, value.buffer)) {
        const PackageBuffer &buffer =
            package->buffers[static_cast<size_t>(value.buffer)];
        auto bytes = savedBytes(**results, resultsPath, buffer,
                                largestBytes(*package, buffer));
        if (!bytes) {
          return bytes.error();
        }
        m.write(value.buffer, *bytes);
      }
    }
    auto record = m.launch(launch, *sizes);
    if (!record) {
      return record.error();
    }
    replay.launches.push_back(record.take());
  }
  replay.measurement = m.measureSince(before, replay.launches);
  for (size_t i = 0; m.isFunctional() && i < package->buffers.size(); ++i) {
    const PackageBuffer &buffer = package->buffers[i];
    if (!(*results)->find(buffer.name)) {
      continue;
    }
    auto bytes = savedBytes(**results, resultsPath, buffer,
                            largestBytes(*package, buffer));
    if (!bytes) {
      return bytes.error();
    }
    std::span<uint8_t> now = m.stored(static_cast<int64_t>(i));
    uint64_t count = 0;
    for (size_t b = 0; b < bytes->size(); ++b) {
      count += (*bytes)[b] != now[b];
    }
    replay.differing.emplace_back(buffer.name, count);
  }
  return replay;
}
