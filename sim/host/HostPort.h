//===- HostPort.h - The chip as the host sees it ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A TLM-2.0 target in front of the chip's memory: what a host bridge, or
// another model of a system, binds to. Reads and writes reach declared buffers
// only and are annotated with the time of the host link; the debug transport
// takes no time.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_HOST_HOSTPORT_H
#define CHIPWRIGHT_SIM_HOST_HOSTPORT_H

#include "chips/ChipSpec.h"
#include "sim/memory/GlobalMemory.h"

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

namespace chipwright::sim {

class HostPort final : public sc_core::sc_module {
public:
  HostPort(sc_core::sc_module_name name, const ChipSpec &spec,
           GlobalMemory &memory);

  tlm_utils::simple_target_socket<HostPort> socket;

  /// Time of a transfer over the host link in femtoseconds: half a round trip
  /// for a posted write, a whole one for a read, and the bytes with their
  /// per-packet overhead at the link's rate (`host.*` of the chip).
  uint64_t transferFs(uint64_t bytes, bool write) const;

private:
  void transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  unsigned debug(tlm::tlm_generic_payload &payload);
  /// \returns the response; moves the data if it is Ok.
  tlm::tlm_response_status access(tlm::tlm_generic_payload &payload);

  const HostSpec host;
  GlobalMemory &memory;
  sc_core::sc_time linkFree;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_HOST_HOSTPORT_H
