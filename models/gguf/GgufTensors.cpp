//===- GgufTensors.cpp - Names and order of a GGUF file's tensors ---------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/JsonText.h"
#include "models/TensorViews.h"
#include "models/gguf/GgufArchitecture.h"
#include "models/gguf/GgufCheckpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <optional>

namespace chipwright::models {

namespace {

constexpr std::string_view plainParts[] = {"gate_proj", "up_proj", "down_proj"};

constexpr GgufArchitecture architectures[] = {
    {"llama",
     "llama",
     GgufFamily::Llama,
     "mlp",
     "",
     "",
     {plainParts[0], plainParts[1], plainParts[2]},
     true},
    {"llama",
     "mixtral",
     GgufFamily::Mixtral,
     "block_sparse_moe",
     "gate",
     "",
     {"w1", "w3", "w2"},
     true},
    {"qwen3",
     "qwen3",
     GgufFamily::Qwen3,
     "mlp",
     "",
     "",
     {plainParts[0], plainParts[1], plainParts[2]},
     false},
    {"qwen3moe",
     "qwen3_moe",
     GgufFamily::Qwen3Moe,
     "mlp",
     "gate",
     "",
     {plainParts[0], plainParts[1], plainParts[2]},
     false},
    {"llama4",
     "llama4_text",
     GgufFamily::Llama4,
     "feed_forward",
     "router",
     "shared_expert",
     {plainParts[0], plainParts[1], plainParts[2]},
     false},
    {"deepseek2",
     "deepseek_v3",
     GgufFamily::Deepseek2,
     "mlp",
     "gate",
     "shared_experts",
     {plainParts[0], plainParts[1], plainParts[2]},
     false},
    {"gpt-oss",
     "gpt_oss",
     GgufFamily::GptOss,
     "mlp",
     "router",
     "",
     {plainParts[0], plainParts[1], plainParts[2]},
     false},
};

struct NameRule {
  std::string_view gguf; // within blk.N
  std::string_view form; // within model.layers.N
};

// The same in all families that have the tensor.
constexpr NameRule layerNames[] = {
    {"attn_norm.weight", "input_layernorm.weight"},
    {"ffn_norm.weight", "post_attention_layernorm.weight"},
    {"post_attention_norm.weight", "post_attention_layernorm.weight"},
    {"attn_q.weight", "self_attn.q_proj.weight"},
    {"attn_q.bias", "self_attn.q_proj.bias"},
    {"attn_k.weight", "self_attn.k_proj.weight"},
    {"attn_k.bias", "self_attn.k_proj.bias"},
    {"attn_v.weight", "self_attn.v_proj.weight"},
    {"attn_v.bias", "self_attn.v_proj.bias"},
    {"attn_output.weight", "self_attn.o_proj.weight"},
    {"attn_output.bias", "self_attn.o_proj.bias"},
    {"attn_q_norm.weight", "self_attn.q_norm.weight"},
    {"attn_k_norm.weight", "self_attn.k_norm.weight"},
    {"attn_sinks.weight", "self_attn.sinks"},
    {"attn_q_a.weight", "self_attn.q_a_proj.weight"},
    {"attn_q_a_norm.weight", "self_attn.q_a_layernorm.weight"},
    {"attn_q_b.weight", "self_attn.q_b_proj.weight"},
    {"attn_kv_a_mqa.weight", "self_attn.kv_a_proj_with_mqa.weight"},
    {"attn_kv_a_norm.weight", "self_attn.kv_a_layernorm.weight"},
    {"attn_kv_b.weight", "self_attn.kv_b_proj.weight"},
};

constexpr std::string_view denseParts[] = {"ffn_gate", "ffn_up", "ffn_down"};

/// The number N and the rest of "blk.N.REST".
struct LayerName {
  int64_t layer;
  std::string_view rest;
};

std::optional<LayerName> splitLayer(std::string_view name) {
  constexpr std::string_view prefix = "blk.";
  if (!name.starts_with(prefix)) {
    return std::nullopt;
  }
  LayerName result = {};
  const char *end = name.data() + name.size();
  auto [next, error] =
      std::from_chars(name.data() + prefix.size(), end, result.layer);
  if (error != std::errc() || next == end || *next != '.' || result.layer < 0) {
    return std::nullopt;
  }
  result.rest = std::string_view(next + 1, static_cast<size_t>(end - next - 1));
  return result;
}

class RenamedTensors : public TensorStore {
public:
  RenamedTensors(std::shared_ptr<const GgufFile> gguf,
                 const GgufArchitecture &form)
      : file(std::move(gguf)), architecture(form) {}

  void release() const override { file->release(); }

  Result<void> fill() {
    if (auto done = readSizes(); !done) {
      return done;
    }
    for (const auto &[name, tensor] : file->tensors()) {
      if (auto done = add(name, tensor); !done) {
        return done;
      }
    }
    return fault ? Result<void>(*fault) : Result<void>();
  }

private:
  Result<void> readSizes() {
    const GgufMetadata &keys = file->metadata();
    auto number = [&](std::string_view name, int64_t lo, int64_t &target,
                      std::optional<int64_t> fallback) -> Result<void> {
      std::string key = fmt::format("{}.{}", architecture.name, name);
      if (const GgufValue *value = keys.find(key); value && value->isArray) {
        auto list = keys.integers(key); // ggufConfigText() compares them
        if (!list || list->empty() || (*list)[0] < lo) {
          return list
                     ? keys.refuse(key, "positive numbers", "others",
                                   "convert the model with a current converter")
                     : list.error();
        }
        target = (*list)[0];
        return {};
      }
      auto value = keys.integer(key, lo, INT32_MAX, fallback);
      if (!value) {
        return value.error();
      }
      target = *value;
      return {};
    };
    int64_t extra = 0;
    if (auto done = number("block_count", 1, layers, std::nullopt); !done) {
      return done;
    }
    if (auto done = number("nextn_predict_layers", 0, extra, 0); !done) {
      return done;
    }
    layers -= extra;
    if (auto done = number("attention.head_count", 1, heads, std::nullopt);
        !done) {
      return done;
    }
    if (auto done = number("expert_count", 0, experts, 0); !done) {
      return done;
    }
    return number("attention.head_count_kv", 1, keyHeads, heads);
  }

  Diagnostic wrongShape(const StoredTensor &tensor,
                        const std::string &expected) const {
    return Diagnostic{fmt::format(
        "{}: tensor {}: expected {}, found {}; the file's metadata and its "
        "tensors are of different models",
        tensor.file, quoteText(tensor.name), expected, describeTensor(tensor))};
  }

  /// Two tensors of the file may not be one of the model; the first fault is
  /// kept for fill().
  void put(const std::string &name, StoredTensor tensor) {
    std::string own = tensor.name;
    tensor.name = name;
    auto [place, isNew] = byName.emplace(name, std::move(tensor));
    if (!isNew && !fault) {
      fault = Diagnostic{fmt::format(
          "{}: tensor {}: expected one tensor that is {}, found another "
          "before it; convert the model again",
          place->second.file, quoteText(own), quoteText(name))};
    }
  }

  Result<void> add(const std::string &name, const StoredTensor &tensor) {
    if (name == "token_embd.weight") {
      put("model.embed_tokens.weight", tensor);
    } else if (name == "output_norm.weight") {
      put("model.norm.weight", tensor);
    } else if (name == "output.weight") {
      put("lm_head.weight", tensor);
    } else if (name == "rope_freqs.weight") {
      // Part of the configuration.
    } else if (auto split = splitLayer(name)) {
      if (split->layer < layers) {
        return addLayerTensor(*split, tensor);
      }
    } else {
      put(name, tensor);
    }
    return {};
  }

  Result<void> addLayerTensor(const LayerName &name,
                              const StoredTensor &tensor) {
    std::string_view rest = name.rest;
    std::string prefix = fmt::format("model.layers.{}.", name.layer);
    bool query = rest.starts_with("attn_q."), key = rest.starts_with("attn_k.");
    for (const NameRule &rule : layerNames) {
      if (rule.gguf == rest) {
        if (architecture.pairedHeads && (query || key)) {
          return addHeads(prefix + std::string(rule.form), tensor,
                          query ? heads : keyHeads);
        }
        put(prefix + std::string(rule.form), tensor);
        return {};
      }
    }
    if (rest == "attn_k_b.weight" || rest == "attn_v_b.weight") {
      // Some converters write the joined tensor as well.
      std::string joined = fmt::format("blk.{}.attn_kv_b.weight", name.layer);
      return rest == "attn_k_b.weight" && !file->find(joined)
                 ? joinLatent(prefix + "self_attn.kv_b_proj.weight", tensor,
                              name.layer)
                 : Result<void>();
    }
    return addFeedForward(prefix, rest, tensor);
  }

  /// Rows of heads: (x[0], x[1]), (x[2], x[3]), ... to x[0], x[2], ..., x[1],
  /// x[3], ...
  Result<void> addHeads(std::string name, const StoredTensor &tensor,
                        int64_t count) {
    size_t sizes = tensor.shape.size();
    if (sizes < 1 || sizes > 2 || tensor.shape[0] % (2 * count) != 0 ||
        !tensor.isReadable()) {
      return wrongShape(tensor,
                        fmt::format("an even number of rows for each of {} "
                                    "heads",
                                    count));
    }
    int64_t size = tensor.shape[0] / count;
    int64_t columns = sizes == 2 ? tensor.shape[1] : 1;
    auto order = [size, columns](int64_t index) {
      int64_t row = index / columns, column = index % columns;
      int64_t head = row / size, i = row % size;
      int64_t stored = 2 * (i % (size / 2)) + i / (size / 2);
      return ViewRun{0, (head * size + stored) * columns + column, 1,
                     columns - column};
    };
    put(name, viewTensor(name, tensor.shape, {tensor}, order));
    return {};
  }

  /// kv_b_proj [heads x (plain + value), rank] of attn_k_b [heads, rank,
  /// plain] and attn_v_b [heads, value, rank].
  Result<void> joinLatent(std::string name, const StoredTensor &keys,
                          int64_t layer) {
    const StoredTensor *values =
        file->find(fmt::format("blk.{}.attn_v_b.weight", layer));
    if (!values || values->shape.size() != 3 || keys.shape.size() != 3 ||
        keys.shape[0] != values->shape[0] ||
        keys.shape[1] != values->shape[2] || !keys.isReadable() ||
        !values->isReadable()) {
      return wrongShape(
          keys, fmt::format("[heads, rank, columns] and attn_v_b.weight "
                            "[heads, columns, rank] beside it (found {})",
                            values ? describeTensor(*values) : "none"));
    }
    int64_t count = keys.shape[0], rank = keys.shape[1];
    int64_t plain = keys.shape[2], value = values->shape[1];
    auto order = [=](int64_t index) {
      int64_t row = index / rank, column = index % rank;
      int64_t head = row / (plain + value), i = row % (plain + value);
      if (i < plain) {
        return ViewRun{0, (head * rank + column) * plain + i, plain,
                       rank - column};
      }
      return ViewRun{1, (head * value + i - plain) * rank + column, 1,
                     rank - column};
    };
    put(name, viewTensor(name, {count * (plain + value), rank}, {keys, *values},
                         order));
    return {};
  }

  Result<void> addFeedForward(const std::string &prefix, std::string_view rest,
                              const StoredTensor &tensor) {
    std::string module = fmt::format("{}{}.", prefix, architecture.feedForward);
    size_t dot = rest.rfind('.');
    std::string_view stem = rest.substr(0, dot);
    std::string_view kind = dot == std::string_view::npos
                                ? std::string_view()
                                : rest.substr(dot + 1); // weight or bias
    if (stem == "ffn_gate_inp" && !architecture.router.empty()) {
      put(fmt::format("{}{}.{}", module, architecture.router, kind), tensor);
      return {};
    }
    if (rest == "exp_probs_b.bias" || rest == "exp_probs_b.weight") {
      put(module + "gate.e_score_correction_bias", tensor);
      return {};
    }
    for (size_t part = 0; part < 3; ++part) {
      if (stem == denseParts[part]) {
        put(fmt::format("{}{}.{}", module, plainParts[part], kind), tensor);
        return {};
      }
      if (stem == std::string(denseParts[part]) + "_shexp" &&
          !architecture.shared.empty()) {
        put(fmt::format("{}{}.{}.{}", module, architecture.shared,
                        plainParts[part], kind),
            tensor);
        return {};
      }
      if (stem == std::string(denseParts[part]) + "_exps") {
        return architecture.family == GgufFamily::GptOss
                   ? addStacked(module + "experts.", part, kind, tensor)
                   : addExperts(module + "experts.", part, kind, tensor);
      }
    }
    // Files before the stacked form: blk.N.ffn_gate.E.weight.
    if (auto expert = splitExpert(rest)) {
      put(fmt::format("{}experts.{}.{}.weight", module, expert->layer,
                      architecture.expertParts[static_cast<size_t>(
                          expert->rest[0] - '0')]),
          tensor);
      return {};
    }
    put(tensor.name, tensor);
    return {};
  }

  /// \returns the expert, and the part as a digit, of "ffn_gate.E.weight".
  static std::optional<LayerName> splitExpert(std::string_view rest) {
    static constexpr std::string_view digits[] = {"0", "1", "2"};
    for (size_t part = 0; part < 3; ++part) {
      std::string start = std::string(denseParts[part]) + ".";
      if (rest.starts_with(start)) {
        std::string name = "blk." + std::string(rest.substr(start.size()));
        auto split = splitLayer(name);
        if (split && split->rest == "weight") {
          return LayerName{split->layer, digits[part]};
        }
      }
    }
    return std::nullopt;
  }

  /// One tensor [out, in] per expert of a stack [experts, out, in].
  Result<void> addExperts(const std::string &module, size_t part,
                          std::string_view kind, const StoredTensor &tensor) {
    if (tensor.shape.size() != 3 || kind != "weight" ||
        tensor.shape[0] != experts) {
      return wrongShape(tensor, fmt::format("the weights of {} experts "
                                            "[experts, out, in]",
                                            experts));
    }
    int64_t out = tensor.shape[1], in = tensor.shape[2];
    for (int64_t e = 0; e < experts; ++e) {
      std::string name = fmt::format("{}{}.{}.weight", module, e,
                                     architecture.expertParts[part]);
      put(name, sliceTensor(tensor, name, e * out * in, {out, in}));
    }
    return {};
  }

  /// gpt-oss: gate_up_proj [experts, in, 2 out] with gate and up in turns, its
  /// bias [experts, 2 out], down_proj [experts, in, out].
  Result<void> addStacked(const std::string &module, size_t part,
                          std::string_view kind, const StoredTensor &tensor) {
    bool bias = kind == "bias";
    if (tensor.shape.size() != (bias ? 2 : 3) || !tensor.isReadable()) {
      return wrongShape(tensor, bias ? "biases [experts, out]"
                                     : "weights [experts, out, in]");
    }
    int64_t stack = tensor.shape[0], out = tensor.shape[1];
    int64_t in = bias ? 1 : tensor.shape[2];
    std::string suffix = bias ? "_bias" : "";
    if (part == 2) {
      std::string name = module + "down_proj" + suffix;
      auto order = [=](int64_t index) {
        int64_t o = index % out, row = index / out;
        return ViewRun{0, (row / in * out + o) * in + row % in, in, out - o};
      };
      put(name,
          bias ? tensor : viewTensor(name, {stack, in, out}, {tensor}, order));
      return {};
    }
    if (part == 1) {
      return {}; // taken with gate
    }
    std::string other = tensor.name;
    other.replace(other.find("ffn_gate_exps"), 13, "ffn_up_exps");
    const StoredTensor *up = file->find(other);
    if (!up || up->shape != tensor.shape || !up->isReadable()) {
      return wrongShape(tensor, fmt::format("{} of the same shape beside it",
                                            quoteText(other)));
    }
    std::string name = module + "gate_up_proj" + suffix;
    auto order = [=](int64_t index) {
      int64_t column = index % (2 * out), row = index / (2 * out);
      return ViewRun{static_cast<size_t>(column % 2),
                     (row / in * out + column / 2) * in + row % in, 1, 1};
    };
    std::vector<int64_t> shape = {stack, in, 2 * out};
    if (bias) {
      shape = {stack, 2 * out};
    }
    put(name, viewTensor(name, shape, {tensor, *up}, order));
    return {};
  }

  std::shared_ptr<const GgufFile> file;
  const GgufArchitecture &architecture;
  int64_t layers = 0, heads = 0, keyHeads = 0, experts = 0;
  std::optional<Diagnostic> fault;
};

} // namespace

Result<const GgufArchitecture *>
findGgufArchitecture(const GgufMetadata &metadata) {
  constexpr std::string_view key = "general.architecture";
  auto name = metadata.text(key);
  if (!name) {
    return name.error();
  }
  auto experts = metadata.integer(*name + ".expert_count", 0, INT32_MAX, 0);
  if (!experts) {
    return experts.error();
  }
  std::string known;
  for (const GgufArchitecture &entry : architectures) {
    if (entry.name == *name &&
        (entry.family != GgufFamily::Llama || *experts == 0)) {
      return &entry;
    }
    if (entry.family != GgufFamily::Mixtral) {
      known += (known.empty() ? "" : ", ") + std::string(entry.name);
    }
  }
  return metadata.refuse(key, "one of " + known, quoteText(*name),
                         "no other architecture is read");
}

Result<std::shared_ptr<const TensorStore>>
ggufTensors(std::shared_ptr<const GgufFile> file) {
  auto architecture = findGgufArchitecture(file->metadata());
  if (!architecture) {
    return architecture.error();
  }
  auto store =
      std::make_shared<RenamedTensors>(std::move(file), **architecture);
  if (auto done = store->fill(); !done) {
    return done.error();
  }
  return std::shared_ptr<const TensorStore>(std::move(store));
}

} // namespace chipwright::models
