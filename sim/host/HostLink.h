//===- HostLink.h - Time of transfers over the host link --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_HOST_HOSTLINK_H
#define CHIPWRIGHT_SIM_HOST_HOSTLINK_H

#include "chips/ChipSpec.h"

#include <cstdint>

namespace chipwright::sim {

/// Time of a transfer over the host link in femtoseconds: half a round trip
/// for a posted write, a whole one for a read, and the bytes with their
/// per-packet overhead at the link's rate.
uint64_t hostTransferFs(const HostSpec &host, uint64_t bytes, bool write);

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_HOST_HOSTLINK_H
