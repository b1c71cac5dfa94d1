//===- SafetensorsReader.cpp - Mapped files and shards ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/JsonText.h"
#include "models/MappedFile.h"
#include "models/Safetensors.h"

#include <fmt/format.h>

#include <filesystem>

namespace chipwright::models {

namespace {

constexpr uint64_t maxIndexBytes = 256 << 20;
constexpr const char *indexName = "model.safetensors.index.json";
constexpr const char *singleName = "model.safetensors";

class MappedTensors : public TensorStore {
public:
  /// Maps \p path and adds its tensors.
  Result<std::vector<std::string>> addFile(const std::string &path) {
    Result<MappedFile> file = MappedFile::open(path, "a safetensors file");
    if (!file) {
      return file.error();
    }
    auto tensors = parseSafetensors({file->data(), file->size()}, path);
    if (!tensors) {
      return tensors.error();
    }
    std::vector<std::string> names;
    for (StoredTensor &tensor : *tensors) {
      names.push_back(tensor.name);
      if (auto [place, isNew] = byName.emplace(tensor.name, tensor); !isNew) {
        return Diagnostic{fmt::format(
            "{}: tensor {}: expected in one file, found in {} as well; delete "
            "the file that does not belong to the checkpoint",
            path, quoteText(tensor.name), place->second.file)};
      }
    }
    files.push_back(file.take());
    return names;
  }

  void release() const override {
    for (const MappedFile &file : files) {
      file.release();
    }
  }

private:
  std::vector<MappedFile> files;
};

/// A name that cannot lead out of the checkpoint's directory.
bool isPlainName(const std::string &name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

/// \returns the shard of each tensor.
Result<std::map<std::string, std::string>> readIndex(const std::string &path) {
  Result<std::string> text = readTextFile(path, maxIndexBytes, "a shard index");
  if (!text) {
    return text.error();
  }
  Result<Json> index = parseJson(*text, path);
  if (!index) {
    return index.error();
  }
  auto map = index->is_object() ? index->find("weight_map") : index->end();
  if (map == index->end() || !map->is_object() || map->empty()) {
    return Diagnostic{fmt::format(
        "{}: weight_map: expected an object of tensor and file names, found "
        "{}; take a fresh copy of the index",
        path,
        map == index->end() ? "no such key"
        : map->is_object()  ? "an empty one"
                            : describeJson(*map))};
  }
  std::map<std::string, std::string> result;
  for (const auto &[tensor, file] : map->items()) {
    if (!file.is_string() ||
        !isPlainName(file.get_ref<const std::string &>())) {
      return Diagnostic{fmt::format(
          "{}: weight_map: {}: expected the name of a file beside the index, "
          "found {}; take a fresh copy of the index",
          path, quoteText(tensor), describeJson(file))};
    }
    result[tensor] = file.get<std::string>();
  }
  return result;
}

} // namespace

Result<std::unique_ptr<TensorStore>>
openSafetensorsFile(const std::string &path) {
  auto store = std::make_unique<MappedTensors>();
  if (auto names = store->addFile(path); !names) {
    return names.error();
  }
  return std::unique_ptr<TensorStore>(std::move(store));
}

Result<std::unique_ptr<TensorStore>>
openSafetensorsDirectory(const std::string &directory) {
  namespace fs = std::filesystem;
  fs::path base(directory);
  std::string indexPath = (base / indexName).string();
  std::error_code error;
  if (!fs::exists(fs::symlink_status(base / indexName, error))) {
    std::string single = (base / singleName).string();
    if (!fs::exists(fs::symlink_status(base / singleName, error))) {
      return Diagnostic{fmt::format(
          "{}: expected {} or {}, found neither; convert other formats to "
          "safetensors first",
          directory, singleName, indexName)};
    }
    return openSafetensorsFile(single);
  }
  auto index = readIndex(indexPath);
  if (!index) {
    return index.error();
  }
  auto store = std::make_unique<MappedTensors>();
  std::map<std::string, bool> opened;
  for (const auto &[tensor, file] : *index) {
    if (std::exchange(opened[file], true)) {
      continue;
    }
    auto names = store->addFile((base / file).string());
    if (!names) {
      return names.error();
    }
    for (const std::string &name : *names) {
      auto entry = index->find(name);
      if (entry == index->end() || entry->second != file) {
        return Diagnostic{fmt::format(
            "{}: tensor {} of {}: expected under weight_map with this file, "
            "found {}; take index and shards of one checkpoint",
            indexPath, quoteText(name), file,
            entry == index->end() ? "no entry" : quoteText(entry->second))};
      }
    }
  }
  for (const auto &[tensor, file] : *index) {
    if (!store->find(tensor)) {
      return Diagnostic{fmt::format(
          "{}: weight_map: {}: expected this tensor in {}, found none; take "
          "index and shards of one checkpoint",
          indexPath, quoteText(tensor), file)};
    }
  }
  return std::unique_ptr<TensorStore>(std::move(store));
}

} // namespace chipwright::models
