//===- TinyModel.cpp - A model and package made by hand -------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include "compiler/PeToElf.h"
#include "models/TensorStore.h"
#include "runtime/KernelBuild.h"

#include <cstring>
#include <random>
#include <stdexcept>

using namespace chipwright;
using namespace chipwright::models;
using namespace chipwright::test;

namespace {

// y = x / sqrt(mean(x^2) + eps) * w
const char *const kNorm = R"(
#x = affine_map<(m, h) -> (m, h)>
#w = affine_map<(m, h) -> (0, h)>
!row = tensor<?x64xf32, #grid.dims<m, _>>
!one = tensor<?x1xf32, #grid.dims<m, _>>
grid.program @norm(%x: !grid.buffer<?x64xf32>, %w: !grid.buffer<1x64xf32>, %y: !grid.buffer<?x64xbf16>) {
  %m = grid.dim %x, 0 : !grid.buffer<?x64xf32>
  %h = arith.constant 64 : index
  grid.generic [#grid.dim<m, parallel>, #grid.dim<h, full>] sizes(%m, %h)
    step() finish(%x, %w : !grid.buffer<?x64xf32>, !grid.buffer<1x64xf32>) results(%y : !grid.buffer<?x64xbf16>)
    maps [#x, #w, #x] attributes {tag = "norm", schedule = #grid.schedule<tile = [8, 64], on = [all, seq]>} {
  } {
  ^bb0(%a: !row, %b: tensor<1x64xf32>):
    %n = grid.splat 0.015625 : !one
    %eps = grid.splat 1.0e-5 : !one
    %sum = grid.row_reduce sumsq %a : !row -> !one
    %mean = arith.mulf %sum, %n : !one
    %shifted = arith.addf %mean, %eps : !one
    %scale = math.rsqrt %shifted : !one
    %scales = grid.broadcast %scale : !one -> !row
    %weights = grid.broadcast %b : tensor<1x64xf32> -> !row
    %scaled = arith.mulf %a, %scales : !row
    %out = arith.mulf %scaled, %weights : !row
    %o = arith.truncf %out : !row to tensor<?x64xbf16, #grid.dims<m, _>>
    grid.yield %o : tensor<?x64xbf16, #grid.dims<m, _>>
  }
}
)";

// C = A B^T
const char *const kProduct = R"(
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
grid.program @product(%a: !grid.buffer<?x?xbf16>, %b: !grid.buffer<?x?xbf16>, %c: !grid.buffer<?x?xf32>) {
  %m = grid.dim %a, 0 : !grid.buffer<?x?xbf16>
  %n = grid.dim %b, 0 : !grid.buffer<?x?xbf16>
  %k = grid.dim %a, 1 : !grid.buffer<?x?xbf16>
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<?x?xbf16>, !grid.buffer<?x?xbf16>) finish() results(%c : !grid.buffer<?x?xf32>)
    maps [#a, #b, #c] attributes {init = [0.0], tag = "product", schedule = #grid.schedule<tile = [32, 64, 64], on = [row, col, seq]>} {
  ^bb0(%x: tensor<?x?xbf16, #grid.dims<m, k>>, %y: tensor<?x?xbf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xbf16, #grid.dims<m, k>>, tensor<?x?xbf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    grid.yield %sum : tensor<?x?xf32, #grid.dims<m, n>>
  }
}
)";

template <typename T> T must(Result<T> result) {
  if (!result) {
    throw std::runtime_error(result.error().message);
  }
  return result.take();
}

/// Collects a graph.
struct GraphMaker {
  Graph graph;

  ValueId value(const std::string &name, std::vector<Dim> shape,
                ElementKind element, StepInput input = StepInput::None) {
    auto id = static_cast<ValueId>(graph.values.size());
    Value made;
    made.id = id;
    made.name = name;
    made.shape = std::move(shape);
    made.element = element;
    made.input = input;
    graph.values.push_back(made);
    return id;
  }

  ParameterId parameter(const std::string &name, std::vector<int64_t> shape) {
    auto id = static_cast<ParameterId>(graph.parameters.size());
    graph.parameters.push_back(
        {id, name, std::move(shape), ParameterRole::Plain, -1});
    return id;
  }

  void op(OpKind kind, const std::string &name, std::vector<ValueId> operands,
          ParameterId weight, std::vector<ValueId> results,
          OpAttributes attributes = {}) {
    auto id = static_cast<OpId>(graph.ops.size());
    for (ValueId result : results) {
      graph.values[static_cast<size_t>(result)].producer = id;
    }
    Op made;
    made.id = id;
    made.kind = kind;
    made.name = name;
    made.operands = std::move(operands);
    made.parameters = {weight};
    made.results = std::move(results);
    made.attributes = std::move(attributes);
    graph.ops.push_back(std::move(made));
  }
};

Graph makeGraph() {
  GraphMaker maker;
  Graph &graph = maker.graph;
  graph.modelType = "tiny";
  graph.vocabulary = kTinyVocabulary;
  graph.caches = 1;
  graph.cacheColumns = 1;
  graph.masks = {AttentionMask{}};
  Dim tokens = Dim::tokens(), hidden = Dim::fixed(kTinyHidden);
  auto index = ElementKind::Index;
  auto real = ElementKind::Real;
  ValueId ids = maker.value("ids", {tokens}, index, StepInput::TokenIds);
  ValueId rows =
      maker.value("rows", {Dim::outputs()}, index, StepInput::OutputRows);
  ValueId x = maker.value("embed", {tokens, hidden}, real);
  ValueId y = maker.value("norm", {tokens, hidden}, real);
  ValueId logits = maker.value("router.logits", {tokens, Dim::fixed(2)}, real);
  ValueId chosen = maker.value("router.chosen", {tokens, Dim::fixed(1)}, index);
  ValueId scores = maker.value("router.scores", {tokens, Dim::fixed(1)}, real);
  ValueId out = maker.value(
      "logits", {Dim::outputs(), Dim::fixed(kTinyVocabulary)}, real);
  ParameterId table =
      maker.parameter("embed_tokens.weight", {kTinyVocabulary, kTinyHidden});
  ParameterId norm = maker.parameter("norm.weight", {kTinyHidden});
  ParameterId router = maker.parameter("router.weight", {2, kTinyHidden});
  ParameterId head =
      maker.parameter("head.weight", {kTinyVocabulary, kTinyHidden});
  maker.op(OpKind::Embedding, "embed", {ids}, table, {x});
  maker.op(OpKind::RmsNorm, "norm", {x}, norm, {y},
           RmsNormAttributes{1e-5, kTinyHidden});
  maker.op(OpKind::Router, "router", {y}, router, {logits, chosen, scores},
           RouterAttributes{2, 1, RouterScore::SigmoidOnInput});
  maker.op(OpKind::Logits, "logits", {y, rows}, head, {out});
  graph.logits = out;
  return graph;
}

/// Numbers that bf16 holds, so that the chip's weights are the model's.
Weights makeWeights(const Graph &graph, unsigned seed) {
  auto store = std::make_shared<MemoryTensors>();
  std::mt19937 engine(seed);
  std::uniform_int_distribution<int> numbers(-128, 127);
  for (const Parameter &parameter : graph.parameters) {
    TensorSpec spec;
    spec.name = "model." + parameter.name;
    spec.type = StoredType::F32;
    spec.shape = parameter.shape;
    int64_t count = 1;
    for (int64_t size : parameter.shape) {
      count *= size;
    }
    std::byte *data = store->add(spec);
    for (int64_t i = 0; i < count; ++i) {
      float number = float(numbers(engine)) / 128;
      std::memcpy(data + 4 * i, &number, 4);
    }
  }
  ModelConfig config;
  config.modelType = "llama4_text";
  return must(Weights::bind(config, graph, store, "tiny"));
}

std::vector<uint8_t> fromC(const ChipSpec &spec, const std::string &name) {
  return must(
      buildKernel(spec, std::string(CHIPWRIGHT_TINY_KERNELS) + "/" + name));
}

Package makePackage(const ResolvedChip &chip, const Graph &graph) {
  Package package;
  package.toolVersion = "test";
  package.chip = chip.spec.name;
  package.architecturalFingerprint = chip.architecturalFingerprint();
  package.timingFingerprint = chip.timingFingerprint();
  package.modelHash = modelHash(graph);
  package.modelType = graph.modelType;
  package.bounds = {{"tokens", 8},  {"batch", 2},   {"context", 100},
                    {"outputs", 8}, {"slots", 256}, {"entries.0", 6}};
  PackageSize tokens{1, "tokens"}, outputs{1, "outputs"},
      hidden{kTinyHidden, ""}, vocabulary{kTinyVocabulary, ""}, one{1, ""},
      two{2, ""}, entries{1, "entries.0"};
  using Role = BufferRole;
  using Content = BufferContent;
  auto add = [&](const char *name, DType dtype, std::vector<PackageSize> shape,
                 Role role, bool isControl = false,
                 Content content = Content::None) {
    PackageBuffer buffer;
    buffer.name = name;
    buffer.dtype = dtype;
    buffer.shape = std::move(shape);
    buffer.isControl = isControl;
    buffer.role = role;
    buffer.content = content;
    package.buffers.push_back(buffer);
    return static_cast<int64_t>(package.buffers.size()) - 1;
  };
  auto weight = [&](const char *parameter, DType dtype,
                    std::vector<PackageSize> shape) {
    int64_t id = add(parameter, dtype, std::move(shape), Role::Weight);
    package.buffers.back().parameter = parameter;
    return id;
  };
  int64_t table =
      weight("embed_tokens.weight", DType::F32, {vocabulary, hidden});
  int64_t normWeight = weight("norm.weight", DType::F32, {one, hidden});
  int64_t routerWeight = weight("router.weight", DType::BF16, {two, hidden});
  int64_t head = weight("head.weight", DType::BF16, {vocabulary, hidden});
  int64_t ids = add("ids", DType::I32, {tokens, one}, Role::Input, true,
                    Content::TokenIds);
  int64_t rows = add("rows", DType::I32, {outputs, one}, Role::Input, true,
                     Content::OutputRows);
  add("bounds", DType::I32, {tokens, two}, Role::Input, false,
      Content::MaskBounds);
  int64_t work = add("work", DType::I32, {entries, {4, ""}}, Role::Input, true,
                     Content::AttentionWork);
  package.buffers.back().block = 3;
  int64_t x = add("x", DType::F32, {tokens, hidden}, Role::Activation);
  int64_t y = add("y", DType::BF16, {tokens, hidden}, Role::Activation);
  int64_t routed = add("routed", DType::F32, {tokens, two}, Role::Activation);
  int64_t chosen =
      add("chosen", DType::I32, {tokens, one}, Role::Activation, true);
  int64_t total = add("total", DType::I32, {one, one}, Role::Activation, true);
  int64_t rowsOfY =
      add("y.rows", DType::BF16, {outputs, hidden}, Role::Activation);
  int64_t logits =
      add("logits", DType::F32, {outputs, vocabulary}, Role::Output);
  const ChipSpec &spec = chip.spec;
  package.programs = {{"gather", fromC(spec, "gather.c")},
                      {"norm", must(compilePeText(spec, kNorm, "norm"))},
                      {"route", fromC(spec, "route.c")},
                      {"spend", fromC(spec, "spend.c")},
                      {"product", must(compilePeText(spec, kProduct, "p"))}};
  auto at = [](int64_t buffer) {
    return PackageArgument{PackageArgument::Address, buffer, {}};
  };
  auto size = [](const PackageSize &s) {
    return PackageArgument{PackageArgument::Size, 0, s};
  };
  PackageSize rowWords{kTinyHidden * 4 / 8, ""},
      halfWords{kTinyHidden * 2 / 8, ""};
  package.launches = {
      {"embed",
       0,
       {at(ids), at(table), at(x), size(tokens), size(rowWords)},
       {},
       {{"embed", x}}},
      {"norm",
       1,
       {at(x), at(normWeight), at(y), size(tokens), size(tokens)},
       {{"embed", x}},
       {{"norm", y}}},
      {"router",
       4,
       {at(y), at(routerWeight), at(routed), size(tokens), size(hidden),
        size(two), size(hidden), size(tokens), size(two)},
       {{"norm", y}},
       {{"router.logits", routed}}},
      {"router",
       2,
       {at(routed), at(chosen), size(tokens)},
       {},
       {{"router.chosen", chosen}}},
      {"router",
       3,
       {at(chosen), at(work), at(total), size(tokens), size(entries)},
       {{"router.chosen", chosen}},
       {}},
      {"logits",
       0,
       {at(rows), at(y), at(rowsOfY), size(outputs), size(halfWords)},
       {{"norm", y}},
       {}},
      {"logits",
       4,
       {at(rowsOfY), at(head), at(logits), size(outputs), size(hidden),
        size(vocabulary), size(hidden), size(outputs), size(vocabulary)},
       {},
       {{"logits", logits}}},
  };
  if (auto good = checkPackage(package, "tiny"); !good) {
    throw std::runtime_error(good.error().message);
  }
  return package;
}

} // namespace

TinyModel TinyModel::make(unsigned seed) {
  ResolvedChip chip = must(loadChip("mtia-2i", {"dram.level=burst"}));
  Graph graph = makeGraph();
  Weights weights = makeWeights(graph, seed);
  Package package = makePackage(chip, graph);
  return {std::move(chip), std::move(graph), std::move(weights),
          std::move(package)};
}

std::unique_ptr<SimDevice> TinyModel::device(sim::Mode mode,
                                             const RoutingTrace *routing) {
  SimDevice::Request request;
  request.machine.mode = mode;
  request.machine.maxCycles = sim::Cycle(1) << 32;
  request.routing = routing;
  request.packageName = "tiny.cwx";
  return must(SimDevice::create(package, graph, &weights, chip, request));
}

Step TinyModel::step(const std::vector<SequencePiece> &pieces) const {
  SequenceTable table(2, 128);
  return must(table.append(graph, pieces, Outputs::All));
}

TinyModel &test::tinyModel() {
  static TinyModel model = [] {
    unsigned seed = std::random_device()();
    printf("seed %u\n", seed);
    return TinyModel::make(seed);
  }();
  return model;
}
