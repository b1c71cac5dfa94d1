//===- GridGeneric.cpp - Declared operations ------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "dialects/grid/Grid.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace chipwright::grid;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

Attribute DimAttr::parse(AsmParser &parser, Type) {
  StringRef name, keyword;
  SMLoc place;
  if (parser.parseLess() || parser.parseKeyword(&name) || parser.parseComma() ||
      parser.getCurrentLocation(&place) || parser.parseKeyword(&keyword) ||
      parser.parseGreater()) {
    return {};
  }
  std::optional<DimKind> kind = symbolizeDimKind(keyword);
  if (!kind) {
    parser.emitError(place,
                     "expected parallel, reduction, full or list, found '")
        << keyword << "'";
    return {};
  }
  return DimAttr::get(parser.getContext(), name, *kind);
}

void DimAttr::print(AsmPrinter &printer) const {
  printer << "<" << getName() << ", " << stringifyDimKind(getKind()) << ">";
}

Attribute DimsAttr::parse(AsmParser &parser, Type) {
  SmallVector<StringAttr> names;
  SmallVector<int64_t> divisors;
  auto parseName = [&]() -> ParseResult {
    StringRef name;
    SMLoc place;
    int64_t &divisor = divisors.emplace_back(1);
    if (parser.parseKeyword(&name)) {
      return failure();
    }
    names.push_back(StringAttr::get(parser.getContext(), name));
    if (failed(parser.parseOptionalSlash())) {
      return success();
    }
    if (parser.getCurrentLocation(&place) || parser.parseInteger(divisor)) {
      return failure();
    }
    constexpr int64_t kMost = 1 << 16;
    if (divisor < 2 || divisor > kMost) {
      return parser.emitError(place, "expected a divisor of 2 to ")
             << kMost << ", found " << divisor;
    }
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater,
                                     parseName)) {
    return {};
  }
  return DimsAttr::get(parser.getContext(), names, divisors);
}

void DimsAttr::print(AsmPrinter &printer) const {
  printer << "<";
  llvm::interleaveComma(llvm::zip(getNames(), getDivisors()), printer,
                        [&](auto entry) {
                          auto [name, divisor] = entry;
                          printer.printKeywordOrString(name.getValue());
                          if (divisor != 1) {
                            printer << " / " << divisor;
                          }
                        });
  printer << ">";
}

// <tile = [128, 64], on = [row, col]>
Attribute ScheduleAttr::parse(AsmParser &parser, Type) {
  SmallVector<int64_t> tile;
  SmallVector<PlaceOfDim> on;
  auto parseSize = [&]() -> ParseResult {
    return parser.parseInteger(tile.emplace_back());
  };
  auto parsePlace = [&]() -> ParseResult {
    StringRef keyword;
    SMLoc place = parser.getCurrentLocation();
    if (parser.parseKeyword(&keyword)) {
      return failure();
    }
    std::optional<PlaceOfDim> value = symbolizePlaceOfDim(keyword);
    if (!value) {
      return parser.emitError(place, "expected seq, row, col or all, found '")
             << keyword << "'";
    }
    on.push_back(*value);
    return success();
  };
  if (parser.parseLess() || parser.parseKeyword("tile") ||
      parser.parseEqual() ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseSize) ||
      parser.parseComma() || parser.parseKeyword("on") || parser.parseEqual() ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                     parsePlace) ||
      parser.parseGreater()) {
    return {};
  }
  return ScheduleAttr::get(parser.getContext(), tile, on);
}

void ScheduleAttr::print(AsmPrinter &printer) const {
  printer << "<tile = [";
  llvm::interleaveComma(getTile(), printer);
  printer << "], on = [";
  llvm::interleaveComma(getOn(), printer, [&](PlaceOfDim place) {
    printer << stringifyPlaceOfDim(place);
  });
  printer << "]>";
}

//===----------------------------------------------------------------------===//
// grid.generic
//===----------------------------------------------------------------------===//

SmallVector<Value> GenericOp::getBuffers() {
  SmallVector<Value> buffers(getStepBuffers());
  llvm::append_range(buffers, getFinishBuffers());
  llvm::append_range(buffers, getResultBuffers());
  return buffers;
}

int GenericOp::getTileDim(unsigned operand, unsigned which) {
  AffineMap map = getMap(operand);
  AffineExpr index = map.getResult(map.getNumResults() - 2 + which);
  int found = -1;
  // Of a sum, the dimension with factor 1.
  SmallVector<AffineExpr> terms = {index};
  while (!terms.empty()) {
    AffineExpr term = terms.pop_back_val();
    if (auto sum = dyn_cast<AffineBinaryOpExpr>(term)) {
      if (sum.getKind() == AffineExprKind::Add) {
        terms.push_back(sum.getLHS());
        terms.push_back(sum.getRHS());
      }
    } else if (auto dim = dyn_cast<AffineDimExpr>(term)) {
      found = static_cast<int>(dim.getPosition());
    }
  }
  // Of a quotient, the dimension that is divided.
  if (auto quotient = dyn_cast<AffineBinaryOpExpr>(index);
      quotient && quotient.getKind() == AffineExprKind::FloorDiv) {
    auto dim = dyn_cast<AffineDimExpr>(quotient.getLHS());
    found = dim && isa<AffineConstantExpr>(quotient.getRHS())
                ? static_cast<int>(dim.getPosition())
                : -1;
  }
  return found;
}

int64_t GenericOp::getTileDivisor(unsigned operand, unsigned which) {
  AffineMap map = getMap(operand);
  auto quotient = dyn_cast<AffineBinaryOpExpr>(
      map.getResult(map.getNumResults() - 2 + which));
  bool divides = quotient && quotient.getKind() == AffineExprKind::FloorDiv &&
                 isa<AffineConstantExpr>(quotient.getRHS());
  return divides ? cast<AffineConstantExpr>(quotient.getRHS()).getValue() : 1;
}

bool GenericOp::hasRowNumbers(unsigned operand) {
  size_t numOperands = getStepBuffers().size() + getFinishBuffers().size();
  if (operand < numOperands) {
    return !getGather().empty() && getGather()[operand] >= 0;
  }
  return !getScatter().empty() && getScatter()[operand - numOperands] >= 0;
}

std::optional<AffineMap> GenericOp::getLimit(unsigned operand) {
  if (!getLimits()) {
    return std::nullopt;
  }
  auto map = dyn_cast<AffineMapAttr>((*getLimits())[operand]);
  return map ? std::optional(map.getValue()) : std::nullopt;
}

std::optional<std::pair<AffineMap, AffineMap>>
GenericOp::getBoundsOf(unsigned dim) {
  if (!getBounds()) {
    return std::nullopt;
  }
  auto pair = getBounds()->getAs<ArrayAttr>(getDim(dim).getName());
  if (!pair) {
    return std::nullopt;
  }
  return std::pair(cast<AffineMapAttr>(pair[0]).getValue(),
                   cast<AffineMapAttr>(pair[1]).getValue());
}

unsigned GenericOp::getNumFields() {
  return getList()
             ? static_cast<unsigned>(getList().getType().getShape().back())
             : 0;
}

/// Checks limits, bounds and the work list.
static LogicalResult checkRanges(GenericOp op, size_t numBuffers) {
  unsigned lists = 0;
  for (unsigned dim = 0; dim < op.getNumDims(); ++dim) {
    lists += op.getDim(dim).getKind() == DimKind::list;
  }
  if (lists != (op.getList() ? 1u : 0u)) {
    return op.emitOpError("has ")
           << lists
           << " dimensions of kind list; expected one if there is a "
              "work list, otherwise none";
  }
  if (op.getList()) {
    BufferType type = op.getList().getType();
    if (!type.getControl() || type.getRank() != 2 || type.isDynamic(1)) {
      return op.emitOpError("a work list is a control buffer of entries x "
                            "fields, found ")
             << type;
    }
  }
  auto isMap = [&](Attribute attribute) {
    auto map = dyn_cast<AffineMapAttr>(attribute);
    return map && map.getValue().getNumResults() == 1 &&
           map.getValue().getNumSymbols() <= op.getNumFields() &&
           map.getValue().getNumDims() <= op.getNumDims();
  };
  if (op.getLimits()) {
    if (op.getLimits()->size() != numBuffers) {
      return op.emitOpError("limits has an entry for each operand and result "
                            "(unit: none)");
    }
    for (Attribute limit : op.getLimitsAttr()) {
      if (!isa<UnitAttr>(limit) && !isMap(limit)) {
        return op.emitOpError("a limit is a map to one index, found ") << limit;
      }
    }
  }
  if (op.getBounds()) {
    for (NamedAttribute entry : op.getBoundsAttr()) {
      auto pair = dyn_cast<ArrayAttr>(entry.getValue());
      bool known = false;
      for (unsigned dim = 0; dim < op.getNumDims(); ++dim) {
        known |= op.getDim(dim).getName() == entry.getName().getValue();
      }
      if (!known || !pair || pair.size() != 2 || !isMap(pair[0]) ||
          !isMap(pair[1])) {
        return op.emitOpError("bounds are two maps to one index, under the "
                              "name of a dimension; found ")
               << entry.getName() << " = " << entry.getValue();
      }
    }
  }
  return success();
}

/// The type of an operand's tile must name the dimensions that its map has.
static LogicalResult checkTile(GenericOp op, unsigned operand, Type type,
                               StringRef what) {
  auto tile = dyn_cast<RankedTensorType>(type);
  if (!tile || tile.getRank() != 2) {
    return op.emitOpError(what) << " is " << type << ", expected a tile";
  }
  auto names = dyn_cast_or_null<DimsAttr>(tile.getEncoding());
  for (unsigned which = 0; which < 2; ++which) {
    if (!tile.isDynamicDim(which)) {
      continue;
    }
    int dim = op.getTileDim(operand, which);
    if (which == 0 && dim < 0 && op.hasRowNumbers(operand) && names) {
      continue; // as many rows as numbers
    }
    if (!names || names.getNames().size() != 2 || dim < 0 ||
        names.getNames()[which].getValue() !=
            op.getDim(static_cast<unsigned>(dim)).getName()) {
      return op.emitOpError(what)
             << " is " << type << "; the size that is `?` must be named "
             << (dim < 0 ? "by a dimension of the operand's map"
                         : op.getDim(static_cast<unsigned>(dim)).getName());
    }
    const int64_t divisor = names.getDivisors()[which],
                  wanted = op.getTileDivisor(operand, which);
    if (divisor != wanted) {
      return op.emitOpError(what)
             << " is " << type << "; its map divides "
             << names.getNames()[which].getValue() << " by " << wanted
             << ", expected the same divisor";
    }
    if (ScheduleAttr schedule = op.getScheduleAttr();
        schedule && static_cast<size_t>(dim) < schedule.getTile().size() &&
        schedule.getTile()[static_cast<size_t>(dim)] % divisor != 0) {
      return op.emitOpError("schedule: blocks of ")
             << names.getNames()[which].getValue() << " are multiples of "
             << divisor << ", found "
             << schedule.getTile()[static_cast<size_t>(dim)];
    }
  }
  return success();
}

LogicalResult GenericOp::verify() {
  for (Attribute dim : getDims()) {
    if (!isa<DimAttr>(dim)) {
      return emitOpError("dims are #grid.dim attributes, found ") << dim;
    }
  }
  if (getSizes().size() != getNumDims()) {
    return emitOpError("has ") << getNumDims() << " dimensions and "
                               << getSizes().size() << " sizes";
  }
  SmallVector<Value> buffers = getBuffers();
  if (getMaps().size() != buffers.size()) {
    return emitOpError("has ")
           << buffers.size() << " buffers and " << getMaps().size() << " maps";
  }
  for (auto [i, buffer] : llvm::enumerate(buffers)) {
    AffineMap map = getMap(static_cast<unsigned>(i));
    unsigned rank = cast<BufferType>(buffer.getType()).getRank();
    if (map.getNumDims() != getNumDims() ||
        map.getNumSymbols() > getNumFields() || map.getNumResults() != rank ||
        rank < 2) {
      return emitOpError("map of buffer ")
             << i << " takes " << getNumDims() << " dimensions and "
             << getNumFields()
             << " fields to the buffer's indices (at least 2), found "
             << AffineMapAttr::get(map);
    }
  }
  if (failed(checkRanges(*this, buffers.size()))) {
    return failure();
  }
  bool reduces = llvm::any_of(getDims(), [](Attribute dim) {
    return cast<DimAttr>(dim).getKind() == DimKind::reduction;
  });
  if (reduces == getStep().empty()) {
    return emitOpError(reduces ? "has a reduction and no step"
                               : "has a step and no reduction");
  }
  unsigned numStep = static_cast<unsigned>(getStepBuffers().size()),
           numFinish = static_cast<unsigned>(getFinishBuffers().size()),
           numState = static_cast<unsigned>(getInit().size());
  if (reduces) {
    Block &body = getStep().front();
    if (body.getNumArguments() != numStep + numState ||
        body.getTerminator()->getNumOperands() != numState) {
      return emitOpError("step takes ")
             << numStep << " tiles and " << numState
             << " state tiles (one for each value of init) and yields the "
                "state";
    }
    for (unsigned i = 0; i < numStep; ++i) {
      if (failed(checkTile(*this, i, body.getArgument(i).getType(),
                           "a tile of step"))) {
        return failure();
      }
    }
    for (unsigned i = 0; i < numState; ++i) {
      if (body.getTerminator()->getOperand(i).getType() !=
          body.getArgument(numStep + i).getType()) {
        return emitOpError("step yields state ")
               << i << " of another type than it takes";
      }
    }
  } else if (numStep != 0 || numState != 0) {
    return emitOpError("without a reduction takes its operands in finish");
  }
  Block &body = getFinish().front();
  if (body.getNumArguments() != numFinish + numState ||
      body.getTerminator()->getNumOperands() != getResultBuffers().size()) {
    return emitOpError("finish takes ")
           << numFinish << " tiles and " << numState
           << " state tiles and yields one tile for each result";
  }
  for (unsigned i = 0; i < numFinish; ++i) {
    if (failed(checkTile(*this, numStep + i, body.getArgument(i).getType(),
                         "a tile of finish"))) {
      return failure();
    }
  }
  for (auto [i, tile] :
       llvm::enumerate(body.getTerminator()->getOperandTypes())) {
    if (failed(checkTile(*this, numStep + numFinish + static_cast<unsigned>(i),
                         tile, "a result"))) {
      return failure();
    }
  }
  if (!getGather().empty() && getGather().size() != numStep + numFinish) {
    return emitOpError("gather has an entry for each operand (-1: none)");
  }
  if (!getWidths().empty() && getWidths().size() != buffers.size()) {
    return emitOpError("widths has an entry for each operand and result (0: "
                       "none)");
  }
  if (!getScatter().empty() &&
      getScatter().size() != getResultBuffers().size()) {
    return emitOpError("scatter has an entry for each result (-1: none)");
  }
  auto hasTile = [&](int64_t operand) {
    return operand < int64_t(numStep + numFinish);
  };
  if (!llvm::all_of(getGather(), hasTile) ||
      !llvm::all_of(getScatter(), hasTile)) {
    return emitOpError("row numbers come from an operand, of which there are ")
           << numStep + numFinish;
  }
  if (ScheduleAttr schedule = getScheduleAttr()) {
    if (schedule.getTile().size() != getNumDims() ||
        schedule.getOn().size() != getNumDims()) {
      return emitOpError("schedule has ")
             << schedule.getTile().size() << " tile sizes and "
             << schedule.getOn().size() << " places for " << getNumDims()
             << " dimensions";
    }
    for (auto [i, size] : llvm::enumerate(schedule.getTile())) {
      if (size <= 0) {
        return emitOpError("schedule: tile sizes are positive, found ") << size;
      }
      // Far beyond any local memory; sums of tiles' sizes stay within 64 bits.
      constexpr int64_t kLargest = int64_t(1) << 20;
      if (size > kLargest) {
        return emitOpError("schedule: tile sizes are at most ")
               << kLargest << ", found " << size;
      }
      DimKind kind = getDim(static_cast<unsigned>(i)).getKind();
      if (kind == DimKind::list && size != 1) {
        return emitOpError("schedule: entries of a list are taken one by one, "
                           "found a block of ")
               << size;
      }
      if (getBoundsOf(static_cast<unsigned>(i)) &&
          schedule.getOn()[i] != PlaceOfDim::seq) {
        return emitOpError("schedule: a dimension with bounds of its own runs "
                           "on one PE (seq)");
      }
      if (kind == DimKind::reduction &&
          schedule.getOn()[i] != PlaceOfDim::seq) {
        return emitOpError("schedule: a reduction runs on one PE (seq)");
      }
    }
  }
  return success();
}
