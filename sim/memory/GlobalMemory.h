//===- GlobalMemory.h - Buffers of a package and their contents -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Every address that a program may touch outside its own PE lies in a declared
// buffer. Bulk buffers carry tensors: timing mode stores nothing for them.
// Control buffers carry what decides control flow (arguments, counts, index
// lists) and are stored in both modes.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_MEMORY_GLOBALMEMORY_H
#define CHIPWRIGHT_SIM_MEMORY_GLOBALMEMORY_H

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace chipwright::sim {

enum class BufferKind { Bulk, Control };

struct Buffer {
  std::string name;
  uint64_t base = 0, bytes = 0;
  BufferKind kind = BufferKind::Bulk;
  /// A control buffer whose contents were given for this launch although the
  /// program writes it from bulk data: writes are timed, not stored.
  bool preset = false;

  /// Contents; null for a bulk buffer in timing mode.
  uint8_t *data() const { return storage.get(); }
  bool contains(uint64_t address, uint64_t size) const {
    return address >= base && size <= bytes && address - base <= bytes - size;
  }

private:
  friend class GlobalMemory;
  struct Free {
    void operator()(uint8_t *pointer) const { std::free(pointer); }
  };
  std::unique_ptr<uint8_t, Free> storage;
  std::vector<uint32_t> versions; // control buffers: one per hart cache line
};

class GlobalMemory {
public:
  /// \p functional: bulk buffers are stored. \p lineBytes is the hart cache
  /// line, the unit in which changes are tracked.
  GlobalMemory(bool functional, unsigned lineBytes)
      : functional(functional), lineBytes(lineBytes) {}

  /// Declares a buffer. \returns null if it overlaps another one or the host
  /// has no memory for it.
  Buffer *declare(std::string name, uint64_t base, uint64_t bytes,
                  BufferKind kind);

  /// \returns the buffer that holds all of [address, address + size), or null.
  Buffer *find(uint64_t address, uint64_t size);

  /// For messages: the buffer nearest to \p address in its address space with
  /// its range, or that there is none.
  std::string describeNearest(uint64_t address) const;

  /// Notes that [address, address + size) of \p buffer was written by an agent
  /// other than the hart that asks for versions.
  void touch(Buffer &buffer, uint64_t address, uint64_t size);
  uint32_t lineVersion(uint64_t address);

  bool isFunctional() const { return functional; }
  const std::vector<std::unique_ptr<Buffer>> &buffers() const { return list; }

private:
  bool functional;
  unsigned lineBytes;
  std::vector<std::unique_ptr<Buffer>> list; // sorted by base
  Buffer *lastFound = nullptr;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_MEMORY_GLOBALMEMORY_H
