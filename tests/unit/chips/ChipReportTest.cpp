//===- ChipReportTest.cpp - Chips as text and JSON --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/ChipReport.h"
#include "ChipTestSupport.h"
#include "chips/Parameters.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace chipwright {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(ChipReport, TableListsShippedChips) {
  std::string text = formatChipTable(shippedDirs);
  EXPECT_THAT(
      text, ContainsRegex("mtia-2i [^\n]*simulated [^\n]*8 x 8 [^\n]*1.35 GHz "
                          "[^\n]*176.9 TFLOP/s [^\n]*256 MiB [^\n]*64 GiB "
                          "[^\n]*204.8 GB/s [^\n]*85 W"));
  EXPECT_THAT(text, ContainsRegex("mtia-300 [^\n]*12 x 6 [^\n]*560.3 TFLOP/s"));
  EXPECT_THAT(formatChipTable({}), HasSubstr("CHIPWRIGHT_CHIPS"));
}

TEST(ChipReport, SheetGivesRidgePointsAndOrigins) {
  std::string text = formatChip(load("mtia-2i"));
  // 176.9472e12 / 204.8e9 = 864; / 2.7648e12 = 64.
  EXPECT_THAT(text, ContainsRegex("fp16 +176.9 TFLOP/s +1024 +864 +64"));
  EXPECT_THAT(text, ContainsRegex("int8 +353.9 TOP/s +2048 +1728 +128"));
  EXPECT_THAT(text, ContainsRegex("SRAM [^\n]*2.765 TB/s"));
  EXPECT_THAT(text, ContainsRegex("DRAM .pins. +204.8 GB/s"));
  EXPECT_THAT(text, ContainsRegex("cp.write_cycles +3 cycles +not public +1 "
                                  "\\.\\. 6"));
  EXPECT_THAT(text, Not(ContainsRegex("clock_ghz [^\n]*not public")));
  EXPECT_THAT(text, HasSubstr("Described, not modelled"));
  EXPECT_THAT(text, HasSubstr("2:4 structured"));
  EXPECT_THAT(text, HasSubstr("hart.vector_bytes = 64 B"));
  EXPECT_THAT(text, Not(HasSubstr("Set by the user")));
}

TEST(ChipReport, SheetShowsUserValues) {
  std::string text =
      formatChip(load("mtia-2i", {"dram.channels=8", "cp.write_cycles=1"}));
  EXPECT_THAT(text, HasSubstr("Set by the user"));
  EXPECT_THAT(text, ContainsRegex("dram.channels +8 +--set"));
  EXPECT_THAT(text, ContainsRegex("dram.pin_bytes_per_second +102.4 GB/s "
                                  "+follows"));
  EXPECT_THAT(text, Not(ContainsRegex("cp.write_cycles [^\n]*not public")));
}

TEST(ChipReport, PathsListsEveryParameterOnce) {
  std::string text = formatChipPaths(load("mtia-2i"));
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  EXPECT_THAT(line, HasSubstr("recompile"));
  for (const Parameter &param : parameters()) {
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(line.substr(0, line.find(' ')), param.path);
  }
  EXPECT_FALSE(std::getline(lines, line));
  EXPECT_THAT(text, ContainsRegex("ls.bytes +393216 +bytes +recompile"));
  EXPECT_THAT(text, ContainsRegex("cp.write_cycles +3 +cycles +1 \\.\\. 6 +no "
                                  "+default .not public."));
  EXPECT_THAT(text, ContainsRegex("hart.vector_bytes [^\n]*not modelled"));
}

TEST(ChipReport, DiffShowsOnlyDifferences) {
  ResolvedChip base = load("mtia-2i");
  std::string text = formatChipDiff(
      base, load("mtia-2i", {"ls.bytes=512KiB", "cp.write_cycles=1"}));
  EXPECT_THAT(text, ContainsRegex("ls.bytes +384 KiB +512 KiB +recompile"));
  EXPECT_THAT(text, ContainsRegex("cp.write_cycles +3 cycles +1 cycles +no"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_THAT(formatChipDiff(base, base), HasSubstr("same parameters"));
}

TEST(ChipReport, JsonHoldsEveryValueWithItsOrigin) {
  ResolvedChip chip = load("mtia-300", {"cp.write_cycles=2"});
  nlohmann::json json = nlohmann::json::parse(toJson(chip).dump());
  EXPECT_EQ(json["name"], "mtia-300");
  EXPECT_EQ(json["hash"], formatHash(chip.hash()));
  EXPECT_EQ(json["hash"].get<std::string>().size(), 16u);
  EXPECT_EQ(json["parameters"].size(), parameters().size());
  EXPECT_EQ(json["parameters"]["clock_ghz"]["value"], 1.9);
  EXPECT_EQ(json["parameters"]["clock_ghz"]["kind"], "published");
  EXPECT_EQ(json["parameters"]["cp.write_cycles"]["value"], 2);
  EXPECT_EQ(json["parameters"]["cp.write_cycles"]["kind"], "user");
  EXPECT_EQ(json["parameters"]["cp.write_cycles"]["class"], "timing");
  EXPECT_EQ(json["parameters"]["dram.ecc"]["value"], false);
  EXPECT_EQ(json["parameters"]["noc.topology"]["value"], "mesh");
  EXPECT_EQ(json["parameters"]["dpe.dtypes"]["value"].size(), 5u);
  EXPECT_EQ(json["parameters"]["cp.cbs"]["range"][1], 64);
  EXPECT_DOUBLE_EQ(json["derived"]["peak_flops"]["fp16"], 560.3328e12);
}

} // namespace
} // namespace chipwright
