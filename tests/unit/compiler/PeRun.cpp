//===- PeRun.cpp - pe programs on the simulated machine -------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "PeRun.h"

#include "compiler/PeToElf.h"
#include "runtime/KernelBuild.h"
#include "runtime/Placement.h"
#include "runtime/Tensor.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace chipwright;

ResolvedChip chipwright::chipForTest(const std::string &name,
                                     std::vector<std::string> sets) {
  sets.insert(sets.begin(), "dram.level=burst");
  Result<ResolvedChip> chip = loadChip(name, sets);
  EXPECT_TRUE(bool(chip)) << (chip ? "" : chip.error().message);
  return *chip;
}

uint64_t chipwright::seedForTest() {
  const char *given = std::getenv("CHIPWRIGHT_SEED");
  uint64_t seed = given ? std::strtoull(given, nullptr, 10) : 20240607;
  std::printf("CHIPWRIGHT_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

std::string chipwright::kernelText(const std::string &name) {
  std::ifstream file(CHIPWRIGHT_SOURCE_DIR "/tests/unit/compiler/kernels/" +
                     name);
  EXPECT_TRUE(bool(file)) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

PeRun chipwright::runPe(const std::string &text, const ResolvedChip &chip,
                        sim::Mode mode,
                        const std::vector<KernelBuffer> &buffers,
                        const std::vector<uint64_t> &arguments, uint64_t seed) {
  PeRun run;
  Result<std::vector<uint8_t>> elf =
      compilePeText(chip.spec, text, "test.mlir");
  if (!elf) {
    run.error = elf.error().message;
    return run;
  }
  Result<sim::KernelImage> image = loadKernel(*elf, "test.mlir");
  if (!image) {
    run.error = image.error().message;
    return run;
  }
  std::vector<PlacedBuffer> placed;
  for (const KernelBuffer &buffer : buffers) {
    placed.push_back({buffer.name, buffer.bytes(), MemoryChoice::Sram});
  }
  if (auto fits = placeBuffers(chip.spec, placed); !fits) {
    run.error = fits.error().message;
    return run;
  }
  sim::MachineOptions options;
  options.mode = mode;
  options.maxCycles = 1 << 24;
  sim::Machine machine(chip.spec, options);
  sim::Buffer *last = nullptr;
  std::vector<uint64_t> words;
  for (size_t i = 0; i < buffers.size(); ++i) {
    last = machine.declare(placed[i].name, placed[i].address, placed[i].bytes,
                           sim::BufferKind::Bulk);
    words.push_back(placed[i].address);
    if (mode != sim::Mode::Functional) {
      continue;
    }
    if (i + 1 == buffers.size()) {
      poison(buffers[i], last->data());
    } else {
      fillRandom(buffers[i], seed + i, last->data());
      run.inputs.emplace_back(last->data(), last->data() + placed[i].bytes);
    }
  }
  words.insert(words.end(), arguments.begin(), arguments.end());
  sim::Job job;
  job.image = &*image;
  job.arguments.resize(words.size() * 8);
  std::memcpy(job.arguments.data(), words.data(), job.arguments.size());
  job.rows = chip.spec.grid.rows;
  job.cols = chip.spec.grid.cols;
  job.writeBack = true;
  run.job = machine.launch(job);
  if (!run.job.finished) {
    run.error = run.job.fault.text;
  } else if (mode == sim::Mode::Functional) {
    run.output.assign(last->data(), last->data() + placed.back().bytes);
  }
  return run;
}
