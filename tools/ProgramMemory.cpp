//===- ProgramMemory.cpp - Memory that is no longer needed ----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tools/ProgramMemory.h"

#include <cstdint>

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace chipwright;

static int releaseObject(dl_phdr_info *object, size_t, void *) {
  // The program itself has no name here; a debugger may have changed it.
  if (!object->dlpi_name || !*object->dlpi_name) {
    return 0;
  }
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr) &part = object->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_W)) {
      continue; // what was written would be lost
    }
    uintptr_t first = object->dlpi_addr + part.p_vaddr;
    uintptr_t start = (first + page - 1) / page * page;
    uintptr_t end = (first + part.p_memsz) / page * page;
    if (start < end) {
      // The loader gives numbers. NOLINTNEXTLINE(performance-no-int-to-ptr)
      ::madvise(reinterpret_cast<void *>(start), end - start, MADV_DONTNEED);
    }
  }
  return 0;
}

void tools::releaseProgramMemory() {
  malloc_trim(0);
  dl_iterate_phdr(releaseObject, nullptr);
}
