//===- CommandTags.cpp - What commands belong to --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/machine/CommandTags.h"

#include "sim/memory/AddressMap.h"

#include <fmt/format.h>

#include <algorithm>

using namespace chipwright::sim;

static uint64_t littleEndian(const uint8_t *bytes, unsigned count) {
  uint64_t value = 0;
  for (unsigned i = 0; i < count; ++i) {
    value |= static_cast<uint64_t>(bytes[i]) << 8 * i;
  }
  return value;
}

std::string chipwright::sim::readCommandTags(const std::vector<uint8_t> &ops,
                                             const std::vector<uint8_t> &tags,
                                             KernelImage &image) {
  if (!tags.empty() && tags.back() != 0) {
    return "section .chipwright.tags: expected strings that end with a zero";
  }
  for (auto at = tags.begin(); at != tags.end();) {
    auto end = std::find(at, tags.end(), 0);
    bool isPrintable =
        std::all_of(at, end, [](uint8_t c) { return c >= 0x20 && c < 0x7f; });
    if (!isPrintable) {
      return fmt::format("section .chipwright.tags: expected printable text, "
                         "found other bytes in tag {}",
                         image.tags.size());
    }
    image.tags.emplace_back(at, end);
    at = end + 1;
  }
  constexpr size_t kAddressBytes = 8, kNumberBytes = 4,
                   kEntryBytes = kAddressBytes + kNumberBytes;
  if (ops.size() % kEntryBytes != 0) {
    return fmt::format("section .chipwright.ops: expected entries of {} bytes, "
                       "found {} bytes",
                       kEntryBytes, ops.size());
  }
  for (size_t at = 0; at < ops.size(); at += kEntryBytes) {
    uint64_t pc = littleEndian(&ops[at], kAddressBytes);
    uint64_t tag = littleEndian(&ops[at + kAddressBytes], kNumberBytes);
    if (pc < kImageBase || pc - kImageBase >= image.bytes.size() ||
        tag >= image.tags.size()) {
      return fmt::format("section .chipwright.ops: expected addresses of the "
                         "image and tags 0 to {}, found {:#x} with tag {}",
                         static_cast<int64_t>(image.tags.size()) - 1, pc, tag);
    }
    image.commands.emplace_back(pc, static_cast<uint32_t>(tag));
  }
  std::sort(image.commands.begin(), image.commands.end());
  return "";
}
