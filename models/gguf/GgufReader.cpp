//===- GgufReader.cpp - Header of GGUF files --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/JsonText.h"
#include "models/gguf/GgufFile.h"
#include "models/quantised/BlockFormat.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

static_assert(std::endian::native == std::endian::little,
              "files are read as the host stores numbers");

namespace chipwright::models {

namespace {

constexpr uint32_t version = 3;
constexpr uint64_t maxKeyBytes = 65535; // the format's own bounds
constexpr uint64_t maxNameBytes = 64;
constexpr uint32_t maxSizes = 4;
// The least that one pair and one description take, for bounds on counts.
constexpr uint64_t leastPairBytes = 8 + 4 + 1;
constexpr uint64_t leastTensorBytes = 8 + 4 + 4 + 8;

struct PlainType {
  uint32_t ggufType;
  StoredType type;
};

constexpr PlainType plainTypes[] = {
    {0, StoredType::F32},  {1, StoredType::F16},   {24, StoredType::I8},
    {25, StoredType::I16}, {26, StoredType::I32},  {27, StoredType::I64},
    {28, StoredType::F64}, {30, StoredType::BF16},
};

struct ForeignType {
  uint32_t ggufType;
  std::string_view name;
};

// Types that exist and are not read, for the message.
constexpr ForeignType foreignTypes[] = {
    {9, "Q8_1"},     {10, "Q2_K"},   {11, "Q3_K"},    {15, "Q8_K"},
    {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"},
    {20, "IQ4_NL"},  {21, "IQ3_S"},  {22, "IQ2_S"},   {23, "IQ4_XS"},
    {29, "IQ1_M"},   {34, "TQ1_0"},  {35, "TQ2_0"},   {40, "NVFP4"},
    {41, "Q1_0"},
};

std::string typeName(uint32_t type) {
  for (const ForeignType &entry : foreignTypes) {
    if (entry.ggufType == type) {
      return fmt::format("{} (number {})", entry.name, type);
    }
  }
  return fmt::format("the unknown number {}", type);
}

class HeaderReader {
public:
  HeaderReader(std::span<const std::byte> contents, const std::string &name)
      : file(contents), path(name) {
    result.metadata = GgufMetadata(name);
  }

  Result<GgufContents> read() {
    uint64_t tensorCount = 0, pairCount = 0;
    if (auto done = readStart(tensorCount, pairCount); !done) {
      return done.error();
    }
    for (uint64_t i = 0; i < pairCount; ++i) {
      if (auto done = readPair(i); !done) {
        return done.error();
      }
    }
    if (auto done = readAlignment(); !done) {
      return done.error();
    }
    for (uint64_t i = 0; i < tensorCount; ++i) {
      if (auto done = readTensor(i); !done) {
        return done.error();
      }
    }
    if (auto done = placeTensors(); !done) {
      return done.error();
    }
    return std::move(result);
  }

private:
  struct Range {
    uint64_t begin, end;
    size_t tensor;
  };

  Diagnostic fail(const std::string &message) const {
    return Diagnostic{path + ": " + message};
  }

  Diagnostic failAt(const std::string &where, const std::string &expected,
                    const std::string &found) const {
    return fail(fmt::format("{}: expected {}, found {}; the file is damaged, "
                            "take a fresh copy",
                            where, expected, found));
  }

  uint64_t left() const { return file.size() - place; }

  /// Takes a number; the caller has checked that it is there or does so by the
  /// result.
  template <typename T> bool take(T &value) {
    if (left() < sizeof(T)) {
      return false;
    }
    std::memcpy(&value, file.data() + place, sizeof(T));
    place += sizeof(T);
    return true;
  }

  Diagnostic cutShort(const std::string &where) const {
    return failAt(where, "more bytes",
                  fmt::format("the end of the file at byte {}", file.size()));
  }

  /// Takes a string of at most \p most bytes.
  Result<std::string_view> takeText(const std::string &where, uint64_t most) {
    uint64_t length = 0;
    if (!take(length)) {
      return cutShort(where);
    }
    if (length > left()) {
      return failAt(
          where,
          fmt::format("a string within the {} bytes that are left", left()),
          fmt::format("the length {}", length));
    }
    if (length > most) {
      return failAt(where, fmt::format("a string of at most {} bytes", most),
                    fmt::format("the length {}", length));
    }
    std::string_view text(reinterpret_cast<const char *>(file.data()) + place,
                          length);
    place += length;
    return text;
  }

  Result<void> readStart(uint64_t &tensorCount, uint64_t &pairCount) {
    if (file.size() < 24) {
      return fail(fmt::format("expected a GGUF file of 24 bytes or more, found "
                              "{}; the file may be cut short",
                              file.size()));
    }
    std::string_view magic(reinterpret_cast<const char *>(file.data()), 4);
    if (magic != "GGUF") {
      return fail(fmt::format("expected a file that begins with 'GGUF', found "
                              "{}; this is not a GGUF file",
                              quoteText(magic)));
    }
    place = 4;
    uint32_t found = 0;
    take(found);
    if (found != version) {
      uint32_t swapped = __builtin_bswap32(found);
      bool big = found > 0xffff && swapped <= 0xffff;
      return fail(fmt::format(
          "expected GGUF version {}, found {}; {}", version,
          big ? fmt::format("version {} in big-endian byte order", swapped)
              : fmt::format("version {}", found),
          big ? "take the little-endian file"
              : "convert the model with a current converter"));
    }
    take(tensorCount);
    take(pairCount);
    auto bounded = [&](std::string_view what, uint64_t count, uint64_t bytes) {
      return count <= left() / bytes
                 ? Result<void>()
                 : failAt(std::string(what),
                          fmt::format("a count that fits {} bytes", left()),
                          std::to_string(count));
    };
    if (auto done = bounded("tensor count", tensorCount, leastTensorBytes);
        !done) {
      return done;
    }
    return bounded("metadata count", pairCount, leastPairBytes);
  }

  Result<void> readPair(uint64_t index) {
    auto key = takeText(fmt::format("key of metadata {}", index), maxKeyBytes);
    if (!key) {
      return key.error();
    }
    std::string where = "metadata " + quoteText(*key);
    GgufValue value;
    if (auto done = takeKind(where, value.kind); !done) {
      return done;
    }
    if (value.kind == GgufKind::Array) {
      value.isArray = true;
      if (auto done = takeKind(where, value.kind); !done) {
        return done;
      }
      if (value.kind == GgufKind::Array) {
        return failAt(where, "an array of numbers or strings",
                      "an array of arrays");
      }
      if (!take(value.count)) {
        return cutShort(where);
      }
    }
    uint64_t start = place;
    if (value.kind == GgufKind::Text) {
      if (value.count > left() / 8) {
        return tooMany(where, value);
      }
      for (uint64_t i = 0; i < value.count; ++i) {
        if (auto text = takeText(where, file.size()); !text) {
          return text.error();
        }
      }
    } else {
      if (value.count > left() / ggufKindBytes(value.kind)) {
        return tooMany(where, value);
      }
      place += value.count * ggufKindBytes(value.kind);
    }
    value.bytes = file.subspan(start, place - start);
    if (value.kind == GgufKind::Bool) {
      for (std::byte byte : value.bytes) {
        if (std::to_integer<unsigned>(byte) > 1) {
          return failAt(where, "a bool of 0 or 1",
                        std::to_string(std::to_integer<unsigned>(byte)));
        }
      }
    }
    if (!result.metadata.add(std::string(*key), value)) {
      return failAt(where, "each key once", "it twice");
    }
    return {};
  }

  Diagnostic tooMany(const std::string &where, const GgufValue &value) const {
    return failAt(
        where, fmt::format("values within the {} bytes that are left", left()),
        fmt::format("{} of type {}", value.count, ggufKindName(value.kind)));
  }

  Result<void> takeKind(const std::string &where, GgufKind &kind) {
    uint32_t number = 0;
    if (!take(number)) {
      return cutShort(where);
    }
    if (number > static_cast<uint32_t>(GgufKind::F64)) {
      return failAt(where, "a type of value from 0 to 12",
                    std::to_string(number));
    }
    kind = static_cast<GgufKind>(number);
    return {};
  }

  Result<void> readAlignment() {
    constexpr std::string_view key = "general.alignment";
    if (const GgufValue *value = result.metadata.find(key);
        value && (value->isArray || value->kind != GgufKind::U32)) {
      return result.metadata.refuse(
          key, "a u32",
          value->isArray ? "an array" : std::string(ggufKindName(value->kind)),
          "convert the model with a current converter");
    }
    auto alignment = result.metadata.integer(key, 0, UINT32_MAX, 32);
    if (!alignment) {
      return alignment.error();
    }
    result.alignment = static_cast<uint64_t>(*alignment);
    if (result.alignment < 8 || !std::has_single_bit(result.alignment)) {
      return result.metadata.refuse(
          key, "a power of two from 8 on", std::to_string(result.alignment),
          "convert the model with a current converter");
    }
    return {};
  }

  Result<void> readTensor(uint64_t index) {
    auto name = takeText(fmt::format("name of tensor {}", index), maxNameBytes);
    if (!name) {
      return name.error();
    }
    std::string where = "tensor " + quoteText(*name);
    StoredTensor tensor;
    tensor.name = *name;
    tensor.file = path;
    if (!names.insert(tensor.name).second) {
      return failAt(where, "each name once", "it twice");
    }
    uint32_t sizes = 0;
    if (!take(sizes)) {
      return cutShort(where);
    }
    if (sizes > maxSizes) {
      return failAt(where, fmt::format("at most {} sizes", maxSizes),
                    std::to_string(sizes));
    }
    for (uint32_t i = 0; i < sizes; ++i) {
      uint64_t size = 0;
      if (!take(size)) {
        return cutShort(where);
      }
      if (size == 0 || size > static_cast<uint64_t>(INT64_MAX)) {
        return failAt(where, "sizes from 1 to 2^63 - 1", std::to_string(size));
      }
      tensor.shape.insert(tensor.shape.begin(), static_cast<int64_t>(size));
    }
    uint32_t type = 0;
    uint64_t offset = 0;
    if (!take(type) || !take(offset)) {
      return cutShort(where);
    }
    offsets.push_back(offset);
    return setType(tensor, where, type);
  }

  /// Sets type and bytes; placeTensors() sets the place.
  Result<void> setType(StoredTensor &tensor, const std::string &where,
                       uint32_t type) {
    uint64_t elements = 1, unit = 0; // bytes of an element or a block
    for (int64_t size : tensor.shape) {
      if (__builtin_mul_overflow(elements, static_cast<uint64_t>(size),
                                 &elements)) {
        return failAt(where, "a size that fits 64 bits",
                      fmt::format("[{}]", fmt::join(tensor.shape, ", ")));
      }
    }
    const BlockLayout *layout = findBlockLayout(type);
    if (layout) {
      int64_t row = tensor.shape.empty() ? 1 : tensor.shape.back();
      if (row % static_cast<int64_t>(layout->elements) != 0) {
        return failAt(where,
                      fmt::format("rows of a multiple of {} elements for {}",
                                  layout->elements, layout->name),
                      std::to_string(row));
      }
      elements /= layout->elements;
      unit = layout->bytes;
    } else {
      for (const PlainType &plain : plainTypes) {
        if (plain.ggufType == type) {
          tensor.type = plain.type;
          unit = storedTypeBits(plain.type) / 8;
        }
      }
      if (unit == 0) {
        return fail(fmt::format(
            "{}: expected a type of F32, F16, BF16, F64, I8 to I64, Q4_0, "
            "Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K and MXFP4, found {}; "
            "take the model in one of these",
            where, typeName(type)));
      }
    }
    if (__builtin_mul_overflow(elements, unit, &tensor.bytes)) {
      return failAt(where, "a size that fits 64 bits",
                    fmt::format("[{}]", fmt::join(tensor.shape, ", ")));
    }
    layouts.push_back(layout);
    result.tensors.push_back(std::move(tensor));
    return {};
  }

  /// Gives the tensors their data: aligned, within the file, apart.
  Result<void> placeTensors() {
    uint64_t padding =
        (result.alignment - place % result.alignment) % result.alignment;
    if (padding > left()) { // without tensors nothing need follow
      padding = left();
    }
    result.dataStart = place + padding;
    uint64_t room = file.size() - result.dataStart;
    std::vector<Range> ranges;
    for (size_t i = 0; i < result.tensors.size(); ++i) {
      StoredTensor &tensor = result.tensors[i];
      std::string where = "tensor " + quoteText(tensor.name);
      if (offsets[i] % result.alignment != 0) {
        return failAt(
            where,
            fmt::format("an offset that is a multiple of {}", result.alignment),
            std::to_string(offsets[i]));
      }
      if (offsets[i] > room || tensor.bytes > room - offsets[i]) {
        return failAt(where,
                      fmt::format("its {} bytes within the {} bytes of data",
                                  tensor.bytes, room),
                      fmt::format("the offset {}", offsets[i]));
      }
      const std::byte *data = file.data() + result.dataStart + offsets[i];
      ranges.push_back({offsets[i], offsets[i] + tensor.bytes, i});
      if (layouts[i]) {
        tensor.type = StoredType::F32;
        tensor.source = std::make_shared<BlockSource>(layouts[i]->format, data);
      } else {
        tensor.data = data;
      }
    }
    std::sort(ranges.begin(), ranges.end(),
              [](const Range &a, const Range &b) { return a.begin < b.begin; });
    for (size_t i = 1; i < ranges.size(); ++i) {
      if (ranges[i].begin < ranges[i - 1].end) {
        return failAt("tensor " +
                          quoteText(result.tensors[ranges[i].tensor].name),
                      "data of its own",
                      "an overlap with tensor " +
                          quoteText(result.tensors[ranges[i - 1].tensor].name));
      }
    }
    return {};
  }

  std::span<const std::byte> file;
  const std::string &path;
  uint64_t place = 0;
  GgufContents result;
  std::set<std::string> names;
  std::vector<uint64_t> offsets;
  std::vector<const BlockLayout *> layouts; // null for plain types
};

} // namespace

Result<GgufContents> parseGguf(std::span<const std::byte> file,
                               const std::string &path) {
  return HeaderReader(file, path).read();
}

} // namespace chipwright::models
