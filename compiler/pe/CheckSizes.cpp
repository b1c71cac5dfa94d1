//===- CheckSizes.cpp - Commands that need more than a CB has -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/pe/CheckRings.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace chipwright;
using namespace chipwright::compiler;

std::string compiler::describe(Operation *op) {
  std::string name = "'" + op->getName().getStringRef().str() + "'";
  if (auto command = dyn_cast<pe::CommandOpInterface>(op)) {
    if (auto tag = command.getTag()) {
      name += " of \"" + tag->str() + "\"";
    }
  }
  return name;
}

void RingChecker::tooLarge(Operation *op, int cb, const Ring &ring,
                           int64_t bytes, StringRef what) {
  InFlightDiagnostic error =
      emitError(op->getLoc(), describe(op))
      << " " << what << " " << bytes << " bytes of CB " << cb
      << " at once, expected at most the " << *ring.capacity
      << " that it has: the hart would wait for ever; make the CB larger "
         "(pe.cb_setup) or the transfer smaller";
  error.attachNote(ring.setup->getLoc()) << "the CB is set up here";
  hasError = true;
  isDone.insert(cb);
}

/// Bytes from the CB's pointer to the start of the last row of a tile must be
/// less than the CB has, whatever the type of its elements.
void RingChecker::checkTile(pe::CommandOpInterface command, StringRef prefix,
                            OpFoldResult rows) {
  auto slice = [&](StringRef name) {
    return getConstantIntValue(command.getSlice((prefix + name).str()));
  };
  std::optional<int64_t> cb = slice("cb"), count = getConstantIntValue(rows);
  const Ring *ring = cb ? find(static_cast<int>(*cb)) : nullptr;
  if (!ring || !ring->capacity || count == 0) {
    return;
  }
  int64_t last = wrappingSum(
      slice("offset").value_or(0),
      wrappingProduct(slice("pitch").value_or(0), count.value_or(1) - 1));
  if (last >= *ring->capacity) {
    tooLarge(command, static_cast<int>(*cb), *ring, last + 1, "needs");
  }
}

void RingChecker::checkCommand(pe::CommandOpInterface command) {
  auto is = [&](StringRef slice, auto code) {
    return getConstantIntValue(command.getSlice(slice)) ==
           static_cast<int64_t>(code);
  };
  auto one = OpFoldResult(Builder(module.getContext()).getI64IntegerAttr(1));
  if (llvm::isa<pe::MmlOp>(command)) {
    checkTile(command, "a_", command.getSlice("a_rows"));
    checkTile(command, "b_", command.getSlice("b_rows"));
  } else if (llvm::isa<pe::BankInitOp>(command)) {
    if (is("kind", isa::BankInitKind::Tile)) {
      checkTile(command, "", command.getSlice("rows"));
    }
  } else if (llvm::isa<pe::MluCopyOp, pe::MluTransposeOp>(command)) {
    const bool turns = llvm::isa<pe::MluTransposeOp>(command);
    checkTile(command, "", command.getSlice("rows"));
    checkTile(command, "out_", command.getSlice(turns ? "cols" : "rows"));
  } else if (llvm::isa<pe::RowTopkOp>(command)) {
    for (StringRef prefix : {"", "out_", "idx_"}) {
      checkTile(command, prefix, command.getSlice("rows"));
    }
  } else if (llvm::isa<pe::SeOp, pe::DrainOp>(command)) {
    OpFoldResult rows = command.getSlice("rows");
    if (llvm::isa<pe::SeOp>(command)) {
      checkTile(command, "", rows);
    }
    for (StringRef y : {"y1_", "y2_"}) {
      const std::string kind = (y + "kind").str();
      if (is(kind, isa::OperandKind::Tile) ||
          is(kind, isa::OperandKind::PerRow) ||
          is(kind, isa::OperandKind::PerSegment)) {
        checkTile(command, y, rows);
      } else if (is(kind, isa::OperandKind::PerCol)) {
        checkTile(command, y, one);
      }
    }
    if (is("store", 1)) {
      checkTile(command, "out_", rows);
    }
    if (!is("reduce", isa::RowReduction::None)) {
      checkTile(command, "red_", rows);
    }
    if (is("running", 1)) {
      checkTile(command, "run_", rows);
    }
  }
}

/// Pushes, pops and waits of constant size, and the tiles of commands.
void RingChecker::checkSizes(func::FuncOp function) {
  function.walk([&](Operation *op) {
    int64_t cb = -1;
    std::optional<int64_t> bytes;
    llvm::TypeSwitch<Operation *>(op)
        .Case<pe::CbPushOp, pe::CbPopOp, pe::CbWaitOp, pe::CbReserveOp>(
            [&](auto move) {
              cb = static_cast<int64_t>(move.getCb());
              bytes = getConstantIntValue(move.getRs1());
            })
        .Case<pe::DmaInOp, pe::DmaOutOp>([&](auto transfer) {
          auto slice = [&](StringRef name) {
            return getConstantIntValue(transfer.getSlice(name));
          };
          std::optional<int64_t> pitch = slice("local_pitch");
          pitch = pitch == 0 ? slice("row_bytes") : pitch;
          cb = slice("cb").value_or(-1);
          if (slice("rows") && pitch) {
            bytes = wrappingProduct(*slice("rows"), *pitch);
          }
        })
        .Case<pe::CommandOpInterface>(
            [&](pe::CommandOpInterface command) { checkCommand(command); });
    const Ring *ring = find(static_cast<int>(cb));
    if (bytes && ring && ring->capacity && *bytes > *ring->capacity) {
      tooLarge(op, static_cast<int>(cb), *ring, *bytes,
               llvm::isa<pe::CbWaitOp, pe::CbReserveOp>(op) ? "waits for"
                                                            : "moves");
    }
  });
}
