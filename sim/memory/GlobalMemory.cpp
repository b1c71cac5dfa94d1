//===- GlobalMemory.cpp ---------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/memory/GlobalMemory.h"

#include "sim/memory/AddressMap.h"

#include <fmt/format.h>

#include <algorithm>

using namespace chipwright::sim;

Buffer *GlobalMemory::declare(std::string name, uint64_t base, uint64_t bytes,
                              BufferKind kind) {
  auto after = std::find_if(list.begin(), list.end(), [&](const auto &other) {
    return other->base + other->bytes > base;
  });
  if (after != list.end() && (*after)->base < base + bytes) {
    return nullptr;
  }
  auto buffer = std::make_unique<Buffer>();
  buffer->name = std::move(name);
  buffer->base = base;
  buffer->bytes = bytes;
  buffer->kind = kind;
  if (functional || kind == BufferKind::Control) {
    // Large zeroed blocks come from the host's pages on first touch.
    void *block = std::calloc(std::max<uint64_t>(bytes, 1), 1);
    if (!block) {
      return nullptr;
    }
    buffer->storage.reset(static_cast<uint8_t *>(block));
  }
  if (kind == BufferKind::Control) {
    buffer->versions.assign(bytes / lineBytes + 2, 0);
  }
  return list.insert(after, std::move(buffer))->get();
}

Buffer *GlobalMemory::find(uint64_t address, uint64_t size) {
  if (lastFound && lastFound->contains(address, size)) {
    return lastFound;
  }
  auto after = std::upper_bound(
      list.begin(), list.end(), address,
      [](uint64_t value, const auto &other) { return value < other->base; });
  if (after == list.begin()) {
    return nullptr;
  }
  Buffer *buffer = std::prev(after)->get();
  if (!buffer->contains(address, size)) {
    return nullptr;
  }
  lastFound = buffer;
  return buffer;
}

std::string GlobalMemory::describeNearest(uint64_t address) const {
  const Buffer *nearest = nullptr;
  uint64_t least = ~uint64_t(0);
  for (const auto &buffer : list) {
    uint64_t last = buffer->base + (buffer->bytes ? buffer->bytes - 1 : 0);
    uint64_t away = address < buffer->base ? buffer->base - address
                    : address > last       ? address - last
                                           : 0;
    if (spaceOf(address) == spaceOf(buffer->base) && away < least) {
      least = away;
      nearest = buffer.get();
    }
  }
  if (!nearest) {
    return fmt::format("there is none in {}", spaceName(spaceOf(address)));
  }
  return fmt::format("the nearest is '{}' at {:#x} to {:#x}", nearest->name,
                     nearest->base, nearest->base + nearest->bytes);
}

void GlobalMemory::touch(Buffer &buffer, uint64_t address, uint64_t size) {
  if (buffer.versions.empty() || size == 0) {
    return;
  }
  uint64_t first = address / lineBytes - buffer.base / lineBytes;
  uint64_t last = (address + size - 1) / lineBytes - buffer.base / lineBytes;
  for (uint64_t line = first; line <= last; ++line) {
    ++buffer.versions[line];
  }
}

uint32_t GlobalMemory::lineVersion(uint64_t address) {
  Buffer *buffer = find(address, 1);
  if (!buffer || buffer->versions.empty()) {
    return 0;
  }
  return buffer->versions[address / lineBytes - buffer->base / lineBytes];
}
