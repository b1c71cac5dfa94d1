//===- Hart.h - Resumable RISC-V hart ---------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// One in-order RV64IMAFDC_Zba hart in machine mode, as a state machine: run()
// executes in the hart's local time until a limit, a request that its
// environment cannot answer yet, a halt or an error, and goes on from there
// when called again.
//
// Timing (cycles of the PE clock, latencies from HartSpec): one instruction
// issues a cycle, in order, when its sources are ready. A result is ready one
// cycle after issue, or `loadCycles` (window and cache hits), `mulCycles`, or
// `fpCycles` (arithmetic, compares, min/max, conversions) after it; sign
// injection, moves and classify take one cycle. Division and square root
// occupy the hart for `divCycles` or `fpDivCycles`. A taken branch, a jump, a
// trap and mret cost `branchCycles` more. No time depends on a data value.
//
// Taint: a value that depends on bulk contents (which timing mode does not
// have) is tainted. Results inherit it from sources; fflags inherits it from
// operations on tainted operands. A tainted branch or jump operand, address,
// CSR write or custom operand ends the run.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_HART_HART_H
#define CHIPWRIGHT_SIM_HART_HART_H

#include "chips/ChipSpec.h"
#include "sim/hart/CacheTags.h"
#include "sim/hart/HartEnv.h"
#include "sim/hart/Instruction.h"

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

namespace chipwright::sim {

enum class HartErrorKind : uint8_t {
  None,
  IllegalInstruction,
  FetchFault, // pc outside the image
  MisalignedAccess,
  BadAccess,
  StaleLine,
  TaintedControl,
  Breakpoint,
  EnvironmentCall,
  Environment, // reported by the environment
};

const char *hartErrorName(HartErrorKind kind);

/// Why a hart stopped for good.
struct HartError {
  HartErrorKind kind = HartErrorKind::None;
  uint64_t pc = 0;
  uint32_t word = 0;
  std::string text; // one sentence
};

/// Memory that the hart reads and writes without asking: the PE's local
/// memory, or all of RAM when there is only a hart.
struct HartWindow {
  uint64_t base = 0, size = 0;
  uint8_t *data = nullptr;
  uint8_t *taint = nullptr; // one byte per byte of data, 0 or 1; null: clean
  bool writable = true;
  /// If not null: one byte per kBlockBytes of data (rounded up); a store sets
  /// those of the blocks that it writes to.
  uint8_t *written = nullptr;

  static constexpr unsigned kBlockBytes = 1024;
  void markWritten(uint64_t offset, unsigned length) const {
    if (written) {
      written[offset / kBlockBytes] = 1;
      written[(offset + length - 1) / kBlockBytes] = 1;
    }
  }
};

enum class HartStop : uint8_t {
  CycleLimit,
  InstructionLimit,
  Blocked, // BlockRetry or BlockComplete; see pendingCompletion()
  Halted,
  Error,
};

struct HartCounters {
  uint64_t instructions = 0;  // retired
  uint64_t operandStalls = 0; // cycles waited for a source register
  uint64_t blockedCycles = 0; // cycles passed by resumeAt and complete
  uint64_t icacheMisses = 0, dcacheHits = 0, dcacheMisses = 0;
  uint64_t icacheStalls = 0; // cycles waited for instruction fills
};

/// Executed instructions by opcode and by compressed form.
struct OpCounts {
  std::array<uint64_t, numOps> ops{};
  std::array<uint64_t, numCForms> compressed{};
};

/// \returns 4 or 8 for an instruction of the A extension.
unsigned atomicBytes(Op op);
/// Applies the AMO \p op to \p old (sign-extended from its size) and
/// \p operand. \returns what is stored; LR, SC and swap return \p operand.
uint64_t applyAtomic(Op op, uint64_t old, uint64_t operand);

class Hart {
public:
  static constexpr unsigned maxWindows = 4;

  /// \p id is what mhartid reads. \p env outlives the hart.
  Hart(const HartSpec &spec, HartEnv &env, uint64_t id);

  /// Adds memory that is accessed directly. Windows do not overlap; the first
  /// is the fastest. \returns false beyond \ref maxWindows.
  bool addWindow(const HartWindow &window);

  /// Sets the program. With \p warm the instruction cache holds the image if
  /// it fits, as after a launch.
  void setImage(std::shared_ptr<const DecodedImage> image, bool warm = true);

  /// Traps go to mtvec instead of ending the run (programs without a machine
  /// around them). A trap with mtvec outside the image still ends it.
  void enableTraps(bool enable) { trapsEnabled = enable; }

  /// Clears registers, CSRs, scoreboard, taint, caches, counters and errors;
  /// pc and local time start as given. The instruction cache is as warm as
  /// setImage made it.
  void reset(uint64_t startPc, uint64_t startCycle = 0);

  /// Executes instructions that issue before \p untilCycle, at most
  /// \p maxInstructions of them.
  HartStop run(uint64_t untilCycle,
               uint64_t maxInstructions = std::numeric_limits<uint64_t>::max());

  /// True after a BlockComplete answer, until complete().
  bool pendingCompletion() const { return pendingComplete; }
  /// Finishes the instruction that answered BlockComplete: writes rd, if it has
  /// one, with \p value (loads extend it), retires it, and lets the next one
  /// issue at
  /// \p nextCycle.
  void complete(uint64_t nextCycle, uint64_t value = 0, bool tainted = false);
  /// Moves local time forward to \p cycle (after BlockRetry).
  void resumeAt(uint64_t cycle);

  /// Called by the environment before it returns an error; the first call
  /// stays.
  void fail(HartErrorKind kind, std::string text);
  /// fail() for an access of \p size bytes that hits no memory.
  void failAccess(const char *what, uint64_t address, unsigned size);

  /// Drops data cache lines in [address, address + length), so that the next
  /// load reads memory again.
  void invalidateData(uint64_t address, uint64_t length);
  void invalidateInstructions();

  uint64_t id() const { return hartId; }
  uint64_t cycle() const { return localCycle; }
  uint64_t pc() const;
  /// Goes on at \p pc (any value; a bad one gives FetchFault when run).
  void setPc(uint64_t pc);
  /// Reads register \p reg, x0..x31 = 0..31, f0..f31 = 32..63.
  uint64_t reg(unsigned reg) const { return regs[reg]; }
  void setReg(unsigned reg, uint64_t value, bool tainted = false);
  /// Bit i: register i (numbered as above) is tainted.
  uint64_t taintMask() const;
  uint8_t fcsr() const { return uint8_t(frm << 5 | fflags); }
  bool halted() const { return isHalted; }
  const HartError &error() const { return lastError; }
  const HartCounters &counters() const { return stats; }
  uint64_t pcHash() const { return hash; }
  /// Counts instructions into \p counts (null: stop), in a slower executor.
  void countOps(OpCounts *counts) { opCounts = counts; }
  /// Hash of all state that can influence what the hart does next, except the
  /// cycle and instruction counters; times are relative to the local cycle.
  uint64_t digest() const;

private:
  enum class Access : uint8_t { Done, Blocked, Fault };

  template <bool Count>
  HartStop execute(uint64_t untilCycle, uint64_t maxInstructions);
  const HartWindow *windowOf(uint64_t address, unsigned size) const;
  Access loadSlow(const DecodedOp &op, uint64_t address, unsigned size,
                  uint64_t &value, bool &tainted, uint64_t &ready);
  Access storeSlow(const DecodedOp &op, uint64_t address, unsigned size,
                   uint64_t value, bool tainted, uint64_t &next);
  Access atomic(const DecodedOp &op, uint64_t &value, bool &tainted,
                uint64_t &ready);
  Access fetchLines(const DecodedOp &op);
  Access statusOf(EnvStatus status);
  void warmInstructions();
  Access csr(const DecodedOp &op, uint64_t &value, bool &tainted);
  bool csrGet(uint32_t number, uint64_t &value, bool &tainted);
  bool csrSet(uint32_t number, uint64_t value);
  bool executeFloat(const DecodedOp &op, bool tainted, uint64_t &value);
  void raise(const DecodedOp &op, HartErrorKind kind, uint64_t trapValue,
             std::string text);
  void taintedControl(const DecodedOp &op, unsigned reg, const char *use);
  /// Takes the raised error as a trap. \returns false if it ends the run.
  bool takeTrap();

  // Hot state first.
  std::array<uint64_t, numRegisters> regs{};
  std::array<uint64_t, numRegisters> ready{}; // cycle of a result
  std::array<uint8_t, numRegisters> taint{};
  uint64_t index = 0; // (pc - base) / 2; may lie outside the image
  uint64_t localCycle = 0;
  uint64_t hash;
  std::array<HartWindow, maxWindows> windows{};
  unsigned numWindows = 0;
  /// Offsets below this need no further check for any access size.
  uint64_t fastWindowSize = 0;
  /// Line of the last fetch, and the address bits that name a line (0 while
  /// the whole image is resident, so that no fetch looks further).
  uint64_t fetchLine = 1, fetchMask = 0;

  uint8_t frm = 0, fflags = 0;
  bool fflagsTainted = false;
  bool trapsEnabled = false, isHalted = false, pendingComplete = false;
  bool warmImage = true;
  bool reservationValid = false;
  uint64_t reservationAddress = 0, reservationValue = 0;

  uint64_t mstatus = 0, mie = 0, mtvec = 0, mscratch = 0, mepc = 0, mcause = 0,
           mtval = 0, cycleOffset = 0, instretOffset = 0;
  uint64_t trapValue = 0;    // mtval of the raised error
  unsigned missesOfLoad = 0; // of the load in progress, retries included

  const HartSpec spec;
  HartEnv &env;
  const uint64_t hartId;
  std::shared_ptr<const DecodedImage> image;
  CacheTags icache, dcache;
  HartCounters stats;
  HartError lastError;
  OpCounts *opCounts = nullptr;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_HART_HART_H
