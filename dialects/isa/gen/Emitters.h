//===- Emitters.h - Outputs of xpe-tblgen -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_ISA_GEN_EMITTERS_H
#define CHIPWRIGHT_DIALECTS_ISA_GEN_EMITTERS_H

#include "dialects/isa/gen/XpeModel.h"

#include "llvm/Support/raw_ostream.h"

namespace chipwright::isagen {

/// Enumerations of named codes: C++ declarations and name tables.
void emitEnumDecls(const Model &model, llvm::raw_ostream &os);
void emitEnumDefs(const Model &model, llvm::raw_ostream &os);

/// Instruction words: opcodes, encoder, decoder, disassembler.
void emitDecoderDecls(const Model &model, llvm::raw_ostream &os);
void emitDecoderDefs(const Model &model, llvm::raw_ostream &os);

/// Commands: structs with their decoders, and tables of fields and slices.
void emitCommandDecls(const Model &model, llvm::raw_ostream &os);
void emitCommandDefs(const Model &model, llvm::raw_ostream &os);

/// The C header for kernels.
void emitIntrinsics(const Model &model, llvm::raw_ostream &os);

/// The Markdown manual.
void emitManual(const Model &model, llvm::raw_ostream &os);

} // namespace chipwright::isagen

#endif // CHIPWRIGHT_DIALECTS_ISA_GEN_EMITTERS_H
