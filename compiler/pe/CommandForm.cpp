//===- CommandForm.cpp - Fields and word of a command ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/pe/CommandForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace chipwright;
using namespace chipwright::compiler;

static uint64_t lowMask(unsigned width) {
  return width >= 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1;
}

static std::optional<int64_t> constantOf(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant))) {
    return constant.getSExtValue();
  }
  return std::nullopt;
}

Value compiler::makeConstant(OpBuilder &builder, Location loc, uint64_t value) {
  return arith::ConstantOp::create(
      builder, loc, builder.getI64IntegerAttr(static_cast<int64_t>(value)));
}

static Value shiftLeft(OpBuilder &builder, Location loc, Value value,
                       unsigned bits) {
  if (bits == 0) {
    return value;
  }
  return arith::ShLIOp::create(builder, loc, value,
                               makeConstant(builder, loc, bits));
}

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

Value FieldForm::materialize(OpBuilder &builder, Location loc) const {
  Value result;
  for (const Part &part : parts) {
    unsigned lo = part.slice->lo, width = part.slice->width;
    Value piece;
    if (part.slice->isSigned && width < 64) {
      // Sign bits above the slice must not reach its neighbours.
      piece = shiftLeft(builder, loc, part.value, 64 - width);
      if (64 - width != lo) {
        piece = arith::ShRUIOp::create(
            builder, loc, piece, makeConstant(builder, loc, 64 - width - lo));
      }
    } else {
      piece = shiftLeft(builder, loc, part.value, lo);
    }
    result = result ? arith::OrIOp::create(builder, loc, result, piece) : piece;
  }
  if (!result || constant != 0) {
    Value fixed = makeConstant(builder, loc, constant);
    result = result ? arith::OrIOp::create(builder, loc, result, fixed) : fixed;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// The word
//===----------------------------------------------------------------------===//

void WordForm::add(Value value, uint64_t factor) {
  if (factor == 0) {
    return;
  }
  if (auto number = constantOf(value)) {
    constant += static_cast<uint64_t>(*number) * factor;
    return;
  }
  Operation *op = value.getDefiningOp();
  if (auto sum = dyn_cast_or_null<arith::AddIOp>(op)) {
    add(sum.getLhs(), factor);
    add(sum.getRhs(), factor);
    return;
  }
  if (auto difference = dyn_cast_or_null<arith::SubIOp>(op)) {
    add(difference.getLhs(), factor);
    add(difference.getRhs(), -factor);
    return;
  }
  if (auto product = dyn_cast_or_null<arith::MulIOp>(op)) {
    Value left = product.getLhs(), right = product.getRhs();
    if (constantOf(left)) {
      std::swap(left, right);
    }
    if (auto number = constantOf(right)) {
      add(left, factor * static_cast<uint64_t>(*number));
      return;
    }
  }
  if (auto shift = dyn_cast_or_null<arith::ShLIOp>(op)) {
    auto bits = constantOf(shift.getRhs());
    if (bits && *bits >= 0 && *bits < 64) {
      add(shift.getLhs(), factor << *bits);
      return;
    }
  }
  for (Term &term : terms) {
    if (term.value == value) {
      term.factor += factor;
      if (term.factor == 0) {
        terms.erase(&term);
      }
      return;
    }
  }
  terms.push_back({value, factor});
}

/// Regions around the definition of \p value.
static unsigned depthOf(Value value) {
  unsigned depth = 0;
  for (Region *region = value.getParentRegion(); region;
       region = region->getParentRegion()) {
    ++depth;
  }
  return depth;
}

Value WordForm::materialize(OpBuilder &builder, Location loc) const {
  // Outer values first: their partial sum moves out of inner loops.
  SmallVector<std::tuple<unsigned, size_t>> order;
  for (auto [i, term] : llvm::enumerate(terms)) {
    order.push_back({depthOf(term.value), i});
  }
  llvm::sort(order);
  Value result;
  if (constant != 0 || terms.empty()) {
    result = makeConstant(builder, loc, constant);
  }
  for (auto [depth, i] : order) {
    const Term &term = terms[i];
    Value piece = term.value;
    if (llvm::isPowerOf2_64(term.factor)) {
      piece = shiftLeft(builder, loc, piece, llvm::Log2_64(term.factor));
    } else {
      piece = arith::MulIOp::create(builder, loc, piece,
                                    makeConstant(builder, loc, term.factor));
    }
    result =
        result ? arith::AddIOp::create(builder, loc, result, piece) : piece;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<SliceForm>>
compiler::readSlices(pe::CommandOpInterface command) {
  SmallVector<SliceForm> result;
  for (const isa::SliceInfo &info : isa::slices(command.getXpeOpcode())) {
    SliceForm form{&info, Value()};
    OpFoldResult slice = command.getSlice(info.name);
    if (auto value = dyn_cast<Value>(slice)) {
      if (auto constant = constantOf(value)) {
        std::string why = pe::explainConstant(info, *constant);
        if (!why.empty()) {
          command->emitOpError(why);
          return failure();
        }
        form.constant = *constant;
      } else {
        form.value = value;
      }
    } else {
      form.constant = cast<IntegerAttr>(cast<Attribute>(slice)).getInt();
    }
    result.push_back(form);
  }
  return result;
}

bool compiler::fitsTerm(const SliceForm &slice, uint64_t localBytes) {
  const isa::SliceInfo &info = *slice.info;
  if (info.termLo < 0) {
    return false;
  }
  if (slice.isConstant()) {
    return (static_cast<uint64_t>(slice.constant) & ~lowMask(info.termWidth)) ==
           0;
  }
  // Terms that are narrower than their slice are those of local offsets.
  return info.termWidth == info.width ||
         localBytes <= lowMask(info.termWidth) + 1;
}
