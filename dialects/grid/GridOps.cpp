//===- GridOps.cpp - Parsing and verification of operations ---------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "dialects/grid/Grid.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace chipwright::grid;

#define GET_OP_CLASSES
#include "dialects/grid/GridOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Programs and control
//===----------------------------------------------------------------------===//

ParseResult ProgramOp::parse(OpAsmParser &parser, OperationState &result) {
  auto type = [](Builder &builder, ArrayRef<Type> inputs,
                 ArrayRef<Type> results, function_interface_impl::VariadicFlag,
                 std::string &) {
    return builder.getFunctionType(inputs, results);
  };
  if (function_interface_impl::parseFunctionOp(
          parser, result, /*allowVariadic=*/false,
          getFunctionTypeAttrName(result.name), type,
          getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name))) {
    return failure();
  }
  Region &body = *result.regions.front();
  if (!body.empty() &&
      (body.back().empty() ||
       !body.back().back().hasTrait<OpTrait::IsTerminator>())) {
    OpBuilder builder(parser.getContext());
    builder.setInsertionPointToEnd(&body.back());
    EndOp::create(builder, result.location);
  }
  return success();
}

void ProgramOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(
      printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
      getArgAttrsAttrName(), getResAttrsAttrName());
}

LogicalResult ProgramOp::verify() {
  if (!getFunctionType().getResults().empty()) {
    return emitOpError("has no results: a program stores what it computes");
  }
  for (auto [i, type] : llvm::enumerate(getFunctionType().getInputs())) {
    if (!isa<BufferType, IndexType>(type)) {
      return emitOpError("argument ")
             << i << " has type " << type << ", expected !grid.buffer or index";
    }
  }
  return success();
}

void ParallelOp::build(OpBuilder &builder, OperationState &state, Value count,
                       Lines lines) {
  state.addOperands(count);
  state.getOrAddProperties<Properties>().lines =
      LinesAttr::get(builder.getContext(), lines);
  Region *body = state.addRegion();
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(body);
  block->addArgument(builder.getIndexType(), state.location);
  ensureTerminator(*body, builder, state.location);
}

// grid.parallel %i = %count on row { ... }
ParseResult ParallelOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::Argument iteration;
  OpAsmParser::UnresolvedOperand count;
  StringRef keyword;
  SMLoc place;
  Type index = parser.getBuilder().getIndexType();
  iteration.type = index;
  if (parser.parseArgument(iteration) || parser.parseEqual() ||
      parser.parseOperand(count) || parser.parseKeyword("on") ||
      parser.getCurrentLocation(&place) || parser.parseKeyword(&keyword)) {
    return failure();
  }
  std::optional<Lines> lines = symbolizeLines(keyword);
  if (!lines) {
    return parser.emitError(place, "expected row, col or all, found '")
           << keyword << "'";
  }
  result.getOrAddProperties<Properties>().lines =
      LinesAttr::get(parser.getContext(), *lines);
  Region *body = result.addRegion();
  if (parser.resolveOperand(count, index, result.operands) ||
      parser.parseRegion(*body, iteration) ||
      parser.parseOptionalAttrDict(result.attributes)) {
    return failure();
  }
  ensureTerminator(*body, parser.getBuilder(), result.location);
  return success();
}

void ParallelOp::print(OpAsmPrinter &printer) {
  printer << " " << getIteration() << " = " << getCount() << " on "
          << stringifyLines(getLines()) << " ";
  printer.printRegion(getRegion(), /*printEntryBlockArgs=*/false,
                      /*printBlockTerminators=*/false);
  printer.printOptionalAttrDict((*this)->getAttrs(), {"lines"});
}

LogicalResult ParallelOp::verifyRegions() {
  Block &block = getBody().front();
  if (block.getNumArguments() != 1 ||
      !block.getArgument(0).getType().isIndex()) {
    return emitOpError("body takes the iteration's number (index)");
  }
  for (auto outer = (*this)->getParentOfType<ParallelOp>(); outer;
       outer = outer->getParentOfType<ParallelOp>()) {
    if (outer.getLines() == getLines() || outer.getLines() == Lines::all ||
        getLines() == Lines::all) {
      return emitOpError("on '")
             << stringifyLines(getLines()) << "' inside of one on '"
             << stringifyLines(outer.getLines())
             << "': the PEs are shared out already";
    }
  }
  return success();
}

LogicalResult DimOp::verify() {
  BufferType type = getBuffer().getType();
  if (getDim() < 0 || getDim() >= type.getRank()) {
    return emitOpError("dimension ") << getDim() << " of a buffer with "
                                     << type.getRank() << " dimensions";
  }
  return success();
}

OpFoldResult DimOp::fold(FoldAdaptor) {
  BufferType type = getBuffer().getType();
  unsigned dim = static_cast<unsigned>(getDim());
  if (type.isDynamic(dim)) {
    return {};
  }
  return IntegerAttr::get(IndexType::get(getContext()), type.getShape()[dim]);
}

static LogicalResult checkIndices(Operation *op, BufferType type,
                                  OperandRange indices) {
  if (indices.size() != type.getRank()) {
    return op->emitOpError("has ")
           << indices.size() << " indices for a buffer with " << type.getRank()
           << " dimensions";
  }
  return success();
}

LogicalResult ReadOp::verify() {
  if (!getBuffer().getType().getControl()) {
    return emitOpError("reads from a bulk buffer, whose values no hart may "
                       "see; declare it `control`");
  }
  return checkIndices(*this, getBuffer().getType(), getIndices());
}

LogicalResult WriteOp::verify() {
  if (!getBuffer().getType().getControl()) {
    return emitOpError("writes to a bulk buffer; harts write control buffers "
                       "only");
  }
  return checkIndices(*this, getBuffer().getType(), getIndices());
}

static LogicalResult checkSymbols(Operation *op, BufferType type,
                                  ArrayAttr symbols) {
  size_t unknown = 0;
  for (unsigned i = 0; i < type.getRank(); ++i) {
    unknown += type.isDynamic(i);
  }
  if (symbols.size() != unknown) {
    return op->emitOpError("has ") << unknown << " sizes that are `?` and "
                                   << symbols.size() << " symbols";
  }
  return success();
}

LogicalResult TensorOp::verify() {
  return checkSymbols(*this, getBuffer().getType(), getSymbols());
}

LogicalResult ViewOp::verify() {
  if (getSource().getType().getElementType() !=
      getBuffer().getType().getElementType()) {
    return emitOpError("keeps the type of the elements, found ")
           << getSource().getType() << " and " << getBuffer().getType();
  }
  return checkSymbols(*this, getBuffer().getType(), getSymbols());
}

//===----------------------------------------------------------------------===//
// Between memory and tiles
//===----------------------------------------------------------------------===//

static LogicalResult checkTransfer(Operation *op, BufferType buffer,
                                   OperandRange indices, RankedTensorType tile,
                                   Value rows) {
  if (failed(checkIndices(op, buffer, indices))) {
    return failure();
  }
  if (buffer.getRank() < 2) {
    return op->emitOpError("moves tiles of matrices, found a buffer with one "
                           "dimension");
  }
  if (buffer.getElementType() != tile.getElementType()) {
    return op->emitOpError("moves elements as they are, found ")
           << tile.getElementType() << " in the tile and "
           << buffer.getElementType() << " in the buffer";
  }
  if (rows &&
      (rowsOf(rows.getType()) * colsOf(rows.getType()) != tile.getDimSize(0) ||
       !elementOf(rows.getType()).isInteger(32))) {
    return op->emitOpError("row numbers are one i32 for each of the tile's ")
           << tile.getDimSize(0) << " rows, found " << rows.getType();
  }
  return success();
}

LogicalResult LoadOp::verify() {
  RankedTensorType type = getTile().getType();
  if (isPacked(type.getElementType()) &&
      ((!type.isDynamicDim(1) && type.getDimSize(1) % 2 != 0) ||
       getWidth().value_or(0) % 2 != 0)) {
    return emitOpError("loads rows of whole bytes: an even number of columns "
                       "(and width) of ")
           << type.getElementType() << ", found " << type;
  }
  if (failed(checkTransfer(*this, getBuffer().getType(), getIndices(),
                           getTile().getType(), getGather()))) {
    return failure();
  }
  if ((getMulticast() != Multicast::none) != bool(getMask())) {
    return emitOpError("has a mask of members exactly if it is a multicast");
  }
  if (getFill() == Fill::neg_inf &&
      (!isa<FloatType>(getTile().getType().getElementType()) ||
       isReadOnly(getTile().getType().getElementType()))) {
    return emitOpError("fills with minus infinity, which ")
           << getTile().getType().getElementType() << " lacks";
  }
  if (getPolicy() == CachePolicy::no_writeback) {
    return emitOpError("policy no_writeback is one of stores");
  }
  return success();
}

LogicalResult StoreOp::verify() {
  if (isReadOnly(getTile().getType().getElementType())) {
    return emitOpError("stores ")
           << getTile().getType().getElementType()
           << ", which no engine writes: such buffers are filled by the host";
  }
  return checkTransfer(*this, getBuffer().getType(), getIndices(),
                       getTile().getType(), getScatter());
}

//===----------------------------------------------------------------------===//
// Products and element-wise work
//===----------------------------------------------------------------------===//

LogicalResult MatmulOp::verify() {
  Type a = getA().getType(), b = getB().getType(), acc = getAcc().getType();
  if (colsOf(a) != colsOf(b)) {
    return emitOpError("a has ") << colsOf(a) << " columns and b has "
                                 << colsOf(b) << "; both count K";
  }
  if (rowsOf(acc) != rowsOf(a) || colsOf(acc) != rowsOf(b)) {
    return emitOpError("a sum of ")
           << rowsOf(a) << " x " << rowsOf(b) << " elements, found "
           << rowsOf(acc) << " x " << colsOf(acc);
  }
  for (Type operand : {a, b}) {
    if (isReadOnly(elementOf(operand))) {
      return emitOpError("multiplies ")
             << elementOf(operand)
             << ", which no engine does; convert it to a 16-bit type first";
    }
  }
  if (elementOf(a) != elementOf(b)) {
    return emitOpError("operands have one type, found ")
           << elementOf(a) << " and " << elementOf(b);
  }
  bool isInteger = isa<IntegerType>(elementOf(a));
  if (isInteger ? !elementOf(acc).isInteger(32) : !elementOf(acc).isF32()) {
    return emitOpError("products of ")
           << elementOf(a) << " are summed in " << (isInteger ? "i32" : "f32")
           << ", found " << elementOf(acc);
  }
  return success();
}

LogicalResult RoundOp::verify() {
  Type from = getX().getType(), to = getY().getType();
  if (rowsOf(from) != rowsOf(to) || colsOf(from) != colsOf(to) ||
      !elementOf(from).isF32() ||
      (!elementOf(to).isInteger(8) && !elementOf(to).isInteger(32))) {
    return emitOpError("makes a tile of i8 or i32 of one of f32, found ")
           << from << " and " << to;
  }
  return success();
}

/// How many segments of \p width columns a row of \p cols has; unknown if the
/// number of columns is.
static int64_t segmentsOf(int64_t cols, int64_t width) {
  return ShapedType::isDynamic(cols) ? cols : (cols + width - 1) / width;
}

LogicalResult BroadcastOp::verify() {
  Type from = getVector().getType(), to = getTile().getType();
  if (getSegment()) {
    const int64_t width = static_cast<int64_t>(*getSegment());
    if (width < 1) {
      return emitOpError("a segment has at least one column, found ") << width;
    }
    const int64_t count = segmentsOf(colsOf(to), width);
    if (rowsOf(from) != rowsOf(to) || colsOf(from) != count ||
        elementOf(from) != elementOf(to)) {
      return emitOpError("repeats an element of the tile's type for each ")
             << width << " columns of " << to << ", found " << from;
    }
    return success();
  }
  bool perRow = colsOf(from) == 1 && rowsOf(from) == rowsOf(to);
  bool perColumn = rowsOf(from) == 1 && colsOf(from) == colsOf(to);
  if ((!perRow && !perColumn) || elementOf(from) != elementOf(to)) {
    return emitOpError("repeats a vector ")
           << rowsOf(to) << "x1 or 1x" << colsOf(to) << " of the tile's type, "
           << "found " << from;
  }
  return success();
}

LogicalResult SwapPairsOp::verify() {
  if (colsOf(getX().getType()) % 2 != 0) {
    return emitOpError("needs an even number of columns, found ")
           << colsOf(getX().getType());
  }
  return success();
}

static LogicalResult checkBounds(Operation *op, Type x, Type bounds) {
  if (rowsOf(bounds) != rowsOf(x) || colsOf(bounds) != 2 ||
      !elementOf(bounds).isInteger(32)) {
    return op->emitOpError("bounds are two i32 for each of the ")
           << rowsOf(x) << " rows, found " << bounds;
  }
  return success();
}

LogicalResult WindowOp::verify() {
  return checkBounds(*this, getX().getType(), getBounds().getType());
}

static LogicalResult checkReduction(Operation *op, Type x, Type red,
                                    std::optional<uint64_t> segment) {
  if (!segment) {
    if (rowsOf(red) != rowsOf(x) || colsOf(red) != 1) {
      return op->emitOpError("the reduction of ")
             << x << " has one value for each row, found " << red;
    }
    return success();
  }
  int64_t width = static_cast<int64_t>(*segment);
  if (ShapedType::isDynamic(colsOf(x))) {
    return op->emitOpError("segments need a known number of columns");
  }
  if (width <= 0) {
    return op->emitOpError("a segment has at least one column, found ")
           << width;
  }
  int64_t count = (colsOf(x) + width - 1) / width;
  if (rowsOf(red) != rowsOf(x) || colsOf(red) != count) {
    return op->emitOpError("the reduction of ")
           << x << " has " << rowsOf(x) << " x " << count << " values, found "
           << red;
  }
  return success();
}

LogicalResult RowReduceOp::verify() {
  if (getKind() == Reduction::none) {
    return emitOpError("reduces by sum, max, absmax or sumsq");
  }
  return checkReduction(*this, getX().getType(), getY().getType(),
                        getSegment());
}

LogicalResult TransposeOp::verify() {
  Type x = getX().getType(), y = getY().getType();
  if (isPacked(elementOf(x))) {
    return emitOpError("moves whole bytes, found ")
           << elementOf(x) << "; convert the tile first";
  }
  if (rowsOf(x) != colsOf(y) || colsOf(x) != rowsOf(y) ||
      elementOf(x) != elementOf(y)) {
    return emitOpError("of ") << x << " cannot be " << y;
  }
  return success();
}

LogicalResult TopKOp::verify() {
  if (isReadOnly(elementOf(getX().getType()))) {
    return emitOpError("takes no ")
           << elementOf(getX().getType()) << "; convert the tile first";
  }
  Type x = getX().getType(), values = getValues().getType(),
       columns = getColumns().getType();
  if (rowsOf(values) != rowsOf(x) || rowsOf(columns) != rowsOf(x) ||
      colsOf(values) != colsOf(columns) || colsOf(values) > colsOf(x)) {
    return emitOpError("finds at most ")
           << colsOf(x) << " values in each of " << rowsOf(x)
           << " rows, found results " << values << " and " << columns;
  }
  if (elementOf(values) != elementOf(x) || !elementOf(columns).isInteger(32)) {
    return emitOpError("yields values of type ")
           << elementOf(x) << " and column numbers of type i32";
  }
  return success();
}

/// A second operand of a chain against its kind.
static LogicalResult checkOperand(SimdOp op, StringRef name, Operand kind,
                                  Value y, bool hasValue) {
  int64_t rows = rowsOf(op.getX().getType()),
          cols = colsOf(op.getX().getType());
  bool wantsTile = kind == Operand::tile || kind == Operand::per_row ||
                   kind == Operand::per_col || kind == Operand::per_segment;
  if (wantsTile != bool(y) || (kind == Operand::immediate) != hasValue) {
    return op.emitOpError(name)
           << " is of kind " << stringifyOperand(kind) << ", which "
           << (wantsTile                    ? "needs a tile"
               : kind == Operand::immediate ? "needs a value"
                                            : "takes no operand");
  }
  if (!wantsTile) {
    return success();
  }
  int64_t wantRows = kind == Operand::per_col ? 1 : rows;
  int64_t wantCols = kind == Operand::per_row ? 1 : cols;
  if (kind == Operand::per_segment) {
    int64_t width = static_cast<int64_t>(op.getSegment().value_or(0));
    if (width < 1) {
      return op.emitOpError(name) << " is of kind per_segment, which needs "
                                     "`segment`, a number of columns";
    }
    wantCols = segmentsOf(cols, width);
  }
  if (isPacked(elementOf(y.getType()))) {
    return op.emitOpError(name)
           << " is of " << elementOf(y.getType())
           << ", which only x may be; convert it by an operation of its own";
  }
  if (rowsOf(y.getType()) != wantRows || colsOf(y.getType()) != wantCols) {
    return op.emitOpError(name)
           << " is of kind " << stringifyOperand(kind) << " for " << rows
           << " x " << cols << " elements, found " << y.getType();
  }
  return success();
}

LogicalResult SimdOp::verify() {
  Type x = getX().getType();
  if (!getOut() && !getRed()) {
    return emitOpError("has no result");
  }
  if (getOut() && (rowsOf(getOut().getType()) != rowsOf(x) ||
                   colsOf(getOut().getType()) != colsOf(x))) {
    return emitOpError("keeps the shape of ")
           << x << ", found " << getOut().getType();
  }
  if (failed(checkOperand(*this, "y1", getY1Kind(), getY1(),
                          getY1Value().has_value())) ||
      failed(checkOperand(*this, "y2", getY2Kind(), getY2(),
                          getY2Value().has_value()))) {
    return failure();
  }
  for (Value result : {getOut(), getRed()}) {
    if (result && isReadOnly(elementOf(result.getType()))) {
      return emitOpError("yields ")
             << elementOf(result.getType()) << ", which no engine writes";
    }
  }
  if (getSwapPairs() && colsOf(x) % 2 != 0) {
    return emitOpError("swaps pairs of an odd number of columns");
  }
  if (bool(getBounds()) != getFill().has_value() ||
      bool(getBounds()) != bool(getBase())) {
    return emitOpError("a window has bounds, base and fill");
  }
  if (getBounds() && failed(checkBounds(*this, x, getBounds().getType()))) {
    return failure();
  }
  if ((getReduce() != Reduction::none) != bool(getRed())) {
    return emitOpError("yields `red` exactly if it reduces");
  }
  if (getRed() &&
      failed(checkReduction(*this, x, getRed().getType(), getSegment()))) {
    return failure();
  }
  if (getRun() && (!getRed() || getRun().getType() != getRed().getType())) {
    return emitOpError("a running reduction continues values of its own type");
  }
  return success();
}
