//===- SafetensorsHeader.cpp - Header of safetensors files ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/JsonText.h"
#include "models/Safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

namespace chipwright::models {

namespace {

// The bound that the format's own implementation sets.
constexpr uint64_t maxHeaderBytes = 100'000'000;

class HeaderParser {
public:
  HeaderParser(std::span<const std::byte> contents, const std::string &name)
      : file(contents), path(name) {}

  Result<std::vector<StoredTensor>> parse() {
    if (file.size() < 8) {
      return fail(fmt::format("expected a safetensors file of 8 bytes or more, "
                              "found {}; the file may be cut short",
                              file.size()));
    }
    uint64_t length = 0;
    for (size_t i = 0; i < 8; ++i) {
      length |= std::to_integer<uint64_t>(file[i]) << 8 * i;
    }
    if (length > maxHeaderBytes) {
      return fail(fmt::format("expected a header of at most {} bytes, found "
                              "length {} in the first 8 bytes; this is not a "
                              "safetensors file",
                              maxHeaderBytes, length));
    }
    if (length > file.size() - 8) {
      return fail(fmt::format("expected {} bytes of header after the first 8, "
                              "found {}; the file is cut short",
                              length, file.size() - 8));
    }
    std::string_view text(reinterpret_cast<const char *>(file.data()) + 8,
                          length);
    if (!text.starts_with('{')) {
      return fail(
          "expected a header that begins with '{', found " +
          (text.empty() ? "an empty one" : quoteText(text.substr(0, 1))) +
          "; this is not a safetensors file");
    }
    Result<Json> header = parseJson(text, path + ": header");
    if (!header) {
      return header.error();
    }
    data = file.subspan(8 + length);
    for (const auto &[name, entry] : header->items()) {
      if (auto done = name == "__metadata__" ? checkMetadata(entry)
                                             : addTensor(name, entry);
          !done) {
        return done.error();
      }
    }
    if (auto done = checkCover(); !done) {
      return done.error();
    }
    return std::move(tensors);
  }

private:
  struct Range {
    uint64_t begin, end;
    size_t tensor;
  };

  Diagnostic fail(const std::string &message) const {
    return Diagnostic{path + ": " + message};
  }

  Diagnostic fail(const std::string &tensor, const std::string &expected,
                  const std::string &found) const {
    return Diagnostic{
        fmt::format("{}: tensor {}: expected {}, found {}; the file is "
                    "damaged, take a fresh copy",
                    path, quoteText(tensor), expected, found)};
  }

  Result<void> checkMetadata(const Json &metadata) const {
    if (!metadata.is_object()) {
      return fail("__metadata__: expected an object of texts, found " +
                  describeJson(metadata) + "; the file is damaged");
    }
    for (const auto &[key, value] : metadata.items()) {
      if (!value.is_string()) {
        return fail(fmt::format("__metadata__: {}: expected a text, found {}; "
                                "the file is damaged",
                                quoteText(key), describeJson(value)));
      }
    }
    return {};
  }

  /// Reads a list of \p limit or fewer unsigned numbers.
  static bool numbers(const Json &list, std::vector<uint64_t> &result) {
    if (!list.is_array()) {
      return false;
    }
    for (const Json &item : list) {
      if (!item.is_number_unsigned()) {
        return false;
      }
      result.push_back(item.get<uint64_t>());
    }
    return true;
  }

  Result<void> addTensor(const std::string &name, const Json &entry) {
    if (!entry.is_object()) {
      return fail(name, "an object with dtype, shape and data_offsets",
                  describeJson(entry));
    }
    for (const char *key : {"dtype", "shape", "data_offsets"}) {
      if (!entry.contains(key)) {
        return fail(name, fmt::format("the key {}", key), "none");
      }
    }
    StoredTensor tensor;
    tensor.name = name;
    tensor.file = path;
    const Json &dtype = entry["dtype"];
    auto type = dtype.is_string()
                    ? findStoredType(dtype.get_ref<const std::string &>())
                    : std::nullopt;
    if (!type) {
      return fail(name, "a dtype of the format (BF16, F16, F32, ...)",
                  describeJson(dtype));
    }
    tensor.type = *type;
    std::vector<uint64_t> shape, offsets;
    if (!numbers(entry["shape"], shape)) {
      return fail(name, "a shape of non-negative integers",
                  describeJson(entry["shape"]));
    }
    if (!numbers(entry["data_offsets"], offsets) || offsets.size() != 2) {
      return fail(name, "data_offsets of two non-negative integers",
                  describeJson(entry["data_offsets"]));
    }
    uint64_t bits = storedTypeBits(*type);
    for (uint64_t size : shape) {
      constexpr auto top =
          static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
      if (size > top || __builtin_mul_overflow(bits, size, &bits)) {
        return fail(name, "a size that fits 64 bits",
                    fmt::format("shape [{}]", fmt::join(shape, ", ")));
      }
      tensor.shape.push_back(static_cast<int64_t>(size));
    }
    if (bits % 8 != 0) {
      return fail(name, "a size of whole bytes", fmt::format("{} bits", bits));
    }
    auto [begin, end] = std::pair(offsets[0], offsets[1]);
    if (end < begin) {
      return fail(name, "data_offsets in rising order",
                  fmt::format("[{}, {}]", begin, end));
    }
    if (end - begin != bits / 8) {
      return fail(
          name,
          fmt::format("{} bytes for {}", bits / 8, describeTensor(tensor)),
          fmt::format("data_offsets [{}, {}], which hold {}", begin, end,
                      end - begin));
    }
    if (end > data.size()) {
      return fail(
          name,
          fmt::format("data within the {} bytes after the header", data.size()),
          fmt::format("data_offsets [{}, {}]", begin, end));
    }
    tensor.data = data.data() + begin;
    tensor.bytes = end - begin;
    ranges.push_back({begin, end, tensors.size()});
    tensors.push_back(std::move(tensor));
    return {};
  }

  /// The tensors cover the data exactly.
  Result<void> checkCover() {
    std::sort(ranges.begin(), ranges.end(), [](const Range &a, const Range &b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    uint64_t place = 0;
    for (const Range &range : ranges) {
      if (range.begin != place) {
        return fail(tensors[range.tensor].name,
                    fmt::format("data_offsets that begin at {}, where the "
                                "tensor before ends",
                                place),
                    fmt::format("{}, {}", range.begin,
                                range.begin < place ? "an overlap" : "a gap"));
      }
      place = range.end;
    }
    if (place != data.size()) {
      return fail(fmt::format("expected {} bytes of data, as the header says, "
                              "found {}; the file is damaged",
                              place, data.size()));
    }
    return {};
  }

  std::span<const std::byte> file;
  std::span<const std::byte> data;
  const std::string &path;
  std::vector<StoredTensor> tensors;
  std::vector<Range> ranges;
};

} // namespace

Result<std::vector<StoredTensor>>
parseSafetensors(std::span<const std::byte> file, const std::string &path) {
  return HeaderParser(file, path).parse();
}

} // namespace chipwright::models
