//===- PackagePlacement.h - Addresses of a package's buffers ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_PACKAGEPLACEMENT_H
#define CHIPWRIGHT_RUNTIME_PACKAGEPLACEMENT_H

#include "chips/ChipSpec.h"
#include "chips/Diagnostic.h"
#include "package/Package.h"
#include "runtime/Placement.h"

#include <vector>

namespace chipwright {

/// Gives every buffer of \p package an address, with the largest values of its
/// sizes: weights, tables and caches in DRAM; activations, inputs and outputs
/// together in SRAM scratch if they fit there, else in DRAM.
/// \returns the buffers in the package's order, or what is needed and what
/// there is (exit status ExitDoesNotFit). The package has been checked.
Result<std::vector<PlacedBuffer>> placePackage(const ChipSpec &spec,
                                               const Package &package);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_PACKAGEPLACEMENT_H
