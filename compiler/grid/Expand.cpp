//===- Expand.cpp - Declared operations to loops over tiles ---------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/GridPasses.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/IRMapping.h"

#include <map>

namespace chipwright {
#define GEN_PASS_DEF_EXPANDPASS
#include "compiler/grid/GridPasses.h.inc"
} // namespace chipwright

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

namespace {

class Expander {
public:
  explicit Expander(GenericOp op)
      : op(op), b(op), loc(op.getLoc()), schedule(op.getScheduleAttr()),
        offsets(op.getNumDims()), tiles(op.getMaps().size()),
        fields(op.getNumFields()) {}

  void run() {
    OpBuilder::InsertionGuard guard(b);
    loadWhatIsKnown();
    openParallel();
    SmallVector<Value> state;
    if (!op.getStep().empty()) {
      state = reduce();
    }
    finish(state);
  }

private:
  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  /// The type of a tile with the sizes that the schedule gives it.
  RankedTensorType scheduled(Type type) {
    auto tile = cast<RankedTensorType>(type);
    SmallVector<int64_t> shape(tile.getShape());
    for (unsigned i = 0; i < shape.size(); ++i) {
      if (tile.isDynamicDim(i)) {
        auto dims = cast<DimsAttr>(tile.getEncoding());
        StringAttr name = dims.getNames()[i];
        for (unsigned dim = 0; dim < op.getNumDims(); ++dim) {
          if (op.getDim(dim).getName() == name.getValue()) {
            // Blocks are multiples of the divisor (GenericOp::verify).
            shape[i] = schedule.getTile()[dim] / dims.getDivisors()[i];
          }
        }
      }
    }
    return RankedTensorType::get(shape, tile.getElementType());
  }

  //===--------------------------------------------------------------------===//
  // Loops
  //===--------------------------------------------------------------------===//

  bool isDealtOut(unsigned dim) {
    DimKind kind = op.getDim(dim).getKind();
    return kind == DimKind::parallel || kind == DimKind::list;
  }

  void openParallel() {
    std::map<PlaceOfDim, SmallVector<unsigned>> shared;
    for (unsigned dim = 0; dim < op.getNumDims(); ++dim) {
      if (op.getDim(dim).getKind() == DimKind::full) {
        offsets[dim] = constant(0);
      } else if (isDealtOut(dim)) {
        shared[schedule.getOn()[dim]].push_back(dim);
      }
    }
    loadWhatIsKnown();
    for (unsigned dim = 0; dim < op.getNumDims(); ++dim) {
      if (!isDealtOut(dim) || offsets[dim]) {
        continue;
      }
      PlaceOfDim place = schedule.getOn()[dim];
      if (place == PlaceOfDim::seq) {
        auto [lower, upper] = rangeOf(dim);
        auto loop = scf::ForOp::create(b, loc, lower, upper,
                                       constant(schedule.getTile()[dim]));
        b.setInsertionPointToStart(loop.getBody());
        offsets[dim] = loop.getInductionVar();
      } else {
        dealOut(shared[place], place);
      }
      loadWhatIsKnown();
    }
  }

  /// First index and end of the blocks of \p dim.
  std::pair<Value, Value> rangeOf(unsigned dim) {
    auto bounds = op.getBoundsOf(dim);
    if (!bounds) {
      return {constant(0), op.getSizes()[dim]};
    }
    Value lower = evaluate(bounds->first.getResult(0));
    if (op.getDim(dim).getKind() == DimKind::reduction) {
      Value tile = constant(schedule.getTile()[dim]);
      Value blocks = b.createOrFold<arith::DivUIOp>(loc, lower, tile);
      lower = b.createOrFold<arith::MulIOp>(loc, blocks, tile);
    }
    return {lower, evaluate(bounds->second.getResult(0))};
  }

  /// Blocks of \p dims, taken together as one sequence, to the PEs of \p place.
  void dealOut(ArrayRef<unsigned> dims, PlaceOfDim place) {
    SmallVector<Value> counts;
    Value total;
    for (unsigned dim : dims) {
      counts.push_back(b.createOrFold<arith::CeilDivUIOp>(
          loc, op.getSizes()[dim], constant(schedule.getTile()[dim])));
      total = total ? b.createOrFold<arith::MulIOp>(loc, total, counts.back())
                    : counts.back();
    }
    Lines lines = place == PlaceOfDim::row   ? Lines::row
                  : place == PlaceOfDim::col ? Lines::col
                                             : Lines::all;
    auto loop = ParallelOp::create(b, loc, total, lines);
    b.setInsertionPoint(loop.getBlock()->getTerminator());
    Value rest = loop.getIteration();
    // The last dimension varies fastest.
    for (size_t i = dims.size(); i-- > 0;) {
      Value block = rest;
      if (i != 0) {
        block = arith::RemUIOp::create(b, loc, rest, counts[i]);
        rest = arith::DivUIOp::create(b, loc, rest, counts[i]);
      }
      offsets[dims[i]] = b.createOrFold<arith::MulIOp>(
          loc, block, constant(schedule.getTile()[dims[i]]));
    }
  }

  SmallVector<Value> reduce() {
    Block &body = op.getStep().front();
    const unsigned numStep = static_cast<unsigned>(op.getStepBuffers().size());
    SmallVector<Value> state;
    for (auto [i, value] : llvm::enumerate(op.getInit())) {
      auto type = scheduled(
          body.getArgument(numStep + static_cast<unsigned>(i)).getType());
      state.push_back(splat(type, cast<FloatAttr>(value).getValueAsDouble()));
    }
    SmallVector<scf::ForOp> loops;
    for (unsigned dim = 0; dim < op.getNumDims(); ++dim) {
      if (op.getDim(dim).getKind() != DimKind::reduction) {
        continue;
      }
      auto [lower, upper] = rangeOf(dim);
      auto loop = scf::ForOp::create(b, loc, lower, upper,
                                     constant(schedule.getTile()[dim]), state);
      if (!op.getBoundsOf(dim)) {
        // Sizes of tensors are positive.
        loop->setAttr("nonempty", b.getUnitAttr());
      }
      b.setInsertionPointToStart(loop.getBody());
      offsets[dim] = loop.getInductionVar();
      state.assign(loop.getRegionIterArgs().begin(),
                   loop.getRegionIterArgs().end());
      loops.push_back(loop);
      loadWhatIsKnown();
    }
    IRMapping map;
    for (unsigned i = 0; i < numStep; ++i) {
      map.map(body.getArgument(i), tiles[i]);
    }
    for (auto [i, value] : llvm::enumerate(state)) {
      map.map(body.getArgument(numStep + static_cast<unsigned>(i)), value);
    }
    SmallVector<Value> results = cloneBody(body, map);
    for (scf::ForOp loop : llvm::reverse(loops)) {
      scf::YieldOp::create(b, loc, results);
      b.setInsertionPointAfter(loop);
      results.assign(loop.getResults().begin(), loop.getResults().end());
    }
    return results;
  }

  void finish(ArrayRef<Value> state) {
    Block &body = op.getFinish().front();
    const unsigned numStep = static_cast<unsigned>(op.getStepBuffers().size()),
                   numFinish =
                       static_cast<unsigned>(op.getFinishBuffers().size());
    IRMapping map;
    for (unsigned i = 0; i < numFinish; ++i) {
      map.map(body.getArgument(i), tiles[numStep + i]);
    }
    for (auto [i, value] : llvm::enumerate(state)) {
      map.map(body.getArgument(numFinish + static_cast<unsigned>(i)), value);
    }
    for (auto [i, tile] : llvm::enumerate(cloneBody(body, map))) {
      unsigned operand = numStep + numFinish + static_cast<unsigned>(i);
      int64_t scatter = op.getScatter().empty() ? -1 : op.getScatter()[i];
      tag(StoreOp::create(b, loc, tile, op.getResultBuffers()[i],
                          indices(operand), limit(operand),
                          scatter < 0 ? Value()
                                      : tiles[static_cast<size_t>(scatter)],
                          width(operand)));
    }
  }

  //===--------------------------------------------------------------------===//
  // Tiles
  //===--------------------------------------------------------------------===//

  /// Loads the operands whose indices are known by now.
  void loadWhatIsKnown() {
    const size_t count =
        op.getStepBuffers().size() + op.getFinishBuffers().size();
    SmallVector<Value> buffers = op.getBuffers();
    // Row numbers come before what they choose.
    SmallVector<unsigned> order;
    for (bool isGathered : {false, true}) {
      for (unsigned i = 0; i < count; ++i) {
        if ((gatherOf(i) >= 0) == isGathered) {
          order.push_back(i);
        }
      }
    }
    for (unsigned i : order) {
      if (tiles[i] || !isKnown(i) ||
          (gatherOf(i) >= 0 && !tiles[static_cast<size_t>(gatherOf(i))])) {
        continue;
      }
      Value rows =
          gatherOf(i) >= 0 ? tiles[static_cast<size_t>(gatherOf(i))] : Value();
      auto load = LoadOp::create(b, loc, scheduled(argumentType(i)), buffers[i],
                                 indices(i), limit(i), rows, Value(), width(i));
      tag(load);
      if (isStreamed(i)) {
        load.setPolicy(CachePolicy::stream);
      }
      tiles[i] = load.getTile();
    }
  }

  int64_t gatherOf(unsigned operand) {
    return op.getGather().empty() ? -1 : op.getGather()[operand];
  }

  /// Does the attribute `stream` say that an operand is read once?
  bool isStreamed(unsigned operand) {
    auto streamed = op->getAttrOfType<DenseI64ArrayAttr>("stream");
    return streamed &&
           llvm::is_contained(streamed.asArrayRef(), int64_t(operand));
  }

  Type argumentType(unsigned operand) {
    const unsigned numStep = static_cast<unsigned>(op.getStepBuffers().size());
    return operand < numStep
               ? op.getStep().front().getArgument(operand).getType()
               : op.getFinish()
                     .front()
                     .getArgument(operand - numStep)
                     .getType();
  }

  /// Are the dimensions and fields known that \p map is a function of?
  bool isKnown(AffineMap map) {
    for (unsigned field = 0; field < map.getNumSymbols(); ++field) {
      if (map.isFunctionOfSymbol(field) && !listOffset()) {
        return false;
      }
    }
    for (unsigned dim = 0; dim < map.getNumDims(); ++dim) {
      if (map.isFunctionOfDim(dim) && !offsets[dim]) {
        return false;
      }
    }
    return true;
  }

  bool isKnown(unsigned operand) {
    std::optional<AffineMap> limit = op.getLimit(operand);
    return isKnown(op.getMap(operand)) && (!limit || isKnown(*limit));
  }

  IntegerAttr width(unsigned operand) {
    bool has = !op.getWidths().empty() && op.getWidths()[operand] != 0;
    return has ? b.getI64IntegerAttr(op.getWidths()[operand]) : IntegerAttr();
  }

  Value limit(unsigned operand) {
    if (std::optional<AffineMap> map = op.getLimit(operand)) {
      return evaluate(map->getResult(0));
    }
    if (!op.hasRowNumbers(operand)) {
      return {};
    }
    // As many rows as there are numbers: up to the end of their buffer.
    size_t count = op.getStepBuffers().size() + op.getFinishBuffers().size();
    auto numbers = static_cast<unsigned>(
        operand < count ? op.getGather()[operand]
                        : op.getScatter()[operand - count]);
    Value buffer = op.getBuffers()[numbers];
    int64_t rowDim = cast<BufferType>(buffer.getType()).getRank() - 2;
    Value end = limit(numbers);
    if (!end) {
      end = DimOp::create(b, loc, b.getIndexType(), buffer, rowDim);
    }
    Value row = indices(numbers)[static_cast<size_t>(rowDim)];
    return b.createOrFold<arith::SubIOp>(loc, end, row);
  }

  /// The present entry of the work list, once known.
  Value listOffset() {
    for (unsigned dim = 0; dim < op.getNumDims(); ++dim) {
      if (op.getDim(dim).getKind() == DimKind::list) {
        return offsets[dim];
      }
    }
    return {};
  }

  SmallVector<Value> indices(unsigned operand) {
    SmallVector<Value> result;
    for (AffineExpr expression : op.getMap(operand).getResults()) {
      result.push_back(evaluate(expression));
    }
    return result;
  }

  Value evaluate(AffineExpr expression) {
    if (auto dim = dyn_cast<AffineDimExpr>(expression)) {
      return offsets[dim.getPosition()];
    }
    if (auto field = dyn_cast<AffineSymbolExpr>(expression)) {
      Value &value = fields[field.getPosition()];
      if (!value) {
        Value indices[] = {listOffset(), constant(field.getPosition())};
        value = ReadOp::create(b, loc, b.getIndexType(), op.getList(), indices);
      }
      return value;
    }
    if (auto value = dyn_cast<AffineConstantExpr>(expression)) {
      return constant(value.getValue());
    }
    auto binary = cast<AffineBinaryOpExpr>(expression);
    Value lhs = evaluate(binary.getLHS()), rhs = evaluate(binary.getRHS());
    switch (binary.getKind()) {
    case AffineExprKind::Add:
      return b.createOrFold<arith::AddIOp>(loc, lhs, rhs);
    case AffineExprKind::Mul:
      return b.createOrFold<arith::MulIOp>(loc, lhs, rhs);
    case AffineExprKind::Mod:
      return b.createOrFold<arith::RemUIOp>(loc, lhs, rhs);
    case AffineExprKind::CeilDiv:
      return b.createOrFold<arith::CeilDivUIOp>(loc, lhs, rhs);
    default:
      return b.createOrFold<arith::DivUIOp>(loc, lhs, rhs);
    }
  }

  Value splat(RankedTensorType type, double value) {
    Type element = type.getElementType();
    Attribute scalar = isa<FloatType>(element)
                           ? Attribute(b.getFloatAttr(element, value))
                           : b.getIntegerAttr(element, int64_t(value));
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(type, scalar));
  }

  /// Clones the operations of \p body with their scheduled types.
  /// \returns what it yields.
  SmallVector<Value> cloneBody(Block &body, IRMapping &map) {
    for (Operation &inner : body.without_terminator()) {
      if (auto constant = dyn_cast<SplatOp>(inner)) {
        map.map(constant.getTile(),
                splat(scheduled(constant.getTile().getType()),
                      constant.getValue().convertToDouble()));
        continue;
      }
      if (auto offset = dyn_cast<OffsetOp>(inner)) {
        for (unsigned dim = 0; dim < op.getNumDims(); ++dim) {
          if (op.getDim(dim).getName() == offset.getDim()) {
            map.map(offset.getIndex(), offsets[dim]);
          }
        }
        continue;
      }
      Operation *copy = b.clone(inner, map);
      for (Value result : copy->getResults()) {
        if (isa<RankedTensorType>(result.getType())) {
          result.setType(scheduled(result.getType()));
        }
      }
      tag(copy);
    }
    SmallVector<Value> results;
    for (Value value : body.getTerminator()->getOperands()) {
      results.push_back(map.lookup(value));
    }
    return results;
  }

  void tag(Operation *made) {
    if (Attribute name = op->getAttr("tag")) {
      made->setAttr("tag", name);
    }
  }

  GenericOp op;
  OpBuilder b;
  Location loc;
  ScheduleAttr schedule;
  SmallVector<Value> offsets; // by dimension, once known
  SmallVector<Value> tiles;   // by operand, once loaded
  SmallVector<Value> fields;  // of the work list's entry, once read
};

class Expand : public chipwright::impl::ExpandPassBase<Expand> {
public:
  using ExpandPassBase::ExpandPassBase;

  void runOnOperation() override {
    SmallVector<GenericOp> ops;
    getOperation().walk([&](GenericOp op) { ops.push_back(op); });
    for (GenericOp op : ops) {
      if (!op.getSchedule()) {
        op.emitOpError("has no schedule; run grid-schedule first");
        return signalPassFailure();
      }
    }
    for (GenericOp op : ops) {
      if (op != ops.front()) {
        OpBuilder builder(op);
        BarrierOp::create(builder, op.getLoc());
      }
      Expander(op).run();
      op.erase();
    }
  }
};

} // namespace
