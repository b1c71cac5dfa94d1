//===- Diagnostics.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/Diagnostics.h"

#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"

using namespace mlir;
using namespace chipwright;

static void print(const mlir::Diagnostic &diagnostic, std::string &text) {
  llvm::raw_string_ostream os(text);
  if (!text.empty()) {
    os << "\n";
  }
  Location place = diagnostic.getLocation();
  if (auto file = dyn_cast<FileLineColLoc>(place)) {
    os << file.getFilename().getValue() << ":" << file.getLine() << ":"
       << file.getColumn() << ": ";
  } else if (auto name = dyn_cast<NameLoc>(place)) {
    os << name.getName().getValue() << ": ";
  }
  diagnostic.print(os);
}

compiler::Messages::Messages(MLIRContext &context, std::string subject)
    : subject(std::move(subject)),
      handler(&context, [this](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error) {
          print(diagnostic, said);
          for (mlir::Diagnostic &note : diagnostic.getNotes()) {
            print(note, said);
          }
        }
        return success();
      }) {
  context.printOpOnDiagnostic(false);
}

chipwright::Diagnostic compiler::Messages::error(ExitStatus status) const {
  return {said.empty() ? subject + " does not compile" : said, status};
}
