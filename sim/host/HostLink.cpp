//===- HostLink.cpp -------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/host/HostLink.h"

#include "sim/core/Time.h"

#include <cmath>

using namespace chipwright;

uint64_t sim::hostTransferFs(const HostSpec &host, uint64_t bytes, bool write) {
  uint64_t wire =
      bytes + divideUp(bytes, host.payloadBytes) * host.overheadBytes;
  double latencyNs = host.roundTripNs * (write ? 0.5 : 1.0);
  double linkNs = double(wire) / host.bytesPerSecond * 1e9;
  return static_cast<uint64_t>(std::ceil((latencyNs + linkNs) * 1e6));
}
