//===- SafetensorsWriter.cpp - Writing safetensors --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/JsonText.h"
#include "models/Safetensors.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace chipwright::models {

namespace {

uint64_t bytesOf(const TensorSpec &spec) {
  uint64_t bytes = storedTypeBits(spec.type) / 8;
  for (int64_t size : spec.shape) {
    bytes *= static_cast<uint64_t>(size);
  }
  return bytes;
}

/// A file that appears under its name when commit() succeeds, and never in
/// part. Pipes and devices cannot be renamed over and are written directly.
class NewFile {
public:
  explicit NewFile(std::string name) : path(std::move(name)) {
    std::error_code error;
    auto type = std::filesystem::status(path, error).type();
    direct = type != std::filesystem::file_type::not_found &&
             type != std::filesystem::file_type::regular &&
             type != std::filesystem::file_type::none;
    temporary = direct ? path : fmt::format("{}.tmp{}", path, ::getpid());
    file = std::fopen(temporary.c_str(), "wb");
    if (!file) {
      failure = errno;
    }
  }
  NewFile(const NewFile &) = delete;
  NewFile &operator=(const NewFile &) = delete;

  ~NewFile() {
    if (file) {
      std::fclose(file);
    }
    if (!direct && !committed) {
      std::remove(temporary.c_str());
    }
  }

  void write(const void *data, size_t bytes) {
    if (failure == 0 && bytes > 0 &&
        std::fwrite(data, 1, bytes, file) != bytes) {
      failure = errno ? errno : EIO;
    }
  }

  bool failed() const { return failure != 0; }

  Result<void> commit() {
    if (file && std::fclose(file) != 0 && failure == 0) {
      failure = errno;
    }
    file = nullptr;
    if (failure == 0 && !direct &&
        std::rename(temporary.c_str(), path.c_str()) != 0) {
      failure = errno;
    }
    if (failure != 0) {
      return Diagnostic{fmt::format(
          "{}: expected a place to write, found none ({}); check directory, "
          "permissions and free space",
          path, std::generic_category().message(failure))};
    }
    committed = true;
    return {};
  }

private:
  std::string path, temporary;
  std::FILE *file = nullptr;
  int failure = 0;
  bool direct = false, committed = false;
};

} // namespace

Result<void> writeTextFile(const std::string &path, std::string_view text) {
  NewFile file(path);
  file.write(text.data(), text.size());
  return file.commit();
}

Result<void> writeSafetensorsFile(const std::string &path,
                                  std::vector<TensorToWrite> tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const TensorToWrite &a, const TensorToWrite &b) {
              unsigned bitsA = storedTypeBits(a.spec.type);
              unsigned bitsB = storedTypeBits(b.spec.type);
              return bitsA != bitsB ? bitsA > bitsB : a.spec.name < b.spec.name;
            });
  // An ordered object, so that the entries stand in the order of the data.
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  uint64_t place = 0;
  for (const TensorToWrite &tensor : tensors) {
    uint64_t bytes = bytesOf(tensor.spec);
    header[tensor.spec.name] = {{"dtype", storedTypeName(tensor.spec.type)},
                                {"shape", tensor.spec.shape},
                                {"data_offsets", {place, place + bytes}}};
    place += bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');

  NewFile file(path);
  unsigned char length[8];
  for (size_t i = 0; i < 8; ++i) {
    length[i] = static_cast<unsigned char>(text.size() >> 8 * i);
  }
  file.write(length, sizeof(length));
  file.write(text.data(), text.size());
  std::vector<std::byte> data;
  for (const TensorToWrite &tensor : tensors) {
    if (file.failed()) {
      break;
    }
    data.assign(bytesOf(tensor.spec), std::byte(0));
    tensor.fill(data.data());
    file.write(data.data(), data.size());
  }
  return file.commit();
}

Result<void> writeSafetensorsDirectory(const std::string &directory,
                                       std::vector<TensorToWrite> tensors,
                                       uint64_t shardBytes) {
  std::error_code error;
  std::filesystem::path base(directory);
  std::filesystem::create_directories(base, error);
  if (error) {
    return Diagnostic{fmt::format("{}: expected a directory to write to, found "
                                  "none that can be made ({}); name another",
                                  directory, error.message())};
  }
  std::vector<std::vector<TensorToWrite>> shards;
  uint64_t used = 0, total = 0;
  for (TensorToWrite &tensor : tensors) {
    uint64_t bytes = bytesOf(tensor.spec);
    if (shards.empty() || used + bytes > shardBytes) {
      shards.emplace_back();
      used = 0;
    }
    used += bytes;
    total += bytes;
    shards.back().push_back(std::move(tensor));
  }
  if (shards.size() <= 1) {
    // An index of an earlier checkpoint would hide the new file.
    std::filesystem::remove(base / "model.safetensors.index.json", error);
    return writeSafetensorsFile((base / "model.safetensors").string(),
                                shards.empty() ? std::vector<TensorToWrite>()
                                               : std::move(shards[0]));
  }
  Json index;
  index["metadata"]["total_size"] = total;
  for (size_t i = 0; i < shards.size(); ++i) {
    std::string name =
        fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    for (const TensorToWrite &tensor : shards[i]) {
      index["weight_map"][tensor.spec.name] = name;
    }
    if (auto done =
            writeSafetensorsFile((base / name).string(), std::move(shards[i]));
        !done) {
      return done;
    }
  }
  return writeTextFile((base / "model.safetensors.index.json").string(),
                       index.dump(2) + "\n");
}

} // namespace chipwright::models
