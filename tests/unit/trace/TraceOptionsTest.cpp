//===- TraceOptionsTest.cpp -----------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/trace/TraceOptions.h"
#include "tests/unit/trace/TraceMachine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace chipwright;
using namespace chipwright::sim;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

const GridSpec grid{2, 4};

std::vector<unsigned> pes(std::string_view text) {
  Result<std::vector<unsigned>> list = parsePeList(text, grid);
  EXPECT_TRUE(list) << list.error().message;
  return list ? *list : std::vector<unsigned>();
}

TEST(TraceOptionsTest, PeLists) {
  EXPECT_THAT(pes("0,0"), ElementsAre(0));
  EXPECT_THAT(pes("1,3:0,0"), ElementsAre(0, 7));
  EXPECT_THAT(pes("1,3:1,3"), ElementsAre(7));
  EXPECT_THAT(pes("0-1,1"), ElementsAre(1, 5));
  EXPECT_THAT(pes("1,1-2"), ElementsAre(5, 6));
  EXPECT_THAT(pes("*,0"), ElementsAre(0, 4));
  EXPECT_EQ(pes("*,*").size(), 8u);
}

TEST(TraceOptionsTest, BadPeLists) {
  const std::pair<const char *, const char *> cases[] = {
      {"", "expected ROW,COLUMN"},
      {"3", "expected ROW,COLUMN"},
      {"0,0:", "expected ROW,COLUMN"},
      {"0,", "expected a column number"},
      {",0", "expected a row number"},
      {"a,0", "found 'a'"},
      {"0,0 ", "found '0 '"},
      {"-1,0", "expected a row number"},
      {"0,0,0", "found '0,0'"},
      {"2,0", "row 2 does not exist, the chip has 2 (0 to 1)"},
      {"0,0-4", "column 4 does not exist, the chip has 4 (0 to 3)"},
      {"1-0,0", "write 0-1"},
      {"0,99999999999999999999", "expected a column number"},
  };
  for (const auto &[text, expected] : cases) {
    Result<std::vector<unsigned>> list = parsePeList(text, grid);
    ASSERT_FALSE(list) << text;
    EXPECT_THAT(list.error().message, HasSubstr(expected)) << text;
    EXPECT_EQ(list.error().exitStatus, ExitUsage);
  }
}

TEST(TraceOptionsTest, Windows) {
  auto window = [](std::string_view text) {
    Result<CycleWindow> parsed = parseWindow(text);
    EXPECT_TRUE(parsed) << parsed.error().message;
    return parsed ? *parsed : CycleWindow{7, 7};
  };
  EXPECT_EQ(window("5:9"), (CycleWindow{5, 9}));
  EXPECT_EQ(window("5:"), (CycleWindow{5, kNever}));
  EXPECT_EQ(window(":9"), (CycleWindow{0, 9}));
  for (const char *bad : {"", ":", "5", "a:b", "5:x", "9:5", "5:5", "5:9:11",
                          "-1:5", " 1:2", "1:99999999999999999999"}) {
    Result<CycleWindow> parsed = parseWindow(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_THAT(parsed.error().message, HasSubstr("window '")) << bad;
    EXPECT_EQ(parsed.error().exitStatus, ExitUsage);
  }
}

TEST(TraceOptionsTest, WindowOverlap) {
  CycleWindow window{10, 20};
  EXPECT_FALSE(window.overlaps(0, 10));
  EXPECT_TRUE(window.overlaps(0, 11));
  EXPECT_TRUE(window.overlaps(19, 30));
  EXPECT_FALSE(window.overlaps(20, 30));
  EXPECT_TRUE(window.overlaps(5, 30));
  EXPECT_TRUE(window.overlaps(10, 10)); // instants
  EXPECT_FALSE(window.overlaps(9, 9));
  EXPECT_FALSE(window.overlaps(20, 20));
}

TEST(TraceOptionsTest, Watch) {
  ResolvedChip chip = smallChip();
  Result<WatchOptions> both = parseWatch("pe=1,0 cb=3", chip.spec);
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(both->pe, 2u);
  EXPECT_EQ(both->cb, 3u);
  Result<WatchOptions> turned = parseWatch("cb=0  pe=0,1", chip.spec);
  ASSERT_TRUE(turned) << turned.error().message;
  EXPECT_EQ(turned->pe, 1u);
  EXPECT_EQ(turned->cb, 0u);
  Result<WatchOptions> all = parseWatch("pe=0,0", chip.spec);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_FALSE(all->cb);
  for (const char *bad : {"", "cb=1", "pe=0,0 cb=32", "pe=0,0 cb=x", "pe=2,0",
                          "pe=*,0", "pe=0,0 pe=0,1", "pe=0,0 semaphore=1"}) {
    Result<WatchOptions> parsed = parseWatch(bad, chip.spec);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().exitStatus, ExitUsage);
  }
}

} // namespace
