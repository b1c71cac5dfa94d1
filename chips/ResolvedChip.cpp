//===- ResolvedChip.cpp - A chip with the origin of each value --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/ResolvedChip.h"
#include "chips/ChipFile.h"
#include "chips/Geometry.h"
#include "chips/Parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

namespace fs = std::filesystem;

namespace chipwright {

namespace {

/// Longest chain of `base:`; real ones have two or three links.
constexpr size_t maxBases = 16;

bool isPath(const std::string &nameOrPath) {
  return nameOrPath.find('/') != std::string::npos ||
         nameOrPath.ends_with(".yaml") || nameOrPath.ends_with(".yml");
}

bool exists(const std::string &path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string canonical(const std::string &path) {
  std::error_code failed;
  fs::path full = fs::weakly_canonical(path, failed);
  return failed ? path : full.string();
}

/// Finds the file of a chip; \p place stands in front of the message.
Result<std::string> findChip(const std::string &nameOrPath,
                             const std::vector<std::string> &searchDirs,
                             const std::string &place) {
  if (isPath(nameOrPath)) {
    return nameOrPath;
  }
  for (const std::string &dir : searchDirs) {
    std::string path = (fs::path(dir) / (nameOrPath + ".yaml")).string();
    if (exists(path)) {
      return path;
    }
  }
  std::vector<std::string> names;
  for (const ChipListing &chip : listChips(searchDirs)) {
    if (chip.kind == "simulated") {
      names.push_back(chip.name);
    }
  }
  std::string help;
  if (std::optional<std::string> near = nearestName(nameOrPath, names)) {
    help = fmt::format("; did you mean '{}'?", *near);
  }
  return Diagnostic{fmt::format(
      "{}expected the name of a chip ({}) or the path of a .yaml file, found "
      "'{}'{}",
      place,
      names.empty() ? "none is known, set CHIPWRIGHT_CHIPS to their directory"
                    : fmt::format("{}", fmt::join(names, ", ")),
      printable(nameOrPath.substr(0, 100)), help)};
}

/// Applies files and --set in order, each as one layer.
class Resolver {
public:
  explicit Resolver(const std::vector<std::string> &dirs) : searchDirs(dirs) {}

  Result<ResolvedChip> resolve(ChipFile named,
                               const std::vector<std::string> &sets) {
    chip.path = named.path;
    chip.origins.resize(parameters().size());
    given.assign(parameters().size(), false);
    std::vector<ChipFile> files; // the named file first, then its bases
    if (auto done = collect(std::move(named), files); !done) {
      return done.error();
    }
    for (auto file = files.rbegin(); file != files.rend(); ++file) {
      if (auto done = apply(file->entries); !done) {
        return done.error();
      }
      chip.spec.name = file->name;
      if (file->description) {
        chip.spec.description = *file->description;
      }
      if (file->hasNotModelled) {
        chip.notModelled = file->notModelled;
      }
    }
    if (auto done = checkComplete(files.front()); !done) {
      return done.error();
    }
    std::vector<ChipEntry> entries;
    for (const std::string &argument : sets) {
      Result<ChipEntry> entry = parseSet(argument);
      if (!entry) {
        return entry.error();
      }
      entries.push_back(entry.take());
    }
    if (auto done = apply(entries); !done) {
      return done.error();
    }
    if (std::optional<GeometryError> broken = checkGeometry(chip.spec)) {
      return Diagnostic{blame(*broken) + ": " + broken->text};
    }
    return std::move(chip);
  }

private:
  Result<void> collect(ChipFile named, std::vector<ChipFile> &files) {
    std::vector<std::string> seen = {canonical(named.path)};
    files.push_back(std::move(named));
    while (files.back().base) {
      const ChipFile &child = files.back();
      std::string base = *child.base;
      std::string prefix = child.basePlace + ": base: ";
      Result<std::string> path = base;
      std::string beside = (fs::path(child.path).parent_path() / base).string();
      if (isPath(base)) {
        path = fs::path(base).is_absolute() ? base : beside;
      } else if (exists(beside + ".yaml")) {
        path = beside + ".yaml";
      } else {
        path = findChip(base, searchDirs, prefix);
      }
      if (!path) {
        return path.error();
      }
      std::string full = canonical(*path);
      if (std::find(seen.begin(), seen.end(), full) != seen.end() ||
          seen.size() > maxBases) {
        return Diagnostic{fmt::format(
            "{}expected a chain of bases that ends, found one that comes back "
            "to '{}'; remove one 'base:'",
            prefix, base)};
      }
      seen.push_back(full);
      Result<std::string> text = readChipText(*path);
      if (!text) {
        return Diagnostic{prefix + text.error().message};
      }
      Result<ChipFile> file = parseChipFile(*text, *path);
      if (!file) {
        return file.error();
      }
      files.push_back(file.take());
    }
    return {};
  }

  Result<void> apply(const std::vector<ChipEntry> &entries) {
    ChipSpec before = chip.spec;
    std::vector<bool> set(parameters().size(), false);
    for (const ChipEntry &entry : entries) {
      const Parameter &param = parameters()[entry.parameter];
      ParameterOrigin &origin = chip.origins[entry.parameter];
      if (std::optional<std::string> wrong =
              param.parse(entry.items, entry.isList, chip.spec)) {
        return Diagnostic{
            fmt::format("{}: {}: {}", entry.origin.place, param.path, *wrong)};
      }
      std::optional<std::pair<double, double>> range =
          entry.origin.range ? entry.origin.range : origin.range;
      if (entry.origin.range && !inRange(param, *range)) {
        return Diagnostic{fmt::format(
            "{}: {}: expected a value in its own range [{}, {}], found {}; "
            "widen the range or change the value",
            entry.origin.place, param.path, range->first, range->second,
            param.format(chip.spec))};
      }
      origin = entry.origin;
      // A plain override does not make the sensible range unknown.
      if (!entry.hasProvenance) {
        origin.range = range;
      }
      origin.layer = layer;
      given[entry.parameter] = true;
      set[entry.parameter] = true;
    }
    if (layer > 0) {
      follow(before, set);
    }
    ++layer;
    return {};
  }

  bool inRange(const Parameter &param, const std::pair<double, double> &range) {
    return std::visit(
        [&](const auto *value) {
          using T = std::remove_cv_t<std::remove_pointer_t<decltype(value)>>;
          if constexpr (std::is_arithmetic_v<T>) {
            double number = static_cast<double>(*value);
            return number >= range.first && number <= range.second;
          } else {
            return true;
          }
        },
        param.member(chip.spec));
  }

  /// Some DRAM parameters describe one fact from two sides. When a layer
  /// overrides one side only, the other follows, so that a single override
  /// means what it says: more channels bring their pins, faster pins bring
  /// their clock and column spacing.
  void follow(const ChipSpec &before, const std::vector<bool> &set) {
    auto isSet = [&](const char *path) { return set[*findParameter(path)]; };
    DramSpec &dram = chip.spec.dram;
    const DramSpec &old = before.dram;
    double oldChannels = double(old.channels) * old.pseudoChannels;
    double channels = double(dram.channels) * dram.pseudoChannels;
    if (oldChannels <= 0 || channels <= 0 || old.pinBytesPerSecond <= 0) {
      return; // a base without these values; checkComplete reports it
    }
    if (channels != oldChannels && !isSet("dram.pin_bytes_per_second")) {
      dram.pinBytesPerSecond *= channels / oldChannels;
      derive("dram.pin_bytes_per_second", "follows the number of channels");
    }
    double clockScale = (old.pinBytesPerSecond / oldChannels) /
                        (dram.pinBytesPerSecond / channels);
    if (clockScale != 1 && !isSet("dram.timing.tck_ns")) {
      dram.timing.tckNs *= clockScale;
      derive("dram.timing.tck_ns", "follows the rate of the pins");
    }
    double accessScale = clockScale;
    if (old.accessBytes > 0) {
      accessScale *= double(dram.accessBytes) / old.accessBytes;
    }
    if (accessScale != 1) {
      if (!isSet("dram.timing.ccd_short_ns")) {
        dram.timing.ccdShortNs *= accessScale;
        derive("dram.timing.ccd_short_ns", "follows the time of one access");
      }
      if (!isSet("dram.timing.ccd_long_ns")) {
        dram.timing.ccdLongNs *= accessScale;
        derive("dram.timing.ccd_long_ns", "follows the time of one access");
      }
    }
  }

  void derive(const char *path, const char *why) {
    ParameterOrigin &origin = chip.origins[*findParameter(path)];
    origin.kind = ValueKind::User;
    origin.source = why;
    origin.range.reset();
    origin.layer = layer;
  }

  Result<void> checkComplete(const ChipFile &file) const {
    for (size_t i = 0; i < given.size(); ++i) {
      if (!given[i]) {
        const Parameter &param = parameters()[i];
        return Diagnostic{fmt::format(
            "{}: {} has no value: expected {} ({}), found nothing; add it or "
            "name a chip that has it with 'base:'",
            file.path, param.path, param.expected(), param.doc)};
      }
    }
    return {};
  }

  /// The place of the newest value among those that contradict each other.
  std::string blame(const GeometryError &broken) const {
    const ParameterOrigin *newest = nullptr;
    for (const std::string &path : broken.paths) {
      if (std::optional<size_t> index = findParameter(path)) {
        const ParameterOrigin &origin = chip.origins[*index];
        if (!newest || origin.layer > newest->layer) {
          newest = &origin;
        }
      }
    }
    return newest ? newest->place : chip.path;
  }

  ResolvedChip chip;
  std::vector<bool> given;
  unsigned layer = 0;
  const std::vector<std::string> &searchDirs;
};

uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

std::string canonicalLines(const ChipSpec &spec,
                           std::optional<ParameterClass> only) {
  std::string text;
  for (const Parameter &param : parameters()) {
    if (!only || param.cls == *only) {
      text += fmt::format("{}={}\n", param.path, param.format(spec));
    }
  }
  return text;
}

} // namespace

const char *valueKindName(ValueKind kind) {
  switch (kind) {
  case ValueKind::Published:
    return "published";
  case ValueKind::Default:
    return "default";
  case ValueKind::User:
    return "user";
  }
  return "?";
}

std::string ResolvedChip::canonicalText() const {
  return canonicalLines(spec, std::nullopt);
}

uint64_t ResolvedChip::hash() const { return fnv1a(canonicalText()); }

uint64_t ResolvedChip::architecturalFingerprint() const {
  return fnv1a(canonicalLines(spec, ParameterClass::Architectural));
}

uint64_t ResolvedChip::timingFingerprint() const {
  return fnv1a(canonicalLines(spec, ParameterClass::Timing));
}

std::vector<std::string> defaultChipDirs() {
  std::vector<std::string> dirs;
  if (const char *list = std::getenv("CHIPWRIGHT_CHIPS")) {
    std::string text = list;
    for (size_t start = 0; start < text.size();) {
      size_t colon = std::min(text.find(':', start), text.size());
      if (colon > start) {
        dirs.push_back(text.substr(start, colon - start));
      }
      start = colon + 1;
    }
  }
  dirs.push_back(CHIPWRIGHT_CHIPS_DIR);
  return dirs;
}

Result<ResolvedChip> loadChip(const std::string &nameOrPath,
                              const std::vector<std::string> &sets,
                              const std::vector<std::string> &searchDirs) {
  Result<std::string> path = findChip(nameOrPath, searchDirs, "chip: ");
  if (!path) {
    return path.error();
  }
  Result<std::string> text = readChipText(*path);
  if (!text) {
    return text.error();
  }
  return loadChipFromText(*text, *path, sets, searchDirs);
}

Result<ResolvedChip>
loadChipFromText(const std::string &text, const std::string &fileName,
                 const std::vector<std::string> &sets,
                 const std::vector<std::string> &searchDirs) {
  Result<ChipFile> file = parseChipFile(text, fileName);
  if (!file) {
    return file.error();
  }
  return Resolver(searchDirs).resolve(file.take(), sets);
}

std::vector<ChipListing> listChips(const std::vector<std::string> &searchDirs) {
  std::map<std::string, ChipListing> byName;
  for (const std::string &dir : searchDirs) {
    std::error_code failed;
    std::vector<std::string> paths;
    for (fs::directory_iterator it(dir, failed), end; !failed && it != end;
         it.increment(failed)) {
      if (it->path().extension() == ".yaml") {
        paths.push_back(it->path().string());
      }
    }
    for (const std::string &path : paths) {
      ChipListing chip;
      chip.name = fs::path(path).stem().string();
      chip.path = path;
      chip.kind = "?";
      if (Result<std::string> text = readChipText(path)) {
        Result<ChipFile> file = parseChipFile(*text, path, true);
        if (file) {
          chip.kind = file->kind.empty() ? "simulated" : file->kind;
          chip.description = file->description.value_or("");
        }
      }
      byName.try_emplace(chip.name, chip);
    }
  }
  std::vector<ChipListing> chips;
  for (auto &[name, chip] : byName) {
    chips.push_back(std::move(chip));
  }
  return chips;
}

} // namespace chipwright
