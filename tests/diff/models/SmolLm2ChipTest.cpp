//===- SmolLm2ChipTest.cpp - A trained model on the chip ------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// SmolLM2-135M-Instruct, which scripts/fetch_smollm2.sh fetches; skipped where
// it is not there. The host's logits of the same texts are compared with other
// programs in tests/unit/models/gguf/SmolLm2OracleTest.cpp.
//
//===----------------------------------------------------------------------===//

#include "tests/diff/models/ChipModel.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

using namespace chipwright;
using namespace chipwright::test;

namespace {

constexpr const char *kFile = CHIPWRIGHT_SOURCE_DIR
    "/build/cache/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
constexpr size_t kPositions = 64;

/// The largest of a row and how far the next one is below it.
std::pair<Eigen::Index, float> topOf(const models::HostMatrix<float> &logits,
                                     Eigen::Index row) {
  Eigen::Index best = 0;
  float most = logits.row(row).maxCoeff(&best), next = -INFINITY;
  for (Eigen::Index i = 0; i < logits.cols(); ++i) {
    next = i == best ? next : std::max(next, logits(row, i));
  }
  return {best, most - next};
}

// Logits of three texts agree with fp32 within twice what rounded operands
// cost; where the largest one is another, the host's two largest were closer
// than the largest difference of the position, and that is rare.
TEST(SmolLm2Chip, AgreesWithTheHost) {
  if (!std::filesystem::exists(kFile)) {
    GTEST_SKIP() << kFile << " is not there: scripts/fetch_smollm2.sh";
  }
  std::ifstream file(CHIPWRIGHT_SOURCE_DIR "/tests/golden/smollm2/texts.json");
  const auto texts = nlohmann::json::parse(file);
  ASSERT_EQ(texts["ids"].size(), 3u);
  ChipModel model =
      ChipModel::open(kFile, "mtia-2i", DType::BF16, {kPositions, 1, 128});
  auto host = makeCpuDevice(model.graph, *model.weights, 128);
  int64_t positions = 0, differing = 0;
  for (size_t i = 0; i < 3; ++i) {
    const auto text = texts["texts"][i].get<std::string>();
    const auto ids = texts["ids"][i].get<std::vector<int32_t>>();
    ASSERT_EQ(ids.size(), kPositions);
    CheckedRun run(model);
    models::HostMatrix<float> chip = run.step({{0, ids}});
    // The bound is what rounding costs, not a number.
    expectAgreement(run, 0, text);
    models::SequenceTable table(1, 128);
    const models::SequencePiece piece{0, ids};
    auto step = table.append(model.graph, {&piece, 1}, models::Outputs::All);
    ASSERT_TRUE(step);
    auto expected = host->run(*step, nullptr);
    ASSERT_TRUE(expected) << expected.error().message;
    const models::HostMatrix<float> &logits = *expected->logits;
    ASSERT_EQ(logits.rows(), chip.rows());
    for (Eigen::Index row = 0; row < logits.rows(); ++row) {
      auto [best, margin] = topOf(logits, row);
      ++positions;
      if (topOf(chip, row).first != best) {
        ++differing;
        float error = (chip.row(row) - logits.row(row)).cwiseAbs().maxCoeff();
        EXPECT_LE(margin, error) << "position " << row << " of " << text;
      }
    }
  }
  EXPECT_LE(double(differing), 0.03 * double(positions));
  std::printf("%ld of %ld positions have another largest logit\n",
              long(differing), long(positions));
}

} // namespace
