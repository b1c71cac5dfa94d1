//===- HartEnv.h - What surrounds a hart ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A hart executes on its own as long as it stays in registers and in its
// memory windows; everything else goes through this interface. All cycles are
// absolute, in PE clock cycles.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_HART_HARTENV_H
#define CHIPWRIGHT_SIM_HART_HARTENV_H

#include "sim/hart/Instruction.h"

#include <cstdint>

namespace chipwright::sim {

class Hart;

/// What became of a request.
enum class EnvStatus : uint8_t {
  Done,
  /// Not now. The instruction has not retired and is executed again, request
  /// included, by the next Hart::run.
  BlockRetry,
  /// Not now. The environment has taken the request and will finish the
  /// instruction with Hart::complete; the request is not repeated.
  BlockComplete,
  /// The run ends. The environment says why with Hart::fail before returning.
  Error,
  /// The instruction retires and the hart halts (custom and ecall only).
  Halt,
};

/// Answer to a memory request.
struct MemResult {
  EnvStatus status = EnvStatus::Done;
  bool tainted = false;
  /// Loads and AMOs: the bytes read, zero-extended (the hart extends the sign).
  /// SC: 0 if it stored, 1 if it did not.
  uint64_t value = 0;
  /// Loads and AMOs: first cycle in which a consumer may issue. Stores and
  /// fills: first cycle in which the hart may go on.
  uint64_t readyCycle = 0;

  static MemResult done(uint64_t value, uint64_t readyCycle,
                        bool tainted = false) {
    return {EnvStatus::Done, tainted, value, readyCycle};
  }
  static MemResult blockRetry() { return {EnvStatus::BlockRetry, false, 0, 0}; }
  static MemResult blockComplete() {
    return {EnvStatus::BlockComplete, false, 0, 0};
  }
  static MemResult error() { return {EnvStatus::Error, false, 0, 0}; }
};

/// Answer to a custom instruction, an ecall or a fence.
struct CustomResult {
  EnvStatus status = EnvStatus::Done;
  bool writeRd = false; // whether rd receives value
  bool tainted = false;
  uint64_t value = 0;
  /// First cycle in which the next instruction may issue; one that is not
  /// later than the issue of this instruction counts as the cycle after it.
  uint64_t nextCycle = 0;

  static CustomResult done(uint64_t nextCycle) {
    return {EnvStatus::Done, false, false, 0, nextCycle};
  }
  static CustomResult done(uint64_t nextCycle, uint64_t value,
                           bool tainted = false) {
    return {EnvStatus::Done, true, tainted, value, nextCycle};
  }
  static CustomResult blockRetry() {
    return {EnvStatus::BlockRetry, false, false, 0, 0};
  }
  static CustomResult blockComplete() {
    return {EnvStatus::BlockComplete, false, false, 0, 0};
  }
  static CustomResult error() { return {EnvStatus::Error, false, false, 0, 0}; }
  static CustomResult halt() { return {EnvStatus::Halt, false, false, 0, 0}; }
};

/// The surroundings of a hart. The defaults are those of a bare hart: no
/// memory beyond its windows, no custom instructions.
class HartEnv {
public:
  virtual ~HartEnv() = default;

  /// Whether accesses to \p address go through the hart's data cache.
  virtual bool cacheable(uint64_t address) const;

  /// Reads \p size (1, 2, 4, 8) bytes at \p address, any alignment. \p cached:
  /// the data cache holds the lines, so this takes no time (readyCycle is
  /// ignored); it may answer BlockRetry to let others catch up with the hart's
  /// local time, after which line versions are checked again. Called only
  /// outside the windows.
  virtual MemResult load(Hart &hart, uint64_t address, unsigned size,
                         uint64_t cycle, bool cached);

  /// Writes the low \p size bytes of \p value (write-through, no allocate).
  virtual MemResult store(Hart &hart, uint64_t address, unsigned size,
                          uint64_t value, bool tainted, uint64_t cycle);

  /// Executes LR, SC or an AMO outside the windows at a naturally aligned
  /// address; \p op names the instruction and its size.
  virtual MemResult atomic(Hart &hart, Op op, uint64_t address,
                           uint64_t operand, bool tainted, uint64_t cycle);

  /// Fetches the cache line at \p address. Done: the line is there from
  /// readyCycle on. BlockRetry: the hart asks again when it runs next.
  virtual MemResult fillLine(Hart &hart, uint64_t address, unsigned bytes,
                             bool instruction, uint64_t cycle);

  /// Counts the changes of the line at \p address made by anybody but \p hart
  /// (what others wrote in all, less what \p hart wrote, will do). Only
  /// inequality with the count at the time of the fill matters.
  virtual uint32_t lineVersion(const Hart &hart, uint64_t address) const;

  /// Executes a custom instruction with the values of its source registers.
  virtual CustomResult custom(Hart &hart, uint32_t word, uint64_t rs1,
                              uint64_t rs2, uint64_t cycle);

  /// Called for ecall if ecallHandled() is true; otherwise it traps or ends
  /// the run.
  virtual bool ecallHandled() const { return false; }
  virtual CustomResult ecall(Hart &hart, uint64_t cycle);

  /// Orders memory accesses; \p word is the fence instruction. Default: one
  /// cycle, nothing to order.
  virtual CustomResult fence(Hart &hart, uint32_t word, uint64_t cycle);

  /// Reads a CSR that the hart itself does not have; sets \p ok to false if
  /// nobody has it, which makes the instruction illegal.
  virtual uint64_t csrRead(Hart &hart, uint32_t csr, uint64_t cycle, bool &ok);
  /// Writes such a CSR. \returns false if there is none to write.
  virtual bool csrWrite(Hart &hart, uint32_t csr, uint64_t value,
                        uint64_t cycle);
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_HART_HARTENV_H
