//===- QuantisedModel.cpp -------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/models/QuantisedModel.h"

#include "models/ConfigReader.h"

#include <gtest/gtest.h>

using namespace chipwright;
using namespace chipwright::test;
using namespace chipwright::models;

template <typename T> static T taken(Result<T> result) {
  if (!result) {
    throw Refused(result.error());
  }
  return result.take();
}

ChipModel test::quantisedModel(const nlohmann::json &json,
                               const WeightRule &rule, const Quantised &how,
                               ChipModel::Bounds bounds) {
  ChipModel model;
  model.config = taken(parseModelConfig(json.dump(), "config.json"));
  model.graph = buildGraph(model.config);
  auto tensors = makeTensors(
      model.graph, publishedForm(model.config, ExpertLayout::StackedInOut),
      rule);
  model.weights = std::make_shared<Weights>(
      taken(Weights::bind(model.config, model.graph, tensors, "test")));
  model.chip = taken(loadChip(how.chip, how.sets));
  CompileRequest request;
  request.config = &model.config;
  request.graph = &model.graph;
  request.chip = &model.chip;
  request.linearType = how.type;
  request.quantisesProducts = how.products;
  request.maxTokens = bounds.tokens;
  request.maxBatch = bounds.batch;
  request.maxContext = bounds.context;
  model.package = taken(compileModel(request)).package;
  return model;
}

/// Adds what the launches of experts in \p outcome multiplied.
static void addMacs(const ChipModel &model, const StepOutcome &outcome,
                    int64_t tokens, ExpertMacs &sum) {
  for (const LaunchRecord &launch : outcome.time->launches) {
    const Op *op = model.graph.findOp(launch.op);
    if (op && op->kind == OpKind::Experts) {
      for (size_t type = 0; type < sum.done.size(); ++type) {
        sum.done[type] += launch.measurement.macs[type];
      }
    }
  }
  for (const Op &op : model.graph.ops) {
    if (const auto *a = std::get_if<ExpertsAttributes>(&op.attributes)) {
      sum.perMap += static_cast<uint64_t>(tokens * a->chosen * a->width *
                                          model.config.hidden);
    }
  }
}

ExpertMacs
test::runQuantised(const ChipModel &model, const Quantised &how,
                   const std::vector<std::vector<SequencePiece>> &steps,
                   const std::string &what) {
  SimDevice::Request request;
  request.machine.mode = sim::Mode::Functional;
  request.packageName = "test";
  auto device = taken(SimDevice::create(
      model.package, model.graph, model.weights.get(), model.chip, request));
  SessionLimits limits = SessionLimits::of(model.package);
  ReferenceOptions options;
  options.rounding = OperandRounding::BF16;
  options.linear = rowTypeOf(how.type);
  options.products = how.products;
  auto host = makeCpuDevice(model.graph, *model.weights, limits.slots()),
       imitation =
           makeCpuDevice(model.graph, *model.weights, limits.slots(), options);
  OpCheck check(model.graph, *model.weights, DType::BF16, limits.slots(),
                options.linear, options.products);
  device->observe(check);
  Comparison comparison(*host, logitsErrorBound(DType::BF16), imitation.get());
  Session session(model.graph, *device, limits);
  ExpertMacs macs;
  for (const std::vector<SequencePiece> &pieces : steps) {
    SessionStep done = taken(session.step(pieces, Outputs::All));
    if (auto added = comparison.add(done); !added) {
      throw Refused(added.error());
    }
    addMacs(model, done.outcome, static_cast<int64_t>(done.step.ids.size()),
            macs);
  }
  const ComparisonResult &found = comparison.result();
  EXPECT_LE(found.relativeError, found.errorBound) << what;
  EXPECT_EQ(found.beyondError, 0) << what;
  EXPECT_FALSE(check.errors().empty()) << what;
  for (const OpError &op : check.errors()) {
    EXPECT_TRUE(op.agrees())
        << what << ": " << op.op << " (" << op.value << "), step " << op.step
        << ": " << op.error << ", bound " << op.limit() << " at " << op.row
        << ", " << op.column;
  }
  return macs;
}
