//===- TinyModel.h - A model and package made by hand -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Embedding, norm, a router whose choice decides how long a launch takes, and
// logits. Small enough to be read, with every kind of buffer.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_RUNTIME_MODEL_TINYMODEL_H
#define CHIPWRIGHT_TESTS_UNIT_RUNTIME_MODEL_TINYMODEL_H

#include "chips/ResolvedChip.h"
#include "models/Weights.h"
#include "package/PackageFile.h"
#include "runtime/SimDevice.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace chipwright::test {

inline constexpr int64_t kTinyVocabulary = 48, kTinyHidden = 64;

struct TinyModel {
  ResolvedChip chip;
  models::Graph graph;
  models::Weights weights;
  Package package;

  /// Random weights from \p seed.
  static TinyModel make(unsigned seed);

  /// A device; fails the test if there is none.
  std::unique_ptr<SimDevice> device(sim::Mode mode,
                                    const RoutingTrace *routing = nullptr);

  /// A step that appends \p pieces to empty sequences.
  models::Step step(const std::vector<models::SequencePiece> &pieces) const;
};

/// The programs compile once for a process.
TinyModel &tinyModel();

/// A folder of the test's own, removed at its end.
class ScratchFolder {
public:
  ScratchFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "chipwright-runtime-XXXXXX")
            .string();
    path = mkdtemp(name.data());
  }
  ~ScratchFolder() { std::filesystem::remove_all(path); }
  ScratchFolder(const ScratchFolder &) = delete;
  ScratchFolder &operator=(const ScratchFolder &) = delete;

  std::string operator/(const std::string &name) const {
    return path + "/" + name;
  }

private:
  std::string path;
};

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_UNIT_RUNTIME_MODEL_TINYMODEL_H
