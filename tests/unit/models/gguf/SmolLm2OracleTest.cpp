//===- SmolLm2OracleTest.cpp - A trained model by others' programs --------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Logits of SmolLM2-135M-Instruct, which scripts/fetch_smollm2.sh fetches, for
// three texts of 64 tokens, against numpy in fp64 and against llama.cpp.
// scripts/make_smollm2_oracles.py wrote tests/golden/smollm2 and says what the
// files hold: in place of all logits x a sketch S x with random signs S, whose
// norm is that of x. Without the model the tests are skipped.
//
//===----------------------------------------------------------------------===//

#include "models/Checkpoint.h"
#include "models/Safetensors.h"
#include "models/tokenizer/ModelTokenizer.h"
#include "tests/unit/models/ModelTestSupport.h"

#include <cstring>
#include <filesystem>

namespace chipwright::models {
namespace {

using Doubles = HostMatrix<double>;

/// What a program made of the texts: a row for each position.
struct Oracle {
  Doubles sketch, top, norm, apart;
  HostMatrix<int32_t> topIds;
};

uint64_t splitmix64(uint64_t state) {
  uint64_t z = (state + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

/// S x of each row x, with \p signs signs.
Doubles sketchOf(const Doubles &logits, Eigen::Index signs) {
  Doubles result(logits.rows(), signs), block(64, logits.cols());
  const Eigen::Index words = signs / 64;
  for (Eigen::Index word = 0; word < words; ++word) {
    for (Eigen::Index i = 0; i < logits.cols(); ++i) {
      uint64_t bits = splitmix64(static_cast<uint64_t>(i * words + word));
      for (Eigen::Index k = 0; k < 64; ++k) {
        block(k, i) = (bits >> k & 1) ? -1 : 1;
      }
    }
    result.middleCols(64 * word, 64).noalias() = logits * block.transpose();
  }
  return result;
}

Oracle readOracle(const std::string &file) {
  auto opened = openSafetensorsFile(goldenPath("smollm2/" + file));
  if (!opened) {
    throw std::runtime_error(opened.error().message);
  }
  auto tensor = [&](const char *name) -> const StoredTensor & {
    const StoredTensor *found = (*opened)->find(name);
    if (!found) {
      throw std::runtime_error(file + " has no " + name);
    }
    return *found;
  };
  auto numbers = [&](const char *name) {
    const StoredTensor &stored = tensor(name);
    Doubles result(stored.shape[0],
                   stored.shape.size() > 1 ? stored.shape[1] : 1);
    readElements(stored, 0, 1, result.size(), result.data(), 1);
    return result;
  };
  Oracle oracle{
      numbers("sketch"), numbers("top"), numbers("norm"), numbers("apart"), {}};
  const StoredTensor &ids = tensor("top_ids");
  std::vector<uint16_t> words(ids.bytes / sizeof(uint16_t));
  std::memcpy(words.data(), ids.data, ids.bytes);
  oracle.topIds.resize(oracle.top.rows(), oracle.top.cols());
  std::copy(words.begin(), words.end(), oracle.topIds.data());
  return oracle;
}

class SmolLm2Oracles : public ::testing::Test {
protected:
  void SetUp() override {
    texts = nlohmann::json::parse(readAll(goldenPath("smollm2/texts.json")));
    path = std::string(CHIPWRIGHT_SOURCE_DIR) + "/" +
           texts["file"].get<std::string>();
    if (!std::filesystem::exists(path)) {
      GTEST_SKIP() << path << " is not there: scripts/fetch_smollm2.sh";
    }
  }

  /// All positions of all texts, in fp32, each text's tokens in one step.
  Doubles ownLogits() const {
    auto opened = openCheckpoint(path);
    EXPECT_TRUE(opened) << opened.error().message;
    Doubles all;
    for (const auto &entry : texts["ids"]) {
      auto ids = entry.get<std::vector<int32_t>>();
      ModelRun<float> run(opened->graph, opened->weights,
                          static_cast<int32_t>(ids.size()));
      Doubles logits = run.step({{0, ids}}).logits.template cast<double>();
      all.conservativeResize(all.rows() + logits.rows(), logits.cols());
      all.bottomRows(logits.rows()) = logits;
    }
    return all;
  }

  /// \returns the positions where another logit is the largest.
  std::vector<Eigen::Index> compare(const Doubles &logits, const Oracle &oracle,
                                    double bound) const;

  nlohmann::json texts;
  std::string path;
};

/// Expects the relative error of all logits, the norm of each position's and
/// its largest ones within \p bound; and where another logit is the largest,
/// that the oracle's largest two were closer than the position's error.
std::vector<Eigen::Index> SmolLm2Oracles::compare(const Doubles &logits,
                                                  const Oracle &oracle,
                                                  double bound) const {
  const Eigen::Index signs = oracle.sketch.cols();
  EXPECT_EQ(logits.rows(), oracle.sketch.rows());
  const Doubles sketch = sketchOf(logits, signs);
  auto normOf = [&](const Doubles &difference) {
    return difference.norm() / std::sqrt(double(signs));
  };
  const double error = normOf(sketch - oracle.sketch) / oracle.norm.norm();
  EXPECT_LE(error, bound);
  Doubles norms(logits.rows(), 1), top(logits.rows(), oracle.top.cols());
  double worst = 0;
  std::vector<Eigen::Index> differing;
  for (Eigen::Index p = 0; p < logits.rows(); ++p) {
    norms(p, 0) = logits.row(p).norm();
    worst = std::max(worst, normOf(sketch.row(p) - oracle.sketch.row(p)) /
                                oracle.norm(p, 0));
    for (Eigen::Index i = 0; i < top.cols(); ++i) {
      top(p, i) = logits(p, oracle.topIds(p, i)) - oracle.top(p, i);
    }
    Eigen::Index best = 0;
    logits.row(p).maxCoeff(&best);
    if (best != oracle.topIds(p, 0)) {
      differing.push_back(p);
      // Of all logits of the position: ours are numpy's within 1e-4.
      EXPECT_LE(oracle.top(p, 0) - oracle.top(p, 1),
                std::max(oracle.apart(p, 0), top.row(p).cwiseAbs().maxCoeff()))
          << "position " << p << " has token " << best;
    }
  }
  const double ofTop = top.norm() / oracle.top.norm();
  EXPECT_LE(ofTop, bound);
  EXPECT_LE((norms - oracle.norm).norm(), bound * oracle.norm.norm());
  std::printf("relative error %.3g, of a position at most %.3g, of the largest "
              "logits %.3g; %zu of %ld positions have another largest one\n",
              error, worst, ofTop, differing.size(), long(logits.rows()));
  return differing;
}

constexpr double kFewPositions = 0.03;

TEST_F(SmolLm2Oracles, Numpy) {
  Doubles logits = ownLogits();
  auto differing = compare(logits, readOracle("numpy.safetensors"), 1e-4);
  EXPECT_LE(double(differing.size()), kFewPositions * double(logits.rows()));
}

TEST_F(SmolLm2Oracles, LlamaCpp) {
  Doubles logits = ownLogits();
  Oracle plain = readOracle("llama-cpp-f32.safetensors");
  auto differing = compare(logits, plain, 1e-4);
  EXPECT_LE(double(differing.size()), kFewPositions * double(logits.rows()));
  // On the quantised file it rounds activations to 8 bits. Where that alone
  // changes its own choice, ours is not to blame.
  Oracle rounded = readOracle("llama-cpp.safetensors");
  differing = compare(logits, rounded, 5e-2);
  int64_t ours = 0, own = 0;
  for (Eigen::Index p = 0; p < logits.rows(); ++p) {
    own += plain.topIds(p, 0) != rounded.topIds(p, 0);
  }
  for (Eigen::Index p : differing) {
    ours += plain.topIds(p, 0) == rounded.topIds(p, 0);
  }
  EXPECT_LE(double(ours), kFewPositions * double(logits.rows()));
  std::printf("its rounding changes %ld of its own choices, %ld others differ "
              "from ours\n",
              long(own), long(ours));
}

// A single wrong logit moves the norm of the sketch by what it is off by, and
// logits of the next position are far from those of a position.
TEST_F(SmolLm2Oracles, SketchSeesWhatIsWrong) {
  Oracle oracle = readOracle("numpy.safetensors");
  const Eigen::Index rows = oracle.sketch.rows(), signs = oracle.sketch.cols();
  const double norm = std::sqrt(double(signs));
  Doubles wrong = Doubles::Zero(1, 49152);
  wrong(0, 12345) = 0.5;
  EXPECT_NEAR(sketchOf(wrong, signs).norm() / norm, 0.5, 1e-12);
  EXPECT_GE(
      (oracle.sketch.topRows(rows - 1) - oracle.sketch.bottomRows(rows - 1))
              .norm() /
          norm,
      0.1 * oracle.norm.norm());
  // The norm of the sketch is that of the logits.
  for (Eigen::Index p = 0; p < rows; ++p) {
    EXPECT_NEAR(oracle.sketch.row(p).norm() / norm, oracle.norm(p, 0),
                0.2 * oracle.norm(p, 0));
  }
}

TEST_F(SmolLm2Oracles, TextsHaveTheSameTokens) {
  auto opened = openModelTokenizer(path);
  ASSERT_TRUE(opened) << opened.error().message;
  for (size_t i = 0; i < texts["texts"].size(); ++i) {
    auto expected = texts["ids"][i].get<std::vector<int32_t>>();
    auto ids =
        opened->tokenizer.encode(texts["texts"][i].get<std::string>(),
                                 /*addSpecial=*/false, /*parseSpecial=*/false);
    ASSERT_TRUE(ids) << ids.error().message;
    ASSERT_GE(ids->size(), expected.size());
    ids->resize(expected.size());
    EXPECT_EQ(*ids, expected);
  }
}

} // namespace
} // namespace chipwright::models
