//===- QuantiseWeights.cpp - Linear maps, experts with weights of 4 bits --===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/llm/LlmPasses.h"

#include "mlir/IR/BuiltinTypes.h"

namespace chipwright {
#define GEN_PASS_DEF_QUANTISEWEIGHTSPASS
#include "compiler/llm/LlmPasses.h.inc"
} // namespace chipwright

using namespace mlir;
using namespace chipwright;

/// Columns that share a scale.
static constexpr int64_t kBlock = 32;

namespace {

class QuantiseWeights
    : public chipwright::impl::QuantiseWeightsPassBase<QuantiseWeights> {
public:
  using QuantiseWeightsPassBase::QuantiseWeightsPassBase;

  void runOnOperation() override {
    Builder b(&getContext());
    if (type == "i4") {
      codes = b.getIntegerType(4);
      scales = b.getBF16Type();
    } else if (type == "f4E2M1FN") {
      codes = b.getType<Float4E2M1FNType>();
      scales = b.getType<Float8E8M0FNUType>();
    } else {
      getOperation().emitError("llm-quantise-weights: expected type=i4 or "
                               "f4E2M1FN, found '")
          << type << "'";
      return signalPassFailure();
    }
    getOperation().walk([&](llm::LinearOp op) { rewrite(op); });
    getOperation().walk([&](llm::ExpertsOp op) { rewrite(op); });
  }

private:
  /// The codes and the scales of \p parameter.
  std::pair<Value, Value> encoded(llm::ParameterOp parameter, OpBuilder &b) {
    auto stored = cast<RankedTensorType>(parameter.getValue().getType());
    SmallVector<int64_t> shape(stored.getShape());
    const int64_t blocks = (shape.back() + kBlock - 1) / kBlock;
    auto make = [&](int64_t columns, Type element, bool isScales) -> Value {
      shape.back() = columns;
      return llm::ParameterOp::create(b, parameter.getLoc(),
                                      RankedTensorType::get(shape, element),
                                      parameter.getParameterAttr(), isScales);
    };
    Value first = make(blocks * kBlock, codes, /*isScales=*/false);
    return {first, make(blocks, scales, /*isScales=*/true)};
  }

  void rewrite(llm::LinearOp op) {
    auto parameter = op.getWeight().getDefiningOp<llm::ParameterOp>();
    if (!parameter) {
      return; // a weight that is computed is not stored
    }
    OpBuilder b(op);
    auto [weight, factors] = encoded(parameter, b);
    auto made = llm::BlockLinearOp::create(b, op.getLoc(), op.getY().getType(),
                                           op.getX(), weight, factors,
                                           op.getBias(), op.getNameAttr());
    op.getY().replaceAllUsesWith(made.getY());
    op.erase();
    eraseUnused(parameter);
  }

  void rewrite(llm::ExpertsOp op) {
    OpOperand *const weights[] = {&op.getGateMutable(), &op.getUpMutable(),
                                  &op.getDownMutable()};
    SmallVector<llm::ParameterOp> parameters;
    for (OpOperand *weight : weights) {
      parameters.push_back(weight->get().getDefiningOp<llm::ParameterOp>());
    }
    if (llvm::is_contained(parameters, nullptr) || op.numScales() > 0) {
      return;
    }
    OpBuilder b(op);
    SmallVector<Value> more;
    for (auto [weight, parameter] : llvm::zip(weights, parameters)) {
      auto [numbers, factors] = encoded(parameter, b);
      weight->set(numbers);
      more.push_back(factors);
    }
    llvm::append_range(more, op.getMore());
    op.getMoreMutable().assign(more);
    for (llm::ParameterOp parameter : parameters) {
      eraseUnused(parameter);
    }
  }

  static void eraseUnused(llm::ParameterOp parameter) {
    if (parameter.getValue().use_empty()) {
      parameter.erase();
    }
  }

  Type codes, scales;
};

} // namespace
