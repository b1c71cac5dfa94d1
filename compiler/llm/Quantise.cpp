//===- Quantise.cpp - Linear maps and experts with 8-bit operands ---------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/llm/LlmPasses.h"

#include "models/Graph.h"

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
    if (!products.empty() && products != "yes" && products != "no") {
      getOperation().emitError("llm-quantise: expected products=yes or no, "
                               "found '")
          << products << "'";
      return signalPassFailure();
    }
    ofProducts = products.empty() ? models::mayQuantiseProducts(rowsOf(type))
                                  : products == "yes";
    getOperation().walk([&](llm::LinearOp op) { rewrite(op, type); });
    getOperation().walk([&](llm::ExpertsOp op) { rewrite(op, type); });
  }

private:
  Type typeOf(const std::string &name) {
    Builder b(&getContext());
    return name == "i8"         ? Type(b.getI8Type())
           : name == "f8E4M3FN" ? Type(b.getType<Float8E4M3FNType>())
           : name == "f8E5M2"   ? Type(b.getType<Float8E5M2Type>())
                                : Type();
  }

  static models::RowType rowsOf(Type type) {
    return type.isInteger()            ? models::RowType::I8
           : isa<Float8E5M2Type>(type) ? models::RowType::F8E5M2
                                       : models::RowType::F8E4M3;
  }

  /// A weight in 8 bits, and its scales.
  struct Quantised {
    Value weight, scales;
  };

  static Quantised quantised(llm::ParameterOp parameter, Type type,
                             OpBuilder &b) {
    auto shape = cast<RankedTensorType>(parameter.getValue().getType());
    // A scale for each row: [1, rows], or [matrices, rows].
    SmallVector<int64_t> scales(shape.getShape().drop_back());
    if (scales.size() == 1) {
      scales.insert(scales.begin(), 1);
    }
    auto make = [&](ArrayRef<int64_t> sizes, Type element, bool isScales) {
      return llm::ParameterOp::create(b, parameter.getLoc(),
                                      RankedTensorType::get(sizes, element),
                                      parameter.getParameterAttr(), isScales);
    };
    return {make(shape.getShape(), type, false),
            make(scales, b.getF32Type(), true)};
  }

  static void eraseUnused(llm::ParameterOp parameter) {
    if (parameter && parameter.getValue().use_empty()) {
      parameter.erase();
    }
  }

  // A weight that is computed has no rows to look at beforehand; products of
  // two activations may have too few large elements.
  void rewrite(llm::LinearOp op, Type type) {
    auto parameter = op.getWeight().getDefiningOp<llm::ParameterOp>();
    if (!parameter ||
        (!ofProducts && op.getX().getDefiningOp<llm::SiluMulOp>())) {
      return;
    }
    OpBuilder b(op);
    auto [weight, scales] = quantised(parameter, type, b);
    auto made = llm::QuantisedLinearOp::create(
        b, op.getLoc(), op.getY().getType(), op.getX(), weight, scales,
        op.getBias(), op.getNameAttr());
    op.getY().replaceAllUsesWith(made.getY());
    op.erase();
    eraseUnused(parameter);
  }

  void rewrite(llm::ExpertsOp op, Type type) {
    auto gate = op.getGate().getDefiningOp<llm::ParameterOp>(),
         up = op.getUp().getDefiningOp<llm::ParameterOp>(),
         down = op.getDown().getDefiningOp<llm::ParameterOp>();
    if (!gate || !up || op.numScales() > 0) {
      return;
    }
    OpBuilder b(op);
    SmallVector<Value> more;
    auto replace = [&](OpOperand &operand, llm::ParameterOp parameter) {
      auto [weight, scales] = quantised(parameter, type, b);
      operand.set(weight);
      more.push_back(scales);
    };
    replace(op.getGateMutable(), gate);
    replace(op.getUpMutable(), up);
    if (ofProducts && down) {
      replace(op.getDownMutable(), down);
    }
    llvm::append_range(more, op.getMore());
    op.getMoreMutable().assign(more);
    for (llm::ParameterOp parameter : {gate, up, down}) {
      eraseUnused(parameter);
    }
  }

  bool ofProducts = false;
};

} // namespace
