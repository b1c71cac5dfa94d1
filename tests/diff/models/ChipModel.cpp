//===- ChipModel.cpp ------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/models/ChipModel.h"

#include "models/Checkpoint.h"
#include "models/ConfigReader.h"
#include "package/PackageFile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>

using namespace chipwright;
using namespace chipwright::test;
using namespace chipwright::models;

template <typename T> static T taken(Result<T> result) {
  if (!result) {
    throw Refused(result.error());
  }
  return result.take();
}

ChipModel ChipModel::make(const nlohmann::json &json, const WeightRule &rule,
                          const std::string &chipName,
                          const std::vector<std::string> &sets, DType product,
                          Bounds bounds, std::optional<DType> weightType) {
  ChipModel model;
  model.config = taken(parseModelConfig(json.dump(), "config.json"));
  model.graph = buildGraph(model.config);
  auto tensors = makeTensors(
      model.graph, publishedForm(model.config, ExpertLayout::StackedInOut),
      rule);
  model.weights = std::make_shared<Weights>(
      taken(Weights::bind(model.config, model.graph, tensors, "test")));
  model.chip = taken(loadChip(chipName, sets));
  model.compile(product, bounds, weightType);
  return model;
}

ChipModel ChipModel::open(const std::string &directory,
                          const std::string &chipName, DType product,
                          Bounds bounds, std::optional<DType> weightType) {
  Checkpoint checkpoint = taken(openCheckpoint(directory));
  ChipModel model;
  model.config = std::move(checkpoint.config);
  model.graph = std::move(checkpoint.graph);
  model.weights = std::make_shared<Weights>(std::move(checkpoint.weights));
  model.chip = taken(loadChip(chipName, {}));
  model.compile(product, bounds, weightType);
  return model;
}

void ChipModel::compile(DType product, Bounds bounds,
                        std::optional<DType> weightType) {
  CompileRequest request;
  request.config = &config;
  request.graph = &graph;
  request.chip = &chip;
  request.productType = product;
  request.weightType = weightType;
  request.maxTokens = bounds.tokens;
  request.maxBatch = bounds.batch;
  request.maxContext = bounds.context;
  package = taken(compileModel(request)).package;
}

nlohmann::json test::goldenConfig() {
  return nlohmann::json::parse(taken(presetConfigText("llama4-golden")));
}

CheckedRun::CheckedRun(const ChipModel &model) {
  SimDevice::Request request;
  request.machine.mode = sim::Mode::Functional;
  request.packageName = "test";
  device = taken(SimDevice::create(model.package, model.graph,
                                   model.weights.get(), model.chip, request));
  SessionLimits limits = SessionLimits::of(model.package);
  // Both hosts have the numbers that weights of 4 bits keep.
  ReferenceOptions exactly;
  if (auto stored = weightTypeOf(model.package)) {
    exactly.weights = blockTypeOf(*stored);
  }
  host = makeCpuDevice(model.graph, *model.weights, limits.slots(), exactly);
  ReferenceOptions rounding = exactly;
  rounding.rounding = model.package.productType == DType::F16
                          ? OperandRounding::F16
                          : OperandRounding::BF16;
  roundedHost =
      makeCpuDevice(model.graph, *model.weights, limits.slots(), rounding);
  check = std::make_unique<OpCheck>(
      model.graph, *model.weights, model.package.productType, limits.slots(),
      std::nullopt, std::nullopt, exactly.weights);
  device->observe(*check);
  compare = std::make_unique<Comparison>(*host, 1);
  session = std::make_unique<Session>(model.graph, *device, limits);
}

HostMatrix<float> CheckedRun::step(const std::vector<SequencePiece> &pieces) {
  SessionStep done = taken(session->step(pieces, Outputs::All));
  if (auto added = compare->add(done); !added) {
    throw Refused(added.error());
  }
  // Both hosts once more on the same step: their caches get the same again.
  RouterChoices chosen;
  for (const auto &[name, router] : done.outcome.routers) {
    chosen[name] = router.chosen;
  }
  StepOutcome exact = taken(host->run(done.step, &chosen));
  StepOutcome rounded = taken(roundedHost->run(done.step, &chosen));
  roundingSquares += (*rounded.logits - *exact.logits).squaredNorm();
  referenceSquares += exact.logits->squaredNorm();
  outcome = std::move(done.outcome);
  return *outcome.logits;
}

void test::expectAgreement(const CheckedRun &run, double bound,
                           const std::string &what, OpLimit limit) {
  const ComparisonResult &found = run.comparison();
  EXPECT_LE(found.relativeError, std::max(bound, 2 * run.roundingError()))
      << what;
  EXPECT_EQ(found.beyondError, 0)
      << what << ": " << found.differing << " of " << found.choices
      << " choices differ, worst margin " << found.worstMargin;
  for (const OpError &op : run.ops().errors()) {
    EXPECT_LE(op.error, limit == OpLimit::Bound ? op.bound : op.limit())
        << what << ": " << op.op << " (" << op.value << ") at " << op.row
        << ", " << op.column;
  }
}

SequencePiece test::prompt(int32_t sequence, int64_t tokens, int64_t vocabulary,
                           uint64_t seed) {
  std::mt19937_64 engine(seed);
  SequencePiece piece{sequence, {}};
  for (int64_t t = 0; t < tokens; ++t) {
    piece.ids.push_back(
        static_cast<int32_t>(engine() % static_cast<uint64_t>(vocabulary)));
  }
  return piece;
}
