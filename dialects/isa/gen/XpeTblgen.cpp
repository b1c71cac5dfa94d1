//===- XpeTblgen.cpp - Generator for the Xpe extension --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// xpe-tblgen reads TableGen records of XpeBase.td's classes and writes one of
// the outputs of Emitters.h. Exit status 1 and a message at the record's place
// if the records contradict each other.
//
//===----------------------------------------------------------------------===//

#include "dialects/isa/gen/Emitters.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/TableGen/Main.h"

using namespace chipwright::isagen;

namespace {
enum class Action {
  CheckOnly,
  EnumDecls,
  EnumDefs,
  DecoderDecls,
  DecoderDefs,
  CommandDecls,
  CommandDefs,
  Intrinsics,
  Manual,
};
} // namespace

static llvm::cl::opt<Action> action(
    llvm::cl::desc("Output:"), llvm::cl::init(Action::CheckOnly),
    llvm::cl::values(
        clEnumValN(Action::CheckOnly, "check", "none: only check the records"),
        clEnumValN(Action::EnumDecls, "gen-enum-decls",
                   "C++ enumerations of codes"),
        clEnumValN(Action::EnumDefs, "gen-enum-defs", "their name tables"),
        clEnumValN(Action::DecoderDecls, "gen-decoder-decls",
                   "C++ declarations of encoder and decoder"),
        clEnumValN(Action::DecoderDefs, "gen-decoder-defs",
                   "encoder, decoder and disassembler"),
        clEnumValN(Action::CommandDecls, "gen-command-decls",
                   "C++ structs of commands with their decoders"),
        clEnumValN(Action::CommandDefs, "gen-command-defs",
                   "tables of fields and slices"),
        clEnumValN(Action::Intrinsics, "gen-intrinsics",
                   "C header for kernels"),
        clEnumValN(Action::Manual, "gen-manual", "Markdown manual")));

static bool run(llvm::raw_ostream &os, const llvm::RecordKeeper &records) {
  Model model = loadModel(records);
  switch (action) {
  case Action::CheckOnly:
    break;
  case Action::EnumDecls:
    emitEnumDecls(model, os);
    break;
  case Action::EnumDefs:
    emitEnumDefs(model, os);
    break;
  case Action::DecoderDecls:
    emitDecoderDecls(model, os);
    break;
  case Action::DecoderDefs:
    emitDecoderDefs(model, os);
    break;
  case Action::CommandDecls:
    emitCommandDecls(model, os);
    break;
  case Action::CommandDefs:
    emitCommandDefs(model, os);
    break;
  case Action::Intrinsics:
    emitIntrinsics(model, os);
    break;
  case Action::Manual:
    emitManual(model, os);
    break;
  }
  return false;
}

int main(int argc, char **argv) {
  llvm::cl::ParseCommandLineOptions(argc, argv,
                                    "Generator for the Xpe extension\n");
  return llvm::TableGenMain(argv[0], run);
}
