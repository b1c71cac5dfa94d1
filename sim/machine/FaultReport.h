//===- FaultReport.h - Messages for stopped programs ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_MACHINE_FAULTREPORT_H
#define CHIPWRIGHT_SIM_MACHINE_FAULTREPORT_H

#include "sim/machine/Job.h"

#include <string>
#include <vector>

namespace chipwright::sim {

class BarrierNetwork;
class MulticastNetwork;
class Pe;

/// \returns the instruction at \p pc as assembly text.
std::string instructionAt(const KernelImage &image, uint64_t pc);

/// Adds to \p fault where it happened: chip, PE, hart, pc with function and
/// disassembled instruction, the operation that it belongs to, and the state of
/// the CBs of \p pe and, if there is one, of the \p other PE that has part in
/// it.
Fault completeFault(const Fault &fault, const Job &job, const Pe &pe,
                    const Pe *other, const ChipSpec &spec);

/// The fault of a machine in which nothing can happen any more: who waits for
/// what, and which members barriers and multicasts lack.
Fault deadlockFault(const std::vector<const Pe *> &pes, const Job &job,
                    const ChipSpec &spec, const MulticastNetwork &multicast,
                    const BarrierNetwork &barriers);

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_MACHINE_FAULTREPORT_H
