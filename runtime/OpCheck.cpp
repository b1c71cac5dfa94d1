//===- OpCheck.cpp - Each op of a chip against fp64 -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/OpCheck.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace chipwright;
using namespace chipwright::models;

double chipwright::opErrorBound(OpKind kind, DType type,
                                std::optional<RowType> linear, bool products) {
  double one = type == DType::F16 ? 2.5e-4 : 2e-3;
  if (kind == OpKind::Experts && linear && products) {
    return 2 * one + (linear == RowType::I8       ? 0x1p-8
                      : linear == RowType::F8E4M3 ? 0x1p-6
                                                  : 0x1p-5);
  }
  bool isTwo = kind == OpKind::Attention || kind == OpKind::Experts;
  return isTwo ? 2 * one : one;
}

// Element i errs by x_i d_i, where d_i is the relative error of one rounding,
// u / m with u uniform up to half a unit in the last place and the significand
// m uniform in [1, 2). The squared relative error of the tensor is the mean of
// d_i^2 with weights x_i^2. Its standard deviation is that of d^2, 1.05 times
// the mean of d^2, over the root of the number of equal elements that weigh as
// much. The bound stands for the root of the mean of d^2, which is 0.41 units;
// no d_i is larger than one, 2 bounds.
double OpError::limit() const {
  constexpr double kDeviations = 4, kScatter = 1.05, kLargest = 2;
  double chance = kDeviations * kScatter / std::sqrt(std::max(elements, 1.0));
  return bound * std::min(std::sqrt(1 + chance), kLargest);
}

static ReferenceOptions optionsFor(DType type, std::optional<RowType> linear,
                                   std::optional<bool> products,
                                   std::optional<BlockType> blocks) {
  ReferenceOptions options;
  options.linear = linear;
  options.products = products;
  options.weights = blocks;
  options.rounding =
      type == DType::F16 ? OperandRounding::F16 : OperandRounding::BF16;
  return options;
}

OpCheck::OpCheck(const Graph &described, const Weights &weights, DType type,
                 int64_t slots, std::optional<RowType> quantised,
                 std::optional<bool> ofProducts,
                 std::optional<BlockType> blocks)
    : graph(described), productType(type), linear(quantised),
      products(linear && ofProducts.value_or(mayQuantiseProducts(*linear))),
      reference(described, weights,
                optionsFor(type, quantised, ofProducts, blocks)),
      cache(described, slots) {}

Result<void> OpCheck::stepBegins(const Step &step, const StepSizes &current) {
  sizes = current;
  values = reference.inputs(step);
  isHeld.assign(graph.values.size(), false);
  slack.assign(graph.values.size(), 0);
  return {};
}

Result<void> OpCheck::afterLaunch(PackageMachine &machine, size_t launch) {
  for (const auto &result : machine.package().launches[launch].results) {
    const Value *value = findValue(graph, result.name);
    if (!value || value->producer < 0) {
      continue;
    }
    auto read = readValue<double>(machine, *value, result.buffer, sizes);
    if (!read) {
      return read.error();
    }
    values[static_cast<size_t>(value->id)] = read.take();
    isHeld[static_cast<size_t>(value->id)] = true;
  }
  return {};
}

Result<void> OpCheck::stepEnds() {
  for (const Op &op : graph.ops) {
    if (auto done = check(op); !done) {
      return done;
    }
  }
  ++stepNumber;
  values.clear();
  return {};
}

/// ||chip - expected|| / ||expected|| and where the largest difference is.
static void measureError(const HostMatrix<double> &chip,
                         const HostMatrix<double> &expected, OpError &error) {
  HostMatrix<double> difference = (chip - expected).cwiseAbs();
  double largest = -1;
  for (Eigen::Index row = 0; row < chip.rows(); ++row) {
    for (Eigen::Index column = 0; column < chip.cols(); ++column) {
      double one = difference(row, column);
      bool isWorse = !(one <= largest) && largest == largest;
      if (isWorse) {
        largest = one;
        error.row = row;
        error.column = column;
      }
    }
  }
  double norm = expected.norm(),
         fourth = expected.array().square().matrix().norm();
  error.error = difference.norm() / (norm > 0 ? norm : 1.0);
  error.elements = fourth > 0 ? std::pow(norm * norm / fourth, 2) : 1;
}

/// Experts round the activations between their products too. These are products
/// of two numbers, of which a ninth weighs: the kurtosis of such a product, of
/// normal numbers, is 3 * 3.
static double innerElements(const Op &op, int64_t tokens) {
  const auto *experts = std::get_if<ExpertsAttributes>(&op.attributes);
  constexpr double kKurtosis = 9;
  return experts ? double(tokens * experts->chosen * experts->width) / kKurtosis
                 : std::numeric_limits<double>::infinity();
}

Result<void> OpCheck::check(const Op &op) {
  std::vector<const HostValue<double> *> operands;
  double chain = opErrorBound(op.kind, productType, linear, products);
  for (ValueId id : op.operands) {
    operands.push_back(&values[static_cast<size_t>(id)]);
    chain += slack[static_cast<size_t>(id)];
  }
  bool isChoice =
      op.kind == OpKind::Router && isHeld[static_cast<size_t>(op.results[1])];
  const HostMatrix<int32_t> *replay =
      isChoice ? &values[static_cast<size_t>(op.results[1])].index : nullptr;
  auto made = reference.evaluate(op, operands, &cache, replay);
  if (!made) {
    return made.error();
  }
  for (size_t i = 0; i < op.results.size(); ++i) {
    auto id = static_cast<size_t>(op.results[i]);
    HostValue<double> &expected = (*made)[i];
    if (!isHeld[id]) {
      values[id] = std::move(expected);
      slack[id] = chain;
    } else if (graph.values[id].element == ElementKind::Real) {
      OpError error;
      error.step = stepNumber;
      error.op = op.name;
      error.value = graph.values[id].name;
      error.kind = op.kind;
      error.bound = chain;
      measureError(values[id].real, expected.real, error);
      error.elements =
          std::min(error.elements, innerElements(op, expected.real.rows()));
      list.push_back(error);
    }
  }
  if (isChoice) {
    // The logits were compared above; here it is the choice among them.
    auto logits = static_cast<size_t>(op.results[0]);
    HostMatrix<float> expected =
        (isHeld[logits] ? (*made)[0].real : values[logits].real).cast<float>();
    HostMatrix<float> chip =
        isHeld[logits] ? HostMatrix<float>(values[logits].real.cast<float>())
                       : HostMatrix<float>();
    int64_t before = routing.beyondError;
    compareChoices(chip, *replay, expected, routing);
    if (routing.beyondError > before) {
      auto id = static_cast<size_t>(op.results[1]);
      OpError error;
      error.step = stepNumber;
      error.op = op.name;
      error.value = graph.values[id].name;
      error.kind = op.kind;
      error.error = double(routing.beyondError - before);
      list.push_back(error);
    }
  }
  return {};
}

const OpError *OpCheck::firstFault() const {
  for (const OpError &error : list) {
    if (!error.agrees()) {
      return &error;
    }
  }
  return nullptr;
}
