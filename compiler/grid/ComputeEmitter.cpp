//===- ComputeEmitter.cpp -------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/ComputeEmitter.h"

#include "compiler/grid/Banks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <bit>

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

/// Steps over K that are written out instead of looped over.
static constexpr int64_t kMaxUnrolledSteps = 2;

ComputeEmitter::ComputeEmitter(ProgramOp program, const LocalPlan &plan,
                               const Target &target, OpBuilder &builder,
                               Value block)
    : RoleEmitter(program, plan, target, builder, block),
      rings(plan, /*ofLoads=*/false, [this](const Place &place) {
        pe::CbPopOp::create(b, b.getUnknownLoc(),
                            static_cast<uint64_t>(place.cb), i64(place.slot));
      }) {}

LogicalResult ComputeEmitter::issue(Operation *op) {
  if (llvm::isa<LoadOp, FillOp>(op)) {
    Value tile = op->getResult(0);
    if (!plan.of(tile).isGatherIndex) {
      rings.push(tile);
    }
  } else if (auto product = dyn_cast<MatmulOp>(op)) {
    return matmul(product);
  } else if (auto chain = dyn_cast<SimdOp>(op)) {
    if (plan.of(chain.getX()).inBanks) {
      drain(chain);
    } else {
      return simd(chain);
    }
  } else if (auto find = dyn_cast<TopKOp>(op)) {
    topK(find);
  } else if (llvm::isa<TransposeOp, CopyOp>(op)) {
    layout(op, op->getOperand(0), op->getResult(0));
  } else if (auto write = dyn_cast<StoreOp>(op)) {
    store(write);
  } else {
    return op->emitOpError("has no command; run grid-select-simd and "
                           "grid-normalize first");
  }
  return success();
}

void ComputeEmitter::pushed(Operation *op, Value tile) {
  const Place &place = plan.of(tile);
  pe::CbPushOp::create(b, op->getLoc(), static_cast<uint64_t>(place.cb),
                       i64(place.slot));
  rings.push(tile);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Does \p loop run at least once?
static bool runs(scf::ForOp loop) {
  std::optional<int64_t> lower = getConstantIntValue(loop.getLowerBound()),
                         upper = getConstantIntValue(loop.getUpperBound());
  return (lower && upper && *lower < *upper) || loop->hasAttr("nonempty");
}

void ComputeEmitter::enterLoop(scf::ForOp loop, scf::ForOp made) {
  for (const Carried &carried : carriedTiles(loop)) {
    const Place &place = plan.of(carried.argument);
    if (!place.inBanks) {
      rings.rename(carried.init, carried.argument);
      continue;
    }
    bool isZero = splatOf(carried.init).has_value();
    if (isZero && runs(loop) && carried.argument.hasOneUse()) {
      auto product = dyn_cast<MatmulOp>(*carried.argument.getUsers().begin());
      if (product && product->getParentOp() == loop) {
        startsInLoop[carried.argument] = made;
        continue;
      }
    }
    if (isZero || !liesInBanks(carried.init)) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(made);
      initBanks(loop.getLoc(), place, isZero ? Value() : carried.init,
                tagOf(loop));
    }
  }
}

void ComputeEmitter::leaveLoop(scf::ForOp loop) {
  for (const Carried &carried : carriedTiles(loop)) {
    if (!plan.of(carried.argument).inBanks) {
      rings.rename(carried.yielded, carried.result);
    }
  }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void ComputeEmitter::initBanks(Location loc, const Place &place, Value from,
                               StringRef tag) {
  for (int64_t i = 0; i < place.rowParts; ++i) {
    for (int64_t j = 0; j < place.colParts; ++j) {
      initBank(
          loc, place.type,
          {i * target.streamRows, j * target.cachedRows, place.bankOf(i, j)},
          from, tag);
    }
  }
}

void ComputeEmitter::initBank(Location loc, RankedTensorType type,
                              const Part &part, Value from, StringRef tag) {
  SmallVector<pe::SliceValue, 12> slices = {
      {"rows", std::min(rowsOf(type) - part.row, target.streamRows)},
      {"cols", std::min(colsOf(type) - part.col, target.cachedRows)},
      {"bank", part.bank},
      {"kind", from ? isa::BankInitKind::Tile : isa::BankInitKind::Zero}};
  if (from) {
    addSource(slices, {"cb", "offset", "pitch", "dtype"}, from, part.row,
              part.col);
  } else {
    slices.push_back({"dtype", elementCode(type.getElementType())});
  }
  pe::BankInitOp::create(b, loc, slices, tag);
}

SmallVector<ComputeEmitter::Part> ComputeEmitter::partsOf(MatmulOp op) {
  const Place &sum = plan.of(op.getSum());
  SmallVector<Part> parts;
  for (int64_t j = 0; j < sum.colParts; ++j) {
    for (int64_t step = 0; step < sum.rowParts; ++step) {
      int64_t i = j % 2 ? sum.rowParts - 1 - step : step;
      int64_t bank = 0;
      if (sum.inBanks) {
        bank = sum.bankOf(i, j);
      } else {
        const std::vector<int64_t> &banks = plan.borrowedBanks(op);
        bank = banks[parts.size() % banks.size()];
      }
      parts.push_back({i * target.streamRows, j * target.cachedRows, bank});
    }
  }
  return parts;
}

/// The products of one step over K.
void ComputeEmitter::multiplyStep(MatmulOp op, ArrayRef<Part> parts,
                                  int64_t passes, Value offset,
                                  int64_t constantOffset,
                                  OpFoldResult accumulate) {
  const Place &a = plan.of(op.getA()), &bPlace = plan.of(op.getB());
  const int64_t m = rowsOf(op.getA().getType()),
                n = rowsOf(op.getB().getType());
  isa::ElementType type = elementCode(elementOf(op.getA().getType()));
  auto at = [&](int64_t constant) -> OpFoldResult {
    if (!offset) {
      return b.getI64IntegerAttr(constant);
    }
    return b.createOrFold<arith::AddIOp>(op.getLoc(), offset, i64(constant));
  };
  for (const Part &part : parts) {
    pe::MmlOp::create(
        b, op.getLoc(),
        {{"a_cb", a.cb},
         {"a_offset", at(rings.offsetOf(op.getA()) + part.row * a.pitch() +
                         constantOffset)},
         {"a_pitch", a.pitch()},
         {"b_cb", bPlace.cb},
         {"b_offset", at(rings.offsetOf(op.getB()) + part.col * bPlace.pitch() +
                         constantOffset)},
         {"b_pitch", bPlace.pitch()},
         {"a_rows", std::min(m - part.row, target.streamRows)},
         {"b_rows", std::min(n - part.col, target.cachedRows)},
         {"passes", passes},
         {"a_dtype", type},
         {"b_dtype", type},
         {"bank", part.bank},
         {"accumulate", accumulate},
         {"a_step", target.kBytes},
         {"b_step", target.kBytes}},
        tagOf(op));
  }
}

LogicalResult ComputeEmitter::matmul(MatmulOp op) {
  Location loc = op.getLoc();
  const int64_t kBytes =
      colsOf(op.getA().getType()) * bytesOf(elementOf(op.getA().getType()));
  if (kBytes % target.kBytes != 0) {
    return op.emitOpError("multiplies ")
           << kBytes << " bytes of K, which is no multiple of the "
           << target.kBytes << " of a pass (dpe.k_bytes)";
  }
  if (isSpilled(op)) {
    multiplySpilled(op);
    return success();
  }
  OpFoldResult first = b.getI64IntegerAttr(1);
  Value acc = op.getAcc();
  if (splatOf(acc)) {
    first = b.getI64IntegerAttr(0);
  } else if (scf::ForOp made = startsInLoop.lookup(acc)) {
    Value later =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                              made.getInductionVar(), made.getLowerBound());
    first = Value(arith::ExtUIOp::create(b, loc, b.getI64Type(), later));
  } else if (!liesInBanks(acc)) {
    initBanks(loc, plan.of(op.getSum()), acc, tagOf(op));
  }
  multiply(op, partsOf(op), first);
  return success();
}

/// All of K. \p first: does the first step add to what lies in the banks?
void ComputeEmitter::multiply(MatmulOp op, ArrayRef<Part> parts,
                              OpFoldResult first) {
  const int64_t kBytes = colsOf(op.getA().getType()) *
                         bytesOf(elementOf(op.getA().getType())),
                allPasses = kBytes / target.kBytes;
  int64_t passes = static_cast<int64_t>(
      std::bit_floor(static_cast<uint64_t>(target.maxPasses)));
  while (allPasses % passes != 0) {
    passes /= 2;
  }
  const int64_t steps = allPasses / passes, stepBytes = passes * target.kBytes;
  OpFoldResult more = b.getI64IntegerAttr(1);
  if (steps <= kMaxUnrolledSteps) {
    for (int64_t step = 0; step < steps; ++step) {
      multiplyStep(op, parts, passes, Value(), step * stepBytes,
                   step == 0 ? first : more);
    }
    return;
  }
  multiplyStep(op, parts, passes, Value(), 0, first);
  Location loc = op.getLoc();
  auto loop = scf::ForOp::create(b, loc, index(stepBytes), index(kBytes),
                                 index(stepBytes));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value offset = arith::IndexCastOp::create(b, loc, b.getI64Type(),
                                            loop.getInductionVar());
  multiplyStep(op, parts, passes, offset, 0, more);
}

/// A sum in local memory goes part by part through banks: in, products, out.
void ComputeEmitter::multiplySpilled(MatmulOp op) {
  const Place &sum = plan.of(op.getSum());
  const int64_t element = bytesOf(sum.type.getElementType());
  const bool isZero = splatOf(op.getAcc()).has_value();
  for (const Part &part : partsOf(op)) {
    if (!isZero) {
      initBank(op.getLoc(), sum.type, part, op.getAcc(), tagOf(op));
    }
    multiply(op, part, b.getI64IntegerAttr(isZero ? 0 : 1));
    isa::ElementType type = elementCode(sum.type.getElementType());
    pe::DrainOp::create(
        b, op.getLoc(),
        {{"cb", part.bank},
         {"dtype", type},
         {"rows", std::min(rowsOf(sum.type) - part.row, target.streamRows)},
         {"cols", std::min(colsOf(sum.type) - part.col, target.cachedRows)},
         {"store", int64_t(1)},
         {"out_cb", sum.cb},
         {"out_offset", part.row * sum.pitch() + part.col * element},
         {"out_pitch", sum.pitch()},
         {"out_dtype", type}},
        tagOf(op));
  }
  pushed(op, op.getSum());
}

//===----------------------------------------------------------------------===//
// Element-wise commands
//===----------------------------------------------------------------------===//

void ComputeEmitter::addSource(SmallVectorImpl<pe::SliceValue> &slices,
                               ArrayRef<StringRef> names, Value tile,
                               int64_t row, int64_t col) {
  const Place &place = plan.of(tile);
  Type element = elementOf(tile.getType());
  slices.push_back({names[0], place.cb});
  slices.push_back({names[1], rings.offsetOf(tile) + row * place.pitch() +
                                  bytesOf(element, col)});
  slices.push_back({names[2], place.pitch()});
  if (names.size() > 3) {
    slices.push_back({names[3], elementCode(element)});
  }
}

static uint32_t bitsOf(const APFloat &value) {
  return std::bit_cast<uint32_t>(value.convertToFloat());
}

void ComputeEmitter::addChain(SmallVectorImpl<pe::SliceValue> &slices,
                              SimdOp op, int64_t row, int64_t col, int64_t rows,
                              int64_t cols) {
  slices.append({{"rows", rows},
                 {"cols", cols},
                 {"swap_pairs", op.getSwapPairs()},
                 {"segment", op.getSegment().value_or(0)},
                 {"y1_kind", op.getY1Kind()},
                 {"op1", op.getAlu1()},
                 {"f", op.getFunction()},
                 {"y2_kind", op.getY2Kind()},
                 {"op2", op.getAlu2()},
                 {"reduce", op.getReduce()},
                 {"running", bool(op.getRun())},
                 {"window", bool(op.getBounds())},
                 {"store", bool(op.getOut())},
                 {"scale", op.getScale().has_value()}});
  auto immediate = [&](StringRef name, std::optional<APFloat> value) {
    if (value) {
      slices.push_back({name, bitsOf(*value)});
    }
  };
  immediate("scale_imm", op.getScale());
  immediate("fill_imm", op.getFill());
  immediate("y1_imm", op.getY1Value());
  immediate("y2_imm", op.getY2Value());
  auto operand = [&](ArrayRef<StringRef> names, Value y, grid::Operand kind) {
    if (y) {
      int64_t first = kind == Operand::per_row ? 0 : col;
      if (kind == Operand::per_segment) {
        first /= static_cast<int64_t>(*op.getSegment());
      }
      addSource(slices, names, y, kind == Operand::per_col ? 0 : row, first);
    }
  };
  operand({"y1_cb", "y1_offset", "y1_pitch", "y1_dtype"}, op.getY1(),
          op.getY1Kind());
  operand({"y2_cb", "y2_offset", "y2_pitch", "y2_dtype"}, op.getY2(),
          op.getY2Kind());
  if (op.getBounds()) {
    const Place &place = plan.of(op.getBounds());
    slices.push_back({"win_cb", place.cb});
    slices.push_back(
        {"win_offset", rings.offsetOf(op.getBounds()) + row * place.pitch()});
    Value base = scalar(op.getBase());
    if (col != 0) {
      base = b.createOrFold<arith::AddIOp>(op.getLoc(), base, index(col));
    }
    slices.push_back({"win_base", word(base)});
  }
  if (op.getRun()) {
    addSource(slices, {"run_cb", "run_offset", "run_pitch"}, op.getRun(), row);
  }
  auto target = [&](ArrayRef<StringRef> names, Value tile, int64_t firstCol) {
    if (tile) {
      const Place &place = plan.of(tile);
      slices.push_back({names[0], place.cb});
      slices.push_back(
          {names[1], row * place.pitch() +
                         bytesOf(place.type.getElementType(), firstCol)});
      slices.push_back({names[2], place.pitch()});
      slices.push_back({names[3], elementCode(place.type.getElementType())});
    }
  };
  target({"out_cb", "out_offset", "out_pitch", "out_dtype"}, op.getOut(), col);
  target({"red_cb", "red_offset", "red_pitch", "red_dtype"}, op.getRed(), 0);
}

/// Is every tile of \p op a column of its own, without gaps? Then it can be
/// taken as one row, which the engine passes through faster.
static bool isColumn(SimdOp op, const LocalPlan &plan) {
  if (op.getRed() || op.getBounds() || op.getSwapPairs()) {
    return false;
  }
  auto isContiguous = [&](Value tile) {
    return colsOf(tile.getType()) == 1 &&
           !isPacked(elementOf(tile.getType())) &&
           plan.of(tile).pitch() == bytesOf(elementOf(tile.getType()));
  };
  for (auto [y, kind] : {std::pair(op.getY1(), op.getY1Kind()),
                         std::pair(op.getY2(), op.getY2Kind())}) {
    if (y && (kind != Operand::tile || !isContiguous(y))) {
      return false;
    }
  }
  return isContiguous(op.getX()) && isContiguous(op.getOut());
}

LogicalResult ComputeEmitter::simd(SimdOp op) {
  Type x = op.getX().getType();
  int64_t rows = rowsOf(x), cols = colsOf(x);
  if (isColumn(op, plan)) {
    std::swap(rows, cols);
  }
  if (cols > kMaxColumns && (op.getRun() || (op.getRed() && op.getSegment()))) {
    return op.emitOpError("reduces ")
           << cols << " columns, which takes commands of " << kMaxColumns
           << " columns each; that is possible neither for segments nor for a "
              "running reduction: use smaller tiles";
  }
  if (cols > kMaxColumns && op.getSegment() &&
      kMaxColumns % static_cast<int64_t>(*op.getSegment()) != 0) {
    return op.emitOpError("works on ")
           << cols << " columns, which takes commands of " << kMaxColumns
           << " columns each, no whole number of segments of "
           << *op.getSegment() << ": use smaller tiles";
  }
  for (int64_t col = 0; col < cols; col += kMaxColumns) {
    SmallVector<pe::SliceValue, 48> slices;
    addSource(slices, {"cb", "offset", "pitch", "dtype"}, op.getX(), 0, col);
    addChain(slices, op, 0, col, rows, std::min(cols - col, kMaxColumns));
    bool goesOn = col > 0 && op.getRed();
    if (goesOn) {
      // The parts before this one lie in the ring as a tile of their own.
      addSource(slices, {"run_cb", "run_offset", "run_pitch"}, op.getRed());
      for (pe::SliceValue &slice : slices) {
        if (slice.name == "running") {
          slice.constant = 1;
        }
      }
    }
    pe::SeOp::create(b, op.getLoc(), slices, tagOf(op));
    if (op.getRed()) {
      pushed(op, op.getRed());
    }
    if (goesOn) {
      const Place &place = plan.of(op.getRed());
      pe::CbPopOp::create(b, op.getLoc(), static_cast<uint64_t>(place.cb),
                          i64(place.slot));
      rings.taken(op.getRed());
    }
  }
  if (op.getOut()) {
    pushed(op, op.getOut());
  }
  return success();
}

void ComputeEmitter::drain(SimdOp op) {
  const Place &place = plan.of(op.getX());
  const int64_t rows = rowsOf(op.getX().getType()),
                cols = colsOf(op.getX().getType());
  for (int64_t j = 0; j < place.colParts; ++j) {
    for (int64_t step = 0; step < place.rowParts; ++step) {
      // As the products, so that the first bank to be complete is the first.
      int64_t i = j % 2 ? place.rowParts - 1 - step : step;
      int64_t row = i * target.streamRows, col = j * target.cachedRows;
      SmallVector<pe::SliceValue, 48> slices = {
          {"cb", place.bankOf(i, j)},
          {"dtype", elementCode(place.type.getElementType())}};
      addChain(slices, op, row, col, std::min(rows - row, target.streamRows),
               std::min(cols - col, target.cachedRows));
      pe::DrainOp::create(b, op.getLoc(), slices, tagOf(op));
    }
  }
  for (Value result : op.getResults()) {
    pushed(op, result);
  }
}

//===----------------------------------------------------------------------===//
// The rest
//===----------------------------------------------------------------------===//

void ComputeEmitter::topK(TopKOp op) {
  const Place &values = plan.of(op.getValues()),
              &columns = plan.of(op.getColumns());
  Type x = op.getX().getType();
  SmallVector<pe::SliceValue, 16> slices = {
      {"rows", rowsOf(x)},
      {"cols", colsOf(x)},
      {"k", colsOf(values.type)},
      {"out_cb", values.cb},
      {"out_pitch", values.pitch()},
      {"out_dtype", elementCode(values.type.getElementType())},
      {"idx_cb", columns.cb},
      {"idx_pitch", columns.pitch()}};
  addSource(slices, {"cb", "offset", "pitch", "dtype"}, op.getX());
  pe::RowTopkOp::create(b, op.getLoc(), slices, tagOf(op));
  pushed(op, op.getValues());
  pushed(op, op.getColumns());
}

void ComputeEmitter::layout(Operation *op, Value x, Value y) {
  const Place &to = plan.of(y);
  SmallVector<pe::SliceValue, 12> slices = {
      {"rows", rowsOf(x.getType())},
      {"cols", isPacked(elementOf(x.getType()))
                   ? bytesOf(elementOf(x.getType()), colsOf(x.getType()))
                   : colsOf(x.getType())},
      {"elem_bytes", std::max(1u, bytesOf(elementOf(x.getType())))},
      {"out_cb", to.cb},
      {"out_pitch", to.pitch()}};
  addSource(slices, {"cb", "offset", "pitch"}, x);
  if (llvm::isa<TransposeOp>(op)) {
    pe::MluTransposeOp::create(b, op->getLoc(), slices, tagOf(op));
  } else {
    pe::MluCopyOp::create(b, op->getLoc(), slices, tagOf(op));
  }
  pushed(op, y);
}

void ComputeEmitter::store(StoreOp op) {
  const Place &place = plan.of(op.getTile());
  auto slices = transferSlices(op, op.getBuffer(), op.getIndices(),
                               op.getLimit(), bool(op.getScatter()),
                               op.getWidth(), op.getTile().getType(), place.cb);
  slices.push_back({"policy", op.getPolicy()});
  if (op.getScatter()) {
    slices.push_back({"index_cb", plan.of(op.getScatter()).cb});
    slices.push_back({"index_offset", rings.offsetOf(op.getScatter())});
  }
  pe::DmaOutOp::create(b, op.getLoc(), slices, tagOf(op));
  if (int64_t rest = place.slot - place.tileBytes()) {
    // Larger tiles share the ring.
    pe::CbPopOp::create(b, op.getLoc(), static_cast<uint64_t>(place.cb),
                        i64(rest));
  }
  rings.taken(op.getTile());
}
