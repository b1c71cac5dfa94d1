//===- PipelineJson.cpp - Stages of tokenizer.json --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/tokenizer/PipelineJson.h"
#include "models/ConfigFields.h"
#include "models/tokenizer/TokenizerData.h"

#include <fmt/format.h>

#include <array>
#include <limits>

namespace chipwright::models {

namespace {

constexpr std::string_view advice =
    "use a tokenizer of a family that docs/tokenizers.md names";
constexpr size_t maxStages = 64;

/// A stage: an object with a "type".
struct Stage {
  const Json &json;
  std::string path;
  ConfigFields fields;
  std::string type;

  Stage(const Json &object, const std::string &file, std::string place)
      : json(object), path(std::move(place)), fields(object, file, path),
        type(fields.text("type")) {}

  /// \returns what is under \p key, or nullptr.
  static const Json *find(const Json *object, const std::string &key) {
    if (!object || !object->is_object()) {
      return nullptr;
    }
    auto place = object->find(key);
    return place == object->end() ? nullptr : &*place;
  }
  const Json *find(const std::string &key) const { return find(&json, key); }
};

/// Calls \p read on each stage of \p json, those of a "Sequence" one by one.
/// \p list is the key under which a sequence has its stages.
template <typename Read>
Result<void> forEachStage(const Json *json, const std::string &file,
                          const std::string &path, std::string_view list,
                          size_t &count, Read read) {
  if (!json || json->is_null()) {
    return {};
  }
  if (!json->is_object()) {
    return Diagnostic{fmt::format("{}: {}: expected null or an object with a "
                                  "type, found {}; {}",
                                  file, path, describeJson(*json), advice)};
  }
  if (++count > maxStages) {
    return Diagnostic{fmt::format("{}: {}: expected at most {} stages, found "
                                  "more; {}",
                                  file, path, maxStages, advice)};
  }
  Stage stage(*json, file, path);
  if (stage.fields.fault()) {
    return *stage.fields.fault();
  }
  if (stage.type != "Sequence") {
    read(stage);
    return stage.fields.fault() ? Result<void>(*stage.fields.fault())
                                : Result<void>();
  }
  const Json *stages = stage.find(std::string(list));
  if (!stages || !stages->is_array()) {
    stage.fields.refuse(list, "a list of stages", advice);
    return *stage.fields.fault();
  }
  for (size_t i = 0; i < stages->size(); ++i) {
    Result<void> done = forEachStage(&(*stages)[i], file,
                                     fmt::format("{}.{}[{}]", path, list, i),
                                     list, count, read);
    if (!done) {
      return done;
    }
  }
  return {};
}

void refuseType(Stage &stage, std::string_view known) {
  stage.fields.refuse("type", fmt::format("one of {}", known), advice);
}

/// The pattern of a stage: {"Regex": ..} or {"String": ..}.
std::optional<SplitPattern> readPattern(Stage &stage) {
  const Json *pattern = stage.fields.object("pattern");
  if (stage.fields.fault()) {
    return std::nullopt;
  }
  if (pattern && pattern->size() == 1) {
    auto entry = pattern->begin();
    if (entry->is_string()) {
      const auto &text = entry->get_ref<const std::string &>();
      if (entry.key() == "String" && !text.empty()) {
        return SplitPattern::literal(text);
      }
      if (entry.key() == "Regex") {
        auto compiled = SplitPattern::compile(
            text, stage.fields.file() + ": " + stage.path + ".pattern");
        if (compiled) {
          return compiled.take();
        }
        stage.fields.adopt(compiled.error());
        return std::nullopt;
      }
    }
  }
  stage.fields.refuse("pattern", "{\"Regex\": ..} or {\"String\": ..}", advice);
  return std::nullopt;
}

SplitPattern known(std::string_view pattern) {
  // The published patterns compile; a test does it with each.
  return SplitPattern::compile(pattern, "pattern").take();
}

NormalizerStep readNormalizerStep(Stage &stage) {
  NormalizerStep step;
  if (stage.type == "Prepend") {
    step.kind = NormalizerKind::Prepend;
    step.text = stage.fields.text("prepend");
  } else if (stage.type == "Replace") {
    step.kind = NormalizerKind::Replace;
    step.pattern = readPattern(stage);
    step.text = stage.fields.text("content");
  } else if (stage.type == "NFC") {
    step.kind = NormalizerKind::Nfc;
  } else if (stage.type == "NFD") {
    step.kind = NormalizerKind::Nfd;
  } else if (stage.type == "NFKC") {
    step.kind = NormalizerKind::Nfkc;
  } else if (stage.type == "NFKD") {
    step.kind = NormalizerKind::Nfkd;
  } else {
    refuseType(stage, "Prepend, Replace, NFC, NFD, NFKC, NFKD, Sequence");
  }
  if (step.text.size() > 64) {
    stage.fields.refuse(stage.type == "Prepend" ? "prepend" : "content",
                        "at most 64 bytes", advice);
  }
  return step;
}

/// \returns the value that \p names has for the text under \p key.
template <typename T, size_t n>
T choice(ConfigFields &fields, std::string_view key,
         const std::array<std::pair<std::string_view, T>, n> &names,
         const std::optional<std::string> &fallback) {
  std::string name = fields.text(key, fallback);
  std::string all;
  for (const auto &[text, value] : names) {
    if (text == name) {
      return value;
    }
    all += all.empty() ? "" : ", ";
    all += text;
  }
  fields.refuse(key, "one of " + all, advice);
  return names[0].second;
}

constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> behaviors =
    {{{"Isolated", SplitBehavior::Isolated},
      {"Removed", SplitBehavior::Removed},
      {"MergedWithPrevious", SplitBehavior::MergedWithPrevious},
      {"MergedWithNext", SplitBehavior::MergedWithNext},
      {"Contiguous", SplitBehavior::Contiguous}}};
constexpr std::array<std::pair<std::string_view, PrependScheme>, 3> schemes = {
    {{"always", PrependScheme::Always},
     {"first", PrependScheme::First},
     {"never", PrependScheme::Never}}};

PreTokenizerStep readPreTokenizerStep(Stage &stage) {
  PreTokenizerStep step;
  ConfigFields &fields = stage.fields;
  if (stage.type == "Split") {
    step.pattern = readPattern(stage);
    step.behavior = choice(fields, "behavior", behaviors, std::nullopt);
    step.invert = fields.boolean("invert", false);
  } else if (stage.type == "Digits") {
    step.pattern = known(patterns::number);
    step.behavior = fields.boolean("individual_digits", false)
                        ? SplitBehavior::Isolated
                        : SplitBehavior::Contiguous;
  } else if (stage.type == "ByteLevel") {
    step.kind = PreTokenizerKind::ByteLevel;
    step.addPrefixSpace = fields.boolean("add_prefix_space", true);
    if (fields.boolean("use_regex", true)) {
      step.pattern = known(patterns::gpt2);
    }
  } else if (stage.type == "Metaspace") {
    step.kind = PreTokenizerKind::Metaspace;
    step.replacement = fields.text("replacement");
    // Older files have a flag, and it loses.
    bool adds = fields.boolean("add_prefix_space", true);
    step.scheme =
        choice(fields, "prepend_scheme", schemes, adds ? "always" : "never");
    if (step.replacement.empty() || step.replacement.size() > 4) {
      fields.refuse("replacement", "one character", advice);
    } else if (fields.boolean("split", true)) {
      step.pattern = SplitPattern::literal(step.replacement);
      step.behavior = SplitBehavior::MergedWithNext;
    }
  } else {
    refuseType(stage, "Split, Digits, ByteLevel, Metaspace, Sequence");
  }
  return step;
}

/// One item of a template: {"SpecialToken": {"id": ..}} or {"Sequence": ..}.
void readTemplateItem(Stage &stage, const Json &item, bool &behind,
                      TextFrame &frame) {
  constexpr std::string_view expected =
      "one Sequence A among tokens of special_tokens";
  auto refuse = [&] {
    stage.fields.refuse("single", expected, describeJson(item), advice);
  };
  if (!item.is_object() || item.size() != 1 || !item.begin()->is_object()) {
    return refuse();
  }
  const std::string &kind = item.begin().key();
  const Json &what = *item.begin();
  const Json *id = Stage::find(&what, "id");
  if (!id || !id->is_string()) {
    return refuse();
  }
  if (kind == "Sequence") {
    if (behind || *id != "A") {
      return refuse();
    }
    behind = true;
    return;
  }
  const Json *token =
      Stage::find(stage.find("special_tokens"), id->get<std::string>());
  if (kind != "SpecialToken" || !token || !token->is_object()) {
    return refuse();
  }
  ConfigFields fields(*token, stage.fields.file(),
                      stage.path + ".special_tokens." +
                          quoteText(id->get<std::string>()));
  auto ids = fields.integers("ids", 0, maxVocabulary - 1);
  if (fields.fault()) {
    return stage.fields.adopt(*fields.fault());
  }
  if (!ids || ids->size() > 16) {
    return refuse();
  }
  for (int64_t one : *ids) {
    (behind ? frame.suffix : frame.prefix).push_back(static_cast<int32_t>(one));
  }
}

} // namespace

Result<Normalizer> readNormalizer(const Json *json, const std::string &file) {
  Normalizer normalizer;
  size_t count = 0;
  Result<void> done = forEachStage(
      json, file, "normalizer", "normalizers", count, [&](Stage &stage) {
        normalizer.steps.push_back(readNormalizerStep(stage));
      });
  if (!done) {
    return done.error();
  }
  return normalizer;
}

Result<PreTokenizer> readPreTokenizer(const Json *json, const std::string &file,
                                      bool &byteLevel) {
  PreTokenizer preTokenizer;
  byteLevel = false;
  size_t count = 0;
  Result<void> done = forEachStage(
      json, file, "pre_tokenizer", "pretokenizers", count, [&](Stage &stage) {
        if (byteLevel) {
          stage.fields.refuse("type", "no stage behind ByteLevel", advice);
        }
        preTokenizer.steps.push_back(readPreTokenizerStep(stage));
        byteLevel = stage.type == "ByteLevel";
      });
  if (!done) {
    return done.error();
  }
  return preTokenizer;
}

Result<TextFrame> readPostProcessor(const Json *json, const std::string &file) {
  TextFrame frame;
  bool haveTemplate = false;
  size_t count = 0;
  Result<void> done = forEachStage(
      json, file, "post_processor", "processors", count, [&](Stage &stage) {
        if (stage.type == "ByteLevel") {
          return; // only changes offsets
        }
        if (stage.type != "TemplateProcessing") {
          return refuseType(stage, "TemplateProcessing, ByteLevel, Sequence");
        }
        if (haveTemplate) {
          return stage.fields.refuse("type", "one TemplateProcessing", advice);
        }
        haveTemplate = true;
        std::string key = "single";
        const Json *items = stage.find(key);
        if (!items || !items->is_array() || items->size() > 16) {
          return stage.fields.refuse(key, "a list of at most 16 items", advice);
        }
        bool behind = false;
        for (const Json &item : *items) {
          readTemplateItem(stage, item, behind, frame);
        }
        if (!behind) {
          stage.fields.refuse(key, "a Sequence A", advice);
        }
      });
  if (!done) {
    return done.error();
  }
  return frame;
}

Result<TextDecoder> readDecoder(const Json *json, const std::string &file) {
  TextDecoder decoder;
  bool fused = false;
  size_t count = 0;
  Result<void> done =
      forEachStage(json, file, "decoder", "decoders", count, [&](Stage &stage) {
        ConfigFields &fields = stage.fields;
        if (stage.type == "ByteLevel") {
          decoder.byteLevel = true;
        } else if (stage.type == "Replace") {
          const Json *text = Stage::find(stage.find("pattern"), "String");
          if (!text || !text->is_string() || text->empty() ||
              !decoder.from.empty() || fused) {
            fields.refuse("pattern", "one {\"String\": ..} before Fuse",
                          advice);
            return;
          }
          decoder.from = text->get<std::string>();
          decoder.to = fields.text("content");
        } else if (stage.type == "ByteFallback") {
          decoder.byteTokens = true;
        } else if (stage.type == "Fuse") {
          fused = true;
        } else if (stage.type == "Strip") {
          int64_t start = fields.integer("start", 0, 1, 0);
          fields.integer("stop", 0, 0, 0);
          if (fields.text("content") != " " || !fused) {
            fields.refuse("content", "one space, behind Fuse", advice);
          }
          decoder.dropsFirstSpace = start == 1;
        } else {
          refuseType(stage, "ByteLevel, Replace, ByteFallback, Fuse, Strip, "
                            "Sequence");
        }
      });
  if (!done) {
    return done.error();
  }
  return decoder;
}

} // namespace chipwright::models
