//===- ReferenceOps.cpp - Ops that need no weights store --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ReferenceOps.h"
#include "models/StoredType.h"

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
  for (Eigen::Index t = 0; t < x.rows(); ++t) {
    auto position = static_cast<float>(positions(t, 0));
    for (size_t i = 0; i < pairs; ++i) {
      float angle = position * attributes.inverseFrequencies[i];
      cosine[i] = std::cos(static_cast<T>(angle));
      sine[i] = std::sin(static_cast<T>(angle));
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
HostMatrix<T>
attend(const AttentionAttributes &attributes, OperandRounding rounding,
       const HostMatrix<T> &q, const HostMatrix<T> &k, const HostMatrix<T> &v,
       const HostMatrix<int32_t> &slots, const HostMatrix<int32_t> &lo,
       const HostMatrix<int32_t> &hi, HostMatrix<T> &keys,
       HostMatrix<T> &values) {
  HostMatrix<T> queries = q, newKeys = k, newValues = v;
  roundTo(rounding, queries);
  roundTo(rounding, newKeys);
  roundTo(rounding, newValues);
  for (Eigen::Index t = 0; t < q.rows(); ++t) {
    keys.row(slots(t, 0)) = newKeys.row(t);
    values.row(slots(t, 0)) = newValues.row(t);
  }
  HostMatrix<T> result(q.rows(), q.cols());
  Eigen::Index d = attributes.headSize;
  Eigen::Index group = attributes.heads / attributes.kvHeads;
  auto scale = static_cast<T>(attributes.scale);
  for (Eigen::Index t = 0; t < q.rows(); ++t) {
    Eigen::Index first = lo(t, 0), count = hi(t, 0) - first;
    for (Eigen::Index kvHead = 0; kvHead < attributes.kvHeads; ++kvHead) {
      // The query heads of one key head stand side by side: a [group, d] view.
      Eigen::Map<const HostMatrix<T>> heads(&queries(t, kvHead * group * d),
                                            group, d);
      HostMatrix<T> p =
          heads * keys.block(first, kvHead * d, count, d).transpose() * scale;
      for (Eigen::Index h = 0; h < group; ++h) {
        T top = p.row(h).maxCoeff();
        p.row(h) = (p.row(h).array() - top).exp().matrix();
        p.row(h) /= p.row(h).sum();
      }
      roundTo(rounding, p);
      Eigen::Map<HostMatrix<T>> out(&result(t, kvHead * group * d), group, d);
      out.noalias() = p * values.block(first, kvHead * d, count, d);
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
template HostMatrix<float>
attend<float>(const AttentionAttributes &, OperandRounding,
              const HostMatrix<float> &, const HostMatrix<float> &,
              const HostMatrix<float> &, const HostMatrix<int32_t> &,
              const HostMatrix<int32_t> &, const HostMatrix<int32_t> &,
              HostMatrix<float> &, HostMatrix<float> &);
template HostMatrix<double>
attend<double>(const AttentionAttributes &, OperandRounding,
               const HostMatrix<double> &, const HostMatrix<double> &,
               const HostMatrix<double> &, const HostMatrix<int32_t> &,
               const HostMatrix<int32_t> &, const HostMatrix<int32_t> &,
               HostMatrix<double> &, HostMatrix<double> &);

} // namespace chipwright::models
