//===- Geometry.h - Can this machine exist? ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Rules between parameters (limits of single ones stand in Parameters.def).
// Private to chips/.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_CHIPS_GEOMETRY_H
#define CHIPWRIGHT_CHIPS_GEOMETRY_H

#include "chips/ChipSpec.h"

#include <optional>
#include <string>
#include <vector>

namespace chipwright {

struct GeometryError {
  /// Paths of the parameters that contradict each other.
  std::vector<std::string> paths;
  /// Expected, found, way out; without a place.
  std::string text;
};

/// \returns the first rule that \p spec breaks.
std::optional<GeometryError> checkGeometry(const ChipSpec &spec);

} // namespace chipwright

#endif // CHIPWRIGHT_CHIPS_GEOMETRY_H
