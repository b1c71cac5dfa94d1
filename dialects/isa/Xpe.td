//===- Xpe.td - Instructions and commands of Xpe -----------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The custom extension Xpe: one record per instruction or command. This file
// is the only place where encodings are written down.
//
// Terms: CB = circular buffer in the local memory (LS) of a PE. A context is
// a set of sixteen 64-bit field registers of one hart.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_ISA_XPE_TD
#define CHIPWRIGHT_DIALECTS_ISA_XPE_TD

include "XpeBase.td"
include "XpeEnums.td"
include "XpeHart.td"
include "XpeCommands.td"

#endif // CHIPWRIGHT_DIALECTS_ISA_XPE_TD
