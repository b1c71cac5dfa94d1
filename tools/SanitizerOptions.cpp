//===- SanitizerOptions.cpp - Defaults of the sanitizer build -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// LLVM's allocators, where they are inlined into instrumented code, poison what
// they have not handed out yet; the shared libraries of LLVM and MLIR are not
// instrumented and hand it out without a word. So poisoning by hand is off.
//
//===----------------------------------------------------------------------===//

extern "C" const char *__asan_default_options() {
  return "allow_user_poisoning=0";
}
