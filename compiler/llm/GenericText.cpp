//===- GenericText.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/llm/GenericText.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace chipwright;

std::string chipwright::tileType(SizeText rows, SizeText cols,
                                 const std::string &element) {
  auto size = [](const SizeText &s) {
    return s.dim.empty() ? std::to_string(s.number) : std::string("?");
  };
  std::string names;
  if (!rows.dim.empty() || !cols.dim.empty()) {
    names =
        fmt::format(", #grid.dims<{}, {}>", rows.dim.empty() ? "_" : rows.dim,
                    cols.dim.empty() ? "_" : cols.dim);
  }
  return fmt::format("tensor<{}x{}x{}{}>", size(rows), size(cols), element,
                     names);
}

void ProgramText::addBuffer(const std::string &name, const std::string &type) {
  buffers.push_back({name, type});
}

const std::string &ProgramText::typeOf(const std::string &buffer) const {
  for (const Buffer &one : buffers) {
    if (one.name == buffer) {
      return one.type;
    }
  }
  return buffer; // the parser says what is wrong with it
}

std::string ProgramText::addDim(const std::string &buffer, int dim) {
  std::string name = fmt::format("%d{}", values++);
  addLine(fmt::format("{} = grid.dim %b_{}, {} : {}", name, buffer, dim,
                      typeOf(buffer)));
  return name;
}

std::string ProgramText::addConstant(int64_t value) {
  std::string name = fmt::format("%d{}", values++);
  addLine(fmt::format("{} = arith.constant {} : index", name, value));
  return name;
}

void ProgramText::addGeneric(const GenericText &g) {
  std::vector<std::string> dims, sizes, names, ranges;
  for (const GenericText::Dim &dim : g.dims) {
    dims.push_back(fmt::format("#grid.dim<{}, {}>", dim.name, dim.kind));
    sizes.push_back(dim.size);
    names.push_back(dim.name);
  }
  std::string domain = fmt::format("({})", fmt::join(names, ", "));
  std::string fields =
      g.fields.empty() ? "" : fmt::format("[{}]", fmt::join(g.fields, ", "));
  auto map = [&](const std::string &results) {
    return fmt::format("affine_map<{}{} -> ({})>", domain, fields, results);
  };
  for (const GenericText::Dim &dim : g.dims) {
    if (!dim.to.empty()) {
      ranges.push_back(fmt::format("{} = [affine_map<(){} -> ({})>, "
                                   "affine_map<(){} -> ({})>]",
                                   dim.name, fields, dim.from, fields, dim.to));
    }
  }
  std::vector<OperandText> all = g.step;
  all.insert(all.end(), g.finish.begin(), g.finish.end());
  std::vector<int> gather, scatter;
  for (const OperandText &operand : all) {
    gather.push_back(operand.gather);
  }
  for (const OperandText &result : g.results) {
    scatter.push_back(result.gather);
  }
  all.insert(all.end(), g.results.begin(), g.results.end());
  std::vector<std::string> maps, limits;
  std::vector<int64_t> widths;
  bool hasLimits = false, hasWidths = false;
  for (const OperandText &operand : all) {
    maps.push_back(map(operand.index));
    limits.push_back(operand.limit.empty() ? "unit" : map(operand.limit));
    widths.push_back(operand.width);
    hasLimits |= !operand.limit.empty();
    hasWidths |= operand.width != 0;
  }
  std::vector<std::string> init;
  for (const GenericText::State &state : g.state) {
    init.push_back(state.value);
  }
  std::vector<std::string> attributes = {
      fmt::format("init = [{}]", fmt::join(init, ", ")),
      fmt::format("gather = array<i64{}{}>", gather.empty() ? "" : ": ",
                  fmt::join(gather, ", ")),
      fmt::format("scatter = array<i64: {}>", fmt::join(scatter, ", "))};
  if (!g.sizeHints.empty()) {
    attributes.push_back(fmt::format("size_hints = array<i64: {}>",
                                     fmt::join(g.sizeHints, ", ")));
  }
  if (hasLimits) {
    attributes.push_back(fmt::format("limits = [{}]", fmt::join(limits, ", ")));
  }
  if (hasWidths) {
    attributes.push_back(
        fmt::format("widths = array<i64: {}>", fmt::join(widths, ", ")));
  }
  if (!ranges.empty()) {
    attributes.push_back(
        fmt::format("bounds = {{{}}}", fmt::join(ranges, ", ")));
  }

  auto operands = [&](const std::vector<OperandText> &list) {
    std::vector<std::string> values, types;
    for (const OperandText &operand : list) {
      values.push_back("%b_" + operand.buffer);
      types.push_back(typeOf(operand.buffer));
    }
    return list.empty() ? std::string()
                        : fmt::format("{} : {}", fmt::join(values, ", "),
                                      fmt::join(types, ", "));
  };
  auto region = [&](const std::vector<OperandText> &list, char prefix,
                    const std::string &text,
                    const std::vector<std::string> &yielded,
                    const std::vector<std::string> &types) {
    std::vector<std::string> arguments;
    for (size_t i = 0; i < list.size(); ++i) {
      arguments.push_back(fmt::format("%{}{}: {}", prefix, i, list[i].tile));
    }
    for (size_t i = 0; i < g.state.size(); ++i) {
      arguments.push_back(fmt::format("%c{}: {}", i, g.state[i].type));
    }
    return fmt::format("{{\n  ^bb0({}):\n{}    grid.yield {} : {}\n  }}",
                       fmt::join(arguments, ", "), text,
                       fmt::join(yielded, ", "), fmt::join(types, ", "));
  };
  std::vector<std::string> stateTypes, resultTypes;
  for (const GenericText::State &state : g.state) {
    stateTypes.push_back(state.type);
  }
  for (const OperandText &result : g.results) {
    resultTypes.push_back(result.tile);
  }
  std::string step = g.next.empty()
                         ? std::string("{\n  }")
                         : region(g.step, 's', g.stepBody, g.next, stateTypes);
  addLine(fmt::format(
      "grid.generic [{}] sizes({})\n    step({}) finish({}) results({}){}\n"
      "    maps [{}]\n    attributes {{{}}} {} {}",
      fmt::join(dims, ", "), fmt::join(sizes, ", "), operands(g.step),
      operands(g.finish), operands(g.results),
      g.list.empty() ? ""
                     : fmt::format(" list(%b_{} : {})", g.list, typeOf(g.list)),
      fmt::join(maps, ", "), fmt::join(attributes, ", "), step,
      region(g.finish, 'f', g.finishBody, g.out, resultTypes)));
}

std::string ProgramText::print(const std::string &name) const {
  std::vector<std::string> arguments;
  for (const Buffer &buffer : buffers) {
    arguments.push_back(fmt::format("%b_{}: {}", buffer.name, buffer.type));
  }
  return fmt::format("grid.program @{}({}) {{\n{}}}\n", name,
                     fmt::join(arguments, ", "), body);
}
