//===- TileRun.cpp --------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/support/TileRun.h"

#include "compiler/PeToElf.h"
#include "runtime/KernelBuild.h"
#include "runtime/Placement.h"
#include "runtime/Tensor.h"
#include "sim/numerics/Element.h"

#include <cstring>
#include <stdexcept>

using namespace chipwright;
using namespace chipwright::test;

static KernelBuffer shapeOf(const TileBuffer &buffer) {
  return {.name = "b",
          .dtype = buffer.dtype,
          .rows = static_cast<uint64_t>(buffer.values.rows()),
          .cols = static_cast<uint64_t>(buffer.values.cols())};
}

static std::vector<uint8_t> encoded(const TileBuffer &buffer) {
  KernelBuffer shape = shapeOf(buffer);
  std::vector<uint8_t> bytes(shape.bytes());
  if (buffer.isOutput) {
    poison(shape, bytes.data());
  } else if (buffer.dtype == DType::I32) {
    for (Eigen::Index i = 0; i < buffer.values.size(); ++i) {
      auto value = static_cast<int32_t>(buffer.values.data()[i]);
      std::memcpy(bytes.data() + 4 * i, &value, 4);
    }
  } else {
    Eigen::MatrixXf values = Eigen::Map<const Eigen::VectorXd>(
                                 buffer.values.data(), buffer.values.size())
                                 .cast<float>();
    sim::storeRow(buffer.dtype, values.data(), bytes.data(),
                  static_cast<size_t>(values.size()));
  }
  return bytes;
}

static Matrix decoded(const TileBuffer &buffer, const uint8_t *bytes) {
  if (buffer.dtype != DType::I32) {
    return toMatrix(shapeOf(buffer), bytes);
  }
  Matrix values(buffer.values.rows(), buffer.values.cols());
  for (Eigen::Index i = 0; i < values.size(); ++i) {
    int32_t value;
    std::memcpy(&value, bytes + 4 * i, 4);
    values.data()[i] = value;
  }
  return values;
}

Matrix test::rounded(const TileBuffer &buffer) {
  return decoded(buffer, encoded(buffer).data());
}

TileRun test::runTiles(const ChipSpec &spec, const std::string &program,
                       const std::vector<TileBuffer> &buffers,
                       const std::vector<uint64_t> &scalars, sim::Mode mode) {
  Result<std::vector<uint8_t>> elf = compilePeText(spec, program, "program");
  if (!elf) {
    throw std::runtime_error(elf.error().message);
  }
  Result<sim::KernelImage> image = loadKernel(*elf, "program");
  if (!image) {
    throw std::runtime_error(image.error().message);
  }
  std::vector<PlacedBuffer> placed;
  for (size_t i = 0; i < buffers.size(); ++i) {
    placed.push_back(
        {"b" + std::to_string(i), shapeOf(buffers[i]).bytes(),
         buffers[i].inSram ? MemoryChoice::Sram : MemoryChoice::Dram});
  }
  if (auto fits = placeBuffers(spec, placed); !fits) {
    throw std::runtime_error(fits.error().message);
  }
  sim::MachineOptions options;
  options.mode = mode;
  options.maxCycles = sim::Cycle(1) << 32;
  sim::Machine machine(spec, options);
  std::vector<sim::Buffer *> declared;
  std::vector<uint64_t> words;
  for (size_t i = 0; i < buffers.size(); ++i) {
    sim::Buffer *buffer =
        machine.declare(placed[i].name, placed[i].address, placed[i].bytes,
                        buffers[i].isControl ? sim::BufferKind::Control
                                             : sim::BufferKind::Bulk);
    declared.push_back(buffer);
    words.push_back(placed[i].address);
    if (buffer->data()) {
      std::vector<uint8_t> bytes = encoded(buffers[i]);
      std::memcpy(buffer->data(), bytes.data(), bytes.size());
    }
  }
  words.insert(words.end(), scalars.begin(), scalars.end());
  sim::Job job;
  job.image = &*image;
  job.rows = spec.grid.rows;
  job.cols = spec.grid.cols;
  job.arguments.resize(words.size() * 8);
  std::memcpy(job.arguments.data(), words.data(), job.arguments.size());
  TileRun run;
  run.job = machine.launch(job);
  if (!run.job.finished) {
    throw std::runtime_error(run.job.fault.text);
  }
  for (size_t i = 0; i < buffers.size(); ++i) {
    run.buffers.push_back(declared[i]->data()
                              ? decoded(buffers[i], declared[i]->data())
                              : Matrix());
  }
  return run;
}

double test::relativeError(const Matrix &out, const Matrix &reference) {
  return chipwright::relativeError(out, reference);
}
