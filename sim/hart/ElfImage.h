//===- ElfImage.h - Strict reader of RISC-V programs ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Reads a statically linked little-endian ELF64 RISC-V executable (System V
// gABI, chapters 4 and 5; RISC-V ELF psABI). Nothing is trusted: every offset
// and size is checked against the file, every segment against the memory that
// the program may occupy.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_HART_ELFIMAGE_H
#define CHIPWRIGHT_SIM_HART_ELFIMAGE_H

#include "sim/hart/Instruction.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace chipwright::sim {

struct ElfSegment {
  uint64_t address = 0;     // of the first byte, where it is loaded
  uint64_t memoryBytes = 0; // those beyond data are zero
  bool executable = false, writable = false;
  std::vector<uint8_t> data;
  uint64_t end() const { return address + memoryBytes; }
};

struct ElfSymbol {
  std::string name;
  uint64_t address = 0, size = 0;
  bool function = false;
};

class ElfImage {
public:
  /// Addresses that segments may occupy.
  struct Range {
    uint64_t base = 0, size = ~uint64_t(0);
  };
  /// Upper bound of the address range of all executable segments together:
  /// decoded, an instruction takes eight times its size.
  static constexpr uint64_t maxTextBytes = uint64_t(16) << 20;

  /// Reads the program in \p bytes. \p name stands for it in messages.
  /// \returns false and one sentence in \p error if it is refused.
  static bool parse(const std::vector<uint8_t> &bytes, const std::string &name,
                    Range allowed, ElfImage &image, std::string &error);
  /// Reads the file \p path.
  static bool read(const std::string &path, Range allowed, ElfImage &image,
                   std::string &error);

  uint64_t entry() const { return entryAddress; }
  /// Sorted by address.
  const std::vector<ElfSegment> &segments() const { return loaded; }
  /// Sorted by address; functions, objects and untyped labels.
  const std::vector<ElfSymbol> &symbols() const { return names; }
  std::optional<uint64_t> symbolAddress(const std::string &name) const;
  /// \returns "function+0x1c" for the function (or label) that covers \p pc,
  /// or "" if there is none.
  std::string describePc(uint64_t pc) const;
  /// Contents of a section that is not loaded, or null.
  const std::vector<uint8_t> *section(const std::string &name) const;
  /// Decodes all executable segments (gaps between them are illegal).
  std::shared_ptr<const DecodedImage>
  decodeText(CustomDecoder custom = nullptr) const;

private:
  uint64_t entryAddress = 0;
  std::vector<ElfSegment> loaded;
  std::vector<ElfSymbol> names;
  std::map<std::string, std::vector<uint8_t>> sections;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_HART_ELFIMAGE_H
