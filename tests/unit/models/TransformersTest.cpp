//===- TransformersTest.cpp - Against the public implementation -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// tests/golden/transformers-*: checkpoints and fp32 logits written by
// scripts/make_transformers_checkpoint.py (Llama 4, with expert choices) and
// scripts/make_family_fixtures.py (the other families).
//
//===----------------------------------------------------------------------===//

#include "ModelTestSupport.h"
#include "models/Checkpoint.h"

namespace chipwright::models {
namespace {

class TransformersTest : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    directory = goldenPath(GetParam());
    auto opened = openCheckpoint(directory);
    ASSERT_TRUE(opened) << opened.error().message;
    checkpoint = std::make_unique<Checkpoint>(opened.take());
    fixture = nlohmann::json::parse(readAll(directory + "/logits.json"));
    ids = fixture["ids"].get<std::vector<int32_t>>();
  }

  template <typename T> HostMatrix<T> wantedLogits() const {
    const auto &rows = fixture["logits"];
    HostMatrix<T> logits(static_cast<Eigen::Index>(rows.size()),
                         static_cast<Eigen::Index>(rows[0].size()));
    for (Eigen::Index t = 0; t < logits.rows(); ++t) {
      for (Eigen::Index i = 0; i < logits.cols(); ++i) {
        logits(t, i) = rows[static_cast<size_t>(t)][static_cast<size_t>(i)];
      }
    }
    return logits;
  }

  template <typename T> void checkLogits() {
    ModelRun<T> run(checkpoint->graph, checkpoint->weights, 64);
    auto result = run.step({{0, ids}});
    EXPECT_LE(largestDifference(result.logits, wantedLogits<T>()), 1e-4);
    if (!fixture.contains("choices")) {
      return;
    }
    ASSERT_EQ(result.routers.size(), fixture["choices"].size());
    for (const RouterReport<T> &router : result.routers) {
      const auto &rows = fixture["choices"][router.name];
      ASSERT_EQ(rows.size(), ids.size()) << router.name;
      for (size_t t = 0; t < ids.size(); ++t) {
        auto row = router.taken.row(static_cast<Eigen::Index>(t));
        std::vector<int32_t> own(row.begin(), row.end());
        std::sort(own.begin(), own.end());
        EXPECT_EQ(nlohmann::json(own), rows[t])
            << router.name << " token " << t;
      }
    }
  }

  std::string directory;
  std::unique_ptr<Checkpoint> checkpoint;
  nlohmann::json fixture;
  std::vector<int32_t> ids;
};

TEST_P(TransformersTest, LogitsAndChoicesInFp32) { checkLogits<float>(); }
TEST_P(TransformersTest, LogitsAndChoicesInFp64) { checkLogits<double>(); }

TEST_P(TransformersTest, GreedyDecodingMakesTheSameTokens) {
  auto wanted = fixture["generated"].get<std::vector<int32_t>>();
  ModelRun<float> run(checkpoint->graph, checkpoint->weights, 64);
  std::vector<int32_t> made(ids.begin(), ids.begin() + 20);
  SequencePiece piece{0, made};
  while (made.size() < wanted.size()) {
    auto result = run.step({piece}, Outputs::LastOfEach);
    ASSERT_EQ(result.logits.rows(), 1);
    Eigen::Index best = 0;
    result.logits.row(0).maxCoeff(&best);
    made.push_back(static_cast<int32_t>(best));
    piece.ids = {made.back()};
  }
  EXPECT_EQ(made, wanted);
}

INSTANTIATE_TEST_SUITE_P(
    Checkpoints, TransformersTest,
    testing::Values("transformers-llama4", "transformers-llama4-noqknorm",
                    "transformers-llama", "transformers-llama31",
                    "transformers-mixtral", "transformers-qwen3-moe",
                    "transformers-qwen3-moe-normed", "transformers-gpt-oss",
                    "transformers-deepseek-v3",
                    "transformers-deepseek-v3-direct",
                    "transformers-muse-glimmer"),
    [](const auto &param) {
      std::string name = param.param;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

} // namespace
} // namespace chipwright::models
