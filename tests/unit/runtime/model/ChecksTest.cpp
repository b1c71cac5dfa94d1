//===- ChecksTest.cpp - Comparisons, injected faults, single ops ----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include "models/Safetensors.h"
#include "runtime/Comparison.h"
#include "runtime/OpCheck.h"
#include "runtime/Reproduce.h"
#include "runtime/TensorFiles.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

using namespace chipwright;
using namespace chipwright::models;
using namespace chipwright::test;
using testing::HasSubstr;

namespace {

const std::vector<SequencePiece> kPieces = {{0, {3, 11, 40, 7}}, {1, {5, 3}}};

/// Runs one step with \p observers.
Result<StepOutcome> runWith(std::vector<LaunchObserver *> observers,
                            const Step &step) {
  auto device = tinyModel().device(sim::Mode::Functional);
  for (LaunchObserver *observer : observers) {
    device->observe(*observer);
  }
  return device->run(step, nullptr);
}

TEST(OpCheck, AllOpsAgree) {
  TinyModel &tiny = tinyModel();
  OpCheck check(tiny.graph, tiny.weights, DType::BF16, 256);
  auto outcome = runWith({&check}, tiny.step(kPieces));
  ASSERT_TRUE(outcome) << outcome.error().message;
  // embed, norm, router.logits, logits.
  ASSERT_EQ(check.errors().size(), 4u);
  EXPECT_EQ(check.firstFault(), nullptr);
  EXPECT_EQ(check.errors()[0].error, 0);
  EXPECT_GT(check.errors()[1].error, 1e-4);
  EXPECT_LT(check.errors()[3].error, 1e-6);
  EXPECT_EQ(check.choices().choices, 6);
}

TEST(OpCheck, NamesTheOpThatAnInjectedFaultIsIn) {
  TinyModel &tiny = tinyModel();
  for (const char *op : {"embed", "norm", "router", "logits"}) {
    BitFlip flip(op);
    OpCheck check(tiny.graph, tiny.weights, DType::BF16, 256);
    auto outcome = runWith({&flip, &check}, tiny.step(kPieces));
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(flip.isDone());
    ASSERT_NE(check.firstFault(), nullptr) << op;
    EXPECT_EQ(check.firstFault()->op, op);
    EXPECT_EQ(check.firstFault()->row, 0);
    EXPECT_EQ(check.firstFault()->column, 0);
  }
}

/// Ops whose results no buffer holds: their errors count at the next one.
TEST(OpCheck, ComputesValuesThatNoBufferHolds) {
  TinyModel tiny = tinyModel();
  tiny.package.launches[1].results.clear(); // norm
  OpCheck check(tiny.graph, tiny.weights, DType::BF16, 256);
  auto device = tiny.device(sim::Mode::Functional);
  device->observe(check);
  ASSERT_TRUE(device->run(tiny.step(kPieces), nullptr));
  ASSERT_EQ(check.errors().size(), 3u);
  EXPECT_EQ(check.firstFault(), nullptr);
  EXPECT_DOUBLE_EQ(check.errors().back().bound,
                   opErrorBound(OpKind::RmsNorm, DType::BF16) +
                       opErrorBound(OpKind::Logits, DType::BF16));
  // The product rounds its operand as the norm's missing result was. Without
  // that the error is above 1e-3; what is left are elements next to a tie that
  // fp32 and fp64 round to different sides, one of which changes up to 6e-4.
  EXPECT_LT(check.errors().back().error, 8e-4);
}

TEST(Comparison, AgreesAndDisagrees) {
  TinyModel &tiny = tinyModel();
  Step step = tiny.step(kPieces);
  auto outcome = runWith({}, step);
  ASSERT_TRUE(outcome) << outcome.error().message;
  auto cpu = makeCpuDevice(tiny.graph, tiny.weights, 256);
  Comparison good(*cpu, logitsErrorBound(DType::BF16));
  ASSERT_TRUE(good.add({step, *outcome}));
  EXPECT_TRUE(good.result().agrees());
  EXPECT_GT(good.result().relativeError, 0);
  EXPECT_EQ(good.result().rows, 6);
  EXPECT_EQ(good.result().choices, 6);
  EXPECT_LT(good.result().largestKl, 1e-2);
  StepOutcome wrong = *outcome;
  // Not the largest of its row already, whatever the seed.
  Eigen::Index least = 0;
  wrong.logits->row(2).minCoeff(&least);
  (*wrong.logits)(2, least) += 1000;
  Comparison bad(*cpu, logitsErrorBound(DType::BF16));
  ASSERT_TRUE(bad.add({step, wrong}));
  EXPECT_FALSE(bad.result().agrees());
  EXPECT_LT(bad.result().sameTop, 6);
  (*wrong.logits)(2, least) = std::numeric_limits<float>::quiet_NaN();
  Comparison nan(*cpu, logitsErrorBound(DType::BF16));
  ASSERT_TRUE(nan.add({step, wrong}));
  EXPECT_FALSE(nan.result().agrees());
  wrong.logits.reset();
  EXPECT_EQ(nan.add({step, wrong}).error().exitStatus, ExitUsage);
}

TEST(Comparison, ChoicesMayDifferWithinTheLogitsError) {
  HostMatrix<float> expected(3, 4), chip(3, 4);
  expected << 1, 2, 3, 4, 1, 2, 3, 3.1f, 0, 0, 1, 5;
  chip << 1, 2, 3, 4, 1, 2, 3.1f, 3.05f, 0, 0, 5, 1;
  HostMatrix<int32_t> chosen(3, 1);
  chosen << 3, 2, 2;
  ComparisonResult found;
  found.errorBound = 1;
  compareChoices(chip, chosen, expected, found);
  EXPECT_EQ(found.choices, 3);
  EXPECT_EQ(found.differing, 2);
  // Row 1: margin 0.1, error 0.1. Row 2: margin 4, error 4.
  EXPECT_EQ(found.beyondError, 0);
  EXPECT_NEAR(found.worstMargin, 0.5, 1e-4);
  chip(2, 2) = 1.5f;
  chip(2, 3) = 5;
  compareChoices(chip, chosen, expected, found);
  EXPECT_EQ(found.beyondError, 1);
  EXPECT_FALSE(found.agrees());
  // The same experts in another order are the same choice.
  HostMatrix<int32_t> two(3, 2);
  two << 2, 3, 3, 2, 2, 3;
  ComparisonResult ordered;
  compareChoices(chip, two, expected, ordered);
  EXPECT_EQ(ordered.differing, 0);
}

TEST(TensorSaver, WritesWhatTheChipHas) {
  TinyModel &tiny = tinyModel();
  ScratchFolder folder;
  TensorSaver saver(folder / "tensors");
  auto outcome = runWith({&saver}, tiny.step(kPieces));
  ASSERT_TRUE(outcome) << outcome.error().message;
  auto file = openSafetensorsFile(folder / "tensors/step-000.safetensors");
  ASSERT_TRUE(file) << file.error().message;
  const StoredTensor *norm = (*file)->find("norm");
  ASSERT_NE(norm, nullptr);
  EXPECT_EQ(norm->type, StoredType::BF16);
  EXPECT_EQ(norm->shape, (std::vector<int64_t>{6, kTinyHidden}));
  const StoredTensor *logits = (*file)->find("logits");
  ASSERT_NE(logits, nullptr);
  HostMatrix<float> values(6, kTinyVocabulary);
  convertElements(logits->type, logits->data, 1, values.size(), values.data(),
                  1);
  EXPECT_EQ(values, *outcome->logits);
  EXPECT_EQ((*file)->find("router.chosen")->type, StoredType::I32);
  EXPECT_EQ((*file)->tensors().size(), 5u);
}

TEST(Reproduce, AnOpByItselfGivesTheSameBits) {
  TinyModel &tiny = tinyModel();
  ScratchFolder folder;
  for (const char *op : {"norm", "router", "logits"}) {
    std::string place = folder / op;
    OpSaver saver(op, place, "--chip mtia-2i");
    auto outcome = runWith({&saver}, tiny.step(kPieces));
    ASSERT_TRUE(outcome) << outcome.error().message;
    for (sim::Mode mode : {sim::Mode::Functional, sim::Mode::Timing}) {
      MachineRequest request;
      request.mode = mode;
      auto replay = replayOp(place, tiny.chip, request);
      ASSERT_TRUE(replay) << replay.error().message;
      EXPECT_TRUE(replay->agrees()) << op;
      EXPECT_EQ(replay->differing.empty(), mode == sim::Mode::Timing);
      size_t launches = 0;
      for (const PackageLaunch &launch : tiny.package.launches) {
        launches += launch.op == op;
      }
      EXPECT_EQ(replay->launches.size(), launches);
      EXPECT_GT(replay->measurement.job.cycles, 0u);
    }
  }
  // Other inputs give other results.
  std::filesystem::copy_file(folder / "logits/inputs.safetensors",
                             folder / "logits/results.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  auto wrong =
      replayOp(folder / "logits", tiny.chip, {.mode = sim::Mode::Functional});
  ASSERT_TRUE(wrong) << wrong.error().message;
  EXPECT_FALSE(wrong->agrees());
  auto other = loadChip("mtia-2i", {"ls.bytes=196608"});
  ASSERT_TRUE(other);
  EXPECT_THAT(replayOp(folder / "norm", *other, {}).error().message,
              HasSubstr("architectural fingerprint"));
  ASSERT_TRUE(writeTextFile(folder / "norm/step.json",
                            R"({"sizes": {"tokens": 1000}})"));
  EXPECT_THAT(replayOp(folder / "norm", tiny.chip, {}).error().message,
              HasSubstr("within the package's bounds"));
  std::filesystem::remove(folder / "norm/inputs.safetensors");
  ASSERT_TRUE(
      writeTextFile(folder / "norm/step.json", R"({"sizes": {"tokens": 1}})"));
  EXPECT_FALSE(replayOp(folder / "norm", tiny.chip, {}));
}

TEST(RequireOp, SuggestsANeighbour) {
  const Package &package = tinyModel().package;
  EXPECT_TRUE(requireOp(package, "norm"));
  auto refused = requireOp(package, "nrom");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().exitStatus, ExitUsage);
  EXPECT_THAT(refused.error().message, HasSubstr("did you mean 'norm'"));
}

} // namespace
