//===- ProgramListing.h - The machine code of a package ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_PROGRAMLISTING_H
#define CHIPWRIGHT_RUNTIME_PROGRAMLISTING_H

#include "chips/Diagnostic.h"
#include "package/Package.h"

#include <string>

namespace chipwright {

/// The instructions of all programs. Where a field of a context is set to a
/// number that is the same in any run, a comment says what it means to the
/// command that is issued with that context next; where a command is issued, of
/// which operation it is. Refused: a program that is no ELF file of a kernel.
Result<std::string> formatPrograms(const Package &package,
                                   const std::string &name);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_PROGRAMLISTING_H
