//===- SmolLm2ChipTest.cpp - A trained model on the chip ------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// SmolLM2-135M-Instruct, which scripts/fetch_smollm2.sh fetches; skipped where
// it is not there.
//
//===----------------------------------------------------------------------===//

#include "models/tokenizer/ModelTokenizer.h"
#include "tests/diff/models/ChipModel.h"

#include <gtest/gtest.h>

#include <filesystem>

using namespace chipwright;
using namespace chipwright::test;

namespace {

constexpr const char *kFile = CHIPWRIGHT_SOURCE_DIR
    "/build/cache/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
constexpr size_t kPositions = 64;

const char *const kTexts[] = {
    "We hold these truths to be self-evident, that all men are created equal, "
    "that they are endowed by their Creator with certain unalienable Rights, "
    "that among these are Life, Liberty and the pursuit of Happiness. That to "
    "secure these rights, Governments are instituted among Men, deriving their "
    "just powers from the consent of the governed.",
    "def factorial(n):\n    if n == 0:\n        return 1\n    return n * "
    "factorial(n - 1)\n\nfor i in range(10):\n    print(i, factorial(i))\n\n"
    "class Point:\n    def __init__(self, x, y):\n        self.x = x\n",
    "Alice was beginning to get very tired of sitting by her sister on the "
    "bank, and of having nothing to do: once or twice she had peeped into the "
    "book her sister was reading, but it had no pictures or conversations in "
    "it, and what is the use of a book, thought Alice, without pictures?",
};

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
  auto tokenizer = models::openModelTokenizer(kFile);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  ChipModel model =
      ChipModel::open(kFile, "mtia-2i", DType::BF16, {kPositions, 1, 128});
  auto host = makeCpuDevice(model.graph, *model.weights, 128);
  int64_t positions = 0, differing = 0;
  for (const char *text : kTexts) {
    auto ids = tokenizer->tokenizer.encode(text, true, false);
    ASSERT_TRUE(ids) << ids.error().message;
    ASSERT_GE(ids->size(), kPositions);
    ids->resize(kPositions);
    CheckedRun run(model);
    models::HostMatrix<float> chip = run.step({{0, *ids}});
    // The bound is what rounding costs, not a number.
    expectAgreement(run, 0, text);
    models::SequenceTable table(1, 128);
    const models::SequencePiece piece{0, *ids};
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
