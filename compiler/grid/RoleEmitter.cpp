//===- RoleEmitter.cpp - Control flow and scalars -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/RoleEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

/// Barriers by number: both harts of one PE at the start, all PEs later.
static constexpr uint64_t kStartBarrier = 0, kGridBarrier = 1;

isa::ElementType chipwright::elementCode(Type type) {
  if (type.isF16()) {
    return isa::ElementType::F16;
  }
  if (type.isBF16()) {
    return isa::ElementType::Bf16;
  }
  if (type.isTF32()) {
    return isa::ElementType::Tf32;
  }
  if (type.isInteger(8)) {
    return isa::ElementType::I8;
  }
  if (type.isInteger(32)) {
    return isa::ElementType::I32;
  }
  if (llvm::isa<Float8E4M3FNType>(type)) {
    return isa::ElementType::F8e4m3;
  }
  if (llvm::isa<Float8E5M2Type>(type)) {
    return isa::ElementType::F8e5m2;
  }
  if (type.isInteger(4)) {
    return isa::ElementType::I4;
  }
  if (llvm::isa<Float4E2M1FNType>(type)) {
    return isa::ElementType::F4e2m1;
  }
  if (llvm::isa<Float8E8M0FNUType>(type)) {
    return isa::ElementType::F8e8m0;
  }
  return isa::ElementType::F32;
}

RoleEmitter::RoleEmitter(ProgramOp program, const LocalPlan &plan,
                         const Target &target, OpBuilder &builder, Value block)
    : b(builder), plan(plan), target(target), program(program) {
  readArguments(block);
}

void RoleEmitter::readArguments(Value block) {
  Location loc = program.getLoc();
  int64_t next = 0;
  auto read = [&] {
    Value value = pe::ArgOp::create(b, loc, b.getI64Type(), block,
                                    static_cast<uint64_t>(next));
    next += 8;
    return value;
  };
  auto readIndex = [&]() -> Value {
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), read());
  };
  // Addresses first, then what else the launch tells, in order.
  for (BlockArgument argument : program.getBody().getArguments()) {
    if (llvm::isa<BufferType>(argument.getType())) {
      buffers[argument].address = read();
    }
  }
  for (BlockArgument argument : program.getBody().getArguments()) {
    auto type = dyn_cast<BufferType>(argument.getType());
    if (!type) {
      map.map(argument, readIndex());
      continue;
    }
    BufferArgument &buffer = buffers[argument];
    for (unsigned i = 0; i < type.getRank(); ++i) {
      buffer.sizes.push_back(type.isDynamic(i) ? readIndex()
                                               : index(type.getShape()[i]));
    }
  }
}

LogicalResult RoleEmitter::run() {
  Location loc = program.getLoc();
  Value row =
      pe::InfoOp::create(b, loc, b.getI64Type(), uint64_t(isa::InfoItem::Row));
  Value col =
      pe::InfoOp::create(b, loc, b.getI64Type(), uint64_t(isa::InfoItem::Col));
  // This PE alone: its row bit, and its column bit 32 places higher.
  Value one = i64(1);
  Value rows = arith::ShLIOp::create(b, loc, one, row);
  Value cols = arith::ShLIOp::create(
      b, loc, one, arith::AddIOp::create(b, loc, col, i64(32)));
  pe::BarrierOp::create(b, loc, kStartBarrier,
                        arith::OrIOp::create(b, loc, rows, cols));
  invalidateControl(loc);
  return emitBlock(program.getBody().front());
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value RoleEmitter::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, program.getLoc(), value);
}

Value RoleEmitter::i64(int64_t value) {
  return arith::ConstantIntOp::create(b, program.getLoc(), value, 64);
}

OpFoldResult RoleEmitter::word(Value value) {
  if (std::optional<int64_t> constant = getConstantIntValue(value)) {
    return b.getI64IntegerAttr(*constant);
  }
  if (value.getType().isIndex()) {
    value =
        arith::IndexCastOp::create(b, value.getLoc(), b.getI64Type(), value);
  }
  return value;
}

StringRef RoleEmitter::tagOf(Operation *op) const {
  for (; op; op = op->getParentOp()) {
    if (auto tag = op->getAttrOfType<StringAttr>("tag")) {
      return tag;
    }
  }
  return "";
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

LogicalResult RoleEmitter::emitBlock(Block &block) {
  enterBlock(block);
  for (Operation &op : block) {
    if (op.hasTrait<OpTrait::IsTerminator>()) {
      break;
    }
    if (failed(emit(&op))) {
      return failure();
    }
    done(&op);
  }
  return success();
}

LogicalResult RoleEmitter::emit(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    return emitFor(loop);
  }
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    return emitIf(branch);
  }
  if (auto loop = dyn_cast<ParallelOp>(op)) {
    return emitParallel(loop);
  }
  if (auto read = dyn_cast<ReadOp>(op)) {
    emitRead(read);
    return success();
  }
  if (auto write = dyn_cast<WriteOp>(op)) {
    if (writesControl()) {
      emitWrite(write);
    }
    return success();
  }
  if (auto dim = dyn_cast<DimOp>(op)) {
    map.map(dim.getSize(),
            buffers[dim.getBuffer()].sizes[static_cast<size_t>(dim.getDim())]);
    return success();
  }
  if (auto members = dyn_cast<MembersOp>(op)) {
    const Round &round = rounds[op->getParentOp()];
    Location loc = op->getLoc();
    // PEs of the line that have an iteration in the round of this one.
    Value first =
        arith::SubIOp::create(b, loc, round.iteration, round.position);
    Value left = arith::SubIOp::create(b, loc, round.count, first);
    Value count = arith::MinSIOp::create(b, loc, left, index(round.length));
    Value bits = arith::ShLIOp::create(
        b, loc, i64(1),
        arith::IndexCastOp::create(b, loc, b.getI64Type(), count));
    map.map(members.getMask(), arith::SubIOp::create(b, loc, bits, i64(1)));
    return success();
  }
  if (llvm::isa<BarrierOp>(op)) {
    emitBarrier(op->getLoc());
    return success();
  }
  bool hasTile = llvm::any_of(op->getResultTypes(), [](Type type) {
    return llvm::isa<RankedTensorType>(type);
  });
  if (hasTile || llvm::isa<StoreOp>(op)) {
    if (op->hasTrait<OpTrait::ConstantLike>() ||
        llvm::isa<tensor::ExtractSliceOp>(op)) {
      return success(); // read by their users
    }
    return issue(op);
  }
  if (op->getNumRegions() != 0) {
    return op->emitOpError("is no control flow of a tile program; use scf.for, "
                           "scf.if or grid.parallel");
  }
  b.clone(*op, map);
  return success();
}

LogicalResult RoleEmitter::emitFor(scf::ForOp loop) {
  SmallVector<Value> inits;
  for (Value init : loop.getInitArgs()) {
    if (!llvm::isa<RankedTensorType>(init.getType())) {
      inits.push_back(scalar(init));
    }
  }
  auto made = scf::ForOp::create(b, loop.getLoc(), scalar(loop.getLowerBound()),
                                 scalar(loop.getUpperBound()),
                                 scalar(loop.getStep()), inits);
  map.map(loop.getInductionVar(), made.getInductionVar());
  size_t position = 0;
  for (auto [argument, result] :
       llvm::zip(loop.getRegionIterArgs(), loop.getResults())) {
    if (!llvm::isa<RankedTensorType>(argument.getType())) {
      map.map(argument, made.getRegionIterArg(position));
      map.map(result, made.getResult(position));
      ++position;
    }
  }
  enterLoop(loop, made);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(made.getBody());
  if (failed(emitBlock(*loop.getBody()))) {
    return failure();
  }
  if (!inits.empty()) {
    SmallVector<Value> yielded;
    for (Value value : loop.getYieldedValues()) {
      if (!llvm::isa<RankedTensorType>(value.getType())) {
        yielded.push_back(scalar(value));
      }
    }
    scf::YieldOp::create(b, loop.getLoc(), yielded);
  }
  leaveLoop(loop);
  return success();
}

LogicalResult RoleEmitter::emitIf(scf::IfOp branch) {
  auto made = scf::IfOp::create(b, branch.getLoc(), branch.getResultTypes(),
                                scalar(branch.getCondition()),
                                !branch.getElseRegion().empty());
  for (auto [from, to] : llvm::zip(branch.getRegions(), made.getRegions())) {
    if (from->empty()) {
      continue;
    }
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&to->front());
    if (failed(emitBlock(from->front()))) {
      return failure();
    }
    if (branch.getNumResults() != 0) {
      SmallVector<Value> yielded;
      for (Value value : from->front().getTerminator()->getOperands()) {
        yielded.push_back(scalar(value));
      }
      b.setInsertionPointToEnd(&to->front());
      scf::YieldOp::create(b, branch.getLoc(), yielded);
    }
  }
  map.map(branch.getResults(), made.getResults());
  return success();
}

LogicalResult RoleEmitter::emitParallel(ParallelOp loop) {
  Location loc = loop.getLoc();
  auto info = [&](isa::InfoItem item) -> Value {
    return arith::IndexCastOp::create(
        b, loc, b.getIndexType(),
        pe::InfoOp::create(b, loc, b.getI64Type(), uint64_t(item)));
  };
  Lines lines = loop.getLines();
  Value position =
      info(lines == Lines::row ? isa::InfoItem::Row : isa::InfoItem::Col);
  Value first = lines == Lines::all ? info(isa::InfoItem::Pe) : position;
  int64_t step = lines == Lines::row   ? target.rows
                 : lines == Lines::col ? target.cols
                                       : target.numPes();
  auto made =
      scf::ForOp::create(b, loc, first, scalar(loop.getCount()), index(step));
  map.map(loop.getIteration(), made.getInductionVar());
  rounds[loop] = {made.getInductionVar(), scalar(loop.getCount()), position,
                  lines == Lines::row ? target.rows : target.cols};
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(made.getBody());
  return emitBlock(*loop.getBlock());
}

Value RoleEmitter::addressOf(Location loc, Value buffer, OperandRange indices) {
  unsigned bytes = cast<BufferType>(buffer.getType()).getElementBytes();
  Value offset = b.createOrFold<arith::MulIOp>(
      loc, linearIndex(loc, buffer, indices), index(bytes));
  return arith::AddIOp::create(
      b, loc, buffers[buffer].address,
      arith::IndexCastOp::create(b, loc, b.getI64Type(), offset));
}

void RoleEmitter::emitWrite(WriteOp write) {
  Location loc = write.getLoc();
  unsigned bytes = write.getBuffer().getType().getElementBytes();
  Value value = arith::IndexCastOp::create(b, loc, b.getIntegerType(bytes * 8),
                                           scalar(write.getValue()));
  pe::StoreOp::create(b, loc, value,
                      addressOf(loc, write.getBuffer(), write.getIndices()),
                      uint64_t(0));
}

void RoleEmitter::emitRead(ReadOp read) {
  Location loc = read.getLoc();
  unsigned bytes = read.getBuffer().getType().getElementBytes();
  Value address = addressOf(loc, read.getBuffer(), read.getIndices());
  Value value = pe::LoadOp::create(b, loc, b.getIntegerType(bytes * 8), address,
                                   /*offset=*/uint64_t(0));
  map.map(read.getValue(),
          arith::IndexCastOp::create(b, loc, b.getIndexType(), value));
}

/// What a hart stored has arrived before it reports; what it read before may
/// have changed behind it.
void RoleEmitter::emitBarrier(Location loc) {
  pe::FenceOp::create(b, loc);
  uint64_t rows = (uint64_t(1) << target.rows) - 1;
  uint64_t cols = (uint64_t(1) << target.cols) - 1;
  pe::BarrierOp::create(b, loc, kGridBarrier,
                        i64(static_cast<int64_t>(rows | cols << 32)));
  invalidateControl(loc);
}

void RoleEmitter::invalidateControl(Location loc) {
  for (BlockArgument argument : program.getBody().getArguments()) {
    auto type = dyn_cast<BufferType>(argument.getType());
    bool isRead = llvm::any_of(argument.getUsers(), [](Operation *user) {
      return llvm::isa<ReadOp>(user);
    });
    if (!type || !type.getControl() || !isRead) {
      continue;
    }
    const BufferArgument &buffer = buffers[argument];
    Value bytes = index(type.getElementBytes());
    for (Value size : buffer.sizes) {
      bytes = arith::MulIOp::create(b, loc, bytes, size);
    }
    pe::InvalOp::create(
        b, loc, buffer.address,
        arith::IndexCastOp::create(b, loc, b.getI64Type(), bytes));
  }
}

//===----------------------------------------------------------------------===//
// Transfers
//===----------------------------------------------------------------------===//

Value RoleEmitter::linearIndex(Location loc, Value buffer,
                               OperandRange indices) {
  const BufferArgument &argument = buffers[buffer];
  Value linear = scalar(indices[0]);
  for (size_t i = 1; i < indices.size(); ++i) {
    linear = b.createOrFold<arith::MulIOp>(loc, linear, argument.sizes[i]);
    linear = b.createOrFold<arith::AddIOp>(loc, linear, scalar(indices[i]));
  }
  return linear;
}

/// Is \p value a multiple of \p unit that is less than \p size, a multiple of
/// it as well? Then a part of that length is whole.
static bool isWholePart(Value value, int64_t size, int64_t unit) {
  if (size % unit != 0) {
    return false;
  }
  if (std::optional<int64_t> constant = getConstantIntValue(value)) {
    return *constant >= 0 && *constant % unit == 0 && *constant < size;
  }
  auto argument = dyn_cast<BlockArgument>(value);
  auto loop = argument
                  ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp())
                  : scf::ForOp();
  if (!loop || loop.getInductionVar() != value) {
    return false;
  }
  std::optional<int64_t> lower = getConstantIntValue(loop.getLowerBound()),
                         upper = getConstantIntValue(loop.getUpperBound()),
                         step = getConstantIntValue(loop.getStep());
  return lower && upper && step && *lower >= 0 && *lower % unit == 0 &&
         *step % unit == 0 && *upper <= size;
}

Value RoleEmitter::validPart(Location loc, Value at, Value size,
                             int64_t length) {
  std::optional<int64_t> total = getConstantIntValue(size);
  if (total && isWholePart(at, *total, length)) {
    return index(length);
  }
  Value left = b.createOrFold<arith::SubIOp>(loc, size, at);
  Value part = b.createOrFold<arith::MinSIOp>(loc, left, index(length));
  return b.createOrFold<arith::MaxSIOp>(loc, part, index(0));
}

SmallVector<pe::SliceValue, 16>
RoleEmitter::transferSlices(Operation *op, Value buffer, OperandRange indices,
                            Value limit, bool indexed,
                            std::optional<uint64_t> width,
                            RankedTensorType tile, int64_t cb) {
  Location loc = op->getLoc();
  const BufferArgument &argument = buffers[buffer];
  const Type element = tile.getElementType();
  const int64_t rows = tile.getDimSize(0), cols = tile.getDimSize(1),
                rowBytes = bytesOf(element, cols);
  const size_t rank = indices.size();
  auto inBytes = [&](Value elements) {
    // Numbers of packed elements are even (grid-normalize).
    return isPacked(element)
               ? b.createOrFold<arith::DivUIOp>(loc, elements, index(2))
               : b.createOrFold<arith::MulIOp>(loc, elements,
                                               index(bytesOf(element)));
  };
  Value offset = inBytes(linearIndex(loc, buffer, indices));
  Value address = arith::AddIOp::create(
      b, loc, argument.address,
      arith::IndexCastOp::create(b, loc, b.getI64Type(), offset));
  Value row = scalar(indices[rank - 2]), col = scalar(indices[rank - 1]);
  Value validRows;
  if (indexed) {
    validRows =
        limit ? validPart(loc, index(0), scalar(limit), rows) : index(rows);
  } else {
    Value end = argument.sizes[rank - 2];
    if (limit) {
      end = b.createOrFold<arith::MinSIOp>(loc, end, scalar(limit));
    }
    validRows = validPart(loc, row, end, rows);
  }
  Value validCols = validPart(loc, col, argument.sizes[rank - 1],
                              width ? std::min(int64_t(*width), cols) : cols);
  Value validBytes = inBytes(validCols);
  // Rows that follow each other without gaps in memory are one long row.
  constexpr int64_t kMaxRowBytes = (1 << 24) - 1;
  bool isRun = !indexed && !width && rows > 1 &&
               rows * rowBytes <= kMaxRowBytes &&
               getConstantIntValue(argument.sizes[rank - 1]) == cols &&
               getConstantIntValue(col) == 0;
  if (isRun || (rows == 1 && !indexed)) {
    Value whole =
        isRun ? b.createOrFold<arith::MulIOp>(loc, validRows, index(rowBytes))
              : validBytes;
    return {{"addr", address},
            {"rows", int64_t(1)},
            {"row_bytes", rows * rowBytes},
            {"cb", cb},
            {"valid_rows", isRun ? word(index(1)) : word(validRows)},
            {"valid_bytes", word(whole)},
            {"indexed", indexed}};
  }
  return {{"addr", address},
          {"rows", rows},
          {"row_bytes", rowBytes},
          {"pitch", word(inBytes(argument.sizes[rank - 1]))},
          {"cb", cb},
          {"valid_rows", word(validRows)},
          {"valid_bytes", word(validBytes)},
          {"indexed", indexed}};
}
