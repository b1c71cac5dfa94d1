//===- GgufFile.cpp - Mapped GGUF files, whole and in parts -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/gguf/GgufFile.h"
#include "models/JsonText.h"

#include <fmt/format.h>

#include <cstring>

namespace chipwright::models {

namespace {

constexpr std::string_view countKey = "split.count";
constexpr std::string_view numberKey = "split.no";
constexpr std::string_view tensorsKey = "split.tensors.count";
// Parts are numbered by five digits.
constexpr int64_t maxParts = 65535;

/// \returns how many parts the model has: 1 if it is not split.
Result<int64_t> partsOf(const GgufMetadata &metadata) {
  return metadata.integer(countKey, 0, maxParts, 1);
}

std::string partSuffix(int64_t part, int64_t count) {
  return fmt::format("-{:05}-of-{:05}.gguf", part + 1, count);
}

} // namespace

Result<void> GgufFile::add(std::vector<StoredTensor> tensors) {
  for (StoredTensor &tensor : tensors) {
    std::string name = tensor.name, file = tensor.file;
    auto [place, isNew] = byName.emplace(name, std::move(tensor));
    if (!isNew) {
      return Diagnostic{fmt::format(
          "{}: tensor {}: expected in one part, found in {} as well; take all "
          "parts of one model",
          file, quoteText(name), place->second.file)};
    }
  }
  return {};
}

Result<void> GgufFile::addParts(int64_t count) {
  auto number = keys.integer(numberKey, 0, maxParts);
  if (!number) {
    return number.error();
  }
  std::string suffix = partSuffix(0, count);
  if (*number != 0 || !fileName.ends_with(suffix)) {
    return keys.refuse(
        numberKey, fmt::format("part 0 in a file '...{}'", suffix),
        fmt::format("part {}", *number),
        "name the first part, or join the parts (llama-gguf-split --merge)");
  }
  std::string stem = fileName.substr(0, fileName.size() - suffix.size());
  for (int64_t part = 1; part < count; ++part) {
    std::string path = stem + partSuffix(part, count);
    Result<MappedFile> mapped =
        MappedFile::open(path, fmt::format("part {} of a GGUF file", part));
    if (!mapped) {
      return mapped.error();
    }
    auto contents = parseGguf({mapped->data(), mapped->size()}, path);
    if (!contents) {
      return contents.error();
    }
    files.push_back(mapped.take());
    auto own = contents->metadata.integer(numberKey, part, part);
    if (!own) {
      return own.error();
    }
    auto all = contents->metadata.integer(countKey, count, count);
    if (!all) {
      return all.error();
    }
    if (auto done = add(std::move(contents->tensors)); !done) {
      return done;
    }
  }
  auto found = static_cast<int64_t>(byName.size());
  auto total = keys.integer(tensorsKey, 0, INT64_MAX, found);
  if (!total) {
    return total.error();
  }
  if (*total != found) {
    return keys.refuse(tensorsKey,
                       fmt::format("the {} tensors of all parts", found),
                       std::to_string(*total), "take all parts of one model");
  }
  return {};
}

Result<std::shared_ptr<const GgufFile>>
GgufFile::open(const std::string &path) {
  Result<MappedFile> mapped = MappedFile::open(path, "a GGUF file");
  if (!mapped) {
    return mapped.error();
  }
  auto contents = parseGguf({mapped->data(), mapped->size()}, path);
  if (!contents) {
    return contents.error();
  }
  auto parts = partsOf(contents->metadata);
  if (!parts) {
    return parts.error();
  }
  std::shared_ptr<GgufFile> file(
      new GgufFile(std::move(contents->metadata), path));
  file->files.push_back(mapped.take()); // its bytes stay where they are
  auto done = file->add(std::move(contents->tensors));
  if (done && *parts > 1) {
    done = file->addParts(*parts);
  }
  if (!done) {
    return done.error();
  }
  return std::shared_ptr<const GgufFile>(std::move(file));
}

Result<std::shared_ptr<const GgufFile>>
GgufFile::parse(std::span<const std::byte> bytes, const std::string &path) {
  auto contents = parseGguf(bytes, path);
  if (!contents) {
    return contents.error();
  }
  auto parts = partsOf(contents->metadata);
  if (!parts) {
    return parts.error();
  }
  if (*parts > 1) {
    return contents->metadata.refuse(countKey, "a model in one file",
                                     fmt::format("one part of {}", *parts),
                                     "open its first part as a file");
  }
  std::shared_ptr<GgufFile> file(
      new GgufFile(std::move(contents->metadata), path));
  if (auto done = file->add(std::move(contents->tensors)); !done) {
    return done.error();
  }
  return std::shared_ptr<const GgufFile>(std::move(file));
}

bool looksLikeGguf(const std::string &path) {
  auto mapped = MappedFile::open(path, "a GGUF file");
  return mapped && mapped->size() >= 4 &&
         std::memcmp(mapped->data(), "GGUF", 4) == 0;
}

} // namespace chipwright::models
