//===- ProgramMemory.h - Memory that is no longer needed --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TOOLS_PROGRAMMEMORY_H
#define CHIPWRIGHT_TOOLS_PROGRAMMEMORY_H

namespace chipwright::tools {

/// Gives memory back to the system before much of it is taken: blocks that were
/// freed, and the pages of shared libraries that come from their files
/// unchanged. The compiler's libraries have touched more than 100 MB of those
/// by the time a package is made, and a run needs few of them again; they are
/// read from the files when it does.
void releaseProgramMemory();

} // namespace chipwright::tools

#endif // CHIPWRIGHT_TOOLS_PROGRAMMEMORY_H
