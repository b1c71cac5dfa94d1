//===- TileRun.h - Compiled tile programs on a machine ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_SUPPORT_TILERUN_H
#define CHIPWRIGHT_TESTS_SUPPORT_TILERUN_H

#include "chips/ChipSpec.h"
#include "sim/machine/Machine.h"

#include <Eigen/Core>

#include <cstdint>
#include <string>
#include <vector>

namespace chipwright::test {

using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A buffer of a program, in the order of its arguments. Values are rounded to
/// the type on the way in; outputs start as NaN (integers: a pattern).
struct TileBuffer {
  DType dtype = DType::F32;
  Matrix values;
  bool isControl = false;
  bool isOutput = false;
  bool inSram = false;
};

/// What the buffer holds after rounding.
Matrix rounded(const TileBuffer &buffer);

struct TileRun {
  sim::JobResult job;
  /// Contents of all buffers afterwards (functional mode).
  std::vector<Matrix> buffers;
};

/// Compiles the `grid` (or `pe`) text \p program for \p spec and runs it.
/// \p scalars follow the buffers' addresses in the argument block. Throws
/// std::runtime_error with what the compiler or the machine said.
TileRun runTiles(const ChipSpec &spec, const std::string &program,
                 const std::vector<TileBuffer> &buffers,
                 const std::vector<uint64_t> &scalars,
                 sim::Mode mode = sim::Mode::Functional);

/// ||out - reference|| / ||reference||.
double relativeError(const Matrix &out, const Matrix &reference);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_SUPPORT_TILERUN_H
