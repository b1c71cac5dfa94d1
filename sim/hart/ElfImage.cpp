//===- ElfImage.cpp - Strict reader of RISC-V programs --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/hart/ElfImage.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>

namespace chipwright::sim {

namespace {

/// Flag of the RISC-V psABI: the program uses 16 registers only.
constexpr uint32_t flagRve = 0x8;

/// A bounds-checked view of the file.
class Reader {
public:
  Reader(const std::vector<uint8_t> &file, const std::string &fileName,
         std::string &text)
      : bytes(file), name(fileName), error(text) {}

  bool has(uint64_t offset, uint64_t size) const {
    return offset <= bytes.size() && size <= bytes.size() - offset;
  }
  /// The caller has checked the range.
  template <typename T> T get(uint64_t offset) const {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
  }
  std::vector<uint8_t> copy(uint64_t offset, uint64_t size) const {
    auto begin = bytes.begin() + std::ptrdiff_t(offset);
    return {begin, begin + std::ptrdiff_t(size)};
  }
  template <typename... Args>
  bool refuse(fmt::format_string<Args...> format, Args &&...args) {
    error = name + ": " + fmt::format(format, std::forward<Args>(args)...);
    return false;
  }
  uint64_t size() const { return bytes.size(); }

private:
  const std::vector<uint8_t> &bytes;
  const std::string &name;
  std::string &error;
};

bool checkHeader(Reader &file, const Elf64_Ehdr &header) {
  if (header.e_ident[EI_CLASS] != ELFCLASS64) {
    return file.refuse("ELF class is {}, expected 2 (64-bit); compile with "
                       "-march=rv64...",
                       header.e_ident[EI_CLASS]);
  }
  if (header.e_ident[EI_DATA] != ELFDATA2LSB) {
    return file.refuse("byte order is {}, expected 1 (little-endian)",
                       header.e_ident[EI_DATA]);
  }
  if (header.e_ident[EI_VERSION] != EV_CURRENT ||
      header.e_version != EV_CURRENT) {
    return file.refuse("ELF version is {}, expected 1", header.e_version);
  }
  if (header.e_machine != EM_RISCV) {
    return file.refuse("ELF machine is {}, expected {} (RISC-V)",
                       header.e_machine, EM_RISCV);
  }
  if (header.e_type == ET_DYN) {
    return file.refuse("ELF type is 3 (shared or position-independent), "
                       "expected 2 (executable); link with -static -no-pie");
  }
  if (header.e_type != ET_EXEC) {
    return file.refuse("ELF type is {}, expected 2 (executable); link the "
                       "object file first",
                       header.e_type);
  }
  if (header.e_flags & flagRve) {
    return file.refuse("the program is compiled for RV64E (16 registers), "
                       "expected RV64I");
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 ||
      header.e_phnum == PN_XNUM) {
    return file.refuse("{} program headers of {} bytes, expected at least one "
                       "of {} bytes",
                       header.e_phnum, header.e_phentsize, sizeof(Elf64_Phdr));
  }
  if (!file.has(header.e_phoff,
                uint64_t(header.e_phnum) * sizeof(Elf64_Phdr))) {
    return file.refuse("{} program headers at offset {} need {} bytes, but the "
                       "file has {}; it is truncated",
                       header.e_phnum, header.e_phoff,
                       uint64_t(header.e_phnum) * sizeof(Elf64_Phdr),
                       file.size());
  }
  return true;
}

bool readSegments(Reader &file, const Elf64_Ehdr &header,
                  ElfImage::Range allowed, std::vector<ElfSegment> &loaded) {
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    auto ph = file.get<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
    if (ph.p_type == PT_DYNAMIC || ph.p_type == PT_INTERP) {
      return file.refuse("program header {} asks for a dynamic linker, "
                         "expected a static program; link with -static",
                         i);
    }
    if (ph.p_type == PT_TLS) {
      return file.refuse("program header {} holds thread-local storage, which "
                         "a hart does not have; use plain variables",
                         i);
    }
    if (ph.p_type != PT_LOAD || ph.p_memsz == 0) {
      continue;
    }
    if (ph.p_filesz > ph.p_memsz) {
      return file.refuse(
          "segment {} has {} bytes in the file and {} in memory; "
          "the file part must not be larger",
          i, ph.p_filesz, ph.p_memsz);
    }
    if (!file.has(ph.p_offset, ph.p_filesz)) {
      return file.refuse("segment {} needs {} bytes at offset {}, but the file "
                         "has {}; it is truncated",
                         i, ph.p_filesz, ph.p_offset, file.size());
    }
    uint64_t offset = ph.p_vaddr - allowed.base;
    if (ph.p_vaddr < allowed.base || offset > allowed.size ||
        ph.p_memsz > allowed.size - offset) {
      return file.refuse("segment {} occupies {:#x} with {} bytes, but memory "
                         "is {:#x} with {} bytes; link for that range or "
                         "make the program smaller",
                         i, ph.p_vaddr, ph.p_memsz, allowed.base, allowed.size);
    }
    if ((ph.p_flags & PF_X) && (ph.p_vaddr & 1)) {
      return file.refuse("executable segment {} starts at the odd address "
                         "{:#x}, expected an even one",
                         i, ph.p_vaddr);
    }
    ElfSegment segment;
    segment.address = ph.p_vaddr;
    segment.memoryBytes = ph.p_memsz;
    segment.executable = ph.p_flags & PF_X;
    segment.writable = ph.p_flags & PF_W;
    segment.data = file.copy(ph.p_offset, ph.p_filesz);
    loaded.push_back(std::move(segment));
  }
  std::sort(loaded.begin(), loaded.end(),
            [](const ElfSegment &a, const ElfSegment &b) {
              return a.address < b.address;
            });
  uint64_t textBase = 0, textEnd = 0;
  const ElfSegment *previous = nullptr;
  for (const ElfSegment &segment : loaded) {
    if (previous &&
        segment.address - previous->address < previous->memoryBytes) {
      return file.refuse("segments at {:#x} ({} bytes) and {:#x} overlap; give "
                         "them separate addresses in the linker script",
                         previous->address, previous->memoryBytes,
                         segment.address);
    }
    previous = &segment;
    if (segment.executable) {
      textBase = textEnd ? textBase : segment.address;
      textEnd = segment.end();
    }
  }
  if (textEnd == 0) {
    return file.refuse("no executable segment, expected at least one; check "
                       "that the program has a .text section");
  }
  if (textEnd - textBase > ElfImage::maxTextBytes) {
    return file.refuse("executable segments span {} bytes, at most {} are "
                       "possible; place them next to each other",
                       textEnd - textBase, ElfImage::maxTextBytes);
  }
  bool entryLoaded =
      std::any_of(loaded.begin(), loaded.end(), [&](const ElfSegment &s) {
        return s.executable && header.e_entry - s.address < s.memoryBytes;
      });
  if (!entryLoaded || (header.e_entry & 1)) {
    return file.refuse("entry point {:#x} is not an even address in an "
                       "executable segment; set it with ENTRY() in the linker "
                       "script",
                       header.e_entry);
  }
  return true;
}

/// The string at \p offset of a table that ends where the table does.
bool tableString(const std::vector<uint8_t> &table, uint64_t offset,
                 std::string &text) {
  if (offset >= table.size()) {
    return false;
  }
  auto begin = table.begin() + std::ptrdiff_t(offset);
  auto end = std::find(begin, table.end(), 0);
  if (end == table.end()) {
    return false;
  }
  text.assign(begin, end);
  return true;
}

bool readSections(Reader &file, const Elf64_Ehdr &header,
                  std::vector<ElfSymbol> &names,
                  std::map<std::string, std::vector<uint8_t>> &sections) {
  if (header.e_shnum == 0) {
    return true; // stripped; segments suffice
  }
  if (header.e_shentsize != sizeof(Elf64_Shdr) ||
      !file.has(header.e_shoff,
                uint64_t(header.e_shnum) * sizeof(Elf64_Shdr))) {
    return file.refuse("{} section headers of {} bytes at offset {} do not lie "
                       "in the file of {} bytes; it is truncated",
                       header.e_shnum, header.e_shentsize, header.e_shoff,
                       file.size());
  }
  std::vector<Elf64_Shdr> table;
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    auto sh = file.get<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
    if (sh.sh_type != SHT_NOBITS && sh.sh_type != SHT_NULL &&
        !file.has(sh.sh_offset, sh.sh_size)) {
      return file.refuse("section {} needs {} bytes at offset {}, but the file "
                         "has {}; it is truncated",
                         i, sh.sh_size, sh.sh_offset, file.size());
    }
    table.push_back(sh);
  }
  auto contents = [&](unsigned i) {
    return file.copy(table[i].sh_offset, table[i].sh_size);
  };
  std::vector<uint8_t> sectionNames;
  if (header.e_shstrndx < table.size() &&
      table[header.e_shstrndx].sh_type == SHT_STRTAB) {
    sectionNames = contents(header.e_shstrndx);
  }
  for (unsigned i = 0; i < table.size(); ++i) {
    const Elf64_Shdr &sh = table[i];
    if (sh.sh_type == SHT_PROGBITS && !(sh.sh_flags & SHF_ALLOC)) {
      std::string name;
      if (!tableString(sectionNames, sh.sh_name, name)) {
        return file.refuse("section {} has no name in the section name table; "
                           "the file is damaged",
                           i);
      }
      sections[name] = contents(i);
    }
    if (sh.sh_type != SHT_SYMTAB) {
      continue;
    }
    if (sh.sh_entsize != sizeof(Elf64_Sym) || sh.sh_link >= table.size() ||
        table[sh.sh_link].sh_type != SHT_STRTAB) {
      return file.refuse("symbol table in section {} has entries of {} bytes "
                         "(expected {}) or no string table; the file is "
                         "damaged",
                         i, sh.sh_entsize, sizeof(Elf64_Sym));
    }
    std::vector<uint8_t> strings = contents(sh.sh_link);
    for (uint64_t k = 1; k < sh.sh_size / sizeof(Elf64_Sym); ++k) {
      auto symbol = file.get<Elf64_Sym>(sh.sh_offset + k * sizeof(Elf64_Sym));
      unsigned type = ELF64_ST_TYPE(symbol.st_info);
      bool kept = type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE;
      if (!kept || symbol.st_name == 0 || symbol.st_shndx == SHN_UNDEF) {
        continue;
      }
      ElfSymbol entry;
      if (!tableString(strings, symbol.st_name, entry.name)) {
        return file.refuse("symbol {} has no name in its string table; the "
                           "file is damaged",
                           k);
      }
      entry.address = symbol.st_value;
      entry.size = symbol.st_size;
      entry.function = type == STT_FUNC;
      names.push_back(std::move(entry));
    }
  }
  std::sort(names.begin(), names.end(),
            [](const ElfSymbol &a, const ElfSymbol &b) {
              return std::tie(a.address, a.name) < std::tie(b.address, b.name);
            });
  return true;
}

} // namespace

bool ElfImage::parse(const std::vector<uint8_t> &bytes, const std::string &name,
                     Range allowed, ElfImage &image, std::string &error) {
  Reader file(bytes, name, error);
  if (!file.has(0, sizeof(Elf64_Ehdr))) {
    return file.refuse("{} bytes are too few for an ELF header of {} bytes; "
                       "the file is truncated or no program",
                       bytes.size(), sizeof(Elf64_Ehdr));
  }
  auto header = file.get<Elf64_Ehdr>(0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return file.refuse("it starts with bytes {:02x} {:02x} {:02x} {:02x}, "
                       "expected the ELF mark 7f 45 4c 46",
                       header.e_ident[0], header.e_ident[1], header.e_ident[2],
                       header.e_ident[3]);
  }
  ElfImage result;
  result.entryAddress = header.e_entry;
  if (!checkHeader(file, header) ||
      !readSegments(file, header, allowed, result.loaded) ||
      !readSections(file, header, result.names, result.sections)) {
    return false;
  }
  image = std::move(result);
  return true;
}

bool ElfImage::read(const std::string &path, Range allowed, ElfImage &image,
                    std::string &error) {
  std::error_code failed;
  if (std::filesystem::exists(path, failed) &&
      !std::filesystem::is_regular_file(path, failed)) {
    error = path + ": is no regular file, expected an ELF file";
    return false;
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    error = path + ": cannot be opened for reading; check the path";
    return false;
  }
  std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(stream),
                             std::istreambuf_iterator<char>()};
  if (stream.bad()) {
    error = path + ": reading failed";
    return false;
  }
  return parse(bytes, path, allowed, image, error);
}

std::optional<uint64_t> ElfImage::symbolAddress(const std::string &name) const {
  for (const ElfSymbol &symbol : names) {
    if (symbol.name == name) {
      return symbol.address;
    }
  }
  return std::nullopt;
}

std::string ElfImage::describePc(uint64_t pc) const {
  auto after = std::upper_bound(
      names.begin(), names.end(), pc,
      [](uint64_t address, const ElfSymbol &s) { return address < s.address; });
  // The nearest function that covers pc; a sizeless label covers what follows.
  for (auto it = after; it != names.begin();) {
    --it;
    uint64_t offset = pc - it->address;
    bool mapping = it->name[0] == '$'; // psABI mapping symbols
    if (!mapping && (it->function || it->size == 0) &&
        (it->size == 0 || offset < it->size)) {
      return offset ? fmt::format("{}+{:#x}", it->name, offset) : it->name;
    }
  }
  return "";
}

const std::vector<uint8_t> *ElfImage::section(const std::string &name) const {
  auto it = sections.find(name);
  return it == sections.end() ? nullptr : &it->second;
}

std::shared_ptr<const DecodedImage>
ElfImage::decodeText(CustomDecoder custom) const {
  uint64_t base = 0, end = 0;
  for (const ElfSegment &segment : loaded) {
    if (segment.executable) {
      base = end ? base : segment.address;
      end = segment.end();
    }
  }
  std::vector<uint8_t> text(end - base);
  for (const ElfSegment &segment : loaded) {
    if (segment.executable) {
      std::copy(segment.data.begin(), segment.data.end(),
                text.begin() + std::ptrdiff_t(segment.address - base));
    }
  }
  return std::make_shared<const DecodedImage>(base, text, custom);
}

} // namespace chipwright::sim
