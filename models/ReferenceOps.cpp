//===- ReferenceOps.cpp - Ops that need no weights store --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ReferenceOps.h"
#include "models/StoredType.h"

#include <limits>

namespace chipwright::models {

template <typename T>
void roundTo(OperandRounding rounding, HostMatrix<T> &matrix) {
  switch (rounding) {
  case OperandRounding::None:
    return;
  case OperandRounding::BF16:
    matrix = matrix.unaryExpr([](T x) {
      return static_cast<T>(
          floatOfBfloat(bfloatOfFloat(static_cast<float>(x))));
    });
    return;
  case OperandRounding::F16:
    matrix = matrix.unaryExpr([](T x) {
      return static_cast<T>(floatOfHalf(halfOfFloat(static_cast<float>(x))));
    });
    return;
  }
}

template <typename T>
HostMatrix<T> rmsNormRows(const HostMatrix<T> &x,
                          const RmsNormAttributes &attributes,
                          const HostMatrix<T> &weight) {
  HostMatrix<T> result(x.rows(), x.cols());
  auto epsilon = static_cast<T>(attributes.epsilon);
  Eigen::Index group = attributes.group;
  for (Eigen::Index t = 0; t < x.rows(); ++t) {
    for (Eigen::Index first = 0; first < x.cols(); first += group) {
      auto in = x.row(t).segment(first, group);
      auto out = result.row(t).segment(first, group);
      T mean = in.squaredNorm() / static_cast<T>(group);
      out = in * (T(1) / std::sqrt(mean + epsilon));
      if (weight.size() > 0) {
        out.array() *= weight.row(0).array();
      }
    }
  }
  return result;
}

template <typename T>
HostMatrix<T> rotateHeads(const HostMatrix<T> &x,
                          const HostMatrix<int32_t> &positions,
                          const RopeAttributes &attributes) {
  HostMatrix<T> result(x.rows(), x.cols());
  size_t pairs = attributes.inverseFrequencies.size();
  std::vector<T> cosine(pairs), sine(pairs);
  auto magnitude = static_cast<T>(attributes.magnitude);
  for (Eigen::Index t = 0; t < x.rows(); ++t) {
    auto position = static_cast<float>(positions(t, 0));
    for (size_t i = 0; i < pairs; ++i) {
      float angle = position * attributes.inverseFrequencies[i];
      cosine[i] = std::cos(static_cast<T>(angle)) * magnitude;
      sine[i] = std::sin(static_cast<T>(angle)) * magnitude;
    }
    for (Eigen::Index head = 0; head < x.cols(); head += attributes.headSize) {
      for (size_t i = 0; i < pairs; ++i) {
        Eigen::Index a = head + 2 * static_cast<Eigen::Index>(i);
        T even = x(t, a), odd = x(t, a + 1);
        result(t, a) = even * cosine[i] - odd * sine[i];
        result(t, a + 1) = even * sine[i] + odd * cosine[i];
      }
    }
  }
  return result;
}

template <typename T>
HostMatrix<T> activated(const ActivationConfig &activation,
                        const HostMatrix<T> &gate, const HostMatrix<T> &up) {
  if (activation.kind == Activation::Silu) {
    return siluMul(gate, up);
  }
  auto limit = static_cast<T>(activation.limit);
  auto alpha = static_cast<T>(activation.alpha);
  auto g = gate.array().min(limit);
  auto u = up.array().min(limit).max(-limit);
  return ((u + T(1)) * g * (g * alpha).unaryExpr(&sigmoid<T>)).matrix();
}

template <typename T>
HostMatrix<T> attend(const AttentionAttributes &attributes,
                     OperandRounding rounding,
                     const AttentionOperands<T> &operands, HostMatrix<T> &keys,
                     HostMatrix<T> &values) {
  HostMatrix<T> queries = operands.q, newKeys = operands.k,
                newValues = operands.v;
  roundTo(rounding, queries);
  roundTo(rounding, newKeys);
  roundTo(rounding, newValues);
  HostMatrix<T> turned;
  if (operands.rotated) {
    turned = *operands.rotated;
    roundTo(rounding, turned);
  }
  for (Eigen::Index t = 0; t < queries.rows(); ++t) {
    keys.row(operands.slots(t, 0)) = newKeys.row(t);
    values.row(operands.slots(t, 0)) = newValues.row(t);
  }
  HostMatrix<T> result(queries.rows(), queries.cols());
  Eigen::Index d = attributes.headSize, r = attributes.rotarySize;
  Eigen::Index group = attributes.heads / attributes.kvHeads;
  auto scale = static_cast<T>(attributes.scale);
  for (Eigen::Index t = 0; t < queries.rows(); ++t) {
    Eigen::Index first = operands.lo(t, 0), count = operands.hi(t, 0) - first;
    for (Eigen::Index kvHead = 0; kvHead < attributes.kvHeads; ++kvHead) {
      // The query heads of one key head stand side by side: a [group, d] view.
      Eigen::Map<const HostMatrix<T>> heads(&queries(t, kvHead * group * d),
                                            group, d);
      auto cached = keys.block(first, kvHead * d, count, d);
      HostMatrix<T> p = heads * cached.transpose();
      if (r > 0) {
        Eigen::Map<const HostMatrix<T>> parts(&turned(t, 0), group, r);
        p += parts * values.block(first, 0, count, r).transpose();
      }
      p *= scale;
      for (Eigen::Index h = 0; h < group; ++h) {
        T top = p.row(h).maxCoeff();
        T sink = -std::numeric_limits<T>::infinity();
        if (operands.sinks) {
          sink = (*operands.sinks)(0, kvHead * group + h);
          top = std::max(top, sink);
        }
        p.row(h) = (p.row(h).array() - top).exp().matrix();
        p.row(h) /= p.row(h).sum() + std::exp(sink - top);
      }
      roundTo(rounding, p);
      Eigen::Map<HostMatrix<T>> out(&result(t, kvHead * group * d), group, d);
      if (r > 0) {
        out.noalias() = p * cached;
      } else {
        out.noalias() = p * values.block(first, kvHead * d, count, d);
      }
    }
  }
  return result;
}

template void roundTo<float>(OperandRounding, HostMatrix<float> &);
template void roundTo<double>(OperandRounding, HostMatrix<double> &);
template HostMatrix<float> rmsNormRows<float>(const HostMatrix<float> &,
                                              const RmsNormAttributes &,
                                              const HostMatrix<float> &);
template HostMatrix<double> rmsNormRows<double>(const HostMatrix<double> &,
                                                const RmsNormAttributes &,
                                                const HostMatrix<double> &);
template HostMatrix<float> rotateHeads<float>(const HostMatrix<float> &,
                                              const HostMatrix<int32_t> &,
                                              const RopeAttributes &);
template HostMatrix<double> rotateHeads<double>(const HostMatrix<double> &,
                                                const HostMatrix<int32_t> &,
                                                const RopeAttributes &);

#define CHIPWRIGHT_INSTANTIATE(T)                                              \
  template HostMatrix<T> activated<T>(                                         \
      const ActivationConfig &, const HostMatrix<T> &, const HostMatrix<T> &); \
  template HostMatrix<T> attend<T>(                                            \
      const AttentionAttributes &, OperandRounding,                            \
      const AttentionOperands<T> &, HostMatrix<T> &, HostMatrix<T> &);
CHIPWRIGHT_INSTANTIATE(float)
CHIPWRIGHT_INSTANTIATE(double)
#undef CHIPWRIGHT_INSTANTIATE

} // namespace chipwright::models
