//===- Weights.h - Numbers of a graph's parameters --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_WEIGHTS_H
#define CHIPWRIGHT_MODELS_WEIGHTS_H

#include "chips/Diagnostic.h"
#include "models/Graph.h"
#include "models/TensorStore.h"
#include "models/WeightLayout.h"

#include <memory>
#include <vector>

namespace chipwright::models {

/// A rectangle of one matrix of a parameter. Vectors are matrices of one row;
/// `matrix` is the expert of a stacked parameter, else 0.
struct Tile {
  int64_t matrix = 0;
  int64_t row = 0, rows = 0;
  int64_t column = 0, columns = 0;
};

/// The parameters of a graph, wherever they are stored. Reads touch only the
/// bytes that they convert, so that a checkpoint larger than memory can be
/// read tile by tile. Copies share the store.
class Weights {
public:
  /// Binds \p graph's parameters to \p store, which holds them in whatever
  /// form detectForm() finds. Refused: a missing tensor, a shape or type other
  /// than the model's, a tensor that no parameter is stored in (those of other
  /// modalities are skipped). \p place names the store in messages.
  static Result<Weights> bind(const ModelConfig &config, const Graph &graph,
                              std::shared_ptr<const TensorStore> store,
                              const std::string &place);

  /// Converts a tile of [out, in] to \p target, rows \p pitch elements apart.
  /// BF16, F16 and F32 convert exactly, F64 rounds to nearest for T = float.
  /// Refused if the tile is not within the parameter.
  template <typename T>
  Result<void> read(ParameterId parameter, const Tile &tile, T *target,
                    int64_t pitch) const;

  /// Gives the memory of the files' pages that were read back to the system,
  /// see TensorStore::release().
  void release() const { tensors->release(); }

  /// \returns the type that the parameter is stored in (of its first expert).
  StoredType storedType(ParameterId parameter) const;

  /// \returns the form of the checkpoint.
  const StorageForm &form() const { return storage; }

  /// \returns number of matrices, rows and columns of a parameter.
  struct Size {
    int64_t matrices, rows, columns;
  };
  Size size(ParameterId parameter) const;

private:
  struct Part {
    const StoredTensor *tensor;
    StoredPart place;
  };
  struct Bound {
    std::string name;
    Size size;
    std::vector<Part> parts;
  };

  std::shared_ptr<const TensorStore> tensors;
  StorageForm storage;
  std::vector<Bound> bound; // by ParameterId
};

/// For readers that go through parameters one after the other: keeps few of
/// the files' pages in memory.
class PageLimit {
public:
  /// To be called after \p elements of \p weights were read.
  void count(const Weights &weights, int64_t elements) {
    taken += elements;
    if (taken >= limit) {
      weights.release();
      taken = 0;
    }
  }

private:
  static constexpr int64_t limit = 4 << 20; // elements, 8 MiB of bf16
  int64_t taken = 0;
};

extern template Result<void> Weights::read<float>(ParameterId, const Tile &,
                                                  float *, int64_t) const;
extern template Result<void> Weights::read<double>(ParameterId, const Tile &,
                                                   double *, int64_t) const;

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_WEIGHTS_H
