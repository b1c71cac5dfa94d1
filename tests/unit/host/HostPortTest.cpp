//===- HostPortTest.cpp - A TLM-2.0 initiator at the host port ------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/host/HostPort.h"
#include "chips/ResolvedChip.h"
#include "sim/memory/AddressMap.h"

#include <gtest/gtest.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <array>
#include <numeric>

using namespace chipwright;
using namespace chipwright::sim;

int sc_main(int, char **) { return 0; }

namespace {

class Host final : public sc_core::sc_module {
public:
  explicit Host(sc_core::sc_module_name name)
      : sc_module(name), socket("socket") {}
  tlm_utils::simple_initiator_socket<Host> socket;

  tlm::tlm_response_status send(tlm::tlm_command command, uint64_t address,
                                uint8_t *data, unsigned bytes,
                                sc_core::sc_time &delay) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(data);
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    socket->b_transport(payload, delay);
    return payload.get_response_status();
  }
};

class HostPortTest : public testing::Test {
protected:
  HostPortTest()
      : chip(loadChip("mtia-2i").take()), memory(true, 64),
        port("port", chip.spec, memory), host("host") {
    host.socket.bind(port.socket);
    memory.declare("buffer", base, 4096, BufferKind::Bulk);
  }

  static constexpr uint64_t base = physicalAddress(Space::Dram, 0x1000);
  ResolvedChip chip;
  GlobalMemory memory;
  HostPort port;
  Host host;
};

TEST_F(HostPortTest, WritesAndReadsBackWithTheLinksTime) {
  std::array<uint8_t, 1024> sent, received{};
  std::iota(sent.begin(), sent.end(), uint8_t(3));
  sc_core::sc_time writeTime = sc_core::SC_ZERO_TIME;
  ASSERT_EQ(host.send(tlm::TLM_WRITE_COMMAND, base + 64, sent.data(), 1024,
                      writeTime),
            tlm::TLM_OK_RESPONSE);
  sc_core::sc_time readTime = sc_core::SC_ZERO_TIME;
  ASSERT_EQ(host.send(tlm::TLM_READ_COMMAND, base + 64, received.data(), 1024,
                      readTime),
            tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(sent, received);

  // By hand: packets of payload_bytes, each with overhead_bytes, at
  // bytes_per_second; half a round trip for the posted write.
  const HostSpec &spec = chip.spec.host;
  double packets = (1024 + spec.payloadBytes - 1) / spec.payloadBytes;
  double linkNs =
      (1024 + packets * spec.overheadBytes) / spec.bytesPerSecond * 1e9;
  EXPECT_NEAR(writeTime.to_seconds() * 1e9, spec.roundTripNs / 2 + linkNs,
              1e-3);
  // The read waits until the write has left the link.
  EXPECT_NEAR(readTime.to_seconds() * 1e9, spec.roundTripNs + 2 * linkNs, 1e-3);
}

TEST_F(HostPortTest, RefusesWhatLiesOutsideDeclaredBuffers) {
  std::array<uint8_t, 16> data{};
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  EXPECT_EQ(
      host.send(tlm::TLM_READ_COMMAND, base + 4096 - 8, data.data(), 16, delay),
      tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(delay, sc_core::SC_ZERO_TIME);
}

} // namespace
