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

#include "QuantisedTestSupport.h"
#include "models/quantised/SmallFloat.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

namespace chipwright::models {
namespace {

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
  StoredTensors checkpoint;
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
      StoredTensors checkpoint;
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
  StoredTensors checkpoint;
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
        StoredTensors checkpoint;
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
    StoredTensors checkpoint;
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
  StoredTensors checkpoint;
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
        StoredTensors checkpoint;
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
  StoredTensors checkpoint;
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

} // namespace
} // namespace chipwright::models
