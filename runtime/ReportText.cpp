//===- ReportText.cpp - Figures as text and JSON --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/ReportText.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>

using namespace chipwright;
using namespace chipwright::sim;
using Json = nlohmann::ordered_json;

const char *chipwright::modeName(Mode mode) {
  return mode == Mode::Functional ? "functional" : "timing";
}

Json chipwright::stallsJson(const Measurement &m) {
  Json stalls;
  for (const EngineTime &engine : m.engines) {
    Json &one = stalls[engine.name];
    one["busy"] = engine.busy;
    for (unsigned cause = 0; cause < numStalls; ++cause) {
      one[stallName(static_cast<Stall>(cause))] = engine.lost[cause];
    }
  }
  return stalls;
}

Json chipwright::macsJson(const Measurement &m) {
  Json macs = Json::object();
  for (unsigned type = 0; type < kMacTypes; ++type) {
    if (m.macs[type] > 0) {
      macs[dtypeName(static_cast<DType>(type))] = m.macs[type];
    }
  }
  return macs;
}

std::string chipwright::bytesText(uint64_t bytes) {
  constexpr const char *units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = double(bytes);
  unsigned unit = 0;
  while (value >= 10000 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, unit ? 1 : 0, units[unit]);
}

std::string chipwright::timeText(double seconds) {
  if (seconds < 1e-3) {
    return fmt::format("{:.3f} us", seconds * 1e6);
  }
  return seconds < 1 ? fmt::format("{:.3f} ms", seconds * 1e3)
                     : fmt::format("{:.3f} s", seconds);
}

std::string chipwright::energyText(const EnergyReport &energy) {
  auto parts = energy.parts();
  std::sort(parts.begin(), parts.end(), [](const auto &a, const auto &b) {
    return a.second != b.second ? a.second > b.second
                                : std::string_view(a.first) < b.first;
  });
  std::string text = fmt::format("{:.4g} mJ, {:.1f} W mean",
                                 energy.total() * 1e3, energy.averageWatts());
  for (unsigned i = 0; i < 3 && parts[i].second > 0; ++i) {
    std::string name = parts[i].first;
    std::replace(name.begin(), name.end(), '_', ' ');
    text += fmt::format("{} {} {:.0f} %", i ? "," : ";", name,
                        parts[i].second / energy.total() * 100);
  }
  return text;
}
