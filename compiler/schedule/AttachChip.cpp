//===- AttachChip.cpp - A chip's parameters as an attribute ---------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/ResolvedChip.h"
#include "compiler/Target.h"
#include "compiler/grid/GridPasses.h"

namespace chipwright {
#define GEN_PASS_DEF_ATTACHCHIPPASS
#include "compiler/grid/GridPasses.h.inc"
} // namespace chipwright

using namespace mlir;
using namespace chipwright;

namespace {

class AttachChip : public chipwright::impl::AttachChipPassBase<AttachChip> {
public:
  using AttachChipPassBase::AttachChipPassBase;

  void runOnOperation() override {
    Result<ResolvedChip> loaded =
        loadChip(chip, std::vector<std::string>(set.begin(), set.end()));
    if (!loaded) {
      getOperation().emitError("attach-chip: ") << loaded.error().message;
      return signalPassFailure();
    }
    Target::of(loaded->spec).attachTo(getOperation());
  }
};

} // namespace
