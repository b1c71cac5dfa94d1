//===- GraphTest.cpp - Graphs of models -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "ModelTestSupport.h"

#include <set>

namespace chipwright::models {
namespace {

Graph graphOf(const std::string &preset) {
  auto config = parseModelConfig(presetJson(preset).dump(), preset);
  EXPECT_TRUE(config) << config.error().message;
  return buildGraph(*config);
}

TEST(GraphTest, EveryPresetGivesAWellFormedGraph) {
  for (const std::string &name : presetNames()) {
    Graph graph = graphOf(name);
    auto done = verifyGraph(graph);
    EXPECT_TRUE(done) << name << ": " << done.error().message;
    std::set<std::string> names;
    for (const Op &op : graph.ops) {
      EXPECT_TRUE(names.insert(op.name).second) << op.name << " twice";
      EXPECT_EQ(graph.findOp(op.name), &op);
    }
    EXPECT_EQ(graph.findOp("layers.0.nothing"), nullptr);
  }
}

TEST(GraphTest, OpsOfADenseLayerWithRope) {
  Graph graph = graphOf("llama4-golden");
  std::vector<std::string> ops;
  for (const Op &op : graph.ops) {
    if (op.layer == 0) {
      ops.push_back(std::string(opKindName(op.kind)) + " " +
                    op.name.substr(std::string("layers.0.").size()));
    }
  }
  EXPECT_EQ(ops, (std::vector<std::string>{
                     "rms_norm input_layernorm",
                     "linear self_attn.q_proj",
                     "linear self_attn.k_proj",
                     "linear self_attn.v_proj",
                     "rope self_attn.q_rope",
                     "rms_norm self_attn.q_norm",
                     "rope self_attn.k_rope",
                     "rms_norm self_attn.k_norm",
                     "attention self_attn.attention",
                     "linear self_attn.o_proj",
                     "add self_attn.residual",
                     "rms_norm post_attention_layernorm",
                     "linear feed_forward.gate_proj",
                     "linear feed_forward.up_proj",
                     "silu_mul feed_forward.silu_mul",
                     "linear feed_forward.down_proj",
                     "add feed_forward.residual",
                 }));
}

TEST(GraphTest, TextOfAnExpertLayerWithoutRope) {
  std::string text = printGraph(graphOf("llama4-golden"));
  for (const char *part : {
           "graph llama4 vocabulary 64 caches 4 x 32\n",
           "mask 0 = chunked(8)\nmask 1 = causal\n",
           "%0:i[tokens] = input \"token_ids\"\n",
           ":i[outputs] = input \"output_rows\"\n",
           "parameter layers.3.feed_forward.experts.gate_proj: [4,32,64]\n",
           "parameter layers.3.feed_forward.experts.down_proj: [4,64,32]\n",
           " <floor_scale 4, scale 0.1> \"layers.3.self_attn.q_temperature\"\n",
           " <heads 4, kv_heads 2, head 16, scale 0.25, causal, cache 3> "
           "\"layers.3.self_attn.attention\"\n",
           " {layers.3.feed_forward.router.weight} <experts 4, chosen 1, "
           "sigmoid on input> \"layers.3.feed_forward.router\"\n",
           " {lm_head.weight} \"lm_head\"\n",
       }) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(text.find("layers.3.self_attn.q_rope"), std::string::npos);
  EXPECT_EQ(text.find("layers.3.self_attn.q_norm"), std::string::npos);
  EXPECT_EQ(text, printGraph(graphOf("llama4-golden")));
}

TEST(GraphTest, TiedModelsShareTheTable) {
  nlohmann::json json = presetJson("llama4-demo");
  json["tie_word_embeddings"] = true;
  auto config = parseModelConfig(json.dump(), "demo");
  ASSERT_TRUE(config);
  Graph graph = buildGraph(*config);
  EXPECT_TRUE(verifyGraph(graph));
  EXPECT_EQ(graph.findOp("lm_head")->parameters,
            graph.findOp("embed_tokens")->parameters);
}

TEST(GraphTest, DamagedGraphsAreRefused) {
  using Damage = std::function<void(Graph &)>;
  auto op = [](Graph &graph, const char *name) -> Op & {
    return graph.ops[static_cast<size_t>(graph.findOp(name)->id)];
  };
  const std::pair<const char *, Damage> faults[] = {
      {"operand later",
       [&](Graph &g) {
         op(g, "layers.0.self_attn.q_proj").operands[0] = g.logits;
       }},
      {"operand outside",
       [&](Graph &g) { op(g, "layers.0.self_attn.q_proj").operands[0] = -1; }},
      {"no operand",
       [&](Graph &g) { op(g, "layers.0.self_attn.q_proj").operands.clear(); }},
      {"parameter outside",
       [&](Graph &g) { op(g, "lm_head").parameters[0] = 100000; }},
      {"parameter of another shape",
       [&](Graph &g) {
         op(g, "layers.0.self_attn.q_proj").parameters =
             op(g, "layers.0.self_attn.k_proj").parameters;
       }},
      {"result twice",
       [&](Graph &g) {
         op(g, "layers.0.self_attn.k_proj").results =
             op(g, "layers.0.self_attn.q_proj").results;
       }},
      {"no attributes",
       [&](Graph &g) {
         op(g, "layers.0.self_attn.attention").attributes = {};
       }},
      {"mask of another kind",
       [&](Graph &g) {
         std::get<AttentionAttributes>(
             op(g, "layers.0.self_attn.attention").attributes)
             .mask = 1;
       }},
      {"cache outside",
       [&](Graph &g) {
         std::get<AttentionAttributes>(
             op(g, "layers.0.self_attn.attention").attributes)
             .cache = 4;
       }},
      {"positions are slots",
       [&](Graph &g) {
         auto &operands = op(g, "layers.0.self_attn.q_rope").operands;
         operands[1] = op(g, "layers.0.self_attn.attention").operands[3];
       }},
      {"too many chosen",
       [&](Graph &g) {
         std::get<RouterAttributes>(
             op(g, "layers.1.feed_forward.router").attributes)
             .chosen = 5;
       }},
      {"no logits", [](Graph &g) { g.logits = -1; }},
      {"ids out of order", [](Graph &g) { g.values[3].id = 4; }},
  };
  for (const auto &[name, damage] : faults) {
    Graph graph = graphOf("llama4-golden");
    damage(graph);
    EXPECT_FALSE(verifyGraph(graph)) << name;
  }
}

TEST(GraphTest, DamagedPartsOfFamiliesAreRefused) {
  struct Damage {
    const char *preset, *op;
    std::function<void(Graph &, Op &)> damage;
  };
  auto attention = [](Op &op) -> AttentionAttributes & {
    return std::get<AttentionAttributes>(op.attributes);
  };
  auto router = [](Op &op) -> RouterAttributes & {
    return std::get<RouterAttributes>(op.attributes);
  };
  const Damage faults[] = {
      {"gpt-oss-golden", "layers.0.self_attn.q_proj",
       [](Graph &, Op &op) { op.parameters[1] = op.parameters[0]; }},
      {"gpt-oss-golden", "layers.0.self_attn.attention",
       [](Graph &g, Op &op) {
         op.parameters[0] =
             g.findOp("layers.0.self_attn.k_proj")->parameters[1];
       }},
      {"gpt-oss-golden", "layers.0.mlp.experts",
       [](Graph &, Op &op) { op.parameters.pop_back(); }},
      {"gpt-oss-golden", "layers.0.mlp.experts",
       [](Graph &, Op &op) {
         std::get<ExpertsAttributes>(op.attributes).experts = 5;
       }},
      {"gpt-oss-golden", "layers.0.mlp.router",
       [](Graph &, Op &op) { op.parameters.pop_back(); }},
      {"deepseek-v3-golden", "layers.0.self_attn.attention",
       [&](Graph &, Op &op) { attention(op).rotarySize = 4; }},
      {"deepseek-v3-golden", "layers.0.self_attn.attention",
       [&](Graph &, Op &op) { attention(op).rotarySize = 0; }},
      {"deepseek-v3-golden", "layers.0.self_attn.attention",
       [](Graph &, Op &op) { op.operands.pop_back(); }},
      {"deepseek-v3-golden", "layers.0.self_attn.k_up",
       [](Graph &, Op &op) {
         std::get<HeadLinearAttributes>(op.attributes).heads = 2;
       }},
      {"deepseek-v3-golden", "layers.0.self_attn.k_up",
       [](Graph &, Op &op) { op.attributes = {}; }},
      {"deepseek-v3-golden", "layers.1.mlp.gate",
       [&](Graph &, Op &op) { router(op).more.groups = 3; }},
      {"deepseek-v3-golden", "layers.1.mlp.gate",
       [&](Graph &, Op &op) { router(op).more.keptGroups = 5; }},
      {"deepseek-v3-golden", "layers.1.mlp.gate",
       [&](Graph &, Op &op) { router(op).more.choiceBias = false; }},
      {"deepseek-v3-golden", "layers.1.mlp.gate",
       [](Graph &, Op &op) { op.results.pop_back(); }},
      {"muse-glimmer-golden", "layers.0.self_attn.gated",
       [](Graph &g, Op &op) {
         op.operands[0] = g.findOp("layers.0.self_attn.k_proj")->results[0];
       }},
  };
  for (const Damage &fault : faults) {
    Graph graph = graphOf(fault.preset);
    ASSERT_TRUE(verifyGraph(graph));
    Op &op = graph.ops[static_cast<size_t>(graph.findOp(fault.op)->id)];
    fault.damage(graph, op);
    auto found = verifyGraph(graph);
    ASSERT_FALSE(found) << fault.op;
    EXPECT_NE(found.error().message.find(fault.op), std::string::npos)
        << found.error().message;
  }
}

TEST(GraphTest, TextOfFamilies) {
  const std::pair<const char *, const char *> parts[] = {
      {"llama-golden", "graph llama vocabulary 64 caches 2 x 32\n"},
      {"gpt-oss-golden", "mask 0 = sliding(4)\nmask 1 = causal\n"},
      {"gpt-oss-golden", "<experts 4, chosen 2, softmax of chosen, bias>"},
      {"gpt-oss-golden", "softmax of chosen, clamped swiglu 7 1.702>"},
      {"gpt-oss-golden", "magnitude 1.34657"},
      {"deepseek-v3-golden", "caches 3 x 16 + 8\n"},
      {"deepseek-v3-golden", "rotary 8> \"layers.0.self_attn.attention\"\n"},
      {"deepseek-v3-golden",
       "sigmoid, choice bias, best 2 of 4 groups, normalised, scale 2.5>"},
      {"muse-glimmer-golden", "<scale 2, cap 20> \"lm_head\"\n"},
      {"muse-glimmer-golden", "sigmoid_mul(%"}};
  for (auto [preset, part] : parts) {
    EXPECT_NE(printGraph(graphOf(preset)).find(part), std::string::npos)
        << preset << ": " << part;
  }
}

} // namespace
} // namespace chipwright::models
