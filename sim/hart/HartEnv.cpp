//===- HartEnv.cpp - Defaults of a hart's surroundings --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/hart/HartEnv.h"

#include "sim/hart/Hart.h"

namespace chipwright::sim {

bool HartEnv::cacheable(uint64_t) const { return false; }

MemResult HartEnv::load(Hart &hart, uint64_t address, unsigned size, uint64_t,
                        bool) {
  hart.failAccess("load", address, size);
  return MemResult::error();
}

MemResult HartEnv::store(Hart &hart, uint64_t address, unsigned size, uint64_t,
                         bool, uint64_t) {
  hart.failAccess("store", address, size);
  return MemResult::error();
}

MemResult HartEnv::atomic(Hart &hart, Op op, uint64_t address, uint64_t, bool,
                          uint64_t) {
  hart.failAccess(opName(op), address, atomicBytes(op));
  return MemResult::error();
}

MemResult HartEnv::fillLine(Hart &, uint64_t, unsigned, bool, uint64_t cycle) {
  return MemResult::done(0, cycle);
}

uint32_t HartEnv::lineVersion(const Hart &, uint64_t) const { return 0; }

CustomResult HartEnv::custom(Hart &hart, uint32_t word, uint64_t, uint64_t,
                             uint64_t) {
  hart.fail(HartErrorKind::IllegalInstruction,
            disassemble(word, hart.pc()) +
                " is an instruction of an extension that this machine does "
                "not have");
  return CustomResult::error();
}

CustomResult HartEnv::ecall(Hart &, uint64_t cycle) {
  return CustomResult::done(cycle + 1);
}

CustomResult HartEnv::fence(Hart &, uint32_t, uint64_t cycle) {
  return CustomResult::done(cycle + 1);
}

uint64_t HartEnv::csrRead(Hart &, uint32_t, uint64_t, bool &ok) {
  ok = false;
  return 0;
}

bool HartEnv::csrWrite(Hart &, uint32_t, uint64_t, uint64_t) { return false; }

} // namespace chipwright::sim
