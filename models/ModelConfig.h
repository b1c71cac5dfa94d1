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

#include <cstdint>
#include <string>
#include <vector>

namespace chipwright::models {

/// Which components of a head one rotation turns.
enum class RopePairing {
  Neighbours, // (x[2i], x[2i+1])
};

/// How the inverse frequencies are stretched for long contexts.
enum class RopeScalingKind { None, Llama3 };

struct RopeScaling {
  RopeScalingKind kind = RopeScalingKind::None;
  double factor = 1;
  double lowFrequencyFactor = 1;
  double highFrequencyFactor = 1;
  double originalPositions = 0;

  bool operator==(const RopeScaling &) const = default;
};

struct RopeConfig {
  RopePairing pairing = RopePairing::Neighbours;
  double theta = 0;
  RopeScaling scaling;

  bool operator==(const RopeConfig &) const = default;
};

/// Which earlier tokens of its sequence a token attends to.
enum class MaskKind {
  Causal,  // all of them
  Chunked, // those of its own chunk: positions of equal floor(p / chunk)
};

struct AttentionMask {
  MaskKind kind = MaskKind::Causal;
  int64_t chunk = 0; // tokens, for Chunked

  bool operator==(const AttentionMask &) const = default;

  /// \returns the first position that a token at \p position attends to; the
  /// last one is its own.
  int64_t firstPosition(int64_t position) const {
    return kind == MaskKind::Chunked ? position - position % chunk : 0;
  }
};

/// Factor on the queries that grows with the position p:
/// ln(1 + floor((p + 1) / floorScale)) * scale + 1.
struct TemperatureConfig {
  double floorScale = 0;
  double scale = 0;

  bool operator==(const TemperatureConfig &) const = default;
};

enum class Activation { Silu };

enum class FeedForward {
  Dense,   // down(act(gate x) * up x)
  Experts, // routed experts plus a shared one
};

struct LayerConfig {
  bool rope = true;
  bool qkNorm = false;      // rms norm of q and k heads after the rotation
  bool temperature = false; // TemperatureConfig on the queries
  AttentionMask mask;
  FeedForward feedForward = FeedForward::Dense;

  bool operator==(const LayerConfig &) const = default;
};

/// How a router's logits become weights of the chosen experts.
enum class RouterScore {
  SigmoidOnInput, // sigmoid(logit), times the expert's input
};

/// Type that the checkpoint says its weights have; the tensors decide.
enum class WeightType { Unstated, BF16, F16, F32, F64 };

/// Which tensors the checkpoint holds and how they are called.
enum class Naming { Llama4 };

struct ModelConfig {
  std::string source;    // file, for messages
  std::string modelType; // as in config.json
  Naming naming = Naming::Llama4;

  int64_t vocabulary = 0;
  int64_t hidden = 0;
  int64_t heads = 0;
  int64_t kvHeads = 0;
  int64_t headSize = 0;
  int64_t maxPositions = 0; // 0: unstated; a statement, not a bound
  double normEpsilon = 0;
  bool tiedEmbeddings = false;
  Activation activation = Activation::Silu;
  WeightType weightType = WeightType::Unstated;

  RopeConfig rope;
  TemperatureConfig temperature;

  int64_t denseWidth = 0;
  int64_t experts = 0;
  int64_t expertsPerToken = 0;
  int64_t expertWidth = 0;
  int64_t sharedWidth = 0; // 0: no shared expert
  RouterScore routerScore = RouterScore::SigmoidOnInput;

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

/// \returns the factor on the queries at \p position.
double temperatureAt(const TemperatureConfig &config, int64_t position);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_MODELCONFIG_H
