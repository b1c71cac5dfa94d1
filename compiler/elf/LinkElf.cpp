//===- LinkElf.cpp - An object to a kernel image --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/elf/EmitElf.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace mlir;
using namespace chipwright;

/// The script of kernels in C (runtime/kernels/kernel.ld), as a string literal.
static constexpr const char *kScript =
#include "KernelScript.inc"
    ;

/// \returns "'__udivti3' in kernel_load" for the first symbol that the object
/// uses and does not define, or "".
static std::string firstUndefined(const llvm::object::ObjectFile &file) {
  auto nameOf = [](const llvm::object::SymbolRef &symbol) -> std::string {
    llvm::Expected<StringRef> name = symbol.getName();
    if (!name) {
      llvm::consumeError(name.takeError());
      return "";
    }
    return name->str();
  };
  for (const llvm::object::SectionRef &section : file.sections()) {
    llvm::Expected<llvm::object::section_iterator> target =
        section.getRelocatedSection();
    if (!target) {
      llvm::consumeError(target.takeError());
      continue;
    }
    for (const llvm::object::RelocationRef &relocation :
         section.relocations()) {
      auto symbol = relocation.getSymbol();
      if (symbol == file.symbol_end()) {
        continue;
      }
      llvm::Expected<uint32_t> flags = symbol->getFlags();
      bool isUndefined =
          flags && (*flags & llvm::object::SymbolRef::SF_Undefined);
      if (!flags) {
        llvm::consumeError(flags.takeError());
      }
      if (!isUndefined || nameOf(*symbol).empty()) {
        continue;
      }
      // The function that holds the place: the last one that begins before it.
      std::string function = "?";
      uint64_t best = 0;
      for (const llvm::object::SymbolRef &candidate : file.symbols()) {
        auto in = candidate.getSection();
        auto type = candidate.getType();
        auto address = candidate.getAddress();
        bool isFunction = in && type && address && *in == *target &&
                          *type == llvm::object::SymbolRef::ST_Function &&
                          *address >= best &&
                          *address <= relocation.getOffset();
        if (isFunction) {
          best = *address;
          function = nameOf(candidate);
        }
        llvm::consumeError(in.takeError());
        llvm::consumeError(type.takeError());
        llvm::consumeError(address.takeError());
      }
      return "'" + nameOf(*symbol) + "' in " + function;
    }
  }
  return "";
}

FailureOr<std::vector<uint8_t>>
compiler::linkObject(llvm::ArrayRef<char> object, Location where) {
  llvm::MemoryBufferRef buffer(StringRef(object.data(), object.size()),
                               "kernel");
  auto file = llvm::object::ObjectFile::createObjectFile(buffer);
  if (!file) {
    return emitError(where, "object file cannot be read: ")
           << llvm::toString(file.takeError());
  }
  if (std::string name = firstUndefined(**file); !name.empty()) {
    return emitError(where, "code needs the function ")
           << name
           << ", which is nowhere defined; a kernel is linked with nothing "
              "else. Use operations that the hart has instructions for "
              "(hart.isa)";
  }

  llvm::SmallString<128> folder;
  if (std::error_code code =
          llvm::sys::fs::createUniqueDirectory("chipwright-link", folder)) {
    return emitError(where, "no temporary folder could be made: ")
           << code.message();
  }
  auto cleanUp = llvm::scope_exit([&] {
    (void)llvm::sys::fs::remove_directories(folder, /*IgnoreErrors=*/true);
  });
  auto path = [&](StringRef name) {
    llvm::SmallString<128> result(folder);
    llvm::sys::path::append(result, name);
    return std::string(result);
  };
  std::string objectPath = path("kernel.o"), scriptPath = path("kernel.ld"),
              elfPath = path("kernel.elf");
  for (const auto &[name, bytes] :
       {std::pair(objectPath, StringRef(object.data(), object.size())),
        std::pair(scriptPath, StringRef(kScript))}) {
    std::error_code code;
    llvm::raw_fd_ostream stream(name, code);
    if (!code) {
      stream << bytes;
      stream.close();
      code = stream.error();
      stream.clear_error();
    }
    if (code) {
      return emitError(where, "temporary file ")
             << name << " cannot be written: " << code.message();
    }
  }

  std::vector<const char *> arguments = {"ld.lld",
                                         "-m",
                                         "elf64lriscv",
                                         "--threads=1",
                                         "--build-id=none",
                                         "--discard-locals",
                                         "-static",
                                         "-T",
                                         scriptPath.c_str(),
                                         objectPath.c_str(),
                                         "-o",
                                         elfPath.c_str()};
  std::string said;
  llvm::raw_string_ostream out(said);
  // The linker keeps its state in globals.
  static std::mutex linker;
  std::lock_guard<std::mutex> lock(linker);
  lld::Result result =
      lld::lldMain(arguments, out, out, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0) {
    return emitError(where, "linking failed: ") << said;
  }
  auto linked = llvm::MemoryBuffer::getFile(elfPath);
  if (!linked) {
    return emitError(where, "the linked kernel cannot be read: ")
           << linked.getError().message();
  }
  StringRef bytes = (*linked)->getBuffer();
  return std::vector<uint8_t>(bytes.begin(), bytes.end());
}
