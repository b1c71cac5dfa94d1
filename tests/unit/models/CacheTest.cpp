//===- CacheTest.cpp - Prefill, chunked prefill, decode, batches -*- C++
//-*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// However a sequence is cut into steps, and whatever else is in the batch, its
// logits are the same. The golden model has chunks of 8 tokens, one layer of
// full attention with temperatures that change every 4 tokens, and experts.
//
//===----------------------------------------------------------------------===//

#include "ModelTestSupport.h"

#include <cstdlib>
#include <random>

namespace chipwright::models {
namespace {

constexpr double tolerance = 1e-5; // fp32, logits of order 1

class CacheTest : public testing::Test {
protected:
  TestModel model = TestModel::make(presetJson("llama4-golden"));

  HostMatrix<float> whole(const std::vector<int32_t> &ids) {
    ModelRun<float> run(model.graph, model.weights, 64);
    return run.logits(ids);
  }
  void expectSame(const std::vector<int32_t> &ids,
                  const std::vector<size_t> &cuts) {
    ModelRun<float> run(model.graph, model.weights, 64);
    EXPECT_LE(largestDifference(run.logits(ids, cuts), whole(ids)), tolerance)
        << "cut before tokens " << testing::PrintToString(cuts);
  }
};

TEST_F(CacheTest, ChunkedPrefillAtChunkBoundaries) {
  std::vector<int32_t> ids = rampIds(20, 64);
  for (size_t cut : {1, 7, 8, 9, 15, 16, 17, 19}) {
    expectSame(ids, {cut});
  }
  expectSame(ids, {7, 8, 9, 16, 17});
}

TEST_F(CacheTest, PrefillThenDecode) {
  std::vector<int32_t> ids = rampIds(20, 64);
  for (size_t prefilled : {1, 7, 8, 9, 16}) {
    std::vector<size_t> cuts;
    for (size_t t = prefilled; t < ids.size(); ++t) {
      cuts.push_back(t);
    }
    expectSame(ids, cuts);
  }
}

TEST_F(CacheTest, LongerSequencesOfEveryLengthAroundChunks) {
  std::vector<int32_t> ids = rampIds(33, 61);
  HostMatrix<float> all = whole(ids);
  for (size_t n : {1, 2, 7, 8, 9, 16, 17, 24, 32}) {
    // A prefix has the logits that it has within the longer sequence.
    HostMatrix<float> some =
        whole({ids.begin(), ids.begin() + static_cast<long>(n)});
    HostMatrix<float> same = all.topRows(static_cast<Eigen::Index>(n));
    EXPECT_LE(largestDifference(some, same), tolerance) << n;
  }
}

TEST_F(CacheTest, ATokenAtAChunkStartSeesOnlyItself) {
  // Changing everything before a chunk changes a chunked layer's attention at
  // the chunk's start only through its input: compare attention outputs of
  // layer 0, whose input is the embedding.
  std::vector<int32_t> a = rampIds(12, 64), b = a;
  for (size_t t = 0; t < 8; ++t) {
    b[t] = (b[t] + 5) % 64;
  }
  auto firstAttention = [&](const std::vector<int32_t> &ids) {
    HostMatrix<double> seen;
    StepOptions<double> options;
    options.observe = [&](const Op &op,
                          std::span<const HostValue<double>> results) {
      if (op.name == "layers.0.self_attn.attention") {
        seen = results[0].real;
      }
    };
    ModelRun<double> run(model.graph, model.weights, 16);
    run.step({{0, ids}}, Outputs::All, options);
    return seen;
  };
  HostMatrix<double> first = firstAttention(a), second = firstAttention(b);
  ASSERT_EQ(first.rows(), 12);
  EXPECT_EQ(first.bottomRows(4), second.bottomRows(4));
  EXPECT_NE(first.row(7), second.row(7));
}

TEST_F(CacheTest, RaggedBatchesEqualSingleSequences) {
  const char *text = std::getenv("CHIPWRIGHT_SEED");
  uint64_t seed =
      text ? std::strtoull(text, nullptr, 0) : std::random_device()();
  std::printf("CHIPWRIGHT_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  constexpr int32_t sequences = 5;
  std::vector<std::vector<int32_t>> ids(sequences);
  for (auto &list : ids) {
    list.resize(1 + random() % 30);
    for (int32_t &id : list) {
      id = static_cast<int32_t>(random() % 64);
    }
  }
  ModelRun<float> batch(model.graph, model.weights, 32, {}, sequences);
  std::vector<HostMatrix<float>> got(sequences);
  for (size_t s = 0; s < sequences; ++s) {
    got[s].resize(static_cast<Eigen::Index>(ids[s].size()), 64);
  }
  std::vector<size_t> done(sequences, 0);
  for (bool more = true; more;) {
    std::vector<SequencePiece> pieces;
    // Pieces in a changing order: prefill beside decode.
    std::vector<int32_t> order = {0, 1, 2, 3, 4};
    std::shuffle(order.begin(), order.end(), random);
    for (int32_t s : order) {
      auto i = static_cast<size_t>(s);
      size_t left = ids[i].size() - done[i];
      size_t count = std::min(left, size_t(random() % 9));
      if (count > 0) {
        auto begin = ids[i].begin() + static_cast<long>(done[i]);
        pieces.push_back({s, {begin, begin + static_cast<long>(count)}});
      }
    }
    if (!pieces.empty()) {
      HostMatrix<float> logits = batch.step(pieces).logits;
      Eigen::Index row = 0;
      for (const SequencePiece &piece : pieces) {
        auto i = static_cast<size_t>(piece.sequence);
        auto count = static_cast<Eigen::Index>(piece.ids.size());
        got[i].middleRows(static_cast<Eigen::Index>(done[i]), count) =
            logits.middleRows(row, count);
        row += count;
        done[i] += piece.ids.size();
      }
    }
    more = false;
    for (size_t s = 0; s < sequences; ++s) {
      more |= done[s] < ids[s].size();
    }
  }
  for (size_t s = 0; s < sequences; ++s) {
    EXPECT_LE(largestDifference(got[s], whole(ids[s])), tolerance)
        << "sequence " << s << " of " << ids[s].size() << " tokens";
  }
}

TEST_F(CacheTest, LogitsOfLastTokensOnly) {
  ModelRun<float> run(model.graph, model.weights, 32, {}, 2);
  std::vector<int32_t> a = rampIds(9, 64), b = rampIds(5, 59);
  HostMatrix<float> last =
      run.step({{1, a}, {0, b}}, Outputs::LastOfEach).logits;
  ASSERT_EQ(last.rows(), 2);
  HostMatrix<float> first = whole(a).bottomRows(1);
  HostMatrix<float> second = whole(b).bottomRows(1);
  EXPECT_LE(largestDifference(HostMatrix<float>(last.topRows(1)), first),
            tolerance);
  EXPECT_LE(largestDifference(HostMatrix<float>(last.bottomRows(1)), second),
            tolerance);
}

TEST_F(CacheTest, TruncatedSequencesGoOnAsIfNothingHadFollowed) {
  std::vector<int32_t> ids = rampIds(20, 64);
  ModelRun<float> run(model.graph, model.weights, 32);
  run.step({{0, rampIds(17, 50)}});
  run.table.truncate(0, 0);
  EXPECT_EQ(run.table.length(0), 0);
  EXPECT_LE(largestDifference(run.logits(ids), whole(ids)), tolerance);
}

TEST_F(CacheTest, WrongPiecesAreRefusedAndAppendNothing) {
  SequenceTable table(2, 8);
  using Pieces = std::vector<SequencePiece>;
  const std::pair<Pieces, const char *> cases[] = {
      {{{0, {64}}}, "token id 64: expected 0 to 63"},
      {{{0, {1, -1}}}, "token id -1"},
      {{{2, {1}}}, "sequence 2: expected one of 0 to 1"},
      {{{-1, {1}}}, "sequence -1"},
      {{{0, {}}}, "an empty one"},
      {{{0, {1}}, {0, {2}}}, "found two"},
      {{{0, {1}}, {1, rampIds(9, 64)}}, "at most 8 tokens, found 9"},
  };
  for (const auto &[pieces, message] : cases) {
    auto step = table.append(model.graph, pieces, Outputs::All);
    ASSERT_FALSE(step) << message;
    EXPECT_NE(step.error().message.find(message), std::string::npos)
        << step.error().message;
    EXPECT_EQ(table.length(0), 0);
    EXPECT_EQ(table.length(1), 0);
  }
}

TEST_F(CacheTest, MoreSlotsThanIndicesAreRefused) {
  SequenceTable table(1 << 16, 1 << 16);
  std::vector<SequencePiece> pieces = {{0, {1}}};
  auto step = table.append(model.graph, pieces, Outputs::All);
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().exitStatus, ExitDoesNotFit);
  EXPECT_EQ(KvCache<float>::bytes(model.graph, 10), 4u * 2 * 32 * 10 * 4);
}

TEST_F(CacheTest, WrongStepsAreRefused) {
  ModelRun<float> run(model.graph, model.weights, 8);
  std::vector<SequencePiece> pieces = {{0, {1, 2, 3}}};
  auto good = run.table.append(model.graph, pieces, Outputs::All);
  ASSERT_TRUE(good);
  const std::pair<const char *, std::function<void(Step &)>> faults[] = {
      {"short list", [](Step &s) { s.slots.pop_back(); }},
      {"no masks", [](Step &s) { s.masks.clear(); }},
      {"id", [](Step &s) { s.ids[1] = 64; }},
      {"negative position", [](Step &s) { s.positions[0] = -1; }},
      {"slot beyond", [](Step &s) { s.slots[2] = 8; }},
      {"slot twice", [](Step &s) { s.slots[2] = 0; }},
      {"nothing to see", [](Step &s) { s.masks[0].hi[1] = 1; }},
      {"bounds beyond", [](Step &s) { s.masks[0].hi[2] = 9; }},
      {"bounds below", [](Step &s) { s.masks[1].lo[0] = -1; }},
      {"output row", [](Step &s) { s.outputs[0] = 3; }},
  };
  for (const auto &[name, damage] : faults) {
    Step step = *good;
    damage(step);
    auto result = run.reference.run(step, run.cache);
    EXPECT_FALSE(result) << name;
  }
  EXPECT_TRUE(run.reference.run(*good, run.cache));
}

} // namespace
} // namespace chipwright::models
