//===- Tensor.h - Contents of buffers ---------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_TENSOR_H
#define CHIPWRIGHT_RUNTIME_TENSOR_H

#include "runtime/Kernel.h"

namespace chipwright {

/// Fills \p data with random elements in [low, high] of \p buffer, the same
/// on every computer for the same \p seed.
void fillRandom(const KernelBuffer &buffer, uint64_t seed, uint8_t *data);

/// Fills \p data with the elements that `value` of \p buffer says.
void fillValues(const KernelBuffer &buffer, uint8_t *data);

/// Fills an output with what a kernel does not write by chance: NaN, or the
/// smallest integer.
void poison(const KernelBuffer &buffer, uint8_t *data);

/// Fills \p data with what buffer \p number of a plan holds before a launch:
/// poison(), fillValues() or random numbers of the buffer's own.
void fillBuffer(const KernelBuffer &buffer, uint64_t seed, size_t number,
                uint8_t *data);

/// The elements of a buffer as fp64.
Matrix toMatrix(const KernelBuffer &buffer, const uint8_t *data);

/// ||out - reference|| / ||reference|| in the Frobenius norm; the numerator
/// alone if the reference is zero. NaN if \p out has one.
double relativeError(const Matrix &out, const Matrix &reference);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_TENSOR_H
