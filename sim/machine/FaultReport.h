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

class Pe;

/// Adds to \p fault where it happened: chip, PE, hart, pc with function and
/// disassembled instruction, and the state of the PE's CBs.
Fault completeFault(const Fault &fault, const KernelImage &image,
                    const Pe &pe, const ChipSpec &spec);

/// The fault of a machine in which nothing can happen any more: who waits for
/// what. \p networkWaits: one line per barrier and multicast without members.
Fault deadlockFault(const std::vector<const Pe *> &pes,
                    const std::vector<std::string> &networkWaits);

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_MACHINE_FAULTREPORT_H
