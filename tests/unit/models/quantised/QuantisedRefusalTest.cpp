//===- QuantisedRefusalTest.cpp - What is not read --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "QuantisedTestSupport.h"

namespace chipwright::models {
namespace {

using QuantisedRefusalTest = QuantisedTest;

TEST_F(QuantisedRefusalTest, RefusesTensorsOfAnotherForm) {
  std::vector<uint8_t> codes(8 * 32, 1);
  auto base = [&] {
    StoredTensors checkpoint;
    checkpoint.add("a.weight", StoredType::F8E4M3, {8, 32}, codes)
        .add("a.weight_scale_inv", StoredType::F32, {2, 4},
             std::vector<float>(8, 1));
    return checkpoint;
  };
  EXPECT_EQ(fault(base(), settings(fp8)), "");
  auto expectFault = [&](const StoredTensors &checkpoint,
                         const Quantisation &quantisation,
                         const std::string &words) {
    std::string message = fault(checkpoint, quantisation);
    EXPECT_EQ(message.find("memory: tensor '"), 0u) << message;
    EXPECT_NE(message.find(words), std::string::npos) << message;
    EXPECT_NE(message.find("; config.json"), std::string::npos) << message;
  };
  StoredTensors checkpoint;
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
  checkpoint = StoredTensors();
  checkpoint.add("a.weight", StoredType::F8E5M2, {8, 32}, codes);
  EXPECT_EQ(fault(checkpoint, settings(fp8)), "");

  nlohmann::json gptq = {
      {"quant_method", "gptq"}, {"bits", 4}, {"group_size", 8}};
  auto gptqBase = [] {
    StoredTensors made;
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
  checkpoint = StoredTensors();
  checkpoint.add("a.qweight", StoredType::I32, {2, 0}, std::vector<int32_t>());
  expectFault(checkpoint, settings(gptq), "none of them 0");

  StoredTensors mx;
  mx.add("x_blocks", StoredType::U8, {1, 2, 1, 8}, std::vector<uint8_t>(16))
      .add("x_scales", StoredType::U8, {1, 2, 1}, std::vector<uint8_t>(2));
  expectFault(mx, settings({{"quant_method", "mxfp4"}}), "blocks of 16 bytes");
}

TEST_F(QuantisedRefusalTest, PlainConfigurationsStayAsTheyAre) {
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

TEST_F(QuantisedRefusalTest, SettingsOfModelOptInAFileOfTheirOwn) {
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

TEST_F(QuantisedRefusalTest, RefusesSettings) {
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
