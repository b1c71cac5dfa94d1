//===- FamilyGoldenTest.cpp - Every family's fixed model --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Small models of every family, presets *-golden, with weights that follow from
// their names. The numbers were published with the rule for the weights; those
// of llama, gpt-oss and DeepSeek agree with the authors' own implementations.
//
//===----------------------------------------------------------------------===//

#include "ModelTestSupport.h"

namespace chipwright::models {
namespace {

struct Golden {
  const char *preset;
  double last[6]; // logits of the last of 20 tokens, ids 0 to 5
  Eigen::Index best;
  double sum; // of absolute values, over all tokens and ids
};

const Golden goldens[] = {
    {"llama4-golden",
     {1.67120, -0.68817, 0.21336, 1.33403, -0.04619, 0.54788},
     60,
     1217.262},
    {"llama-golden",
     {-0.36577, -1.59575, -0.02255, -0.09063, 1.02642, 0.76685},
     50,
     1182.556},
    {"mixtral-golden",
     {0.20111, 0.67451, 2.18063, 1.31035, 0.03652, 2.18108},
     22,
     1203.917},
    {"qwen3-moe-golden",
     {-0.54875, 1.83065, 0.68547, 1.18696, -0.77414, 2.20015},
     22,
     1186.724},
    {"gpt-oss-golden",
     {2.04200, 0.42845, -0.15606, -1.01840, 2.01279, 0.14507},
     50,
     1252.554},
    {"muse-glimmer-golden",
     {0.41175, -0.53735, -3.58924, 0.44999, -0.24929, -1.67394},
     17,
     2492.911},
    {"deepseek-v3-golden",
     {-0.70773, -1.00062, 0.63740, 0.03647, -1.59787, 1.80115},
     13,
     1185.617},
};

void PrintTo(const Golden &golden, std::ostream *out) { *out << golden.preset; }

class FamilyGolden : public testing::TestWithParam<Golden> {
protected:
  template <typename T> void check(double tolerance) {
    const Golden &golden = GetParam();
    TestModel model = TestModel::make(presetJson(golden.preset));
    EXPECT_TRUE(verifyGraph(model.graph));
    ModelRun<T> run(model.graph, model.weights, 20);
    HostMatrix<T> logits = run.logits(rampIds(20, 64));
    ASSERT_EQ(logits.rows(), 20);
    ASSERT_EQ(logits.cols(), 64);
    for (int i = 0; i < 6; ++i) {
      EXPECT_NEAR(logits(19, i), golden.last[i], tolerance) << i;
    }
    Eigen::Index best = 0;
    logits.row(19).maxCoeff(&best);
    EXPECT_EQ(best, golden.best);
    EXPECT_NEAR(logits.template cast<double>().cwiseAbs().sum(), golden.sum,
                2e-3);
  }
};

TEST_P(FamilyGolden, LogitsInFp32) { check<float>(1e-4); }
TEST_P(FamilyGolden, LogitsInFp64) { check<double>(1e-5); }

TEST_P(FamilyGolden, PiecesOfASequenceGiveTheSame) {
  TestModel model = TestModel::make(presetJson(GetParam().preset));
  std::vector<int32_t> ids = rampIds(20, 64);
  ModelRun<double> whole(model.graph, model.weights, 20);
  HostMatrix<double> wanted = whole.logits(ids);
  // Around the edges of windows of 4 and chunks of 8.
  for (std::vector<size_t> cuts : {std::vector<size_t>{3, 4, 5}, {7, 8, 9}}) {
    ModelRun<double> pieces(model.graph, model.weights, 20);
    EXPECT_LE(largestDifference(pieces.logits(ids, cuts), wanted), 1e-10);
  }
}

/// Without layers that have experts, Qwen3-MoE is Qwen3.
TEST(FamilyGoldenTest, DenseQwen3IsTheFamilyWithoutExperts) {
  nlohmann::json moe = presetJson("qwen3-moe-golden"), dense = moe;
  moe["mlp_only_layers"] = {0, 1};
  dense["model_type"] = "qwen3";
  std::vector<int32_t> ids = rampIds(20, 64);
  auto logits = [&](const nlohmann::json &json) {
    TestModel model = TestModel::make(json);
    EXPECT_FALSE(model.config.hasExperts());
    ModelRun<float> run(model.graph, model.weights, 20);
    return run.logits(ids);
  };
  EXPECT_EQ(logits(dense), logits(moe));
  dense.erase("head_dim");
  EXPECT_EQ(TestModel::make(dense).config.headSize, 128);
}

INSTANTIATE_TEST_SUITE_P(Families, FamilyGolden, testing::ValuesIn(goldens),
                         [](const auto &param) {
                           std::string name = param.param.preset;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

} // namespace
} // namespace chipwright::models
