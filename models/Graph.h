//===- Graph.h - A model as a list of operations ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The computation of one step of a model: values, parameters and operations in
// order, each value defined once and before its uses. It is what the compiler
// starts from and what the reference pass executes, and holds no numbers of
// weights and no type of any compiler.
//
// A step processes T tokens of any number of sequences. Its inputs say per
// token which id and position it has, which slot of the key/value cache takes
// its key and value, and which slots it attends to: two bounds [lo, hi) per
// kind of mask. Activations are [tokens, columns]; a head h of n columns takes
// the columns h*n to h*n + n - 1. Parameters of linear maps are [out, in].
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_GRAPH_H
#define CHIPWRIGHT_MODELS_GRAPH_H

#include "chips/Diagnostic.h"
#include "models/ModelConfig.h"
#include "models/RowQuantisation.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chipwright::models {

using ValueId = int32_t;
using ParameterId = int32_t;
using OpId = int32_t;

/// A size of a value: a number, or one that each step decides.
struct Dim {
  enum Kind : uint8_t {
    Fixed,
    Tokens,  // tokens of the step
    Outputs, // tokens whose logits the step asks for
  };
  Kind kind = Fixed;
  int64_t size = 0; // for Fixed

  static Dim fixed(int64_t size) { return {Fixed, size}; }
  static Dim tokens() { return {Tokens, 0}; }
  static Dim outputs() { return {Outputs, 0}; }
  bool operator==(const Dim &) const = default;
};

enum class ElementKind : uint8_t {
  Real,
  Index, // integers: ids, positions, slots, chosen experts
};

/// What the step descriptor delivers in an input value.
enum class StepInput : uint8_t {
  None,       // the value is the result of an operation
  TokenIds,   // [tokens]
  Positions,  // [tokens], position in the sequence, from 0
  Slots,      // [tokens], cache slot that takes the token's key and value
  MaskLo,     // [tokens], first slot attended to, of mask `mask`
  MaskHi,     // [tokens], one past the last
  OutputRows, // [outputs], indices of tokens
};

struct Value {
  ValueId id = 0;
  std::string name;
  std::vector<Dim> shape;
  ElementKind element = ElementKind::Real;
  StepInput input = StepInput::None;
  int32_t mask = -1;  // index into Graph::masks, for MaskLo and MaskHi
  OpId producer = -1; // -1 for inputs of the step
};

/// How a parameter is found in a checkpoint.
enum class ParameterRole : uint8_t {
  Plain,      // a tensor of its own, called as the parameter
  Head,       // a tensor of its own outside the body of the model
  ExpertGate, // these are stored in several layouts
  ExpertUp,
  ExpertDown,
  ExpertGateBias,
  ExpertUpBias,
  ExpertDownBias,
  LayerNorm, // of whole rows within a layer; some families store it less 1
};

/// Which rows of a stored matrix a parameter is: of each `period` rows a run
/// from `first` on, as long as fits the parameter.
struct ParameterSlice {
  std::string tensor = {}; // "": a tensor of its own, called as the parameter
  int64_t rows = 0;        // of that tensor
  int64_t period = 0;
  int64_t first = 0;
  /// The parameter is a stack of matrices: each run of rows, transposed.
  bool isTransposed = false;
};

struct Parameter {
  ParameterId id = 0;
  std::string name;           // "layers.3.self_attn.q_proj.weight"
  std::vector<int64_t> shape; // [n], [out, in] or [experts, out, in]
  ParameterRole role = ParameterRole::Plain;
  int32_t layer = -1;
  ParameterSlice slice = {};
  /// Rows (elements of a vector) are those of heads of this size, in the order
  /// of pairs that rotations work on; 0: of no heads that are rotated.
  int64_t rotatedHead = 0;
};

enum class OpKind : uint8_t {
  Embedding,   // (ids) {table}: row gather
  RmsNorm,     // (x) {weight?}: x * rsqrt(mean(x^2) + eps) [* weight]
  Linear,      // (x) {weight, bias?}: x weight^T [+ bias]
  Rope,        // (x, positions)
  Temperature, // (x, positions): x * temperatureAt(position)
  Attention,   // (q, k, v, slots, lo, hi, rotated?) {sinks?}, see
               // AttentionAttributes
  Router,      // (x) {weight, ...}: see RouterAttributes
  Experts,     // (x, chosen, scores) {gate, up, down, their biases?}
  SiluMul,     // (gate, up): silu(gate) * up
  Add,         // (a, b)
  Logits,      // (x, rows) {weight}: see LogitsAttributes
  HeadLinear,  // (x) {weights}: of each head x weight^T
  SigmoidMul,  // (gate, x): sigmoid(gate) * x
};

struct RmsNormAttributes {
  double epsilon = 0;
  int64_t group = 0; // columns of one norm: the width, or a head's size
};

struct RopeAttributes {
  RopePairing pairing = RopePairing::Neighbours;
  int64_t headSize = 0;
  /// Per pair of a head; the angle is the fp32 product with the position.
  std::vector<float> inverseFrequencies;
  double magnitude = 1; // factor on cosines and sines
};

struct TemperatureAttributes {
  TemperatureConfig config;
};

/// First writes every token's k and v to its slot of the cache, then
/// computes, for head h with key head h / (heads / kvHeads),
/// softmax(scale * q k^T) v over the slots [lo, hi) of the token. With sinks
/// [heads], softmax has a term exp(sink) more in its sum.
///
/// With rotarySize, k is a latent vector that is also the value, and v the
/// rotated key; `rotated` is the part of the queries for the latter, so scores
/// are q k^T + rotated v^T. There is one key head then.
struct AttentionAttributes {
  int64_t heads = 0;
  int64_t kvHeads = 0;
  int64_t headSize = 0;
  double scale = 0;
  int32_t mask = 0;  // index into Graph::masks
  int32_t cache = 0; // which of the graph's caches
  int64_t rotarySize = 0;

  /// Columns of `v`, and of the second matrix of the cache.
  int64_t valueColumns() const {
    return rotarySize > 0 ? rotarySize : kvHeads * headSize;
  }
};

/// Logits are x weight^T [+ bias]. Chooses the `chosen` largest of the choice
/// values, the lowest index on ties; results in falling order of them. Choice
/// values are the logits; with choiceBias sigmoid(logit) + bias, lowered by
/// groupDrop in the groups that are not kept. A group counts as much as its two
/// best choice values together.
///
/// Results: choice values, chosen experts, scores, and with choiceBias the
/// logits. Parameters: weight, the bias, the choice bias, as there are.
struct RouterAttributes {
  int64_t experts = 0;
  int64_t chosen = 0;
  RouterScore score = RouterScore::SigmoidOnInput;
  RouterConfig more = {};

  /// More than choice values of one token differ by.
  static constexpr double groupDrop = 1024;
};

/// Sum over the chosen experts e of down_e(act(gate_e z, up_e z)), where
/// z = score * x; or of score * down_e(act(gate_e x, up_e x)), as RouterScore
/// says. Biases are [experts, width] and [experts, columns], and are added to
/// each of the three products.
struct ExpertsAttributes {
  int64_t experts = 0;
  int64_t chosen = 0;
  int64_t width = 0;
  RouterScore score = RouterScore::SigmoidOnInput;
  ActivationConfig activation = {};
};

/// z = scale * x[rows] weight^T, or cap * tanh(z / cap) where there is a cap.
struct LogitsAttributes {
  double scale = 1;
  double cap = 0;
};

struct HeadLinearAttributes {
  int64_t heads = 0;
};

using OpAttributes =
    std::variant<std::monostate, RmsNormAttributes, RopeAttributes,
                 TemperatureAttributes, AttentionAttributes, RouterAttributes,
                 ExpertsAttributes, LogitsAttributes, HeadLinearAttributes>;

/// \returns true if scores multiply what goes into an expert.
inline bool scalesInput(RouterScore score) {
  return score == RouterScore::SigmoidOnInput;
}

struct Op {
  OpId id = 0;
  OpKind kind = OpKind::Add;
  std::string name; // "layers.3.feed_forward.experts"
  int32_t layer = -1;
  std::vector<ValueId> operands;
  std::vector<ParameterId> parameters;
  std::vector<ValueId> results;
  OpAttributes attributes;
};

struct Graph {
  std::string modelType;
  int64_t vocabulary = 0;
  int32_t caches = 0;                // key/value caches, one per attention
  int64_t cacheColumns = 0;          // of keys
  int64_t valueColumns = 0;          // of values, AttentionAttributes
  std::vector<AttentionMask> masks;  // the distinct masks of the layers
  std::vector<Value> values;         // indexed by ValueId
  std::vector<Parameter> parameters; // indexed by ParameterId
  std::vector<Op> ops;               // indexed by OpId, in order of execution
  ValueId logits = -1;               // [outputs, vocabulary]

  /// \returns the op of that name, or nullptr.
  const Op *findOp(std::string_view name) const;
};

/// \returns the name that the printer uses ("rms_norm").
std::string_view opKindName(OpKind kind);

/// Builds the graph of \p config.
Graph buildGraph(const ModelConfig &config);

/// Checks that ids are in order, each value is defined once and before its
/// uses, and operands, parameters and results of each op have the shapes that
/// its kind and attributes ask for. A fault is one of the program that built
/// the graph.
Result<void> verifyGraph(const Graph &graph);

/// \returns the graph as text, a line per input, parameter and op:
///   %7:f[tokens,64] = linear(%6) {layers.0.self_attn.q_proj.weight}
///       "layers.0.self_attn.q_proj"
std::string printGraph(const Graph &graph);

/// \returns whether products of two activations (silu_mul, and what experts
/// compute between their maps) may be quantised row by row to \p type. Few of
/// their elements are a hundred times as large as the others, which a common
/// scale of integers rounds to nothing. With the maps of such products in int8
/// too, the perplexity of SmolLM2-135M rises by 12 %, without them by 0.4 %.
/// Floats keep their digits for small elements.
bool mayQuantiseProducts(RowType type);

/// \returns whether the product of \p op with its parameter number
/// \p parameter is one whose operands are quantised row by row: a linear map,
/// or the maps of experts (gate, up, down). Maps of products of two activations
/// are only with \p products, which mayQuantiseProducts() says of a type.
bool mayQuantise(const Graph &graph, const Op &op, bool products,
                 size_t parameter = 0);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_GRAPH_H
