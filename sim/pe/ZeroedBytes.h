//===- ZeroedBytes.h - Memory that is zero until written --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The local memories of a chip are tens of megabytes of which timing mode
// touches little. The host's allocator hands large zeroed blocks out without
// touching them; a plain vector would write every byte of them.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_PE_ZEROEDBYTES_H
#define CHIPWRIGHT_SIM_PE_ZEROEDBYTES_H

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

namespace chipwright::sim {

/// Allocates zeros and leaves new elements as they are.
template <typename T> struct ZeroedAllocator {
  using value_type = T;

  ZeroedAllocator() = default;
  template <typename U> ZeroedAllocator(const ZeroedAllocator<U> &) {}

  T *allocate(std::size_t count) {
    void *memory = std::calloc(count, sizeof(T));
    if (!memory) {
      throw std::bad_alloc();
    }
    return static_cast<T *>(memory);
  }
  void deallocate(T *memory, std::size_t) { std::free(memory); }
  template <typename U> void construct(U *) {}

  friend bool operator==(const ZeroedAllocator &, const ZeroedAllocator &) {
    return true;
  }
};

/// Of a size that is set once: growing it would keep old bytes.
using ZeroedBytes = std::vector<uint8_t, ZeroedAllocator<uint8_t>>;

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_PE_ZEROEDBYTES_H
