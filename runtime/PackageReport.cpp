//===- PackageReport.cpp - Packages as text and JSON ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/PackageReport.h"

#include "chips/ChipReport.h"
#include "package/PackageFile.h"
#include "runtime/KernelBuild.h"
#include "runtime/PackagePlacement.h"
#include "runtime/ReportText.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

using namespace chipwright;
using Json = nlohmann::ordered_json;

std::string chipwright::sizeText(const PackageSize &size) {
  if (size.symbol.empty()) {
    return fmt::format("{}", size.constant);
  }
  return size.constant == 1
             ? size.symbol
             : fmt::format("{} * {}", size.constant, size.symbol);
}

static std::string shapeText(const PackageBuffer &buffer) {
  std::vector<std::string> sizes;
  for (const PackageSize &size : buffer.shape) {
    sizes.push_back(sizeText(size));
  }
  return fmt::format("{} [{}]", dtypeName(buffer.dtype),
                     fmt::join(sizes, ", "));
}

std::string chipwright::formatPackage(const Package &package) {
  std::string text;
  auto line = [&](const char *name, const std::string &value) {
    text += fmt::format("  {:<14}{}\n", name, value);
  };
  text += fmt::format("{} model {} for {}, products in {}\n", package.modelType,
                      formatHash(package.modelHash), package.chip,
                      dtypeName(package.productType));
  line("made by", "chipwright " + package.toolVersion);
  line("fingerprints", fmt::format("architectural {}, timing {}",
                                   formatHash(package.architecturalFingerprint),
                                   formatHash(package.timingFingerprint)));
  std::vector<std::string> bounds;
  for (const auto &[symbol, value] : package.bounds) {
    bounds.push_back(fmt::format("{} {}", symbol, value));
  }
  line("bounds", fmt::format("{}", fmt::join(bounds, ", ")));
  size_t code = 0;
  for (const PackageProgram &program : package.programs) {
    code += program.elf.size();
  }
  line("programs",
       fmt::format("{}, {} of ELF", package.programs.size(), bytesText(code)));
  line("launches", fmt::format("{} a step", package.launches.size()));
  std::map<BufferRole, std::pair<size_t, uint64_t>> roles;
  for (const PackageBuffer &buffer : package.buffers) {
    auto &[count, bytes] = roles[buffer.role];
    ++count;
    bytes += largestBytes(package, buffer);
  }
  for (const auto &[role, sum] : roles) {
    line(bufferRoleName(role),
         fmt::format("{} buffer{}, {}", sum.first, sum.first == 1 ? "" : "s",
                     bytesText(sum.second)));
  }
  return text;
}

std::string chipwright::formatLaunches(const Package &package) {
  auto nameOf = [&](int64_t buffer) {
    return package.buffers[static_cast<size_t>(buffer)].name;
  };
  auto values = [&](const std::vector<PackageLaunch::Value> &list) {
    std::vector<std::string> texts;
    for (const PackageLaunch::Value &value : list) {
      texts.push_back(
          fmt::format("{} in {}", value.name, nameOf(value.buffer)));
    }
    return fmt::format("{}", fmt::join(texts, ", "));
  };
  std::string text;
  for (size_t i = 0; i < package.launches.size(); ++i) {
    const PackageLaunch &launch = package.launches[i];
    text +=
        fmt::format("{:>4} {}: program {}\n", i, launch.op,
                    package.programs[static_cast<size_t>(launch.program)].name);
    std::vector<std::string> arguments;
    for (const PackageArgument &argument : launch.arguments) {
      arguments.push_back(argument.kind == PackageArgument::Address
                              ? "&" + nameOf(argument.buffer)
                              : sizeText(argument.size));
    }
    text += fmt::format("       ({})\n", fmt::join(arguments, ", "));
    if (!launch.operands.empty()) {
      text += "       reads " + values(launch.operands) + "\n";
    }
    if (!launch.results.empty()) {
      text += "       writes " + values(launch.results) + "\n";
    }
  }
  return text;
}

Result<std::string> chipwright::formatMemoryMap(const Package &package,
                                                const ChipSpec &spec) {
  auto placed = placePackage(spec, package);
  if (!placed) {
    return placed.error();
  }
  std::vector<size_t> order;
  for (size_t i = 0; i < placed->size(); ++i) {
    order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return (*placed)[a].address < (*placed)[b].address;
  });
  std::string text = fmt::format("on {}:\n", spec.name);
  for (size_t i : order) {
    const PlacedBuffer &place = (*placed)[i];
    const PackageBuffer &buffer = package.buffers[i];
    text += fmt::format("  {:#x} {} {:>12} {:<10} {}{} {}\n", place.address,
                        place.space == sim::Space::Sram ? "sram" : "dram",
                        bytesText(place.bytes), bufferRoleName(buffer.role),
                        buffer.name, buffer.isControl ? " (control)" : "",
                        shapeText(buffer));
  }
  return text;
}

Json chipwright::toJson(const Package &package) {
  Json bounds = Json::object();
  for (const auto &[symbol, value] : package.bounds) {
    bounds[symbol] = value;
  }
  Json buffers = Json::array(), programs = Json::array(),
       launches = Json::array();
  for (const PackageBuffer &buffer : package.buffers) {
    Json shape = Json::array();
    for (const PackageSize &size : buffer.shape) {
      shape.push_back(sizeText(size));
    }
    Json one = {{"name", buffer.name},
                {"role", bufferRoleName(buffer.role)},
                {"dtype", dtypeName(buffer.dtype)},
                {"shape", shape},
                {"bytes", largestBytes(package, buffer)},
                {"control", buffer.isControl}};
    if (!buffer.parameter.empty()) {
      one["parameter"] = buffer.parameter;
    }
    if (buffer.content != BufferContent::None) {
      one["content"] = bufferContentName(buffer.content);
      one["index"] = buffer.index;
    }
    buffers.push_back(one);
  }
  for (const PackageProgram &program : package.programs) {
    programs.push_back({{"name", program.name},
                        {"elf_bytes", program.elf.size()},
                        {"elf_hash", formatHash(packageHash(program.elf))}});
  }
  for (const PackageLaunch &launch : package.launches) {
    launches.push_back(
        {{"op", launch.op},
         {"program",
          package.programs[static_cast<size_t>(launch.program)].name}});
  }
  return {{"hash", formatHash(packageHash(encodePackage(package)))},
          {"tool_version", package.toolVersion},
          {"chip", package.chip},
          {"architectural_fingerprint",
           formatHash(package.architecturalFingerprint)},
          {"timing_fingerprint", formatHash(package.timingFingerprint)},
          {"model_type", package.modelType},
          {"model_hash", formatHash(package.modelHash)},
          {"dtype", dtypeName(package.productType)},
          {"bounds", bounds},
          {"programs", programs},
          {"launches", launches},
          {"buffers", buffers}};
}
