//===- DramTlmAdapter.h - TLM-2.0 target before a DRAM channel --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Lets an initiator that speaks TLM-2.0 (IEEE 1666-2011) drive one channel,
// loosely timed (b_transport) or by the base protocol (the socket turns
// nb_transport into b_transport calls). The address of a transaction is an
// offset among the channel's data bytes. Only time is modelled: read data is
// left as the initiator had it.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_DRAM_DRAMTLMADAPTER_H
#define CHIPWRIGHT_SIM_DRAM_DRAMTLMADAPTER_H

#include "sim/dram/DramChannel.h"

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

#include <memory>
#include <vector>

namespace chipwright::sim {

class DramTlmAdapter : public sc_core::sc_module, private DramListener {
public:
  tlm_utils::simple_target_socket<DramTlmAdapter> socket;

  /// Takes over \p channel and becomes its listener.
  DramTlmAdapter(sc_core::sc_module_name name,
                 std::unique_ptr<DramChannel> channel);

  const DramChannel &channel() const { return *dram; }

private:
  /// A blocked b_transport call.
  struct Call {
    bool done = false;
    uint64_t timeFs = 0;
    sc_core::sc_event finished;
  };

  void transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  void dramDone(uint64_t tag, uint64_t timeFs) override;
  void pump();
  void schedule();
  uint64_t nowFs() const;
  /// Rounded up to the simulator's time resolution.
  sc_core::sc_time toTime(uint64_t fs) const;

  std::unique_ptr<DramChannel> dram;
  std::vector<Call *> calls; // by tag; null if free
  sc_core::sc_event wake;
  uint64_t tickFs;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_DRAM_DRAMTLMADAPTER_H
