//===- OpModel.cpp --------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/schedule/OpModel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <algorithm>

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

/// Taken for a size about which nothing is known.
static constexpr int64_t kUnknownSize = 512, kUnknownEntries = 8;

static int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

static std::optional<int64_t> constantSize(Value size) {
  if (auto dim = size.getDefiningOp<DimOp>()) {
    BufferType type = dim.getBuffer().getType();
    unsigned position = static_cast<unsigned>(dim.getDim());
    return type.isDynamic(position) ? std::nullopt
                                    : std::optional(type.getShape()[position]);
  }
  return getConstantIntValue(size);
}

static TileSize sizeOf(GenericOp op, Type type, unsigned which) {
  auto tile = cast<RankedTensorType>(type);
  if (!tile.isDynamicDim(which)) {
    return {-1, tile.getDimSize(which)};
  }
  auto names = dyn_cast_or_null<DimsAttr>(tile.getEncoding());
  for (unsigned dim = 0; names && dim < op.getNumDims(); ++dim) {
    if (op.getDim(dim).getName() == names.getNames()[which].getValue()) {
      return {static_cast<int>(dim), 1, names.getDivisors()[which]};
    }
  }
  return {-1, 1};
}

/// Is \p op a step that may be part of its user's command?
static bool isElementwise(Operation *op) {
  return isa<ApplyOp, SwapPairsOp, WindowOp>(op) ||
         ((isa<arith::ArithDialect>(op->getDialect()) ||
           isa<math::MathDialect>(op->getDialect())) &&
          !isa<arith::ConstantOp>(op));
}

FailureOr<OpModel> OpModel::of(GenericOp op, const Target &target) {
  OpModel model;
  model.target = &target;
  auto hints = op->getAttrOfType<DenseI64ArrayAttr>("size_hints");
  if ((op->hasAttr("size_hints") && !hints) ||
      (hints && hints.size() != int64_t(op.getNumDims()))) {
    return op.emitOpError("size_hints is an array of i64 with one number for "
                          "each of the ")
           << op.getNumDims() << " dimensions, found "
           << op->getAttr("size_hints");
  }
  for (unsigned dim = 0; dim < op.getNumDims(); ++dim) {
    DimKind kind = op.getDim(dim).getKind();
    std::optional<int64_t> size = constantSize(op.getSizes()[dim]);
    if (!size && kind == DimKind::full) {
      return op.emitOpError("dimension ")
             << op.getDim(dim).getName()
             << " is of kind full and its size is not known; use a constant, "
                "or another kind";
    }
    model.known.push_back(size.has_value());
    int64_t value = size.value_or(hints ? hints[dim] : 0);
    model.sizes.push_back(value > 0               ? value
                          : kind == DimKind::list ? kUnknownEntries
                                                  : kUnknownSize);
    model.kinds.push_back(kind);
    model.bounded.push_back(op.getBoundsOf(dim).has_value());
  }
  SmallVector<Value> buffers = op.getBuffers();
  const unsigned numStep = static_cast<unsigned>(op.getStepBuffers().size()),
                 numInputs = numStep + static_cast<unsigned>(
                                           op.getFinishBuffers().size());
  for (unsigned i = 0; i < buffers.size(); ++i) {
    Block &finish = op.getFinish().front();
    Type type;
    if (i < numStep) {
      type = op.getStep().front().getArgument(i).getType();
    } else if (i < numInputs) {
      type = finish.getArgument(i - numStep).getType();
    } else {
      type = finish.getTerminator()->getOperand(i - numInputs).getType();
    }
    Transfer transfer;
    transfer.rows = sizeOf(op, type, 0);
    transfer.cols = sizeOf(op, type, 1);
    transfer.elementBits =
        isPacked(elementOf(type)) ? 4 : 8 * int64_t(bytesOf(elementOf(type)));
    transfer.isStore = i >= numInputs;
    AffineMap map = op.getMap(i);
    bool usesList = false;
    for (unsigned field = 0; field < map.getNumSymbols(); ++field) {
      usesList |= map.isFunctionOfSymbol(field);
    }
    for (unsigned dim = 0; dim < op.getNumDims(); ++dim) {
      transfer.dependsOn.push_back(
          map.isFunctionOfDim(dim) ||
          (usesList && model.kinds[dim] == DimKind::list));
    }
    model.transfers.push_back(transfer);
  }
  for (Region *region : {&op.getStep(), &op.getFinish()}) {
    bool inStep = region == &op.getStep();
    region->walk([&](Operation *inner) {
      if (auto matmul = dyn_cast<MatmulOp>(inner)) {
        Type a = matmul.getA().getType(), b = matmul.getB().getType();
        model.products.push_back({sizeOf(op, a, 0), sizeOf(op, b, 0),
                                  sizeOf(op, a, 1), bytesOf(elementOf(a)),
                                  inStep});
        return;
      }
      bool isCommand = isa<RowReduceOp, TransposeOp, TopKOp>(inner);
      if (isElementwise(inner) && inner->getNumResults() == 1) {
        Value result = inner->getResult(0);
        isCommand =
            !result.hasOneUse() || !isElementwise(*result.getUsers().begin());
      }
      if (!isCommand || inner->getNumOperands() == 0 ||
          !isa<RankedTensorType>(inner->getOperand(0).getType())) {
        return;
      }
      Value x = inner->getOperand(0);
      bool ofSum =
          isa_and_nonnull<MatmulOp>(x.getDefiningOp()) ||
          (!inStep && !model.products.empty() && isa<BlockArgument>(x));
      model.passes.push_back({sizeOf(op, x.getType(), 0),
                              sizeOf(op, x.getType(), 1), inStep, ofSum,
                              isa<TransposeOp>(inner)});
    });
  }
  return model;
}

bool OpModel::isDealtOut(unsigned dim) const {
  return (kinds[dim] == DimKind::parallel || kinds[dim] == DimKind::list) &&
         !bounded[dim];
}

//===----------------------------------------------------------------------===//
// Cost
//===----------------------------------------------------------------------===//

/// A loop of the expanded operation, in its order.
struct OpModel::Loop {
  PlaceOfDim place = PlaceOfDim::seq;
  SmallVector<unsigned, 4> dims;
  int64_t trips = 1;   // of the PE with most
  int64_t active = 1;  // PEs that have any
  int64_t members = 1; // PEs of a line that share what does not depend on it
  bool isReduction = false;
};

std::vector<OpModel::Loop> OpModel::loopsOf(const Schedule &schedule) const {
  std::vector<Loop> loops;
  auto blocks = [&](unsigned dim) {
    return divideUp(sizes[dim], schedule.tile[dim]);
  };
  SmallVector<bool, 4> done(numDims(), false);
  for (bool reductions : {false, true}) {
    for (unsigned dim = 0; dim < numDims(); ++dim) {
      bool isReduction = kinds[dim] == DimKind::reduction;
      if (done[dim] || kinds[dim] == DimKind::full ||
          isReduction != reductions) {
        continue;
      }
      Loop loop;
      loop.place = schedule.on[dim];
      loop.isReduction = isReduction;
      if (loop.place == PlaceOfDim::seq) {
        loop.dims = {dim};
        loop.trips = blocks(dim);
        loops.push_back(loop);
        continue;
      }
      int64_t total = 1;
      for (unsigned other = 0; other < numDims(); ++other) {
        if (schedule.on[other] == loop.place &&
            kinds[other] != DimKind::reduction &&
            kinds[other] != DimKind::full) {
          loop.dims.push_back(other);
          done[other] = true;
          total *= blocks(other);
        }
      }
      int64_t line = loop.place == PlaceOfDim::row   ? target->rows
                     : loop.place == PlaceOfDim::col ? target->cols
                                                     : target->numPes();
      loop.trips = divideUp(total, line);
      loop.active = std::min(total, line);
      loop.members = std::min(
          total, loop.place == PlaceOfDim::row ? target->rows : target->cols);
      loops.push_back(loop);
    }
  }
  return loops;
}

double OpModel::productCycles(const Product &product,
                              ArrayRef<int64_t> tile) const {
  const int64_t m = product.m.of(tile), n = product.n.of(tile);
  const int64_t steps =
      divideUp(product.k.of(tile) * product.elementBytes, target->kBytes);
  double stream = 0, loads = 0;
  int64_t rowParts = divideUp(m, target->streamRows);
  for (int64_t col = 0; col < n; col += target->cachedRows) {
    int64_t rowsOfB = std::min(target->cachedRows, n - col);
    for (int64_t row = 0; row < m; row += target->streamRows) {
      stream += static_cast<double>(std::max(
          std::min(target->streamRows, m - row), target->minPassCycles));
    }
    // One pass keeps its cached operand for all parts of the other.
    loads += static_cast<double>(
        (target->maxPasses > 1 ? rowParts : 1) *
        divideUp(rowsOfB * target->kBytes, target->loadBytes));
  }
  return static_cast<double>(steps) * std::max(stream, loads);
}

void OpModel::evaluate(Schedule &schedule) const {
  std::vector<Loop> loops = loopsOf(schedule);
  double all = 1, finishes = 1, active = 1;
  for (const Loop &loop : loops) {
    all *= double(loop.trips);
    finishes *= loop.isReduction ? 1 : double(loop.trips);
    active *= double(loop.active);
  }
  ArrayRef<int64_t> tile = schedule.tile;
  double dpe = 0, se = 0, drain = 0, issueLoad = 0, issueCompute = 0;
  // Cycles of a hart for a command whose fields change, and for a product.
  constexpr double kPerCommand = 24, kPerProduct = 2;
  for (const Product &product : products) {
    double times = product.inStep ? all : finishes;
    double parts = double(divideUp(product.m.of(tile), target->streamRows) *
                          divideUp(product.n.of(tile), target->cachedRows));
    dpe += times * productCycles(product, tile);
    issueCompute +=
        times * (kPerProduct * parts *
                     double(divideUp(product.k.of(tile) * product.elementBytes,
                                     target->kBytes * target->maxPasses)) +
                 kPerCommand);
  }
  // Latency of a command that waits for the one before it.
  constexpr double kPassLatency = 24;
  for (const Pass &pass : passes) {
    double times = pass.inStep ? all : finishes;
    double rows = double(pass.rows.of(tile)), cols = double(pass.cols.of(tile));
    if (cols == 1) {
      std::swap(rows, cols);
    }
    double perRow = std::ceil(
        cols / double(pass.ofSum ? target->drainElements : target->lanes));
    (pass.ofSum && !pass.inStep ? drain : se) +=
        (pass.ofSum && !pass.inStep ? 1 : times) *
        (rows * perRow * (pass.turns ? 1.5 : 1) + kPassLatency);
    issueCompute += times * kPerCommand;
  }
  double port = 0, memory = 0, firstPort = 0, firstMemory = 0, apart = 0,
         fetch = 0;
  for (const Transfer &transfer : transfers) {
    auto within = [&](const TileSize &size) {
      int64_t block = size.of(tile);
      return double(
          size.dim < 0
              ? block
              : std::min(block, divideUp(sizes[static_cast<size_t>(size.dim)],
                                         size.divisor)));
    };
    const double elementBytes = double(transfer.elementBits) / 8;
    double bytes = within(transfer.rows) * within(transfer.cols) * elementBytes;
    // Every row costs requests of its own, and an access at least. Parts of
    // one granule lie in one bank of memory, where PEs wait for each other.
    constexpr double kAccess = 64, kRequest = 32, kBank = 192;
    double rowBytes = within(transfer.cols) * elementBytes;
    bool isRun = transfer.cols.dim < 0 ||
                 kinds[static_cast<size_t>(transfer.cols.dim)] == DimKind::full;
    double conflicts = 1;
    if (!isRun) {
      double least = std::max(rowBytes, kAccess);
      if (schedule.on[static_cast<size_t>(transfer.cols.dim)] !=
          PlaceOfDim::seq) {
        conflicts = (least + kBank) / (least + kRequest);
      }
      bytes *= (least + kRequest) / rowBytes;
    }
    // A part of a granule that is written has the rest of it fetched, if it
    // lies in DRAM. Where it lies is not known here: a share of the time.
    constexpr double kFetch = 1.0 / 2048;
    bool isPart =
        transfer.isStore && !isRun && rowBytes < double(target->granuleBytes) &&
        double(sizes[static_cast<size_t>(transfer.cols.dim)]) * elementBytes >
            rowBytes;
    // A tile is loaded where all it depends on is known.
    size_t level = 0;
    for (size_t i = 0; i < loops.size(); ++i) {
      for (unsigned dim : loops[i].dims) {
        if (transfer.dependsOn[dim]) {
          level = i + 1;
        }
      }
    }
    double times = 1, share = 1;
    for (size_t i = 0; i < level; ++i) {
      times *= double(loops[i].trips);
      bool depends = llvm::any_of(
          loops[i].dims, [&](unsigned dim) { return transfer.dependsOn[dim]; });
      if (loops[i].place != PlaceOfDim::seq && !depends) {
        share = std::max(share, double(loops[i].members));
      }
    }
    port += transfer.isStore ? 0 : times * bytes;
    memory += times * bytes * conflicts * active / share;
    fetch += isPart ? kFetch * times * bytes * active : 0;
    firstPort += bytes;
    // PEs with long transfers drift apart, and open rows of DRAM once each.
    constexpr double kLong = 8192, kDrift = 0.5;
    apart += kDrift * std::max(0.0, bytes - kLong) / double(target->portBytes);
    firstMemory += bytes * conflicts * active / share;
    (transfer.isStore ? issueCompute : issueLoad) += times * kPerCommand;
  }
  port /= double(target->portBytes);
  // Few PEs cannot ask for all that memory could send.
  double rate = std::min(double(target->memoryBytes),
                         0.5 * active * double(target->portBytes));
  double sram = memory / rate;
  double bound = std::max({dpe, se, port, sram, issueLoad, issueCompute});
  double sum = dpe + se + port + sram;
  // Between blocks, what the harts and the engines wait for each other.
  constexpr double kPerBlock = 40;
  // Resources work side by side, but not perfectly: what comes close to the
  // bound costs a little. While the first block is loaded and the last one is
  // computed and stored, the others wait.
  constexpr double kImperfect = 1.0 / 16;
  double oneMemory =
      std::max(firstPort / double(target->portBytes), firstMemory / rate);
  double oneCompute = se / finishes + dpe / all;
  bool byCompute = bound == se || bound == dpe;
  // Behind the last loads the last stores remain, about half of a block's
  // transfers; a single block overlaps with nothing at all.
  double rest = 0.5 + 0.5 / finishes;
  double fill = byCompute ? oneMemory : oneCompute + rest * oneMemory;
  schedule.bytes = memory;
  schedule.cost = bound + kImperfect * std::max(0.0, sum - bound) + drain +
                  fetch + fill + finishes * (kPerBlock + apart);
}
