//===- CompileModelPackager.h - Launches to a package -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_COMPILEMODELPACKAGER_H
#define CHIPWRIGHT_COMPILER_COMPILEMODELPACKAGER_H

#include "dialects/grid/Grid.h"
#include "models/Graph.h"
#include "package/Package.h"

#include "llvm/ADT/StringMap.h"

#include <vector>

namespace chipwright::compiler {

/// Fills a package from the launches of a step. Programs are listed, their code
/// is left to the caller.
class Packager {
public:
  Packager(Package &package, const models::Graph &graph)
      : package(package), graph(graph) {}

  /// \returns failure after a diagnostic.
  mlir::LogicalResult addBuffers(grid::StepOp step);
  mlir::LogicalResult addLaunches(grid::StepOp step);

private:
  /// A buffer, or a view of it.
  struct Argument {
    int64_t buffer = 0;
    std::vector<PackageSize> shape;
  };

  mlir::LogicalResult addBuffer(grid::TensorOp tensor);
  mlir::LogicalResult addLaunch(grid::LaunchOp launch);
  mlir::FailureOr<std::vector<PackageSize>>
  shapeOf(mlir::Operation *op, grid::BufferType type, mlir::ArrayAttr symbols);
  mlir::FailureOr<std::vector<PackageLaunch::Value>>
  valuesOf(grid::LaunchOp launch, mlir::DictionaryAttr names, bool isResult);

  Package &package;
  const models::Graph &graph;
  llvm::DenseMap<mlir::Value, Argument> arguments;
  llvm::StringMap<int64_t> programs;
};

} // namespace chipwright::compiler

#endif // CHIPWRIGHT_COMPILER_COMPILEMODELPACKAGER_H
