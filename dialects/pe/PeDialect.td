//===- PeDialect.td - The pe dialect -----------------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_PE_PEDIALECT_TD
#define CHIPWRIGHT_DIALECTS_PE_PEDIALECT_TD

include "mlir/IR/OpBase.td"

def Pe_Dialect : Dialect {
  let name = "pe";
  let cppNamespace = "::chipwright::pe";
  let summary = "programs of the two harts of a processing element";
  let description = [{
    One operation per command and per instruction of the extension Xpe, made
    from the records of dialects/isa. Control flow is `scf`, integer arithmetic
    is `arith`; a kernel is a module with the functions `kernel_load` (hart 0)
    and `kernel_compute` (hart 1).
  }];
}

#endif // CHIPWRIGHT_DIALECTS_PE_PEDIALECT_TD
