//===- ContextPlan.h - Which context serves which command -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_PE_CONTEXTPLAN_H
#define CHIPWRIGHT_COMPILER_PE_CONTEXTPLAN_H

#include "compiler/pe/CommandForm.h"

#include <map>
#include <vector>

namespace chipwright::compiler {

/// One command of a function and what its issue needs.
struct PlannedCommand {
  pe::CommandOpInterface op;
  llvm::SmallVector<SliceForm> slices;
  /// Number of scf loops around it in the function.
  unsigned depth = 0;
  unsigned ctx = 0;
  /// The fields of the layout, by number.
  std::map<unsigned, FieldForm> fields;
  WordForm word;

  /// How the word reaches the command.
  enum class Issue {
    Register,  // in a register
    Auto,      // the context's auto field holds it
    AutoFirst, // the same, after auto was written
    AutoLoop,  // the same, after auto was written before the loop around it
  };
  Issue issue = Issue::Register;
};

struct ContextPlan {
  std::vector<PlannedCommand> commands;
  /// Value of each context's step field; 0 if it is never written.
  std::vector<uint64_t> steps;
};

/// Plans for the commands of \p function, in program order.
/// \p contexts 0: every command gets context 0 and all its fields.
mlir::FailureOr<ContextPlan>
planContexts(mlir::Operation *function, unsigned contexts, uint64_t localBytes);

} // namespace chipwright::compiler

#endif // CHIPWRIGHT_COMPILER_PE_CONTEXTPLAN_H
