//===- DramTlmAdapter.cpp - TLM-2.0 target before a DRAM channel ----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/dram/DramTlmAdapter.h"

#include <algorithm>
#include <cmath>

using namespace chipwright;
using namespace chipwright::sim;
using namespace sc_core;

DramTlmAdapter::DramTlmAdapter(sc_module_name name,
                               std::unique_ptr<DramChannel> channel)
    : sc_module(name), socket("socket"), dram(std::move(channel)),
      tickFs(std::max<uint64_t>(
          1, static_cast<uint64_t>(
                 std::llround(sc_get_time_resolution().to_seconds() * 1e15)))) {
  dram->setListener(this);
  socket.register_b_transport(this, &DramTlmAdapter::transport);
  sc_spawn_options options;
  options.spawn_method();
  options.set_sensitivity(&wake);
  options.dont_initialize();
  sc_spawn([this] { pump(); }, sc_gen_unique_name("pump"), &options);
}

uint64_t DramTlmAdapter::nowFs() const {
  return sc_time_stamp().value() * tickFs;
}

sc_time DramTlmAdapter::toTime(uint64_t fs) const {
  return sc_time::from_value((fs + tickFs - 1) / tickFs);
}

void DramTlmAdapter::schedule() {
  uint64_t next = dram->nextEventFs();
  wake.cancel();
  if (next != DramChannel::noEvent) {
    uint64_t now = nowFs();
    wake.notify(toTime(next > now ? next - now : 0));
  }
}

void DramTlmAdapter::pump() {
  dram->advanceTo(nowFs());
  schedule();
}

void DramTlmAdapter::dramDone(uint64_t tag, uint64_t timeFs) {
  Call &call = *calls[tag];
  call.done = true;
  call.timeFs = timeFs;
  call.finished.notify(SC_ZERO_TIME);
}

void DramTlmAdapter::transport(tlm::tlm_generic_payload &payload,
                               sc_time &delay) {
  const uint64_t address = payload.get_address();
  const uint64_t bytes = payload.get_data_length();
  payload.set_dmi_allowed(false);
  if (payload.get_byte_enable_ptr()) {
    payload.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  if (bytes == 0 || payload.get_streaming_width() < bytes) {
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  if (address >= dram->dataBytes() || bytes > dram->dataBytes() - address) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  if (!payload.is_read() && !payload.is_write()) {
    payload.set_response_status(tlm::TLM_OK_RESPONSE); // TLM_IGNORE_COMMAND
    return;
  }
  Call call;
  auto slot = std::find(calls.begin(), calls.end(), nullptr);
  const uint64_t tag = static_cast<uint64_t>(slot - calls.begin());
  if (slot == calls.end()) {
    calls.push_back(&call);
  } else {
    *slot = &call;
  }
  dram->access({nowFs() + delay.value() * tickFs, address,
                static_cast<unsigned>(bytes), payload.is_write(), tag});
  // The burst level has answered already; the command level answers later.
  while (!call.done) {
    schedule();
    sc_core::wait(call.finished);
  }
  calls[tag] = nullptr;
  const uint64_t now = nowFs();
  delay = toTime(call.timeFs > now ? call.timeFs - now : 0);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}
