//===- TestElf.h - ELF files made in memory ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_HART_TESTELF_H
#define CHIPWRIGHT_TESTS_UNIT_HART_TESTELF_H

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace chipwright::test {

/// A RISC-V executable whose headers a test can spoil before writing it.
struct TestElf {
  struct Symbol {
    std::string name;
    uint64_t address, size;
    bool function;
  };
  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments;
  std::vector<std::vector<uint8_t>> contents; // of segments
  std::vector<Symbol> symbols;
  std::vector<uint8_t> note; // section .chipwright.note, not loaded

  TestElf() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = EM_RISCV;
    header.e_version = EV_CURRENT;
    header.e_ehsize = sizeof(header);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_shentsize = sizeof(Elf64_Shdr);
  }

  void addSegment(uint64_t address, std::vector<uint8_t> bytes, uint32_t flags,
                  uint64_t memoryBytes = 0) {
    Elf64_Phdr ph{};
    ph.p_type = PT_LOAD;
    ph.p_flags = flags;
    ph.p_vaddr = ph.p_paddr = address;
    ph.p_filesz = bytes.size();
    ph.p_memsz = memoryBytes ? memoryBytes : bytes.size();
    segments.push_back(ph);
    contents.push_back(std::move(bytes));
  }
  void addText(uint64_t address, const std::vector<uint32_t> &words) {
    std::vector<uint8_t> bytes(words.size() * 4);
    std::memcpy(bytes.data(), words.data(), bytes.size());
    header.e_entry = address;
    addSegment(address, std::move(bytes), PF_R | PF_X);
  }

  std::vector<uint8_t> write() const {
    std::vector<uint8_t> file(sizeof(header) +
                              segments.size() * sizeof(Elf64_Phdr));
    Elf64_Ehdr h = header;
    h.e_phoff = sizeof(header);
    h.e_phnum = uint16_t(segments.size());
    for (size_t i = 0; i < segments.size(); ++i) {
      Elf64_Phdr ph = segments[i];
      ph.p_offset = file.size();
      std::memcpy(file.data() + sizeof(h) + i * sizeof(ph), &ph, sizeof(ph));
      file.insert(file.end(), contents[i].begin(), contents[i].end());
    }
    // Sections: null, names, symbols, symbol names, note.
    std::vector<uint8_t> names, table(sizeof(Elf64_Sym)), strings(1);
    auto put = [](std::vector<uint8_t> &to, const std::string &text) {
      size_t at = to.size();
      to.insert(to.end(), text.begin(), text.end());
      to.push_back(0);
      return uint32_t(at);
    };
    for (const Symbol &s : symbols) {
      Elf64_Sym symbol{};
      symbol.st_name = put(strings, s.name);
      symbol.st_info = s.function ? STT_FUNC : STT_OBJECT;
      symbol.st_shndx = SHN_ABS;
      symbol.st_value = s.address;
      symbol.st_size = s.size;
      const auto *bytes = reinterpret_cast<const uint8_t *>(&symbol);
      table.insert(table.end(), bytes, bytes + sizeof(symbol));
    }
    std::vector<Elf64_Shdr> headers(5);
    names.push_back(0);
    auto section = [&](unsigned i, const char *name, uint32_t type,
                       const std::vector<uint8_t> &bytes) {
      headers[i].sh_name = put(names, name);
      headers[i].sh_type = type;
      headers[i].sh_offset = file.size();
      headers[i].sh_size = bytes.size();
      file.insert(file.end(), bytes.begin(), bytes.end());
    };
    section(2, ".symtab", SHT_SYMTAB, table);
    headers[2].sh_link = 3;
    headers[2].sh_entsize = sizeof(Elf64_Sym);
    section(3, ".strtab", SHT_STRTAB, strings);
    section(4, ".chipwright.note", SHT_PROGBITS, note);
    uint32_t own = put(names, ".shstrtab");
    section(1, "", SHT_STRTAB, names);
    headers[1].sh_name = own;
    h.e_shoff = file.size();
    h.e_shnum = 5;
    h.e_shstrndx = 1;
    const auto *bytes = reinterpret_cast<const uint8_t *>(headers.data());
    file.insert(file.end(), bytes, bytes + 5 * sizeof(Elf64_Shdr));
    std::memcpy(file.data(), &h, sizeof(h));
    return file;
  }
};

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_UNIT_HART_TESTELF_H
