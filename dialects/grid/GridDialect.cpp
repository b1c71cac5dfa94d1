//===- GridDialect.cpp - Registration and types ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "dialects/grid/Grid.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace chipwright::grid;

#include "dialects/grid/GridDialect.cpp.inc"
#include "dialects/grid/GridEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/grid/GridAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/grid/GridTypes.cpp.inc"

void GridDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/grid/GridOps.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/grid/GridAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/grid/GridTypes.cpp.inc"
      >();
}

unsigned chipwright::grid::bytesOf(Type type) {
  // A product in tf32 reads what is stored as f32.
  return type.isTF32() ? 4 : type.getIntOrFloatBitWidth() / 8;
}

bool chipwright::grid::isPacked(Type type) {
  return type.isInteger(4) || isa<Float4E2M1FNType>(type);
}

bool chipwright::grid::isReadOnly(Type type) {
  return isPacked(type) || isa<Float8E8M0FNUType>(type);
}

int64_t chipwright::grid::bytesOf(Type type, int64_t count) {
  return isPacked(type) ? count / 2 : count * bytesOf(type);
}

std::optional<double> chipwright::grid::splatOf(Value tile) {
  DenseElementsAttr constant;
  if (!matchPattern(tile, m_Constant(&constant)) || !constant.isSplat()) {
    return std::nullopt;
  }
  if (isa<FloatType>(constant.getElementType())) {
    return constant.getSplatValue<APFloat>().convertToDouble();
  }
  return static_cast<double>(constant.getSplatValue<APInt>().getSExtValue());
}

//===----------------------------------------------------------------------===//
// !grid.buffer
//===----------------------------------------------------------------------===//

bool BufferType::isDynamic(unsigned dim) const {
  return ShapedType::isDynamic(getShape()[dim]);
}

unsigned BufferType::getElementBytes() const {
  return bytesOf(getElementType());
}

Type BufferType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  bool control = false;
  SMLoc place = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape) ||
      parser.parseType(element)) {
    return {};
  }
  if (succeeded(parser.parseOptionalComma())) {
    if (parser.parseKeyword("control")) {
      return {};
    }
    control = true;
  }
  if (parser.parseGreater()) {
    return {};
  }
  return parser.getChecked<BufferType>(place, parser.getContext(), shape,
                                       element, control);
}

void BufferType::print(AsmPrinter &printer) const {
  printer << "<";
  for (int64_t size : getShape()) {
    if (ShapedType::isDynamic(size)) {
      printer << "?x";
    } else {
      printer << size << "x";
    }
  }
  printer << getElementType() << (getControl() ? ", control>" : ">");
}

LogicalResult BufferType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<int64_t> shape, Type elementType,
                                 bool control) {
  if (shape.empty() || shape.size() > 4) {
    return emitError() << "a buffer has 1 to 4 dimensions, found "
                       << shape.size();
  }
  if (!elementType.isIntOrFloat() ||
      (!elementType.isTF32() && !isPacked(elementType) &&
       elementType.getIntOrFloatBitWidth() % 8 != 0)) {
    return emitError() << "elements of a buffer are whole bytes, or i4 or "
                          "f4E2M1FN, found "
                       << elementType;
  }
  if (isPacked(elementType) &&
      (ShapedType::isDynamic(shape.back()) || shape.back() % 2 != 0)) {
    return emitError() << "rows of " << elementType
                       << " are whole bytes: the last size is a known even "
                          "number, found "
                       << (ShapedType::isDynamic(shape.back())
                               ? std::string("?")
                               : std::to_string(shape.back()));
  }
  for (int64_t size : shape) {
    if (!ShapedType::isDynamic(size) && size <= 0) {
      return emitError() << "sizes of a buffer are positive, found " << size;
    }
  }
  if (control && !elementType.isInteger(32) && !elementType.isInteger(64)) {
    return emitError() << "a control buffer holds i32 or i64, found "
                       << elementType;
  }
  return success();
}
