//===- CbWatchTest.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/trace/CbWatch.h"
#include "tests/unit/trace/TraceMachine.h"

#include <gtest/gtest.h>

#include <cinttypes>
#include <map>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

struct Line {
  uint64_t cycle, bytes, occupied;
  unsigned row, col, cb;
  bool push;
};

/// Runs the matrix kernel under a watch and takes its output apart.
std::vector<Line> watched(const WatchOptions &options) {
  ResolvedChip chip = smallChip();
  std::FILE *out = std::tmpfile();
  CbWatch watch(chip.spec, options, out);
  MatrixRun job(chip.spec, &watch);
  job.run();
  std::rewind(out);
  std::vector<Line> lines;
  char text[200];
  while (std::fgets(text, sizeof(text), out)) {
    Line line;
    char kind[8];
    int fields = std::sscanf(text,
                             "cycle %" SCNu64 " pe %u,%u cb %u %7s %" SCNu64
                             " occupied %" SCNu64,
                             &line.cycle, &line.row, &line.col, &line.cb, kind,
                             &line.bytes, &line.occupied);
    EXPECT_EQ(fields, 7) << text;
    line.push = std::string(kind) == "push";
    EXPECT_TRUE(line.push || std::string(kind) == "pop") << text;
    lines.push_back(line);
  }
  std::fclose(out);
  return lines;
}

TEST(CbWatchTest, OneBuffer) {
  WatchOptions options;
  options.pe = 2; // row 1, column 0
  options.cb = 0;
  std::vector<Line> lines = watched(options);
  ASSERT_EQ(lines.size(), 2 * MatrixRun::steps);
  uint64_t occupied = 0, last = 0;
  for (const Line &line : lines) {
    EXPECT_EQ(line.row, 1u);
    EXPECT_EQ(line.col, 0u);
    EXPECT_EQ(line.cb, 0u);
    EXPECT_EQ(line.bytes, MatrixRun::aBytes);
    occupied += line.push ? line.bytes : -line.bytes;
    EXPECT_EQ(line.occupied, occupied);
    EXPECT_LE(occupied, 4 * MatrixRun::aBytes);
    EXPECT_GE(line.cycle, last);
    last = line.cycle;
  }
  EXPECT_EQ(occupied, 0u);
}

TEST(CbWatchTest, AllBuffersOfAPe) {
  std::vector<Line> lines = watched(WatchOptions());
  std::map<unsigned, uint64_t> pushed;
  for (const Line &line : lines) {
    EXPECT_EQ(line.row, 0u);
    EXPECT_EQ(line.col, 0u);
    if (line.push) {
      pushed[line.cb] += line.bytes;
    }
  }
  std::map<unsigned, uint64_t> expected = {
      {0, MatrixRun::steps * MatrixRun::aBytes},
      {1, MatrixRun::steps * MatrixRun::bBytes},
      {2, MatrixRun::outBytes},
      {3, MatrixRun::outBytes},
      {4, MatrixRun::outBytes}};
  EXPECT_EQ(pushed, expected);
}

/// Counts what it is told.
class Counter final : public TraceSink {
public:
  void command(unsigned, const Command &, Cycle, Cycle) override { ++commands; }
  void link(unsigned, Cycle, Cycle, uint64_t) override { ++links; }
  void dram(unsigned, Cycle, Cycle, uint64_t, bool) override { ++drams; }
  void cbEvent(unsigned, unsigned, bool, uint32_t, uint64_t, Cycle) override {
    ++moves;
  }
  unsigned commands = 0, links = 0, drams = 0, moves = 0;
};

TEST(TraceFanTest, AllSinksSeeEverything) {
  Counter one, two;
  TraceFan fan;
  EXPECT_EQ(fan.get(), nullptr);
  fan.add(one);
  EXPECT_EQ(fan.get(), &one);
  fan.add(two);
  EXPECT_EQ(fan.get(), &fan);
  ResolvedChip chip = smallChip();
  MatrixRun job(chip.spec, fan.get());
  job.run();
  EXPECT_GT(one.commands, 0u);
  EXPECT_GT(one.links, 0u);
  EXPECT_GT(one.drams, 0u);
  EXPECT_GT(one.moves, 0u);
  EXPECT_EQ(one.commands, two.commands);
  EXPECT_EQ(one.links, two.links);
  EXPECT_EQ(one.drams, two.drams);
  EXPECT_EQ(one.moves, two.moves);
}

} // namespace
