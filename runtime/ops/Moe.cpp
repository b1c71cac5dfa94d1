//===- Moe.cpp - A feed-forward with routed experts -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The tokens are made up so that the router chooses what --routing asks for,
// whatever the rounding: column e of a token is large if it takes expert e, and
// the row of expert e in the router's weights is 1 there and small elsewhere.
// Functional mode computes that choice, timing mode is given it, and both run
// the same launches in the same time.
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"
#include "models/Graph.h"
#include "models/RowQuantisation.h"
#include "models/StoredType.h"
#include "runtime/ops/Ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>

using namespace chipwright;

namespace {

/// Hash of three numbers (the last steps of SplitMix64) as one in [-1, 1).
double hashed(uint64_t seed, uint64_t row, uint64_t col) {
  uint64_t z = (seed * 0x9e3779b97f4a7c15 + row) * 0xbf58476d1ce4e5b9 + col;
  for (int round = 0; round < 2; ++round) {
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    z ^= z >> 31;
  }
  return double(z >> 11) * 0x1p-52 - 1;
}

/// The experts of each token, best first.
struct Choices {
  uint64_t tokens = 0, experts = 0, chosen = 0;
  std::vector<int32_t> list; // [tokens, chosen]

  uint64_t at(uint64_t token, uint64_t place) const {
    return static_cast<uint64_t>(list[token * chosen + place]);
  }
  /// The place of \p expert among the token's, or `chosen`.
  uint64_t placeOf(uint64_t token, uint64_t expert) const {
    uint64_t place = 0;
    while (place < chosen && at(token, place) != expert) {
      ++place;
    }
    return place;
  }
};

} // namespace

static Choices choose(const programs::MoeShape &shape, Routing routing,
                      uint64_t seed) {
  Choices result{shape.tokens, shape.experts, shape.chosen, {}};
  std::vector<int32_t> order(shape.experts);
  std::iota(order.begin(), order.end(), 0);
  for (uint64_t token = 0; token < shape.tokens; ++token) {
    for (uint64_t place = 0; place < shape.chosen; ++place) {
      uint64_t expert = place;
      if (routing == Routing::Uniform) {
        expert = (token * shape.chosen + place) % shape.experts;
      } else if (routing == Routing::Random) {
        // A step of a shuffle: a different expert each.
        double draw = (hashed(~seed, token, place) + 1) / 2;
        uint64_t from =
            place + static_cast<uint64_t>(draw * double(shape.experts - place));
        std::swap(order[place], order[std::min(from, shape.experts - 1)]);
        expert = static_cast<uint64_t>(order[place]);
      }
      result.list.push_back(static_cast<int32_t>(expert));
    }
  }
  return result;
}

static RoutedTokens countTokens(const Choices &choices) {
  std::vector<uint64_t> tokens(choices.experts);
  for (int32_t expert : choices.list) {
    ++tokens[static_cast<size_t>(expert)];
  }
  RoutedTokens result;
  result.experts = choices.experts;
  result.used = choices.experts -
                static_cast<uint64_t>(
                    std::count(tokens.begin(), tokens.end(), uint64_t(0)));
  result.largest = *std::max_element(tokens.begin(), tokens.end());
  result.mean = double(choices.list.size()) / double(choices.experts);
  return result;
}

static Result<programs::MoeShape>
shapeOf(const ChipSpec &spec, const KernelShape &given, DType type) {
  programs::MoeShape shape;
  shape.tokens = given.tokens.value_or(256);
  shape.hidden = given.hidden.value_or(1024);
  shape.intermediate = given.intermediate.value_or(2048);
  shape.experts = given.experts.value_or(16);
  shape.chosen = given.topK.value_or(1);
  shape.sharedIntermediate = given.sharedIntermediate.value_or(0);
  if (auto rows = models::rowTypeOf(type)) {
    shape.product = type;
    shape.quantisesProducts = models::mayQuantiseProducts(*rows);
  }
  if (shape.chosen > shape.experts) {
    return Diagnostic{fmt::format("--top-k is {}, expected 1 to the {} of "
                                  "--experts",
                                  shape.chosen, shape.experts),
                      ExitUsage};
  }
  if (shape.experts > shape.hidden) {
    return Diagnostic{fmt::format("--experts is {}, expected at most the {} of "
                                  "--hidden: made-up tokens choose an expert "
                                  "by a column of its own",
                                  shape.experts, shape.hidden),
                      ExitUsage};
  }
  // Logits of neighbouring places are 1 / (2 top-k) apart.
  constexpr uint64_t kMostChosen = 32;
  if (shape.chosen > kMostChosen) {
    return Diagnostic{fmt::format("--top-k is {}, expected at most {}: the "
                                  "logits of made-up tokens lie too close "
                                  "together",
                                  shape.chosen, kMostChosen),
                      ExitUsage};
  }
  const double pairs = double(shape.tokens) * double(shape.chosen);
  const double columns = double(shape.hidden), size = dtypeBytes(type);
  const double weights =
      3 * double(shape.experts) * double(shape.intermediate) * columns * size;
  const double bytes = weights + pairs * (columns + 1) * size;
  if (bytes > double(spec.dram.bytes) + double(spec.sram.llsBytes)) {
    return Diagnostic{fmt::format("kernel moe has {:.4g} bytes of experts and "
                                  "{:.4g} of their tokens, {} has {} of DRAM "
                                  "(dram.bytes); use fewer --experts, --tokens "
                                  "or smaller ones",
                                  weights, bytes - weights, spec.name,
                                  spec.dram.bytes),
                      ExitDoesNotFit};
  }
  constexpr double kMostPairs = 0x1p31 - 1; // their numbers are int32
  if (pairs > kMostPairs) {
    return Diagnostic{fmt::format("--tokens times --top-k is {}, expected at "
                                  "most {}",
                                  pairs, kMostPairs),
                      ExitDoesNotFit};
  }
  return shape;
}

/// The type of activations and of the router's weight.
static DType wideType(const programs::MoeShape &shape, DType type) {
  return shape.product ? DType::BF16 : type;
}

static std::vector<KernelBuffer>
buffersOf(const programs::MoeShape &shape, DType type, uint64_t seed,
          const std::shared_ptr<const Choices> &choices) {
  const uint64_t tokens = shape.tokens, hidden = shape.hidden,
                 width = shape.intermediate, experts = shape.experts,
                 shared = shape.sharedIntermediate;
  const DType wide = wideType(shape, type);
  // Sums over the columns have a deviation near 1.
  auto limitOf = [](uint64_t cols) {
    return std::min(1.0, 4 / std::sqrt(double(cols)));
  };
  auto weight = [&](const char *name, uint64_t rows, uint64_t cols) {
    return KernelBuffer{.name = name,
                        .role = Role::Weight,
                        .dtype = wide,
                        .rows = rows,
                        .cols = cols,
                        .low = -limitOf(cols),
                        .high = limitOf(cols)};
  };
  auto token = [=](uint64_t row, uint64_t col) {
    double random = hashed(seed, row, col);
    if (col >= experts) {
      return random;
    }
    uint64_t place = choices->placeOf(row, col);
    return place < choices->chosen
               ? 1 - double(place) / double(2 * choices->chosen)
               : -0.25 - 0.375 * (random + 1);
  };
  // The sum of the small ones stays below a quarter of what two places differ
  // by, at ten deviations.
  double small = 1 / (80 * double(shape.chosen) * std::sqrt(double(hidden)));
  auto router = [=](uint64_t row, uint64_t col) {
    return row == col ? 1 : small * hashed(seed + 1, row, col);
  };
  KernelBuffer first = weight("router", experts, hidden);
  first.value = router;
  std::vector<KernelBuffer> buffers = {{.name = "x",
                                        .dtype = wide,
                                        .rows = tokens,
                                        .cols = hidden,
                                        .value = token},
                                       first};
  // The weights of some matrices, with scales if they have 8 bits.
  auto add = [&](const std::string &name, uint64_t matrices, uint64_t rows,
                 uint64_t cols, bool isProduct) {
    KernelBuffer one = weight(name.c_str(), matrices * rows, cols);
    if (!shape.product || (isProduct && !shape.quantisesProducts)) {
      buffers.push_back(one);
      return;
    }
    const double largest = programs::largestQuantised(type);
    one.dtype = type;
    one.low = -largest;
    one.high = largest;
    buffers.push_back(one);
    buffers.push_back({.name = name + ".scales",
                       .role = Role::Weight,
                       .dtype = DType::F32,
                       .rows = matrices,
                       .cols = rows,
                       .low = limitOf(cols) / (2 * largest),
                       .high = limitOf(cols) / largest});
  };
  add("gate", experts, width, hidden, false);
  add("up", experts, width, hidden, false);
  add("down", experts, hidden, width, true);
  if (shared > 0) {
    add("shared.gate", 1, shared, hidden, false);
    add("shared.up", 1, shared, hidden, false);
    add("shared.down", 1, hidden, shared, true);
  }
  buffers.push_back({.name = "out",
                     .isOutput = true,
                     .dtype = DType::F32,
                     .rows = tokens,
                     .cols = hidden});
  return buffers;
}

static Matrix sigmoid(const Matrix &x) {
  return (1 + (-x.array()).exp()).inverse().matrix();
}

namespace {

/// What the kernel computes, in fp64 on the numbers that the chip multiplies.
class Expected {
public:
  Expected(const programs::MoeShape &shape,
           std::shared_ptr<const Choices> choices,
           const std::vector<KernelBuffer> &buffers)
      : shape(shape), choices(std::move(choices)) {
    for (size_t i = 0; i < buffers.size(); ++i) {
      numbers[buffers[i].name] = i;
    }
  }

  /// Expert by expert.
  Matrix evaluate(const RowReader &read) const {
    const Matrix x = read(0, 0, shape.tokens);
    const Matrix scores = sigmoid(x * read(1, 0, shape.experts).transpose());
    Matrix y = Matrix::Zero(x.rows(), x.cols());
    std::vector<std::vector<Eigen::Index>> tokensOf(shape.experts);
    for (uint64_t token = 0; token < shape.tokens; ++token) {
      for (uint64_t place = 0; place < shape.chosen; ++place) {
        tokensOf[choices->at(token, place)].push_back(
            static_cast<Eigen::Index>(token));
      }
    }
    for (uint64_t expert = 0; expert < shape.experts; ++expert) {
      const std::vector<Eigen::Index> &tokens = tokensOf[expert];
      if (tokens.empty()) {
        continue;
      }
      auto column = static_cast<Eigen::Index>(expert);
      y(tokens, Eigen::all) +=
          feedForward(read, x(tokens, Eigen::all), scores(tokens, column), "",
                      expert, shape.intermediate);
    }
    if (shape.sharedIntermediate > 0) {
      y += feedForward(read, x, Eigen::VectorXd::Ones(x.rows()), "shared.", 0,
                       shape.sharedIntermediate);
    }
    return y;
  }

private:
  /// down(silu(gate z) * up z), z: rows of \p x times \p scores.
  Matrix feedForward(const RowReader &read, const Matrix &x,
                     const Eigen::VectorXd &scores, const std::string &prefix,
                     uint64_t expert, uint64_t width) const {
    Matrix g = scores.asDiagonal() *
               map(read, x, prefix + "gate", expert, width),
           u = scores.asDiagonal() * map(read, x, prefix + "up", expert, width);
    Matrix inner = (g.array() * sigmoid(g).array() * u.array()).matrix();
    return map(read, inner, prefix + "down", expert, shape.hidden);
  }

  /// \p x times the transposed matrix number \p number, of \p rows, of the
  /// weight \p name.
  Matrix map(const RowReader &read, const Matrix &x, const std::string &name,
             uint64_t number, uint64_t rows) const {
    const Matrix weight = read(numbers.at(name), number * rows, rows);
    auto scales = numbers.find(name + ".scales");
    if (scales == numbers.end()) {
      return x * weight.transpose();
    }
    return quantised(x) * weight.transpose() *
           read(scales->second, number, 1).row(0).asDiagonal();
  }

  /// Rows as the numbers that stand for them, as stored before.
  Matrix quantised(const Matrix &x) const {
    const models::RowType type = *models::rowTypeOf(*shape.product);
    Matrix result(x.rows(), x.cols());
    std::vector<float> row(static_cast<size_t>(x.cols()));
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      for (Eigen::Index j = 0; j < x.cols(); ++j) {
        row[static_cast<size_t>(j)] = models::floatOfBfloat(
            models::bfloatOfFloat(static_cast<float>(x(i, j))));
      }
      const double scale = double(
          models::scaleRow(type, row.data(), static_cast<int64_t>(row.size())));
      for (Eigen::Index j = 0; j < x.cols(); ++j) {
        result(i, j) =
            models::nearestNumber(type, double(row[static_cast<size_t>(j)])) *
            scale;
      }
    }
    return result;
  }

  programs::MoeShape shape;
  std::shared_ptr<const Choices> choices;
  std::map<std::string, size_t> numbers; // of the plan's buffers
};

} // namespace

static Result<KernelPlan> plan(const ChipSpec &spec, const KernelShape &given) {
  DType type = *given.dtype;
  if (spec.peakFlops(type) == 0) {
    return Diagnostic{fmt::format("the DPE of {} does not multiply {} "
                                  "(dpe.dtypes)",
                                  spec.name, dtypeName(type)),
                      ExitDoesNotFit};
  }
  Result<programs::MoeShape> read = shapeOf(spec, given, type);
  if (!read) {
    return read.error();
  }
  const programs::MoeShape shape = *read;
  auto choices = std::make_shared<const Choices>(
      choose(shape, given.routing.value_or(Routing::Uniform), given.seed));
  KernelPlan plan;
  plan.dtype = type;
  plan.step = programs::moe(wideType(shape, type), shape);
  plan.symbols = {{"tokens", static_cast<int64_t>(shape.tokens)}};
  plan.given = {{"router.1", choices->list}};
  plan.routed = countTokens(*choices);
  plan.buffers = buffersOf(shape, type, given.seed, choices);
  plan.wayOut = "use a smaller --hidden or --top-k, or a chip with more local "
                "memory (ls.bytes), circular buffers (cp.cbs) or accumulator "
                "banks (re.banks)";
  plan.arguments = addressBlock;
  const double columns = double(shape.hidden), tokens = double(shape.tokens);
  plan.flops =
      2 * tokens * double(shape.experts) * columns +
      6 * tokens * double(shape.chosen) * columns * double(shape.intermediate) +
      6 * tokens * columns * double(shape.sharedIntermediate);
  for (const KernelBuffer &buffer : plan.buffers) {
    const std::string map = buffer.name.substr(0, buffer.name.find('.'));
    bool isExpert = map == "gate" || map == "up" || map == "down";
    plan.minimalBytes +=
        isExpert ? buffer.bytes() / shape.experts * plan.routed->used
                 : buffer.bytes();
  }
  Expected expected(shape, choices, plan.buffers);
  plan.referenceByRows = [=](const RowReader &reader) {
    return expected.evaluate(reader);
  };
  // Scaled tokens and what lies between the products are rounded to the type;
  // silu can double a relative error. Sums are in fp32.
  double terms = double(
      std::max({shape.hidden, shape.intermediate, shape.sharedIntermediate}));
  plan.errorBound = 4 * unitRoundoff(wideType(shape, type)) +
                    8 * std::sqrt(terms) * unitRoundoff(DType::F32);
  // A largest element between the products that rounds to the other side moves
  // the numbers of its row.
  if (shape.quantisesProducts) {
    plan.errorBound += type == DType::F8E4M3 ? 0x1p-6 : 0x1p-5;
  }
  return plan;
}

const Kernel ops::moe = {
    "moe",
    "feed-forward with routed experts, as in a model",
    nullptr,
    {"tokens", "hidden", "intermediate", "experts", "top-k",
     "shared-intermediate", "routing"},
    {DType::F16, DType::BF16, DType::I8, DType::F8E4M3, DType::F8E5M2},
    plan};
