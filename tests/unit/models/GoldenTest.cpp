//===- GoldenTest.cpp - Reference pass against known numbers ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// tests/golden/llama4_logits.json comes from scripts/make_llama4_golden.py, a
// second implementation that shares nothing with models/. The numbers in this
// file were published with the rule for the weights.
//
//===----------------------------------------------------------------------===//

#include "ModelTestSupport.h"

namespace chipwright::models {
namespace {

constexpr double lastToken[] = {1.67120, -0.68817, 0.21336,
                                1.33403, -0.04619, 0.54788};

HostMatrix<double> fixtureLogits() {
  auto json = nlohmann::json::parse(readAll(goldenPath("llama4_logits.json")));
  const auto &rows = json["logits"];
  HostMatrix<double> logits(static_cast<Eigen::Index>(rows.size()),
                            static_cast<Eigen::Index>(rows[0].size()));
  for (Eigen::Index t = 0; t < logits.rows(); ++t) {
    for (Eigen::Index i = 0; i < logits.cols(); ++i) {
      logits(t, i) = rows[static_cast<size_t>(t)][static_cast<size_t>(i)];
    }
  }
  return logits;
}

template <typename T> HostMatrix<T> goldenLogits(const nlohmann::json &json) {
  TestModel model = TestModel::make(json);
  ModelRun<T> run(model.graph, model.weights, 20);
  return run.logits(rampIds(20, 64));
}

template <typename T> void checkGolden(double tolerance) {
  HostMatrix<T> logits = goldenLogits<T>(presetJson("llama4-golden"));
  ASSERT_EQ(logits.rows(), 20);
  ASSERT_EQ(logits.cols(), 64);
  for (int i = 0; i < 6; ++i) {
    EXPECT_NEAR(logits(19, i), lastToken[i], tolerance) << i;
  }
  Eigen::Index best = 0;
  logits.row(19).maxCoeff(&best);
  EXPECT_EQ(best, 60);
  EXPECT_NEAR(logits.template cast<double>().cwiseAbs().sum(), 1217.262, 1e-3);
  EXPECT_LE(largestDifference(logits, fixtureLogits()), tolerance);
}

TEST(GoldenTest, Llama4LogitsInFp32) { checkGolden<float>(1e-4); }
TEST(GoldenTest, Llama4LogitsInFp64) { checkGolden<double>(1e-5); }

TEST(GoldenTest, Fp64EqualsTheIndependentImplementation) {
  // Ten digits are stored.
  EXPECT_LE(largestDifference(goldenLogits<double>(presetJson("llama4-golden")),
                              fixtureLogits()),
            2e-9);
}

TEST(GoldenTest, ChunkMaskMatters) {
  nlohmann::json json = presetJson("llama4-golden");
  json["text_config"]["attention_chunk_size"] = nullptr;
  HostMatrix<double> off = goldenLogits<double>(json);
  EXPECT_NEAR((off - fixtureLogits()).row(19).cwiseAbs().maxCoeff(), 3.2256,
              1e-3);
}

TEST(GoldenTest, TemperatureMatters) {
  nlohmann::json json = presetJson("llama4-golden");
  json["text_config"]["attn_temperature_tuning"] = 0;
  HostMatrix<double> off = goldenLogits<double>(json);
  EXPECT_NEAR((off - fixtureLogits()).row(19).cwiseAbs().maxCoeff(), 0.0674,
              5e-4);
}

TEST(GoldenTest, NamedWeightsFollowTheRule) {
  EXPECT_EQ(fnv1a(""), 0x811C9DC5u);
  EXPECT_EQ(fnv1a("a"), 0xE40C292Cu); // FNV's published test vector
  const float head[] = {0.16796875f, 0.09765625f, 0.166015625f, 0.091796875f};
  for (uint64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(namedWeight("lm_head.weight", i), head[i]) << i;
  }
  const float norm[] = {1.453125f, 0.734375f, 1.296875f};
  for (uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(namedWeight("model.norm.weight", i), norm[i]) << i;
  }
  // All values are exact in bf16, or the checkpoint would be another model.
  for (uint64_t i = 0; i < 4096; ++i) {
    for (const char *name : {"embed_tokens", "a.norm.weight", "q_proj.weight",
                             "sinks", "e_score_correction_bias"}) {
      float value = namedWeight(name, i);
      EXPECT_EQ(floatOfBfloat(bfloatOfFloat(value)), value);
    }
  }
}

struct FrequencySamples {
  const char *name;
  int64_t headSize;
  double theta;
  RopeScaling scaling;
  size_t indices[6];
  double values[6];
};

TEST(GoldenTest, InverseFrequencies) {
  using Kind = RopeScalingKind;
  const FrequencySamples samples[] = {
      {"Scout",
       128,
       5e5,
       {Kind::Llama3, 16, 1, 1, 8192},
       {0, 1, 16, 32, 48, 63},
       {1, 8.146172339e-1, 3.760603093e-2, 1.414213562e-3, 3.323934936e-6,
        1.534462994e-7}},
      {"Llama 3.1",
       128,
       5e5,
       {Kind::Llama3, 8, 1, 4, 8192},
       {0, 1, 16, 32, 48, 63},
       {1, 8.146172339e-1, 3.760603093e-2, 5.248461610e-4, 6.647869871e-6,
        3.068925989e-7}},
      {"Llama 3.2 1B",
       64,
       5e5,
       {Kind::Llama3, 32, 1, 4, 8192},
       {0, 1, 8, 16, 24, 31},
       {1, 6.636012377e-1, 3.760603093e-2, 4.295567966e-4, 1.661967468e-6,
        9.418306725e-8}},
  };
  for (const FrequencySamples &sample : samples) {
    RopeConfig rope{RopePairing::Neighbours, sample.theta, sample.scaling};
    std::vector<float> frequencies = inverseFrequencies(rope, sample.headSize);
    ASSERT_EQ(frequencies.size(), static_cast<size_t>(sample.headSize / 2));
    for (int i = 0; i < 6; ++i) {
      EXPECT_NEAR(frequencies[sample.indices[i]] / sample.values[i], 1, 2e-7)
          << sample.name << " index " << sample.indices[i];
    }
  }
}

TEST(GoldenTest, EqualBandLimitsDivideByNothing) {
  RopeConfig plain{RopePairing::Neighbours, 5e5, {}};
  RopeConfig scout = plain;
  scout.scaling = {RopeScalingKind::Llama3, 16, 1, 1, 8192};
  std::vector<float> base = inverseFrequencies(plain, 128);
  std::vector<float> scaled = inverseFrequencies(scout, 128);
  for (size_t i = 0; i < 64; ++i) {
    // The first scaled index is 35.
    EXPECT_FLOAT_EQ(scaled[i], i < 35 ? base[i] : base[i] / 16) << i;
  }
}

TEST(GoldenTest, Temperatures) {
  TemperatureConfig config{8192, 0.1};
  for (int64_t position : {0, 1, 4095, 8190}) {
    EXPECT_EQ(temperatureAt(config, position), 1) << position;
  }
  const std::pair<int64_t, double> samples[] = {{8191, 1.0693147181},
                                                {16383, 1.1098612289},
                                                {32767, 1.1609437912},
                                                {1048575, 1.4859812404},
                                                {10485759, 1.7155396302}};
  for (auto [position, value] : samples) {
    EXPECT_NEAR(temperatureAt(config, position), value, 1e-10) << position;
  }
}

} // namespace
} // namespace chipwright::models
