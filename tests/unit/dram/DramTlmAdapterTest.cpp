//===- DramTlmAdapterTest.cpp - TLM-2.0 initiators drive a channel --------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/dram/DramTlmAdapter.h"
#include "tests/unit/dram/DramTestDevices.h"

#include <gtest/gtest.h>
#include <tlm_utils/simple_initiator_socket.h>

using namespace chipwright;
using namespace chipwright::sim;
using namespace chipwright::dramtest;
using namespace sc_core;

namespace {

/// Reads and writes with b_transport, then with the four-phase base protocol.
class Initiator : public sc_module {
public:
  tlm_utils::simple_initiator_socket<Initiator> socket;
  std::vector<double> blockingNs, phasedNs;
  std::vector<tlm::tlm_response_status> bad;

  explicit Initiator(sc_module_name name) : sc_module(name), socket("socket") {
    socket.register_nb_transport_bw(this, &Initiator::back);
    sc_spawn([this] { run(); });
  }

private:
  static void fill(tlm::tlm_generic_payload &p, uint64_t address,
                   unsigned char *data, unsigned bytes, bool write) {
    p.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    p.set_address(address);
    p.set_data_ptr(data);
    p.set_data_length(bytes);
    p.set_streaming_width(bytes);
    p.set_byte_enable_ptr(nullptr);
    p.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  }

  void run() {
    unsigned char data[256] = {};
    for (unsigned i = 0; i < 4; ++i) {
      tlm::tlm_generic_payload p;
      fill(p, uint64_t(i) << 16, data, 32, i == 3);
      sc_time start = sc_time_stamp();
      sc_time delay(7, SC_NS); // the initiator is ahead
      socket->b_transport(p, delay);
      EXPECT_EQ(p.get_response_status(), tlm::TLM_OK_RESPONSE);
      blockingNs.push_back((sc_time_stamp() + delay - start).to_seconds() *
                           1e9);
      sc_core::wait(delay + sc_time(500, SC_NS));
    }
    for (uint64_t address : {~uint64_t(0), uint64_t(0)}) {
      tlm::tlm_generic_payload p;
      fill(p, address, data, address ? 32 : 0, false);
      sc_time delay = SC_ZERO_TIME;
      socket->b_transport(p, delay);
      bad.push_back(p.get_response_status());
    }
    for (unsigned i = 0; i < 3; ++i) {
      tlm::tlm_generic_payload p;
      fill(p, uint64_t(i + 4) << 16, data, 256, false);
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      sc_time delay = SC_ZERO_TIME, start = sc_time_stamp();
      tlm::tlm_sync_enum state = socket->nb_transport_fw(p, phase, delay);
      if (state != tlm::TLM_COMPLETED) {
        sc_core::wait(response);
        phase = tlm::END_RESP;
        delay = SC_ZERO_TIME;
        socket->nb_transport_fw(p, phase, delay);
      }
      EXPECT_EQ(p.get_response_status(), tlm::TLM_OK_RESPONSE);
      phasedNs.push_back((sc_time_stamp() - start).to_seconds() * 1e9);
      sc_core::wait(500, SC_NS);
    }
  }

  tlm::tlm_sync_enum back(tlm::tlm_generic_payload &, tlm::tlm_phase &phase,
                          sc_time &delay) {
    if (phase == tlm::BEGIN_RESP) {
      response.notify(delay);
    }
    return tlm::TLM_ACCEPTED;
  }

  sc_event response;
};

// One elaboration a process: both levels in one test.
TEST(DramTlmAdapterTest, InitiatorSeesTheChannelsTimes) {
  sc_set_time_resolution(1, SC_FS);
  std::vector<std::unique_ptr<Initiator>> initiators;
  std::vector<std::unique_ptr<DramTlmAdapter>> adapters;
  for (DramLevel level : {DramLevel::Command, DramLevel::Burst}) {
    DramSpec spec = lpddr5();
    spec.level = level;
    std::string error;
    auto channel = makeDramChannel(spec, memory(), nullptr, error);
    ASSERT_TRUE(channel) << error;
    const char *name = level == DramLevel::Command ? "command" : "burst";
    adapters.push_back(std::make_unique<DramTlmAdapter>(
        (std::string(name) + "_dram").c_str(), std::move(channel)));
    initiators.push_back(std::make_unique<Initiator>(
        (std::string(name) + "_initiator").c_str()));
    initiators.back()->socket.bind(adapters.back()->socket);
  }
  sc_start(20, SC_US);

  const DramTimingSpec &t = lpddr5().timing;
  // Offsets 65536 apart: two rows on, in another bank, which is closed.
  const double closed = t.rcdReadNs + t.rlNs + 2.5;
  for (size_t i = 0; i < initiators.size(); ++i) {
    const Initiator &initiator = *initiators[i];
    ASSERT_EQ(initiator.blockingNs.size(), 4u);
    for (unsigned k = 0; k < 3; ++k) {
      EXPECT_NEAR(initiator.blockingNs[k], 7 + closed, 2 * t.tckNs);
    }
    EXPECT_NEAR(initiator.blockingNs[3], 7, t.tckNs); // a posted write
    EXPECT_EQ(initiator.bad[0], tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(initiator.bad[1], tlm::TLM_BURST_ERROR_RESPONSE);
    ASSERT_EQ(initiator.phasedNs.size(), 3u);
    for (double ns : initiator.phasedNs) {
      // Eight accesses of one bank group, tCCD long apart.
      EXPECT_NEAR(ns, closed + 7 * t.ccdLongNs, 2 * t.tckNs);
    }
    const DramCounters &n = adapters[i]->channel().counters();
    EXPECT_EQ(n.readBytes, 3 * 32 + 3 * 256u);
    EXPECT_EQ(n.writeBytes, 32u);
  }
}

} // namespace

// SystemC brings a main() of its own that calls sc_main().
int sc_main(int, char **) { return 0; }

int main(int argc, char **argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
