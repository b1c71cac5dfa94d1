//===- FamilyCheckpointTest.cpp - Stored forms of every family --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Where the elements of parameters lie in the files, by index arithmetic that
// shares nothing with the bindings; other names and layouts that hold the same
// model; tensors that are no part of it.
//
//===----------------------------------------------------------------------===//

#include "ModelTestSupport.h"

#include <cstring>
#include <functional>

namespace chipwright::models {
namespace {

using nlohmann::json;

/// A model in memory whose stored tensors a test may look at and rename.
struct Stored {
  ModelConfig config;
  Graph graph;
  std::shared_ptr<MemoryTensors> tensors;

  explicit Stored(const json &text) {
    auto read = parseModelConfig(text.dump(), "config.json");
    if (!read) {
      throw std::runtime_error(read.error().message);
    }
    config = read.take();
    graph = buildGraph(config);
    WeightRule rule{3};
    rule.type = StoredType::F32;
    tensors = makeTensors(
        graph, publishedForm(config, ExpertLayout::StackedInOut), rule);
  }

  std::vector<float> floats(const std::string &name) const {
    const StoredTensor *tensor = tensors->find(name);
    if (!tensor) {
      throw std::runtime_error("no tensor " + name);
    }
    std::vector<float> values(tensor->bytes / 4);
    std::memcpy(values.data(), tensor->data, tensor->bytes);
    return values;
  }

  Weights bind(const std::shared_ptr<MemoryTensors> &store) const {
    auto weights = Weights::bind(config, graph, store, "test");
    if (!weights) {
      throw std::runtime_error(weights.error().message);
    }
    return weights.take();
  }

  /// One matrix of the parameter \p name.
  HostMatrix<float> parameter(const std::string &name,
                              int64_t matrix = 0) const {
    Weights weights = bind(tensors);
    for (const Parameter &one : graph.parameters) {
      if (one.name == name) {
        Weights::Size size = weights.size(one.id);
        HostMatrix<float> values(size.rows, size.columns);
        EXPECT_TRUE(weights.read(one.id,
                                 Tile{matrix, 0, size.rows, 0, size.columns},
                                 values.data(), size.columns));
        // Tiles are parts of the whole.
        HostMatrix<float> corner(1, 1);
        EXPECT_TRUE(weights.read(
            one.id, Tile{matrix, size.rows - 1, 1, size.columns - 1, 1},
            corner.data(), 1));
        EXPECT_EQ(corner(0, 0), values(size.rows - 1, size.columns - 1));
        return values;
      }
    }
    throw std::runtime_error("no parameter " + name);
  }

  HostMatrix<float> logits(const std::shared_ptr<MemoryTensors> &store) const {
    Weights weights = bind(store);
    ModelRun<float> run(graph, weights, 20);
    return run.logits(rampIds(20, 64));
  }
};

/// \p store with other names; tensors whose name becomes empty are dropped.
std::shared_ptr<MemoryTensors>
renamed(const TensorStore &store,
        const std::function<std::string(const std::string &)> &nameOf) {
  auto result = std::make_shared<MemoryTensors>();
  for (const auto &[name, tensor] : store.tensors()) {
    TensorSpec spec = tensor;
    spec.name = nameOf(name);
    if (!spec.name.empty()) {
      std::memcpy(result->add(spec), tensor.data, tensor.bytes);
    }
  }
  return result;
}

std::string replaced(std::string text, const std::string &from,
                     const std::string &to) {
  if (size_t at = text.find(from); at != std::string::npos) {
    text.replace(at, from.size(), to);
  }
  return text;
}

TEST(FamilyCheckpointTest, HalvesBecomeNeighbours) {
  json config = presetJson("llama-golden");
  config["attention_bias"] = true;
  Stored model(config);
  const size_t d = 16, columns = 64;
  for (const char *which : {"q_proj", "k_proj", "v_proj"}) {
    const std::string name = std::string("layers.1.self_attn.") + which;
    std::vector<float> stored = model.floats("model." + name + ".weight");
    std::vector<float> bias = model.floats("model." + name + ".bias");
    HostMatrix<float> weight = model.parameter(name + ".weight");
    HostMatrix<float> vector = model.parameter(name + ".bias");
    bool isRotated = which[0] != 'v';
    for (size_t h = 0; h < bias.size() / d; ++h) {
      for (size_t i = 0; i < d; ++i) {
        // Pair n is made of the rows n and n + d / 2.
        size_t from = isRotated ? h * d + i / 2 + (i % 2) * d / 2 : h * d + i;
        auto row = static_cast<Eigen::Index>(h * d + i);
        EXPECT_EQ(vector(0, row), bias[from]) << which << " " << h << " " << i;
        for (size_t c = 0; c < columns; ++c) {
          ASSERT_EQ(weight(row, static_cast<Eigen::Index>(c)),
                    stored[from * columns + c])
              << which << " " << h << " " << i;
        }
      }
    }
  }
}

TEST(FamilyCheckpointTest, NormsOfHeadsFollowTheirRows) {
  Stored model(presetJson("qwen3-moe-golden"));
  std::vector<float> stored =
      model.floats("model.layers.0.self_attn.q_norm.weight");
  HostMatrix<float> weight =
      model.parameter("layers.0.self_attn.q_norm.weight");
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(weight(0, static_cast<Eigen::Index>(i)),
              stored[i / 2 + i % 2 * 8]);
  }
}

TEST(FamilyCheckpointTest, GateAndUpOfGptOssAlternate) {
  Stored model(presetJson("gpt-oss-golden"));
  const std::string prefix = "layers.0.mlp.experts.";
  const size_t hidden = 64, width = 64;
  std::vector<float> both = model.floats("model." + prefix + "gate_up_proj");
  std::vector<float> bias =
      model.floats("model." + prefix + "gate_up_proj_bias");
  std::vector<float> down = model.floats("model." + prefix + "down_proj");
  for (size_t e : {size_t(0), size_t(3)}) {
    auto expert = static_cast<int64_t>(e);
    HostMatrix<float> gate = model.parameter(prefix + "gate_proj", expert);
    HostMatrix<float> up = model.parameter(prefix + "up_proj", expert);
    HostMatrix<float> out = model.parameter(prefix + "down_proj", expert);
    HostMatrix<float> gateBias = model.parameter(prefix + "gate_proj_bias");
    HostMatrix<float> upBias = model.parameter(prefix + "up_proj_bias");
    for (size_t r = 0; r < width; ++r) {
      auto row = static_cast<Eigen::Index>(r);
      EXPECT_EQ(gateBias(expert, row), bias[e * 2 * width + 2 * r]);
      EXPECT_EQ(upBias(expert, row), bias[e * 2 * width + 2 * r + 1]);
      for (size_t c = 0; c < hidden; ++c) {
        auto column = static_cast<Eigen::Index>(c);
        size_t at = (e * hidden + c) * 2 * width + 2 * r;
        ASSERT_EQ(gate(row, column), both[at]);
        ASSERT_EQ(up(row, column), both[at + 1]);
        ASSERT_EQ(out(column, row), down[(e * width + r) * hidden + c]);
      }
    }
  }
}

TEST(FamilyCheckpointTest, PartsOfLatentAttention) {
  json config = presetJson("deepseek-v3-golden");
  for (bool isInterleaved : {true, false}) {
    config["rope_interleave"] = isInterleaved;
    Stored model(config);
    const std::string prefix = "layers.2.self_attn.";
    const size_t heads = 4, plain = 16, rotary = 8, value = 16, rank = 16,
                 query = 24;
    std::vector<float> q = model.floats("model." + prefix + "q_b_proj.weight");
    std::vector<float> kv =
        model.floats("model." + prefix + "kv_b_proj.weight");
    std::vector<float> a =
        model.floats("model." + prefix + "kv_a_proj_with_mqa.weight");
    HostMatrix<float> first = model.parameter(prefix + "q_plain.weight");
    HostMatrix<float> turned = model.parameter(prefix + "q_rotary.weight");
    HostMatrix<float> latent = model.parameter(prefix + "kv_latent.weight");
    HostMatrix<float> key = model.parameter(prefix + "k_rotary.weight");
    auto at = [](const HostMatrix<float> &m, size_t r, size_t c) {
      return m(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c));
    };
    auto rowOf = [&](size_t i) {
      return isInterleaved ? i : i / 2 + i % 2 * rotary / 2;
    };
    for (size_t h = 0; h < heads; ++h) {
      HostMatrix<float> up =
          model.parameter(prefix + "k_up.weight", static_cast<int64_t>(h));
      HostMatrix<float> out =
          model.parameter(prefix + "v_up.weight", static_cast<int64_t>(h));
      size_t qRow = h * (plain + rotary), kvRow = h * (plain + value);
      for (size_t i = 0; i < plain; ++i) {
        EXPECT_EQ(at(first, h * plain + i, 5), q[(qRow + i) * query + 5]);
        EXPECT_EQ(at(up, 3, i), kv[(kvRow + i) * rank + 3]);
      }
      for (size_t i = 0; i < rotary; ++i) {
        EXPECT_EQ(at(turned, h * rotary + i, 7),
                  q[(qRow + plain + rowOf(i)) * query + 7]);
      }
      for (size_t i = 0; i < value; ++i) {
        EXPECT_EQ(at(out, i, 2), kv[(kvRow + plain + i) * rank + 2]);
      }
    }
    for (size_t i = 0; i < rank; ++i) {
      EXPECT_EQ(at(latent, i, 9), a[i * 64 + 9]);
    }
    for (size_t i = 0; i < rotary; ++i) {
      EXPECT_EQ(at(key, i, 9), a[(rank + rowOf(i)) * 64 + 9]);
    }
  }
}

TEST(FamilyCheckpointTest, CentredNorms) {
  Stored model(presetJson("muse-glimmer-golden"));
  for (const char *name :
       {"layers.0.input_layernorm.weight",
        "layers.0.post_attention_layernorm.weight",
        "layers.0.pre_feedforward_layernorm.weight",
        "layers.0.post_feedforward_layernorm.weight", "norm.weight"}) {
    std::vector<float> stored =
        model.floats(std::string("model.language_model.") + name);
    HostMatrix<float> weight = model.parameter(name);
    float added = std::string(name) == "norm.weight" ? 0.0f : 1.0f;
    for (size_t i = 0; i < stored.size(); ++i) {
      EXPECT_EQ(weight(0, static_cast<Eigen::Index>(i)), stored[i] + added);
    }
  }
}

/// As transformers 5 writes them: experts in one tensor, gate before up, and
/// Mixtral's module under the name that others have.
TEST(FamilyCheckpointTest, MergedExperts) {
  for (const char *preset :
       {"mixtral-golden", "qwen3-moe-golden", "deepseek-v3-golden"}) {
    Stored model(presetJson(preset));
    const ModelConfig &config = model.config;
    const auto &matrices = config.storage.expertMatrices;
    auto experts = static_cast<size_t>(config.experts);
    auto merged = renamed(*model.tensors, [&](const std::string &name) {
      return name.find(".experts.") == std::string::npos
                 ? replaced(name, "block_sparse_moe", "mlp")
                 : "";
    });
    for (size_t layer = 0; layer < config.layers.size(); ++layer) {
      if (config.layers[layer].feedForward != FeedForward::Experts) {
        continue;
      }
      const std::string prefix = "model.layers." + std::to_string(layer) + ".";
      const std::string from = prefix + config.names.feedForward + ".experts.";
      auto add = [&](const std::string &name, int64_t rows, int64_t columns,
                     const std::vector<std::string> &parts) {
        std::byte *to = merged->add({prefix + "mlp.experts." + name,
                                     StoredType::F32,
                                     {config.experts, rows, columns}});
        for (size_t e = 0; e < experts; ++e) {
          for (const std::string &part : parts) {
            std::vector<float> values =
                model.floats(from + std::to_string(e) + "." + part + ".weight");
            std::memcpy(to, values.data(), values.size() * 4);
            to += values.size() * 4;
          }
        }
      };
      add("gate_up_proj", 2 * config.expertWidth, config.hidden,
          {matrices[0], matrices[1]});
      add("down_proj", config.hidden, config.expertWidth, {matrices[2]});
    }
    EXPECT_EQ(model.logits(merged), model.logits(model.tensors)) << preset;
  }
}

TEST(FamilyCheckpointTest, TensorsOfOtherUsesAreSkipped) {
  json config = presetJson("deepseek-v3-golden");
  config["num_nextn_predict_layers"] = 1;
  Stored model(config);
  HostMatrix<float> wanted = model.logits(model.tensors);
  auto with = [&](const std::string &name) {
    auto store =
        renamed(*model.tensors, [](const std::string &same) { return same; });
    store->add({name, StoredType::F32, {2, 2}});
    return store;
  };
  EXPECT_EQ(model.logits(with("model.layers.3.eh_proj.weight")), wanted);
  EXPECT_EQ(model.logits(with("model.layers.0.self_attn.rotary_emb.inv_freq")),
            wanted);
  for (const char *name :
       {"model.layers.4.eh_proj.weight", "model.layers.1.eh_proj.weight",
        "model.layers.1.mlp.experts.8.gate_proj.weight"}) {
    auto refused = Weights::bind(model.config, model.graph, with(name), "test");
    ASSERT_FALSE(refused) << name;
    EXPECT_NE(refused.error().message.find(name), std::string::npos);
  }
  Stored muse(presetJson("muse-glimmer-golden"));
  auto store =
      renamed(*muse.tensors, [](const std::string &same) { return same; });
  store->add({"model.vision_tower.patch.weight", StoredType::F32, {2, 2}});
  EXPECT_EQ(muse.logits(store), muse.logits(muse.tensors));
}

TEST(FamilyCheckpointTest, MissingTensorsAreNamed) {
  const std::pair<const char *, const char *> tensors[] = {
      {"llama-golden", "model.layers.1.mlp.up_proj.weight"},
      {"mixtral-golden", "model.layers.1.block_sparse_moe.experts.7.w2.weight"},
      {"mixtral-golden", "model.layers.0.block_sparse_moe.gate.weight"},
      {"qwen3-moe-golden", "model.layers.0.self_attn.k_norm.weight"},
      {"gpt-oss-golden", "model.layers.1.self_attn.sinks"},
      {"gpt-oss-golden", "model.layers.1.mlp.experts.down_proj_bias"},
      {"gpt-oss-golden", "model.layers.1.mlp.router.bias"},
      {"deepseek-v3-golden", "model.layers.1.mlp.gate.e_score_correction_bias"},
      {"deepseek-v3-golden", "model.layers.0.self_attn.kv_b_proj.weight"},
      {"muse-glimmer-golden",
       "model.language_model.layers.2.self_attn.gate_proj.weight"}};
  for (auto [preset, missing] : tensors) {
    Stored model(presetJson(preset));
    ASSERT_TRUE(model.tensors->find(missing)) << missing;
    auto store = renamed(*model.tensors, [&](const std::string &name) {
      return name == missing ? "" : name;
    });
    auto refused = Weights::bind(model.config, model.graph, store, "dir");
    ASSERT_FALSE(refused) << missing;
    EXPECT_NE(refused.error().message.find(missing), std::string::npos)
        << refused.error().message;
  }
}

/// What each part of a family changes: logits without it are others.
TEST(FamilyCheckpointTest, EveryPartMatters) {
  struct Change {
    const char *preset, *key;
    json value;
  };
  const Change changes[] = {
      {"gpt-oss-golden", "sliding_window", 30},
      {"gpt-oss-golden", "swiglu_limit", 0.1},
      {"gpt-oss-golden", "num_experts_per_tok", 1},
      {"muse-glimmer-golden", "sliding_window", 30},
      {"muse-glimmer-golden", "qk_scale_factor", 1},
      {"muse-glimmer-golden", "final_logit_softcapping", 40},
      {"muse-glimmer-golden", "post_norm_eps", 0.1},
      {"muse-glimmer-golden", "layer_rope_theta", {5e5, 5e5, 5e5, 5e5}},
      {"deepseek-v3-golden", "topk_group", 4},
      {"deepseek-v3-golden", "routed_scaling_factor", 1},
      {"deepseek-v3-golden", "norm_topk_prob", false},
      {"deepseek-v3-golden", "rope_interleave", false},
      {"qwen3-moe-golden", "norm_topk_prob", false},
      {"mixtral-golden", "sliding_window", 4},
  };
  for (const Change &change : changes) {
    json config = presetJson(change.preset);
    auto logits = [&] {
      TestModel model = TestModel::make(config);
      ModelRun<float> run(model.graph, model.weights, 20);
      return run.logits(rampIds(20, 64));
    };
    HostMatrix<float> before = logits();
    json &text =
        config.contains("text_config") ? config["text_config"] : config;
    text[change.key] = change.value;
    EXPECT_GT((logits() - before).cwiseAbs().maxCoeff(), 1e-2)
        << change.preset << " " << change.key;
  }
}

} // namespace
} // namespace chipwright::models
