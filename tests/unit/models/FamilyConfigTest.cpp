//===- FamilyConfigTest.cpp - Keys of every family --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "ModelTestSupport.h"

namespace chipwright::models {
namespace {

using nlohmann::json;

ModelConfig read(const json &config) {
  auto result = parseModelConfig(config.dump(), "config.json");
  EXPECT_TRUE(result) << result.error().message;
  return result ? result.take() : ModelConfig();
}

/// What must be there for \p type, and nothing else.
json minimal(const std::string &type) {
  json text = {{"model_type", type},     {"vocab_size", 64},
               {"hidden_size", 64},      {"intermediate_size", 32},
               {"num_hidden_layers", 8}, {"num_attention_heads", 4}};
  if (type != "muse_glimmer") {
    return text;
  }
  text.erase("model_type");
  text["output_multiplier"] = 0.5;
  return {{"model_type", type}, {"text_config", text}};
}

TEST(FamilyConfigTest, LlamaDefaults) {
  ModelConfig config = read(minimal("llama"));
  EXPECT_EQ(config.headSize, 16);
  EXPECT_EQ(config.normEpsilon, 1e-6);
  EXPECT_EQ(config.rope.theta, 10000);
  EXPECT_TRUE(config.rope.storedInHalves);
  EXPECT_FALSE(config.queryKeyValueBias || config.outputBias ||
               config.denseBias || config.sinks || config.hasExperts());
  json biased = minimal("llama");
  biased["attention_bias"] = biased["mlp_bias"] = true;
  config = read(biased);
  EXPECT_TRUE(config.queryKeyValueBias && config.outputBias &&
              config.denseBias);
}

TEST(FamilyConfigTest, MixtralDefaults) {
  ModelConfig config = read(minimal("mixtral"));
  EXPECT_EQ(config.experts, 8);
  EXPECT_EQ(config.expertsPerToken, 2);
  EXPECT_EQ(config.rope.theta, 1e6);
  EXPECT_EQ(config.normEpsilon, 1e-5);
  EXPECT_EQ(config.routerScore, RouterScore::SoftmaxOfChosen);
  EXPECT_EQ(config.denseLayers(), 0);
  EXPECT_EQ(config.sharedWidth, 0);
  EXPECT_EQ(config.layers[3].mask, AttentionMask());
  json window = minimal("mixtral");
  window["sliding_window"] = 12;
  EXPECT_EQ(read(window).layers[3].mask,
            (AttentionMask{MaskKind::Sliding, 12}));
}

TEST(FamilyConfigTest, Qwen3MoeDefaultsAndLayers) {
  ModelConfig config = read(minimal("qwen3_moe"));
  EXPECT_EQ(config.experts, 128);
  EXPECT_EQ(config.expertsPerToken, 8);
  EXPECT_EQ(config.expertWidth, 768);
  EXPECT_EQ(config.routerScore, RouterScore::Softmax);
  EXPECT_EQ(config.qkNorm, (QkNormConfig{true, true}));
  json renamed = minimal("qwen3_moe"); // by transformers 5
  renamed["num_local_experts"] = 12;
  EXPECT_EQ(read(renamed).experts, 12);
  renamed["num_experts"] = 12;
  EXPECT_EQ(read(renamed).experts, 12);
  json sparse = minimal("qwen3_moe");
  sparse["decoder_sparse_step"] = 2;
  sparse["mlp_only_layers"] = {3};
  sparse["norm_topk_prob"] = true;
  config = read(sparse);
  EXPECT_EQ(config.routerScore, RouterScore::SoftmaxOfChosen);
  for (size_t l = 0; l < 8; ++l) {
    EXPECT_EQ(config.layers[l].feedForward == FeedForward::Experts,
              l % 2 == 1 && l != 3)
        << l;
  }
}

TEST(FamilyConfigTest, GptOssDefaults) {
  ModelConfig config = read(minimal("gpt_oss"));
  EXPECT_EQ(config.headSize, 64);
  EXPECT_EQ(config.experts, 128);
  EXPECT_EQ(config.expertsPerToken, 4);
  EXPECT_TRUE(config.sinks && config.queryKeyValueBias && config.expertBias &&
              config.router.bias);
  EXPECT_EQ(config.expertActivation,
            (ActivationConfig{Activation::ClampedSwiglu, 7, 1.702}));
  EXPECT_EQ(config.rope.scaling.kind, RopeScalingKind::Yarn);
  EXPECT_FALSE(config.rope.scaling.truncate);
  EXPECT_NEAR(config.rope.magnitude, 1.3465735903, 1e-9);
  for (size_t l = 0; l < 8; ++l) {
    EXPECT_EQ(config.layers[l].mask,
              l % 2 ? AttentionMask() : (AttentionMask{MaskKind::Sliding, 128}))
        << l;
  }
  json older = minimal("gpt_oss");
  older["experts_per_token"] = 3;
  EXPECT_EQ(read(older).expertsPerToken, 3);
}

TEST(FamilyConfigTest, DeepSeekDefaults) {
  ModelConfig config = read(minimal("deepseek_v3"));
  EXPECT_EQ(config.latent, (LatentConfig{1536, 512, 128, 64, 128, 1e-6}));
  EXPECT_EQ(config.experts, 256);
  EXPECT_EQ(config.expertsPerToken, 8);
  EXPECT_EQ(config.sharedWidth, 2048);
  EXPECT_EQ(config.denseLayers(), 3);
  EXPECT_EQ(config.router, (RouterConfig{false, true, 8, 4, true, 2.5}));
  EXPECT_FALSE(config.rope.storedInHalves);
  EXPECT_NEAR(config.attentionScale, 1 / std::sqrt(192.0), 1e-15);
  json direct = minimal("deepseek_v3");
  direct["q_lora_rank"] = nullptr;
  direct["rope_interleave"] = false;
  config = read(direct);
  EXPECT_EQ(config.latent.queryRank, 0);
  EXPECT_TRUE(config.rope.storedInHalves);
}

TEST(FamilyConfigTest, MuseDefaults) {
  ModelConfig config = read(minimal("muse_glimmer"));
  EXPECT_EQ(config.headSize, 128);
  EXPECT_EQ(config.postNormEpsilon, 1e-8);
  EXPECT_EQ(config.logitScale, 0.5);
  EXPECT_EQ(config.logitCap, 20);
  EXPECT_NEAR(config.attentionScale, 3.87 / std::sqrt(128.0), 1e-15);
  for (size_t l = 0; l < 8; ++l) {
    bool isFull = l % 4 == 3;
    EXPECT_EQ(config.layers[l].rope, !isFull) << l;
    EXPECT_TRUE(config.layers[l].qkNorm) << l;
    EXPECT_EQ(config.layers[l].mask,
              isFull ? AttentionMask()
                     : (AttentionMask{MaskKind::Sliding, 2048}))
        << l;
  }
}

TEST(FamilyConfigTest, YarnFrequencies) {
  struct Sample {
    const char *preset;
    int64_t size;
    double magnitude;
    double values[7]; // pairs 0, 1, 8, 12, 16, 20, 31
  };
  const Sample samples[] = {{"gpt-oss-20b",
                             64,
                             1.3465735903,
                             {1, 6.890443059e-1, 5.081327482e-2, 6.794959490e-3,
                              4.564839192e-4, 1.818833668e-5, 3.023511428e-7}},
                            {"deepseek-v3",
                             64,
                             1,
                             {1, 7.498942093e-1, 1.0e-1, 2.687936011e-2, 5.5e-3,
                              7.905694150e-4, 3.333803580e-6}}};
  for (const Sample &sample : samples) {
    ModelConfig config = read(presetJson(sample.preset));
    std::vector<float> found = inverseFrequencies(config.rope, sample.size);
    const size_t pairs[] = {0, 1, 8, 12, 16, 20, 31};
    for (size_t i = 0; i < 7; ++i) {
      EXPECT_NEAR(found[pairs[i]] / sample.values[i], 1, 3e-7)
          << sample.preset << " pair " << pairs[i];
    }
    EXPECT_NEAR(config.rope.magnitude, sample.magnitude, 1e-9);
  }
  EXPECT_NEAR(read(presetJson("deepseek-v3")).attentionScale,
              0.1352337788608801, 1e-12);
}

TEST(FamilyConfigTest, YarnMagnitudes) {
  json config = minimal("llama");
  json yarn = {{"rope_type", "yarn"},
               {"factor", 40},
               {"original_max_position_embeddings", 4096}};
  auto magnitude = [&] {
    config["rope_scaling"] = yarn;
    return read(config).rope.magnitude;
  };
  EXPECT_NEAR(magnitude(), 0.1 * std::log(40) + 1, 1e-12);
  yarn["mscale"] = 0.5;
  EXPECT_NEAR(magnitude(), 0.1 * std::log(40) + 1, 1e-12);
  yarn["mscale_all_dim"] = 2;
  EXPECT_NEAR(magnitude(), (0.05 * std::log(40) + 1) / (0.2 * std::log(40) + 1),
              1e-12);
  yarn["attention_factor"] = 1.25;
  EXPECT_EQ(magnitude(), 1.25);
}

struct Refusal {
  const char *name;
  const char *type;
  json patch; // merged over minimal(), into the text part
  std::vector<std::string> parts;
};

void PrintTo(const Refusal &refusal, std::ostream *out) {
  *out << refusal.name;
}

class RefusedFamilyConfig : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedFamilyConfig, NamesFileKeyExpectedAndFound) {
  json config = minimal(GetParam().type);
  json &text = config.contains("text_config") ? config["text_config"] : config;
  for (const auto &[key, value] : GetParam().patch.items()) {
    if (value == "(removed)") {
      text.erase(key);
    } else {
      text[key] = value;
    }
  }
  auto read = parseModelConfig(config.dump(), "dir/config.json");
  ASSERT_FALSE(read) << "accepted";
  const std::string &message = read.error().message;
  EXPECT_TRUE(message.starts_with("dir/config.json: ")) << message;
  for (const std::string &part : GetParam().parts) {
    EXPECT_NE(message.find(part), std::string::npos)
        << part << " in: " << message;
  }
  EXPECT_EQ(read.error().exitStatus, ExitBadInput);
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_LT(message.size(), 600u);
}

json yarn(const json &more) {
  json scaling = {{"rope_type", "yarn"},
                  {"factor", 8},
                  {"original_max_position_embeddings", 64}};
  scaling.update(more);
  return {{"rope_scaling", scaling}};
}

const Refusal refusals[] = {
    {"LlamaRopeType",
     "llama",
     {{"rope_scaling", {{"rope_type", "longrope"}, {"factor", 2}}}},
     {"rope_scaling.rope_type", "'default', 'llama3' or 'yarn'", "'longrope'"}},
    {"LlamaYarnWithoutFactor",
     "llama",
     {{"rope_scaling",
       {{"rope_type", "yarn"}, {"original_max_position_embeddings", 64}}}},
     {"rope_scaling.factor", "no such key"}},
    {"LlamaYarnBetas",
     "llama",
     yarn({{"beta_fast", 1}, {"beta_slow", 32}}),
     {"rope_scaling.beta_slow", "at most beta_fast = 1", "32"}},
    {"LlamaYarnBase",
     "llama",
     {{"rope_theta", 1.0},
      {"rope_scaling", yarn(json::object())["rope_scaling"]}},
     {"rope_theta", "more than 1"}},
    {"LlamaHeadsDoNotDivide",
     "llama",
     {{"num_key_value_heads", 3}},
     {"num_key_value_heads", "a divisor of num_attention_heads = 4", "3"}},
    {"LlamaHiddenDoesNotDivide",
     "llama",
     {{"hidden_size", 66}},
     {"hidden_size", "a multiple of num_attention_heads = 4", "66"}},
    {"LlamaOddHead", "llama", {{"head_dim", 15}}, {"head_dim", "even"}},
    {"LlamaActivation",
     "llama",
     {{"hidden_act", "gelu"}},
     {"hidden_act", "'silu'", "'gelu'"}},
    {"LlamaNoWidth",
     "llama",
     {{"intermediate_size", "(removed)"}},
     {"intermediate_size", "no such key"}},
    {"LlamaPartialRotation",
     "llama",
     {{"partial_rotary_factor", 0.5}},
     {"partial_rotary_factor", "0.5"}},
    {"LlamaQuantised",
     "llama",
     {{"quantization_config", {{"quant_method", "unheard_of"}}}},
     {"quantization_config", "unheard_of"}},
    {"MixtralTooManyChosen",
     "mixtral",
     {{"num_local_experts", 2}, {"num_experts_per_tok", 3}},
     {"num_experts_per_tok", "at most num_local_experts = 2", "3"}},
    {"MixtralNoExperts",
     "mixtral",
     {{"num_local_experts", 0}},
     {"num_local_experts", "an integer of 1", "0"}},
    {"MixtralWindow",
     "mixtral",
     {{"sliding_window", 0}},
     {"sliding_window", "an integer of 1", "0"}},
    {"MixtralBias",
     "mixtral",
     {{"attention_bias", true}},
     {"attention_bias", "false", "true"}},
    {"QwenWindow",
     "qwen3_moe",
     {{"use_sliding_window", true}},
     {"use_sliding_window", "false", "true"}},
    {"QwenLayerOutside",
     "qwen3_moe",
     {{"mlp_only_layers", {8}}},
     {"mlp_only_layers", "0 to 7", "8"}},
    {"QwenStep",
     "qwen3_moe",
     {{"decoder_sparse_step", 0}},
     {"decoder_sparse_step", "0"}},
    {"GptOssLayerTypes",
     "gpt_oss",
     {{"layer_types", {"full_attention"}}},
     {"layer_types", "each of the 8 layers", "1"}},
    {"GptOssLayerType",
     "gpt_oss",
     {{"layer_types",
       json::array({"chunked_attention", "", "", "", "", "", "", ""})}},
     {"layer_types", "'sliding_attention' or 'full_attention'",
      "'chunked_attention' for layer 0"}},
    {"GptOssLimit", "gpt_oss", {{"swiglu_limit", 0}}, {"swiglu_limit", "0"}},
    {"DeepSeekGroups",
     "deepseek_v3",
     {{"n_group", 3}},
     {"n_group", "a divisor of n_routed_experts = 256", "3"}},
    {"DeepSeekKeptGroups",
     "deepseek_v3",
     {{"n_group", 4}, {"topk_group", 5}},
     {"topk_group", "at most n_group = 4", "5"}},
    {"DeepSeekChosenInGroups",
     "deepseek_v3",
     {{"n_group", 128}, {"topk_group", 3}},
     {"num_experts_per_tok", "at most the 6 experts of 3 groups", "8"}},
    {"DeepSeekScore",
     "deepseek_v3",
     {{"scoring_func", "softmax"}},
     {"scoring_func", "'sigmoid'", "'softmax'"}},
    {"DeepSeekMethod",
     "deepseek_v3",
     {{"topk_method", "greedy"}},
     {"topk_method", "'noaux_tc'", "'greedy'"}},
    {"DeepSeekOddRotary",
     "deepseek_v3",
     {{"qk_rope_head_dim", 7}},
     {"qk_rope_head_dim", "even", "7"}},
    {"QwenTwoNumbersOfExperts",
     "qwen3_moe",
     {{"num_experts", 16}, {"num_local_experts", 8}},
     {"num_experts", "8 as in num_local_experts", "16"}},
    {"MuseNoMultiplier",
     "muse_glimmer",
     {{"output_multiplier", "(removed)"}},
     {"text_config.output_multiplier", "no such key"}},
    {"MuseRopeList",
     "muse_glimmer",
     {{"layer_rope_theta", {0.0, 5e5}}},
     {"layer_rope_theta", "each of the 8 layers", "2"}},
    {"MuseTwoBases",
     "muse_glimmer",
     {{"layer_rope_theta", {5e5, 1e4, 5e5, 0, 5e5, 5e5, 5e5, 0}}},
     {"layer_rope_theta", "one base", "10000 for layer 1"}},
    {"MuseRopeIsText",
     "muse_glimmer",
     {{"layer_rope_theta", {"x"}}},
     {"layer_rope_theta", "a list of numbers", "in it"}},
    {"MuseActivation",
     "muse_glimmer",
     {{"hidden_activation", "gelu"}},
     {"text_config.hidden_activation", "'silu'", "'gelu'"}},
};

INSTANTIATE_TEST_SUITE_P(Table, RefusedFamilyConfig,
                         testing::ValuesIn(refusals), [](const auto &param) {
                           return std::string(param.param.name);
                         });

/// Every preset, one key after the other gone, null, negative, a text or a
/// list: read or refused, and whatever is read has a well-formed graph.
TEST(FamilyConfigTest, AnyKeyMayBeWrong) {
  const json values[] = {
      nullptr, -1, 0, 3, 1e40, "text", json::array({1}), json::object(), true};
  for (const std::string &name : presetNames()) {
    if (!name.ends_with("-golden")) {
      continue;
    }
    const json whole = presetJson(name);
    const json::json_pointer path(whole.contains("text_config") ? "/text_config"
                                                                : "");
    for (const auto &item : whole[path].items()) {
      for (const json &value : values) {
        json changed = whole;
        changed[path][item.key()] = value;
        auto config = parseModelConfig(changed.dump(), "config.json");
        if (config) {
          EXPECT_TRUE(verifyGraph(buildGraph(*config)))
              << name << " " << item.key() << " " << value;
        } else {
          EXPECT_NE(config.error().message.find("config.json: "),
                    std::string::npos);
        }
      }
    }
  }
}

} // namespace
} // namespace chipwright::models
