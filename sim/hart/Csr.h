//===- Csr.h - Control and status register numbers --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Numbers from the RISC-V privileged specification 20240411, chapter "CSRs".
// Only machine mode exists on a hart.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_HART_CSR_H
#define CHIPWRIGHT_SIM_HART_CSR_H

#include <cstdint>

namespace chipwright::sim {

enum Csr : uint32_t {
  CsrFflags = 0x001,
  CsrFrm = 0x002,
  CsrFcsr = 0x003,
  CsrMstatus = 0x300,
  CsrMisa = 0x301,
  CsrMie = 0x304,
  CsrMtvec = 0x305,
  CsrMscratch = 0x340,
  CsrMepc = 0x341,
  CsrMcause = 0x342,
  CsrMtval = 0x343,
  CsrMip = 0x344,
  CsrMcycle = 0xb00,
  CsrMinstret = 0xb02,
  CsrCycle = 0xc00,
  CsrTime = 0xc01,
  CsrInstret = 0xc02,
  CsrMvendorid = 0xf11,
  CsrMarchid = 0xf12,
  CsrMimpid = 0xf13,
  CsrMhartid = 0xf14,
};

/// \returns the name of \p csr, or null for one that the hart does not have.
const char *csrName(uint32_t csr);

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_HART_CSR_H
