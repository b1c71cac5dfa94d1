//===- ReferenceOps.h - Ops that need no weights store ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Internal to models/: the row-wise ops and attention of the reference pass,
// by the definitions in Graph.h. T is float or double.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_REFERENCEOPS_H
#define CHIPWRIGHT_MODELS_REFERENCEOPS_H

#include "models/Reference.h"

#include <cmath>

namespace chipwright::models {

template <typename T> T sigmoid(T x) { return T(1) / (T(1) + std::exp(-x)); }

/// silu(gate) * up, element by element.
template <typename T>
HostMatrix<T> siluMul(const HostMatrix<T> &gate, const HostMatrix<T> &up) {
  return (gate.array() * gate.unaryExpr(&sigmoid<T>).array() * up.array())
      .matrix();
}

/// Rounds every element to the format of \p rounding.
template <typename T>
void roundTo(OperandRounding rounding, HostMatrix<T> &matrix);

/// Norms each group of columns; an empty \p weight [1, group] stands for ones.
template <typename T>
HostMatrix<T> rmsNormRows(const HostMatrix<T> &x,
                          const RmsNormAttributes &attributes,
                          const HostMatrix<T> &weight);

/// Rotates the pairs of each head by the angles of its row's position.
template <typename T>
HostMatrix<T> rotateHeads(const HostMatrix<T> &x,
                          const HostMatrix<int32_t> &positions,
                          const RopeAttributes &attributes);

/// gate and up, [rows, width], made one.
template <typename T>
HostMatrix<T> activated(const ActivationConfig &activation,
                        const HostMatrix<T> &gate, const HostMatrix<T> &up);

/// Operands of attention, as the op has them. Indices are columns of one entry
/// per token and in range.
template <typename T> struct AttentionOperands {
  const HostMatrix<T> &q, &k, &v;
  const HostMatrix<int32_t> &slots, &lo, &hi;
  const HostMatrix<T> *rotated = nullptr; // with rotarySize
  const HostMatrix<T> *sinks = nullptr;   // [1, heads]
};

/// Writes k and v to their slots of \p keys and \p values, then attends.
template <typename T>
HostMatrix<T> attend(const AttentionAttributes &attributes,
                     OperandRounding rounding,
                     const AttentionOperands<T> &operands, HostMatrix<T> &keys,
                     HostMatrix<T> &values);

/// What a router with a choice bias [1, experts] chooses by.
template <typename T>
HostMatrix<T> choiceValues(const RouterAttributes &attributes,
                           const HostMatrix<T> &logits,
                           const HostMatrix<T> &bias);

/// The scores of the experts \p chosen.
template <typename T>
HostMatrix<T> routerScores(const RouterAttributes &attributes,
                           const HostMatrix<T> &logits,
                           const HostMatrix<int32_t> &chosen);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_REFERENCEOPS_H
