//===- QuantisedTestSupport.h - Quantised tensors of tests ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_MODELS_QUANTISED_QUANTISEDTESTSUPPORT_H
#define CHIPWRIGHT_TESTS_UNIT_MODELS_QUANTISED_QUANTISEDTESTSUPPORT_H

#include "models/quantised/Quantisation.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace chipwright::models {

using Shape = std::vector<int64_t>;

/// Tensors in memory from lists of numbers.
class StoredTensors {
public:
  template <typename T>
  StoredTensors &add(const std::string &name, StoredType type,
                     const Shape &shape, const std::vector<T> &values) {
    std::byte *data = store->add({name, type, shape});
    EXPECT_EQ(store->find(name)->bytes, values.size() * sizeof(T)) << name;
    if (!values.empty()) {
      std::memcpy(data, values.data(), values.size() * sizeof(T));
    }
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
  opened(const StoredTensors &checkpoint, const Quantisation &quantisation) {
    auto store = dequantisedTensors(checkpoint.store, quantisation);
    if (!store) {
      ADD_FAILURE() << store.error().message;
      return nullptr;
    }
    return store.take();
  }

  static std::string fault(const StoredTensors &checkpoint,
                           const Quantisation &quantisation) {
    auto store = dequantisedTensors(checkpoint.store, quantisation);
    return store ? "" : store.error().message;
  }

  uint32_t seed = 0;
  std::mt19937 random;
};

/// Blocks of 4 x 8.
inline const nlohmann::json fp8 = {{"quant_method", "fp8"},
                                   {"fmt", "e4m3"},
                                   {"activation_scheme", "dynamic"},
                                   {"weight_block_size", {4, 8}}};

} // namespace chipwright::models

#endif // CHIPWRIGHT_TESTS_UNIT_MODELS_QUANTISED_QUANTISEDTESTSUPPORT_H
