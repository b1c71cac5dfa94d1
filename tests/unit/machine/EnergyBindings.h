//===- EnergyBindings.h - Which program each energy shows in ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_MACHINE_ENERGYBINDINGS_H
#define CHIPWRIGHT_TESTS_UNIT_MACHINE_ENERGYBINDINGS_H

#include "sim/energy/EnergyModel.h"
#include "tests/unit/machine/Microprograms.h"

#include <vector>

namespace chipwright::test {

struct EnergyBinding {
  const char *path;
  const char *program;
  MicroBuilder build;
  Sets sets;
  const char *base; // chip
  /// Events of the program, from its shapes: what the energy per event is
  /// multiplied by. \p cycles: kernel cycles.
  double (*events)(const ChipSpec &spec, Cycle cycles);
  /// The part of the report that the parameter decides.
  double (*part)(const sim::EnergyReport &report);
  /// Joules (or their fraction) of \p events events at \p value.
  double (*joules)(double events, double value);
  const char *formula;
};

const std::vector<EnergyBinding> &energyBindings();

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_UNIT_MACHINE_ENERGYBINDINGS_H
