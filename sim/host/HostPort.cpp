//===- HostPort.cpp -------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/host/HostPort.h"

#include "sim/host/HostLink.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace chipwright;
using namespace chipwright::sim;

HostPort::HostPort(sc_core::sc_module_name name, const ChipSpec &spec,
                   GlobalMemory &memory)
    : sc_module(name), socket("socket"), host(spec.host), memory(memory) {
  socket.register_b_transport(this, &HostPort::transport);
  socket.register_transport_dbg(this, &HostPort::debug);
}

uint64_t HostPort::transferFs(uint64_t bytes, bool write) const {
  return hostTransferFs(host, bytes, write);
}

tlm::tlm_response_status HostPort::access(tlm::tlm_generic_payload &payload) {
  uint64_t address = payload.get_address();
  unsigned bytes = payload.get_data_length();
  if (payload.get_byte_enable_ptr()) {
    return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  }
  if (payload.get_streaming_width() < bytes) {
    return tlm::TLM_BURST_ERROR_RESPONSE;
  }
  Buffer *buffer = memory.find(address, bytes);
  if (!buffer) {
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  }
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND) {
    return tlm::TLM_OK_RESPONSE;
  }
  bool write = payload.get_command() == tlm::TLM_WRITE_COMMAND;
  if (write) {
    memory.touch(*buffer, address, bytes);
  }
  // Bulk contents do not exist in timing mode; the transfer takes its time all
  // the same, and reads give zeros.
  if (!buffer->data()) {
    if (!write) {
      std::memset(payload.get_data_ptr(), 0, bytes);
    }
    return tlm::TLM_OK_RESPONSE;
  }
  uint8_t *place = buffer->data() + (address - buffer->base);
  if (write) {
    std::memcpy(place, payload.get_data_ptr(), bytes);
  } else {
    std::memcpy(payload.get_data_ptr(), place, bytes);
  }
  return tlm::TLM_OK_RESPONSE;
}

void HostPort::transport(tlm::tlm_generic_payload &payload,
                         sc_core::sc_time &delay) {
  tlm::tlm_response_status status = access(payload);
  payload.set_response_status(status);
  if (status != tlm::TLM_OK_RESPONSE) {
    return;
  }
  bool write = payload.get_command() == tlm::TLM_WRITE_COMMAND;
  sc_core::sc_time asked = sc_core::sc_time_stamp() + delay;
  sc_core::sc_time start = std::max(asked, linkFree);
  auto fs = [](uint64_t value) {
    return sc_core::sc_time(double(value), sc_core::SC_FS);
  };
  sc_core::sc_time latency = fs(transferFs(0, write));
  sc_core::sc_time total = fs(transferFs(payload.get_data_length(), write));
  // Latency overlaps between transfers, occupation of the link does not.
  linkFree = start + total - latency;
  delay += start - asked + total;
}

unsigned HostPort::debug(tlm::tlm_generic_payload &payload) {
  return access(payload) == tlm::TLM_OK_RESPONSE ? payload.get_data_length()
                                                 : 0;
}
