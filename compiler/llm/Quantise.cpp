//===- Quantise.cpp - Linear maps with 8-bit operands ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/llm/LlmPasses.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/BuiltinTypes.h"

namespace chipwright {
#define GEN_PASS_DEF_QUANTISEPASS
#include "compiler/llm/LlmPasses.h.inc"
} // namespace chipwright

using namespace mlir;
using namespace chipwright;

namespace {

class Quantise : public chipwright::impl::QuantisePassBase<Quantise> {
public:
  using QuantisePassBase::QuantisePassBase;

  void runOnOperation() override {
    Type type = typeOf(product);
    if (!type) {
      getOperation().emitError("llm-quantise: expected product=i8, f8E4M3FN or "
                               "f8E5M2, found '")
          << product << "'";
      return signalPassFailure();
    }
    getOperation().walk([&](llm::LinearOp op) { rewrite(op, type); });
  }

private:
  Type typeOf(const std::string &name) {
    Builder b(&getContext());
    return name == "i8"         ? Type(b.getI8Type())
           : name == "f8E4M3FN" ? Type(b.getType<Float8E4M3FNType>())
           : name == "f8E5M2"   ? Type(b.getType<Float8E5M2Type>())
                                : Type();
  }

  static void rewrite(llm::LinearOp op, Type type) {
    auto parameter = op.getWeight().getDefiningOp<llm::ParameterOp>();
    // A weight that is computed has no rows to look at beforehand; products of
    // two activations have too few large elements for integers
    // (models::mayQuantise()).
    if (!parameter ||
        (type.isInteger(8) && op.getX().getDefiningOp<llm::SiluMulOp>())) {
      return;
    }
    OpBuilder b(op);
    auto shape = cast<RankedTensorType>(parameter.getValue().getType());
    auto quantised = llm::ParameterOp::create(
        b, op.getLoc(), RankedTensorType::get(shape.getShape(), type),
        parameter.getParameterAttr(), /*scales=*/false);
    auto scales = llm::ParameterOp::create(
        b, op.getLoc(),
        RankedTensorType::get({1, shape.getDimSize(0)}, b.getF32Type()),
        parameter.getParameterAttr(), /*scales=*/true);
    auto made = llm::QuantisedLinearOp::create(
        b, op.getLoc(), op.getY().getType(), op.getX(), quantised, scales,
        op.getBias(), op.getNameAttr());
    op.getY().replaceAllUsesWith(made.getY());
    op.erase();
    if (parameter.getValue().use_empty()) {
      parameter.erase();
    }
  }
};

} // namespace
