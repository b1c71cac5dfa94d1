//===- CommandTags.h - What commands belong to ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_MACHINE_COMMANDTAGS_H
#define CHIPWRIGHT_SIM_MACHINE_COMMANDTAGS_H

#include "sim/machine/Job.h"

#include <cstdint>
#include <string>
#include <vector>

namespace chipwright::sim {

/// Reads the contents of the sections .chipwright.ops (addresses of 8 bytes and
/// numbers of 4 bytes, little-endian) and .chipwright.tags (strings, each ended
/// by a zero) into \p image, which has its bytes.
/// \returns "", or what is wrong with them.
std::string readCommandTags(const std::vector<uint8_t> &ops,
                            const std::vector<uint8_t> &tags,
                            KernelImage &image);

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_MACHINE_COMMANDTAGS_H
