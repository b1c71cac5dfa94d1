//===- Bindings.h - Which program each parameter binds in -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_MACHINE_BINDINGS_H
#define CHIPWRIGHT_TESTS_UNIT_MACHINE_BINDINGS_H

#include "tests/unit/machine/Microprograms.h"

#include <string>
#include <vector>

namespace chipwright::test {

/// What a changed value does to the cycles of the program.
enum class Effect {
  Fewer,
  More,
  None,    // masked; the rule says by what
  Refused, // no such chip; the rule says why
};

/// One parameter, the program in which it binds and what happens there.
struct Binding {
  const char *path;
  const char *program; // name of `build`
  MicroBuilder build;
  Sets base; // overrides of mtia-2i
  /// Numbers: twice and half the base chip's value. Choices: `other`.
  Effect doubled, halved;
  const char *rule = "";  // of None and Refused
  const char *other = ""; // choices: the other value; `doubled` is its effect
};

/// One entry per timing parameter, energies apart.
const std::vector<Binding> &bindings();

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_UNIT_MACHINE_BINDINGS_H
