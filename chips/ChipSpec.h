//===- ChipSpec.h - Parameters of one accelerator chip ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The resolved description of one simulated chip: every parameter that the
// compiler, the simulator and the cost model may read. Values come from
// chips/*.yaml only; a member here has no default of its own.
//
// Path names in YAML and on the command line follow the members:
// `cp.write_cycles` is ChipSpec::cp.writeCycles. Parameters.def lists every
// path with unit, hard limits, and whether it belongs to the architectural or
// to the timing fingerprint.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_CHIPS_CHIPSPEC_H
#define CHIPWRIGHT_CHIPS_CHIPSPEC_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chipwright {

/// Layout of the network between PEs and memory.
enum class NocTopology { Crossbar, Mesh };

/// How the DRAM channels are modelled: every access (Command, the reference)
/// or runs of accesses by arithmetic (Burst).
enum class DramLevel { Command, Burst };

/// Command structure of the DRAM device: one command bus with two-part
/// activates (Lpddr5), or separate row and column buses with pseudo-channels
/// (Hbm3).
enum class DramKind { Lpddr5, Hbm3 };

enum class DramRefresh { AllBank, PerBank };

/// Element types that commands, engines and buffers name. The numeric values
/// are the encodings in command fields.
enum class DType : uint8_t {
  F32 = 0,
  F16 = 1,
  BF16 = 2,
  I8 = 3,
  I32 = 4,
  F8E4M3 = 5,
  F8E5M2 = 6,
  TF32 = 7, // stored as F32, multiplied with a 10-bit mantissa
  // Of stored weights and their scales: se.read_dtypes converts them, no
  // engine multiplies or writes them.
  I4 = 8,      // two's complement, the even element in the low half of a byte
  F4E2M1 = 9,  // OCP MX: 0 0.5 1 1.5 2 3 4 6 and their negatives; packed as I4
  F8E8M0 = 10, // OCP MX: a power of two, 2^(code - 127)
};

/// \returns the storage size of one element in bytes, 0 for types of which two
/// share a byte.
constexpr unsigned dtypeBytes(DType type) {
  switch (type) {
  case DType::F32:
  case DType::I32:
  case DType::TF32:
    return 4;
  case DType::F16:
  case DType::BF16:
    return 2;
  case DType::I8:
  case DType::F8E4M3:
  case DType::F8E5M2:
  case DType::F8E8M0:
    return 1;
  case DType::I4:
  case DType::F4E2M1:
    return 0;
  }
  return 0;
}
/// \returns the storage size of one element in bits.
constexpr unsigned dtypeBits(DType type) {
  return type == DType::I4 || type == DType::F4E2M1 ? 4 : 8 * dtypeBytes(type);
}
/// \returns the bytes of \p count elements that follow each other, a last half
/// byte counted as a whole one.
constexpr uint64_t dtypeBytes(DType type, uint64_t count) {
  return dtypeBits(type) == 4 ? count / 2 + count % 2
                              : count * dtypeBytes(type);
}
/// Can an engine only read elements of \p type (se.read_dtypes)?
constexpr bool isReadOnly(DType type) {
  return type == DType::I4 || type == DType::F4E2M1 || type == DType::F8E8M0;
}
/// \returns the name used in YAML and on the command line: "fp32", "fp16",
/// "bf16", "int8", "int32", "fp8_e4m3", "fp8_e5m2", "tf32", "int4", "fp4_e2m1",
/// "fp8_e8m0".
const char *dtypeName(DType type);
/// \returns the type of that name, or nothing.
std::optional<DType> dtypeFromName(std::string_view name);

struct GridSpec {
  unsigned rows, cols;
  unsigned numPes() const { return rows * cols; }
};

struct HartSpec {
  std::string isa;       // e.g. "rv64imafdc_zba"
  unsigned loadCycles;   // load-use latency, local memory
  unsigned mulCycles;    // result latency of mul*
  unsigned divCycles;    // blocking time of div/rem
  unsigned branchCycles; // extra cycles of a taken branch or jump
  unsigned fpCycles;     // result latency of fp add/mul/fma/convert
  unsigned fpDivCycles;  // blocking time of fdiv/fsqrt
  unsigned icacheBytes, dcacheBytes, cacheLineBytes, cacheWays;
  unsigned vectorBytes; // VLEN/8; described, not modelled
  unsigned vectorCores; // harts with a vector unit; described
};

struct CpSpec {
  unsigned contexts;       // 0: command fields do not persist
  unsigned writeCycles;    // hart cycles of one command-field write
  unsigned launchCycles;   // hart cycles of one command issue
  unsigned dispatchCycles; // check-and-dispatch latency, pipelined
  unsigned queueCommands;  // per hart and engine
  unsigned mmlMaxPasses;   // K repeats of one matrix command
  unsigned cbs;            // circular buffers per PE
  unsigned semaphores;     // per PE
  unsigned atomicCycles;   // occupancy of one semaphore update
};

struct LsSpec {
  uint64_t bytes;
  unsigned banks, bankBytes; // bytes a bank moves per cycle
  unsigned latencyCycles;    // bank access latency seen by an engine
};

struct FiSpec {
  unsigned portBytes; // per cycle and direction
  unsigned outstandingRequests;
  unsigned requestBytes;
};

struct DpeSpec {
  unsigned tiles;      // MAC tiles that share one streamed operand
  unsigned tileRows;   // cached rows per tile
  unsigned streamRows; // streamed rows of a full pass = bank rows
  unsigned kBytes;     // bytes of K per row and pass
  unsigned loadBytes;  // cached-operand load, bytes per cycle
  unsigned minPassCycles;
  unsigned pipelineCycles;
  bool bKn;                  // second operand may be given K x N
  std::vector<DType> dtypes; // operand types with full-rate products
  unsigned sparsityFactor;   // 2 for 2:4 structured; described, not modelled
};

struct ReSpec {
  unsigned banks;
  unsigned drainOps;      // SE operations per element in one read-out pass
  unsigned drainElements; // fp32 elements per cycle of read-out or preload
  unsigned linkBytes;     // reduction link, bytes per cycle
  unsigned hopCycles;     // reduction link latency
};

struct SeSpec {
  unsigned lanes;
  unsigned opsPerSlot;           // ALU operations a lane does in one slot
  unsigned divSlots;             // slots of recip and rsqrt
  unsigned fillCycles;           // pipeline depth
  std::vector<DType> readDtypes; // stored types, besides those it writes
  bool reads(DType type) const;
};

struct MluSpec {
  unsigned bytes; // per cycle
  unsigned tile;  // transpose tile edge, elements
};

struct NocSpec {
  NocTopology topology;
  unsigned linkBytes;      // per cycle and direction
  unsigned hopCycles;      // router plus link
  unsigned crossbarCycles; // memory-side crossbar; 0 on a mesh
  unsigned trainBytes;     // longest reservation of a link
  unsigned packetBytes;    // largest packet before fragmentation
  bool contention;         // false: latency only (ideal links)
  bool multicast;
  unsigned multicastCommands; // in flight per row or column master
  bool shaping;               // leaky bucket at the sources
  unsigned shapingBurstBytes;
};

struct MemorySpec {
  unsigned interleaveBytes; // granule spread over memory channels
  bool interleaveHash;      // XOR of upper address bits into the channel
};

struct SramSpec {
  uint64_t bytes;
  uint64_t llsBytes;         // scratch part; the rest is cache
  uint64_t partitionBytes;   // step of the scratch/cache split
  unsigned banks, bankBytes; // bytes a bank moves per cycle
  unsigned latencyCycles;
  unsigned llcWays;
};

/// One DRAM channel's timing; times in nanoseconds, as data sheets give them,
/// rounded up to whole command clocks by the model.
struct DramTimingSpec {
  double tckNs, rlNs, wlNs, rcdReadNs, rcdWriteNs, rpNs, rpAllNs, rasNs, wrNs,
      rtpNs, ccdShortNs, ccdLongNs, rrdShortNs, rrdLongNs, fawNs, wtrShortNs,
      wtrLongNs, rtwGapNs, refiNs, rfcAllNs, rfcBankNs;
};

struct DramSpec {
  DramKind kind;
  DramLevel level;
  unsigned channels;
  unsigned pseudoChannels;  // per channel
  uint64_t bytes;           // whole chip
  double pinBytesPerSecond; // whole chip
  unsigned accessBytes;     // one column access
  unsigned bankGroups, banksPerGroup;
  unsigned rowBytes;     // per (pseudo-)channel
  bool ecc;              // in-line code
  unsigned eccDataBytes; // data bytes that one code access protects
  DramRefresh refresh;
  unsigned readQueue, writeQueue;
  double drainHigh, drainLow; // fractions of the write queue
  double controllerNs;        // fixed pipeline latency of the controller
  DramTimingSpec timing;
};

struct ControlSpec {
  unsigned dispatchCycles; // control core, per job
  unsigned descriptorBytes;
  unsigned wqeCycles;        // work-queue engine: parse and start harts
  unsigned completionCycles; // control core, from last message to seen
  unsigned barrierHopCycles; // synchronisation channel, per hop
  unsigned barrierCycles;    // root of the barrier tree
};

struct HostSpec {
  double bytesPerSecond;
  unsigned payloadBytes, overheadBytes;
  double roundTripNs;
};

/// Energies in picojoule.
struct EnergySpec {
  double mac16Pj, mac8Pj, mac32Pj; // one multiply-accumulate by operand width
  double seOpPj;                   // one SE or RE element operation
  double lsPjPerBit, sramPjPerBit, dramPjPerBit, hostPjPerBit;
  double wirePjPerBitMm, hopMm; // NoC: energy per bit and mm, mm per hop
  double instructionPj;         // one scalar instruction
  double leakageWattsPerMm2;
};

struct PackageSpec {
  double dieMm2;
  double tdpWatts, typicalWatts;
  std::string process;
};

/// One resolved chip.
struct ChipSpec {
  std::string name, description;
  double clockGhz;
  GridSpec grid;
  HartSpec hart;
  CpSpec cp;
  LsSpec ls;
  FiSpec fi;
  DpeSpec dpe;
  ReSpec re;
  SeSpec se;
  MluSpec mlu;
  NocSpec noc;
  MemorySpec memory;
  SramSpec sram;
  DramSpec dram;
  ControlSpec control;
  HostSpec host;
  EnergySpec energy;
  PackageSpec package;

  /// PE clock period in femtoseconds, rounded to the nearest integer.
  uint64_t periodFs() const;
  /// Bytes of K that one pass consumes hold this many elements of \p type.
  unsigned dpeKElements(DType type) const;
  /// Peak dense FLOP/s (2 per multiply-accumulate) of the whole chip; 0 for a
  /// type that is not in dpe.dtypes.
  double peakFlops(DType type) const;
  /// SRAM read+write bytes per second, LS bytes per second of one PE.
  double sramBytesPerSecond() const;
  double lsBytesPerSecond() const;
};

} // namespace chipwright

#endif // CHIPWRIGHT_CHIPS_CHIPSPEC_H
