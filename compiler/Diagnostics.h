//===- Diagnostics.h - MLIR's messages as errors of the tool ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_DIAGNOSTICS_H
#define CHIPWRIGHT_COMPILER_DIAGNOSTICS_H

#include "chips/Diagnostic.h"

#include "mlir/IR/Diagnostics.h"

#include <string>

namespace chipwright::compiler {

/// Collects the errors of a context, with their notes, one a line.
class Messages {
public:
  /// \p subject stands for what is compiled where nothing was said.
  Messages(mlir::MLIRContext &context, std::string subject);

  /// All errors so far.
  chipwright::Diagnostic error(ExitStatus status) const;

private:
  std::string subject, said;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace chipwright::compiler

#endif // CHIPWRIGHT_COMPILER_DIAGNOSTICS_H
