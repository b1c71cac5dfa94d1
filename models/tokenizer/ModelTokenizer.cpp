//===- ModelTokenizer.cpp - The tokenizer that comes with a model ---------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/tokenizer/ModelTokenizer.h"

#include "models/MappedFile.h"
#include "models/gguf/GgufFile.h"

#include <filesystem>

namespace chipwright::models {

/// The text of \p path, or nothing if there is no such file.
static Result<std::optional<std::string>> textOf(const std::string &path) {
  std::error_code failed;
  if (!std::filesystem::exists(path, failed)) {
    return std::optional<std::string>();
  }
  auto file = MappedFile::open(path, "the chat template of a model");
  if (!file) {
    return file.error();
  }
  return std::optional(
      std::string(reinterpret_cast<const char *>(file->data()), file->size()));
}

static Result<ModelTokenizer> openGguf(const std::string &path) {
  auto file = GgufFile::open(path);
  if (!file) {
    return file.error();
  }
  auto vocabulary = readGgufVocabulary((*file)->metadata());
  if (!vocabulary) {
    return vocabulary.error();
  }
  auto tokenizer = Tokenizer::fromGguf(*vocabulary, path);
  if (!tokenizer) {
    return tokenizer.error();
  }
  return ModelTokenizer{tokenizer.take(), vocabulary->chatTemplate,
                        path + ": tokenizer.chat_template"};
}

Result<ModelTokenizer> openModelTokenizer(const std::string &path) {
  if (looksLikeGguf(path)) {
    return openGguf(path);
  }
  auto tokenizer = Tokenizer::open(path);
  if (!tokenizer) {
    return tokenizer.error();
  }
  ModelTokenizer model{tokenizer.take(), "", ""};
  // Newer checkpoints have the template in a file of its own.
  std::string alone = path + "/chat_template.jinja",
              config = path + "/tokenizer_config.json";
  auto text = textOf(alone);
  if (!text) {
    return text.error();
  }
  if (*text) {
    model.chatTemplate = **text;
    model.chatPlace = alone;
    return model;
  }
  text = textOf(config);
  if (!text) {
    return text.error();
  }
  if (*text) {
    auto found = chatTemplateOfConfig(**text, config);
    if (!found) {
      return found.error();
    }
    model.chatTemplate = found->value_or("");
    model.chatPlace = config + ": chat_template";
  }
  return model;
}

Result<EncodedPrompt> encodePrompt(const ModelTokenizer &model,
                                   const std::string &text, bool asChat) {
  EncodedPrompt prompt;
  if (!asChat) {
    auto ids = model.tokenizer.encode(text, /*addSpecial=*/true,
                                      /*parseSpecial=*/false);
    if (!ids) {
      return ids.error();
    }
    prompt.ids = ids.take();
    return prompt;
  }
  if (model.chatTemplate.empty()) {
    return Diagnostic{"the model has no chat template, so --chat has no "
                      "meaning; give the prompt as the model's own text"};
  }
  auto kind = recogniseChatTemplate(model.chatTemplate, model.chatPlace);
  if (!kind) {
    return kind.error();
  }
  auto rendered =
      renderChat(*kind, {{"user", text}}, /*addGenerationPrompt=*/true);
  if (!rendered) {
    return rendered.error();
  }
  auto ids = model.tokenizer.encode(*rendered, /*addSpecial=*/false,
                                    /*parseSpecial=*/true);
  if (!ids) {
    return ids.error();
  }
  prompt.ids = ids.take();
  auto stops = stopIds(*kind, model.tokenizer);
  if (!stops) {
    return stops.error();
  }
  prompt.stops = stops.take();
  return prompt;
}

} // namespace chipwright::models
