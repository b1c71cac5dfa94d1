//===- TensorFiles.cpp - Values of a run into files, faults into values ---===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/TensorFiles.h"

#include "chips/Parameters.h"
#include "models/Safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

using namespace chipwright;
using namespace chipwright::models;

static StoredType storedTypeOf(DType type) {
  switch (type) {
  case DType::F16:
    return StoredType::F16;
  case DType::BF16:
    return StoredType::BF16;
  case DType::I8:
    return StoredType::I8;
  case DType::I32:
    return StoredType::I32;
  case DType::F8E4M3:
    return StoredType::F8E4M3;
  case DType::F8E5M2:
    return StoredType::F8E5M2;
  case DType::F32:
  case DType::TF32:
  case DType::I4: // results of launches are none of these
  case DType::F4E2M1:
  case DType::F8E8M0:
    break;
  }
  return StoredType::F32;
}

Result<void> TensorSaver::stepBegins(const Step &, const StepSizes &sizes) {
  current = sizes;
  saved.clear();
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return Diagnostic{fmt::format("{}: the folder cannot be made: {}",
                                  directory, error.message()),
                      ExitBadInput};
  }
  return {};
}

Result<void> TensorSaver::afterLaunch(PackageMachine &machine, size_t launch) {
  for (const auto &result : machine.package().launches[launch].results) {
    const PackageBuffer &buffer =
        machine.package().buffers[static_cast<size_t>(result.buffer)];
    Saved &tensor = saved[result.name];
    tensor.dtype = buffer.dtype;
    tensor.shape.clear();
    for (const PackageSize &size : buffer.shape) {
      tensor.shape.push_back(valueOf(size, current));
    }
    auto bytes = machine.stored(result.buffer)
                     .first(static_cast<size_t>(elementsOf(buffer, current)) *
                            dtypeBytes(buffer.dtype));
    tensor.bytes.assign(bytes.begin(), bytes.end());
  }
  return {};
}

Result<void> TensorSaver::stepEnds() {
  std::vector<TensorToWrite> tensors;
  for (const auto &[name, tensor] : saved) {
    TensorToWrite one;
    one.spec.name = name;
    one.spec.type = storedTypeOf(tensor.dtype);
    one.spec.shape = tensor.shape;
    const std::vector<uint8_t> &bytes = tensor.bytes;
    one.fill = [&bytes](std::byte *data) {
      if (!bytes.empty()) {
        std::memcpy(data, bytes.data(), bytes.size());
      }
    };
    tensors.push_back(std::move(one));
  }
  return writeSafetensorsFile(
      fmt::format("{}/step-{:03}.safetensors", directory, stepNumber++),
      std::move(tensors));
}

Result<void> BitFlip::afterLaunch(PackageMachine &machine, size_t launch) {
  const std::vector<PackageLaunch> &launches = machine.package().launches;
  bool isLater =
      std::any_of(launches.begin() + static_cast<std::ptrdiff_t>(launch) + 1,
                  launches.end(), [&](const PackageLaunch &l) {
                    return l.op == op && !l.results.empty();
                  });
  const auto &results = launches[launch].results;
  if (done || launches[launch].op != op || isLater || results.empty()) {
    return {};
  }
  const PackageBuffer &buffer =
      machine.package().buffers[static_cast<size_t>(results[0].buffer)];
  unsigned size = dtypeBytes(buffer.dtype);
  std::vector<uint8_t> element(machine.stored(results[0].buffer).data(),
                               machine.stored(results[0].buffer).data() + size);
  bool isInteger = buffer.dtype == DType::I32 || buffer.dtype == DType::I8;
  if (isInteger) {
    element[0] ^= 1;
  } else {
    element[size - 1] ^= 0x40;
  }
  machine.write(results[0].buffer, element);
  done = true;
  return {};
}

Result<void> chipwright::requireOp(const Package &package,
                                   const std::string &op) {
  std::vector<std::string> known;
  for (const PackageLaunch &launch : package.launches) {
    if (launch.op == op && !launch.results.empty()) {
      return {};
    }
    known.push_back(launch.op);
  }
  std::optional<std::string> near = nearestName(op, known);
  return Diagnostic{
      fmt::format("there is no op '{}' with results in the package{}; "
                  "`chipwright show package P --launches` lists them",
                  op, near ? fmt::format(", did you mean '{}'?", *near) : ""),
      ExitUsage};
}
