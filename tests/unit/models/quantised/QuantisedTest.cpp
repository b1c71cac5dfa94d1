//===- QuantisedTest.cpp - Conventions of quantised checkpoints -----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Every test draws codes, zero points and scales, packs them by the
// convention's rule, and compares what is read with the formula on the numbers
// that were drawn. CHIPWRIGHT_SEED sets the seed.
//
//===----------------------------------------------------------------------===//

#include "models/quantised/Quantisation.h"
#include "models/quantised/SmallFloat.h"

#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>

namespace chipwright::models {
namespace {

using Shape = std::vector<int64_t>;

/// Tensors in memory from lists of numbers.
class Checkpoint {
public:
  template <typename T>
  Checkpoint &add(const std::string &name, StoredType type, const Shape &shape,
                  const std::vector<T> &values) {
    std::byte *data = store->add({name, type, shape});
    EXPECT_EQ(store->find(name)->bytes, values.size() * sizeof(T)) << name;
    std::memcpy(data, values.data(), values.size() * sizeof(T));
    return *this;
  }

  std::shared_ptr<MemoryTensors> store = std::make_shared<MemoryTensors>();
};

class QuantisedTest : public ::testing::Test {
protected:
  void SetUp() override {
    const char *given = std::getenv("CHIPWRIGHT_SEED");
    seed = given ? static_cast<uint32_t>(std::strtoul(given, nullptr, 10))
                 : std::random_device()();
    random.seed(seed);
    RecordProperty("seed", std::to_string(seed));
    std::printf("seed %u\n", seed);
  }

  int64_t draw(int64_t lo, int64_t hi) {
    return std::uniform_int_distribution<int64_t>(lo, hi)(random);
  }

  std::vector<int64_t> drawMany(int64_t count, int64_t lo, int64_t hi) {
    std::vector<int64_t> values;
    for (int64_t i = 0; i < count; ++i) {
      values.push_back(draw(lo, hi));
    }
    return values;
  }

  /// Numbers with few bits, exact in bf16 and fp16.
  std::vector<float> drawScales(int64_t count) {
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i) {
      values.push_back(static_cast<float>(draw(1, 127)) * 0x1p-9f);
    }
    return values;
  }

  template <typename T>
  static std::vector<T> as(const std::vector<int64_t> &values) {
    return {values.begin(), values.end()};
  }

  static std::vector<uint16_t> halves(const std::vector<float> &values) {
    std::vector<uint16_t> result;
    for (float value : values) {
      result.push_back(halfOfFloat(value));
    }
    return result;
  }

  static std::vector<uint16_t> bfloats(const std::vector<float> &values) {
    std::vector<uint16_t> result;
    for (float value : values) {
      result.push_back(bfloatOfFloat(value));
    }
    return result;
  }

  /// Reads the quantisation of a config.json with that object.
  static Quantisation settings(const nlohmann::json &object) {
    nlohmann::json config = {{"model_type", "llama"},
                             {"quantization_config", object}};
    auto read = readQuantisedConfig(config.dump(), "config.json");
    if (!read) {
      ADD_FAILURE() << read.error().message;
      return {};
    }
    EXPECT_TRUE(read->isQuantised);
    EXPECT_EQ(read->configText, R"({"model_type":"llama"})");
    return read->quantisation;
  }

  /// Compares tensor \p name with \p expected, whole and in pieces.
  static void expectValues(const TensorStore &store, const std::string &name,
                           const Shape &shape,
                           const std::vector<float> &expected) {
    const StoredTensor *tensor = store.find(name);
    ASSERT_TRUE(tensor) << name;
    EXPECT_EQ(tensor->shape, shape);
    EXPECT_EQ(tensor->name, name);
    auto count = static_cast<int64_t>(expected.size());
    std::vector<float> values(expected.size());
    readElements(*tensor, 0, 1, count, values.data(), 1);
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(values[i], expected[i]) << name << " element " << i;
    }
    for (int64_t first : {int64_t(1), count / 3, count - 5}) {
      int64_t n = std::min<int64_t>(count - first, 37);
      readElements(*tensor, first, 1, n, values.data(), 1);
      for (int64_t i = 0; i < n; ++i) {
        ASSERT_EQ(values[static_cast<size_t>(i)],
                  expected[static_cast<size_t>(first + i)])
            << name << " element " << first + i;
      }
    }
  }

  static std::shared_ptr<const TensorStore>
  opened(const Checkpoint &checkpoint, const Quantisation &quantisation) {
    auto store = dequantisedTensors(checkpoint.store, quantisation);
    if (!store) {
      ADD_FAILURE() << store.error().message;
      return nullptr;
    }
    return store.take();
  }

  static std::string fault(const Checkpoint &checkpoint,
                           const Quantisation &quantisation) {
    auto store = dequantisedTensors(checkpoint.store, quantisation);
    return store ? "" : store.error().message;
  }

  uint32_t seed = 0;
  std::mt19937 random;
};

/// Puts codes of \p bits bits into words, the first in the lowest bits.
std::vector<uint32_t> packWords(const std::vector<int64_t> &codes, int bits) {
  std::vector<uint32_t> words;
  size_t perWord = static_cast<size_t>(32 / bits);
  for (size_t i = 0; i < codes.size(); ++i) {
    if (i % perWord == 0) {
      words.push_back(0);
    }
    words.back() |= static_cast<uint32_t>(codes[i])
                    << (static_cast<int>(i % perWord) * bits);
  }
  return words;
}

/// Element (column, row) of a matrix at (row, column).
template <typename T>
std::vector<T> transpose(const std::vector<T> &values, int64_t rows,
                         int64_t columns) {
  std::vector<T> result;
  for (int64_t c = 0; c < columns; ++c) {
    for (int64_t r = 0; r < rows; ++r) {
      result.push_back(values[static_cast<size_t>(r * columns + c)]);
    }
  }
  return result;
}

float e4m3(int64_t code) {
  return floatOfSmall(SmallFloat::E4M3, static_cast<uint8_t>(code));
}

/// Codes without the two of NaN.
std::vector<int64_t> e4m3Codes(std::vector<int64_t> codes) {
  for (int64_t &code : codes) {
    code = (code & 0x7f) == 0x7f ? code - 1 : code;
  }
  return codes;
}

const nlohmann::json fp8 = {{"quant_method", "fp8"},
                            {"fmt", "e4m3"},
                            {"activation_scheme", "dynamic"},
                            {"weight_block_size", {4, 8}}};

TEST_F(QuantisedTest, Fp8Blocks) {
  // Blocks of 4 x 8 at a matrix that they do not divide.
  int64_t n = 10, k = 21, down = 3, across = 3;
  std::vector<int64_t> codes = e4m3Codes(drawMany(n * k, 0, 255));
  std::vector<float> scales = drawScales(down * across);
  std::vector<float> expected;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < k; ++j) {
      expected.push_back(e4m3(codes[static_cast<size_t>(i * k + j)]) *
                         scales[static_cast<size_t>(i / 4 * across + j / 8)]);
    }
  }
  Checkpoint checkpoint;
  checkpoint.add("a.weight", StoredType::F8E4M3, {n, k}, as<uint8_t>(codes))
      .add("a.weight_scale_inv", StoredType::F32, {down, across}, scales)
      .add("norm.weight", StoredType::BF16, {2},
           std::vector<uint16_t>{0x3f80, 0x4000})
      .add("a.input_scale", StoredType::F32, {1}, std::vector<float>{1});
  auto store = opened(checkpoint, settings(fp8));
  ASSERT_TRUE(store);
  expectValues(*store, "a.weight", {n, k}, expected);
  EXPECT_EQ(store->tensors().size(), 2u);
  EXPECT_EQ(describeTensor(*store->find("a.weight")), "fp8 [10, 21]");
  EXPECT_EQ(describeTensor(*store->find("norm.weight")), "BF16 [2]");
  // Scales that are powers of two.
  for (size_t i = 0; i < expected.size(); ++i) {
    auto row = static_cast<int64_t>(i) / k,
         column = static_cast<int64_t>(i) % k;
    expected[i] = std::ldexp(e4m3(codes[i]),
                             static_cast<int>(row / 4 * across + column / 8));
  }
  std::vector<uint8_t> exponents(9);
  std::iota(exponents.begin(), exponents.end(), uint8_t(127));
  checkpoint.add("a.weight_scale_inv", StoredType::F8E8M0, {3, 3}, exponents);
  store = opened(checkpoint, settings(fp8));
  ASSERT_TRUE(store);
  expectValues(*store, "a.weight", {n, k}, expected);
}

TEST_F(QuantisedTest, ScalesPerTensorOutputGroupAndBlock) {
  int64_t n = 6, k = 32;
  struct Strategy {
    nlohmann::json weights;
    Shape scales;
    int64_t rows, columns; // of a scale
  };
  const Strategy strategies[] = {
      {{{"strategy", "tensor"}}, {1}, 6, 32},
      {{{"strategy", "tensor"}}, {}, 6, 32},
      {{{"strategy", "channel"}}, {6, 1}, 1, 32},
      {{{"strategy", "channel"}}, {6}, 1, 32},
      {{{"strategy", "group"}, {"group_size", 8}}, {6, 4}, 1, 8},
      {{{"strategy", "block"}, {"block_structure", {4, 16}}}, {2, 2}, 4, 16},
  };
  for (bool integers : {false, true}) {
    for (const Strategy &strategy : strategies) {
      nlohmann::json weights = strategy.weights;
      weights["num_bits"] = 8;
      weights["type"] = integers ? "int" : "float";
      SCOPED_TRACE(weights.dump());
      nlohmann::json config = {
          {"quant_method", "compressed-tensors"},
          {"format", integers ? "int-quantized" : "float-quantized"},
          {"config_groups",
           {{"group_0", {{"weights", weights}, {"targets", {"Linear"}}}}}},
          {"ignore", {"lm_head"}}};
      std::vector<int64_t> codes = integers
                                       ? drawMany(n * k, -128, 127)
                                       : e4m3Codes(drawMany(n * k, 0, 255));
      int64_t count =
          std::accumulate(strategy.scales.begin(), strategy.scales.end(),
                          int64_t(1), std::multiplies<>());
      std::vector<float> scales = drawScales(count);
      int64_t across = (k + strategy.columns - 1) / strategy.columns;
      std::vector<float> expected;
      for (int64_t i = 0; i < n * k; ++i) {
        int64_t code = codes[static_cast<size_t>(i)];
        float value = integers ? static_cast<float>(code) : e4m3(code);
        expected.push_back(
            value * scales[static_cast<size_t>(i / k / strategy.rows * across +
                                               i % k / strategy.columns)]);
      }
      Checkpoint checkpoint;
      checkpoint
          .add("a.weight", integers ? StoredType::I8 : StoredType::F8E4M3,
               {n, k}, as<uint8_t>(codes))
          .add("a.weight_scale", StoredType::BF16, strategy.scales,
               bfloats(scales));
      auto store = opened(checkpoint, settings(config));
      ASSERT_TRUE(store);
      expectValues(*store, "a.weight", {n, k}, expected);
      if (!integers || strategy.scales.size() != 2) {
        continue;
      }
      // The same with zero points.
      config["config_groups"]["group_0"]["weights"]["symmetric"] = false;
      std::vector<int64_t> zeros = drawMany(count, -128, 127);
      for (int64_t i = 0; i < n * k; ++i) {
        auto scale = static_cast<size_t>(i / k / strategy.rows * across +
                                         i % k / strategy.columns);
        expected[static_cast<size_t>(i)] =
            static_cast<float>(codes[static_cast<size_t>(i)] - zeros[scale]) *
            scales[scale];
      }
      checkpoint.add("a.weight_zero_point", StoredType::I8, strategy.scales,
                     as<int8_t>(zeros));
      store = opened(checkpoint, settings(config));
      ASSERT_TRUE(store);
      expectValues(*store, "a.weight", {n, k}, expected);
    }
  }
}

TEST_F(QuantisedTest, FbgemmAndModelOptFp8) {
  int64_t n = 5, k = 16;
  std::vector<int64_t> codes = e4m3Codes(drawMany(n * k, 0, 255));
  std::vector<float> scales = drawScales(n), expected, whole;
  for (int64_t i = 0; i < n * k; ++i) {
    float value = e4m3(codes[static_cast<size_t>(i)]);
    expected.push_back(value * scales[static_cast<size_t>(i / k)]);
    whole.push_back(value * 0.25f);
  }
  Checkpoint checkpoint;
  checkpoint.add("a.weight", StoredType::F8E4M3, {n, k}, as<uint8_t>(codes))
      .add("a.weight_scale", StoredType::F32, {n, 1}, scales)
      .add("a.input_scale_ub", StoredType::F32, {1}, std::vector<float>{1200});
  auto store = opened(checkpoint, settings({{"quant_method", "fbgemm_fp8"},
                                            {"activation_scale_ub", 1200.0}}));
  ASSERT_TRUE(store);
  expectValues(*store, "a.weight", {n, k}, expected);
  checkpoint.add("a.weight_scale", StoredType::F32, {},
                 std::vector<float>{0.25f});
  store =
      opened(checkpoint,
             settings({{"quant_method", "modelopt"}, {"quant_algo", "FP8"}}));
  ASSERT_TRUE(store);
  expectValues(*store, "a.weight", {n, k}, whole);
}

TEST_F(QuantisedTest, PackedWords) {
  int64_t n = 11, k = 40, group = 8, groups = 5;
  for (int bits : {4, 8}) {
    for (bool symmetric : {true, false}) {
      for (bool ordered : {false, true}) {
        SCOPED_TRACE(fmt::format("{} bits, symmetric {}, order {}", bits,
                                 symmetric, ordered));
        int64_t half = int64_t(1) << (bits - 1);
        std::vector<int64_t> codes = drawMany(n * k, -half, half - 1);
        std::vector<int64_t> zeros =
            symmetric ? std::vector<int64_t>(static_cast<size_t>(n * groups))
                      : drawMany(n * groups, -half, half - 1);
        std::vector<float> scales = drawScales(n * groups);
        std::vector<int64_t> groupOf;
        for (int64_t j = 0; j < k; ++j) {
          groupOf.push_back(ordered ? draw(0, groups - 1) : j / group);
        }
        std::vector<float> expected;
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = 0; j < k; ++j) {
            auto scale = static_cast<size_t>(i * groups +
                                             groupOf[static_cast<size_t>(j)]);
            expected.push_back(
                static_cast<float>(codes[static_cast<size_t>(i * k + j)] -
                                   zeros[scale]) *
                scales[scale]);
          }
        }
        // Rows are packed one by one and end with whole words.
        auto packRows = [&](const std::vector<int64_t> &values, int64_t rows,
                            int64_t columns) {
          std::vector<uint32_t> words;
          for (int64_t i = 0; i < rows; ++i) {
            std::vector<int64_t> row;
            for (int64_t j = 0; j < columns; ++j) {
              row.push_back(values[static_cast<size_t>(i * columns + j)] +
                            half);
            }
            std::vector<uint32_t> packed = packWords(row, bits);
            words.insert(words.end(), packed.begin(), packed.end());
          }
          return words;
        };
        int64_t perWord = 32 / bits;
        int64_t zeroWords = (n + perWord - 1) / perWord;
        Checkpoint checkpoint;
        checkpoint
            .add("a.weight_packed", StoredType::I32, {n, k / perWord},
                 packRows(codes, n, k))
            .add("a.weight_shape", StoredType::I64, {2},
                 std::vector<int64_t>{n, k})
            .add("a.weight_scale", StoredType::BF16, {n, groups},
                 bfloats(scales));
        if (!symmetric) {
          checkpoint.add(
              "a.weight_zero_point", StoredType::I32, {zeroWords, groups},
              transpose(packRows(transpose(zeros, n, groups), groups, n),
                        groups, zeroWords));
        }
        if (ordered) {
          checkpoint.add("a.weight_g_idx", StoredType::I32, {k},
                         as<int32_t>(groupOf));
        }
        auto store =
            opened(checkpoint, settings({{"quant_method", "compressed-tensors"},
                                         {"format", "pack-quantized"},
                                         {"config_groups",
                                          {{"group_0",
                                            {{"weights",
                                              {{"num_bits", bits},
                                               {"type", "int"},
                                               {"strategy", "group"},
                                               {"symmetric", symmetric},
                                               {"group_size", group}}}}}}}}));
        ASSERT_TRUE(store);
        expectValues(*store, "a.weight", {n, k}, expected);
        EXPECT_EQ(store->tensors().size(), 1u);
      }
    }
  }
}

TEST_F(QuantisedTest, Nvfp4) {
  int64_t n = 5, k = 48, groups = 3;
  std::vector<int64_t> codes = drawMany(n * k, 0, 15);
  std::vector<int64_t> scales = e4m3Codes(drawMany(n * groups, 1, 0x7e));
  float scale = 0.3f; // its products round
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < codes.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(codes[i] | codes[i + 1] << 4));
  }
  const float values[] = {0, .5, 1, 1.5, 2, 3, 4, 6};
  for (bool divides : {false, true}) {
    std::vector<float> expected;
    for (int64_t i = 0; i < n * k; ++i) {
      float block = e4m3(scales[static_cast<size_t>(i / 16)]);
      float step = divides ? block / scale : block * scale;
      int64_t code = codes[static_cast<size_t>(i)];
      expected.push_back((code < 8 ? values[code] : -values[code - 8]) * step);
    }
    Checkpoint checkpoint;
    checkpoint
        .add(divides ? "a.weight_packed" : "a.weight", StoredType::U8,
             {n, k / 2}, bytes)
        .add("a.weight_scale", StoredType::F8E4M3, {n, groups},
             as<uint8_t>(scales))
        .add(divides ? "a.weight_global_scale" : "a.weight_scale_2",
             StoredType::F32, divides ? Shape{1} : Shape{},
             std::vector<float>{scale})
        .add(divides ? "a.input_global_scale" : "a.input_scale",
             StoredType::F32, {1}, std::vector<float>{1});
    nlohmann::json config = {{"quant_method", "modelopt"},
                             {"quant_algo", "NVFP4"},
                             {"group_size", 16}};
    if (divides) {
      config = {{"quant_method", "compressed-tensors"},
                {"format", "nvfp4-pack-quantized"},
                {"config_groups",
                 {{"group_0",
                   {{"weights",
                     {{"num_bits", 4},
                      {"type", "float"},
                      {"strategy", "tensor_group"},
                      {"group_size", 16}}}}}}}};
    }
    auto store = opened(checkpoint, settings(config));
    ASSERT_TRUE(store);
    expectValues(*store, "a.weight", {n, k}, expected);
    EXPECT_EQ(store->tensors().size(), 1u);
  }
}

TEST_F(QuantisedTest, Mxfp4IsShownAsTheUnquantisedStack) {
  int64_t e = 2, out = 6, groups = 2, in = 64;
  std::vector<int64_t> codes = drawMany(e * out * in, 0, 15);
  std::vector<int64_t> scales = drawMany(e * out * groups, 110, 140);
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < codes.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(codes[i] | codes[i + 1] << 4));
  }
  const float values[] = {0, .5, 1, 1.5, 2, 3, 4, 6};
  std::vector<float> expected;
  for (int64_t expert = 0; expert < e; ++expert) {
    for (int64_t i = 0; i < in; ++i) {
      for (int64_t o = 0; o < out; ++o) {
        int64_t row = expert * out + o;
        int64_t code = codes[static_cast<size_t>(row * in + i)];
        int64_t scale = scales[static_cast<size_t>(row * groups + i / 32)];
        expected.push_back(
            std::ldexp(code < 8 ? values[code] : -values[code - 8],
                       static_cast<int>(scale) - 127));
      }
    }
  }
  Checkpoint checkpoint;
  std::string name = "model.layers.0.mlp.experts.gate_up_proj";
  checkpoint.add(name + "_blocks", StoredType::U8, {e, out, groups, 16}, bytes)
      .add(name + "_scales", StoredType::U8, {e, out, groups},
           as<uint8_t>(scales))
      .add(name + "_bias", StoredType::BF16, {1}, std::vector<uint16_t>{0});
  auto store = opened(checkpoint, settings({{"quant_method", "mxfp4"}}));
  ASSERT_TRUE(store);
  expectValues(*store, name, {e, in, out}, expected);
  EXPECT_EQ(store->tensors().size(), 2u);
}

TEST_F(QuantisedTest, Gptq) {
  int64_t n = 16, k = 32, group = 8, groups = 4;
  for (int bits : {4, 8}) {
    for (int version : {1, 2}) {
      for (bool ordered : {false, true}) {
        SCOPED_TRACE(
            fmt::format("{} bits, v{}, order {}", bits, version, ordered));
        int64_t top = (int64_t(1) << bits) - 1;
        std::vector<int64_t> codes = drawMany(k * n, 0, top); // by input
        std::vector<int64_t> stored = drawMany(groups * n, 0, top);
        std::vector<float> scales = drawScales(groups * n);
        std::vector<int64_t> groupOf;
        for (int64_t j = 0; j < k; ++j) {
          groupOf.push_back(ordered ? draw(0, groups - 1) : j / group);
        }
        std::vector<float> expected;
        for (int64_t o = 0; o < n; ++o) {
          for (int64_t j = 0; j < k; ++j) {
            auto scale =
                static_cast<size_t>(groupOf[static_cast<size_t>(j)] * n + o);
            int64_t zero = stored[scale] + (version == 1 ? 1 : 0);
            expected.push_back(
                static_cast<float>(codes[static_cast<size_t>(j * n + o)] -
                                   zero) *
                scales[scale]);
          }
        }
        // Words run along the inputs: pack the transpose, transpose back.
        int64_t perWord = 32 / bits;
        Checkpoint checkpoint;
        checkpoint
            .add("a.qweight", StoredType::I32, {k / perWord, n},
                 transpose(packWords(transpose(codes, k, n), bits), n,
                           k / perWord))
            .add("a.qzeros", StoredType::I32, {groups, n / perWord},
                 packWords(stored, bits))
            .add("a.scales", StoredType::F16, {groups, n}, halves(scales));
        if (ordered || version == 1) {
          checkpoint.add("a.g_idx", StoredType::I32, {k}, as<int32_t>(groupOf));
        }
        nlohmann::json config = {{"quant_method", "gptq"},
                                 {"bits", bits},
                                 {"group_size", group},
                                 {"desc_act", ordered},
                                 {"sym", false}};
        if (version == 2) {
          config["checkpoint_format"] = "gptq_v2";
        }
        auto store = opened(checkpoint, settings(config));
        ASSERT_TRUE(store);
        expectValues(*store, "a.weight", {n, k}, expected);
        EXPECT_EQ(store->tensors().size(), 1u);
      }
    }
  }
}

TEST_F(QuantisedTest, Awq) {
  int64_t n = 24, k = 20, group = 5, groups = 4;
  std::vector<int64_t> codes = drawMany(k * n, 0, 15);
  std::vector<int64_t> zeros = drawMany(groups * n, 0, 15);
  std::vector<float> scales = drawScales(groups * n);
  std::vector<float> expected;
  for (int64_t o = 0; o < n; ++o) {
    for (int64_t j = 0; j < k; ++j) {
      auto scale = static_cast<size_t>(j / group * n + o);
      expected.push_back(
          static_cast<float>(codes[static_cast<size_t>(j * n + o)] -
                             zeros[scale]) *
          scales[scale]);
    }
  }
  // Slot j of a word holds column order[j] of its eight.
  auto interleaved = [](const std::vector<int64_t> &values) {
    const size_t order[] = {0, 2, 4, 6, 1, 3, 5, 7};
    std::vector<int64_t> result;
    for (size_t i = 0; i < values.size(); ++i) {
      result.push_back(values[i / 8 * 8 + order[i % 8]]);
    }
    return packWords(result, 4);
  };
  Checkpoint checkpoint;
  checkpoint.add("a.qweight", StoredType::I32, {k, n / 8}, interleaved(codes))
      .add("a.qzeros", StoredType::I32, {groups, n / 8}, interleaved(zeros))
      .add("a.scales", StoredType::F16, {groups, n}, halves(scales))
      .add("a.bias", StoredType::F16, {n}, halves(drawScales(n)));
  auto store = opened(checkpoint, settings({{"quant_method", "awq"},
                                            {"bits", 4},
                                            {"group_size", group},
                                            {"version", "GEMM"},
                                            {"zero_point", true}}));
  ASSERT_TRUE(store);
  expectValues(*store, "a.weight", {n, k}, expected);
  EXPECT_EQ(store->tensors().size(), 2u);
}

TEST_F(QuantisedTest, RefusesTensorsOfAnotherForm) {
  std::vector<uint8_t> codes(8 * 32, 1);
  auto base = [&] {
    Checkpoint checkpoint;
    checkpoint.add("a.weight", StoredType::F8E4M3, {8, 32}, codes)
        .add("a.weight_scale_inv", StoredType::F32, {2, 4},
             std::vector<float>(8, 1));
    return checkpoint;
  };
  EXPECT_EQ(fault(base(), settings(fp8)), "");
  auto expectFault = [&](const Checkpoint &checkpoint,
                         const Quantisation &quantisation,
                         const std::string &words) {
    std::string message = fault(checkpoint, quantisation);
    EXPECT_EQ(message.find("memory: tensor '"), 0u) << message;
    EXPECT_NE(message.find(words), std::string::npos) << message;
    EXPECT_NE(message.find("; config.json"), std::string::npos) << message;
  };
  Checkpoint checkpoint;
  checkpoint.add("a.weight", StoredType::F8E4M3, {8, 32}, codes);
  expectFault(checkpoint, settings(fp8),
              "'a.weight': expected the tensor 'a.weight_scale_inv' "
              "(quantisation 'fp8'), found none");
  checkpoint = base();
  checkpoint.add("a.weight_scale_inv", StoredType::F32, {4, 2},
                 std::vector<float>(8, 1));
  expectFault(checkpoint, settings(fp8), "the shape [2, 4]");
  checkpoint.add("a.weight_scale_inv", StoredType::I32, {2, 4},
                 std::vector<int32_t>(8, 1));
  expectFault(checkpoint, settings(fp8), "the type F32, F16, BF16, F8_E8M0");
  checkpoint = base();
  checkpoint.add("a.weight", StoredType::F8E4M3, {8, 4, 8}, codes);
  expectFault(checkpoint, settings(fp8), "codes with 2 sizes");
  checkpoint = base();
  checkpoint.add("b.weight_scale_inv", StoredType::F32, {1},
                 std::vector<float>(1));
  expectFault(checkpoint, settings(fp8), "'b.weight_scale_inv'");
  // Without codes of this type, the tensor is plain and binding judges it.
  checkpoint = Checkpoint();
  checkpoint.add("a.weight", StoredType::F8E5M2, {8, 32}, codes);
  EXPECT_EQ(fault(checkpoint, settings(fp8)), "");

  nlohmann::json gptq = {
      {"quant_method", "gptq"}, {"bits", 4}, {"group_size", 8}};
  auto gptqBase = [] {
    Checkpoint made;
    made.add("a.qweight", StoredType::I32, {2, 8}, std::vector<int32_t>(16))
        .add("a.qzeros", StoredType::I32, {2, 1}, std::vector<int32_t>(2))
        .add("a.scales", StoredType::F16, {2, 8}, std::vector<uint16_t>(16));
    return made;
  };
  EXPECT_EQ(fault(gptqBase(), settings(gptq)), "");
  checkpoint = gptqBase();
  std::vector<int32_t> order(16);
  order[5] = 2;
  checkpoint.add("a.g_idx", StoredType::I32, {16}, order);
  expectFault(checkpoint, settings(gptq), "groups from 0 to 1");
  order[5] = -2;
  checkpoint.add("a.g_idx", StoredType::I32, {16}, order);
  expectFault(checkpoint, settings(gptq), "found -2");
  order[5] = 0;
  order[0] = -1; // not set: inputs in their order
  checkpoint.add("a.g_idx", StoredType::I32, {16}, order);
  EXPECT_EQ(fault(checkpoint, settings(gptq)), "");
  checkpoint.add("a.g_idx", StoredType::I32, {15}, std::vector<int32_t>(15));
  expectFault(checkpoint, settings(gptq), "I32 [16]");
  checkpoint = gptqBase();
  checkpoint.add("a.qzeros", StoredType::I32, {1, 2}, std::vector<int32_t>(2));
  expectFault(checkpoint, settings(gptq), "the shape [2, 1]");
  checkpoint = gptqBase();
  checkpoint.add("a.scales", StoredType::F16, {1, 16},
                 std::vector<uint16_t>(16));
  expectFault(checkpoint, settings(gptq), "the shape [2, 8]");
  checkpoint = gptqBase();
  checkpoint.add("a.qweight", StoredType::U8, {2, 8}, std::vector<uint8_t>(16));
  expectFault(checkpoint, settings(gptq), "I32 codes");
  checkpoint = gptqBase();
  checkpoint.add("a.weight", StoredType::F16, {1}, std::vector<uint16_t>(1));
  expectFault(checkpoint, settings(gptq), "of one name");
  checkpoint = Checkpoint();
  checkpoint.add("a.qweight", StoredType::I32, {2, 0}, std::vector<int32_t>());
  expectFault(checkpoint, settings(gptq), "none of them 0");

  Checkpoint mx;
  mx.add("x_blocks", StoredType::U8, {1, 2, 1, 8}, std::vector<uint8_t>(16))
      .add("x_scales", StoredType::U8, {1, 2, 1}, std::vector<uint8_t>(2));
  expectFault(mx, settings({{"quant_method", "mxfp4"}}), "blocks of 16 bytes");
}

TEST_F(QuantisedTest, PlainConfigurationsStayAsTheyAre) {
  for (const char *text :
       {R"({ "model_type" : "llama" })", R"([1, 2])",
        R"({"quantization_config": null})", R"({"text_config": 5})"}) {
    auto read = readQuantisedConfig(text, "c");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_FALSE(read->isQuantised);
    EXPECT_EQ(read->configText, text);
  }
  auto nested =
      readQuantisedConfig(R"({"text_config": {"a": 1, "quantization_config": )"
                          R"({"quant_method": "mxfp4"}}})",
                          "c");
  ASSERT_TRUE(nested) << nested.error().message;
  EXPECT_TRUE(nested->isQuantised);
  EXPECT_EQ(nested->configText, R"({"text_config":{"a":1}})");
}

TEST_F(QuantisedTest, SettingsOfModelOptInAFileOfTheirOwn) {
  auto read = readModelOptQuantisation(
      R"({"producer": {"name": "modelopt"}, "quantization": {)"
      R"("quant_algo": "NVFP4", "group_size": 16,)"
      R"("kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head"]}})",
      "hf_quant_config.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->form, QuantisedForm::Nvfp4Multiplied);
  EXPECT_EQ(read->name, "modelopt NVFP4");
  for (const char *text :
       {"{}", "[]", R"({"quantization": 1})", R"({"quantization": {}})",
        R"({"quantization": {"quant_algo": "INT4"}})"}) {
    auto bad = readModelOptQuantisation(text, "hf_quant_config.json");
    ASSERT_FALSE(bad) << text;
    EXPECT_EQ(bad.error().message.find("hf_quant_config.json: quantization"),
              0u)
        << bad.error().message;
  }
}

TEST_F(QuantisedTest, RefusesSettings) {
  auto groups = [](const nlohmann::json &weights, const char *format) {
    return nlohmann::json{{"quant_method", "compressed-tensors"},
                          {"format", format},
                          {"config_groups", {{"g", {{"weights", weights}}}}}};
  };
  nlohmann::json int4 = {{"num_bits", 4},
                         {"type", "int"},
                         {"strategy", "group"},
                         {"group_size", 8}};
  auto with = [](nlohmann::json object, const char *key,
                 const nlohmann::json &value) {
    object[key] = value;
    return object;
  };
  nlohmann::json two = groups(int4, "pack-quantized");
  two["config_groups"]["h"] = {{"weights", with(int4, "num_bits", 8)}};
  nlohmann::json gptq = {
      {"quant_method", "gptq"}, {"bits", 4}, {"group_size", 8}};
  nlohmann::json awq = {
      {"quant_method", "awq"}, {"bits", 4}, {"group_size", 8}};
  struct Refusal {
    nlohmann::json object;
    const char *words;
  };
  const Refusal refusals[] = {
      {"fp8", "quantization_config: expected an object"},
      {nlohmann::json::object(), "quant_method"},
      {{{"quant_method", "bitsandbytes"}}, "found 'bitsandbytes'"},
      {with(fp8, "fmt", "e5m2"), "fmt: expected 'e4m3'"},
      {with(fp8, "weight_block_size", nullptr), "two sizes"},
      {with(fp8, "weight_block_size", {128}), "two sizes"},
      {with(gptq, "bits", 3), "bits: expected 4 or 8, found 3"},
      {with(gptq, "group_size", 0), "a positive number or -1"},
      {with(gptq, "checkpoint_format", "marlin"), "'gptq' or 'gptq_v2'"},
      {with(gptq, "is_marlin_format", true), "is_marlin_format"},
      {with(gptq, "dynamic", {{"x", 1}}), "dynamic"},
      {with(awq, "version", "gemv"), "'gemm'"},
      {with(awq, "bits", 8), "bits: expected 4, found 8"},
      {with(awq, "zero_point", false), "zero_point"},
      {{{"quant_method", "modelopt"}, {"quant_algo", "W4A8_AWQ"}},
       "'FP8' or 'NVFP4'"},
      {{{"quant_method", "modelopt"},
        {"quant_algo", "NVFP4"},
        {"group_size", 32}},
       "group_size: expected 16"},
      {groups(int4, "marlin-24"), "no other format is read"},
      {{{"quant_method", "compressed-tensors"}, {"format", "pack-quantized"}},
       "config_groups"},
      {two, "the same settings of weights in each"},
      {groups(with(int4, "num_bits", 3), "pack-quantized"), "4 or 8"},
      {groups(with(int4, "type", "float"), "pack-quantized"), "'int'"},
      {groups(with(int4, "strategy", "token"), "pack-quantized"), "strategy"},
      {groups(with(int4, "strategy", "tensor_group"), "pack-quantized"),
       "another than 'tensor_group'"},
      {groups(with(int4, "dynamic", true), "pack-quantized"), "dynamic"},
      {groups(int4, "int-quantized"), "num_bits"},
      {groups(int4, "float-quantized"), "'float'"},
  };
  for (const Refusal &refusal : refusals) {
    nlohmann::json config = {{"quantization_config", refusal.object}};
    auto read = readQuantisedConfig(config.dump(), "dir/config.json");
    ASSERT_FALSE(read) << config.dump();
    const std::string &message = read.error().message;
    EXPECT_EQ(message.find("dir/config.json: quantization_config"), 0u)
        << message;
    EXPECT_NE(message.find(refusal.words), std::string::npos) << message;
  }
}

} // namespace
} // namespace chipwright::models
