//===- TensorStore.h - Named tensors, stored or made ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_TENSORSTORE_H
#define CHIPWRIGHT_MODELS_TENSORSTORE_H

#include "models/StoredType.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chipwright::models {

/// Name, type and shape of a tensor: row-major, the last dimension contiguous.
struct TensorSpec {
  std::string name;
  StoredType type = StoredType::F32;
  std::vector<int64_t> shape; // [] is a scalar
};

/// Elements that are computed when they are read, such as those of quantised
/// tensors: nothing is kept, so that a tensor costs what its stored form does.
class ElementSource {
public:
  virtual ~ElementSource();

  /// Writes the values of elements [\p first, \p first + \p count), counted
  /// row-major over the tensor's shape and within it, to \p target. Threads may
  /// read at the same time.
  virtual void read(int64_t first, int64_t count, float *target) const = 0;

  /// \returns the name of the stored form ("Q4_1"), for messages.
  virtual std::string_view format() const = 0;
};

/// A tensor that is somewhere: the data need not be aligned and stay valid as
/// long as the store they came from. Where `source` is set, it gives the
/// elements, there are no data, and the type is F32.
struct StoredTensor : TensorSpec {
  const std::byte *data = nullptr;
  uint64_t bytes = 0;
  std::string file; // for messages
  std::shared_ptr<const ElementSource> source = nullptr;

  /// \returns true if readElements() reads this tensor.
  bool isReadable() const { return source || isPlainFloat(type); }
};

/// \returns "BF16 [4, 8]", for tensors with a source its format and the shape.
std::string describeTensor(const TensorSpec &tensor);
std::string describeTensor(const StoredTensor &tensor);

/// Converts \p count elements of \p tensor, \p stride elements apart from
/// element \p first on (row-major), to \p target, \p step elements apart. The
/// tensor is readable and all these elements lie within it. Exact but for F64
/// elements with T = float, which are rounded to nearest.
template <typename T>
void readElements(const StoredTensor &tensor, int64_t first, int64_t stride,
                  int64_t count, T *target, int64_t step);

extern template void readElements<float>(const StoredTensor &, int64_t, int64_t,
                                         int64_t, float *, int64_t);
extern template void readElements<double>(const StoredTensor &, int64_t,
                                          int64_t, int64_t, double *, int64_t);

/// Named tensors, whoever holds them.
class TensorStore {
public:
  virtual ~TensorStore() = default;

  /// Gives the memory that mapped files take back to the system, as far as they
  /// were read; they are read again when elements are. Threads may read at the
  /// same time.
  virtual void release() const {}

  /// \returns the tensors by name.
  const std::map<std::string, StoredTensor> &tensors() const { return byName; }

  /// \returns the tensor of that name, or nullptr.
  const StoredTensor *find(const std::string &name) const {
    auto place = byName.find(name);
    return place == byName.end() ? nullptr : &place->second;
  }

protected:
  std::map<std::string, StoredTensor> byName;
};

/// Tensors in memory.
class MemoryTensors : public TensorStore {
public:
  /// Adds a tensor of zeros and \returns its bytes; an earlier tensor of the
  /// same name is replaced. The type has whole bytes.
  std::byte *add(const TensorSpec &spec);

private:
  std::map<std::string, std::vector<std::byte>> storage;
};

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_TENSORSTORE_H
