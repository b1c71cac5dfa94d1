//===- ModelOnChipTest.cpp - A compiled model against the reference -------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/ResolvedChip.h"
#include "compiler/CompileModel.h"
#include "models/ConfigReader.h"
#include "models/MadeUpWeights.h"
#include "models/Reference.h"
#include "models/Step.h"
#include "models/Weights.h"
#include "runtime/KernelBuild.h"
#include "runtime/Placement.h"
#include "sim/machine/Machine.h"
#include "sim/numerics/Element.h"
#include "tests/support/MicroMachine.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstring>
#include <map>

using namespace chipwright;
using namespace chipwright::test;

namespace {

/// The golden model's configuration with some values changed.
std::string configWith(const nlohmann::json &changes) {
  auto text = models::presetConfigText("llama4-golden");
  auto json = nlohmann::json::parse(*text);
  auto &target = json.contains("text_config") ? json["text_config"] : json;
  target.update(changes);
  return json.dump();
}

void runModel(const std::string &text, DType product, double bound) {
  auto config = models::parseModelConfig(text, "golden");
  ASSERT_TRUE(config) << config.error().message;
  models::Graph graph = models::buildGraph(*config);
  auto form =
      models::publishedForm(*config, models::ExpertLayout::StackedInOut);
  auto weights = models::Weights::bind(
      *config, graph, models::makeTensors(graph, form, {}), "golden");
  ASSERT_TRUE(weights) << weights.error().message;
  auto chip = loadChip("mtia-2i", {});
  ASSERT_TRUE(chip);
  CompileRequest request;
  request.config = &*config;
  request.graph = &graph;
  request.chip = &*chip;
  request.productType = product;
  request.maxTokens = 32;
  request.maxBatch = 1;
  request.maxContext = 128;
  auto compiled = compileModel(request);
  ASSERT_TRUE(compiled) << compiled.error().message;
  const Package &package = compiled->package;
  printf("%zu buffers, %zu programs, %zu launches\n", package.buffers.size(),
         package.programs.size(), package.launches.size());

  models::SequenceTable table(1, 128);
  std::vector<int32_t> ids;
  for (int t = 0; t < 20; ++t) {
    ids.push_back((7 * t + 3) % static_cast<int>(config->vocabulary));
  }
  std::vector<models::SequencePiece> pieces = {{0, ids}};
  auto step = table.append(graph, pieces, models::Outputs::All);
  ASSERT_TRUE(step);
  std::map<std::string, int64_t> sizes = {
      {"tokens", 20}, {"outputs", 20}, {"slots", 128}};
  for (size_t i = 0; i < graph.masks.size(); ++i) {
    sizes["entries." + std::to_string(i)] = 1;
  }
  auto sizeOf = [&](const PackageSize &size) {
    return size.symbol.empty() ? size.constant
                               : size.constant * sizes.at(size.symbol);
  };
  std::vector<PlacedBuffer> placed;
  for (const PackageBuffer &buffer : package.buffers) {
    uint64_t bytes = dtypeBytes(buffer.dtype);
    for (const PackageSize &size : buffer.shape) {
      bytes *= static_cast<uint64_t>(sizeOf(size));
    }
    placed.push_back({buffer.name, bytes, MemoryChoice::Dram});
  }
  ASSERT_TRUE(placeBuffers(chip->spec, placed));
  sim::MachineOptions options;
  options.mode = sim::Mode::Functional;
  sim::Machine machine(chip->spec, options);
  std::vector<sim::Buffer *> memory;
  for (size_t i = 0; i < placed.size(); ++i) {
    memory.push_back(
        machine.declare(placed[i].name, placed[i].address, placed[i].bytes,
                        package.buffers[i].isControl ? sim::BufferKind::Control
                                                     : sim::BufferKind::Bulk));
    ASSERT_TRUE(memory.back());
    std::memset(memory.back()->data(), 0xff, placed[i].bytes);
  }
  for (size_t i = 0; i < placed.size(); ++i) {
    const PackageBuffer &buffer = package.buffers[i];
    auto *words = reinterpret_cast<int32_t *>(memory[i]->data());
    auto *floats = reinterpret_cast<float *>(memory[i]->data());
    if (buffer.role == BufferRole::Weight) {
      for (const models::Parameter &p : graph.parameters) {
        if (p.name != buffer.parameter) {
          continue;
        }
        auto size = weights->size(p.id);
        std::vector<float> values(
            static_cast<size_t>(size.rows * size.columns));
        for (int64_t m = 0; m < size.matrices; ++m) {
          ASSERT_TRUE(weights->read<float>(p.id,
                                           {m, 0, size.rows, 0, size.columns},
                                           values.data(), size.columns));
          sim::storeRow(buffer.dtype, values.data(),
                        memory[i]->data() + static_cast<size_t>(m) *
                                                values.size() *
                                                dtypeBytes(buffer.dtype),
                        values.size());
        }
      }
    }
    for (int t = 0; t < 20; ++t) {
      switch (buffer.content) {
      case BufferContent::TokenIds:
        words[t] = step->ids[size_t(t)];
        break;
      case BufferContent::Positions:
        words[t] = step->positions[size_t(t)];
        break;
      case BufferContent::Slots:
        words[t] = step->slots[size_t(t)];
        break;
      case BufferContent::OutputRows:
        words[t] = step->outputs[size_t(t)];
        break;
      case BufferContent::MaskBounds:
        words[2 * t] = step->masks[size_t(buffer.index)].lo[size_t(t)];
        words[2 * t + 1] = step->masks[size_t(buffer.index)].hi[size_t(t)];
        break;
      default:
        break;
      }
    }
    if (buffer.content == BufferContent::AttentionWork) {
      words[0] = 0;
      words[1] = 20;
      words[2] = 0;
      words[3] = 20;
    }
    if (buffer.content == BufferContent::RopeTable) {
      const auto &rope = std::get<models::RopeAttributes>(
          graph.ops[size_t(buffer.index)].attributes);
      int64_t head = rope.headSize;
      for (int64_t p = 0; p < 128; ++p) {
        for (int64_t c = 0; c < head; ++c) {
          float angle = float(p) * rope.inverseFrequencies[size_t(c / 2)];
          floats[p * 2 * head + c] = std::cos(angle);
          floats[p * 2 * head + head + c] =
              (c % 2 ? 1.0f : -1.0f) * std::sin(angle);
        }
      }
    }
    if (buffer.content == BufferContent::Temperatures) {
      const auto &t = std::get<models::TemperatureAttributes>(
          graph.ops[size_t(buffer.index)].attributes);
      for (int p = 0; p < 128; ++p) {
        floats[p] = float(models::temperatureAt(t.config, p));
      }
    }
  }
  std::vector<sim::KernelImage> images;
  for (const PackageProgram &program : package.programs) {
    auto image = loadKernel(program.elf, program.name);
    ASSERT_TRUE(image) << image.error().message;
    images.push_back(image.take());
  }
  // The reference's value of each op, in fp32.
  models::Reference<float> reference(graph, *weights);
  models::KvCache<float> cache(graph, 128);
  std::map<std::string, models::HostMatrix<float>> expected;
  models::StepOptions<float> observe;
  observe.observe = [&](const models::Op &op,
                        std::span<const models::HostValue<float>> results) {
    for (size_t i = 0; i < results.size(); ++i) {
      if (results[i].real.size() != 0) {
        expected[graph.values[size_t(op.results[i])].name] = results[i].real;
      } else {
        expected[graph.values[size_t(op.results[i])].name] =
            results[i].index.template cast<float>();
      }
    }
  };
  auto outcome = reference.run(*step, cache, observe);
  ASSERT_TRUE(outcome);
  uint64_t cycles = 0;
  double error = 1;
  for (const PackageLaunch &launch : package.launches) {
    sim::Job job;
    job.image = &images[size_t(launch.program)];
    job.rows = chip->spec.grid.rows;
    job.cols = chip->spec.grid.cols;
    std::vector<uint64_t> words;
    for (const PackageArgument &argument : launch.arguments) {
      words.push_back(argument.kind == PackageArgument::Address
                          ? placed[size_t(argument.buffer)].address
                          : uint64_t(sizeOf(argument.size)));
    }
    job.arguments.resize(words.size() * 8);
    std::memcpy(job.arguments.data(), words.data(), job.arguments.size());
    for (const PackageLaunch::Value &value : launch.results) {
      sim::Buffer *buffer = memory[size_t(value.buffer)];
      buffer->preset = buffer->kind == sim::BufferKind::Control;
    }
    sim::JobResult result = machine.launch(job);
    ASSERT_TRUE(result.finished) << launch.op << ": " << result.fault.text;
    cycles += result.cycles;
    for (const PackageLaunch::Value &value : launch.results) {
      const PackageBuffer &buffer = package.buffers[size_t(value.buffer)];
      const auto &want = expected[value.name];
      std::vector<float> got(size_t(want.size()));
      if (buffer.dtype == DType::I32) {
        for (size_t i = 0; i < got.size(); ++i) {
          got[i] = float(reinterpret_cast<int32_t *>(
              memory[size_t(value.buffer)]->data())[i]);
        }
      } else {
        sim::loadRow(buffer.dtype, memory[size_t(value.buffer)]->data(),
                     got.data(), got.size());
      }
      double sum = 0, norm = 0;
      for (size_t i = 0; i < got.size(); ++i) {
        double d = double(got[i]) - double(want.data()[i]);
        sum += d * d;
        norm += double(want.data()[i]) * double(want.data()[i]);
      }
      error = std::sqrt(sum / norm);
      printf("%-50s %-12s %8lu cycles, error %g\n", launch.op.c_str(),
             package.programs[size_t(launch.program)].name.c_str(),
             (unsigned long)result.cycles, error);
    }
  }
  printf("%lu cycles\n", (unsigned long)cycles);
  EXPECT_LT(error, bound);
}

TEST(ModelOnChip, Golden) { runModel(configWith(nlohmann::json::object()), DType::BF16, 2e-2); }

TEST(ModelOnChip, GoldenInFp16) {
  runModel(configWith(nlohmann::json::object()), DType::F16, 3e-3);
}

TEST(ModelOnChip, SizesThatDivideNothing) {
  runModel(configWith({{"hidden_size", 74},
                       {"num_attention_heads", 6},
                       {"num_key_value_heads", 3},
                       {"head_dim", 18},
                       {"num_local_experts", 5},
                       {"num_experts_per_tok", 2},
                       {"intermediate_size", 37},
                       {"intermediate_size_mlp", 101},
                       {"vocab_size", 53}}),
           DType::BF16, 2e-2);
}

} // namespace
