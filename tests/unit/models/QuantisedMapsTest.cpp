//===- QuantisedMapsTest.cpp - Maps with 8-bit operands on the host -------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "ModelTestSupport.h"

namespace chipwright::models {
namespace {

Graph graphOf(const char *preset) {
  auto config = parseModelConfig(presetJson(preset).dump(), "config.json");
  EXPECT_TRUE(config) << config.error().message;
  return buildGraph(*config);
}

TEST(QuantisedMaps, WhichProductsAreQuantised) {
  Graph graph = graphOf("deepseek-v3-golden");
  auto is = [&](const char *name, bool products, size_t parameter) {
    const Op *op = graph.findOp(name);
    EXPECT_NE(op, nullptr) << name;
    return op && mayQuantise(graph, *op, products, parameter);
  };
  for (bool products : {false, true}) {
    EXPECT_TRUE(is("layers.0.self_attn.o_proj", products, 0));
    EXPECT_TRUE(is("layers.0.mlp.gate_proj", products, 0));
    EXPECT_EQ(is("layers.0.mlp.down_proj", products, 0), products);
    EXPECT_EQ(is("layers.1.mlp.shared_experts.down_proj", products, 0),
              products);
    EXPECT_TRUE(is("layers.1.mlp.experts", products, 0));
    EXPECT_TRUE(is("layers.1.mlp.experts", products, 1));
    EXPECT_EQ(is("layers.1.mlp.experts", products, 2), products);
    for (const char *other : {"layers.1.mlp.gate", "layers.0.self_attn.k_up",
                              "lm_head", "layers.0.self_attn.attention"}) {
      EXPECT_FALSE(is(other, products, 0)) << other;
    }
  }
  // Biases are no maps.
  graph = graphOf("gpt-oss-golden");
  EXPECT_TRUE(is("layers.0.mlp.experts", true, 2));
  EXPECT_FALSE(is("layers.0.mlp.experts", true, 3));
  EXPECT_FALSE(is("layers.0.self_attn.q_proj", true, 1));
}

/// A row of activations as the numbers that stand for it, by the definition.
std::vector<double> quantised(RowType type, const std::vector<double> &row) {
  float largest = 1e-30f;
  for (double x : row) {
    largest = std::max(largest, std::abs(static_cast<float>(x)));
  }
  const float scale = largest * static_cast<float>(1 / largestNumber(type)),
              inverse = 1 / scale;
  std::vector<double> result;
  for (double x : row) {
    result.push_back(nearestNumber(type, static_cast<float>(x) * inverse) *
                     double(scale));
  }
  return result;
}

/// The same of a row of weights, whose scale scaleWeightRow() chooses.
std::vector<double> quantisedWeight(RowType type,
                                    const std::vector<double> &row) {
  std::vector<float> narrow(row.begin(), row.end());
  const double scale = double(
      scaleWeightRow(type, narrow.data(), static_cast<int64_t>(narrow.size())));
  std::vector<double> result;
  for (float x : narrow) {
    result.push_back(nearestNumber(type, double(x)) * scale);
  }
  return result;
}

/// Experts in loops over single numbers: a score multiplies what gate and up
/// make of a token's row, whose numbers do not depend on it, or the result.
void checkExperts(const char *preset, const char *name, bool onInput,
                  RowType type, bool products) {
  TestModel model = TestModel::make(presetJson(preset));
  const Op &op = *model.graph.findOp(name);
  const auto &a = std::get<ExpertsAttributes>(op.attributes);
  ASSERT_EQ(scalesInput(a.score), onInput);
  ASSERT_EQ(op.parameters.size(), 3u);
  const Eigen::Index tokens = 5, hidden = model.config.hidden,
                     chosen = a.chosen;
  HostValue<double> x{HostMatrix<double>(tokens, hidden), {}},
      scores{HostMatrix<double>(tokens, chosen), {}},
      experts{{}, HostMatrix<int32_t>(tokens, chosen)};
  for (Eigen::Index i = 0; i < x.real.size(); ++i) {
    x.real.data()[i] = std::sin(1.0 + static_cast<double>(i) * 1.7);
  }
  for (Eigen::Index t = 0; t < tokens; ++t) {
    for (Eigen::Index i = 0; i < chosen; ++i) {
      experts.index(t, i) = static_cast<int32_t>((3 * t + i) % a.experts);
      scores.real(t, i) = 0.3 + 0.1 * static_cast<double>(t + i);
    }
  }
  ReferenceOptions options;
  options.linear = type;
  options.products = products;
  Reference<double> reference(model.graph, model.weights, options);
  std::vector<const HostValue<double> *> operands = {&x, &experts, &scores};
  auto got = reference.evaluate(op, operands, nullptr);
  ASSERT_TRUE(got) << got.error().message;

  auto product = [&](const std::vector<double> &row, size_t which,
                     int64_t expert, bool isQuantised) {
    Weights::Size size = model.weights.size(op.parameters[which]);
    std::vector<double> in = isQuantised ? quantised(type, row) : row, out;
    for (int64_t n = 0; n < size.rows; ++n) {
      std::vector<double> weight(static_cast<size_t>(size.columns));
      EXPECT_TRUE(model.weights.read(op.parameters[which],
                                     Tile{expert, n, 1, 0, size.columns},
                                     weight.data(), size.columns));
      if (isQuantised) {
        weight = quantisedWeight(type, weight);
      }
      double sum = 0;
      for (size_t k = 0; k < in.size(); ++k) {
        sum += in[k] * weight[k];
      }
      out.push_back(sum);
    }
    return out;
  };
  HostMatrix<double> expected = HostMatrix<double>::Zero(tokens, hidden);
  for (Eigen::Index t = 0; t < tokens; ++t) {
    std::vector<double> row;
    for (Eigen::Index c = 0; c < hidden; ++c) {
      row.push_back(x.real(t, c));
    }
    for (Eigen::Index i = 0; i < chosen; ++i) {
      const int64_t e = experts.index(t, i);
      const double score = scores.real(t, i), before = onInput ? score : 1;
      std::vector<double> gate = product(row, 0, e, true),
                          up = product(row, 1, e, true), inner;
      for (size_t n = 0; n < gate.size(); ++n) {
        const double g = before * gate[n], u = before * up[n];
        inner.push_back(g / (1 + std::exp(-g)) * u);
      }
      std::vector<double> y = product(inner, 2, e, products);
      for (Eigen::Index c = 0; c < hidden; ++c) {
        expected(t, c) += y[static_cast<size_t>(c)] * (onInput ? 1 : score);
      }
    }
  }
  const HostMatrix<double> &found = (*got)[0].real;
  EXPECT_GT(expected.norm(), 0);
  EXPECT_LE((found - expected).norm(), 1e-9 * expected.norm())
      << name << ", products " << products;
}

TEST(QuantisedMaps, ExpertsByHand) {
  for (bool products : {false, true}) {
    for (RowType type : {RowType::I8, RowType::F8E4M3, RowType::F8E5M2}) {
      checkExperts("llama4-golden", "layers.1.feed_forward.experts", true, type,
                   products);
      checkExperts("mixtral-golden", "layers.0.block_sparse_moe.experts", false,
                   type, products);
    }
  }
}

} // namespace
} // namespace chipwright::models
