//===- ProgramCompiler.cpp - The compiler for kernels in tests ------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Linked into tests that run shipped kernels, as the tool does it: gives the
// runtime the compiler before main() begins.
//
//===----------------------------------------------------------------------===//

#include "compiler/PeToElf.h"
#include "compiler/StepCompiler.h"
#include "runtime/KernelBuild.h"

using namespace chipwright;

[[maybe_unused]] static const bool isSet = [] {
  setProgramCompiler(
      [](const ChipSpec &spec, const std::string &text,
         const std::string &name) { return compilePeText(spec, text, name); });
  setStepCompiler(compileStepText);
  return true;
}();
