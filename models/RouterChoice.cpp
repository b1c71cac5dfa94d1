//===- RouterChoice.cpp - Top-k of router logits ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ReferenceOps.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace chipwright::models {

template <typename T>
HostMatrix<int32_t> chooseExperts(const HostMatrix<T> &logits, int64_t chosen) {
  HostMatrix<int32_t> result(logits.rows(), chosen);
  std::vector<int32_t> order(static_cast<size_t>(logits.cols()));
  for (Eigen::Index t = 0; t < logits.rows(); ++t) {
    std::iota(order.begin(), order.end(), 0);
    // A NaN counts as the smallest, so that the order stays a strict one.
    auto rank = [&](int32_t e) {
      T value = logits(t, e);
      return std::isnan(value) ? -std::numeric_limits<T>::infinity() : value;
    };
    std::partial_sort(order.begin(), order.begin() + chosen, order.end(),
                      [&](int32_t a, int32_t b) {
                        return rank(a) != rank(b) ? rank(a) > rank(b) : a < b;
                      });
    for (int64_t i = 0; i < chosen; ++i) {
      result(t, i) = order[static_cast<size_t>(i)];
    }
  }
  return result;
}

template <typename T>
std::vector<T> choiceMargins(const HostMatrix<T> &logits,
                             const HostMatrix<int32_t> &own) {
  std::vector<T> margins;
  for (Eigen::Index t = 0; t < logits.rows(); ++t) {
    T smallest = std::numeric_limits<T>::infinity();
    T other = -std::numeric_limits<T>::infinity();
    for (Eigen::Index e = 0; e < logits.cols(); ++e) {
      bool isChosen = (own.row(t).array() == static_cast<int32_t>(e)).any();
      if (isChosen) {
        smallest = std::min(smallest, logits(t, e));
      } else {
        other = std::max(other, logits(t, e));
      }
    }
    margins.push_back(smallest - other);
  }
  return margins;
}

template <typename T>
HostMatrix<T> choiceValues(const RouterAttributes &attributes,
                           const HostMatrix<T> &logits,
                           const HostMatrix<T> &bias) {
  HostMatrix<T> values = logits.unaryExpr(&sigmoid<T>);
  values.rowwise() += bias.row(0);
  const RouterConfig &more = attributes.more;
  if (more.keptGroups == more.groups) {
    return values;
  }
  Eigen::Index size = attributes.experts / more.groups;
  int64_t counted = std::min<int64_t>(2, size);
  HostMatrix<T> worth(values.rows(), more.groups);
  for (Eigen::Index g = 0; g < more.groups; ++g) {
    HostMatrix<T> group = values.middleCols(g * size, size);
    HostMatrix<int32_t> best = chooseExperts(group, counted);
    for (Eigen::Index t = 0; t < values.rows(); ++t) {
      worth(t, g) = 0;
      for (int64_t i = 0; i < counted; ++i) {
        worth(t, g) += group(t, best(t, i));
      }
    }
  }
  HostMatrix<int32_t> kept = chooseExperts(worth, more.keptGroups);
  for (Eigen::Index t = 0; t < values.rows(); ++t) {
    for (int32_t g = 0; g < more.groups; ++g) {
      if (!(kept.row(t).array() == g).any()) {
        values.row(t).segment(g * size, size).array() -=
            static_cast<T>(RouterAttributes::groupDrop);
      }
    }
  }
  return values;
}

template <typename T>
HostMatrix<T> routerScores(const RouterAttributes &attributes,
                           const HostMatrix<T> &logits,
                           const HostMatrix<int32_t> &chosen) {
  HostMatrix<T> scores(chosen.rows(), chosen.cols());
  for (Eigen::Index t = 0; t < chosen.rows(); ++t) {
    for (Eigen::Index i = 0; i < chosen.cols(); ++i) {
      scores(t, i) = logits(t, chosen(t, i));
    }
    auto row = scores.row(t).array();
    switch (attributes.score) {
    case RouterScore::SigmoidOnInput:
    case RouterScore::Sigmoid:
      row = row.unaryExpr(&sigmoid<T>).eval();
      break;
    case RouterScore::Softmax: {
      T top = logits.row(t).maxCoeff();
      row = (row - top).exp() / (logits.row(t).array() - top).exp().sum();
      break;
    }
    case RouterScore::SoftmaxOfChosen: {
      T top = row.maxCoeff();
      row = (row - top).exp().eval();
      row /= row.sum();
      break;
    }
    }
    if (attributes.more.normalised) {
      // The sum's addend is the families' own.
      row /= row.sum() + T(1e-20);
    }
    row *= static_cast<T>(attributes.more.scale);
  }
  return scores;
}

#define CHIPWRIGHT_INSTANTIATE(T)                                              \
  template HostMatrix<T> choiceValues<T>(                                      \
      const RouterAttributes &, const HostMatrix<T> &, const HostMatrix<T> &); \
  template HostMatrix<T> routerScores<T>(const RouterAttributes &,             \
                                         const HostMatrix<T> &,                \
                                         const HostMatrix<int32_t> &);
CHIPWRIGHT_INSTANTIATE(float)
CHIPWRIGHT_INSTANTIATE(double)
#undef CHIPWRIGHT_INSTANTIATE

template HostMatrix<int32_t> chooseExperts<float>(const HostMatrix<float> &,
                                                  int64_t);
template HostMatrix<int32_t> chooseExperts<double>(const HostMatrix<double> &,
                                                   int64_t);
template std::vector<float> choiceMargins<float>(const HostMatrix<float> &,
                                                 const HostMatrix<int32_t> &);
template std::vector<double> choiceMargins<double>(const HostMatrix<double> &,
                                                   const HostMatrix<int32_t> &);

} // namespace chipwright::models
