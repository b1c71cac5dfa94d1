//===- ElfFuzz.cpp - Programs of harts ------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/hart/ElfImage.h"
#include "tests/fuzz/Fuzz.h"

#include <algorithm>
#include <cstdint>
#include <vector>

using namespace chipwright;
using sim::ElfImage;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // Where a chip's programs lie; docs/isa.md, addresses.
  const ElfImage::Range memory{0x40000000, uint64_t(1) << 20};
  ElfImage image;
  std::string error;
  if (!ElfImage::parse({data, data + size}, "k.elf", memory, image, error)) {
    fuzz::checkMessage(error, "k.elf");
    return 0;
  }
  uint64_t last = memory.base;
  for (const sim::ElfSegment &segment : image.segments()) {
    fuzz::check(segment.address >= last && segment.end() >= segment.address &&
                    segment.end() <= memory.base + memory.size &&
                    segment.data.size() <= segment.memoryBytes,
                "segments lie in memory, apart, in order");
    last = segment.end();
    image.describePc(segment.address);
  }
  image.describePc(image.entry());
  image.describePc(~uint64_t(0));
  image.decodeText();
  return 0;
}
