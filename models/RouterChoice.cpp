//===- RouterChoice.cpp - Top-k of router logits ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/Reference.h"

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

template HostMatrix<int32_t> chooseExperts<float>(const HostMatrix<float> &,
                                                  int64_t);
template HostMatrix<int32_t> chooseExperts<double>(const HostMatrix<double> &,
                                                   int64_t);
template std::vector<float> choiceMargins<float>(const HostMatrix<float> &,
                                                 const HostMatrix<int32_t> &);
template std::vector<double> choiceMargins<double>(const HostMatrix<double> &,
                                                   const HostMatrix<int32_t> &);

} // namespace chipwright::models
