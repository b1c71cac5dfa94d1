//===- OpPrograms.cpp - Row-wise operations, products, lookup -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/llm/OpPrograms.h"

#include "compiler/llm/OpText.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

#include <fmt/format.h>

using namespace mlir;
using namespace chipwright;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

std::string chipwright::elementText(Value value) {
  std::string text;
  llvm::raw_string_ostream(text) << typeOf(value).getElementType();
  return text;
}

int64_t chipwright::columnsOf(Value value) {
  return typeOf(value).getShape().back();
}

std::string chipwright::bufferTypeOf(Value value) {
  std::string sizes;
  for (int64_t size : typeOf(value).getShape()) {
    sizes += ShapedType::isDynamic(size) ? "?x" : fmt::format("{}x", size);
  }
  // Integers are row numbers, lists, or bounds. Bounds are read by the SIMD
  // engine only and decide no address.
  // Those of 8 and 4 bits are weights.
  Type element = typeOf(value).getElementType();
  bool isControl =
      element.isInteger() && !element.isInteger(8) && !element.isInteger(4);
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto function =
        cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
    auto content = function.getArgAttrOfType<StringAttr>(
        argument.getArgNumber(), "llm.input");
    isControl &= !content || content.getValue() != "MaskBounds";
  }
  return fmt::format("!grid.buffer<{}{}{}>", sizes, elementText(value),
                     isControl ? ", control" : "");
}

std::string OpPrograms::argument(LaunchText &launch, const std::string &name,
                                 Value value) {
  launch.program.addBuffer(name, bufferTypeOf(value));
  launch.arguments.push_back({value, ""});
  return name;
}

std::string OpPrograms::view(LaunchText &launch, const std::string &name,
                             Value value, const std::string &type,
                             std::vector<std::string> symbols) {
  launch.program.addBuffer(name, type);
  launch.arguments.push_back({value, "", type, std::move(symbols)});
  return name;
}

std::string OpPrograms::temporary(LaunchText &launch, const std::string &name,
                                  const std::string &type,
                                  std::vector<std::string> symbols) {
  launch.program.addBuffer(name, type);
  launch.arguments.push_back({Value(), name});
  extra[name] = {type, std::move(symbols)};
  return name;
}

std::string OpPrograms::viewTemporary(LaunchText &launch,
                                      const std::string &name,
                                      const std::string &type,
                                      std::vector<std::string> symbols) {
  launch.program.addBuffer(name, type);
  launch.arguments.push_back({Value(), name, type, std::move(symbols)});
  return name;
}

/// "%out = arith.truncf %in" or nothing: rounds \p in (f32) to the type that
/// is stored. \returns the name of the result.
std::string chipwright::rounded(std::string &body, const std::string &in,
                                SizeText rows, SizeText cols,
                                const std::string &element) {
  if (element == "f32") {
    return in;
  }
  std::string out = in + "r";
  body +=
      fmt::format("    {} = arith.truncf {} : {} to {}\n", out, in,
                  tileType(rows, cols, "f32"), tileType(rows, cols, element));
  return out;
}

std::string chipwright::widened(std::string &body, const std::string &in,
                                SizeText rows, SizeText cols,
                                const std::string &element) {
  if (element == "f32") {
    return in;
  }
  std::string out = in + "w";
  body +=
      fmt::format("    {} = arith.extf {} : {} to {}\n", out, in,
                  tileType(rows, cols, element), tileType(rows, cols, "f32"));
  return out;
}

BlockWeight chipwright::blocksOf(Value codes, Value scales) {
  return {elementText(codes), elementText(scales)};
}

std::string chipwright::dequantised(GenericText &g, size_t operand,
                                    SizeText rows, const BlockWeight &weight,
                                    const std::string &buffer,
                                    const std::string &index,
                                    const std::string &element) {
  const std::string packed = tileType(rows, "k", weight.codes),
                    wide = tileType(rows, "k", "f32"),
                    scales = tileType(rows, "k / 32", weight.scales),
                    factors = tileType(rows, "k / 32", "f32");
  const std::string name = fmt::format("%w{}", operand);
  g.stepBody += fmt::format(
      "    {n}n = {convert} %s{codes} : {packed} to {wide}\n"
      "    {n}f = arith.extf %s{scales} : {stored} to {factors}\n"
      "    {n}b = grid.broadcast {n}f segment 32 : {factors} -> {wide}\n"
      "    {n}p = arith.mulf {n}n, {n}b : {wide}\n"
      "    {n} = arith.truncf {n}p : {wide} to {tile}\n",
      fmt::arg("n", name),
      fmt::arg("convert", weight.codes == "i4" ? "arith.sitofp" : "arith.extf"),
      fmt::arg("codes", operand), fmt::arg("scales", g.step.size()),
      fmt::arg("packed", packed), fmt::arg("wide", wide),
      fmt::arg("stored", scales), fmt::arg("factors", factors),
      fmt::arg("tile", tileType(rows, "k", element)));
  g.step.push_back({buffer, index, scales});
  return name;
}

//===----------------------------------------------------------------------===//
// Lookup and row-wise operations
//===----------------------------------------------------------------------===//

OpPrograms::Launches OpPrograms::embedding(llm::EmbeddingOp op) {
  LaunchText launch("embedding");
  ProgramText &p = launch.program;
  argument(launch, "ids", op.getIds());
  argument(launch, "table", op.getTable());
  argument(launch, "y", op.getY());
  const int64_t cols = columnsOf(op.getY());
  std::string in = elementText(op.getTable()), out = elementText(op.getY());
  GenericText g;
  g.dims = {{"m", "parallel", p.addDim("y", 0)},
            {"h", "full", p.addConstant(cols)}};
  g.finish = {{"ids", "m, 0", tileType("m", 1, "i32")},
              {"table", "0, h", tileType("m", cols, in), 0}};
  g.results = {{"y", "m, h", tileType("m", cols, out)}};
  std::string x = widened(g.finishBody, "%f1", "m", cols, in);
  g.out = {rounded(g.finishBody, x, "m", cols, out)};
  p.addGeneric(g);
  return {launch};
}

OpPrograms::Launches OpPrograms::rmsNorm(llm::RmsNormOp op) {
  LaunchText launch("rms_norm");
  ProgramText &p = launch.program;
  argument(launch, "x", op.getX());
  if (op.getWeight()) {
    argument(launch, "w", op.getWeight());
  }
  argument(launch, "y", op.getY());
  const int64_t group = static_cast<int64_t>(op.getGroup()),
                groups = columnsOf(op.getX()) / group;
  std::string out = elementText(op.getY());
  const std::string row = tileType("m", group, "f32"),
                    one = tileType("m", 1, "f32");
  GenericText g;
  g.dims = {{"m", "parallel", p.addDim("x", 0)},
            {"g", "parallel", p.addConstant(groups)}};
  std::string index = fmt::format("m, g * {}", group);
  g.finish = {{"x", index, row}};
  if (op.getWeight()) {
    g.finish.push_back({"w", "0, 0", tileType(1, group, "f32")});
  }
  g.results = {{"y", index, tileType("m", group, out)}};
  g.finishBody = fmt::format(
      "    %n = grid.splat {:.17e} : {one}\n"
      "    %e = grid.splat {:.17e} : {one}\n"
      "    %sum = grid.row_reduce sumsq %f0 : {row} -> {one}\n"
      "    %mean = arith.mulf %sum, %n : {one}\n"
      "    %shifted = arith.addf %mean, %e : {one}\n"
      "    %scale = math.rsqrt %shifted : {one}\n"
      "    %scales = grid.broadcast %scale : {one} -> {row}\n"
      "    %scaled = arith.mulf %f0, %scales : {row}\n",
      1.0 / static_cast<double>(group), op.getEpsilon().convertToDouble(),
      fmt::arg("one", one), fmt::arg("row", row));
  std::string y = "%scaled";
  if (op.getWeight()) {
    g.finishBody += fmt::format("    %w = grid.broadcast %f1 : {} -> {}\n"
                                "    %y = arith.mulf %scaled, %w : {}\n",
                                tileType(1, group, "f32"), row, row);
    y = "%y";
  }
  g.out = {rounded(g.finishBody, y, "m", group, out)};
  p.addGeneric(g);
  return {launch};
}

OpPrograms::Launches OpPrograms::rope(llm::RopeOp op) {
  LaunchText launch("rope");
  ProgramText &p = launch.program;
  argument(launch, "x", op.getX());
  argument(launch, "positions", op.getPositions());
  argument(launch, "table", op.getTable());
  argument(launch, "y", op.getY());
  const int64_t head = static_cast<int64_t>(op.getHead());
  std::string out = elementText(op.getY());
  const std::string tile = tileType("m", head, "f32");
  std::string index = fmt::format("m, h * {}", head);
  GenericText g;
  g.dims = {{"m", "parallel", p.addDim("x", 0)},
            {"h", "parallel", p.addConstant(columnsOf(op.getX()) / head)}};
  g.finish = {{"x", index, tile},
              {"positions", "m, 0", tileType("m", 1, "i32")},
              {"table", "0, 0", tile, 1},
              {"table", fmt::format("0, {}", head), tile, 1}};
  g.results = {{"y", index, tileType("m", head, out)}};
  g.finishBody = fmt::format("    %a = arith.mulf %f0, %f2 : {0}\n"
                             "    %swapped = grid.swap_pairs %f0 : {0}\n"
                             "    %b = arith.mulf %swapped, %f3 : {0}\n"
                             "    %y = arith.addf %b, %a : {0}\n",
                             tile);
  g.out = {rounded(g.finishBody, "%y", "m", head, out)};
  p.addGeneric(g);
  return {launch};
}

OpPrograms::Launches OpPrograms::temperature(llm::TemperatureOp op) {
  LaunchText launch("temperature");
  ProgramText &p = launch.program;
  argument(launch, "x", op.getX());
  argument(launch, "positions", op.getPositions());
  argument(launch, "table", op.getTable());
  argument(launch, "y", op.getY());
  const int64_t cols = columnsOf(op.getX());
  std::string out = elementText(op.getY());
  const std::string tile = tileType("m", cols, "f32");
  GenericText g;
  g.dims = {{"m", "parallel", p.addDim("x", 0)},
            {"h", "full", p.addConstant(cols)}};
  g.finish = {{"x", "m, h", tile},
              {"positions", "m, 0", tileType("m", 1, "i32")},
              {"table", "0, 0", tileType("m", 1, "f32"), 1}};
  g.results = {{"y", "m, h", tileType("m", cols, out)}};
  g.finishBody = fmt::format("    %t = grid.broadcast %f2 : {} -> {}\n"
                             "    %y = arith.mulf %f0, %t : {}\n",
                             tileType("m", 1, "f32"), tile, tile);
  g.out = {rounded(g.finishBody, "%y", "m", cols, out)};
  p.addGeneric(g);
  return {launch};
}

/// y = f(a, b), element by element.
static LaunchText elementwise(LaunchText launch, const std::string &rows,
                              Value y, const std::string &body) {
  const int64_t cols = columnsOf(y);
  std::string out = elementText(y);
  const std::string tile = tileType("m", "n", "f32");
  GenericText g;
  g.dims = {{"m", "parallel", rows},
            {"n", "parallel", launch.program.addConstant(cols)}};
  g.finish = {{"a", "m, n", tile}, {"b", "m, n", tile}};
  g.results = {{"y", "m, n", tileType("m", "n", out)}};
  g.finishBody = body;
  g.out = {rounded(g.finishBody, "%y", "m", "n", out)};
  launch.program.addGeneric(g);
  return launch;
}

OpPrograms::Launches OpPrograms::siluMul(llm::SiluMulOp op) {
  LaunchText launch("silu_mul");
  argument(launch, "a", op.getGate());
  argument(launch, "b", op.getUp());
  argument(launch, "y", op.getY());
  const std::string tile = tileType("m", "n", "f32");
  std::string rows = launch.program.addDim("a", 0);
  return {elementwise(launch, rows, op.getY(),
                      fmt::format("    %s = grid.apply silu %f0 : {0}\n"
                                  "    %y = arith.mulf %s, %f1 : {0}\n",
                                  tile))};
}

OpPrograms::Launches OpPrograms::sigmoidMul(llm::SigmoidMulOp op) {
  LaunchText launch("sigmoid_mul");
  argument(launch, "a", op.getGate());
  argument(launch, "b", op.getX());
  argument(launch, "y", op.getY());
  std::string rows = launch.program.addDim("a", 0);
  return {elementwise(launch, rows, op.getY(),
                      fmt::format("    %s = grid.apply sigmoid %f0 : {0}\n"
                                  "    %y = arith.mulf %s, %f1 : {0}\n",
                                  tileType("m", "n", "f32")))};
}

OpPrograms::Launches OpPrograms::add(llm::AddOp op) {
  LaunchText launch("add");
  argument(launch, "a", op.getA());
  argument(launch, "b", op.getB());
  argument(launch, "y", op.getY());
  std::string rows = launch.program.addDim("a", 0);
  return {elementwise(launch, rows, op.getY(),
                      fmt::format("    %y = arith.addf %f0, %f1 : {}\n",
                                  tileType("m", "n", "f32")))};
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void OpPrograms::matmulBody(LaunchText &launch, Value x, Value weight, Value y,
                            Value rows, const Finish &finish) {
  ProgramText &p = launch.program;
  argument(launch, "x", x);
  argument(launch, "w", weight);
  if (finish.scales) {
    argument(launch, "scales", finish.scales);
  }
  if (rows) {
    argument(launch, "rows", rows);
  }
  if (finish.bias) {
    argument(launch, "bias", finish.bias);
  }
  argument(launch, "y", y);
  std::string type = elementText(x), out = elementText(y);
  const std::string sum = tileType("m", "n", "f32");
  GenericText g;
  g.dims = {{"m", "parallel", p.addDim("y", 0)},
            {"n", "parallel", p.addConstant(columnsOf(y))},
            {"k", "reduction", p.addConstant(columnsOf(x))}};
  g.step = {
      {"x", rows ? "0, k" : "m, k", tileType("m", "k", type), rows ? 2 : -1},
      {"w", "n, k", tileType("n", "k", elementText(weight))}};
  if (rows) {
    g.step.push_back({"rows", "m, 0", tileType("m", 1, "i32")});
  }
  g.state = {{"0.0", sum}};
  g.results = {{"y", "m, n", tileType("m", "n", out)}};
  std::string numbers = "%s1";
  if (finish.scales) {
    // Few bits are worth most in steps of few tokens. With blocks for those
    // every PE has weights of its own to convert: a step of one token of
    // Llama 3.2 1B then takes two thirds of the time on mtia-2i, one of 512
    // tokens a third more.
    constexpr int64_t kTokens = 64;
    g.sizeHints = {kTokens, -1, -1};
    numbers = dequantised(g, 1, "n", blocksOf(weight, finish.scales), "scales",
                          "n, k floordiv 32", type);
  }
  g.stepBody +=
      fmt::format("    %y = grid.matmul %s0, {}, %c0 : {}, {} -> {}\n", numbers,
                  tileType("m", "k", type), tileType("n", "k", type), sum);
  g.next = {"%y"};
  std::string value = "%c0";
  auto then = [&](const std::string &name, const std::string &text) {
    g.finishBody += fmt::format("    {} = {} : {}\n", name, text, sum);
    value = name;
  };
  if (finish.bias) {
    const std::string row = tileType(1, "n", "f32");
    g.finish = {{"bias", "0, n", row}};
    g.finishBody =
        fmt::format("    %b = grid.broadcast %f0 : {} -> {}\n", row, sum);
    then("%biased", "arith.addf %c0, %b");
  }
  const double factor =
      finish.cap != 0 ? finish.factor / finish.cap : finish.factor;
  if (factor != 1) {
    then("%f", fmt::format("grid.splat {:.17e}", factor));
    then("%scaled",
         fmt::format("arith.mulf {}, %f", finish.bias ? "%biased" : "%c0"));
  }
  if (finish.cap != 0) {
    then("%t", fmt::format("math.tanh {}", value));
    then("%cap", fmt::format("grid.splat {:.17e}", finish.cap));
    then("%capped", "arith.mulf %t, %cap");
  }
  g.out = {rounded(g.finishBody, value, "m", "n", out)};
  p.addGeneric(g);
}

OpPrograms::Launches OpPrograms::linear(llm::LinearOp op) {
  LaunchText launch("linear");
  matmulBody(launch, op.getX(), op.getWeight(), op.getY(), Value(),
             {.bias = op.getBias()});
  return {launch};
}

OpPrograms::Launches OpPrograms::blockLinear(llm::BlockLinearOp op) {
  LaunchText launch("block_linear");
  matmulBody(launch, op.getX(), op.getWeight(), op.getY(), Value(),
             {.bias = op.getBias(), .scales = op.getScales()});
  return {launch};
}

OpPrograms::Launches OpPrograms::headLinear(llm::HeadLinearOp op) {
  LaunchText launch("head_linear");
  ProgramText &p = launch.program;
  argument(launch, "x", op.getX());
  argument(launch, "w", op.getWeight());
  argument(launch, "y", op.getY());
  auto weight = typeOf(op.getWeight());
  const int64_t heads = weight.getDimSize(0), size = weight.getDimSize(1),
                depth = weight.getDimSize(2);
  // Blocks of a head's columns are equal parts of it, so that none reaches into
  // the next head. Columns of x from the end of a head on meet zeros: they are
  // beyond the edge of the weight.
  constexpr int64_t kLargest = 128;
  int64_t block = std::min(size, kLargest);
  while (size % block != 0) {
    --block;
  }
  std::string type = elementText(op.getX()), out = elementText(op.getY());
  const std::string x = tileType("m", "k", type),
                    w = tileType(block, "k", type),
                    sum = tileType("m", block, "f32");
  GenericText g;
  g.dims = {{"m", "parallel", p.addDim("y", 0)},
            {"h", "parallel", p.addConstant(heads)},
            {"j", "parallel", p.addConstant(size / block)},
            {"k", "reduction", p.addConstant(depth)}};
  g.step = {{"x", fmt::format("m, h * {} + k", depth), x},
            {"w", fmt::format("h, j * {}, k", block), w}};
  g.state = {{"0.0", sum}};
  g.results = {{"y", fmt::format("m, h * {} + j * {}", size, block),
                tileType("m", block, out)}};
  g.stepBody = fmt::format(
      "    %y = grid.matmul %s0, %s1, %c0 : {}, {} -> {}\n", x, w, sum);
  g.next = {"%y"};
  g.out = {rounded(g.finishBody, "%c0", "m", block, out)};
  p.addGeneric(g);
  return {launch};
}

OpPrograms::Launches OpPrograms::logits(llm::LogitsOp op) {
  LaunchText launch("logits");
  matmulBody(launch, op.getX(), op.getWeight(), op.getY(), op.getRows(),
             {.factor = op.getFactor().convertToDouble(),
              .cap = op.getCap().convertToDouble()});
  return {launch};
}

FailureOr<OpPrograms::Launches> OpPrograms::of(Operation *op) {
  extra.clear();
  return llvm::TypeSwitch<Operation *, FailureOr<Launches>>(op)
      .Case([&](llm::EmbeddingOp one) { return embedding(one); })
      .Case([&](llm::RmsNormOp one) { return rmsNorm(one); })
      .Case([&](llm::LinearOp one) { return linear(one); })
      .Case([&](llm::QuantisedLinearOp one) { return quantisedLinear(one); })
      .Case([&](llm::BlockLinearOp one) { return blockLinear(one); })
      .Case([&](llm::HeadLinearOp one) { return headLinear(one); })
      .Case([&](llm::SigmoidMulOp one) { return sigmoidMul(one); })
      .Case([&](llm::RopeOp one) { return rope(one); })
      .Case([&](llm::TemperatureOp one) { return temperature(one); })
      .Case([&](llm::AttentionOp one) { return attention(one); })
      .Case([&](llm::RouterOp one) { return router(one); })
      .Case([&](llm::ExpertsOp one) { return experts(one); })
      .Case([&](llm::SiluMulOp one) { return siluMul(one); })
      .Case([&](llm::AddOp one) { return add(one); })
      .Case([&](llm::LogitsOp one) { return logits(one); })
      .Default([](Operation *other) -> FailureOr<Launches> {
        return other->emitOpError("has no tile program");
      });
}
