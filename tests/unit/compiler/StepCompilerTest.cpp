//===- StepCompilerTest.cpp - Functions of llm to launches ----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/StepCompiler.h"

#include "chips/ResolvedChip.h"
#include "compiler/ops/KernelPrograms.h"

#include <gmock/gmock.h>

#include <algorithm>

using namespace chipwright;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

ChipSpec chip() {
  Result<ResolvedChip> loaded = loadChip("mtia-2i", {});
  EXPECT_TRUE(bool(loaded)) << (loaded ? "" : loaded.error().message);
  return loaded->spec;
}

const PackageBuffer *find(const Package &package, const std::string &name) {
  auto found =
      std::find_if(package.buffers.begin(), package.buffers.end(),
                   [&](const PackageBuffer &one) { return one.name == name; });
  return found == package.buffers.end() ? nullptr : &*found;
}

/// What the compiler says about \p text.
std::string refusal(const std::string &text) {
  Result<Package> made = compileStepText(chip(), text, "t", {{"tokens", 8}});
  return made ? "not refused" : made.error().message;
}

TEST(StepCompiler, MakesTheLaunchesOfRoutedExperts) {
  std::string text = programs::moe(DType::BF16, {.tokens = 8,
                                                 .hidden = 64,
                                                 .intermediate = 32,
                                                 .experts = 4,
                                                 .chosen = 1,
                                                 .sharedIntermediate = 96});
  Result<Package> made = compileStepText(chip(), text, "t", {{"tokens", 8}});
  ASSERT_TRUE(bool(made)) << made.error().message;
  std::vector<std::string> ops;
  for (const PackageLaunch &launch : made->launches) {
    ops.push_back(launch.op);
  }
  EXPECT_THAT(ops, ElementsAre("router", "router", "experts", "experts",
                               "experts", "experts", "shared.gate", "shared.up",
                               "shared.act", "shared.down", "sum"));
  // The choice is a control buffer that the router fills from bulk data.
  const PackageLaunch &choice = made->launches[1];
  ASSERT_EQ(choice.results.size(), 3u);
  for (const PackageLaunch::Value &value : choice.results) {
    EXPECT_EQ(made->buffers[static_cast<size_t>(value.buffer)].isControl,
              value.name == "router.1")
        << value.name;
  }
  const PackageBuffer *gate = find(*made, "gate");
  ASSERT_NE(gate, nullptr);
  EXPECT_EQ(gate->role, BufferRole::Weight);
  EXPECT_EQ(gate->dtype, DType::BF16);
  EXPECT_THAT(gate->shape, ElementsAre(PackageSize{4, ""}, PackageSize{32, ""},
                                       PackageSize{64, ""}));
  const PackageBuffer *x = find(*made, "x");
  ASSERT_NE(x, nullptr);
  EXPECT_EQ(x->role, BufferRole::Input);
  EXPECT_THAT(x->shape,
              ElementsAre(PackageSize{1, "tokens"}, PackageSize{64, ""}));
  auto outputs = std::count_if(
      made->buffers.begin(), made->buffers.end(),
      [](const PackageBuffer &one) { return one.role == BufferRole::Output; });
  EXPECT_EQ(outputs, 1);
}

// Weights of 8 bits lie beside their scales; the router's keeps its type, and
// down does where it is not to be quantised.
TEST(StepCompiler, HasScalesOfWeightsInEightBits) {
  for (bool products : {false, true}) {
    std::string text =
        programs::moe(DType::BF16, {.tokens = 8,
                                    .hidden = 64,
                                    .intermediate = 32,
                                    .experts = 4,
                                    .chosen = 1,
                                    .sharedIntermediate = 96,
                                    .product = DType::I8,
                                    .quantisesProducts = products});
    Result<Package> made = compileStepText(chip(), text, "t", {{"tokens", 8}});
    ASSERT_TRUE(bool(made)) << made.error().message;
    auto typeOf = [&](const std::string &name) {
      const PackageBuffer *found = find(*made, name);
      EXPECT_NE(found, nullptr) << name;
      return found ? found->dtype : DType::F32;
    };
    EXPECT_EQ(typeOf("router"), DType::BF16);
    for (const char *name : {"gate", "up", "shared.gate", "shared.up"}) {
      EXPECT_EQ(typeOf(name), DType::I8) << name;
      EXPECT_EQ(typeOf(std::string(name) + ".scales"), DType::F32) << name;
    }
    for (const char *name : {"down", "shared.down"}) {
      EXPECT_EQ(typeOf(name), products ? DType::I8 : DType::BF16) << name;
      EXPECT_EQ(find(*made, std::string(name) + ".scales") != nullptr, products)
          << name;
    }
    ASSERT_NE(find(*made, "gate.scales"), nullptr);
    EXPECT_THAT(find(*made, "gate.scales")->shape,
                ElementsAre(PackageSize{4, ""}, PackageSize{32, ""}));
    ASSERT_NE(find(*made, "shared.up.scales"), nullptr);
    EXPECT_THAT(find(*made, "shared.up.scales")->shape,
                ElementsAre(PackageSize{1, ""}, PackageSize{96, ""}));
  }
}

TEST(StepCompiler, NamesThePlaceOfABadLine) {
  EXPECT_THAT(refusal("func.func @step(%x: tensor<?x8xf32>) {\n  nonsense\n}"),
              HasSubstr("t:2:3:"));
}

TEST(StepCompiler, WantsAFunctionThatReturnsItsLastResult) {
  EXPECT_THAT(refusal("func.func private @other()"),
              HasSubstr("no function @step"));
  EXPECT_THAT(refusal("func.func private @step()"),
              HasSubstr("no function @step"));
  EXPECT_THAT(refusal(R"(
func.func @step(%x: tensor<?x8xf32> {llm.name = "x", llm.role = "input",
                llm.symbol = "tokens"}) -> tensor<?x8xf32> {
  %y = llm.add "a"(%x, %x) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %z = llm.add "b"(%y, %x) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
})"),
              HasSubstr("first result of the operation before it"));
}

// A row of a token does not fit local memory.
TEST(StepCompiler, SaysWhichProgramDoesNotFit) {
  std::string text = programs::moe(
      DType::F16,
      {.tokens = 8, .hidden = 262144, .intermediate = 16, .experts = 2});
  Result<Package> made = compileStepText(chip(), text, "t", {{"tokens", 8}});
  ASSERT_FALSE(bool(made));
  EXPECT_EQ(made.error().exitStatus, ExitDoesNotFit);
  EXPECT_THAT(made.error().message, HasSubstr("ls.bytes"));
}

TEST(StepCompiler, ShowsProgramsWithTheirSchedules) {
  std::string text = programs::moe(
      DType::F16,
      {.tokens = 8, .hidden = 64, .intermediate = 64, .experts = 2});
  Result<std::string> shown = scheduledStepText(chip(), text, "t");
  ASSERT_TRUE(bool(shown)) << shown.error().message;
  EXPECT_THAT(*shown, HasSubstr("grid.program @experts_inner_0"));
  EXPECT_THAT(*shown, HasSubstr("#grid.schedule"));
  EXPECT_THAT(*shown, HasSubstr("grid.launch"));
}

} // namespace
