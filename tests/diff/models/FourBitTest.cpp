//===- FourBitTest.cpp - Weights of 4 bits in the chip's memory -----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/BlockQuantisation.h"
#include "models/ConfigReader.h"
#include "models/MadeUpWeights.h"
#include "package/PackageFile.h"
#include "tests/diff/models/ChipModel.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <map>
#include <set>

using namespace chipwright;
using namespace chipwright::test;

namespace {

template <typename T> T taken(Result<T> result) {
  if (!result) {
    throw Refused(result.error());
  }
  return result.take();
}

/// A dense model whose linear maps are most of it. 1200 is no multiple of 32.
nlohmann::json denseConfig() {
  auto config =
      nlohmann::json::parse(taken(models::presetConfigText("llama-golden")));
  config["hidden_size"] = 512;
  config["num_attention_heads"] = 8;
  config["num_key_value_heads"] = 4;
  config["head_dim"] = 64;
  config["intermediate_size"] = 1200;
  return config;
}

ChipModel denseModel(const char *chip, std::optional<DType> weights) {
  return ChipModel::make(denseConfig(), {}, chip, {}, DType::BF16, {8, 1, 16},
                         weights);
}

/// Bytes of the parameters that linear maps have, with their scales, and of
/// all others that a step reads as a whole.
struct WeightBytes {
  uint64_t linear = 0, other = 0;
};

WeightBytes weightBytes(const ChipModel &model) {
  std::set<std::string> linear, tables;
  for (const models::Op &op : model.graph.ops) {
    for (models::ParameterId id : op.parameters) {
      const std::string &name =
          model.graph.parameters[static_cast<size_t>(id)].name;
      if (op.kind == models::OpKind::Linear) {
        linear.insert(name);
      } else if (op.kind == models::OpKind::Embedding) {
        tables.insert(name);
      }
    }
  }
  WeightBytes bytes;
  for (const PackageBuffer &buffer : model.package.buffers) {
    if (buffer.role == BufferRole::Weight && !tables.count(buffer.parameter)) {
      (linear.count(buffer.parameter) ? bytes.linear : bytes.other) +=
          largestBytes(model.package, buffer);
    }
  }
  return bytes;
}

/// What the DRAM sends in a step of one token with nothing in the caches.
uint64_t dramReads(const ChipModel &model) {
  SimDevice::Request wanted;
  wanted.machine.mode = sim::Mode::Timing;
  wanted.packageName = "test";
  auto device = taken(SimDevice::create(model.package, model.graph, nullptr,
                                        model.chip, wanted));
  Session session(model.graph, *device, SessionLimits::of(model.package));
  models::SequencePiece piece = prompt(0, 1, model.graph.vocabulary, 1);
  SessionStep done =
      taken(session.step(std::span(&piece, 1), models::Outputs::LastOfEach));
  return done.outcome.time->measurement.dramReadBytes;
}

// Of the bytes of 32 numbers of 16 bits: 32 codes of 4 and a scale of 8 or 16.
uint64_t bytesOfBlock(DType type) { return type == DType::I4 ? 18 : 17; }

TEST(FourBit, AStepReadsAsMuchLessAsTheWeightsHave) {
  for (const char *chip : {"mtia-2i", "mtia-300"}) {
    ChipModel wide = denseModel(chip, {});
    const WeightBytes wideBytes = weightBytes(wide);
    const uint64_t wideReads = dramReads(wide);
    for (DType type : {DType::I4, DType::F4E2M1}) {
      ChipModel model = denseModel(chip, type);
      const WeightBytes bytes = weightBytes(model);
      const uint64_t reads = dramReads(model);
      printf("%s %s: %lu bytes read in place of %lu; weights %lu, %lu\n", chip,
             dtypeName(type), (unsigned long)reads, (unsigned long)wideReads,
             (unsigned long)bytes.linear, (unsigned long)wideBytes.linear);
      // Per layer: q and o 512 x 512, k and v 256 x 512, gate and up
      // 1200 x 512, down 512 x 1200, whose rows are filled up to 1216.
      const uint64_t blocks =
          2 * (2 * 512 * 16 + 2 * 256 * 16 + 2 * 1200 * 16 + 512 * 38);
      EXPECT_EQ(bytes.linear, blocks * bytesOfBlock(type)) << dtypeName(type);
      EXPECT_NEAR(double(bytes.linear) / double(wideBytes.linear),
                  double(bytesOfBlock(type)) / 64, 0.002)
          << dtypeName(type);
      EXPECT_EQ(bytes.other, wideBytes.other);
      // All else is read alike, but for whole granules at the ends of buffers.
      const double saved = double(wideBytes.linear - bytes.linear);
      EXPECT_NEAR(double(wideReads - reads), saved, 0.005 * saved)
          << chip << " " << dtypeName(type);
      EXPECT_LT(double(reads), 1.05 * double(bytes.linear + bytes.other))
          << chip << " " << dtypeName(type);
    }
  }
}

TEST(FourBit, TwoCompilationsGiveEqualPackages) {
  for (DType type : {DType::I4, DType::F4E2M1}) {
    auto compiled = [&] {
      return encodePackage(ChipModel::make(goldenConfig(), {}, "mtia-2i", {},
                                           DType::BF16, {64, 4, 128}, type)
                               .package);
    };
    const std::vector<uint8_t> first = compiled();
    EXPECT_EQ(first, compiled()) << dtypeName(type);
    auto read = decodePackage(first, "test");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(weightTypeOf(*read), type);
    EXPECT_EQ(linearTypeOf(*read), std::nullopt);
  }
}

// What a checkpoint holds in MXFP4 goes to the chip as it is: the logits are
// those of a package with weights in bf16, which hold MXFP4 numbers exactly.
TEST(FourBit, Mxfp4NumbersAreKept) {
  auto logits = [](std::optional<DType> weights) {
    ChipModel model = denseModel("mtia-2i", weights);
    auto tensors = models::makeTensors(
        model.graph,
        models::publishedForm(model.config, models::ExpertLayout::StackedInOut),
        {});
    const std::map<std::string, models::StoredTensor> stored =
        tensors->tensors();
    for (const auto &[name, tensor] : stored) {
      if (name.find("_proj.") == std::string::npos) {
        continue;
      }
      const int64_t rows = tensor.shape[0], columns = tensor.shape[1];
      std::vector<float> numbers(static_cast<size_t>(rows * columns));
      models::readElements(tensor, 0, 1, rows * columns, numbers.data(), 1);
      for (int64_t row = 0; row < rows; ++row) {
        models::replaceByBlocks(models::BlockType::Mxfp4,
                                numbers.data() + row * columns, columns);
      }
      std::byte *bytes = tensors->add(tensor);
      for (size_t i = 0; i < numbers.size(); ++i) {
        // Numbers of MXFP4 have fewer bits than bf16.
        const uint32_t bits = std::bit_cast<uint32_t>(numbers[i]);
        const auto upper = static_cast<uint16_t>(bits >> 16);
        EXPECT_EQ(bits & 0xffff, 0u);
        std::memcpy(bytes + 2 * i, &upper, sizeof(upper));
      }
    }
    model.weights = std::make_shared<models::Weights>(taken(
        models::Weights::bind(model.config, model.graph, tensors, "test")));
    CheckedRun run(model);
    return run.step({prompt(0, 5, model.graph.vocabulary, 3)});
  };
  models::HostMatrix<float> wide = logits({}), packed = logits(DType::F4E2M1);
  EXPECT_GT(wide.norm(), 0);
  EXPECT_EQ(wide, packed);
}

} // namespace
