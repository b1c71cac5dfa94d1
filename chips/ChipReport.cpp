//===- ChipReport.cpp - Chips as text and JSON ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/ChipReport.h"
#include "chips/Parameters.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace chipwright {

namespace {

/// Four digits and a decimal prefix: 2.7648e12, "B/s" -> "2.765 TB/s".
std::string scaled(double value, std::string_view unit) {
  static const char *prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  unsigned step = 0;
  while (step < 6 && value >= 999.95) {
    value /= 1000;
    ++step;
  }
  return fmt::format("{:.4g} {}{}", value, prefixes[step], unit);
}

/// Exact binary prefixes: 402653184 -> "384 MiB".
std::string binaryBytes(uint64_t bytes) {
  static const char *units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  unsigned step = 0;
  while (step < 4 && bytes >= 1024 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++step;
  }
  return fmt::format("{} {}", bytes, units[step]);
}

std::string rangeText(const Parameter &param, const ParameterOrigin &origin) {
  if (!origin.range) {
    // Choices are their own range.
    return param.isChoice() ? param.expected() : "";
  }
  auto [low, high] = *origin.range;
  if (std::string_view(param.unit) == "bytes") {
    return fmt::format("{} .. {}", binaryBytes(static_cast<uint64_t>(low)),
                       binaryBytes(static_cast<uint64_t>(high)));
  }
  return fmt::format("{} .. {}", low, high);
}

std::string valueText(const Parameter &param, const ChipSpec &spec) {
  std::string text = param.format(spec);
  if (std::string_view(param.unit) == "bytes") {
    return binaryBytes(std::stoull(text));
  }
  if (std::string_view(param.unit) == "B/s") {
    return scaled(std::stod(text), "B/s");
  }
  if (!*param.unit || std::string_view(param.unit) == "count") {
    return text;
  }
  return text + " " + param.unit;
}

/// FLOP per byte.
std::string ridgeText(double ridge) {
  return ridge >= 100 ? fmt::format("{:.0f}", ridge)
                      : fmt::format("{:.3g}", ridge);
}

/// Columns as wide as their widest cell; the last one is not padded.
std::string formatColumns(const std::vector<std::vector<std::string>> &rows) {
  std::vector<size_t> widths;
  for (const auto &row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i + 1 < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto &row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += i + 1 < row.size() ? fmt::format("{:<{}}  ", row[i], widths[i])
                                 : row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

const char *className(ParameterClass cls) {
  switch (cls) {
  case ParameterClass::Architectural:
    return "architectural";
  case ParameterClass::Timing:
    return "timing";
  case ParameterClass::Described:
    return "described";
  }
  return "?";
}

const char *recompileText(ParameterClass cls) {
  switch (cls) {
  case ParameterClass::Architectural:
    return "recompile";
  case ParameterClass::Timing:
    return "no";
  case ParameterClass::Described:
    return "not modelled";
  }
  return "?";
}

/// Links between the PEs and the memory side, per direction: a crossbar chip
/// has one at both ends of each row and column, a mesh one at both ends of
/// each row.
unsigned memoryLinks(const ChipSpec &spec) {
  unsigned lines = spec.noc.topology == NocTopology::Crossbar
                       ? spec.grid.rows + spec.grid.cols
                       : spec.grid.rows;
  return 2 * lines;
}

double nocBytesPerSecond(const ChipSpec &spec) {
  return double(memoryLinks(spec)) * spec.noc.linkBytes * spec.clockGhz * 1e9;
}

double fiBytesPerSecond(const ChipSpec &spec) {
  return double(spec.fi.portBytes) * spec.clockGhz * 1e9;
}

/// Bytes per second of host payload; headers take the rest.
double hostPayloadBytesPerSecond(const ChipSpec &spec) {
  return spec.host.bytesPerSecond * spec.host.payloadBytes /
         (double(spec.host.payloadBytes) + spec.host.overheadBytes);
}

} // namespace

std::string formatHash(uint64_t hash) { return fmt::format("{:016x}", hash); }

std::string formatChipTable(const std::vector<std::string> &searchDirs) {
  std::vector<std::vector<std::string>> rows = {
      {"name", "kind", "PEs", "clock", "fp16 peak", "SRAM", "DRAM", "DRAM rate",
       "TDP", "description"}};
  for (const ChipListing &listing : listChips(searchDirs)) {
    std::vector<std::string> row = {listing.name, listing.kind};
    if (listing.kind == "simulated" || listing.kind == "?") {
      Result<ResolvedChip> chip = loadChip(listing.path, {}, searchDirs);
      if (!chip) {
        row.resize(9, "-");
        row.push_back("cannot be loaded: " + chip.error().message);
        rows.push_back(row);
        continue;
      }
      const ChipSpec &spec = chip->spec;
      double peak = spec.peakFlops(DType::F16);
      row.push_back(fmt::format("{} x {}", spec.grid.rows, spec.grid.cols));
      row.push_back(fmt::format("{} GHz", spec.clockGhz));
      row.push_back(peak > 0 ? scaled(peak, "FLOP/s") : "-");
      row.push_back(binaryBytes(spec.sram.bytes));
      row.push_back(binaryBytes(spec.dram.bytes));
      row.push_back(scaled(spec.dram.pinBytesPerSecond, "B/s"));
      row.push_back(fmt::format("{} W", spec.package.tdpWatts));
      row.push_back(spec.description);
    } else {
      row.resize(9, "-");
      row.push_back(listing.description);
    }
    rows.push_back(row);
  }
  if (rows.size() == 1) {
    return "no chip files found; set CHIPWRIGHT_CHIPS to their directory\n";
  }
  return formatColumns(rows);
}

std::string formatChip(const ResolvedChip &chip) {
  const ChipSpec &spec = chip.spec;
  std::string text = fmt::format(
      "{}: {}\nfile {}\nhash {}  architectural {}  timing {}\n\n", spec.name,
      spec.description, chip.path, formatHash(chip.hash()),
      formatHash(chip.architecturalFingerprint()),
      formatHash(chip.timingFingerprint()));

  double sram = spec.sramBytesPerSecond();
  double dram = spec.dram.pinBytesPerSecond;
  text += "Peak of the matrix engines, and the FLOP per byte at which memory "
          "stops binding\n";
  std::vector<std::vector<std::string>> rows = {
      {"  type", "peak", "MAC/cycle/PE", "ridge DRAM", "ridge SRAM"}};
  for (DType type : spec.dpe.dtypes) {
    double peak = spec.peakFlops(type);
    rows.push_back({fmt::format("  {}", dtypeName(type)),
                    scaled(peak, type == DType::I8 ? "OP/s" : "FLOP/s"),
                    fmt::format("{}", spec.dpe.tiles * spec.dpe.tileRows *
                                          spec.dpeKElements(type)),
                    ridgeText(peak / dram), ridgeText(peak / sram)});
  }
  text += formatColumns(rows);

  double pes = spec.grid.numPes();
  text += "\nBandwidth\n";
  text += formatColumns({
      {"  level", "chip", "per PE", ""},
      {"  local memory (read + write)",
       scaled(spec.lsBytesPerSecond() * pes, "B/s"),
       scaled(spec.lsBytesPerSecond(), "B/s"),
       fmt::format("{} banks x {} B a cycle", spec.ls.banks,
                   spec.ls.bankBytes)},
      {"  NoC port (per direction)",
       scaled(fiBytesPerSecond(spec) * pes, "B/s"),
       scaled(fiBytesPerSecond(spec), "B/s"),
       fmt::format("{} B a cycle", spec.fi.portBytes)},
      {"  NoC to memory (per direction)",
       scaled(nocBytesPerSecond(spec), "B/s"),
       scaled(nocBytesPerSecond(spec) / pes, "B/s"),
       fmt::format("{} links x {} B a cycle", memoryLinks(spec),
                   spec.noc.linkBytes)},
      {"  SRAM (read + write)", scaled(sram, "B/s"), scaled(sram / pes, "B/s"),
       fmt::format("{} banks x {} B a cycle", spec.sram.banks,
                   spec.sram.bankBytes)},
      {"  DRAM (pins)", scaled(dram, "B/s"), scaled(dram / pes, "B/s"),
       fmt::format("{} channels x {}", spec.dram.channels,
                   scaled(dram / spec.dram.channels, "B/s"))},
      {"  host (payload, per direction)",
       scaled(hostPayloadBytesPerSecond(spec), "B/s"), "",
       fmt::format("of {}", scaled(spec.host.bytesPerSecond, "B/s"))},
  });

  text += "\nCapacity\n";
  text += formatColumns({
      {"  PEs", fmt::format("{} ({} x {}) at {} GHz", spec.grid.numPes(),
                            spec.grid.rows, spec.grid.cols, spec.clockGhz)},
      {"  local memory",
       fmt::format("{} per PE, {} in all", binaryBytes(spec.ls.bytes),
                   binaryBytes(spec.ls.bytes * spec.grid.numPes()))},
      {"  SRAM",
       fmt::format("{}: {} scratch, {} cache", binaryBytes(spec.sram.bytes),
                   binaryBytes(spec.sram.llsBytes),
                   binaryBytes(spec.sram.bytes - spec.sram.llsBytes))},
      {"  DRAM", fmt::format("{}{}", binaryBytes(spec.dram.bytes),
                             spec.dram.ecc ? ", in-line ECC" : "")},
      {"  package",
       fmt::format("{} mm2, {}, TDP {} W, typical {} W", spec.package.dieMm2,
                   spec.package.process, spec.package.tdpWatts,
                   spec.package.typicalWatts)},
  });

  rows.clear();
  std::vector<std::vector<std::string>> userRows;
  const std::vector<Parameter> &table = parameters();
  for (size_t i = 0; i < table.size(); ++i) {
    const ParameterOrigin &origin = chip.origins[i];
    std::vector<std::string> row = {fmt::format("  {}", table[i].path),
                                    valueText(table[i], spec),
                                    rangeText(table[i], origin), origin.source};
    if (origin.kind == ValueKind::Default) {
      row.insert(row.begin() + 2, "not public");
      rows.push_back(row);
    } else if (origin.kind == ValueKind::User) {
      if (origin.place.empty() || origin.source == "--set") {
        row[3] = "--set";
      } else if (origin.source.empty()) {
        row[3] = origin.place;
      }
      userRows.push_back({row[0], row[1], row[3]});
    }
  }
  if (!userRows.empty()) {
    text += "\nSet by the user\n" + formatColumns(userRows);
  }
  if (!rows.empty()) {
    rows.insert(rows.begin(), {"  path", "value", "", "range", "reason"});
    text += "\nNot public: engineering defaults\n" + formatColumns(rows);
  }
  text += "\nDescribed, not modelled\n";
  for (const std::string &item : chip.notModelled) {
    text += fmt::format("  {}\n", item);
  }
  for (size_t i = 0; i < table.size(); ++i) {
    if (table[i].cls == ParameterClass::Described) {
      text += fmt::format("  {} = {} ({})\n", table[i].path,
                          valueText(table[i], spec), table[i].doc);
    }
  }
  return text;
}

std::string formatChipPaths(const ResolvedChip &chip) {
  std::vector<std::vector<std::string>> rows = {
      {"path", "value", "unit", "range", "recompile", "origin", "meaning"}};
  const std::vector<Parameter> &table = parameters();
  for (size_t i = 0; i < table.size(); ++i) {
    const ParameterOrigin &origin = chip.origins[i];
    std::string from = valueKindName(origin.kind);
    if (origin.kind == ValueKind::Default) {
      from += " (not public)";
    } else if (origin.kind == ValueKind::User) {
      from = origin.source.empty() ? "user, " + origin.place
                                   : "user, " + origin.source;
    }
    rows.push_back({table[i].path, table[i].format(chip.spec), table[i].unit,
                    rangeText(table[i], origin), recompileText(table[i].cls),
                    from, table[i].doc});
  }
  return formatColumns(rows);
}

std::string formatChipDiff(const ResolvedChip &a, const ResolvedChip &b) {
  std::vector<std::vector<std::string>> rows = {
      {"path", a.spec.name, b.spec.name, "recompile"}};
  for (const Parameter &param : parameters()) {
    if (param.format(a.spec) != param.format(b.spec)) {
      rows.push_back({param.path, valueText(param, a.spec),
                      valueText(param, b.spec), recompileText(param.cls)});
    }
  }
  if (rows.size() == 1) {
    return fmt::format("{} and {} have the same parameters\n", a.spec.name,
                       b.spec.name);
  }
  return formatColumns(rows);
}

namespace {

nlohmann::json valueJson(const Parameter &param, const ChipSpec &spec) {
  return std::visit(
      [&](const auto *value) -> nlohmann::json {
        using T = std::remove_cv_t<std::remove_pointer_t<decltype(value)>>;
        if constexpr (std::is_enum_v<T>) {
          return param.format(spec);
        } else if constexpr (std::is_same_v<T, std::vector<DType>>) {
          nlohmann::json list = nlohmann::json::array();
          for (DType type : *value) {
            list.push_back(dtypeName(type));
          }
          return list;
        } else {
          return *value;
        }
      },
      // Read only; the table's accessors serve both directions.
      param.member(const_cast<ChipSpec &>(spec)));
}

} // namespace

nlohmann::json toJson(const ResolvedChip &chip) {
  nlohmann::json json;
  json["name"] = chip.spec.name;
  json["description"] = chip.spec.description;
  json["kind"] = "simulated";
  json["file"] = chip.path;
  json["hash"] = formatHash(chip.hash());
  json["architectural_fingerprint"] =
      formatHash(chip.architecturalFingerprint());
  json["timing_fingerprint"] = formatHash(chip.timingFingerprint());
  json["not_modelled"] = chip.notModelled;
  nlohmann::json &derived = json["derived"];
  for (DType type : chip.spec.dpe.dtypes) {
    double peak = chip.spec.peakFlops(type);
    derived["peak_flops"][dtypeName(type)] = peak;
    derived["ridge_dram_flops_per_byte"][dtypeName(type)] =
        peak / chip.spec.dram.pinBytesPerSecond;
    derived["ridge_sram_flops_per_byte"][dtypeName(type)] =
        peak / chip.spec.sramBytesPerSecond();
  }
  derived["ls_bytes_per_second_per_pe"] = chip.spec.lsBytesPerSecond();
  derived["sram_bytes_per_second"] = chip.spec.sramBytesPerSecond();
  derived["noc_memory_bytes_per_second"] = nocBytesPerSecond(chip.spec);
  derived["dram_bytes_per_second"] = chip.spec.dram.pinBytesPerSecond;
  derived["host_payload_bytes_per_second"] =
      hostPayloadBytesPerSecond(chip.spec);
  const std::vector<Parameter> &table = parameters();
  for (size_t i = 0; i < table.size(); ++i) {
    const ParameterOrigin &origin = chip.origins[i];
    nlohmann::json entry;
    entry["value"] = valueJson(table[i], chip.spec);
    if (*table[i].unit) {
      entry["unit"] = table[i].unit;
    }
    entry["class"] = className(table[i].cls);
    entry["kind"] = valueKindName(origin.kind);
    if (!origin.source.empty()) {
      entry["source"] = origin.source;
    }
    if (origin.range) {
      entry["range"] = {origin.range->first, origin.range->second};
    }
    if (!origin.place.empty()) {
      entry["place"] = origin.place;
    }
    json["parameters"][table[i].path] = std::move(entry);
  }
  return json;
}

} // namespace chipwright
