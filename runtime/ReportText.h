//===- ReportText.h - Figures as text and JSON ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// What reports of kernels and of models write alike.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_REPORTTEXT_H
#define CHIPWRIGHT_RUNTIME_REPORTTEXT_H

#include "runtime/Measurement.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>

namespace chipwright {

/// "functional" or "timing".
const char *modeName(sim::Mode mode);

/// Busy and lost cycles by engine and cause.
nlohmann::ordered_json stallsJson(const Measurement &measurement);

/// Multiply-accumulates by the name of their type; types without any are left
/// out, and the object is empty where nothing was multiplied.
nlohmann::ordered_json macsJson(const Measurement &measurement);

/// Bytes with a unit that leaves one to four digits before the point.
std::string bytesText(uint64_t bytes);

/// Seconds as us, ms or s.
std::string timeText(double seconds);

/// Total, power, and the three largest consumers.
std::string energyText(const sim::EnergyReport &energy);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_REPORTTEXT_H
