//===- Bindings.cpp -------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/machine/Bindings.h"

using namespace chipwright;
using namespace chipwright::test;

#define PROGRAM(NAME) #NAME, NAME

const std::vector<Binding> &test::bindings() {
  constexpr Effect fewer = Effect::Fewer, more = Effect::More,
                   none = Effect::None, refused = Effect::Refused;
  const Sets pe = {"grid.rows=1", "grid.cols=1"};
  const Sets grid = {"grid.rows=2", "grid.cols=2"};
  // One PE and one memory unit; neither window nor shaping binds.
  const Sets unit = pe + oneUnit() +
                    Sets{"noc.shaping=false", "fi.outstanding_requests=1024"};
  const Sets gridUnit =
      grid + oneUnit() +
      Sets{"noc.shaping=false", "fi.outstanding_requests=1024"};
  // Port, link and requests faster than the bank, and so on.
  const Sets wide = {"fi.port_bytes=256", "noc.link_bytes=256",
                     "sram.bank_bytes=256", "fi.request_bytes=256"};
  const Sets narrowLs = {"ls.banks=2", "ls.bank_bytes=16"};
  const Sets strided =
      pe + Sets{"dram.channels=1",    "dram.pin_bytes_per_second=12.8e9",
                "dram.ecc=false",     "sram.banks=2",
                "sram.bank_bytes=16", "fi.request_bytes=64",
                "noc.shaping=false",  "fi.outstanding_requests=1024"};
  const Sets collide = strided + Sets{"memory.interleave_hash=false"};
  const Sets shaped = oneUnit() + Sets{"grid.rows=2", "grid.cols=1"};
  const Sets dram = dramChip() + Sets{"dram.timing.rp_all_ns=50"};
  const Sets drains = dram + Sets{"dram.write_queue=16", "dram.drain_high=0.4",
                                  "dram.drain_low=0.1"};
  // Bank 0 is due for refresh at clock 1280 = 25600 ns / 16 / tCK.
  const Sets refresh = dram + Sets{"dram.timing.refi_ns=25600"};
  const Sets refreshAll =
      dram + Sets{"dram.refresh=all_bank", "dram.timing.refi_ns=1600"};
  const Sets recovers =
      dram + Sets{"dram.timing.wtr_short_ns=5", "dram.timing.wtr_long_ns=10"};
  const Sets cache = dram + Sets{"sram.bytes=65536", "sram.lls_bytes=32768",
                                 "sram.partition_bytes=32768",
                                 "dram.row_bytes=4096", "sram.llc_ways=2"};

  static const std::vector<Binding> table = {
      {"clock_ghz", PROGRAM(dmaHost), pe, more, fewer},

      {"hart.load_cycles", PROGRAM(hartArithmetic), pe, more, fewer},
      {"hart.mul_cycles", PROGRAM(hartArithmetic), pe, more, fewer},
      {"hart.div_cycles", PROGRAM(hartArithmetic), pe, more, fewer},
      {"hart.branch_cycles", PROGRAM(hartArithmetic), pe, more, fewer},
      {"hart.fp_cycles", PROGRAM(hartArithmetic), pe, more, fewer},
      {"hart.fp_div_cycles", PROGRAM(hartArithmetic), pe, more, fewer},
      {"hart.icache_bytes", PROGRAM(instructionCache),
       pe + Sets{"hart.icache_bytes=1024"}, fewer, none,
       "straight-line code that does not fit misses each line once"},
      {"hart.dcache_bytes", PROGRAM(dataCacheReuse),
       pe + Sets{"hart.dcache_bytes=1024"}, fewer, none,
       "a loop larger than the cache misses every time"},
      {"hart.cache_line_bytes", PROGRAM(dataCacheStream), pe, fewer, more},
      {"hart.cache_ways", PROGRAM(dataCacheConflict),
       pe + Sets{"hart.dcache_bytes=4096", "hart.cache_ways=2"}, fewer, none,
       "three lines in turn miss in a set of one as of two ways"},

      {"cp.write_cycles", PROGRAM(fieldWrites), pe, more, fewer},
      {"cp.launch_cycles", PROGRAM(mluCopy), pe + Sets{"cp.launch_cycles=2"},
       more, fewer},
      {"cp.dispatch_cycles", PROGRAM(mluCopy), pe, more, fewer},
      {"cp.queue_commands", PROGRAM(queueCredit), pe, fewer, more},
      {"cp.atomic_cycles", PROGRAM(gridSemaphore), grid, more, fewer},

      {"ls.banks", PROGRAM(mluCopy), pe + narrowLs, fewer, more},
      {"ls.bank_bytes", PROGRAM(mluCopy), pe + narrowLs, fewer, more},
      {"ls.latency_cycles", PROGRAM(mluCopy), pe, more, fewer},

      {"fi.port_bytes", PROGRAM(dmaStream),
       unit + wide + Sets{"fi.port_bytes=32"}, fewer, more},
      {"fi.outstanding_requests", PROGRAM(dmaWindow),
       unit + Sets{"fi.outstanding_requests=16"}, fewer, more},
      {"fi.request_bytes", PROGRAM(dmaStream),
       unit + Sets{"fi.request_bytes=32"}, fewer, more},

      {"dpe.load_bytes", PROGRAM(matrixLoadBound),
       pe + Sets{"dpe.load_bytes=32"}, fewer, more},
      {"dpe.min_pass_cycles", PROGRAM(matrixShortPasses), pe, more, fewer},
      {"dpe.pipeline_cycles", PROGRAM(matrixDrain), pe, more, fewer},

      {"re.drain_ops", PROGRAM(matrixDrain), pe, fewer, more},
      {"re.drain_elements", PROGRAM(matrixDrain),
       pe + Sets{"re.drain_elements=32"}, fewer, more},
      {"re.link_bytes", PROGRAM(gridReduce), grid, fewer, more},
      {"re.hop_cycles", PROGRAM(gridReduce), grid, more, fewer},

      {"se.lanes", PROGRAM(simdChain), pe, fewer, more},
      {"se.ops_per_slot", PROGRAM(simdChain), pe, fewer, more},
      {"se.div_slots", PROGRAM(simdReciprocal), pe, more, fewer},
      {"se.fill_cycles", PROGRAM(simdChain), pe, more, fewer},

      {"mlu.bytes", PROGRAM(mluCopy), pe, fewer, more},
      {"mlu.tile", PROGRAM(mluTranspose), pe, none, more,
       "rows of a tile of 32 two-byte elements fill mlu.bytes already"},

      {"noc.topology", PROGRAM(dmaOnePiece),
       unit + Sets{"noc.crossbar_cycles=0"}, more, none, "", "mesh"},
      {"noc.link_bytes", PROGRAM(dmaStream), unit + Sets{"noc.link_bytes=32"},
       fewer, more},
      {"noc.hop_cycles", PROGRAM(dmaOnePiece), unit, more, fewer},
      {"noc.crossbar_cycles", PROGRAM(dmaOnePiece), unit, more, fewer},
      {"noc.train_bytes", PROGRAM(gridTrains),
       gridUnit + Sets{"fi.port_bytes=128", "sram.bank_bytes=256"}, fewer,
       more},
      {"noc.contention", PROGRAM(dmaStream), unit + Sets{"noc.link_bytes=16"},
       fewer, none, "", "false"},
      {"noc.multicast", PROGRAM(gridMulticast), gridUnit, more, none, "",
       "false"},
      {"noc.multicast_commands", PROGRAM(gridMulticastCommands),
       gridUnit + Sets{"noc.multicast_commands=2"}, fewer, more},
      {"noc.shaping", PROGRAM(dmaShaping), shaped, fewer, none, "", "false"},
      {"noc.shaping_burst_bytes", PROGRAM(dmaShaping), shaped, fewer, more},

      // 512: rows alternate; 128: each row uses both banks.
      {"memory.interleave_bytes", PROGRAM(dmaStrided), collide, fewer, fewer},
      {"memory.interleave_hash", PROGRAM(dmaStrided), collide, fewer, none, "",
       "true"},

      {"sram.banks", PROGRAM(dmaStrided), strided, fewer, more},
      {"sram.bank_bytes", PROGRAM(dmaStream),
       unit + wide + Sets{"sram.bank_bytes=32"}, fewer, more},
      {"sram.latency_cycles", PROGRAM(dmaOnePiece), unit, more, fewer},
      // One way: two of the three lines collide; two: all three; four: none.
      {"sram.llc_ways", PROGRAM(dramCacheWays), cache, fewer, fewer},

      {"dram.kind", PROGRAM(dramRead), dram, fewer, none, "", "hbm3"},
      {"dram.level", PROGRAM(dramRead), dram, fewer, none, "", "burst"},
      // The chip's pins are divided among its channels.
      {"dram.channels", PROGRAM(dramRead),
       dram + Sets{"dram.channels=2", "sram.banks=4",
                   "dram.pin_bytes_per_second=25.6e9"},
       more, fewer},
      {"dram.pseudo_channels", PROGRAM(dramRead), dram, more, refused,
       "a channel has one pseudo-channel at least"},
      {"dram.pin_bytes_per_second", PROGRAM(dramRead), dram, fewer, more},
      {"dram.access_bytes", PROGRAM(dramRead), dram, fewer, more},
      {"dram.bank_groups", PROGRAM(dramPairGroup), dram, fewer, none,
       "banks 0 and 4 share one of two groups as one of four"},
      {"dram.banks_per_group", PROGRAM(dramPairConflict), dram, fewer, fewer},
      {"dram.row_bytes", PROGRAM(dramPairRow), dram, none, more,
       "both accesses find rows of different banks already"},
      {"dram.ecc", PROGRAM(dramRead), dram, more, none, "", "true"},
      {"dram.ecc_data_bytes", PROGRAM(dramRead), dram + Sets{"dram.ecc=true"},
       refused, fewer, "a protected unit lies in one interleave granule"},
      {"dram.refresh", PROGRAM(dramRefresh), refresh, fewer, none, "",
       "all_bank"},
      {"dram.read_queue", PROGRAM(dramTwoStreams),
       dram + Sets{"dram.read_queue=8"}, fewer, more},
      {"dram.write_queue", PROGRAM(dramWriteAck),
       dram + Sets{"dram.write_queue=4"}, fewer, more},
      {"dram.drain_high", PROGRAM(dramDrain), drains, fewer, none,
       "a granule's eight writes enter at once, above either mark"},
      {"dram.drain_low", PROGRAM(dramDrain), drains, fewer, more},
      {"dram.controller_ns", PROGRAM(dramRead), dram, more, fewer},
      {"dram.timing.tck_ns", PROGRAM(dramClock), dram, more, none,
       "half a cycle less between two commands is lost in whole PE cycles"},
      {"dram.timing.rl_ns", PROGRAM(dramRead), dram, more, fewer},
      {"dram.timing.wl_ns", PROGRAM(dramWrite), dram, more, fewer},
      {"dram.timing.rcd_read_ns", PROGRAM(dramRead), dram, more, fewer},
      {"dram.timing.rcd_write_ns", PROGRAM(dramWrite), dram, more, fewer},
      {"dram.timing.rp_ns", PROGRAM(dramPairConflict), dram, more, fewer},
      {"dram.timing.rp_all_ns", PROGRAM(dramRefreshOpen), refreshAll, more,
       fewer},
      {"dram.timing.ras_ns", PROGRAM(dramPairConflict), dram, more, fewer},
      {"dram.timing.wr_ns", PROGRAM(dramWriteThenConflict), recovers, more,
       fewer},
      {"dram.timing.rtp_ns", PROGRAM(dramLongConflict), dram, more, fewer},
      {"dram.timing.ccd_short_ns", PROGRAM(dramTwoStreams), dram, more, fewer},
      {"dram.timing.ccd_long_ns", PROGRAM(dramRead), dram, more, fewer},
      {"dram.timing.rrd_short_ns", PROGRAM(dramPairNeighbour), dram, more,
       fewer},
      {"dram.timing.rrd_long_ns", PROGRAM(dramPairGroup), dram, more, fewer},
      {"dram.timing.faw_ns", PROGRAM(dramFiveBanks), dram, more, fewer},
      {"dram.timing.wtr_short_ns", PROGRAM(dramWriteThenReadShort), dram, more,
       fewer},
      {"dram.timing.wtr_long_ns", PROGRAM(dramWriteThenReadLong), dram, more,
       fewer},
      {"dram.timing.rtw_gap_ns", PROGRAM(dramReadThenWrite), dram, more, fewer},
      // Earlier or later, the refresh no longer meets the read.
      {"dram.timing.refi_ns", PROGRAM(dramRefresh), refresh, fewer, fewer},
      {"dram.timing.rfc_all_ns", PROGRAM(dramRefresh), refreshAll, more, fewer},
      {"dram.timing.rfc_bank_ns", PROGRAM(dramRefresh), refresh, more, fewer},

      {"control.dispatch_cycles", PROGRAM(wholeLaunch), pe, more, fewer},
      {"control.descriptor_bytes", PROGRAM(wholeLaunch), pe, more, fewer},
      {"control.wqe_cycles", PROGRAM(wholeLaunch), pe, more, fewer},
      {"control.completion_cycles", PROGRAM(wholeLaunch), pe, more, fewer},
      {"control.barrier_hop_cycles", PROGRAM(gridBarrier), grid, more, fewer},
      {"control.barrier_cycles", PROGRAM(gridBarrier), grid, more, fewer},

      {"host.bytes_per_second", PROGRAM(dmaHost), pe, fewer, more},
      {"host.payload_bytes", PROGRAM(dmaHost), pe, none, more,
       "256 bytes are one packet of 256 as of 512"},
      {"host.overhead_bytes", PROGRAM(dmaHost),
       pe + Sets{"host.overhead_bytes=64"}, more, fewer},
      {"host.round_trip_ns", PROGRAM(dmaHost), pe, more, fewer},
  };
  return table;
}
