//===- QuantisedCheckpointTest.cpp - Whole quantised checkpoints ----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Made-up weights are multiples of 1/512 within 8 bits, so that 8-bit codes
// with that scale lose nothing: a checkpoint quantised so has the logits of the
// plain one, in every bit.
//
//===----------------------------------------------------------------------===//

#include "models/Checkpoint.h"
#include "models/Safetensors.h"
#include "tests/unit/models/ModelTestSupport.h"

#include <cmath>
#include <cstring>

namespace chipwright::models {
namespace {

constexpr float step = 1.0f / 512;

template <typename T>
TensorToWrite tensorOf(const std::string &name, StoredType type,
                       const std::vector<int64_t> &shape,
                       std::vector<T> values) {
  return {{name, type, shape}, [values = std::move(values)](std::byte *data) {
            std::memcpy(data, values.data(), values.size() * sizeof(T));
          }};
}

/// How the linear modules of a checkpoint are stored.
struct Form {
  const char *name;
  nlohmann::json settings;
  /// Adds a matrix of whole numbers of [-128, 127], in steps of `step`.
  void (*add)(std::vector<TensorToWrite> &tensors, const std::string &module,
              int64_t rows, int64_t columns, const std::vector<int> &codes);
};

void addInt8(std::vector<TensorToWrite> &tensors, const std::string &module,
             int64_t rows, int64_t columns, const std::vector<int> &codes) {
  tensors.push_back(tensorOf(module + ".weight", StoredType::I8,
                             {rows, columns},
                             std::vector<int8_t>(codes.begin(), codes.end())));
  tensors.push_back(tensorOf(
      module + ".weight_scale", StoredType::BF16, {rows, 1},
      std::vector<uint16_t>(static_cast<size_t>(rows), bfloatOfFloat(step))));
}

void addGptq(std::vector<TensorToWrite> &tensors, const std::string &module,
             int64_t rows, int64_t columns, const std::vector<int> &codes) {
  std::vector<uint32_t> words(static_cast<size_t>(rows * columns / 4));
  for (int64_t o = 0; o < rows; ++o) {
    for (int64_t i = 0; i < columns; ++i) {
      words[static_cast<size_t>(i / 4 * rows + o)] |=
          static_cast<uint32_t>(codes[static_cast<size_t>(o * columns + i)] +
                                128)
          << i % 4 * 8;
    }
  }
  int64_t groups = columns / 16;
  auto count = static_cast<size_t>(groups * rows);
  tensors.push_back(tensorOf(module + ".qweight", StoredType::I32,
                             {columns / 4, rows}, words));
  tensors.push_back(tensorOf(module + ".qzeros", StoredType::I32,
                             {groups, rows / 4},
                             std::vector<uint32_t>(count / 4, 0x7f7f7f7f)));
  tensors.push_back(tensorOf(module + ".scales", StoredType::F16,
                             {groups, rows},
                             std::vector<uint16_t>(count, halfOfFloat(step))));
}

const Form formsOfTest[] = {
    {"Int8",
     {{"quant_method", "compressed-tensors"},
      {"format", "int-quantized"},
      {"config_groups",
       {{"group_0",
         {{"weights",
           {{"num_bits", 8}, {"type", "int"}, {"strategy", "channel"}}}}}}}},
     addInt8},
    {"Gptq",
     {{"quant_method", "gptq"}, {"bits", 8}, {"group_size", 16}},
     addGptq},
};

TEST(QuantisedCheckpointTest, HasTheLogitsOfThePlainOne) {
  nlohmann::json config = presetJson("llama4-golden");
  TestModel plain = TestModel::make(config, {}, ExpertLayout::PerExpert);
  ModelRun<float> plainRun(plain.graph, plain.weights, 32);
  std::vector<int32_t> ids = rampIds(12, plain.config.vocabulary);
  HostMatrix<float> expected = plainRun.logits(ids);
  auto stored = makeTensors(
      plain.graph, publishedForm(plain.config, ExpertLayout::PerExpert), {});
  for (const Form &form : formsOfTest) {
    SCOPED_TRACE(form.name);
    std::vector<TensorToWrite> tensors;
    size_t quantised = 0;
    for (const auto &[name, tensor] : stored->tensors()) {
      int64_t rows = tensor.shape[0], columns = tensor.shape.back();
      std::vector<float> values(static_cast<size_t>(rows * columns));
      bool linear = tensor.shape.size() == 2 &&
                    name.find("embed_tokens") == std::string::npos &&
                    name.find("lm_head") == std::string::npos &&
                    name.find("router") == std::string::npos;
      if (!linear) {
        tensors.push_back(
            {tensor, [data = tensor.data, size = tensor.bytes](std::byte *to) {
               std::memcpy(to, data, size);
             }});
        continue;
      }
      readElements(tensor, 0, 1, rows * columns, values.data(), 1);
      std::vector<int> codes;
      for (float value : values) {
        codes.push_back(static_cast<int>(value / step));
        ASSERT_EQ(static_cast<float>(codes.back()) * step, value);
      }
      form.add(tensors, name.substr(0, name.size() - 7), rows, columns, codes);
      ++quantised;
    }
    EXPECT_GT(quantised, 20u);
    ScratchDirectory scratch;
    config["quantization_config"] = form.settings;
    writeAll(scratch / "config.json", config.dump());
    ASSERT_TRUE(writeSafetensorsDirectory(scratch.string(), tensors, 1 << 20));
    auto opened = openCheckpoint(scratch.string());
    ASSERT_TRUE(opened) << opened.error().message;
    ModelRun<float> run(opened->graph, opened->weights, 32);
    EXPECT_EQ(largestDifference(run.logits(ids), expected), 0);
    // The configuration is there without weights as well.
    auto parts = openCheckpointConfig(scratch.string());
    ASSERT_TRUE(parts) << parts.error().message;
    EXPECT_EQ(parts->tensors, nullptr);
    EXPECT_TRUE(parseModelConfig(parts->configText, parts->configFile));
  }
}

TEST(QuantisedCheckpointTest, SaysWhatItDoesNotRead) {
  ScratchDirectory scratch;
  nlohmann::json config = presetJson("llama4-golden");
  config["quantization_config"] = {{"quant_method", "bitsandbytes"}};
  writeAll(scratch / "config.json", config.dump());
  auto opened = openCheckpoint(scratch.string());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message,
            (scratch / "config.json") +
                ": quantization_config.quant_method: expected one of fp8, "
                "fbgemm_fp8, compressed-tensors, mxfp4, gptq, awq, modelopt, "
                "found 'bitsandbytes'; take the checkpoint before quantisation "
                "or in one of these");
  EXPECT_FALSE(openCheckpoint(scratch / "missing"));
}

} // namespace
} // namespace chipwright::models
