//===- GgufWriter.h - GGUF files for tests ----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_SUPPORT_GGUFWRITER_H
#define CHIPWRIGHT_TESTS_SUPPORT_GGUFWRITER_H

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace chipwright::testing {

/// Puts a GGUF file together, right or wrong as the test wants it. The fields
/// may be changed before contents() is called.
class GgufWriter {
public:
  uint32_t version = 3;
  uint64_t alignment = 32; // of the data; `general.alignment` is the test's

  GgufWriter &u32(std::string_view key, uint32_t value) {
    return pair(key, 4, bytesOf(value));
  }
  GgufWriter &f32(std::string_view key, float value) {
    return pair(key, 6, bytesOf(value));
  }
  GgufWriter &boolean(std::string_view key, bool value) {
    return pair(key, 7, std::string(1, value ? '\1' : '\0'));
  }
  GgufWriter &text(std::string_view key, std::string_view value) {
    return pair(key, 8, textBytes(value));
  }
  GgufWriter &texts(std::string_view key,
                    const std::vector<std::string> &values) {
    std::string body = arrayStart(8, values.size());
    for (const std::string &value : values) {
      body += textBytes(value);
    }
    return pair(key, 9, body);
  }
  /// An array of numbers of the type \p kind of the format.
  template <typename T>
  GgufWriter &numbers(std::string_view key, uint32_t kind,
                      const std::vector<T> &values) {
    std::string body = arrayStart(kind, values.size());
    for (T value : values) {
      body += bytesOf(value);
    }
    return pair(key, 9, body);
  }

  /// Any pair: \p kind and the bytes after it.
  GgufWriter &pair(std::string_view key, uint32_t kind, std::string_view body) {
    pairs += textBytes(key) + bytesOf(kind);
    pairs += body;
    ++pairCount;
    return *this;
  }

  /// A tensor of the shape \p shape (last size contiguous).
  GgufWriter &tensor(std::string_view name, std::vector<uint64_t> shape,
                     uint32_t type, std::string_view bytes) {
    data.resize((data.size() + alignment - 1) / alignment * alignment);
    description(name, shape, type, data.size());
    data += bytes;
    return *this;
  }

  /// A tensor's description only.
  GgufWriter &description(std::string_view name,
                          const std::vector<uint64_t> &shape, uint32_t type,
                          uint64_t offset) {
    infos += textBytes(name) + bytesOf(static_cast<uint32_t>(shape.size()));
    for (size_t i = shape.size(); i > 0; --i) {
      infos += bytesOf(shape[i - 1]);
    }
    infos += bytesOf(type) + bytesOf(offset);
    ++tensorCount;
    return *this;
  }

  std::string contents() const {
    std::string file = "GGUF" + bytesOf(version) + bytesOf(tensorCount) +
                       bytesOf(pairCount) + pairs + infos;
    file.resize((file.size() + alignment - 1) / alignment * alignment);
    return file + data;
  }

  template <typename T> static std::string bytesOf(T value) {
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
  }

  static std::string textBytes(std::string_view text) {
    return bytesOf(static_cast<uint64_t>(text.size())) + std::string(text);
  }

  static std::string arrayStart(uint32_t kind, uint64_t count) {
    return bytesOf(kind) + bytesOf(count);
  }

  uint64_t tensorCount = 0, pairCount = 0;

private:
  std::string pairs, infos, data;
};

} // namespace chipwright::testing

#endif // CHIPWRIGHT_TESTS_SUPPORT_GGUFWRITER_H
