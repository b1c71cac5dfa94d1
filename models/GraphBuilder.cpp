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
    const LatentConfig &latent = config.latent;
    bool isLatent = latent.rank > 0;
    graph.cacheColumns =
        isLatent ? latent.rank : config.kvHeads * config.headSize;
    graph.valueColumns = isLatent ? latent.rotary : graph.cacheColumns;
    frequencies = inverseFrequencies(config.rope, isLatent ? latent.rotary
                                                           : config.headSize);
    inputs();
    ParameterId table =
        parameter("embed_tokens.weight", {config.vocabulary, config.hidden});
    ValueId x =
        op(OpKind::Embedding, "embed_tokens", {ids}, {table}, config.hidden);
    if (config.embeddingNorm) {
      x = op(OpKind::RmsNorm, "embed_norm", {x}, {}, config.hidden,
             RmsNormAttributes{config.normEpsilon, config.hidden});
    }
    for (const LayerConfig &layer : config.layers) {
      ++layerIndex;
      x = attentionBlock(layer, x);
      x = feedForwardBlock(layer, x);
    }
    layerIndex = -1;
    x = norm("norm", x, config.hidden, config.normEpsilon,
             ParameterRole::Plain);
    ParameterId head = table;
    if (!config.tiedEmbeddings) {
      head = parameter("lm_head.weight", {config.vocabulary, config.hidden});
      graph.parameters.back().role = ParameterRole::Head;
    }
    graph.logits = op(OpKind::Logits, "lm_head", {x, outputRows}, {head},
                      config.vocabulary,
                      LogitsAttributes{config.logitScale, config.logitCap});
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

  ParameterId parameter(const std::string &name, std::vector<int64_t> shape,
                        ParameterSlice slice = {}) {
    Parameter result;
    result.id = static_cast<ParameterId>(graph.parameters.size());
    result.name = scoped(name);
    result.shape = std::move(shape);
    result.layer = layerIndex;
    if (!slice.tensor.empty()) {
      slice.tensor = scoped(slice.tensor);
    }
    result.slice = std::move(slice);
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

  ValueId linear(const std::string &name, ValueId x, int64_t in, int64_t out,
                 bool bias = false, int64_t rotatedHead = 0) {
    std::vector<ParameterId> weights = {parameter(name + ".weight", {out, in})};
    graph.parameters.back().rotatedHead = rotatedHead;
    if (bias) {
      weights.push_back(parameter(name + ".bias", {out}));
      graph.parameters.back().rotatedHead = rotatedHead;
    }
    return op(OpKind::Linear, name, {x}, std::move(weights), out);
  }

  /// A product with rows of a tensor that holds others too.
  ValueId sliced(const std::string &name, ValueId x, int64_t in, int64_t out,
                 const ParameterSlice &slice, int64_t rotatedHead = 0) {
    ParameterId weight = parameter(name + ".weight", {out, in}, slice);
    graph.parameters.back().rotatedHead = rotatedHead;
    return op(OpKind::Linear, name, {x}, {weight}, out);
  }

  ValueId norm(const std::string &name, ValueId x, int64_t columns,
               double epsilon, ParameterRole role) {
    ParameterId weight = parameter(name + ".weight", {columns});
    graph.parameters.back().role = role;
    return op(OpKind::RmsNorm, name, {x}, {weight}, columns,
              RmsNormAttributes{epsilon, columns});
  }

  /// One of a layer's norms of whole rows.
  ValueId layerNorm(const std::string &name, ValueId x, double epsilon) {
    return norm(name, x, config.hidden, epsilon, ParameterRole::LayerNorm);
  }

  ValueId rotated(const std::string &name, ValueId x, int64_t columns,
                  int64_t headSize) {
    return op(OpKind::Rope, name, {x, positions}, {}, columns,
              RopeAttributes{config.rope.pairing, headSize, frequencies,
                             config.rope.magnitude});
  }

  ValueId headNorm(const std::string &name, ValueId x, int64_t columns,
                   bool isRotated) {
    std::vector<ParameterId> weights;
    if (config.qkNorm.weighted) {
      weights = {parameter(name + ".weight", {config.headSize})};
      graph.parameters.back().rotatedHead = isRotated ? config.headSize : 0;
    }
    return op(OpKind::RmsNorm, name, {x}, std::move(weights), columns,
              RmsNormAttributes{config.normEpsilon, config.headSize});
  }

  /// Rotation and norm of the heads of q or k ("q", "k").
  ValueId positioned(const LayerConfig &layer, const std::string &which,
                     ValueId x, int64_t columns) {
    std::string name = "self_attn." + which;
    if (layer.qkNorm && config.qkNorm.beforeRope) {
      x = headNorm(name + "_norm", x, columns, layer.rope);
    }
    if (layer.rope) {
      x = rotated(name + "_rope", x, columns, config.headSize);
    }
    if (layer.qkNorm && !config.qkNorm.beforeRope) {
      x = headNorm(name + "_norm", x, columns, layer.rope);
    }
    return x;
  }

  /// Attention with what all kinds of it share; \p operands begin with q, k
  /// and v, \p extra stand behind the bounds.
  ValueId attention(const LayerConfig &layer, AttentionAttributes attributes,
                    std::vector<ValueId> operands,
                    const std::vector<ValueId> &extra) {
    auto mask = static_cast<size_t>(
        std::find(graph.masks.begin(), graph.masks.end(), layer.mask) -
        graph.masks.begin());
    attributes.mask = static_cast<int32_t>(mask);
    attributes.cache = graph.caches++;
    operands.insert(operands.end(), {slots, maskLo[mask], maskHi[mask]});
    operands.insert(operands.end(), extra.begin(), extra.end());
    std::vector<ParameterId> weights;
    if (config.sinks) {
      weights = {parameter("self_attn.sinks", {attributes.heads})};
    }
    return op(OpKind::Attention, "self_attn.attention", std::move(operands),
              std::move(weights), attributes.heads * attributes.headSize,
              attributes);
  }

  double scaleOr(int64_t headSize) const {
    return config.attentionScale > 0
               ? config.attentionScale
               : 1 / std::sqrt(static_cast<double>(headSize));
  }

  /// Queries, keys and values as products of \p h.
  ValueId headAttention(const LayerConfig &layer, ValueId h) {
    int64_t qColumns = config.heads * config.headSize;
    int64_t kvColumns = config.kvHeads * config.headSize;
    int64_t head = layer.rope ? config.headSize : 0;
    bool bias = config.queryKeyValueBias;
    ValueId q =
        linear("self_attn.q_proj", h, config.hidden, qColumns, bias, head);
    ValueId k =
        linear("self_attn.k_proj", h, config.hidden, kvColumns, bias, head);
    ValueId v = linear("self_attn.v_proj", h, config.hidden, kvColumns, bias);
    q = positioned(layer, "q", q, qColumns);
    k = positioned(layer, "k", k, kvColumns);
    if (layer.temperature) {
      q = op(OpKind::Temperature, "self_attn.q_temperature", {q, positions}, {},
             qColumns, TemperatureAttributes{config.temperature});
    }
    AttentionAttributes attributes;
    attributes.heads = config.heads;
    attributes.kvHeads = config.kvHeads;
    attributes.headSize = config.headSize;
    attributes.scale = scaleOr(config.headSize);
    return attention(layer, attributes, {q, k, v}, {});
  }

  ValueId perHead(const std::string &name, ValueId x, int64_t in, int64_t out,
                  const ParameterSlice &slice) {
    ParameterId weight =
        parameter(name + ".weight", {config.heads, out, in}, slice);
    return op(OpKind::HeadLinear, name, {x}, {weight}, config.heads * out,
              HeadLinearAttributes{config.heads});
  }

  /// The absorbed form of LatentConfig. Scores are (W_k^T q) c + q' k', values
  /// the latent c itself, results W_v (softmax c).
  ValueId latentAttention(const LayerConfig &layer, ValueId h) {
    const LatentConfig &l = config.latent;
    int64_t in = config.hidden, heads = config.heads;
    std::string queries = "self_attn.q_proj.weight";
    ValueId a = h;
    if (l.queryRank > 0) {
      a = linear("self_attn.q_a_proj", h, in, l.queryRank);
      a = norm("self_attn.q_a_layernorm", a, l.queryRank, l.normEpsilon,
               ParameterRole::Plain);
      in = l.queryRank;
      queries = "self_attn.q_b_proj.weight";
    }
    int64_t head = l.plain + l.rotary;
    ValueId plain = sliced("self_attn.q_plain", a, in, heads * l.plain,
                           {queries, heads * head, head, 0});
    ValueId turned = sliced("self_attn.q_rotary", a, in, heads * l.rotary,
                            {queries, heads * head, head, l.plain}, l.rotary);
    const std::string both = "self_attn.kv_a_proj_with_mqa.weight";
    int64_t rows = l.rank + l.rotary;
    ValueId latent = sliced("self_attn.kv_latent", h, config.hidden, l.rank,
                            {both, rows, rows, 0});
    ValueId key = sliced("self_attn.k_rotary", h, config.hidden, l.rotary,
                         {both, rows, rows, l.rank}, l.rotary);
    latent = norm("self_attn.kv_a_layernorm", latent, l.rank, l.normEpsilon,
                  ParameterRole::Plain);
    turned = rotated("self_attn.q_rope", turned, heads * l.rotary, l.rotary);
    key = rotated("self_attn.k_rope", key, l.rotary, l.rotary);
    const std::string up = "self_attn.kv_b_proj.weight";
    int64_t period = l.plain + l.value;
    ValueId q = perHead("self_attn.k_up", plain, l.plain, l.rank,
                        {up, heads * period, period, 0, true});
    AttentionAttributes attributes;
    attributes.heads = heads;
    attributes.kvHeads = 1;
    attributes.headSize = l.rank;
    attributes.rotarySize = l.rotary;
    attributes.scale = scaleOr(head);
    ValueId mixed = attention(layer, attributes, {q, latent, key}, {turned});
    return perHead("self_attn.v_up", mixed, l.rank, l.value,
                   {up, heads * period, period, l.plain});
  }

  ValueId attentionBlock(const LayerConfig &layer, ValueId x) {
    ValueId h = layerNorm(config.names.attentionNorm, x, config.normEpsilon);
    bool isLatent = config.latent.rank > 0;
    int64_t columns =
        config.heads * (isLatent ? config.latent.value : config.headSize);
    ValueId y = isLatent ? latentAttention(layer, h) : headAttention(layer, h);
    if (config.attentionGate) {
      ValueId gate = linear("self_attn.gate_proj", h, config.hidden, columns);
      y = op(OpKind::SigmoidMul, "self_attn.gated", {gate, y}, {}, columns);
    }
    y = linear("self_attn.o_proj", y, columns, config.hidden,
               config.outputBias);
    if (!config.names.attentionPostNorm.empty()) {
      y = layerNorm(config.names.attentionPostNorm, y, config.postNormEpsilon);
    }
    return op(OpKind::Add, "self_attn.residual", {x, y}, {}, config.hidden);
  }

  ValueId dense(const std::string &name, ValueId x, int64_t width) {
    bool bias = config.denseBias;
    ValueId gate = linear(name + ".gate_proj", x, config.hidden, width, bias);
    ValueId up = linear(name + ".up_proj", x, config.hidden, width, bias);
    ValueId h = op(OpKind::SiluMul, name + ".silu_mul", {gate, up}, {}, width);
    return linear(name + ".down_proj", h, width, config.hidden, bias);
  }

  ValueId routed(ValueId x) {
    const std::string block = config.names.feedForward;
    const std::string name = block + "." + config.names.router;
    int64_t experts = config.experts, width = config.expertWidth;
    std::vector<ParameterId> weights = {
        parameter(name + ".weight", {experts, config.hidden})};
    if (config.router.bias) {
      weights.push_back(parameter(name + ".bias", {experts}));
    }
    if (config.router.choiceBias) {
      weights.push_back(
          parameter(name + ".e_score_correction_bias", {experts}));
    }
    Op &router = append(OpKind::Router, name, {x}, std::move(weights));
    router.attributes = RouterAttributes{experts, config.expertsPerToken,
                                         config.routerScore, config.router};
    result(router, config.router.choiceBias ? ".choice" : ".logits", experts);
    ValueId chosen =
        result(router, ".chosen", config.expertsPerToken, ElementKind::Index);
    ValueId scores = result(router, ".scores", config.expertsPerToken);
    if (config.router.choiceBias) {
      result(router, ".logits", experts);
    }

    weights.clear();
    auto stacked = [&](const std::string &matrix, ParameterRole role,
                       std::vector<int64_t> shape) {
      shape.insert(shape.begin(), experts);
      weights.push_back(
          parameter(block + ".experts." + matrix, std::move(shape)));
      graph.parameters.back().role = role;
    };
    int64_t hidden = config.hidden;
    stacked("gate_proj", ParameterRole::ExpertGate, {width, hidden});
    stacked("up_proj", ParameterRole::ExpertUp, {width, hidden});
    stacked("down_proj", ParameterRole::ExpertDown, {hidden, width});
    if (config.expertBias) {
      stacked("gate_proj_bias", ParameterRole::ExpertGateBias, {width});
      stacked("up_proj_bias", ParameterRole::ExpertUpBias, {width});
      stacked("down_proj_bias", ParameterRole::ExpertDownBias, {hidden});
    }
    return op(OpKind::Experts, block + ".experts", {x, chosen, scores},
              std::move(weights), hidden,
              ExpertsAttributes{experts, config.expertsPerToken, width,
                                config.routerScore, config.expertActivation});
  }

  ValueId feedForwardBlock(const LayerConfig &layer, ValueId x) {
    const ModuleNames &names = config.names;
    ValueId h = layerNorm(names.feedForwardNorm, x, config.normEpsilon);
    ValueId y = 0;
    if (layer.feedForward == FeedForward::Dense) {
      y = dense(names.feedForward, h, config.denseWidth);
    } else {
      y = routed(h);
      if (config.sharedWidth > 0) {
        ValueId shared = dense(names.feedForward + "." + names.shared, h,
                               config.sharedWidth);
        y = op(OpKind::Add, names.feedForward + ".sum", {shared, y}, {},
               config.hidden);
      }
    }
    if (!names.feedForwardPostNorm.empty()) {
      y = layerNorm(names.feedForwardPostNorm, y, config.postNormEpsilon);
    }
    return op(OpKind::Add, names.feedForward + ".residual", {x, y}, {},
              config.hidden);
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
