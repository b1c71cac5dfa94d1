//===- Reference.cpp - The model computed on the host -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/Reference.h"
#include "models/ReferenceOps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chipwright::models {

namespace {
// Elements of a weight matrix that are converted and multiplied at a time:
// 4 MiB in fp32, so that huge matrices need no copy of their size.
constexpr int64_t blockElements = 1 << 20;

HostMatrix<int32_t> column(const std::vector<int32_t> &list) {
  return Eigen::Map<const Eigen::VectorXi>(
      list.data(), static_cast<Eigen::Index>(list.size()));
}
} // namespace

template <typename T> KvCache<T>::KvCache(const Graph &graph, int64_t slots) {
  Layer empty{HostMatrix<T>::Zero(slots, graph.cacheColumns),
              HostMatrix<T>::Zero(slots, graph.valueColumns)};
  layers.assign(static_cast<size_t>(graph.caches), empty);
}

template <typename T>
Reference<T>::Reference(const Graph &described, const Weights &numbers,
                        ReferenceOptions chosen)
    : graph(described), weights(numbers), options(chosen) {}

template <typename T> void Reference<T>::roundOperand(Matrix &matrix) const {
  roundTo(options.rounding, matrix);
}

/// Each row as the numbers that stand for it. Rows are divided in fp32 in both
/// precisions: that decides to which side of a tie an element goes, and rows of
/// bf16 with a largest element that 7 divides have many ties (fp8_e4m3).
template <typename T>
void Reference<T>::quantiseRows(Matrix &matrix, bool weight) const {
  std::vector<float> numbers(static_cast<size_t>(matrix.cols()));
  for (Eigen::Index row = 0; row < matrix.rows(); ++row) {
    for (Eigen::Index column = 0; column < matrix.cols(); ++column) {
      numbers[static_cast<size_t>(column)] =
          static_cast<float>(matrix(row, column));
    }
    T scale =
        weight ? scaleWeightRow(*options.linear, numbers.data(), matrix.cols())
               : scaleRow(*options.linear, numbers.data(), matrix.cols());
    for (Eigen::Index column = 0; column < matrix.cols(); ++column) {
      matrix(row, column) =
          static_cast<T>(nearestNumber(*options.linear,
                                       numbers[static_cast<size_t>(column)])) *
          scale;
    }
  }
}

template <typename T>
bool Reference<T>::isQuantised(const Op &op, size_t parameter) const {
  return options.linear &&
         mayQuantise(
             graph, op,
             options.products.value_or(mayQuantiseProducts(*options.linear)),
             parameter);
}

template <typename T>
const HostMatrix<T> &Reference<T>::weightBlock(const WeightKey &key,
                                               int64_t rows) {
  if (auto place = kept.find(key); place != kept.end()) {
    return place->second;
  }
  Weights::Size size = weights.size(key.parameter);
  scratch.resize(rows, size.columns);
  // In range by construction of the callers.
  (void)weights.read(key.parameter,
                     Tile{key.matrix, key.row, rows, 0, size.columns},
                     scratch.data(), size.columns);
  pages.count(weights, rows * size.columns);
  if (key.form == WeightForm::Rows) {
    quantiseRows(scratch, /*weight=*/true);
  } else {
    for (int64_t row = 0; key.form == WeightForm::Blocks && row < rows; ++row) {
      replaceByBlocks(*options.weights, &scratch(row, 0), size.columns);
    }
    roundOperand(scratch);
  }
  uint64_t bytes = static_cast<uint64_t>(scratch.size()) * sizeof(T);
  if (keptBytes + bytes > options.keepBytes) {
    return scratch;
  }
  keptBytes += bytes;
  return kept.emplace(key, std::move(scratch)).first->second;
}

template <typename T>
HostMatrix<T> Reference<T>::product(const Matrix &x, ParameterId parameter,
                                    int64_t matrix, WeightForm form) {
  Weights::Size size = weights.size(parameter);
  Matrix rounded = x;
  roundOperand(rounded);
  if (form == WeightForm::Rows) {
    quantiseRows(rounded, /*weight=*/false);
  }
  Matrix result(x.rows(), size.rows);
  int64_t step = std::max<int64_t>(1, blockElements / size.columns);
  for (int64_t row = 0; row < size.rows; row += step) {
    int64_t rows = std::min(step, size.rows - row);
    const Matrix &block = weightBlock({parameter, matrix, row, form}, rows);
    result.middleCols(row, rows).noalias() = rounded * block.transpose();
  }
  return result;
}

template <typename T>
HostMatrix<T> Reference<T>::vectorOf(ParameterId parameter, int64_t row) const {
  int64_t columns = weights.size(parameter).columns;
  Matrix result(1, columns);
  (void)weights.read(parameter, Tile{0, row, 1, 0, columns}, result.data(),
                     columns);
  return result;
}

template <typename T>
typename Reference<T>::WeightForm Reference<T>::formOf(const Op &op,
                                                       size_t parameter) const {
  if (isQuantised(op, parameter)) {
    return WeightForm::Rows;
  }
  return options.weights ? WeightForm::Blocks : WeightForm::Rounded;
}

template <typename T>
HostMatrix<T> Reference<T>::linear(const Op &op, const Matrix &x) {
  Matrix result = product(x, op.parameters[0], 0, formOf(op));
  if (op.parameters.size() > 1) {
    result.rowwise() += vectorOf(op.parameters[1]).row(0);
  }
  return result;
}

template <typename T>
HostMatrix<T> Reference<T>::headLinear(const Op &op, const Matrix &x) {
  int64_t heads = std::get<HeadLinearAttributes>(op.attributes).heads;
  int64_t in = x.cols() / heads, out = weights.size(op.parameters[0]).rows;
  Matrix result(x.rows(), heads * out);
  for (int64_t h = 0; h < heads; ++h) {
    result.middleCols(h * out, out) =
        product(x.middleCols(h * in, in), op.parameters[0], h);
  }
  return result;
}

template <typename T>
HostMatrix<T> Reference<T>::embedding(const Op &op, Operands operands) {
  const HostMatrix<int32_t> &ids = operands[0]->index;
  int64_t columns = weights.size(op.parameters[0]).columns;
  Matrix result(ids.rows(), columns);
  for (Eigen::Index t = 0; t < ids.rows(); ++t) {
    (void)weights.read(op.parameters[0], Tile{0, ids(t, 0), 1, 0, columns},
                       &result(t, 0), columns);
  }
  return result;
}

template <typename T>
HostMatrix<T> Reference<T>::rmsNorm(const Op &op, const Matrix &x) {
  const auto &attributes = std::get<RmsNormAttributes>(op.attributes);
  return rmsNormRows(x, attributes,
                     op.parameters.empty() ? Matrix()
                                           : vectorOf(op.parameters[0]));
}

template <typename T>
HostMatrix<T> Reference<T>::rope(const Op &op, Operands operands) const {
  return rotateHeads(operands[0]->real, operands[1]->index,
                     std::get<RopeAttributes>(op.attributes));
}

template <typename T>
HostMatrix<T> Reference<T>::temperature(const Op &op, Operands operands) const {
  const auto &config = std::get<TemperatureAttributes>(op.attributes).config;
  Matrix result = operands[0]->real;
  for (Eigen::Index t = 0; t < result.rows(); ++t) {
    result.row(t) *=
        static_cast<T>(temperatureAt(config, operands[1]->index(t, 0)));
  }
  return result;
}

template <typename T>
HostMatrix<T> Reference<T>::attention(const Op &op, Operands operands,
                                      KvCache<T> &cache) const {
  const auto &a = std::get<AttentionAttributes>(op.attributes);
  auto &layer = cache.layers[static_cast<size_t>(a.cache)];
  AttentionOperands<T> all{operands[0]->real,  operands[1]->real,
                           operands[2]->real,  operands[3]->index,
                           operands[4]->index, operands[5]->index};
  if (a.rotarySize > 0) {
    all.rotated = &operands[6]->real;
  }
  Matrix sinks;
  if (!op.parameters.empty()) {
    sinks = vectorOf(op.parameters[0]);
    all.sinks = &sinks;
  }
  return attend(a, options.rounding, all, layer.keys, layer.values);
}

template <typename T>
std::vector<HostValue<T>>
Reference<T>::router(const Op &op, const Matrix &x,
                     const HostMatrix<int32_t> *replay) {
  const auto &a = std::get<RouterAttributes>(op.attributes);
  std::vector<HostValue<T>> results(op.results.size());
  Matrix logits = product(x, op.parameters[0]);
  if (a.more.bias) {
    logits.rowwise() += vectorOf(op.parameters[1]).row(0);
  }
  Matrix &choice = results[0].real;
  if (a.more.choiceBias) {
    choice = choiceValues(a, logits, vectorOf(op.parameters.back()));
    results[3].real = logits;
  } else {
    choice = logits;
  }
  results[1].index = replay ? *replay : chooseExperts(choice, a.chosen);
  results[2].real = routerScores(a, logits, results[1].index);
  return results;
}

template <typename T>
HostMatrix<T> Reference<T>::experts(const Op &op, Operands operands) {
  const auto &a = std::get<ExpertsAttributes>(op.attributes);
  const Matrix &x = operands[0]->real;
  const HostMatrix<int32_t> &chosen = operands[1]->index;
  const Matrix &scores = operands[2]->real;
  const bool onInput = scalesInput(a.score);
  // A score multiplies the scale of a quantised row, and its numbers stay what
  // those of the token are.
  const bool isScaledLater = onInput && isQuantised(op);
  auto biased = [&](Matrix values, size_t parameter, int64_t expert) {
    if (op.parameters.size() > parameter) {
      values.rowwise() += vectorOf(op.parameters[parameter], expert).row(0);
    }
    return values;
  };
  Matrix result = Matrix::Zero(x.rows(), x.cols());
  // By rising expert, so that each token's sum has that order.
  for (int64_t e = 0; e < a.experts; ++e) {
    std::vector<std::pair<Eigen::Index, Eigen::Index>> tokens;
    for (Eigen::Index t = 0; t < chosen.rows(); ++t) {
      for (Eigen::Index i = 0; i < chosen.cols(); ++i) {
        if (chosen(t, i) == e) {
          tokens.emplace_back(t, i);
        }
      }
    }
    if (tokens.empty()) {
      continue;
    }
    Matrix z(static_cast<Eigen::Index>(tokens.size()), x.cols());
    for (size_t n = 0; n < tokens.size(); ++n) {
      auto [t, i] = tokens[n];
      z.row(static_cast<Eigen::Index>(n)) =
          x.row(t) * (onInput && !isScaledLater ? scores(t, i) : T(1));
    }
    auto map = [&](const Matrix &from, size_t which) {
      Matrix to = product(from, op.parameters[which], e, formOf(op, which));
      for (size_t n = 0; isScaledLater && which < 2 && n < tokens.size(); ++n) {
        auto [t, i] = tokens[n];
        to.row(static_cast<Eigen::Index>(n)) *= scores(t, i);
      }
      return biased(std::move(to), which + 3, e);
    };
    Matrix gate = map(z, 0), up = map(z, 1);
    Matrix y = map(activated(a.activation, gate, up), 2);
    for (size_t n = 0; n < tokens.size(); ++n) {
      auto [t, i] = tokens[n];
      result.row(t) +=
          y.row(static_cast<Eigen::Index>(n)) * (onInput ? T(1) : scores(t, i));
    }
  }
  return result;
}

template <typename T>
HostMatrix<T> Reference<T>::logits(const Op &op, Operands operands) {
  const Matrix &x = operands[0]->real;
  const HostMatrix<int32_t> &rows = operands[1]->index;
  Matrix selected(rows.rows(), x.cols());
  for (Eigen::Index r = 0; r < rows.rows(); ++r) {
    selected.row(r) = x.row(rows(r, 0));
  }
  Matrix result = product(selected, op.parameters[0]);
  const auto *a = std::get_if<LogitsAttributes>(&op.attributes);
  if (a && a->cap != 0) {
    auto scale = static_cast<T>(a->scale), cap = static_cast<T>(a->cap);
    result = (result.array() * (scale / cap)).tanh().matrix() * cap;
  } else if (a) {
    result *= static_cast<T>(a->scale);
  }
  return result;
}

template <typename T>
Result<std::vector<HostValue<T>>>
Reference<T>::evaluate(const Op &op, Operands operands, KvCache<T> *cache,
                       const HostMatrix<int32_t> *replay) {
  if (auto done = checkOperands(op, operands, cache, replay); !done) {
    return done.error();
  }
  auto one = [](Matrix &&real) {
    std::vector<HostValue<T>> results(1);
    results[0].real = std::move(real);
    return results;
  };
  switch (op.kind) {
  case OpKind::Embedding:
    return one(embedding(op, operands));
  case OpKind::RmsNorm:
    return one(rmsNorm(op, operands[0]->real));
  case OpKind::Linear:
    return one(linear(op, operands[0]->real));
  case OpKind::Rope:
    return one(rope(op, operands));
  case OpKind::Temperature:
    return one(temperature(op, operands));
  case OpKind::Attention:
    return one(attention(op, operands, *cache));
  case OpKind::Router:
    return router(op, operands[0]->real, replay);
  case OpKind::Experts:
    return one(experts(op, operands));
  case OpKind::SiluMul:
    return one(siluMul(operands[0]->real, operands[1]->real));
  case OpKind::Add:
    return one(operands[0]->real + operands[1]->real);
  case OpKind::Logits:
    return one(logits(op, operands));
  case OpKind::HeadLinear:
    return one(headLinear(op, operands[0]->real));
  case OpKind::SigmoidMul:
    return one((operands[0]->real.unaryExpr(&sigmoid<T>).array() *
                operands[1]->real.array())
                   .matrix());
  }
  return Diagnostic{op.name + ": expected an op of a known kind"};
}

template <typename T>
Result<void>
Reference<T>::checkOperands(const Op &op, Operands operands,
                            const KvCache<T> *cache,
                            const HostMatrix<int32_t> *replay) const {
  auto wrong = [&](const std::string &expected) {
    return Diagnostic{fmt::format("{}: expected {}", op.name, expected)};
  };
  if (operands.size() != op.operands.size()) {
    return wrong(fmt::format("{} operands, found {}", op.operands.size(),
                             operands.size()));
  }
  auto rowsOf = [&](size_t i) {
    const Value &value = graph.values[static_cast<size_t>(op.operands[i])];
    return value.element == ElementKind::Index ? operands[i]->index.rows()
                                               : operands[i]->real.rows();
  };
  Eigen::Index tokens = rowsOf(0);
  for (size_t i = 0; i < operands.size(); ++i) {
    const Value &value = graph.values[static_cast<size_t>(op.operands[i])];
    bool isIndex = value.element == ElementKind::Index;
    int64_t columns = value.shape.size() == 2 ? value.shape[1].size : 1;
    Eigen::Index found =
        isIndex ? operands[i]->index.cols() : operands[i]->real.cols();
    bool perToken = value.shape[0].kind == Dim::Tokens;
    if (found != columns || (perToken && rowsOf(i) != tokens)) {
      return wrong(fmt::format("operand {} of {} columns and {} rows, found {} "
                               "and {}",
                               i, columns, tokens, found, rowsOf(i)));
    }
    if (!isIndex) {
      continue;
    }
    // Indices that would be used as addresses.
    int64_t limit = int64_t(1) << 31;
    if (op.kind == OpKind::Embedding) {
      limit = graph.vocabulary;
    } else if (op.kind == OpKind::Logits) {
      limit = tokens;
    } else if (op.kind == OpKind::Experts) {
      limit = std::get<ExpertsAttributes>(op.attributes).experts;
    } else if (op.kind == OpKind::Attention && cache) {
      limit = cache->slots() + (i == 5 ? 1 : 0);
    }
    const HostMatrix<int32_t> &index = operands[i]->index;
    if (index.size() > 0 &&
        (index.minCoeff() < 0 || index.maxCoeff() >= limit)) {
      return wrong(fmt::format("indices of 0 to {} in operand {}, found {} to "
                               "{}",
                               limit - 1, i, index.minCoeff(),
                               index.maxCoeff()));
    }
  }
  if (op.kind == OpKind::Attention) {
    if (!cache || cache->layers.size() != static_cast<size_t>(graph.caches)) {
      return wrong("a cache of this graph, found none");
    }
    if ((operands[4]->index.array() >= operands[5]->index.array()).any()) {
      return wrong("a slot or more to attend to for each token, found none");
    }
  }
  if (op.kind == OpKind::Router && replay) {
    const auto &a = std::get<RouterAttributes>(op.attributes);
    if (replay->rows() != tokens || replay->cols() != a.chosen ||
        (replay->size() > 0 &&
         (replay->minCoeff() < 0 || replay->maxCoeff() >= a.experts))) {
      return wrong(fmt::format("replayed choices of {} rows and {} columns of "
                               "0 to {}, found other ones",
                               tokens, a.chosen, a.experts - 1));
    }
  }
  return {};
}

template <typename T>
std::vector<HostValue<T>> Reference<T>::inputs(const Step &step) const {
  std::vector<HostValue<T>> values(graph.values.size());
  for (const Value &value : graph.values) {
    HostMatrix<int32_t> &index = values[static_cast<size_t>(value.id)].index;
    auto mask = static_cast<size_t>(value.mask);
    switch (value.input) {
    case StepInput::None:
      break;
    case StepInput::TokenIds:
      index = column(step.ids);
      break;
    case StepInput::Positions:
      index = column(step.positions);
      break;
    case StepInput::Slots:
      index = column(step.slots);
      break;
    case StepInput::MaskLo:
      index = column(step.masks[mask].lo);
      break;
    case StepInput::MaskHi:
      index = column(step.masks[mask].hi);
      break;
    case StepInput::OutputRows:
      index = column(step.outputs);
      break;
    }
  }
  return values;
}

template <typename T>
Result<StepResult<T>> Reference<T>::run(const Step &step, KvCache<T> &cache,
                                        const StepOptions<T> &stepOptions) {
  if (auto done = verifyStep(graph, step, cache.slots()); !done) {
    return done.error();
  }
  std::vector<HostValue<T>> values = inputs(step);
  // A value is dropped after its last use: long prompts need room.
  std::vector<OpId> lastUse(graph.values.size(), -1);
  for (const Op &op : graph.ops) {
    for (ValueId id : op.operands) {
      lastUse[static_cast<size_t>(id)] = op.id;
    }
  }
  lastUse[static_cast<size_t>(graph.logits)] =
      static_cast<OpId>(graph.ops.size());
  StepResult<T> result;
  for (const Op &op : graph.ops) {
    std::vector<const HostValue<T> *> operands;
    for (ValueId id : op.operands) {
      operands.push_back(&values[static_cast<size_t>(id)]);
    }
    const HostMatrix<int32_t> *replay = nullptr;
    if (op.kind == OpKind::Router && stepOptions.replay) {
      auto place = stepOptions.replay->find(op.name);
      replay = place == stepOptions.replay->end() ? nullptr : &place->second;
    }
    auto made = evaluate(op, operands, &cache, replay);
    if (!made) {
      return made.error();
    }
    if (stepOptions.observe) {
      stepOptions.observe(op, *made);
    }
    if (op.kind == OpKind::Router) {
      const auto &a = std::get<RouterAttributes>(op.attributes);
      RouterReport<T> &report = result.routers.emplace_back();
      report.name = op.name;
      report.logits = (*made)[0].real;
      report.own = chooseExperts(report.logits, a.chosen);
      report.taken = (*made)[1].index;
      report.margins = choiceMargins(report.logits, report.own);
    }
    for (size_t i = 0; i < made->size(); ++i) {
      values[static_cast<size_t>(op.results[i])] = std::move((*made)[i]);
    }
    for (ValueId id : op.operands) {
      if (lastUse[static_cast<size_t>(id)] == op.id) {
        values[static_cast<size_t>(id)] = HostValue<T>();
      }
    }
  }
  result.logits = std::move(values[static_cast<size_t>(graph.logits)].real);
  return result;
}

template class Reference<float>;
template class Reference<double>;
template struct KvCache<float>;
template struct KvCache<double>;

} // namespace chipwright::models
