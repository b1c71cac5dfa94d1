//===- WeightUpload.h - Parameters into a package's buffers -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_WEIGHTUPLOAD_H
#define CHIPWRIGHT_RUNTIME_WEIGHTUPLOAD_H

#include "chips/Diagnostic.h"
#include "models/Weights.h"
#include "runtime/PackageMachine.h"

namespace chipwright {

/// Converts the parameters that the package's weight buffers name to the
/// buffers' types, a few rows at a time, so that no second copy of a weight is
/// in memory, of the files neither. A buffer holds the matrices of its
/// parameter one behind the other, row-major. Refused: parameters that the
/// model does not have, buffers of another size.
Result<void> uploadWeights(PackageMachine &machine, const models::Graph &graph,
                           const models::Weights &weights);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_WEIGHTUPLOAD_H
