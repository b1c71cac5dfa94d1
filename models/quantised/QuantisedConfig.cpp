//===- QuantisedConfig.cpp - quantization_config ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ConfigFields.h"
#include "models/quantised/Quantisation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace chipwright::models {

namespace {

constexpr std::string_view key = "quantization_config";
constexpr int64_t maxBlock = 1 << 22;

std::string lowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return text;
}

void refuseFlag(ConfigFields &fields, std::string_view name) {
  if (fields.boolean(name, false)) {
    fields.refuse(name, "false", "no such checkpoint is read");
  }
}

/// group_size, in which -1 stands for all inputs: 0 here.
int64_t readGroup(ConfigFields &fields, std::string_view name,
                  std::optional<int64_t> fallback = std::nullopt) {
  int64_t group = fields.integer(name, -1, maxBlock, fallback);
  if (group == 0) {
    fields.refuse(name, "a positive number or -1", "0 inputs share no scale");
  }
  return std::max<int64_t>(group, 0);
}

void readFp8(ConfigFields &fields, Quantisation &result) {
  result.form = QuantisedForm::Fp8Block;
  if (fields.text("fmt", "e4m3") != "e4m3") {
    fields.refuse("fmt", "'e4m3'", "no other element type is read");
  }
  auto block = fields.integers("weight_block_size", 1, maxBlock);
  if (!block || block->size() != 2) {
    fields.refuse("weight_block_size", "two sizes, rows and columns of a block",
                  "checkpoints with other scales are not read");
    return;
  }
  result.blockRows = (*block)[0];
  result.blockColumns = (*block)[1];
}

void readGptq(ConfigFields &fields, Quantisation &result) {
  result.form = QuantisedForm::Gptq;
  result.bits = static_cast<int>(fields.integer("bits", 1, 32));
  result.blockColumns = readGroup(fields, "group_size");
  refuseFlag(fields, "is_marlin_format");
  std::string format = fields.text("checkpoint_format", "gptq");
  if (format != "gptq" && format != "gptq_v2") {
    fields.refuse("checkpoint_format", "'gptq' or 'gptq_v2'",
                  "no other order of codes is read");
  }
  // Zero points of the first version are stored less 1.
  result.zeroOffset = format == "gptq" ? 1 : 0;
  if (const Json *dynamic = fields.object("dynamic");
      dynamic && !dynamic->empty()) {
    fields.refuse("dynamic", "no settings of single modules",
                  "modules that differ in their settings are not read");
  }
}

void readAwq(ConfigFields &fields, Quantisation &result) {
  result.form = QuantisedForm::Awq;
  result.bits = static_cast<int>(
      fields.integer(fields.isGiven("w_bit") ? "w_bit" : "bits", 1, 32));
  result.blockColumns = readGroup(
      fields, fields.isGiven("q_group_size") ? "q_group_size" : "group_size");
  if (lowerCase(fields.text("version", "gemm")) != "gemm") {
    fields.refuse("version", "'gemm'", "no other order of codes is read");
  }
  if (!fields.boolean("zero_point", true)) {
    fields.refuse("zero_point", "true", "no such checkpoint is read");
  }
}

void readModelOpt(ConfigFields &fields, Quantisation &result) {
  std::string algorithm = fields.text("quant_algo");
  result.name += " " + algorithm;
  if (algorithm == "NVFP4") {
    result.form = QuantisedForm::Nvfp4Multiplied;
    result.bits = 4;
    result.blockColumns = readGroup(fields, "group_size", 16);
    return;
  }
  if (algorithm != "FP8") {
    fields.refuse("quant_algo", "'FP8' or 'NVFP4'",
                  "no other algorithm of modelopt is read");
  }
  result.form = QuantisedForm::Scaled; // one scale per tensor
}

/// Reads `weights` of a group of compressed-tensors.
void readGroupWeights(ConfigFields &fields, const std::string &format,
                      Quantisation &result) {
  result.bits = static_cast<int>(fields.integer("num_bits", 1, 32));
  std::string type = fields.text("type", "int");
  result.symmetric = fields.boolean("symmetric", true);
  std::string strategy = fields.text("strategy", "tensor");
  if (fields.boolean("dynamic", false)) {
    fields.refuse("dynamic", "false", "weights have scales of their own");
  }
  bool floats = format == "float-quantized" || format.starts_with("nvfp4");
  if (type != (floats ? "float" : "int")) {
    fields.refuse("type", floats ? "'float'" : "'int'",
                  "the format " + format + " has no other codes");
  }
  if (strategy == "channel") {
    result.blockRows = 1;
  } else if (strategy == "group" || strategy == "tensor_group") {
    result.blockRows = 1;
    result.blockColumns = readGroup(fields, "group_size");
  } else if (strategy == "block") {
    auto block = fields.integers("block_structure", 1, maxBlock);
    if (!block || block->size() != 2) {
      fields.refuse("block_structure", "two sizes, rows and columns of a block",
                    "the strategy is 'block'");
      return;
    }
    result.blockRows = (*block)[0];
    result.blockColumns = (*block)[1];
  } else if (strategy != "tensor") {
    fields.refuse("strategy",
                  "'tensor', 'channel', 'group', 'block' or 'tensor_group'",
                  "no other scales of weights are read");
  }
  if ((strategy == "tensor_group") != format.starts_with("nvfp4")) {
    fields.refuse("strategy",
                  format.starts_with("nvfp4") ? "'tensor_group'"
                                              : "another than 'tensor_group'",
                  "the format is " + format);
  }
  bool bitsRead = format == "pack-quantized"
                      ? result.bits == 4 || result.bits == 8
                  : format.starts_with("nvfp4") ? result.bits == 4
                                                : result.bits == 8;
  if (!bitsRead) {
    fields.refuse("num_bits",
                  format == "pack-quantized"    ? "4 or 8"
                  : format.starts_with("nvfp4") ? "4"
                                                : "8",
                  "no other codes of " + format + " are read");
  }
  if (floats && !result.symmetric) {
    fields.refuse("symmetric", "true", "floats have no zero point");
  }
}

void readCompressedTensors(ConfigFields &fields, Quantisation &result) {
  std::string format = fields.text("format");
  result.name += " " + format;
  if (format == "float-quantized" || format == "int-quantized") {
    result.form = QuantisedForm::Scaled;
    result.integers = format == "int-quantized";
  } else if (format == "pack-quantized") {
    result.form = QuantisedForm::Packed;
  } else if (format == "nvfp4-pack-quantized") {
    result.form = QuantisedForm::Nvfp4Divided;
  } else {
    fields.refuse("format",
                  "'float-quantized', 'int-quantized', 'pack-quantized' or "
                  "'nvfp4-pack-quantized'",
                  "no other format is read");
    return;
  }
  const Json *groups = fields.object("config_groups");
  if (!groups || groups->empty()) {
    fields.refuse("config_groups", "a group of modules or more",
                  "they say how weights are stored");
    return;
  }
  const Json *first = nullptr;
  for (const auto &[name, group] : groups->items()) {
    auto weights = group.is_object() ? group.find("weights") : group.end();
    auto own = group.is_object() ? group.find("format") : group.end();
    if (!group.is_object() || weights == group.end() || !weights->is_object()) {
      fields.refuse("config_groups", "groups with the settings of weights",
                    fmt::format("{} without", quoteText(name)),
                    "no other group is read");
      return;
    }
    bool differs = own != group.end() && !own->is_null() && *own != format;
    if (differs || (first && *first != *weights)) {
      fields.refuse("config_groups", "the same settings of weights in each",
                    fmt::format("others in {}", quoteText(name)),
                    "modules that differ in their settings are not read");
      return;
    }
    if (!first) {
      first = &*weights;
      ConfigFields inner(*weights, fields.file(),
                         fields.pathOf("config_groups") + "." + name +
                             ".weights");
      readGroupWeights(inner, format, result);
      if (inner.fault()) {
        fields.adopt(*inner.fault());
        return;
      }
    }
  }
}

Result<Quantisation> readQuantisation(const Json &object,
                                      const std::string &file,
                                      const std::string &path) {
  ConfigFields fields(object, file, path);
  Quantisation result;
  result.name = fields.text("quant_method");
  if (fields.fault()) {
    return *fields.fault();
  }
  const std::string method = result.name;
  if (method == "fp8") {
    readFp8(fields, result);
  } else if (method == "fbgemm_fp8") {
    result.blockRows = 1;
  } else if (method == "compressed-tensors") {
    readCompressedTensors(fields, result);
  } else if (method == "mxfp4") {
    result.form = QuantisedForm::Mxfp4;
    result.bits = 4;
    result.blockColumns = 32;
  } else if (method == "gptq") {
    readGptq(fields, result);
  } else if (method == "awq") {
    readAwq(fields, result);
  } else if (method == "modelopt") {
    readModelOpt(fields, result);
  } else {
    fields.refuse("quant_method",
                  "one of fp8, fbgemm_fp8, compressed-tensors, mxfp4, gptq, "
                  "awq, modelopt",
                  quoteText(method),
                  "take the checkpoint before quantisation or in one of these");
  }
  if ((result.form == QuantisedForm::Gptq ||
       result.form == QuantisedForm::Awq) &&
      !fields.fault() && result.bits != 4 &&
      (result.bits != 8 || result.form == QuantisedForm::Awq)) {
    fields.refuse("bits", result.form == QuantisedForm::Gptq ? "4 or 8" : "4",
                  std::to_string(result.bits), "no other codes are read");
  }
  bool nvfp4 = result.form == QuantisedForm::Nvfp4Divided ||
               result.form == QuantisedForm::Nvfp4Multiplied;
  if (nvfp4 && !fields.fault() && result.blockColumns != 16) {
    fields.refuse("group_size", "16", std::to_string(result.blockColumns),
                  "NVFP4 has no other blocks");
  }
  if (fields.fault()) {
    return *fields.fault();
  }
  return result;
}

} // namespace

Result<QuantisedConfig> readQuantisedConfig(std::string_view configText,
                                            const std::string &file) {
  Result<Json> top = parseJson(configText, file);
  if (!top) {
    return top.error();
  }
  QuantisedConfig result{std::string(configText), false, {}};
  Json *inner = nullptr;
  if (top->is_object() && top->contains("text_config") &&
      (*top)["text_config"].is_object()) {
    inner = &(*top)["text_config"];
  }
  for (Json *object : {&*top, inner}) {
    if (!object || !object->is_object() || !object->contains(key)) {
      continue;
    }
    std::string path = object == inner ? "text_config." : "";
    Json settings = (*object)[std::string(key)];
    object->erase(std::string(key));
    if (settings.is_null()) {
      continue;
    }
    if (!settings.is_object()) {
      ConfigFields fields(*top, file, "");
      fields.refuse(path + std::string(key), "an object",
                    describeJson(settings),
                    "take the config.json published with the model");
      return *fields.fault();
    }
    auto quantisation =
        readQuantisation(settings, file, path + std::string(key));
    if (!quantisation) {
      return quantisation.error();
    }
    result.isQuantised = true;
    result.quantisation = quantisation.take();
  }
  if (result.isQuantised) {
    result.configText = top->dump();
  }
  return result;
}

Result<Quantisation> readModelOptQuantisation(std::string_view text,
                                              const std::string &file) {
  Result<Json> top = parseJson(text, file);
  if (!top) {
    return top.error();
  }
  if (!top->is_object() || !top->contains("quantization") ||
      !(*top)["quantization"].is_object()) {
    return Diagnostic{fmt::format(
        "{}: quantization: expected an object with quant_algo, found none; "
        "take the file published with the model",
        file)};
  }
  Json settings = (*top)["quantization"];
  settings["quant_method"] = "modelopt";
  return readQuantisation(settings, file, "quantization");
}

} // namespace chipwright::models
