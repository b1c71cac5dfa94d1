//===- LlmDialect.cpp - Registration and verification ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "dialects/llm/Llm.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace chipwright::llm;

#include "dialects/llm/LlmDialect.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/llm/LlmOps.cpp.inc"

void LlmDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/llm/LlmOps.cpp.inc"
      >();
}

static int64_t dimOf(Value value, unsigned dim) {
  auto type = cast<RankedTensorType>(value.getType());
  return dim < type.getRank() ? type.getDimSize(dim) : -1;
}
static int64_t columnsOf(Value value) { return dimOf(value, 1); }

/// One of \p values has another rank than \p rank, or a result than 2?
static LogicalResult checkRanks(Operation *op, ValueRange values,
                                int64_t rank = 2) {
  auto check = [&](ValueRange list, int64_t expected) -> LogicalResult {
    for (Value value : list) {
      if (cast<RankedTensorType>(value.getType()).getRank() != expected) {
        return op->emitOpError("works on tensors of rank ")
               << expected << ", found " << value.getType();
      }
    }
    return success();
  };
  return failure(failed(check(values, rank)) ||
                 failed(check(op->getResults(), 2)));
}

static LogicalResult sameColumns(Operation *op, Value a, Value b,
                                 StringRef what) {
  if (columnsOf(a) != columnsOf(b)) {
    return op->emitOpError(what) << " have one number of columns, found "
                                 << columnsOf(a) << " and " << columnsOf(b);
  }
  return success();
}

LogicalResult EmbeddingOp::verify() {
  return failure(
      failed(checkRanks(*this, getOperands())) ||
      failed(sameColumns(*this, getTable(), getY(), "table and result")));
}

LogicalResult RmsNormOp::verify() {
  if (failed(checkRanks(*this, getOperands())) ||
      failed(sameColumns(*this, getX(), getY(), "operand and result"))) {
    return failure();
  }
  int64_t group = static_cast<int64_t>(getGroup());
  if (group <= 0 || columnsOf(getX()) % group != 0) {
    return emitOpError("groups of ")
           << group << " columns do not divide " << columnsOf(getX());
  }
  if (getWeight() && columnsOf(getWeight()) != group) {
    return emitOpError("weight is 1 x ")
           << group << ", found " << getWeight().getType();
  }
  return success();
}

static LogicalResult checkLinear(Operation *op, Value x, Value weight,
                                 Value y) {
  if (failed(checkRanks(op, {x, weight, y})) ||
      failed(sameColumns(op, x, weight, "operand and weight"))) {
    return failure();
  }
  if (columnsOf(y) != dimOf(weight, 0)) {
    return op->emitOpError("a weight with ")
           << dimOf(weight, 0) << " rows gives as many columns, found "
           << columnsOf(y);
  }
  return success();
}

LogicalResult LinearOp::verify() {
  return checkLinear(*this, getX(), getWeight(), getY());
}

LogicalResult LogitsOp::verify() {
  return checkLinear(*this, getX(), getWeight(), getY());
}

LogicalResult RopeOp::verify() {
  int64_t head = static_cast<int64_t>(getHead());
  if (failed(checkRanks(*this, getOperands())) ||
      failed(sameColumns(*this, getX(), getY(), "operand and result"))) {
    return failure();
  }
  if (head <= 0 || head % 2 != 0 || columnsOf(getX()) % head != 0 ||
      columnsOf(getTable()) != 2 * head) {
    return emitOpError("heads of ")
           << head << " columns (an even number) divide the operand's "
           << columnsOf(getX()) << ", and the table has twice as many, found "
           << columnsOf(getTable());
  }
  return success();
}

LogicalResult TemperatureOp::verify() {
  return failure(
      failed(checkRanks(*this, getOperands())) ||
      failed(sameColumns(*this, getX(), getY(), "operand and result")));
}

LogicalResult AttentionOp::verify() {
  if (failed(checkRanks(*this, getOperands())) ||
      failed(sameColumns(*this, getQ(), getY(), "queries and result")) ||
      failed(sameColumns(*this, getK(), getV(), "keys and values")) ||
      failed(sameColumns(*this, getKeys(), getValues(), "caches")) ||
      failed(sameColumns(*this, getK(), getKeys(), "keys and their cache"))) {
    return failure();
  }
  int64_t heads = static_cast<int64_t>(getHeads()),
          kvHeads = static_cast<int64_t>(getKvHeads()),
          size = static_cast<int64_t>(getHeadSize());
  if (kvHeads <= 0 || heads % kvHeads != 0 ||
      columnsOf(getQ()) != heads * size ||
      columnsOf(getK()) != kvHeads * size) {
    return emitOpError("queries are heads x head_size wide and keys kv_heads x "
                       "head_size, where kv_heads divides heads; found ")
           << columnsOf(getQ()) << " and " << columnsOf(getK());
  }
  return success();
}

LogicalResult RouterOp::verify() {
  if (failed(checkLinear(*this, getX(), getWeight(), getLogits()))) {
    return failure();
  }
  int64_t chosen = static_cast<int64_t>(getChosen());
  if (chosen < 1 || chosen > dimOf(getWeight(), 0) ||
      columnsOf(getExperts()) != chosen || columnsOf(getScores()) != chosen) {
    return emitOpError("chooses 1 to ")
           << dimOf(getWeight(), 0) << " experts, found " << chosen;
  }
  return success();
}

LogicalResult ExpertsOp::verify() {
  if (failed(checkRanks(*this, {getX(), getExperts(), getScores()})) ||
      failed(checkRanks(*this, {getGate(), getUp(), getDown()}, 3)) ||
      failed(sameColumns(*this, getX(), getY(), "operand and result"))) {
    return failure();
  }
  if (getGate().getType() != getUp().getType() ||
      dimOf(getGate(), 2) != columnsOf(getX()) ||
      dimOf(getDown(), 1) != columnsOf(getX()) ||
      dimOf(getDown(), 2) != dimOf(getGate(), 1)) {
    return emitOpError("gate and up are [experts, width, columns] and down "
                       "[experts, columns, width], found ")
           << getGate().getType() << ", " << getUp().getType() << " and "
           << getDown().getType();
  }
  return success();
}

LogicalResult SiluMulOp::verify() {
  return failure(
      failed(checkRanks(*this, getOperands())) ||
      failed(sameColumns(*this, getGate(), getUp(), "operands")) ||
      failed(sameColumns(*this, getGate(), getY(), "operand and result")));
}

LogicalResult AddOp::verify() {
  return failure(
      failed(checkRanks(*this, getOperands())) ||
      failed(sameColumns(*this, getA(), getB(), "operands")) ||
      failed(sameColumns(*this, getA(), getY(), "operand and result")));
}
