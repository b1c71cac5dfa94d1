//===- CheckpointTest.cpp - Weights of a model, in every layout -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/Checkpoint.h"
#include "ModelTestSupport.h"
#include "models/Safetensors.h"

#include <cstring>

namespace chipwright::models {
namespace {

nlohmann::json smallConfig() {
  nlohmann::json json = presetJson("llama4-demo");
  json["vocab_size"] = 40;
  json["hidden_size"] = 24;
  json["intermediate_size"] = 20;
  json["intermediate_size_mlp"] = 36;
  json["num_local_experts"] = 3;
  json["num_attention_heads"] = 2;
  json["num_key_value_heads"] = 1;
  json["head_dim"] = 8;
  return json;
}

/// The tensors of one layout as numbers of another: weights by name cannot
/// tell, so the values are copied through the canonical form.
struct Relaid {
  ModelConfig config;
  Graph graph;
  std::shared_ptr<MemoryTensors> tensors;
};

Relaid relay(const nlohmann::json &json, ExpertLayout layout,
             StoredType type = StoredType::F32) {
  TestModel model = TestModel::make(json, WeightRule{7});
  StorageForm form = publishedForm(model.config, layout);
  auto tensors = std::make_shared<MemoryTensors>();
  for (TensorSpec spec : storedTensors(model.graph, form)) {
    spec.type = type;
    tensors->add(spec);
  }
  auto bindings = bindParameters(model.graph, form);
  for (size_t id = 0; id < bindings.size(); ++id) {
    auto parameter = static_cast<ParameterId>(id);
    Weights::Size size = model.weights.size(parameter);
    for (int64_t m = 0; m < size.matrices; ++m) {
      HostMatrix<float> values(size.rows, size.columns);
      EXPECT_TRUE(model.weights.read(parameter,
                                     Tile{m, 0, size.rows, 0, size.columns},
                                     values.data(), size.columns));
      const auto &parts = bindings[id].parts;
      const StoredPart &part =
          parts[parts.size() == 1 ? 0 : static_cast<size_t>(m)];
      int64_t base =
          part.offset + (parts.size() == 1 ? m * part.matrixStride : 0);
      const StoredTensor *stored = tensors->find(part.tensor.name);
      auto *data = const_cast<std::byte *>(stored->data);
      for (int64_t r = 0; r < size.rows; ++r) {
        for (int64_t c = 0; c < size.columns; ++c) {
          int64_t at = base + r * part.rowStride + c * part.columnStride;
          float value = values(r, c);
          uint16_t narrow = type == StoredType::BF16 ? bfloatOfFloat(value)
                                                     : halfOfFloat(value);
          double wide = value;
          switch (type) {
          case StoredType::F32:
            std::memcpy(data + 4 * at, &value, 4);
            break;
          case StoredType::F64:
            std::memcpy(data + 8 * at, &wide, 8);
            break;
          default:
            std::memcpy(data + 2 * at, &narrow, 2);
          }
        }
      }
    }
  }
  return {model.config, model.graph, tensors};
}

HostMatrix<float> logitsOf(const Relaid &relaid) {
  auto weights =
      Weights::bind(relaid.config, relaid.graph, relaid.tensors, "test");
  EXPECT_TRUE(weights) << weights.error().message;
  ModelRun<float> run(relaid.graph, *weights, 40);
  return run.logits(rampIds(40, 40));
}

TEST(CheckpointTest, ExpertLayoutsAreTheSameModel) {
  HostMatrix<float> wanted =
      logitsOf(relay(smallConfig(), ExpertLayout::StackedInOut));
  EXPECT_TRUE(wanted.allFinite());
  for (auto layout : {ExpertLayout::StackedOutIn, ExpertLayout::PerExpert}) {
    Relaid relaid = relay(smallConfig(), layout);
    auto form = detectForm(relaid.config, *relaid.tensors, "test");
    ASSERT_TRUE(form);
    EXPECT_EQ(form->experts[1], layout);
    EXPECT_EQ(logitsOf(relaid), wanted);
  }
}

TEST(CheckpointTest, ExpertLayoutsByTheirElements) {
  // Independent of the bindings: expert e, output r, input c of the model with
  // 3 experts of width I = 20 on H = 24 by index arithmetic.
  auto floats = [](const Relaid &relaid, const std::string &suffix) {
    const StoredTensor *stored =
        relaid.tensors->find("model.layers.1.feed_forward.experts." + suffix);
    EXPECT_TRUE(stored) << suffix;
    std::vector<float> values(stored->bytes / 4);
    std::memcpy(values.data(), stored->data, stored->bytes);
    return values;
  };
  Relaid inOut = relay(smallConfig(), ExpertLayout::StackedInOut);
  Relaid outIn = relay(smallConfig(), ExpertLayout::StackedOutIn);
  Relaid perExpert = relay(smallConfig(), ExpertLayout::PerExpert);
  std::vector<float> a = floats(inOut, "gate_up_proj");
  std::vector<float> b = floats(outIn, "gate_up_proj");
  std::vector<float> down = floats(inOut, "down_proj");
  for (size_t e = 0; e < 3; ++e) {
    std::string expert = std::to_string(e) + ".";
    std::vector<float> gate = floats(perExpert, expert + "gate_proj.weight");
    std::vector<float> up = floats(perExpert, expert + "up_proj.weight");
    std::vector<float> out = floats(perExpert, expert + "down_proj.weight");
    for (size_t r = 0; r < 20; ++r) {
      for (size_t c = 0; c < 24; ++c) {
        EXPECT_EQ(gate[r * 24 + c], a[(e * 24 + c) * 40 + r]);
        EXPECT_EQ(up[r * 24 + c], a[(e * 24 + c) * 40 + 20 + r]);
        EXPECT_EQ(gate[r * 24 + c], b[(e * 40 + r) * 24 + c]);
        EXPECT_EQ(up[r * 24 + c], b[(e * 40 + 20 + r) * 24 + c]);
        EXPECT_EQ(out[c * 20 + r], down[(e * 20 + r) * 24 + c]);
      }
    }
  }
}

TEST(CheckpointTest, LayoutsWhoseShapesNearlyAgree) {
  // H = 2I: gate_up_proj looks the same both ways, down_proj decides;
  // H = I: the other way round.
  for (int width : {12, 24}) {
    nlohmann::json json = smallConfig();
    json["intermediate_size"] = width;
    HostMatrix<float> wanted =
        logitsOf(relay(json, ExpertLayout::StackedInOut));
    EXPECT_EQ(logitsOf(relay(json, ExpertLayout::StackedOutIn)), wanted);
  }
}

TEST(CheckpointTest, ElementTypesAreTheSameModel) {
  HostMatrix<float> wanted =
      logitsOf(relay(smallConfig(), ExpertLayout::StackedInOut));
  for (auto type : {StoredType::BF16, StoredType::F64}) {
    EXPECT_EQ(logitsOf(relay(smallConfig(), ExpertLayout::PerExpert, type)),
              wanted);
  }
  // fp16 holds values made for bf16 unless they are tiny.
  EXPECT_LE(largestDifference(
                logitsOf(relay(smallConfig(), ExpertLayout::StackedInOut,
                               StoredType::F16)),
                wanted),
            1e-3);
}

TEST(CheckpointTest, TilesAreReadWithinTheirParameter) {
  Relaid relaid = relay(smallConfig(), ExpertLayout::StackedInOut);
  auto weights =
      Weights::bind(relaid.config, relaid.graph, relaid.tensors, "test");
  ASSERT_TRUE(weights);
  ParameterId up = -1;
  for (const Parameter &parameter : relaid.graph.parameters) {
    if (parameter.name == "layers.1.feed_forward.experts.up_proj") {
      up = parameter.id;
    }
  }
  ASSERT_GE(up, 0);
  Weights::Size size = weights->size(up);
  EXPECT_EQ(size.matrices, 3);
  EXPECT_EQ(size.rows, 20);
  EXPECT_EQ(size.columns, 24);
  HostMatrix<double> whole(20, 24);
  ASSERT_TRUE(weights->read(up, Tile{2, 0, 20, 0, 24}, whole.data(), 24));
  HostMatrix<double> part = HostMatrix<double>::Constant(5, 10, 99);
  ASSERT_TRUE(weights->read(up, Tile{2, 7, 5, 11, 6}, part.data(), 10));
  EXPECT_EQ(HostMatrix<double>(part.leftCols(6)),
            HostMatrix<double>(whole.block(7, 11, 5, 6)));
  EXPECT_TRUE((part.rightCols(4).array() == 99).all());
  const Tile outside[] = {{3, 0, 1, 0, 1},         {-1, 0, 1, 0, 1},
                          {0, 20, 1, 0, 1},        {0, 19, 2, 0, 1},
                          {0, -1, 1, 0, 1},        {0, 0, 1, 24, 1},
                          {0, 0, 1, 0, 25},        {0, 0, -1, 0, 1},
                          {0, INT64_MAX, 1, 0, 1}, {0, 1, INT64_MAX, 0, 1}};
  for (const Tile &tile : outside) {
    auto done = weights->read(up, tile, part.data(), 10);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("experts.up_proj"), std::string::npos);
  }
  EXPECT_FALSE(weights->read(-1, Tile{}, part.data(), 10));
  EXPECT_FALSE(weights->read(10000, Tile{}, part.data(), 10));
}

/// Renames every tensor by \p rename.
std::shared_ptr<MemoryTensors>
renamed(const TensorStore &store,
        const std::function<std::string(const std::string &)> &rename) {
  auto result = std::make_shared<MemoryTensors>();
  for (const auto &[name, tensor] : store.tensors()) {
    TensorSpec spec = tensor;
    spec.name = rename(name);
    std::memcpy(result->add(spec), tensor.data, tensor.bytes);
  }
  return result;
}

TEST(CheckpointTest, PrefixesOfTextAndMultimodalFiles) {
  Relaid text = relay(smallConfig(), ExpertLayout::StackedInOut);
  HostMatrix<float> wanted = logitsOf(text);
  auto v4 = renamed(*text.tensors, [](const std::string &name) {
    return "language_model." + name;
  });
  auto v5 = renamed(*text.tensors, [](const std::string &name) {
    return name.starts_with("model.") ? "model.language_model." + name.substr(6)
                                      : name;
  });
  for (const auto &tensors : {v4, v5}) {
    Relaid relaid{text.config, text.graph, tensors};
    EXPECT_EQ(logitsOf(relaid), wanted);
    // The other modalities of such files are skipped.
    for (const char *name :
         {"vision_model.class_embedding", "model.vision_model.x",
          "multi_modal_projector.linear_1.weight"}) {
      tensors->add({name, StoredType::F8E4M3, {3}});
    }
    EXPECT_EQ(logitsOf(relaid), wanted);
  }
}

TEST(CheckpointTest, TiedEmbeddingsNeedNoHead) {
  nlohmann::json json = smallConfig();
  json["tie_word_embeddings"] = true;
  Relaid tied = relay(json, ExpertLayout::StackedInOut);
  EXPECT_EQ(tied.tensors->find("lm_head.weight"), nullptr);
  HostMatrix<float> logits = logitsOf(tied);
  EXPECT_EQ(logits.cols(), 40);
  // The same with the table copied to a head of its own.
  Relaid untied = relay(smallConfig(), ExpertLayout::StackedInOut);
  untied.tensors =
      renamed(*tied.tensors, [](const auto &name) { return name; });
  const StoredTensor *table = tied.tensors->find("model.embed_tokens.weight");
  std::memcpy(
      untied.tensors->add({"lm_head.weight", table->type, table->shape}),
      table->data, table->bytes);
  EXPECT_EQ(logitsOf(untied), logits);
  // Some exports store the head all the same; the table counts.
  tied.tensors->add({"lm_head.weight", StoredType::F32, {40, 24}});
  EXPECT_EQ(logitsOf(tied), logits);
}

struct WrongTensors {
  const char *name;
  std::function<std::shared_ptr<MemoryTensors>(const Relaid &)> damage;
  std::vector<std::string> parts;
};

void PrintTo(const WrongTensors &wrong, std::ostream *out) {
  *out << wrong.name;
}

class RefusedTensors : public testing::TestWithParam<WrongTensors> {};

/// All tensors but \p without.
std::shared_ptr<MemoryTensors> dropped(const Relaid &relaid,
                                       const std::string &without) {
  auto result = std::make_shared<MemoryTensors>();
  for (const auto &[name, tensor] : relaid.tensors->tensors()) {
    if (name != without) {
      std::memcpy(result->add(tensor), tensor.data, tensor.bytes);
    }
  }
  return result;
}

std::shared_ptr<MemoryTensors> replaced(const Relaid &relaid,
                                        const TensorSpec &spec) {
  auto result = dropped(relaid, spec.name);
  result->add(spec);
  return result;
}

const WrongTensors wrongTensors[] = {
    {"NoEmbedding",
     [](const Relaid &r) { return dropped(r, "model.embed_tokens.weight"); },
     {"language_model.model.embed_tokens.weight", "found none"}},
    {"TwoPrefixes",
     [](const Relaid &r) {
       return replaced(r, {"language_model.model.embed_tokens.weight",
                           StoredType::F32,
                           {40, 24}});
     },
     {"expected one of", " and "}},
    {"NoHead",
     [](const Relaid &r) { return dropped(r, "lm_head.weight"); },
     {"'lm_head.weight'", "[40, 24]", "no such tensor"}},
    {"NoNorm",
     [](const Relaid &r) {
       return dropped(r, "model.layers.2.input_layernorm.weight");
     },
     {"layers.2.input_layernorm.weight", "[24]", "no such tensor"}},
    {"NoRouter",
     [](const Relaid &r) {
       return dropped(r, "model.layers.1.feed_forward.router.weight");
     },
     {"layers.1.feed_forward.router.weight", "[3, 24]"}},
    {"NoExperts",
     [](const Relaid &r) {
       return dropped(r, "model.layers.1.feed_forward.experts.gate_up_proj");
     },
     {"layers.1.feed_forward.experts.gate_up_proj", "no such tensor"}},
    {"NoDown",
     [](const Relaid &r) {
       return dropped(r, "model.layers.1.feed_forward.experts.down_proj");
     },
     {"layers.1.feed_forward.experts.down_proj", "no such tensor"}},
    {"WrongHeads",
     [](const Relaid &r) {
       return replaced(r, {"model.layers.0.self_attn.q_proj.weight",
                           StoredType::BF16,
                           {24, 24}});
     },
     {"q_proj.weight", "expected shape [16, 24], found [24, 24]"}},
    {"WrongRank",
     [](const Relaid &r) {
       return replaced(r, {"model.norm.weight", StoredType::BF16, {1, 24}});
     },
     {"model.norm.weight", "[24], found [1, 24]"}},
    {"WrongExpertShape",
     [](const Relaid &r) {
       return replaced(r, {"model.layers.1.feed_forward.experts.gate_up_proj",
                           StoredType::BF16,
                           {3, 24, 41}});
     },
     {"experts.gate_up_proj", "[3, 24, 40]", "[3, 24, 41]"}},
    {"WrongExpertCount",
     [](const Relaid &r) {
       return replaced(r, {"model.layers.1.feed_forward.experts.down_proj",
                           StoredType::BF16,
                           {4, 20, 24}});
     },
     {"down_proj", "[3, 20, 24]", "[4, 20, 24]"}},
    {"ExpertsOfTwoLayouts",
     [](const Relaid &r) {
       return replaced(r, {"model.layers.1.feed_forward.experts.down_proj",
                           StoredType::BF16,
                           {3, 24, 20}});
     },
     {"down_proj", "both with the last two sizes exchanged"}},
    {"IntegerWeights",
     [](const Relaid &r) {
       return replaced(r, {"model.norm.weight", StoredType::I32, {24}});
     },
     {"model.norm.weight", "BF16, F16, F32 or F64", "I32"}},
    {"EightBitWeights",
     [](const Relaid &r) {
       return replaced(r, {"lm_head.weight", StoredType::F8E4M3, {40, 24}});
     },
     {"lm_head.weight", "F8_E4M3", "before quantisation"}},
    {"TensorOfNobody",
     [](const Relaid &r) {
       return replaced(
           r, {"model.layers.0.self_attn.q_norm.weight", StoredType::F32, {8}});
     },
     {"q_norm.weight", "expected only tensors", "F32 [8]"}},
    {"OneLayerMore",
     [](const Relaid &r) {
       return replaced(
           r, {"model.layers.4.input_layernorm.weight", StoredType::F32, {24}});
     },
     {"layers.4.input_layernorm.weight", "different models"}},
    {"ScaleOfQuantisedWeights",
     [](const Relaid &r) {
       return replaced(r, {"lm_head.weight_scale", StoredType::F32, {40, 1}});
     },
     {"lm_head.weight_scale", "expected only tensors"}},
};

TEST_P(RefusedTensors, NameExpectedAndFound) {
  Relaid relaid = relay(smallConfig(), ExpertLayout::StackedInOut);
  auto weights = Weights::bind(relaid.config, relaid.graph,
                               GetParam().damage(relaid), "dir");
  ASSERT_FALSE(weights) << "accepted";
  const std::string &message = weights.error().message;
  for (const std::string &part : GetParam().parts) {
    EXPECT_NE(message.find(part), std::string::npos)
        << part << " in: " << message;
  }
  EXPECT_LT(message.size(), 600u);
}

INSTANTIATE_TEST_SUITE_P(Table, RefusedTensors, testing::ValuesIn(wrongTensors),
                         [](const auto &param) { return param.param.name; });

TEST(CheckpointTest, WrittenCheckpointsAreTheModelInMemory) {
  std::string text = presetJson("llama4-golden").dump();
  TestModel memory = TestModel::make(presetJson("llama4-golden"));
  ModelRun<float> wanted(memory.graph, memory.weights, 20);
  HostMatrix<float> logits = wanted.logits(rampIds(20, 64));
  // One file, and many.
  for (uint64_t shardBytes : {uint64_t(1) << 30, uint64_t(40000)}) {
    ScratchDirectory scratch;
    const std::string directory = scratch / "model";
    auto written = writeMadeUpCheckpoint(
        directory, text, WeightRule(), ExpertLayout::StackedInOut, shardBytes);
    ASSERT_TRUE(written) << written.error().message;
    EXPECT_EQ(
        std::filesystem::exists(directory + "/model.safetensors.index.json"),
        shardBytes == 40000);
    auto checkpoint = openCheckpoint(directory);
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    EXPECT_EQ(checkpoint->weights.storedType(0), StoredType::BF16);
    EXPECT_EQ(checkpoint->weights.form().bodyPrefix, "language_model.model.");
    ModelRun<float> run(checkpoint->graph, checkpoint->weights, 20);
    EXPECT_EQ(run.logits(rampIds(20, 64)), logits);
  }
}

TEST(CheckpointTest, WrongConfigurationsAreNotWritten) {
  ScratchDirectory scratch;
  auto written = writeMadeUpCheckpoint(scratch / "model", "{}", WeightRule(),
                                       ExpertLayout::StackedInOut, 1 << 20);
  ASSERT_FALSE(written);
  EXPECT_FALSE(std::filesystem::exists(scratch / "model"));
  EXPECT_FALSE(openCheckpoint(scratch / "model"));
}

TEST(CheckpointTest, RandomWeightsFollowTheirSeed) {
  nlohmann::json json = smallConfig();
  auto first = TestModel::make(json, WeightRule{1});
  auto again = TestModel::make(json, WeightRule{1});
  auto other = TestModel::make(json, WeightRule{2});
  auto table = [](const TestModel &model) {
    HostMatrix<float> values(40, 24);
    EXPECT_TRUE(
        model.weights.read(0, Tile{0, 0, 40, 0, 24}, values.data(), 24));
    return values;
  };
  EXPECT_EQ(table(first), table(again));
  EXPECT_NE(table(first), table(other));
  // Variance 1, mean 0: 960 samples.
  HostMatrix<float> values = table(first);
  EXPECT_NEAR(values.mean(), 0, 0.15);
  EXPECT_NEAR(values.squaredNorm() / 960, 1, 0.15);
}

} // namespace
} // namespace chipwright::models
