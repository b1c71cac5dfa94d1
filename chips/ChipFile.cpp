//===- ChipFile.cpp - One chip file, before resolution ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/ChipFile.h"
#include "chips/Parameters.h"

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace chipwright {

namespace {

// Shipped files have 16 KiB; the limit bounds the time that hostile ones take.
constexpr size_t maxFileBytes = 128 << 10;

std::string describe(const YAML::Node &node) {
  switch (node.Type()) {
  case YAML::NodeType::Map:
    return "a map";
  case YAML::NodeType::Sequence:
    return "a list";
  case YAML::NodeType::Scalar:
    return quote(node.Scalar());
  default:
    return "nothing";
  }
}

/// Looks at documents without keeping them.
class DocumentCounter : public YAML::EventHandler {
public:
  size_t documents = 0;
  YAML::Mark start;
  bool isStuck = false;

  /// YAML::LoadAll never ends on a stray ',' or ']' between documents: its
  /// parser takes an empty document from there and stays.
  static DocumentCounter count(const std::string &text) {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    DocumentCounter counter;
    while (!counter.isStuck && parser.HandleNextDocument(counter)) {
    }
    return counter;
  }

private:
  void OnDocumentStart(const YAML::Mark &mark) override {
    isStuck = documents > 0 && mark.pos == start.pos;
    start = mark;
    ++documents;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark &, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark &, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark &, const std::string &, YAML::anchor_t,
                const std::string &) override {}
  void OnSequenceStart(const YAML::Mark &, const std::string &, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark &, const std::string &, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

class Parser {
public:
  Parser(const std::string &filePath, bool onlyHeader)
      : headerOnly(onlyHeader) {
    file.path = filePath;
  }

  Result<ChipFile> parse(const std::string &text) {
    if (text.size() > maxFileBytes) {
      return Diagnostic{fmt::format("{}: expected a chip file of at most {} "
                                    "bytes, found more; this is not a chip "
                                    "file",
                                    file.path, maxFileBytes)};
    }
    if (text.find('\0') != std::string::npos) {
      return Diagnostic{fmt::format("{}: expected a YAML chip file, found "
                                    "binary data; name a .yaml file",
                                    file.path)};
    }
    try {
      DocumentCounter counter = DocumentCounter::count(text);
      if (counter.isStuck) {
        return Diagnostic{fmt::format("{}: expected YAML, found text that "
                                      "belongs to no key; remove it",
                                      place(counter.start))};
      }
      YAML::Node document =
          counter.documents == 1 ? YAML::Load(text) : YAML::Node();
      if (!document.IsMap()) {
        return Diagnostic{fmt::format(
            "{}: expected one YAML map with 'chip:' and parameters, found {}; "
            "see docs/chips.md",
            file.path,
            counter.documents == 0 ? "an empty file"
            : counter.documents != 1
                ? fmt::format("{} documents", counter.documents)
                : describe(document))};
      }
      if (auto done = top(document); !done) {
        return done.error();
      }
      return std::move(file);
    } catch (const YAML::DeepRecursion &error) {
      return Diagnostic{fmt::format("{}: expected a few levels of YAML, found "
                                    "nesting deeper than {}; close the "
                                    "brackets",
                                    place(error.mark), error.depth())};
    } catch (const YAML::Exception &error) {
      return Diagnostic{fmt::format("{}: expected YAML, found a syntax error: "
                                    "{}; correct this line",
                                    place(error.mark), printable(error.msg))};
    }
  }

private:
  std::string place(const YAML::Mark &mark) const {
    if (mark.is_null()) {
      return file.path;
    }
    return fmt::format("{}:{}:{}", file.path, mark.line + 1, mark.column + 1);
  }

  Diagnostic error(const YAML::Node &node, const std::string &text) const {
    return Diagnostic{place(node.Mark()) + ": " + text};
  }

  /// Keys must be distinct plain texts; yaml-cpp itself keeps duplicates.
  Result<void> checkKeys(const YAML::Node &map) const {
    std::set<std::string> seen;
    for (const auto &item : map) {
      if (!item.first.IsScalar()) {
        return error(item.first,
                     fmt::format("expected a key, found {}; write 'key: value'",
                                 describe(item.first)));
      }
      if (!seen.insert(item.first.Scalar()).second) {
        return error(item.first, fmt::format("the key {} is given twice; keep "
                                             "one of them",
                                             quote(item.first.Scalar())));
      }
    }
    return {};
  }

  /// Texts are shown to users: a terminal must take them. Names and paths have
  /// one line.
  Result<std::string> text(const YAML::Node &node, std::string_view key) const {
    if (!node.IsScalar() || node.Scalar().empty()) {
      return error(node, fmt::format("expected a text after '{}:', found {}",
                                     key, describe(node)));
    }
    bool oneLine = key == "chip" || key == "kind" || key == "base";
    for (char c : node.Scalar()) {
      if (isControl(c) && (oneLine || c != '\n')) {
        return error(node, fmt::format("expected a text without control "
                                       "characters after '{}:', found {}; "
                                       "remove the character 0x{:02x}",
                                       key, describe(node),
                                       static_cast<unsigned char>(c)));
      }
    }
    return node.Scalar();
  }

  Result<void> top(const YAML::Node &map) {
    if (auto keys = checkKeys(map); !keys) {
      return keys.error();
    }
    bool hasName = false;
    for (const auto &item : map) {
      const std::string &key = item.first.Scalar();
      if (key == "not_modelled") {
        if (auto done = notModelled(item.second); !done) {
          return done.error();
        }
        continue;
      }
      bool isHeader = key == "chip" || key == "kind" || key == "description" ||
                      key == "base";
      if (!isHeader) {
        continue;
      }
      Result<std::string> value = text(item.second, key);
      if (!value) {
        return value.error();
      }
      if (key == "chip") {
        hasName = true;
        file.name = *value;
        file.namePlace = place(item.second.Mark());
      } else if (key == "kind") {
        file.kind = *value;
        if (!headerOnly && file.kind != "simulated") {
          return error(item.second,
                       fmt::format("expected 'kind: simulated', found {}; only "
                                   "simulated chips can be compiled for, a "
                                   "baseline can be compared with",
                                   quote(*value)));
        }
      } else if (key == "description") {
        file.description = *value;
      } else {
        file.base = *value;
        file.basePlace = place(item.second.Mark());
      }
    }
    if (headerOnly) {
      return {};
    }
    if (!hasName) {
      return Diagnostic{fmt::format("{}: expected the key 'chip:' with the "
                                    "chip's name, found none; add 'chip: NAME'",
                                    file.path)};
    }
    if (file.kind.empty() && !file.base) {
      return Diagnostic{fmt::format("{}: expected the key 'kind:', found none; "
                                    "add 'kind: simulated'",
                                    file.path)};
    }
    return section(map, "");
  }

  Result<void> notModelled(const YAML::Node &node) {
    auto wrong = [&](const YAML::Node &at) {
      return error(at, fmt::format("expected a list of texts after "
                                   "'not_modelled:', found {}",
                                   describe(at)));
    };
    if (!node.IsSequence()) {
      return wrong(node);
    }
    file.hasNotModelled = true;
    for (const YAML::Node &item : node) {
      if (!item.IsScalar()) {
        return wrong(item);
      }
      Result<std::string> feature = text(item, "not_modelled");
      if (!feature) {
        return feature.error();
      }
      file.notModelled.push_back(feature.take());
    }
    return {};
  }

  /// Walks one level; \p prefix is "" or "cp" or "dram.timing". Depth is
  /// bounded because only known sections are entered.
  Result<void> section(const YAML::Node &map, const std::string &prefix) {
    if (auto keys = checkKeys(map); !keys) {
      return keys.error();
    }
    for (const auto &item : map) {
      const std::string &key = item.first.Scalar();
      if (prefix.empty() &&
          (key == "chip" || key == "kind" || key == "description" ||
           key == "base" || key == "not_modelled")) {
        continue;
      }
      std::string path = prefix.empty() ? key : prefix + "." + key;
      if (std::optional<size_t> index = findParameter(path)) {
        if (auto done = leaf(item.first, item.second, *index); !done) {
          return done.error();
        }
        continue;
      }
      if (!isParameterSection(path)) {
        return error(item.first,
                     fmt::format("expected a parameter of a chip, found the "
                                 "unknown key {}{}; 'chipwright show chip X "
                                 "--paths' lists all",
                                 quote(path), suggestPath(path)));
      }
      if (!item.second.IsMap()) {
        return error(item.second.IsDefined() && !item.second.IsNull()
                         ? item.second
                         : item.first,
                     fmt::format("expected keys under {}, found {}; indent "
                                 "'key: value' lines below it",
                                 quote(path), describe(item.second)));
      }
      if (auto done = section(item.second, path); !done) {
        return done.error();
      }
    }
    return {};
  }

  Result<void> leaf(const YAML::Node &key, const YAML::Node &node,
                    size_t index) {
    const Parameter &param = parameters()[index];
    if (!given.insert(index).second) {
      return error(node, fmt::format("{} is given twice (an alias names the "
                                     "same value); keep one of them",
                                     param.path));
    }
    if (node.IsNull()) {
      // The mark of a missing value points behind it.
      return error(key, fmt::format("{}: expected {}, found nothing; {}",
                                    param.path, param.expected(), param.doc));
    }
    ChipEntry entry;
    entry.parameter = index;
    entry.origin.place = place(node.Mark());
    if (!node.IsMap()) {
      if (auto done = value(node, param, entry); !done) {
        return done.error();
      }
      file.entries.push_back(std::move(entry));
      return {};
    }
    if (auto keys = checkKeys(node); !keys) {
      return keys.error();
    }
    for (const auto &item : node) {
      const std::string &name = item.first.Scalar();
      if (name == "value") {
        if (auto done = value(item.second, param, entry); !done) {
          return done.error();
        }
        entry.origin.place = place(item.second.Mark());
      } else if (name == "range") {
        if (auto done = range(item.second, param, entry); !done) {
          return done.error();
        }
      } else if (name == "source" || name == "assumed") {
        Result<std::string> reason = text(item.second, name);
        if (!reason) {
          return reason.error();
        }
        if (entry.hasProvenance) {
          return error(item.first,
                       fmt::format("{} has both 'source' and 'assumed'; a "
                                   "value is either public or assumed, keep "
                                   "one of them",
                                   param.path));
        }
        entry.hasProvenance = true;
        entry.origin.kind =
            name == "source" ? ValueKind::Published : ValueKind::Default;
        entry.origin.source = reason.take();
      } else {
        return error(item.first,
                     fmt::format("expected value, range, source or assumed "
                                 "under {}, found the unknown key {}",
                                 param.path, quote(name)));
      }
    }
    if (entry.items.empty()) {
      return error(node, fmt::format("{} has no value: expected {}; add "
                                     "'value:'",
                                     param.path, param.expected()));
    }
    if (entry.origin.kind == ValueKind::Default && param.isNumber() &&
        !entry.origin.range) {
      return error(node, fmt::format("{} is assumed but has no range; add "
                                     "'range: [low, high]'",
                                     param.path));
    }
    file.entries.push_back(std::move(entry));
    return {};
  }

  Result<void> value(const YAML::Node &node, const Parameter &param,
                     ChipEntry &entry) const {
    if (node.IsSequence()) {
      entry.isList = true;
      for (const YAML::Node &item : node) {
        if (!item.IsScalar()) {
          return error(item, fmt::format("{}: expected {}, found {} in the "
                                         "list",
                                         param.path, param.expected(),
                                         describe(item)));
        }
        entry.items.push_back(item.Scalar());
      }
    } else if (node.IsScalar()) {
      // "!" is yaml-cpp's tag of a quoted scalar: a text, not a number.
      if (node.Tag() == "!" && param.isNumber()) {
        return error(node, fmt::format("{}: expected {}, found the quoted text "
                                       "{}; remove the quotes",
                                       param.path, param.expected(),
                                       quote(node.Scalar())));
      }
      entry.items.push_back(node.Scalar());
    }
    if (entry.items.empty()) {
      return error(node, fmt::format("{}: expected {}, found {}", param.path,
                                     param.expected(), describe(node)));
    }
    ChipSpec scratch{};
    if (std::optional<std::string> wrong =
            param.parse(entry.items, entry.isList, scratch)) {
      return error(node,
                   fmt::format("{}: {}; {}", param.path, *wrong, param.doc));
    }
    return {};
  }

  Result<void> range(const YAML::Node &node, const Parameter &param,
                     ChipEntry &entry) const {
    auto wrong = [&] {
      return error(node, fmt::format("{}: expected 'range: [low, high]' in the "
                                     "unit of the value, low not above high, "
                                     "found {}",
                                     param.path, describe(node)));
    };
    if (!param.isNumber()) {
      return error(node, fmt::format("{} is not a number and takes no range; "
                                     "remove 'range'",
                                     param.path));
    }
    if (!node.IsSequence() || node.size() != 2) {
      return wrong();
    }
    double bounds[2];
    for (int i = 0; i < 2; ++i) {
      const YAML::Node item = node[i];
      if (!item.IsScalar()) {
        return wrong();
      }
      std::optional<double> number =
          parseNumber(item.Scalar(), std::string_view(param.unit) == "bytes");
      if (!number) {
        return wrong();
      }
      bounds[i] = *number;
    }
    if (bounds[0] > bounds[1]) {
      return wrong();
    }
    if (bounds[0] < param.min || bounds[1] > param.max) {
      return error(node, fmt::format("{}: the range leaves the limits: "
                                     "expected {}, found [{}, {}]",
                                     param.path, param.expected(), bounds[0],
                                     bounds[1]));
    }
    entry.origin.range = {bounds[0], bounds[1]};
    return {};
  }

  ChipFile file;
  std::set<size_t> given;
  bool headerOnly;
};

} // namespace

Result<std::string> readChipText(const std::string &path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Diagnostic{fmt::format("{}: expected a chip file, found a "
                                  "directory; name a .yaml file in it",
                                  path)};
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return Diagnostic{fmt::format("{}: expected a chip file, found none that "
                                  "can be read; 'chipwright show chips' lists "
                                  "the known chips",
                                  path)};
  }
  std::string text(maxFileBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

Result<ChipFile> parseChipFile(const std::string &text, const std::string &path,
                               bool headerOnly) {
  return Parser(path, headerOnly).parse(text);
}

Result<ChipEntry> parseSet(const std::string &argument) {
  std::string where = "--set " + printable(argument);
  size_t equals = argument.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Diagnostic{fmt::format("--set: expected path=value, found {}; for "
                                  "example --set cp.write_cycles=1",
                                  quote(argument)),
                      ExitUsage};
  }
  std::string path = argument.substr(0, equals);
  std::string value = argument.substr(equals + 1);
  std::optional<size_t> index = findParameter(path);
  if (!index) {
    if (isParameterSection(path)) {
      return Diagnostic{fmt::format("--set: expected the path of one value, "
                                    "found the section {}; 'chipwright show "
                                    "chip X --paths' lists its values",
                                    quote(path)),
                        ExitUsage};
    }
    return Diagnostic{fmt::format("--set: expected the path of a parameter, "
                                  "found the unknown {}{}; 'chipwright show "
                                  "chip X --paths' lists all",
                                  quote(path), suggestPath(path)),
                      ExitUsage};
  }
  const Parameter &param = parameters()[*index];
  ChipEntry entry;
  entry.parameter = *index;
  entry.origin.kind = ValueKind::User;
  entry.origin.source = "--set";
  entry.origin.place = where;
  bool bracketed =
      value.size() >= 2 && value.front() == '[' && value.back() == ']';
  if (bracketed) {
    value = value.substr(1, value.size() - 2);
  }
  entry.isList = bracketed || value.find(',') != std::string::npos;
  if (entry.isList) {
    for (size_t start = 0; start <= value.size();) {
      size_t comma = std::min(value.find(',', start), value.size());
      size_t first = std::min(value.find_first_not_of(' ', start), comma);
      size_t last = comma;
      while (last > first && value[last - 1] == ' ') {
        --last;
      }
      entry.items.push_back(value.substr(first, last - first));
      start = comma + 1;
    }
  } else {
    entry.items.push_back(value);
  }
  ChipSpec scratch{};
  if (std::optional<std::string> wrong =
          param.parse(entry.items, entry.isList, scratch)) {
    return Diagnostic{
        fmt::format("--set {}: {}; {}", param.path, *wrong, param.doc),
        ExitUsage};
  }
  return entry;
}

} // namespace chipwright
