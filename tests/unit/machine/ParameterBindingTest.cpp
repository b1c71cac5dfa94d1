//===- ParameterBindingTest.cpp - Every timing parameter binds ------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// For every parameter of class Timing there is a program whose cycles change,
// by the amount that the program's derivation gives, when the value is doubled
// or halved. Where one of the two changes nothing, the table names the rule
// that masks it. A parameter without an entry fails.
//
//===----------------------------------------------------------------------===//

#include "chips/Parameters.h"
#include "chips/ResolvedChip.h"
#include "tests/unit/machine/Bindings.h"
#include "tests/unit/machine/EnergyBindings.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

using namespace chipwright;
using namespace chipwright::test;

namespace {

Cycle simulated(const ChipSpec &spec, const Micro &micro) {
  MicroMachine machine(spec);
  sim::JobResult result =
      machine.run(micro.program, micro.rows, micro.cols, micro.writeBack);
  return micro.wholeLaunch ? result.cycles : result.kernelCycles;
}

/// The value of \p parameter times \p factor, as text.
std::string scaled(const Parameter &parameter, const ChipSpec &base,
                   double factor) {
  double value = *parseNumber(parameter.format(base), false) * factor;
  ChipSpec spec = base;
  bool whole = !std::holds_alternative<double *>(parameter.member(spec));
  return whole ? fmt::format("{}", static_cast<uint64_t>(value))
               : fmt::format("{}", value);
}

void checkChange(const Binding &binding, const Sets &changed, Cycle before,
                 Effect effect) {
  SCOPED_TRACE(changed.back());
  Result<ResolvedChip> chip = loadChip("mtia-2i", changed);
  if (effect == Effect::Refused) {
    EXPECT_FALSE(chip) << "the rule '" << binding.rule << "' does not hold";
    return;
  }
  ASSERT_TRUE(chip) << chip.error().message;
  Micro micro = binding.build(chip->spec);
  EXPECT_EQ(simulated(chip->spec, micro), micro.cycles);
  switch (effect) {
  case Effect::Fewer:
    EXPECT_LT(micro.cycles, before);
    break;
  case Effect::More:
    EXPECT_GT(micro.cycles, before);
    break;
  default:
    EXPECT_EQ(micro.cycles, before);
    break;
  }
}

void checkBinding(const Binding &binding) {
  SCOPED_TRACE(fmt::format("{} in {}", binding.path, binding.program));
  const Parameter &parameter = parameters()[*findParameter(binding.path)];
  ChipSpec base = chipWith(binding.base);
  Micro micro = binding.build(base);
  ASSERT_EQ(simulated(base, micro), micro.cycles);
  std::string set = std::string(binding.path) + "=";
  bool moves =
      binding.doubled == Effect::Fewer || binding.doubled == Effect::More ||
      binding.halved == Effect::Fewer || binding.halved == Effect::More;
  EXPECT_TRUE(moves) << "neither change moves the program";
  if (!parameter.isNumber()) {
    ASSERT_STRNE(binding.other, "");
    checkChange(binding, binding.base + Sets{set + binding.other}, micro.cycles,
                binding.doubled);
    return;
  }
  auto masked = [](Effect effect) {
    return effect == Effect::None || effect == Effect::Refused;
  };
  EXPECT_TRUE(binding.rule[0] != 0 ||
              (!masked(binding.doubled) && !masked(binding.halved)))
      << "a masked change needs a rule";
  checkChange(binding, binding.base + Sets{set + scaled(parameter, base, 2)},
              micro.cycles, binding.doubled);
  checkChange(binding, binding.base + Sets{set + scaled(parameter, base, 0.5)},
              micro.cycles, binding.halved);
}

} // namespace

TEST(ParameterBinding, everyTimingParameterHasAProgram) {
  std::set<std::string> listed;
  for (const Binding &binding : bindings()) {
    EXPECT_TRUE(listed.insert(binding.path).second)
        << binding.path << " is listed twice";
  }
  for (const EnergyBinding &binding : energyBindings()) {
    EXPECT_TRUE(listed.insert(binding.path).second)
        << binding.path << " is listed twice";
  }
  for (const Parameter &parameter : parameters()) {
    bool timing = parameter.cls == ParameterClass::Timing;
    EXPECT_EQ(listed.count(parameter.path), timing ? 1u : 0u)
        << parameter.path
        << (timing ? " has no program in which it binds"
                   : " is no timing parameter");
    listed.erase(parameter.path);
  }
  EXPECT_TRUE(listed.empty()) << *listed.begin() << " is no parameter";
}

class Bound : public testing::TestWithParam<size_t> {};

TEST_P(Bound, movesItsProgram) { checkBinding(bindings()[GetParam()]); }

static std::string nameOf(const testing::TestParamInfo<size_t> &info) {
  std::string name = bindings()[info.param].path;
  for (char &c : name) {
    c = c == '.' ? '_' : c;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(ParameterBinding, Bound,
                         testing::Range<size_t>(0, bindings().size()), nameOf);

//===----------------------------------------------------------------------===//
// Energies
//===----------------------------------------------------------------------===//

static void checkEnergy(const EnergyBinding &binding, const ChipSpec &spec,
                        double value) {
  Micro micro = binding.build(spec);
  MicroMachine machine(spec);
  sim::JobResult result = machine.run(micro.program, micro.rows, micro.cols);
  EXPECT_EQ(result.kernelCycles, micro.cycles);
  double found = binding.part(
      sim::computeEnergy(spec, machine.machine(), result.kernelCycles));
  double expected = binding.joules(binding.events(spec, micro.cycles), value);
  EXPECT_GT(expected, 0);
  EXPECT_NEAR(found, expected, expected * 1e-9);
}

TEST(ParameterBinding, energiesAndPackage) {
  for (const EnergyBinding &binding : energyBindings()) {
    SCOPED_TRACE(binding.path);
    const Parameter &parameter = parameters()[*findParameter(binding.path)];
    ChipSpec base = chipWith(binding.sets, binding.base);
    for (double factor : {1.0, 2.0, 0.5}) {
      std::string value = scaled(parameter, base, factor);
      ChipSpec spec =
          chipWith(binding.sets + Sets{std::string(binding.path) + "=" + value},
                   binding.base);
      checkEnergy(binding, spec, *parseNumber(value, false));
    }
  }
}

//===----------------------------------------------------------------------===//
// The table in the documentation
//===----------------------------------------------------------------------===//

static const char *effectText(Effect effect) {
  switch (effect) {
  case Effect::Fewer:
    return "fewer cycles";
  case Effect::More:
    return "more cycles";
  case Effect::None:
    return "masked";
  case Effect::Refused:
    return "refused";
  }
  return "";
}

static std::string documentation() {
  std::string text =
      "<!-- SPDX-License-Identifier: Apache-2.0 -->\n# Microbenchmarks\n\n"
      "Every timing parameter of a chip file, the program in which it binds,\n"
      "and what twice or half its value does there. The programs and the\n"
      "derivations of their exact cycle counts stand in\n"
      "`tests/unit/machine/*Programs.cpp`, the chips they run on in\n"
      "`tests/unit/machine/Bindings.cpp`. The test\n"
      "`tests/unit/machine/ParameterBindingTest.cpp` checks every line and\n"
      "that this table is complete; it writes the table anew if\n"
      "`CHIPWRIGHT_UPDATE_DOCS` is set.\n\n"
      "## Time\n\n"
      "| parameter | program | doubled | halved | what masks the other |\n"
      "|---|---|---|---|---|\n";
  for (const Binding &binding : bindings()) {
    bool choice = binding.other[0] != 0;
    text += fmt::format("| `{}` | `{}` | {} | {} | {} |\n", binding.path,
                        binding.program,
                        choice ? fmt::format("`{}`: {}", binding.other,
                                             effectText(binding.doubled))
                               : effectText(binding.doubled),
                        choice ? "" : effectText(binding.halved), binding.rule);
  }
  text += "\n## Energy\n\n"
          "| parameter | program | joules |\n|---|---|---|\n";
  for (const EnergyBinding &binding : energyBindings()) {
    text += fmt::format("| `{}` | `{}` | {} |\n", binding.path, binding.program,
                        binding.formula);
  }
  return text;
}

TEST(ParameterBinding, documentationListsTheTable) {
  std::string path = CHIPWRIGHT_SOURCE_DIR "/docs/microbenchmarks.md";
  if (const char *update = std::getenv("CHIPWRIGHT_UPDATE_DOCS");
      update && *update) {
    std::ofstream(path) << documentation();
  }
  std::ifstream file(path);
  std::string found{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(found, documentation())
      << "run machine_test with CHIPWRIGHT_UPDATE_DOCS=1";
}
