//===- ConfigTest.cpp - Reading config.json ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "ModelTestSupport.h"

namespace chipwright::models {
namespace {

using nlohmann::json;

/// A flat config.json with what must be there and nothing else.
json minimal() {
  return {{"model_type", "llama4_text"}, {"vocab_size", 64},
          {"hidden_size", 64},           {"intermediate_size", 32},
          {"num_hidden_layers", 8},      {"num_attention_heads", 4}};
}

ModelConfig read(const json &config) {
  auto result = parseModelConfig(config.dump(), "config.json");
  EXPECT_TRUE(result) << result.error().message;
  return result ? result.take() : ModelConfig();
}

TEST(ConfigTest, DefaultsOfTheFamily) {
  ModelConfig config = read(minimal());
  EXPECT_EQ(config.kvHeads, 4);
  EXPECT_EQ(config.headSize, 128);
  EXPECT_EQ(config.normEpsilon, 1e-5);
  EXPECT_EQ(config.rope.theta, 500000);
  EXPECT_EQ(config.rope.scaling.kind, RopeScalingKind::None);
  EXPECT_EQ(config.temperature, (TemperatureConfig{8192, 0.1}));
  EXPECT_EQ(config.experts, 16);
  EXPECT_EQ(config.expertsPerToken, 1);
  EXPECT_EQ(config.expertWidth, 32);
  EXPECT_EQ(config.sharedWidth, 32);
  EXPECT_EQ(config.denseWidth, 16384);
  EXPECT_FALSE(config.tiedEmbeddings);
  EXPECT_EQ(config.weightType, WeightType::Unstated);
  ASSERT_EQ(config.layers.size(), 8u);
  for (size_t l = 0; l < 8; ++l) {
    bool nope = l == 3 || l == 7;
    const LayerConfig &layer = config.layers[l];
    EXPECT_EQ(layer.rope, !nope) << l;
    EXPECT_EQ(layer.qkNorm, !nope) << l;
    EXPECT_EQ(layer.temperature, nope) << l;
    EXPECT_EQ(layer.mask,
              nope ? AttentionMask() : (AttentionMask{MaskKind::Chunked, 8192}))
        << l;
    EXPECT_EQ(layer.feedForward, FeedForward::Experts) << l;
  }
}

TEST(ConfigTest, PublishedModels) {
  auto scoutText = presetConfigText("llama-4-scout");
  ASSERT_TRUE(scoutText);
  auto scout = parseModelConfig(*scoutText, "scout");
  ASSERT_TRUE(scout) << scout.error().message;
  EXPECT_EQ(scout->modelType, "llama4");
  EXPECT_EQ(scout->layers.size(), 48u);
  EXPECT_EQ(scout->denseLayers(), 0);
  EXPECT_EQ(scout->rope.scaling,
            (RopeScaling{RopeScalingKind::Llama3, 16, 1, 1, 8192}));
  EXPECT_TRUE(scout->layers[0].qkNorm);
  EXPECT_TRUE(scout->layers[47].temperature); // stored as the number 4
  EXPECT_EQ(scout->endTokens, (std::vector<int64_t>{200001, 200007, 200008}));
  EXPECT_EQ(scout->weightType, WeightType::BF16);

  auto maverickText = presetConfigText("llama-4-maverick");
  ASSERT_TRUE(maverickText);
  auto maverick = parseModelConfig(*maverickText, "maverick");
  ASSERT_TRUE(maverick) << maverick.error().message;
  EXPECT_EQ(maverick->denseLayers(), 24);
  EXPECT_EQ(maverick->layers[0].feedForward, FeedForward::Dense);
  EXPECT_EQ(maverick->layers[1].feedForward, FeedForward::Experts);
  EXPECT_FALSE(maverick->layers[0].qkNorm);
  EXPECT_EQ(maverick->rope.scaling.kind, RopeScalingKind::None);
}

TEST(ConfigTest, PublishedParameterCounts) {
  // Text parameters, norms included, as the models' cards imply them.
  const std::pair<const char *, int64_t> counts[] = {
      {"llama-4-scout", 107'769'861'120}, {"llama-4-maverick", 400'711'848'960},
      {"llama-3.1-8b", 8'030'261'248},    {"llama-3.1-70b", 70'553'706'496},
      {"llama-3.2-1b", 1'235'814'400},    {"mixtral-8x7b", 46'702'792'704},
      {"qwen3-30b-a3b", 30'532'122'624},  {"gpt-oss-20b", 20'914'757'184},
      {"deepseek-v3", 671'026'419'200},   {"muse-glimmer-30b", 27'854'780'928}};
  for (auto [name, wanted] : counts) {
    auto text = presetConfigText(name);
    ASSERT_TRUE(text);
    Graph graph = buildGraph(read(json::parse(*text)));
    int64_t total = 0;
    for (const Parameter &parameter : graph.parameters) {
      int64_t size = 1;
      for (int64_t n : parameter.shape) {
        size *= n;
      }
      total += size;
    }
    EXPECT_EQ(total, wanted) << name;
  }
}

TEST(ConfigTest, EveryPresetReads) {
  std::vector<std::string> names = presetNames();
  EXPECT_GE(names.size(), 5u);
  for (const std::string &name : names) {
    auto text = presetConfigText(name);
    ASSERT_TRUE(text) << name;
    auto config = parseModelConfig(*text, name);
    EXPECT_TRUE(config) << config.error().message;
  }
  auto unknown = presetConfigText("../presets/llama4-golden");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("llama4-golden"), std::string::npos);
}

TEST(ConfigTest, LayerLists) {
  json config = minimal();
  config["no_rope_layers"] = {1, 0, 1, 0, true, false, 1, 1};
  config["moe_layers"] = {0, 7};
  ModelConfig listed = read(config);
  for (size_t l = 0; l < 8; ++l) {
    EXPECT_EQ(listed.layers[l].rope, l != 1 && l != 3 && l != 5) << l;
    EXPECT_EQ(listed.layers[l].feedForward == FeedForward::Experts,
              l == 0 || l == 7)
        << l;
  }
  // Masks follow rope unless layer_types says otherwise.
  EXPECT_EQ(listed.layers[1].mask.kind, MaskKind::Causal);
  config["layer_types"] = json::array();
  for (int l = 0; l < 8; ++l) {
    config["layer_types"].push_back(l == 1 ? "chunked_attention"
                                           : "full_attention");
  }
  ModelConfig typed = read(config);
  EXPECT_EQ(typed.layers[0].mask.kind, MaskKind::Causal);
  EXPECT_EQ(typed.layers[1].mask.kind, MaskKind::Chunked);
  EXPECT_FALSE(typed.layers[1].rope);

  for (const json &none : {json(nullptr), json::array()}) {
    config = minimal();
    config["no_rope_layers"] = none;
    config["no_rope_layer_interval"] = 2;
    ModelConfig spaced = read(config);
    EXPECT_TRUE(spaced.layers[0].rope);
    EXPECT_FALSE(spaced.layers[1].rope);
    EXPECT_FALSE(spaced.layers[7].rope);
  }
  config = minimal();
  config["moe_layers"] = json::array();
  EXPECT_EQ(read(config).denseLayers(), 8);
  config["moe_layers"] = nullptr;
  config["interleave_moe_layer_step"] = 3;
  ModelConfig interleaved = read(config);
  EXPECT_EQ(interleaved.denseLayers(), 6);
  EXPECT_EQ(interleaved.layers[2].feedForward, FeedForward::Experts);
  EXPECT_EQ(interleaved.layers[5].feedForward, FeedForward::Experts);
}

TEST(ConfigTest, NullMeansItsOwnThing) {
  json config = minimal();
  config["head_dim"] = nullptr; // hidden_size / num_attention_heads
  config["attention_chunk_size"] = nullptr;
  config["num_key_value_heads"] = nullptr;
  config["rope_scaling"] = nullptr;
  config["layer_types"] = nullptr;
  ModelConfig read1 = read(config);
  EXPECT_EQ(read1.headSize, 16);
  EXPECT_EQ(read1.kvHeads, 4);
  for (const LayerConfig &layer : read1.layers) {
    EXPECT_EQ(layer.mask, AttentionMask());
  }
}

TEST(ConfigTest, TemperatureSwitch) {
  const std::pair<json, bool> values[] = {
      {true, true}, {false, false}, {4, true}, {0, false}, {nullptr, true}};
  for (const auto &[value, on] : values) {
    json config = minimal();
    config["attn_temperature_tuning"] = value;
    EXPECT_EQ(read(config).layers[3].temperature, on) << value;
  }
}

TEST(ConfigTest, RopeKeysOfBothVersions) {
  RopeScaling wanted{RopeScalingKind::Llama3, 8, 1, 4, 1024};
  json scaling = {{"rope_type", "llama3"},
                  {"factor", 8},
                  {"low_freq_factor", 1.0},
                  {"high_freq_factor", 4.0},
                  {"original_max_position_embeddings", 1024}};
  json config = minimal();
  config["rope_theta"] = 1e4;
  config["rope_scaling"] = scaling;
  EXPECT_EQ(read(config).rope,
            (RopeConfig{RopePairing::Neighbours, 1e4, wanted}));
  // "type" is the older key.
  config["rope_scaling"].erase("rope_type");
  config["rope_scaling"]["type"] = "llama3";
  EXPECT_EQ(read(config).rope.scaling, wanted);

  config = minimal();
  config["rope_parameters"] = scaling;
  config["rope_parameters"]["rope_theta"] = 250000.0;
  EXPECT_EQ(read(config).rope,
            (RopeConfig{RopePairing::Neighbours, 250000, wanted}));
  config["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 77}};
  EXPECT_EQ(read(config).rope, (RopeConfig{RopePairing::Neighbours, 77, {}}));
  // Both keys with the same contents.
  config = minimal();
  config["rope_scaling"] = scaling;
  config["rope_parameters"] = scaling;
  EXPECT_EQ(read(config).rope.scaling, wanted);
}

TEST(ConfigTest, NestedAndFlatAreTheSameModel) {
  json flat = minimal();
  json nested = {{"model_type", "llama4"},
                 {"text_config", flat},
                 {"vision_config", {{"hidden_size", "not read"}}},
                 {"tie_word_embeddings", true},
                 {"dtype", "float32"}};
  nested["text_config"].erase("model_type");
  ModelConfig config = read(nested);
  EXPECT_EQ(config.hidden, 64);
  EXPECT_TRUE(config.tiedEmbeddings);
  EXPECT_EQ(config.weightType, WeightType::F32);
  EXPECT_EQ(config.layers, read(flat).layers);
  nested["text_config"]["tie_word_embeddings"] = false;
  EXPECT_FALSE(read(nested).tiedEmbeddings);
}

struct Refusal {
  const char *name;
  json patch; // merged over minimal()
  std::vector<std::string> parts;
};

void PrintTo(const Refusal &refusal, std::ostream *out) {
  *out << refusal.name;
}

class RefusedConfig : public testing::TestWithParam<Refusal> {};

void expectRefused(const std::string &text,
                   const std::vector<std::string> &parts) {
  auto config = parseModelConfig(text, "dir/config.json");
  ASSERT_FALSE(config) << "accepted";
  const std::string &message = config.error().message;
  EXPECT_TRUE(message.starts_with("dir/config.json: ")) << message;
  for (const std::string &part : parts) {
    EXPECT_NE(message.find(part), std::string::npos)
        << part << " in: " << message;
  }
  EXPECT_EQ(config.error().exitStatus, ExitBadInput);
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_LT(message.size(), 600u);
}

TEST_P(RefusedConfig, NamesFileKeyExpectedAndFound) {
  json config = minimal();
  // merge_patch() would delete keys that are null; here null is a value.
  for (const auto &[key, value] : GetParam().patch.items()) {
    if (value == "(removed)") {
      config.erase(key);
    } else {
      config[key] = value;
    }
  }
  expectRefused(config.dump(), GetParam().parts);
}

json llama3(const char *key, const json &value) {
  json scaling = {{"rope_type", "llama3"},
                  {"factor", 8},
                  {"low_freq_factor", 1.0},
                  {"high_freq_factor", 4.0},
                  {"original_max_position_embeddings", 1024}};
  if (value == "(removed)") {
    scaling.erase(key);
  } else {
    scaling[key] = value;
  }
  return {{"rope_scaling", scaling}};
}

const Refusal refusals[] = {
    {"NoModelType",
     {{"model_type", "(removed)"}},
     {"model_type", "no such key"}},
    {"UnknownModelType",
     {{"model_type", "llama5"}},
     {"model_type", "llama4_text", "'llama5'"}},
    {"ModelTypeIsNumber", {{"model_type", 4}}, {"model_type", "a text", "4"}},
    {"NestedWithoutText",
     {{"model_type", "llama4"}},
     {"text_config", "an object", "no such key"}},
    {"NestedTextIsList",
     {{"model_type", "llama4"}, {"text_config", {1, 2}}},
     {"text_config", "the list [1,2]"}},
    {"NestedTextOfOtherType",
     {{"model_type", "llama4"},
      {"text_config",
       {{"model_type", "llama"},
        {"vocab_size", 1},
        {"hidden_size", 2},
        {"intermediate_size", 2},
        {"num_hidden_layers", 1},
        {"num_attention_heads", 1}}}},
     {"text_config.model_type", "llama4_text", "'llama'"}},
    {"NestedKeyNamedWithItsPath",
     {{"model_type", "llama4"}, {"text_config", json::object()}},
     {"text_config.num_hidden_layers", "no such key"}},
    {"NoHidden",
     {{"hidden_size", "(removed)"}},
     {"hidden_size", "an integer", "no such key"}},
    {"NullHidden", {{"hidden_size", nullptr}}, {"hidden_size", "found null"}},
    {"NoLayers",
     {{"num_hidden_layers", "(removed)"}},
     {"num_hidden_layers", "no such key"}},
    {"NoHeads",
     {{"num_attention_heads", "(removed)"}},
     {"num_attention_heads", "no such key"}},
    {"NoVocabulary",
     {{"vocab_size", "(removed)"}},
     {"vocab_size", "no such key"}},
    {"NoWidth",
     {{"intermediate_size", "(removed)"}},
     {"intermediate_size", "no such key"}},
    {"HiddenIsText",
     {{"hidden_size", "64"}},
     {"hidden_size", "an integer", "the text '64'"}},
    {"HiddenIsReal", {{"hidden_size", 64.5}}, {"hidden_size", "64.5"}},
    {"HiddenIsList", {{"hidden_size", {64}}}, {"hidden_size", "the list [64]"}},
    {"HiddenIsTrue", {{"hidden_size", true}}, {"hidden_size", "found true"}},
    {"HiddenIsZero", {{"hidden_size", 0}}, {"hidden_size", "found 0"}},
    {"HiddenIsNegative", {{"hidden_size", -64}}, {"hidden_size", "-64"}},
    {"HiddenIsHuge",
     {{"hidden_size", 18446744073709551615u}},
     {"hidden_size", "18446744073709551615"}},
    {"LayersAreHuge",
     {{"num_hidden_layers", 1000000000}},
     {"num_hidden_layers", "1 to 4096", "1000000000"}},
    {"HeadsDoNotDivide",
     {{"num_key_value_heads", 3}},
     {"num_key_value_heads", "a divisor of num_attention_heads = 4",
      "found 3"}},
    {"MoreKeyHeadsThanHeads",
     {{"num_key_value_heads", 8}},
     {"num_key_value_heads", "found 8"}},
    {"HiddenDoesNotDivide",
     {{"head_dim", nullptr}, {"num_attention_heads", 7}},
     {"hidden_size", "a multiple of num_attention_heads = 7", "found 64"}},
    {"OddHeadSize", {{"head_dim", 15}}, {"head_dim", "an even number", "15"}},
    {"UnknownActivation",
     {{"hidden_act", "gelu"}},
     {"hidden_act", "'silu'", "'gelu'"}},
    {"AttentionBias",
     {{"attention_bias", true}},
     {"attention_bias", "false", "true"}},
    {"BiasIsNumber", {{"attention_bias", 0}}, {"attention_bias", "found 0"}},
    {"UnknownWeightType",
     {{"torch_dtype", "float8_e4m3fn"}},
     {"torch_dtype", "bfloat16", "float8_e4m3fn"}},
    {"UnknownNewWeightType", {{"dtype", "int8"}}, {"dtype", "'int8'"}},
    {"Quantised",
     {{"quantization_config", {{"quant_method", "compressed-tensors"}}}},
     {"quantization_config", "compressed-tensors", "before quantisation"}},
    {"QuantisedWithoutMethod",
     {{"quantization_config", json::object()}},
     {"quantization_config", "without quant_method"}},
    {"QuantisationIsText",
     {{"quantization_config", "fp8"}},
     {"quantization_config", "an object", "'fp8'"}},
    {"EpsilonIsNegative", {{"rms_norm_eps", -1e-5}}, {"rms_norm_eps"}},
    {"EpsilonIsText", {{"rms_norm_eps", "1e-5"}}, {"rms_norm_eps", "a number"}},
    {"ThetaIsZero", {{"rope_theta", 0}}, {"rope_theta", "found 0"}},
    {"PartialRotation",
     {{"partial_rotary_factor", 0.5}},
     {"partial_rotary_factor", "0.5"}},
    {"RopeIsText",
     {{"rope_scaling", "llama3"}},
     {"rope_scaling", "an object", "'llama3'"}},
    {"UnknownRopeType",
     llama3("rope_type", "yarn"),
     {"rope_scaling.rope_type", "'default' or 'llama3'", "'yarn'"}},
    {"UnknownOldRopeType",
     {{"rope_scaling", {{"type", "dynamic"}, {"factor", 2}}}},
     {"rope_scaling.type", "'dynamic'"}},
    {"UnknownRopeTypeOfV5",
     {{"rope_parameters", {{"rope_type", "longrope"}}}},
     {"rope_parameters.rope_type", "'longrope'"}},
    {"RopeTypeIsNumber", llama3("rope_type", 3), {"rope_type", "a text"}},
    {"NoFactor",
     llama3("factor", "(removed)"),
     {"rope_scaling.factor", "no such key"}},
    {"FactorBelowOne", llama3("factor", 0.5), {"rope_scaling.factor", "0.5"}},
    {"NoLowFactor",
     llama3("low_freq_factor", "(removed)"),
     {"low_freq_factor", "no such key"}},
    {"ExchangedFactors",
     llama3("low_freq_factor", 5),
     {"low_freq_factor", "at most high_freq_factor = 4", "exchanged"}},
    {"NoOriginalLength",
     llama3("original_max_position_embeddings", "(removed)"),
     {"original_max_position_embeddings", "no such key"}},
    {"OriginalLengthIsNull",
     llama3("original_max_position_embeddings", nullptr),
     {"original_max_position_embeddings", "found null"}},
    {"RopeKeysDiffer",
     {{"rope_scaling", {{"rope_type", "default"}}},
      {"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 5}}}},
     {"rope_parameters", "the same rotary embedding", "delete one"}},
    {"NoRopeLayersTooShort",
     {{"no_rope_layers", {1, 0}}},
     {"no_rope_layers", "each of the 8 layers", "found 2"}},
    {"NoRopeLayersOfTwos",
     {{"no_rope_layers", {1, 1, 1, 2, 1, 1, 1, 1}}},
     {"no_rope_layers", "0 to 1", "2 in it"}},
    {"NoRopeLayersIsNumber", {{"no_rope_layers", 4}}, {"no_rope_layers"}},
    {"NoRopeIntervalIsZero",
     {{"no_rope_layer_interval", 0}},
     {"no_rope_layer_interval", "found 0"}},
    {"LayerTypesTooShort",
     {{"layer_types", {"full_attention"}}},
     {"layer_types", "each of the 8 layers", "found 1"}},
    {"UnknownLayerType",
     {{"layer_types", json(std::vector<std::string>(8, "sliding_attention"))}},
     {"layer_types", "'chunked_attention'", "sliding_attention"}},
    {"LayerTypesOfNumbers",
     {{"layer_types", {1, 2}}},
     {"layer_types", "a list of texts"}},
    {"MoeLayerBeyond",
     {{"moe_layers", {0, 8}}},
     {"moe_layers", "0 to 7", "8 in it"}},
    {"MoeLayerOfText", {{"moe_layers", {"0"}}}, {"moe_layers", "the text '0'"}},
    {"MoeStepIsZero",
     {{"interleave_moe_layer_step", 0}},
     {"interleave_moe_layer_step", "found 0"}},
    {"NoExperts", {{"num_local_experts", 0}}, {"num_local_experts", "found 0"}},
    {"MoreChosenThanExperts",
     {{"num_local_experts", 4}, {"num_experts_per_tok", 5}},
     {"num_experts_per_tok", "at most num_local_experts = 4", "found 5"}},
    {"ChunkIsZero",
     {{"attention_chunk_size", 0}},
     {"attention_chunk_size", "found 0"}},
    {"ChunkIsText",
     {{"attention_chunk_size", "8192"}},
     {"attention_chunk_size", "'8192'"}},
    {"FloorScaleIsZero", {{"floor_scale", 0}}, {"floor_scale", "found 0"}},
    {"TemperatureIsText",
     {{"attn_temperature_tuning", "yes"}},
     {"attn_temperature_tuning", "true, false or an integer", "'yes'"}},
    {"QkNormIsNumber", {{"use_qk_norm", 1}}, {"use_qk_norm", "true or false"}},
    {"TiedIsText",
     {{"tie_word_embeddings", "no"}},
     {"tie_word_embeddings", "true or false"}},
    {"EndTokenIsText", {{"eos_token_id", "</s>"}}, {"eos_token_id"}},
};

INSTANTIATE_TEST_SUITE_P(Table, RefusedConfig, testing::ValuesIn(refusals),
                         [](const auto &param) { return param.param.name; });

TEST(RefusedConfigText, SyntaxAndNumbers) {
  std::string good = minimal().dump();
  std::string open = good.substr(0, good.size() - 1);
  const std::pair<std::string, const char *> cases[] = {
      {"", "expected JSON"},
      {"null", "expected an object"},
      {"[1]", "expected an object"},
      {open, "expected JSON"},
      {good + "x", "expected JSON"},
      {open + R"(,"hidden_size":128})", "'hidden_size' twice"},
      {open + R"(,"rms_norm_eps":NaN})", "expected JSON"},
      {open + R"(,"rms_norm_eps":Infinity})", "expected JSON"},
      {open + R"(,"rms_norm_eps":1e999})", "expected JSON"},
      {open + R"(,"head_dim":99999999999999999999999})", "head_dim"},
      {open + R"(,"head_dim":-9223372036854775808})", "head_dim"},
      {open + R"(,"hidden_act":")"
              "\xff\"}",
       "expected JSON"},
      {open + R"(,"hidden_act":")" + std::string(100000, 'a') + "\"}",
       "hidden_act"},
      {open + R"(,"x":)" + std::string(100000, '['), "levels of nesting"},
      {open + R"(,"x":)" + std::string(100000, '{'), "expected JSON"},
      {std::string("\0\0\0\0", 4), "expected JSON"},
      {"\xef\xbb\xbf", "expected JSON"},
  };
  for (const auto &[text, message] : cases) {
    SCOPED_TRACE(text.substr(0, 40));
    expectRefused(text, {message});
  }
}

TEST(RefusedConfigText, FlippedBitsGiveAModelOrASentence) {
  const std::string whole = presetJson("llama4-golden").dump();
  size_t refused = 0;
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    auto config = parseModelConfig(damaged, "config.json");
    if (!config) {
      ++refused;
      EXPECT_EQ(config.error().message.find('\n'), std::string::npos);
      EXPECT_LT(config.error().message.size(), 600u);
      continue;
    }
    // Whatever was accepted is a model: its graph is well formed.
    auto done = verifyGraph(buildGraph(*config));
    EXPECT_TRUE(done) << done.error().message;
  }
  EXPECT_GT(refused, whole.size());
}

TEST(RefusedConfigFile, MissingDirectoryAndEmpty) {
  ScratchDirectory scratch;
  const std::string missing = scratch / "none.json";
  auto none = readModelConfig(missing);
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().message.starts_with(missing));
  EXPECT_NE(none.error().message.find("No such file"), std::string::npos);
  auto directory = readModelConfig(scratch.string());
  ASSERT_FALSE(directory);
  EXPECT_NE(directory.error().message.find("a directory"), std::string::npos);
  auto device = readModelConfig("/dev/zero");
  ASSERT_FALSE(device);
  EXPECT_NE(device.error().message.find("no regular file"), std::string::npos);
  writeAll(scratch / "config.json", "");
  EXPECT_FALSE(readModelConfig(scratch / "config.json"));
  writeAll(scratch / "config.json", minimal().dump());
  EXPECT_TRUE(readModelConfig(scratch / "config.json"));
}

} // namespace
} // namespace chipwright::models
