//===- ModelConfig.h - A model as plain data --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// What a decoder-only text model is, independent of the family whose
// config.json it came from. Every reader of a family fills this struct; the
// graph, the weights and the reference pass look at nothing else, so a new
// family adds a reader and, where it computes something new, a field here.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_MODELCONFIG_H
#define CHIPWRIGHT_MODELS_MODELCONFIG_H

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace chipwright::models {

/// Which components of a head one rotation turns. Models whose pairs are
/// (x[i], x[i + d/2]) have the rows of their projections put in this order when
/// they are read (RopeConfig::storedInHalves): scores do not change if q and k
/// are permuted alike.
enum class RopePairing {
  Neighbours, // (x[2i], x[2i+1])
};

/// How the inverse frequencies are stretched for long contexts.
enum class RopeScalingKind { None, Llama3, Yarn };

struct RopeScaling {
  RopeScalingKind kind = RopeScalingKind::None;
  double factor = 1;
  double lowFrequencyFactor = 1;
  double highFrequencyFactor = 1;
  double originalPositions = 0;
  // Of yarn: rotations within the original positions from which on a pair
  // keeps its frequency, up to which it is stretched, and whether the pairs at
  // these bounds are whole numbers.
  double betaFast = 32;
  double betaSlow = 1;
  bool truncate = true;
  double scoreWeight = 0; // mscale_all_dim, which some models' scores take

  bool operator==(const RopeScaling &) const = default;
};

struct RopeConfig {
  RopePairing pairing = RopePairing::Neighbours;
  double theta = 0;
  RopeScaling scaling;
  double magnitude = 1; // factor on cosines and sines
  /// The checkpoint's rows of a head are those of all first components of
  /// pairs, then those of all second ones.
  bool storedInHalves = false;

  bool operator==(const RopeConfig &) const = default;
};

/// Which earlier tokens of its sequence a token attends to.
enum class MaskKind {
  Causal,  // all of them
  Chunked, // those of its own chunk: positions of equal floor(p / chunk)
  Sliding, // the last `chunk` ones, itself included
};

struct AttentionMask {
  MaskKind kind = MaskKind::Causal;
  int64_t chunk = 0; // tokens, for Chunked and Sliding

  bool operator==(const AttentionMask &) const = default;

  /// \returns the first position that a token at \p position attends to; the
  /// last one is its own.
  int64_t firstPosition(int64_t position) const {
    return kind == MaskKind::Chunked ? position - position % chunk
           : kind == MaskKind::Sliding && position >= chunk
               ? position - chunk + 1
               : 0;
  }
};

/// Factor on the queries that grows with the position p:
/// ln(1 + floor((p + 1) / floorScale)) * scale + 1.
struct TemperatureConfig {
  double floorScale = 0;
  double scale = 0;

  bool operator==(const TemperatureConfig &) const = default;
};

/// Root-mean-square norm of every head of q and of k.
struct QkNormConfig {
  bool beforeRope = false;
  bool weighted = false;

  bool operator==(const QkNormConfig &) const = default;
};

/// Attention whose keys and values are linear maps of one short vector per
/// token, the latent (DeepSeek's MLA), with one rotated key for all heads. The
/// graph takes the absorbed form: the maps move to the queries and to the
/// result, and the cache holds the latent.
struct LatentConfig {
  int64_t queryRank = 0; // 0: q is one product
  int64_t rank = 0;      // columns of the latent; 0: no such attention
  int64_t plain = 0;     // columns of a head that are not rotated
  int64_t rotary = 0;    // columns that are
  int64_t value = 0;     // columns of a head's values
  double normEpsilon = 0;

  bool operator==(const LatentConfig &) const = default;
};

/// How gate and up of a feed-forward become one.
enum class Activation {
  Silu, // silu(gate) * up
  /// (up + 1) * gate * sigmoid(alpha * gate) with gate of at most `limit` and
  /// up within it.
  ClampedSwiglu,
};

struct ActivationConfig {
  Activation kind = Activation::Silu;
  double limit = 0;
  double alpha = 1;

  bool operator==(const ActivationConfig &) const = default;
};

enum class FeedForward {
  Dense,   // down(act(gate x) * up x)
  Experts, // routed experts, plus a shared one if sharedWidth says so
};

struct LayerConfig {
  bool rope = true;
  bool qkNorm = false;      // as QkNormConfig says
  bool temperature = false; // TemperatureConfig on the queries
  AttentionMask mask;
  FeedForward feedForward = FeedForward::Dense;

  bool operator==(const LayerConfig &) const = default;
};

/// How a router's logits become weights of the chosen experts. All but the
/// first multiply an expert's output.
enum class RouterScore {
  SigmoidOnInput,  // sigmoid(logit), times the expert's input
  Sigmoid,         // sigmoid(logit)
  Softmax,         // over all experts
  SoftmaxOfChosen, // over the chosen ones
};

/// A router that is more than its score; `groups` of neighbouring experts.
struct RouterConfig {
  bool bias = false; // on the logits
  /// Experts are chosen by sigmoid(logit) plus a bias that the scores lack.
  bool choiceBias = false;
  int64_t groups = 1;      // experts are chosen from
  int64_t keptGroups = 1;  // this many groups, those with the best two experts
  bool normalised = false; // scores are divided by their sum
  double scale = 1;        // and multiplied by this

  bool operator==(const RouterConfig &) const = default;
};

/// Type that the checkpoint says its weights have; the tensors decide.
enum class WeightType { Unstated, BF16, F16, F32, F64 };

/// How the experts of a layer are stored.
enum class ExpertLayout {
  StackedInOut, // gate_up_proj [E, in, 2 out], down_proj [E, in, out]
  StackedOutIn, // gate_up_proj [E, 2 out, in], down_proj [E, out, in]
  PerExpert,    // one matrix [out, in] per expert, gate, up and down
  /// As StackedInOut, gate in the even columns and up in the odd ones.
  StackedInOutPairs,
};

/// Names of a layer's modules, of ops and parameters as of stored tensors.
struct ModuleNames {
  std::string attentionNorm = "input_layernorm";
  std::string attentionPostNorm = {}; // of its result; "": none
  std::string feedForwardNorm = "post_attention_layernorm";
  std::string feedForwardPostNorm = {};
  std::string feedForward = "mlp";
  std::string router = "gate";           // within feedForward
  std::string shared = "shared_experts"; // within feedForward
};

/// What a checkpoint of the family holds beside the names above.
struct StorageNames {
  struct Prefixes {
    std::string body; // of everything but the head
    std::string head; // of lm_head.weight
  };
  std::vector<Prefixes> prefixes = {{"model.", ""}};
  std::vector<std::string> foreign = {};  // prefixes of tensors to skip
  std::vector<ExpertLayout> layouts = {}; // the published one first
  /// Of one expert, within experts.E: gate, up, down.
  std::array<std::string, 3> expertMatrices = {"gate_proj", "up_proj",
                                               "down_proj"};
  /// Another name that files may have for the module feedForward; "": none.
  std::string otherFeedForward = {};
  /// Norms of the layers are stored less 1.
  bool centredNorms = false;
  /// Layers behind the last one, which another use of the model needs.
  int64_t extraLayers = 0;
};

struct ModelConfig {
  std::string source;    // file, for messages
  std::string modelType; // as in config.json
  ModuleNames names;
  StorageNames storage;

  int64_t vocabulary = 0;
  int64_t hidden = 0;
  int64_t heads = 0;
  int64_t kvHeads = 0;
  int64_t headSize = 0;
  int64_t maxPositions = 0; // 0: unstated; a statement, not a bound
  double normEpsilon = 0;
  double postNormEpsilon = 0; // of ModuleNames::...PostNorm
  bool tiedEmbeddings = false;
  bool embeddingNorm = false; // rms norm of embedded rows, without weight
  ActivationConfig expertActivation;
  WeightType weightType = WeightType::Unstated;

  RopeConfig rope;
  TemperatureConfig temperature;
  QkNormConfig qkNorm;
  LatentConfig latent;
  double attentionScale = 0; // on q k^T; 0: headSize^-0.5
  bool queryKeyValueBias = false;
  bool outputBias = false;    // of o_proj
  bool sinks = false;         // a logit of each head that takes part in
                              // softmax and has no value
  bool attentionGate = false; // its result times sigmoid(gate_proj x)
  bool denseBias = false;     // of gate, up and down
  double logitScale = 1;
  double logitCap = 0; // c tanh(scale x / c); 0: none

  int64_t denseWidth = 0;
  int64_t experts = 0;
  int64_t expertsPerToken = 0;
  int64_t expertWidth = 0;
  int64_t sharedWidth = 0; // 0: no shared expert
  RouterScore routerScore = RouterScore::SigmoidOnInput;
  RouterConfig router;
  bool expertBias = false;

  std::vector<LayerConfig> layers;
  std::vector<int64_t> endTokens;

  /// \returns true if any layer has routed experts.
  bool hasExperts() const;

  /// \returns how many layers take a dense feed-forward.
  int64_t denseLayers() const;
};

/// \returns the inverse frequencies of \p rope for heads of \p headSize: one
/// per pair, computed in fp64 and rounded once to fp32. The angle of pair i at
/// position p is the fp32 product p * result[i]; that product is part of the
/// models' definition and the same for every precision of the pass.
std::vector<float> inverseFrequencies(const RopeConfig &rope, int64_t headSize);

/// \returns the factor that yarn puts on cosines and sines for a context
/// \p factor times as long: 0.1 weight ln(factor) + 1.
double yarnMagnitude(double factor, double weight);

/// \returns the factor on the queries at \p position.
double temperatureAt(const TemperatureConfig &config, int64_t position);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_MODELCONFIG_H
