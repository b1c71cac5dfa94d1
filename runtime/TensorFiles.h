//===- TensorFiles.h - Values of a run into files, faults into values -----===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_TENSORFILES_H
#define CHIPWRIGHT_RUNTIME_TENSORFILES_H

#include "runtime/SimDevice.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace chipwright {

/// Writes the values of each step that lie in buffers, as the chip has them,
/// to DIR/step-NNN.safetensors, under their names in the graph and with the
/// sizes of the step. The last contents count where a value is written twice.
class TensorSaver final : public LaunchObserver {
public:
  /// \p directory is made if it is not there.
  explicit TensorSaver(std::string directory)
      : directory(std::move(directory)) {}

  Result<void> stepBegins(const models::Step &step,
                          const StepSizes &sizes) override;
  Result<void> afterLaunch(PackageMachine &machine, size_t launch) override;
  Result<void> stepEnds() override;

private:
  struct Saved {
    DType dtype = DType::F32;
    std::vector<int64_t> shape;
    std::vector<uint8_t> bytes;
  };

  std::string directory;
  StepSizes current;
  size_t stepNumber = 0;
  std::map<std::string, Saved> saved;
};

/// Flips one bit in the first result of an op, once, after the op's last launch
/// with results in the first step: the top exponent bit of its first element,
/// or the lowest bit of an index. For tests of what finds errors.
class BitFlip final : public LaunchObserver {
public:
  explicit BitFlip(std::string op) : op(std::move(op)) {}

  Result<void> afterLaunch(PackageMachine &machine, size_t launch) override;

  bool isDone() const { return done; }

private:
  std::string op;
  bool done = false;
};

/// An error that lists ops with names like \p op, unless \p package has
/// launches of an op of that name with results.
Result<void> requireOp(const Package &package, const std::string &op);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_TENSORFILES_H
