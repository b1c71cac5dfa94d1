//===- JsonText.cpp - JSON with places, limits, no duplicates ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/JsonText.h"
#include "models/MappedFile.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace chipwright::models {

std::string quoteText(std::string_view text) {
  constexpr size_t limit = 80;
  std::string shown;
  for (char c : text.substr(0, limit)) {
    auto byte = static_cast<unsigned char>(c);
    shown += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return text.size() > limit ? "'" + shown + "...'" : "'" + shown + "'";
}

std::string describeJson(const Json &value) {
  auto dumped = [&] {
    std::string text =
        value.dump(-1, ' ', true, Json::error_handler_t::replace);
    return text.size() > 60 ? text.substr(0, 57) + "..." : text;
  };
  switch (value.type()) {
  case Json::value_t::null:
    return "null";
  case Json::value_t::boolean:
    return value.get<bool>() ? "true" : "false";
  case Json::value_t::string:
    return "the text " + quoteText(value.get_ref<const std::string &>());
  case Json::value_t::array:
    // Large trees are not dumped only to be cut off.
    return value.size() > 16 ? fmt::format("a list of {} items", value.size())
                             : "the list " + dumped();
  case Json::value_t::object:
    return fmt::format("an object with {} keys", value.size());
  default:
    return dumped();
  }
}

namespace {

constexpr size_t maxDepth = 32;

/// Builds the tree from parser events.
class TreeBuilder : public nlohmann::json_sax<Json> {
public:
  Json root;
  std::string problem;

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t & /*text*/) override {
    return add(value);
  }
  bool string(string_t &value) override { return add(std::move(value)); }
  bool binary(binary_t & /*value*/) override { return false; }
  bool start_object(size_t /*size*/) override { return open(Json::object()); }
  bool start_array(size_t /*size*/) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t &name) override {
    auto [place, isNew] = stack.back()->emplace(name, nullptr);
    if (!isNew) {
      problem = fmt::format("expected each key once in an object, found {} "
                            "twice; delete one of them",
                            quoteText(name));
      return false;
    }
    pending = &*place;
    return true;
  }

  bool parse_error(size_t position, const std::string & /*token*/,
                   const nlohmann::detail::exception &error) override {
    // nlohmann: "[json.exception.parse_error.101] parse error at line 1, ..."
    std::string text = error.what();
    if (size_t end = text.find("] "); end != std::string::npos) {
      text = text.substr(end + 2);
    }
    std::replace_if(
        text.begin(), text.end(),
        [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
    problem = fmt::format("expected JSON, found a fault at byte {} ({}); write "
                          "the file again with a JSON library",
                          position, text.substr(0, 200));
    return false;
  }

private:
  bool add(Json value) {
    if (stack.empty()) {
      root = std::move(value);
    } else if (stack.back()->is_array()) {
      stack.back()->push_back(std::move(value));
    } else {
      *pending = std::move(value);
    }
    return true;
  }

  bool open(Json value) {
    if (stack.size() == maxDepth) {
      problem = fmt::format("expected at most {} levels of nesting, found more",
                            maxDepth);
      return false;
    }
    if (stack.empty()) {
      root = std::move(value);
      stack.push_back(&root);
    } else if (stack.back()->is_array()) {
      stack.back()->push_back(std::move(value));
      stack.push_back(&stack.back()->back());
    } else {
      *pending = std::move(value);
      stack.push_back(pending);
    }
    return true;
  }

  bool close() {
    stack.pop_back();
    return true;
  }

  // Containers that are open. An element of an array may move only while no
  // later element of the stack points into it, so the pointers stay valid.
  std::vector<Json *> stack;
  Json *pending = nullptr;
};

} // namespace

Result<Json> parseJson(std::string_view text, const std::string &what) {
  TreeBuilder builder;
  bool parsed = false;
  try {
    parsed = Json::sax_parse(text.begin(), text.end(), &builder);
  } catch (const std::exception &error) {
    return Diagnostic{fmt::format("{}: expected JSON, found what the parser "
                                  "cannot hold ({})",
                                  what, quoteText(error.what()))};
  }
  if (!parsed) {
    return Diagnostic{what + ": " + builder.problem};
  }
  return std::move(builder.root);
}

Result<std::string> readTextFile(const std::string &path, uint64_t limit,
                                 std::string_view kind) {
  Result<MappedFile> file = MappedFile::open(path, kind);
  if (!file) {
    return file.error();
  }
  if (file->size() > limit) {
    return Diagnostic{fmt::format("{}: expected {} of at most {} bytes, found "
                                  "{} bytes; name another file",
                                  path, kind, limit, file->size())};
  }
  return std::string(reinterpret_cast<const char *>(file->data()),
                     file->size());
}

} // namespace chipwright::models
