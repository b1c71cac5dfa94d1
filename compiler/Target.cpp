//===- Target.cpp ---------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/Target.h"

#include "chips/KernelAbi.h"

#include "mlir/IR/Builders.h"

#include <algorithm>

using namespace chipwright;
using namespace mlir;

static constexpr StringLiteral kAttribute = "pe.chip";

namespace {
struct Field {
  StringLiteral name;
  int64_t Target::*member;
};
} // namespace

static constexpr Field kFields[] = {
    {"rows", &Target::rows},
    {"cols", &Target::cols},
    {"local_bytes", &Target::localBytes},
    {"argument_bytes", &Target::argumentBytes},
    {"contexts", &Target::contexts},
    {"cbs", &Target::cbs},
    {"banks", &Target::banks},
    {"stream_rows", &Target::streamRows},
    {"cached_rows", &Target::cachedRows},
    {"k_bytes", &Target::kBytes},
    {"max_passes", &Target::maxPasses},
    {"granule_bytes", &Target::granuleBytes},
};

static constexpr Field kRates[] = {
    {"port_bytes", &Target::portBytes},
    {"memory_bytes", &Target::memoryBytes},
    {"load_bytes", &Target::loadBytes},
    {"min_pass_cycles", &Target::minPassCycles},
    {"drain_elements", &Target::drainElements},
    {"lanes", &Target::lanes},
};

Target Target::of(const ChipSpec &spec) {
  Target target;
  target.name = spec.name;
  target.isa = spec.hart.isa;
  target.rows = spec.grid.rows;
  target.cols = spec.grid.cols;
  target.localBytes = static_cast<int64_t>(spec.ls.bytes) -
                      static_cast<int64_t>(reservedLocalBytes(spec));
  target.argumentBytes = spec.control.descriptorBytes;
  target.contexts = spec.cp.contexts;
  target.cbs = spec.cp.cbs;
  target.banks = spec.re.banks;
  target.streamRows = spec.dpe.streamRows;
  target.cachedRows = int64_t(spec.dpe.tiles) * spec.dpe.tileRows;
  target.kBytes = spec.dpe.kBytes;
  target.maxPasses = spec.cp.mmlMaxPasses;
  target.granuleBytes = spec.memory.interleaveBytes;
  target.portBytes = spec.fi.portBytes;
  target.memoryBytes = int64_t(spec.sram.banks) * spec.sram.bankBytes;
  target.loadBytes = spec.dpe.loadBytes;
  target.minPassCycles = spec.dpe.minPassCycles;
  target.drainElements = spec.re.drainElements;
  target.lanes = spec.se.lanes;
  return target;
}

FailureOr<Target> Target::of(Operation *op) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module) {
    module = op->getParentOfType<ModuleOp>();
  }
  auto chip = module ? module->getAttrOfType<DictionaryAttr>(kAttribute)
                     : DictionaryAttr();
  if (!chip) {
    return op->emitError("the module has no attribute `pe.chip`; run the pass "
                         "attach-chip first");
  }
  Target target;
  if (auto name = chip.getAs<StringAttr>("name")) {
    target.name = name.str();
  }
  if (auto isa = chip.getAs<StringAttr>("isa")) {
    target.isa = isa.str();
  }
  for (const Field &field : kFields) {
    auto value = chip.getAs<IntegerAttr>(field.name);
    if (!value) {
      return op->emitError("the attribute `pe.chip` of the module lacks the "
                           "integer `")
             << field.name << "`";
    }
    target.*field.member = value.getInt();
  }
  for (const Field &field : kRates) {
    if (auto value = chip.getAs<IntegerAttr>(field.name)) {
      target.*field.member = std::max<int64_t>(value.getInt(), 1);
    }
  }
  return target;
}

std::string Target::differenceTo(const Target &other) const {
  if (isa != other.isa) {
    return "isa is " + isa + " here and " + other.isa + " there";
  }
  for (const Field &field : kFields) {
    int64_t mine = this->*field.member, theirs = other.*field.member;
    if (mine != theirs) {
      return field.name.str() + " is " + std::to_string(mine) + " here and " +
             std::to_string(theirs) + " there";
    }
  }
  return "";
}

void Target::attachTo(ModuleOp module) const {
  Builder builder(module.getContext());
  SmallVector<NamedAttribute> values = {
      builder.getNamedAttr("name", builder.getStringAttr(name)),
      builder.getNamedAttr("isa", builder.getStringAttr(isa))};
  for (const Field &field : kFields) {
    values.push_back(builder.getNamedAttr(
        field.name, builder.getI64IntegerAttr(this->*field.member)));
  }
  for (const Field &field : kRates) {
    values.push_back(builder.getNamedAttr(
        field.name, builder.getI64IntegerAttr(this->*field.member)));
  }
  module->setAttr(kAttribute, builder.getDictionaryAttr(values));
}
