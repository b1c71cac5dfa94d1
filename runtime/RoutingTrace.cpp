//===- RoutingTrace.cpp - Recorded decisions of a run ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/RoutingTrace.h"

#include "chips/ChipReport.h"
#include "models/MappedFile.h"
#include "models/Safetensors.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstring>

using namespace chipwright;
using Json = nlohmann::ordered_json;

Result<void> chipwright::writeRouting(const RoutingTrace &trace,
                                      const std::string &path) {
  Json steps = Json::array();
  for (const RoutingTrace::Step &step : trace.steps) {
    Json contents = Json::array();
    for (const auto &[place, words] : step.contents) {
      contents.push_back({{"launch", place.first},
                          {"buffer", place.second},
                          {"words", words}});
    }
    Json next = Json::array();
    for (auto [sequence, token] : step.next) {
      next.push_back({sequence, token});
    }
    steps.push_back({{"ids", step.ids},
                     {"sequences", step.sequences},
                     {"positions", step.positions},
                     {"next", next},
                     {"contents", contents}});
  }
  Json json = {{"format", "chipwright-routing-1"},
               {"package", formatHash(trace.package)},
               {"steps", steps}};
  return models::writeTextFile(path, json.dump(1) + "\n");
}

namespace {

/// Reads members of JSON values that may be anything; remembers a failure.
class Members {
public:
  const Json *member(const Json &object, const char *name) {
    if (!object.is_object() || !object.contains(name)) {
      isGood = false;
      return nullptr;
    }
    return &object[name];
  }

  int64_t number(const Json *value) {
    bool fits = value && value->is_number_integer() && *value >= INT32_MIN &&
                *value <= INT32_MAX;
    isGood &= fits;
    return fits ? value->get<int64_t>() : 0;
  }

  std::string text(const Json *value) {
    isGood &= value && value->is_string();
    return isGood ? value->get<std::string>() : "";
  }

  std::vector<int32_t> numbers(const Json *list) {
    std::vector<int32_t> result;
    isGood &= list && list->is_array();
    if (isGood) {
      for (const Json &one : *list) {
        result.push_back(static_cast<int32_t>(number(&one)));
      }
    }
    return result;
  }

  bool isGood = true;
};

} // namespace

static RoutingTrace::Step readStep(Members &members, const Json &json) {
  RoutingTrace::Step step;
  step.ids = members.numbers(members.member(json, "ids"));
  step.sequences = members.numbers(members.member(json, "sequences"));
  step.positions = members.numbers(members.member(json, "positions"));
  const Json *contents = members.member(json, "contents");
  const Json *next = members.member(json, "next");
  if (!members.isGood || !contents->is_array() || !next->is_array()) {
    members.isGood = false;
    return step;
  }
  for (const Json &one : *contents) {
    int64_t launch = members.number(members.member(one, "launch"));
    std::string buffer = members.text(members.member(one, "buffer"));
    step.contents[{launch, buffer}] =
        members.numbers(members.member(one, "words"));
  }
  for (const Json &one : *next) {
    std::vector<int32_t> pair = members.numbers(&one);
    if (pair.size() == 2) {
      step.next[pair[0]] = pair[1];
    } else {
      members.isGood = false;
    }
  }
  members.isGood &= step.sequences.size() == step.ids.size() &&
                    step.positions.size() == step.ids.size();
  return step;
}

Result<RoutingTrace> chipwright::readRouting(const std::string &path,
                                             uint64_t package) {
  auto file = models::MappedFile::open(path, "a routing trace");
  if (!file) {
    return file.error();
  }
  std::string_view text(reinterpret_cast<const char *>(file->data()),
                        file->size());
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  Members members;
  RoutingTrace trace;
  trace.package = package;
  const Json *steps = members.member(json, "steps");
  std::string form = members.text(members.member(json, "format"));
  std::string made = members.text(members.member(json, "package"));
  if (!members.isGood || form != "chipwright-routing-1" || !steps->is_array()) {
    return Diagnostic{path + ": expected the JSON that --save-routing writes "
                             "(format chipwright-routing-1), found something "
                             "else; record the run again",
                      ExitBadInput};
  }
  if (made != formatHash(package)) {
    return Diagnostic{
        fmt::format("{}: recorded with package {}, the package here is {}; "
                    "record the run again with this package",
                    path, made.substr(0, 64), formatHash(package)),
        ExitBadInput};
  }
  for (size_t i = 0; i < steps->size(); ++i) {
    trace.steps.push_back(readStep(members, (*steps)[i]));
    if (!members.isGood) {
      return Diagnostic{
          fmt::format("{}: step {}: expected ids, sequences, positions, next "
                      "and contents (launch, buffer, words) in 32-bit "
                      "integers, found something else; record the run again",
                      path, i),
          ExitBadInput};
    }
  }
  return trace;
}
