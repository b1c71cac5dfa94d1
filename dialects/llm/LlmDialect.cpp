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

bool chipwright::llm::isQuantised(Value weight) {
  Type element = cast<RankedTensorType>(weight.getType()).getElementType();
  return element.isInteger(8) || isa<Float8E4M3FNType, Float8E5M2Type>(element);
}

bool chipwright::llm::isInBlocks(Value weight) {
  Type element = cast<RankedTensorType>(weight.getType()).getElementType();
  return element.isInteger(4) || isa<Float4E2M1FNType>(element);
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

/// A row of numbers, one for each column of \p y?
static LogicalResult checkRow(Operation *op, Value row, Value y) {
  if (dimOf(row, 0) != 1 || columnsOf(row) != columnsOf(y)) {
    return op->emitOpError("a bias is 1 x ")
           << columnsOf(y) << ", found " << row.getType();
  }
  return success();
}

LogicalResult LinearOp::verify() {
  if (failed(checkLinear(*this, getX(), getWeight(), getY()))) {
    return failure();
  }
  return getBias() ? checkRow(*this, getBias(), getY()) : success();
}

LogicalResult HeadLinearOp::verify() {
  int64_t heads = static_cast<int64_t>(getHeads());
  if (failed(checkRanks(*this, {getX(), getY()})) ||
      failed(checkRanks(*this, {getWeight()}, 3))) {
    return failure();
  }
  if (heads <= 0 || dimOf(getWeight(), 0) != heads ||
      columnsOf(getX()) != heads * dimOf(getWeight(), 2) ||
      columnsOf(getY()) != heads * dimOf(getWeight(), 1)) {
    return emitOpError("a weight [heads, out, in] takes heads x in columns to "
                       "heads x out, found ")
           << getWeight().getType() << ", " << columnsOf(getX()) << " and "
           << columnsOf(getY());
  }
  return success();
}

LogicalResult QuantisedLinearOp::verify() {
  if (failed(checkLinear(*this, getX(), getWeight(), getY()))) {
    return failure();
  }
  if (!isQuantised(getWeight())) {
    return emitOpError("weight is i8, f8E4M3FN or f8E5M2, found ")
           << cast<RankedTensorType>(getWeight().getType()).getElementType();
  }
  auto isRow = [&](Value row) {
    auto type = cast<RankedTensorType>(row.getType());
    return type.getRank() == 2 && type.getDimSize(0) == 1 &&
           type.getDimSize(1) == columnsOf(getY()) &&
           type.getElementType().isF32();
  };
  if (!isRow(getScales()) || (getBias() && !isRow(getBias()))) {
    return emitOpError("scales (and bias) are 1 x ")
           << columnsOf(getY()) << " in f32, found " << getScales().getType();
  }
  return success();
}

/// Are \p weight and \p scales codes of 4 bits for \p columns columns and the
/// scales of their blocks?
static LogicalResult checkBlocks(Operation *op, Value weight, Value scales,
                                 int64_t columns) {
  constexpr int64_t kBlock = 32;
  auto codes = cast<RankedTensorType>(weight.getType()),
       factors = cast<RankedTensorType>(scales.getType());
  const bool isInteger = codes.getElementType().isInteger(4);
  if (!isInBlocks(weight)) {
    return op->emitOpError("weight is i4 or f4E2M1FN, found ")
           << codes.getElementType();
  }
  if (isInteger ? !factors.getElementType().isBF16()
                : !isa<Float8E8M0FNUType>(factors.getElementType())) {
    return op->emitOpError("scales of ")
           << codes.getElementType() << " are "
           << (isInteger ? "bf16" : "f8E8M0FNU") << ", found "
           << factors.getElementType();
  }
  const int64_t blocks = (columns + kBlock - 1) / kBlock;
  SmallVector<int64_t> wanted(codes.getShape());
  wanted.back() = blocks;
  if (codes.getShape().back() != blocks * kBlock ||
      factors.getShape() != ArrayRef<int64_t>(wanted)) {
    return op->emitOpError("a weight for ")
           << columns << " columns has " << blocks * kBlock << " and a scale "
           << "for each " << kBlock << ", found " << codes << " and "
           << factors;
  }
  return success();
}

LogicalResult BlockLinearOp::verify() {
  if (failed(checkRanks(*this, {getX(), getWeight(), getScales(), getY()})) ||
      failed(checkBlocks(*this, getWeight(), getScales(), columnsOf(getX())))) {
    return failure();
  }
  if (columnsOf(getY()) != dimOf(getWeight(), 0)) {
    return emitOpError("a weight with ")
           << dimOf(getWeight(), 0) << " rows gives as many columns, found "
           << columnsOf(getY());
  }
  return getBias() ? checkRow(*this, getBias(), getY()) : success();
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
  int64_t heads = static_cast<int64_t>(getHeads()),
          kvHeads = static_cast<int64_t>(getKvHeads()),
          size = static_cast<int64_t>(getHeadSize()),
          rotary = static_cast<int64_t>(getRotary());
  if (failed(checkRanks(*this, getOperands())) ||
      failed(sameColumns(*this, getQ(), getY(), "queries and result")) ||
      (rotary == 0 &&
       failed(sameColumns(*this, getK(), getV(), "keys and values"))) ||
      failed(sameColumns(*this, getK(), getKeys(), "keys and their cache")) ||
      failed(
          sameColumns(*this, getV(), getValues(), "values and their cache"))) {
    return failure();
  }
  if (kvHeads <= 0 || heads % kvHeads != 0 ||
      columnsOf(getQ()) != heads * size ||
      columnsOf(getK()) != kvHeads * size) {
    return emitOpError("queries are heads x head_size wide and keys kv_heads x "
                       "head_size, where kv_heads divides heads; found ")
           << columnsOf(getQ()) << " and " << columnsOf(getK());
  }
  size_t required = rotary > 0 ? 1 : 0;
  if (rotary < 0 || getMore().size() < required ||
      getMore().size() > required + 1) {
    return emitOpError("with rotary has the rotated part of the queries behind "
                       "its caches, and may have sinks there; found ")
           << getMore().size() << " operands";
  }
  if (rotary > 0 && (kvHeads != 1 || columnsOf(getV()) != rotary ||
                     columnsOf(getRotated()) != heads * rotary)) {
    return emitOpError("with rotary has one key head, rotated keys of that "
                       "many columns and queries of heads x as many; found ")
           << kvHeads << ", " << columnsOf(getV()) << " and "
           << columnsOf(getRotated());
  }
  if (getSinks() &&
      (dimOf(getSinks(), 0) != 1 || columnsOf(getSinks()) != heads)) {
    return emitOpError("sinks are 1 x heads, found ") << getSinks().getType();
  }
  return success();
}

LogicalResult RouterOp::verify() {
  if (failed(checkLinear(*this, getX(), getWeight(), getChoice()))) {
    return failure();
  }
  int64_t experts = dimOf(getWeight(), 0),
          chosen = static_cast<int64_t>(getChosen()),
          groups = static_cast<int64_t>(getGroups()),
          kept = static_cast<int64_t>(getKeptGroups());
  if (chosen < 1 || chosen > experts || columnsOf(getExperts()) != chosen ||
      columnsOf(getScores()) != chosen) {
    return emitOpError("chooses 1 to ")
           << experts << " experts, found " << chosen;
  }
  if (groups < 1 || experts % groups != 0 || kept < 1 || kept > groups) {
    return emitOpError("keeps some of groups that divide ")
           << experts << " experts, found " << kept << " of " << groups;
  }
  StringRef score = getScore();
  if (score != "sigmoid" && score != "softmax" &&
      score != "softmax_of_chosen") {
    return emitOpError("scores by sigmoid, softmax or softmax_of_chosen, found "
                       "'")
           << score << "'";
  }
  if (getBiases().size() < (getChoiceBias() ? 1u : 0u) ||
      getBiases().size() > (getChoiceBias() ? 2u : 1u) ||
      bool(getLogits()) != getChoiceBias()) {
    return emitOpError("has a bias of the choice, and logits beside the choice "
                       "values, if choice_bias says so");
  }
  for (Value bias : getBiases()) {
    if (failed(checkRow(*this, bias, getChoice()))) {
      return failure();
    }
  }
  return success();
}

LogicalResult ExpertsOp::verify() {
  if (failed(checkRanks(*this, {getX(), getExperts(), getScores()})) ||
      failed(checkRanks(*this, {getGate(), getUp(), getDown()}, 3)) ||
      failed(sameColumns(*this, getX(), getY(), "operand and result"))) {
    return failure();
  }
  // Rows of 4-bit weights are filled up: checkBlocks() looks at them.
  const bool inBlocks = isInBlocks();
  if (inBlocks != llm::isInBlocks(getDown())) {
    return emitOpError("all weights have 4 bits or none, found ")
           << getGate().getType() << " and " << getDown().getType();
  }
  if (getGate().getType() != getUp().getType() ||
      dimOf(getDown(), 1) != columnsOf(getX()) ||
      (!inBlocks && (dimOf(getGate(), 2) != columnsOf(getX()) ||
                     dimOf(getDown(), 2) != dimOf(getGate(), 1)))) {
    return emitOpError("gate and up are [experts, width, columns] and down "
                       "[experts, columns, width], found ")
           << getGate().getType() << ", " << getUp().getType() << " and "
           << getDown().getType();
  }
  const int64_t widths[] = {dimOf(getGate(), 1), dimOf(getGate(), 1),
                            columnsOf(getX())};
  if (getMore().size() < numScales()) {
    return emitOpError("weights of ")
           << (inBlocks ? 4 : 8) << " bits have scales, " << numScales()
           << " operands, found " << getMore().size();
  }
  if (inBlocks &&
      (failed(
           checkBlocks(*this, getGate(), getGateScales(), columnsOf(getX()))) ||
       failed(checkBlocks(*this, getUp(), getUpScales(), columnsOf(getX()))) ||
       failed(checkBlocks(*this, getDown(), getDownScales(), widths[0])))) {
    return failure();
  }
  SmallVector<int64_t> scaled; // columns of each operand with scales
  if (isInnerQuantised()) {
    scaled.append({widths[0], widths[1]});
  }
  if (isOuterQuantised()) {
    scaled.push_back(widths[2]);
  }
  for (auto [scales, columns] : llvm::zip(getMore(), scaled)) {
    auto type = cast<RankedTensorType>(scales.getType());
    if (type.getRank() != 2 || dimOf(scales, 0) != dimOf(getGate(), 0) ||
        columnsOf(scales) != columns || !type.getElementType().isF32()) {
      return emitOpError("scales are experts x ")
             << columns << " in f32, found " << type;
    }
  }
  if (getBiases().empty()) {
    return success();
  }
  bool fits = getBiases().size() == 3;
  for (unsigned i = 0; fits && i < 3; ++i) {
    fits = dimOf(getBiases()[i], 0) == dimOf(getGate(), 0) &&
           columnsOf(getBiases()[i]) == widths[i];
  }
  if (!fits) {
    return emitOpError("biases are those of gate, up and down, [experts, "
                       "width] and [experts, columns]; found ")
           << getBiases().size();
  }
  return success();
}

LogicalResult SiluMulOp::verify() {
  return failure(
      failed(checkRanks(*this, getOperands())) ||
      failed(sameColumns(*this, getGate(), getUp(), "operands")) ||
      failed(sameColumns(*this, getGate(), getY(), "operand and result")));
}

LogicalResult SigmoidMulOp::verify() {
  return failure(
      failed(checkRanks(*this, getOperands())) ||
      failed(sameColumns(*this, getGate(), getX(), "operands")) ||
      failed(sameColumns(*this, getGate(), getY(), "operand and result")));
}

LogicalResult AddOp::verify() {
  return failure(
      failed(checkRanks(*this, getOperands())) ||
      failed(sameColumns(*this, getA(), getB(), "operands")) ||
      failed(sameColumns(*this, getA(), getY(), "operand and result")));
}
