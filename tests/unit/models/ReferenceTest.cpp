//===- ReferenceTest.cpp - Options and ops of the reference pass -*- C++
//-*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "ModelTestSupport.h"

namespace chipwright::models {
namespace {

HostMatrix<float> matrix(std::initializer_list<std::vector<float>> rows) {
  HostMatrix<float> result(static_cast<Eigen::Index>(rows.size()),
                           static_cast<Eigen::Index>(rows.begin()->size()));
  Eigen::Index r = 0;
  for (const auto &row : rows) {
    for (size_t c = 0; c < row.size(); ++c) {
      result(r, static_cast<Eigen::Index>(c)) = row[c];
    }
    ++r;
  }
  return result;
}

TEST(RouterChoice, LowestIndexOnTies) {
  HostMatrix<float> logits =
      matrix({{1, 3, 3, 2}, {0, 0, 0, 0}, {-1, -2, -1, -3}});
  HostMatrix<int32_t> one = chooseExperts(logits, 1);
  EXPECT_EQ(one(0, 0), 1);
  EXPECT_EQ(one(1, 0), 0);
  EXPECT_EQ(one(2, 0), 0);
  HostMatrix<int32_t> three = chooseExperts(logits, 3);
  EXPECT_EQ(three.row(0), (Eigen::RowVector3i(1, 2, 3)));
  EXPECT_EQ(three.row(1), (Eigen::RowVector3i(0, 1, 2)));
  EXPECT_EQ(three.row(2), (Eigen::RowVector3i(0, 2, 1)));
}

TEST(RouterChoice, Margins) {
  HostMatrix<float> logits = matrix({{1, 3, 2.5f}, {4, 4, 0}});
  std::vector<float> one = choiceMargins(logits, chooseExperts(logits, 1));
  EXPECT_EQ(one, (std::vector<float>{0.5f, 0}));
  std::vector<float> all = choiceMargins(logits, chooseExperts(logits, 3));
  EXPECT_TRUE(std::isinf(all[0]) && all[0] > 0);
}

TEST(RouterChoice, NotANumberNeverCrashes) {
  float nan = std::nanf("");
  HostMatrix<float> logits = matrix({{nan, 1, nan, 0}, {nan, nan, nan, nan}});
  HostMatrix<int32_t> two = chooseExperts(logits, 2);
  EXPECT_EQ(two.row(0), (Eigen::RowVector2i(1, 3)));
  EXPECT_EQ(two.row(1), (Eigen::RowVector2i(0, 1)));
}

class ReferenceTest : public testing::Test {
protected:
  TestModel model = TestModel::make(presetJson("llama4-golden"));
  std::vector<int32_t> ids = rampIds(20, 64);
};

TEST_F(ReferenceTest, ReplayOfOwnChoicesChangesNothing) {
  ModelRun<float> first(model.graph, model.weights, 32);
  StepResult<float> own = first.step({{0, ids}});
  ASSERT_EQ(own.routers.size(), 2u);
  RouterChoices choices;
  for (const auto &router : own.routers) {
    EXPECT_EQ(router.own, router.taken);
    EXPECT_EQ(router.margins.size(), ids.size());
    choices[router.name] = router.taken;
  }
  StepOptions<float> options;
  options.replay = &choices;
  ModelRun<float> second(model.graph, model.weights, 32);
  StepResult<float> replayed = second.step({{0, ids}}, Outputs::All, options);
  EXPECT_EQ(replayed.logits, own.logits);
}

TEST_F(ReferenceTest, ReplayedChoicesAreTaken) {
  RouterChoices choices;
  choices["layers.1.feed_forward.router"] =
      HostMatrix<int32_t>::Constant(20, 1, 2);
  StepOptions<float> options;
  options.replay = &choices;
  HostMatrix<float> logits, scores;
  options.observe = [&](const Op &op,
                        std::span<const HostValue<float>> results) {
    if (op.name == "layers.1.feed_forward.router") {
      logits = results[0].real;
      scores = results[2].real;
    }
  };
  ModelRun<float> run(model.graph, model.weights, 32);
  StepResult<float> result = run.step({{0, ids}}, Outputs::All, options);
  const auto &report = result.routers[0];
  EXPECT_TRUE((report.taken.array() == 2).all());
  EXPECT_NE(report.own, report.taken);
  for (Eigen::Index t = 0; t < 20; ++t) {
    // The score is that of the expert taken.
    EXPECT_FLOAT_EQ(scores(t, 0), 1 / (1 + std::exp(-logits(t, 2))));
  }
  ModelRun<float> free(model.graph, model.weights, 32);
  EXPECT_GT(largestDifference(free.step({{0, ids}}).logits, result.logits),
            1e-2);
}

TEST_F(ReferenceTest, WrongReplayIsRefused) {
  SequenceTable table(1, 32);
  std::vector<SequencePiece> pieces = {{0, ids}};
  auto step = table.append(model.graph, pieces, Outputs::All);
  ASSERT_TRUE(step);
  for (auto wrong : {HostMatrix<int32_t>::Constant(20, 1, 4).eval(),
                     HostMatrix<int32_t>::Constant(20, 1, -1).eval(),
                     HostMatrix<int32_t>::Constant(19, 1, 0).eval(),
                     HostMatrix<int32_t>::Constant(20, 2, 0).eval()}) {
    RouterChoices choices;
    choices["layers.1.feed_forward.router"] = wrong;
    StepOptions<float> options;
    options.replay = &choices;
    Reference<float> reference(model.graph, model.weights);
    KvCache<float> cache(model.graph, 32);
    auto result = reference.run(*step, cache, options);
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().message.find("replayed choices of 20 rows"),
              std::string::npos);
  }
}

TEST_F(ReferenceTest, RoundedOperandsGiveErrorsOfTheirFormat) {
  ModelRun<double> exact(model.graph, model.weights, 32);
  StepResult<double> wanted = exact.step({{0, ids}});
  RouterChoices choices;
  for (const auto &router : wanted.routers) {
    choices[router.name] = router.taken;
  }
  StepOptions<double> options;
  options.replay = &choices;
  auto errorOf = [&](OperandRounding rounding) {
    ModelRun<double> run(model.graph, model.weights, 32,
                         ReferenceOptions{rounding});
    HostMatrix<double> logits =
        run.step({{0, ids}}, Outputs::All, options).logits;
    return (logits - wanted.logits).norm() / wanted.logits.norm();
  };
  EXPECT_EQ(errorOf(OperandRounding::None), 0);
  double bf16 = errorOf(OperandRounding::BF16);
  double fp16 = errorOf(OperandRounding::F16);
  // Half units in the last place: 2^-9 and 2^-12.
  EXPECT_GT(bf16, 5e-4);
  EXPECT_LT(bf16, 2e-2);
  EXPECT_GT(fp16, 5e-5);
  EXPECT_LT(fp16, 3e-3);
  EXPECT_NEAR(bf16 / fp16, 8, 4);
}

TEST_F(ReferenceTest, RoundingReachesTheOperandsOfEveryProduct) {
  // The made-up weights are exact in bf16, so a pass that rounds operands is a
  // pass on rounded inputs.
  auto filled = [](Eigen::Index columns) {
    HostMatrix<double> result(5, columns);
    for (Eigen::Index i = 0; i < result.size(); ++i) {
      result.data()[i] = std::sin(1.0 + static_cast<double>(i) * 1.7);
    }
    return HostValue<double>{result, {}};
  };
  auto rounded = [](HostValue<double> value) {
    value.real = value.real.unaryExpr([](double x) {
      return double(floatOfBfloat(bfloatOfFloat(static_cast<float>(x))));
    });
    return value;
  };
  auto column = [](std::initializer_list<int32_t> list) {
    HostMatrix<int32_t> result(static_cast<Eigen::Index>(list.size()), 1);
    std::copy(list.begin(), list.end(), result.data());
    return HostValue<double>{{}, result};
  };
  Reference<double> exact(model.graph, model.weights);
  Reference<double> rounding(model.graph, model.weights,
                             ReferenceOptions{OperandRounding::BF16});
  auto evaluate = [&](Reference<double> &reference, const char *name,
                      const std::vector<HostValue<double>> &values) {
    std::vector<const HostValue<double> *> operands;
    for (const auto &value : values) {
      operands.push_back(&value);
    }
    KvCache<double> cache(model.graph, 8);
    auto results =
        reference.evaluate(*model.graph.findOp(name), operands, &cache);
    EXPECT_TRUE(results) << results.error().message;
    return (*results)[0].real;
  };
  HostValue<double> x = filled(64), rows = column({0, 2, 4});
  for (const char *name :
       {"layers.0.self_attn.q_proj", "layers.1.feed_forward.router"}) {
    HostMatrix<double> got = evaluate(rounding, name, {x});
    EXPECT_EQ(got, evaluate(exact, name, {rounded(x)})) << name;
    EXPECT_NE(got, evaluate(exact, name, {x})) << name;
  }
  EXPECT_EQ(evaluate(rounding, "lm_head", {x, rows}),
            evaluate(exact, "lm_head", {rounded(x), rows}));

  // Inside these ops there are operands that no input shows.
  auto relative = [](const HostMatrix<double> &a, const HostMatrix<double> &b) {
    return (a - b).norm() / b.norm();
  };
  HostValue<double> chosen = column({0, 1, 2, 3, 3});
  HostValue<double> scores{HostMatrix<double>::Constant(5, 1, 0.7), {}};
  const char *experts = "layers.1.feed_forward.experts";
  double error = relative(evaluate(rounding, experts, {x, chosen, scores}),
                          evaluate(exact, experts, {x, chosen, scores}));
  EXPECT_GT(error, 5e-4);
  EXPECT_LT(error, 1e-2);
  HostValue<double> q = filled(64), k = filled(32), v = filled(32);
  HostValue<double> slots = column({0, 1, 2, 3, 4});
  HostValue<double> lo = column({0, 0, 0, 0, 0});
  HostValue<double> hi = column({1, 2, 3, 4, 5});
  const char *attention = "layers.0.self_attn.attention";
  error =
      relative(evaluate(rounding, attention, {q, k, v, slots, lo, hi}),
               evaluate(exact, attention,
                        {rounded(q), rounded(k), rounded(v), slots, lo, hi}));
  EXPECT_GT(error, 1e-4) << "probabilities are operands too";
  EXPECT_LT(error, 4e-3);
  // A token that sees only itself has the probability 1: the value alone.
  EXPECT_EQ(evaluate(rounding, attention, {q, k, v, slots, slots, hi}),
            evaluate(exact, attention, {q, k, rounded(v), slots, slots, hi}));
}

TEST_F(ReferenceTest, KeptWeightsChangeNothing) {
  ReferenceOptions none;
  none.keepBytes = 0;
  ModelRun<float> converting(model.graph, model.weights, 32, none);
  ModelRun<float> keeping(model.graph, model.weights, 32);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(converting.step({{0, rampIds(8, 64)}}).logits,
              keeping.step({{0, rampIds(8, 64)}}).logits);
  }
}

TEST_F(ReferenceTest, EachOpGivenItsInputsGivesItsOutputs) {
  // What the chips' ops are compared with: fp32 results fed to fp64 ops.
  std::vector<HostValue<double>> values;
  SequenceTable table(1, 32);
  std::vector<SequencePiece> pieces = {{0, ids}};
  auto step = table.append(model.graph, pieces, Outputs::All);
  ASSERT_TRUE(step);
  Reference<double> exact(model.graph, model.weights);
  KvCache<double> exactCache(model.graph, 32);
  values = exact.inputs(*step);
  Reference<float> tested(model.graph, model.weights);
  KvCache<float> cache(model.graph, 32);
  size_t ops = 0;
  StepOptions<float> options;
  options.observe = [&](const Op &op,
                        std::span<const HostValue<float>> results) {
    std::vector<const HostValue<double> *> operands;
    for (ValueId id : op.operands) {
      operands.push_back(&values[static_cast<size_t>(id)]);
    }
    const HostMatrix<int32_t> *replay =
        op.kind == OpKind::Router ? &results[1].index : nullptr;
    auto wanted = exact.evaluate(op, operands, &exactCache, replay);
    ASSERT_TRUE(wanted) << op.name << ": " << wanted.error().message;
    ASSERT_EQ(wanted->size(), results.size());
    for (size_t i = 0; i < results.size(); ++i) {
      HostValue<double> &value = values[static_cast<size_t>(op.results[i])];
      if (results[i].index.size() > 0) {
        EXPECT_EQ((*wanted)[i].index, results[i].index) << op.name;
        value.index = results[i].index;
        continue;
      }
      const HostMatrix<double> &real = (*wanted)[i].real;
      value.real = results[i].real.cast<double>();
      EXPECT_LE((value.real - real).norm(), 2e-6 * real.norm()) << op.name;
    }
    ++ops;
  };
  auto result = tested.run(*step, cache, options);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(ops, model.graph.ops.size());
}

TEST_F(ReferenceTest, WrongOperandsAreRefused) {
  Reference<float> reference(model.graph, model.weights);
  const Op &linear = *model.graph.findOp("layers.0.self_attn.q_proj");
  HostValue<float> narrow{HostMatrix<float>::Zero(3, 63), {}};
  std::vector<const HostValue<float> *> operands = {&narrow};
  EXPECT_FALSE(reference.evaluate(linear, operands, nullptr));
  EXPECT_FALSE(reference.evaluate(linear, {}, nullptr));

  const Op &embedding = *model.graph.findOp("embed_tokens");
  HostValue<float> beyond{{}, HostMatrix<int32_t>::Constant(3, 1, 64)};
  operands = {&beyond};
  EXPECT_FALSE(reference.evaluate(embedding, operands, nullptr));

  const Op &attention = *model.graph.findOp("layers.0.self_attn.attention");
  HostValue<float> q{HostMatrix<float>::Zero(2, 64), {}};
  HostValue<float> k{HostMatrix<float>::Zero(2, 32), {}};
  HostValue<float> zeros{{}, HostMatrix<int32_t>::Zero(2, 1)};
  operands = {&q, &k, &k, &zeros, &zeros, &zeros};
  EXPECT_FALSE(reference.evaluate(attention, operands, nullptr)) << "no cache";
  KvCache<float> cache(model.graph, 4);
  EXPECT_FALSE(reference.evaluate(attention, operands, &cache))
      << "nothing to attend to";
  HostValue<float> ones{{}, HostMatrix<int32_t>::Constant(2, 1, 1)};
  operands[5] = &ones;
  EXPECT_TRUE(reference.evaluate(attention, operands, &cache));
  HostValue<float> fives{{}, HostMatrix<int32_t>::Constant(2, 1, 5)};
  operands[5] = &fives;
  EXPECT_FALSE(reference.evaluate(attention, operands, &cache))
      << "beyond the cache";
}

TEST_F(ReferenceTest, AStepWithoutTokensGivesNoLogits) {
  ModelRun<float> run(model.graph, model.weights, 8);
  Step empty;
  empty.masks.resize(model.graph.masks.size());
  auto result = run.reference.run(empty, run.cache);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->logits.rows(), 0);
}

/// Models whose every size is odd or prime, several experts a token.
TEST(ReferenceShapes, SizesThatDivideNothing) {
  nlohmann::json json = presetJson("llama4-demo");
  json["vocab_size"] = 53;
  json["hidden_size"] = 37;
  json["intermediate_size"] = 13;
  json["intermediate_size_mlp"] = 29;
  json["num_attention_heads"] = 9;
  json["num_key_value_heads"] = 3;
  json["head_dim"] = 10;
  json["num_local_experts"] = 7;
  json["num_experts_per_tok"] = 3;
  json["attention_chunk_size"] = 5;
  json["num_hidden_layers"] = 5;
  json["moe_layers"] = {0, 3};
  for (uint64_t seed : {1, 2, 3}) {
    TestModel model = TestModel::make(json, WeightRule{seed});
    std::vector<int32_t> ids = rampIds(23, 53);
    ModelRun<double> whole(model.graph, model.weights, 23);
    ModelRun<double> parts(model.graph, model.weights, 23);
    HostMatrix<double> logits = whole.logits(ids);
    EXPECT_TRUE(logits.allFinite());
    EXPECT_LE(
        largestDifference(parts.logits(ids, {1, 4, 5, 6, 11, 22}), logits),
        1e-12);
    ModelRun<float> single(model.graph, model.weights, 23);
    EXPECT_LE(largestDifference(single.logits(ids), logits), 1e-4);
  }
}

} // namespace
} // namespace chipwright::models
