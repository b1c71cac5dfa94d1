//===- Reference.h - The model computed on the host -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Executes a graph in fp32 or fp64 by Eigen, op by op and by the definitions
// in Graph.h: what the chips' results are compared with. Angles of rotary
// embeddings are fp32 products in both precisions, as the models define them.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_REFERENCE_H
#define CHIPWRIGHT_MODELS_REFERENCE_H

#include "chips/Diagnostic.h"
#include "models/BlockQuantisation.h"
#include "models/Graph.h"
#include "models/RowQuantisation.h"
#include "models/Step.h"
#include "models/Weights.h"

#include <Eigen/Core>

#include <functional>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace chipwright::models {

template <typename T>
using HostMatrix =
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A value of the graph in memory: `real` [rows, columns] or, for values of
/// ElementKind::Index, `index` (one column for inputs of the step).
template <typename T> struct HostValue {
  HostMatrix<T> real;
  HostMatrix<int32_t> index;
};

/// Keys and values of all tokens so far, a row per slot.
template <typename T> struct KvCache {
  struct Layer {
    HostMatrix<T> keys, values; // [slots, Graph::cacheColumns, valueColumns]
  };
  std::vector<Layer> layers; // by AttentionAttributes::cache

  /// Zeros for \p slots tokens.
  KvCache(const Graph &graph, int64_t slots);

  /// \returns the memory that a cache of \p slots tokens takes.
  static uint64_t bytes(const Graph &graph, int64_t slots) {
    return sizeof(T) * static_cast<uint64_t>(graph.caches) *
           static_cast<uint64_t>(graph.cacheColumns + graph.valueColumns) *
           static_cast<uint64_t>(slots);
  }

  int64_t slots() const { return layers.empty() ? 0 : layers[0].keys.rows(); }
};

/// To what the operands of matrix products (linear maps, router, experts,
/// logits, query-key and probability-value products) are rounded, to nearest
/// even, before they are multiplied in the pass's own precision. Keys and
/// values are rounded as they enter the cache.
enum class OperandRounding { None, BF16, F16 };

/// Chosen experts [tokens, chosen] by the name of the router.
using RouterChoices = std::map<std::string, HostMatrix<int32_t>>;

struct ReferenceOptions {
  OperandRounding rounding = OperandRounding::None;
  /// Maps that mayQuantise() names have weights and activations quantised row
  /// by row to this.
  /// Activations are rounded by `rounding` first, as they are stored.
  std::optional<RowType> linear = {};
  /// Weights of linear maps and experts are the numbers that this form keeps of
  /// them, then rounded by `rounding`.
  std::optional<BlockType> weights = {};
  /// Whether that includes maps of products of two activations; else what
  /// mayQuantiseProducts() says.
  std::optional<bool> products = {};
  /// Bytes of converted weights kept between steps; others are converted
  /// again each time they are used.
  uint64_t keepBytes = uint64_t(1) << 30;
};

/// What to do beside computing, for one step.
template <typename T> struct StepOptions {
  /// Experts to take instead of the router's own choice; routers that it does
  /// not name choose themselves. Scores are those of the pass's own logits.
  const RouterChoices *replay = nullptr;
  /// Called after each op with its results.
  std::function<void(const Op &, std::span<const HostValue<T>>)> observe;
};

/// How a router decided.
template <typename T> struct RouterReport {
  std::string name;
  HostMatrix<T> logits;      // choice values [tokens, experts]
  HostMatrix<int32_t> own;   // what they choose
  HostMatrix<int32_t> taken; // what was executed: own, or the replayed ones
  /// Per token, the smallest chosen one less the largest other one: how far
  /// they may move without changing `own`; infinity if all are chosen.
  std::vector<T> margins;
};

template <typename T> struct StepResult {
  HostMatrix<T> logits; // [outputs, vocabulary]
  std::vector<RouterReport<T>> routers;
};

template <typename T> class Reference {
public:
  /// \p graph and \p weights must outlive this.
  Reference(const Graph &graph, const Weights &weights,
            ReferenceOptions options = {});

  /// Executes a step: writes the tokens' keys and values to \p cache and
  /// returns the logits of the step's output rows. Refused: a step that
  /// verifyStep() refuses, replayed choices of a wrong shape.
  Result<StepResult<T>> run(const Step &step, KvCache<T> &cache,
                            const StepOptions<T> &options = {});

  /// Executes one op on the operands given, in the order of Op::operands.
  /// \p cache is needed by attention only, which writes its k and v first.
  /// Refused: operands whose number or size is not what the op asks for,
  /// indices out of range.
  Result<std::vector<HostValue<T>>>
  evaluate(const Op &op, std::span<const HostValue<T> *const> operands,
           KvCache<T> *cache, const HostMatrix<int32_t> *replay = nullptr);

  /// \returns the values of the inputs of a step, by ValueId (empty for
  /// results of ops).
  std::vector<HostValue<T>> inputs(const Step &step) const;

private:
  using Matrix = HostMatrix<T>;
  using Operands = std::span<const HostValue<T> *const>;

  /// What becomes of a weight's numbers before they are multiplied.
  enum class WeightForm : uint8_t { Rounded, Rows, Blocks };

  struct WeightKey {
    ParameterId parameter;
    int64_t matrix, row;
    WeightForm form;
    auto operator<=>(const WeightKey &) const = default;
  };

  Result<void> checkOperands(const Op &op, Operands operands,
                             const KvCache<T> *cache,
                             const HostMatrix<int32_t> *replay) const;
  const Matrix &weightBlock(const WeightKey &key, int64_t rows);
  Matrix product(const Matrix &x, ParameterId parameter, int64_t matrix = 0,
                 WeightForm form = WeightForm::Rounded);
  WeightForm formOf(const Op &op, size_t parameter = 0) const;
  void quantiseRows(Matrix &matrix, bool weight) const;
  bool isQuantised(const Op &op, size_t parameter = 0) const;
  /// The vector \p parameter, or row \p row of a matrix, as one row.
  Matrix vectorOf(ParameterId parameter, int64_t row = 0) const;
  void roundOperand(Matrix &matrix) const;

  Matrix embedding(const Op &op, Operands operands);
  Matrix linear(const Op &op, const Matrix &x);
  Matrix headLinear(const Op &op, const Matrix &x);
  Matrix rmsNorm(const Op &op, const Matrix &x);
  Matrix rope(const Op &op, Operands operands) const;
  Matrix temperature(const Op &op, Operands operands) const;
  Matrix attention(const Op &op, Operands operands, KvCache<T> &cache) const;
  std::vector<HostValue<T>> router(const Op &op, const Matrix &x,
                                   const HostMatrix<int32_t> *replay);
  Matrix experts(const Op &op, Operands operands);
  Matrix logits(const Op &op, Operands operands);

  const Graph &graph;
  const Weights &weights;
  ReferenceOptions options;
  std::map<WeightKey, Matrix> kept;
  uint64_t keptBytes = 0;
  Matrix scratch; // a block that is not kept
  PageLimit pages;
};

extern template class Reference<float>;
extern template class Reference<double>;
extern template struct KvCache<float>;
extern template struct KvCache<double>;

/// \returns the experts that \p logits choose: per row the \p chosen largest,
/// falling, the lowest index on ties.
template <typename T>
HostMatrix<int32_t> chooseExperts(const HostMatrix<T> &logits, int64_t chosen);

/// \returns per row how far the logits are from another choice.
template <typename T>
std::vector<T> choiceMargins(const HostMatrix<T> &logits,
                             const HostMatrix<int32_t> &own);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_REFERENCE_H
