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
#include <vector>

namespace chipwright::models {

/// Name, type and shape of a tensor: row-major, the last dimension contiguous.
struct TensorSpec {
  std::string name;
  StoredType type = StoredType::F32;
  std::vector<int64_t> shape; // [] is a scalar
};

/// A tensor that is somewhere: the data need not be aligned and stay valid as
/// long as the store they came from.
struct StoredTensor : TensorSpec {
  const std::byte *data = nullptr;
  uint64_t bytes = 0;
  std::string file; // for messages
};

/// \returns "BF16 [4, 8]".
std::string describeTensor(const TensorSpec &tensor);

/// Named tensors, whoever holds them.
class TensorStore {
public:
  virtual ~TensorStore() = default;

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
