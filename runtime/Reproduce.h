//===- Reproduce.h - One op of a run, by itself -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A folder that holds all that one op of one step needs: its launches as a
// package, the buffers before and the results after them, and the command that
// runs them.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_REPRODUCE_H
#define CHIPWRIGHT_RUNTIME_REPRODUCE_H

#include "chips/Diagnostic.h"
#include "runtime/PackageMachine.h"
#include "runtime/SimDevice.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace chipwright {

/// Writes the folder \p directory at the first step: package.cwx,
/// inputs.safetensors and results.safetensors (bytes by buffer), step.json
/// (values of the symbols) and run.sh. The launches are those from the op's
/// first to its last one.
class OpSaver final : public LaunchObserver {
public:
  /// \p chipOptions are the words that name the chip on the command line.
  OpSaver(std::string op, std::string directory, std::string chipOptions)
      : op(std::move(op)), directory(std::move(directory)),
        chipOptions(std::move(chipOptions)) {}

  Result<void> stepBegins(const models::Step &step,
                          const StepSizes &sizes) override;
  Result<void> beforeLaunch(PackageMachine &machine, size_t launch) override;
  Result<void> afterLaunch(PackageMachine &machine, size_t launch) override;

private:
  struct Contents {
    std::string name;
    std::vector<uint8_t> bytes;
  };

  /// Cuts the launches of the op out of \p whole.
  void cut(const Package &whole);
  std::vector<Contents> copy(PackageMachine &machine, bool onlyResults) const;
  Result<void> save(const std::vector<Contents> &results) const;

  std::string op, directory, chipOptions;
  StepSizes current;
  size_t first = 0, last = 0;
  bool isDone = false;
  Package part;
  std::vector<int64_t> used; // buffers of the whole package, by those of `part`
  std::vector<Contents> inputs;
};

struct OpReplay {
  std::vector<LaunchRecord> launches;
  Measurement measurement;
  /// Bytes that differ from the saved results, by buffer; empty in timing mode.
  std::vector<std::pair<std::string, uint64_t>> differing;

  bool agrees() const;
};

/// Runs what OpSaver wrote to \p directory.
Result<OpReplay> replayOp(const std::string &directory,
                          const ResolvedChip &chip,
                          const MachineRequest &request);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_REPRODUCE_H
