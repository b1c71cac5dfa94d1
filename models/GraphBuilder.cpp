//===- GraphBuilder.cpp - ModelConfig to graph ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/Graph.h"

#include <algorithm>
#include <cmath>

namespace chipwright::models {

namespace {

class Builder {
public:
  explicit Builder(const ModelConfig &model) : config(model) {}

  Graph build() {
    graph.modelType = config.modelType;
    graph.vocabulary = config.vocabulary;
    graph.cacheColumns = config.kvHeads * config.headSize;
    frequencies = inverseFrequencies(config.rope, config.headSize);
    inputs();
    ParameterId table =
        parameter("embed_tokens.weight", {config.vocabulary, config.hidden});
    ValueId x =
        op(OpKind::Embedding, "embed_tokens", {ids}, {table}, config.hidden);
    for (const LayerConfig &layer : config.layers) {
      ++layerIndex;
      x = attentionBlock(layer, x);
      x = feedForwardBlock(layer, x);
    }
    layerIndex = -1;
    x = norm("norm", x);
    ParameterId head = table;
    if (!config.tiedEmbeddings) {
      head = parameter("lm_head.weight", {config.vocabulary, config.hidden});
      graph.parameters.back().role = ParameterRole::Head;
    }
    graph.logits = op(OpKind::Logits, "lm_head", {x, outputRows}, {head},
                      config.vocabulary);
    graph.values[static_cast<size_t>(graph.logits)].shape[0] = Dim::outputs();
    return std::move(graph);
  }

private:
  void inputs() {
    ids = input("token_ids", StepInput::TokenIds, Dim::tokens());
    positions = input("positions", StepInput::Positions, Dim::tokens());
    slots = input("slots", StepInput::Slots, Dim::tokens());
    for (const LayerConfig &layer : config.layers) {
      if (std::find(graph.masks.begin(), graph.masks.end(), layer.mask) !=
          graph.masks.end()) {
        continue;
      }
      auto mask = static_cast<int32_t>(graph.masks.size());
      graph.masks.push_back(layer.mask);
      std::string suffix = std::to_string(mask);
      for (auto kind : {StepInput::MaskLo, StepInput::MaskHi}) {
        ValueId bound =
            input((kind == StepInput::MaskLo ? "kv_lo." : "kv_hi.") + suffix,
                  kind, Dim::tokens());
        graph.values[static_cast<size_t>(bound)].mask = mask;
        (kind == StepInput::MaskLo ? maskLo : maskHi).push_back(bound);
      }
    }
    outputRows = input("output_rows", StepInput::OutputRows, Dim::outputs());
  }

  ValueId value(std::string name, std::vector<Dim> shape, ElementKind element) {
    Value result;
    result.id = static_cast<ValueId>(graph.values.size());
    result.name = std::move(name);
    result.shape = std::move(shape);
    result.element = element;
    graph.values.push_back(std::move(result));
    return graph.values.back().id;
  }

  ValueId input(const std::string &name, StepInput kind, Dim size) {
    ValueId id = value(name, {size}, ElementKind::Index);
    graph.values.back().input = kind;
    return id;
  }

  /// \returns \p name under the current layer.
  std::string scoped(const std::string &name) const {
    return layerIndex < 0 ? name
                          : "layers." + std::to_string(layerIndex) + "." + name;
  }

  ParameterId parameter(const std::string &name, std::vector<int64_t> shape) {
    Parameter result;
    result.id = static_cast<ParameterId>(graph.parameters.size());
    result.name = scoped(name);
    result.shape = std::move(shape);
    result.layer = layerIndex;
    graph.parameters.push_back(std::move(result));
    return graph.parameters.back().id;
  }

  /// Appends an op; its results are added by result().
  Op &append(OpKind kind, const std::string &name,
             std::vector<ValueId> operands,
             std::vector<ParameterId> parameters) {
    Op &made = graph.ops.emplace_back();
    made.id = static_cast<OpId>(graph.ops.size() - 1);
    made.kind = kind;
    made.name = scoped(name);
    made.layer = layerIndex;
    made.operands = std::move(operands);
    made.parameters = std::move(parameters);
    return made;
  }

  ValueId result(Op &made, const std::string &suffix, int64_t columns,
                 ElementKind element = ElementKind::Real) {
    ValueId id = value(made.name + suffix, {Dim::tokens(), Dim::fixed(columns)},
                       element);
    graph.values.back().producer = made.id;
    made.results.push_back(id);
    return id;
  }

  ValueId op(OpKind kind, const std::string &name,
             std::vector<ValueId> operands, std::vector<ParameterId> parameters,
             int64_t columns, OpAttributes attributes = {}) {
    Op &made = append(kind, name, std::move(operands), std::move(parameters));
    made.attributes = std::move(attributes);
    return result(made, "", columns);
  }

  ValueId linear(const std::string &name, ValueId x, int64_t in, int64_t out) {
    ParameterId weight = parameter(name + ".weight", {out, in});
    return op(OpKind::Linear, name, {x}, {weight}, out);
  }

  ValueId norm(const std::string &name, ValueId x) {
    ParameterId weight = parameter(name + ".weight", {config.hidden});
    return op(OpKind::RmsNorm, name, {x}, {weight}, config.hidden,
              RmsNormAttributes{config.normEpsilon, config.hidden});
  }

  /// Rotation, then norm, of the heads of q or k ("q", "k").
  ValueId positioned(const LayerConfig &layer, const std::string &which,
                     ValueId x, int64_t columns) {
    std::string name = "self_attn." + which;
    if (layer.rope) {
      x = op(OpKind::Rope, name + "_rope", {x, positions}, {}, columns,
             RopeAttributes{config.rope.pairing, config.headSize, frequencies});
    }
    if (layer.qkNorm) {
      x = op(OpKind::RmsNorm, name + "_norm", {x}, {}, columns,
             RmsNormAttributes{config.normEpsilon, config.headSize});
    }
    return x;
  }

  ValueId attentionBlock(const LayerConfig &layer, ValueId x) {
    int64_t qColumns = config.heads * config.headSize;
    int64_t kvColumns = config.kvHeads * config.headSize;
    ValueId h = norm("input_layernorm", x);
    ValueId q = linear("self_attn.q_proj", h, config.hidden, qColumns);
    ValueId k = linear("self_attn.k_proj", h, config.hidden, kvColumns);
    ValueId v = linear("self_attn.v_proj", h, config.hidden, kvColumns);
    q = positioned(layer, "q", q, qColumns);
    k = positioned(layer, "k", k, kvColumns);
    if (layer.temperature) {
      q = op(OpKind::Temperature, "self_attn.q_temperature", {q, positions}, {},
             qColumns, TemperatureAttributes{config.temperature});
    }
    auto mask = static_cast<size_t>(
        std::find(graph.masks.begin(), graph.masks.end(), layer.mask) -
        graph.masks.begin());
    AttentionAttributes attributes;
    attributes.heads = config.heads;
    attributes.kvHeads = config.kvHeads;
    attributes.headSize = config.headSize;
    attributes.scale = 1 / std::sqrt(static_cast<double>(config.headSize));
    attributes.mask = static_cast<int32_t>(mask);
    attributes.cache = graph.caches++;
    h = op(OpKind::Attention, "self_attn.attention",
           {q, k, v, slots, maskLo[mask], maskHi[mask]}, {}, qColumns,
           attributes);
    h = linear("self_attn.o_proj", h, qColumns, config.hidden);
    return op(OpKind::Add, "self_attn.residual", {x, h}, {}, config.hidden);
  }

  ValueId dense(const std::string &name, ValueId x, int64_t width) {
    ValueId gate = linear(name + ".gate_proj", x, config.hidden, width);
    ValueId up = linear(name + ".up_proj", x, config.hidden, width);
    ValueId h = op(OpKind::SiluMul, name + ".silu_mul", {gate, up}, {}, width);
    return linear(name + ".down_proj", h, width, config.hidden);
  }

  ValueId routed(ValueId x) {
    ParameterId weight = parameter("feed_forward.router.weight",
                                   {config.experts, config.hidden});
    Op &router = append(OpKind::Router, "feed_forward.router", {x}, {weight});
    router.attributes = RouterAttributes{config.experts, config.expertsPerToken,
                                         config.routerScore};
    result(router, ".logits", config.experts);
    ValueId chosen =
        result(router, ".chosen", config.expertsPerToken, ElementKind::Index);
    ValueId scores = result(router, ".scores", config.expertsPerToken);

    std::vector<ParameterId> weights;
    int64_t width = config.expertWidth;
    auto stacked = [&](const std::string &name, ParameterRole role, int64_t out,
                       int64_t in) {
      weights.push_back(
          parameter("feed_forward.experts." + name, {config.experts, out, in}));
      graph.parameters.back().role = role;
    };
    stacked("gate_proj", ParameterRole::ExpertGate, width, config.hidden);
    stacked("up_proj", ParameterRole::ExpertUp, width, config.hidden);
    stacked("down_proj", ParameterRole::ExpertDown, config.hidden, width);
    return op(OpKind::Experts, "feed_forward.experts", {x, chosen, scores},
              weights, config.hidden,
              ExpertsAttributes{config.experts, config.expertsPerToken, width,
                                config.routerScore});
  }

  ValueId feedForwardBlock(const LayerConfig &layer, ValueId x) {
    ValueId h = norm("post_attention_layernorm", x);
    ValueId y = 0;
    if (layer.feedForward == FeedForward::Dense) {
      y = dense("feed_forward", h, config.denseWidth);
    } else {
      y = routed(h);
      if (config.sharedWidth > 0) {
        ValueId shared =
            dense("feed_forward.shared_expert", h, config.sharedWidth);
        y = op(OpKind::Add, "feed_forward.sum", {shared, y}, {}, config.hidden);
      }
    }
    return op(OpKind::Add, "feed_forward.residual", {x, y}, {}, config.hidden);
  }

  const ModelConfig &config;
  Graph graph;
  std::vector<float> frequencies;
  int32_t layerIndex = -1;
  ValueId ids = 0, positions = 0, slots = 0, outputRows = 0;
  std::vector<ValueId> maskLo, maskHi;
};

} // namespace

Graph buildGraph(const ModelConfig &config) { return Builder(config).build(); }

} // namespace chipwright::models
