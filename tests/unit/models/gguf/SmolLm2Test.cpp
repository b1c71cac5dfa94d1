//===- SmolLm2Test.cpp - A published GGUF file ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// SmolLM2-135M-Instruct, which scripts/fetch_smollm2.sh fetches, against what
// the public `gguf` package reads of it (scripts/make_smollm2_golden.py, which
// states how sums are made). Without the file the tests are skipped.
//
//===----------------------------------------------------------------------===//

#include "models/Checkpoint.h"
#include "models/gguf/GgufCheckpoint.h"
#include "models/gguf/GgufVocabulary.h"
#include "tests/unit/models/ModelTestSupport.h"

#include <fmt/format.h>

#include <bit>
#include <filesystem>

namespace chipwright::models {
namespace {

class SmolLm2Test : public ::testing::Test {
protected:
  void SetUp() override {
    golden = nlohmann::json::parse(readAll(goldenPath("gguf/smollm2.json")));
    std::string path = std::string(CHIPWRIGHT_SOURCE_DIR) + "/" +
                       golden["file"].get<std::string>();
    if (!std::filesystem::exists(path)) {
      GTEST_SKIP() << path << " is not there: scripts/fetch_smollm2.sh";
    }
    auto opened = GgufFile::open(path);
    ASSERT_TRUE(opened) << opened.error().message;
    file = opened.take();
  }

  nlohmann::json golden;
  std::shared_ptr<const GgufFile> file;
};

int64_t elementsOf(const StoredTensor &tensor) {
  int64_t count = 1;
  for (int64_t size : tensor.shape) {
    count *= size;
  }
  return count;
}

std::string elementSum(const StoredTensor &tensor) {
  constexpr int64_t piece = 1000; // across blocks and rows
  int64_t count = elementsOf(tensor);
  uint64_t sum = 0;
  float values[piece];
  for (int64_t first = 0; first < count; first += piece) {
    int64_t n = std::min(piece, count - first);
    readElements(tensor, first, 1, n, values, 1);
    for (int64_t i = 0; i < n; ++i) {
      sum += std::bit_cast<uint32_t>(values[i]) *
             (static_cast<uint64_t>(first + i) * 0x9E3779B97F4A7C15 | 1);
    }
  }
  return fmt::format("{:016x}", sum);
}

std::string textSum(const std::vector<std::string> &texts) {
  uint64_t value = 0xCBF29CE484222325;
  for (const std::string &text : texts) {
    for (size_t i = 0; i <= text.size(); ++i) {
      value = (value ^ static_cast<uint8_t>(text.c_str()[i])) * 0x100000001B3;
    }
  }
  return fmt::format("{:016x}", value);
}

TEST_F(SmolLm2Test, EveryTensorIsThePackagesInEveryBit) {
  const auto &expected = golden["tensors"];
  EXPECT_EQ(file->tensors().size(), expected.size());
  std::map<std::string, int> types;
  int64_t elements = 0;
  for (const auto &[name, entry] : expected.items()) {
    const StoredTensor *tensor = file->find(name);
    ASSERT_TRUE(tensor) << name;
    EXPECT_EQ(tensor->shape, entry[1].get<std::vector<int64_t>>()) << name;
    std::string type =
        std::string(tensor->source ? tensor->source->format()
                                   : storedTypeName(tensor->type));
    EXPECT_EQ(type, entry[0].get<std::string>()) << name;
    EXPECT_EQ(elementSum(*tensor), entry[2].get<std::string>()) << name;
    ++types[type];
    elements += elementsOf(*tensor);
  }
  for (const auto &[type, count] : types) {
    std::printf("%s: %d tensors\n", type.c_str(), count);
  }
  std::printf("%lld elements\n", static_cast<long long>(elements));
}

TEST_F(SmolLm2Test, Vocabulary) {
  auto vocabulary = readGgufVocabulary(file->metadata());
  ASSERT_TRUE(vocabulary) << vocabulary.error().message;
  auto expectTexts = [&](const char *key,
                         const std::vector<std::string> &texts) {
    EXPECT_EQ(texts.size(), golden["lists"][key][0].get<size_t>());
    EXPECT_EQ(textSum(texts), golden["lists"][key][1].get<std::string>());
  };
  expectTexts("tokenizer.ggml.tokens", vocabulary->tokens);
  expectTexts("tokenizer.ggml.merges", vocabulary->merges);
  const nlohmann::json found = {
      {"tokenizer.ggml.model", vocabulary->model},
      {"tokenizer.ggml.pre", vocabulary->pre},
      {"tokenizer.ggml.bos_token_id", vocabulary->bos.value_or(-1)},
      {"tokenizer.ggml.eos_token_id", vocabulary->eos.value_or(-1)},
      {"tokenizer.ggml.add_bos_token", vocabulary->addBos.value_or(true)},
      {"tokenizer.chat_template", vocabulary->chatTemplate}};
  EXPECT_EQ(found, golden["scalars"]);
  EXPECT_EQ(vocabulary->tokenTypes.size(), vocabulary->tokens.size());
  EXPECT_EQ(vocabulary->tokenTypes[0],
            static_cast<int32_t>(GgufTokenType::Control));
}

TEST_F(SmolLm2Test, HuggingFaceForm) {
  auto text = ggufConfigText(*file);
  ASSERT_TRUE(text) << text.error().message;
  nlohmann::json expected = {{"model_type", "llama"},
                             {"hidden_size", 576},
                             {"num_attention_heads", 9},
                             {"num_key_value_heads", 3},
                             {"max_position_embeddings", 8192},
                             {"rms_norm_eps", 1e-5},
                             {"intermediate_size", 1536},
                             {"num_hidden_layers", 30},
                             {"vocab_size", 49152},
                             {"tie_word_embeddings", true},
                             {"eos_token_id", {2}},
                             {"rope_theta", 100000.0},
                             {"attention_bias", false},
                             {"mlp_bias", false}};
  EXPECT_EQ(nlohmann::json::parse(*text), expected);
  auto tensors = ggufTensors(file);
  ASSERT_TRUE(tensors) << tensors.error().message;
  EXPECT_EQ((*tensors)->tensors().size(), 272u);
  // Rows of the second query head: even ones first, then odd ones.
  const StoredTensor *stored = file->find("blk.7.attn_q.weight");
  const StoredTensor *query =
      (*tensors)->find("model.layers.7.self_attn.q_proj.weight");
  ASSERT_TRUE(stored && query);
  std::vector<float> a(576), b(576);
  for (int64_t row = 0; row < 64; ++row) {
    int64_t from = row < 32 ? 2 * row : 2 * (row - 32) + 1;
    readElements(*stored, (64 + from) * 576, 1, 576, a.data(), 1);
    readElements(*query, (64 + row) * 576, 1, 576, b.data(), 1);
    EXPECT_EQ(a, b) << row;
  }
}

TEST_F(SmolLm2Test, LogitsOfTheModel) {
  auto opened = openCheckpoint(file->path());
  ASSERT_TRUE(opened) << opened.error().message;
  const auto &model = golden["model"];
  auto ids = model["ids"].get<std::vector<int32_t>>();
  ModelRun<float> run(opened->graph, opened->weights,
                      static_cast<int32_t>(ids.size()));
  HostMatrix<float> logits =
      run.step({{0, ids}}, Outputs::LastOfEach).logits.cast<float>();
  ASSERT_EQ(logits.rows(), 1);
  ASSERT_EQ(logits.cols(), 49152);
  Eigen::Index best = 0;
  float most = logits.row(0).maxCoeff(&best);
  EXPECT_EQ(best, model["best"].get<Eigen::Index>());
  // fp32 against fp64.
  constexpr double tolerance = 1e-3;
  EXPECT_NEAR(most, model["best_logit"].get<double>(), tolerance);
  EXPECT_NEAR(logits.cwiseAbs().mean(), model["absolute_mean"].get<double>(),
              tolerance);
  for (Eigen::Index i = 0; i < 10; ++i) {
    EXPECT_NEAR(logits(0, 100 * i), model["logits"][i].get<double>(),
                tolerance);
  }
}

} // namespace
} // namespace chipwright::models
