//===- Grid.h - The tile-program dialect ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_GRID_GRID_H
#define CHIPWRIGHT_DIALECTS_GRID_GRID_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/grid/GridEnums.h.inc"

#include "dialects/grid/GridDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/grid/GridAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/grid/GridTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/grid/GridOps.h.inc"

namespace chipwright::grid {

/// A tile's sizes; every tile has rank 2 and a static shape.
inline int64_t rowsOf(mlir::Type tile) {
  return mlir::cast<mlir::RankedTensorType>(tile).getDimSize(0);
}
inline int64_t colsOf(mlir::Type tile) {
  return mlir::cast<mlir::RankedTensorType>(tile).getDimSize(1);
}
inline mlir::Type elementOf(mlir::Type tile) {
  return mlir::cast<mlir::RankedTensorType>(tile).getElementType();
}
/// Bytes of one element of \p type as it is stored; 0 for types of which two
/// share a byte (isPacked()).
unsigned bytesOf(mlir::Type type);
/// Do two elements of \p type, i4 or f4E2M1FN, share a byte?
bool isPacked(mlir::Type type);
/// Is \p type one of stored weights and scales: packed, or f8E8M0FNU? The SIMD
/// engine reads it, and nobody writes it.
bool isReadOnly(mlir::Type type);
/// Bytes of \p count elements of \p type, an even number if it is packed.
int64_t bytesOf(mlir::Type type, int64_t count);

/// \returns the value of every element if \p tile is a constant with equal
/// elements.
std::optional<double> splatOf(mlir::Value tile);

} // namespace chipwright::grid

#endif // CHIPWRIGHT_DIALECTS_GRID_GRID_H
