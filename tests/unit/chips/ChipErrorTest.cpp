//===- ChipErrorTest.cpp - Refusals of wrong chips --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "ChipTestSupport.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <random>

namespace chipwright {
namespace {

using testing::HasSubstr;

struct Refusal {
  const char *name;
  std::string overrides; // on top of "chip: x\nbase: mtia-2i\n" (lines 1, 2)
  std::vector<std::string> parts;
};

void PrintTo(const Refusal &refusal, std::ostream *out) {
  *out << refusal.name;
}

class MalformedFile : public testing::TestWithParam<Refusal> {};

TEST_P(MalformedFile, IsRefusedInOneSentence) {
  Result<ResolvedChip> chip = derive(GetParam().overrides);
  ASSERT_FALSE(chip) << "accepted";
  const std::string &message = chip.error().message;
  for (const std::string &part : GetParam().parts) {
    EXPECT_THAT(message, HasSubstr(part));
  }
  EXPECT_EQ(chip.error().exitStatus, ExitBadInput);
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_LT(message.size(), 600u);
}

const Refusal refusals[] = {
    // Syntax.
    {"Tab", "cp:\n\twrite_cycles: 3\n", {"x.yaml:4", "syntax"}},
    {"OpenBracket", "cp: {write_cycles: 3\n", {"x.yaml:", "syntax"}},
    {"TwoDocuments", "---\nchip: y\n", {"x.yaml", "2 documents"}},
    {"DuplicateKey",
     "cp:\n  write_cycles: 1\n  write_cycles: 2\n",
     {"x.yaml:5:3", "write_cycles", "twice"}},
    {"AliasTwice",
     "ls:\n  banks: 4\nlocal_memory:\n  banks: 8\n",
     {"x.yaml:6:10", "ls.banks", "twice"}},
    {"NestingBomb",
     "cp: " + std::string(2000, '[') + "\n",
     {"x.yaml", "nesting deeper"}},
    // Keys.
    {"UnknownKey",
     "cp:\n  write_cylces: 3\n",
     {"x.yaml:4:3", "cp.write_cylces", "did you mean 'cp.write_cycles'"}},
    {"UnknownSection", "gird:\n  rows: 4\n", {"x.yaml:3:1", "gird"}},
    {"KeyWithoutUnit",
     "clock: 1.4\n",
     {"x.yaml:3:1", "carries its unit", "clock_ghz"}},
    {"TimingWithoutUnit",
     "dram:\n  timing:\n    rp: 18\n",
     {"x.yaml:5:5", "dram.timing.rp_ns"}},
    {"SectionIsScalar", "cp: 3\n", {"x.yaml:3:5", "keys under 'cp'", "'3'"}},
    {"SectionIsEmpty", "cp:\n", {"x.yaml:3", "keys under 'cp'", "nothing"}},
    {"UnknownLeafKey",
     "cp:\n  cbs: {value: 32, unit: none}\n",
     {"x.yaml:4:20", "cp.cbs", "unknown key 'unit'"}},
    {"BothSourceAndAssumed",
     "cp:\n  cbs: {value: 32, source: a, assumed: b, range: [1, 2]}\n",
     {"x.yaml:4", "both 'source' and 'assumed'"}},
    {"ListAsKey", "? [a, b]\n: 3\n", {"x.yaml:3", "expected a key"}},
    {"WrongKind",
     "kind: baseline\n",
     {"x.yaml:3:7", "simulated", "'baseline'"}},
    {"NotModelledIsScalar",
     "not_modelled: nothing\n",
     {"x.yaml:3", "not_modelled", "list"}},
    // Values.
    {"MissingValue",
     "cp:\n  write_cycles:\n",
     {"x.yaml:4", "cp.write_cycles", "nothing"}},
    {"LeafWithoutValue",
     "cp:\n  write_cycles: {source: a}\n",
     {"x.yaml:4", "cp.write_cycles", "no value"}},
    {"TextForNumber",
     "cp:\n  write_cycles: three\n",
     {"x.yaml:4:17", "whole number", "'three'"}},
    {"QuotedNumber", "cp:\n  write_cycles: \"3\"\n", {"x.yaml:4:17", "quotes"}},
    {"FractionForCount",
     "cp:\n  cbs: 2.5\n",
     {"x.yaml:4:8", "whole number", "2.5"}},
    {"NegativeCount",
     "cp:\n  write_cycles: -3\n",
     {"x.yaml:4:17", "between 0 and 1000", "-3"}},
    {"ZeroRows", "grid:\n  rows: 0\n", {"x.yaml:4:9", "grid.rows", "'0'"}},
    {"HugeCount",
     "cp:\n  cbs: 4294967328\n",
     {"x.yaml:4:8", "cp.cbs", "between 4 and 64"}},
    {"ZeroClock", "clock_ghz: 0\n", {"x.yaml:3:12", "clock_ghz"}},
    {"NotANumberClock", "clock_ghz: .nan\n", {"x.yaml:3:12", "clock_ghz"}},
    {"NanClock", "clock_ghz: nan\n", {"x.yaml:3:12", "clock_ghz"}},
    {"InfiniteClock", "clock_ghz: inf\n", {"x.yaml:3:12", "clock_ghz"}},
    {"UnitInValue", "clock_ghz: 1.35 GHz\n", {"x.yaml:3:12", "'1.35 GHz'"}},
    {"WrongBool",
     "noc:\n  multicast: maybe\n",
     {"x.yaml:4:14", "true or false", "'maybe'"}},
    {"WrongEnum",
     "noc:\n  topology: torus\n",
     {"x.yaml:4:13", "crossbar, mesh", "'torus'"}},
    {"WrongDType",
     "dpe:\n  dtypes: [fp16, fp64]\n",
     {"x.yaml:4:11", "bf16", "fp64"}},
    {"Fp32Products",
     "dpe:\n  dtypes: [fp32]\n",
     {"x.yaml:4:11", "tf32", "[fp32]"}},
    {"RepeatedDType",
     "dpe:\n  dtypes: [fp16, fp16]\n",
     {"x.yaml:4:11", "different types"}},
    {"NoDType", "dpe:\n  dtypes: []\n", {"x.yaml:4:11", "dpe.dtypes"}},
    {"ListForNumber",
     "cp:\n  cbs: [1, 2]\n",
     {"x.yaml:4:8", "cp.cbs", "[1, 2]"}},
    {"NestedList",
     "dpe:\n  dtypes: [[fp16]]\n",
     {"x.yaml:4", "dpe.dtypes", "a list"}},
    {"WrongIsa",
     "hart:\n  isa: rv32imc\n",
     {"x.yaml:4:8", "rv64i", "'rv32imc'"}},
    {"IsaDWithoutF", "hart:\n  isa: rv64imd\n", {"x.yaml:4:8", "rv64imd"}},
    {"UnitTooLarge",
     "ls:\n  bytes: 384 GiB\n",
     {"x.yaml:4:10", "1 GiB", "384 GiB"}},
    {"EndlessList",
     "dpe:\n  dtypes: [" + std::string(5000, ',') + "]\n",
     {"x.yaml:4"}},
    {"TooLarge", std::string(200000, ' '), {"x.yaml", "at most 131072"}},
    // Ranges.
    {"AssumedWithoutRange",
     "cp:\n  cbs: {value: 32, assumed: guess}\n",
     {"x.yaml:4", "cp.cbs", "no range"}},
    {"RangeReversed",
     "cp:\n  cbs: {value: 32, range: [64, 16]}\n",
     {"x.yaml:4:27", "range: [low, high]"}},
    {"RangeOfOne",
     "cp:\n  cbs: {value: 32, range: [64]}\n",
     {"x.yaml:4:27", "range"}},
    {"RangeOfBool",
     "noc:\n  shaping: {value: true, range: [0, 1]}\n",
     {"x.yaml:4", "no range"}},
    {"RangeBeyondLimits",
     "cp:\n  cbs: {value: 32, range: [0, 16]}\n",
     {"x.yaml:4:27", "limits"}},
    {"ValueOutsideItsRange",
     "cp:\n  cbs: {value: 32, range: [4, 16]}\n",
     {"x.yaml:4:16", "[4, 16]", "32"}},
    // Geometry.
    {"BanksOverChannels",
     "sram:\n  banks: 40\n",
     {"x.yaml:4:10", "sram.banks", "dram.channels = 16", "32, 48"}},
    {"BanksOverBytes",
     "sram:\n  banks: 48\n",
     {"x.yaml:4:10", "divisor of sram.bytes", "48"}},
    {"LlsNotPartition",
     "sram:\n  lls_bytes: 100 MiB\n",
     {"x.yaml:4:14", "sram.partition_bytes = 33554432", "104857600"}},
    {"LlsAboveSram",
     "sram:\n  lls_bytes: 288 MiB\n",
     {"x.yaml:4:14", "at most sram.bytes"}},
    {"InterleaveNotPowerOfTwo",
     "memory:\n  interleave_bytes: 384\n",
     {"x.yaml:4:21", "power of two", "256 or 512"}},
    {"InterleaveAboveRow",
     "memory:\n  interleave_bytes: 4096\n",
     {"x.yaml:4:21", "dram.row_bytes = 2048", "4096"}},
    {"RowWithoutRoomForCode",
     "memory:\n  interleave_bytes: 2048\n",
     {"x.yaml:4:21", "2048 + 256 bytes", "dram.ecc=false"}},
    {"CodeAboveGranule",
     "dram:\n  ecc_data_bytes: 512\n",
     {"x.yaml:4:19", "memory.interleave_bytes = 256"}},
    {"TrainBelowPacket",
     "noc:\n  train_bytes: 128\n",
     {"x.yaml:4:16", "noc.packet_bytes = 256", "128"}},
    {"TrainNotPackets",
     "noc:\n  train_bytes: 1000\n",
     {"x.yaml:4:16", "multiple", "768, 1024"}},
    {"BucketBelowPacket",
     "noc:\n  shaping_burst_bytes: 64\n",
     {"x.yaml:4:24", "packet"}},
    {"MeshWithCrossbar",
     "noc:\n  topology: mesh\n",
     {"x.yaml:4:13", "noc.crossbar_cycles", "mesh"}},
    {"LocalMemoryTooSmall",
     "ls:\n  bytes: 8 KiB\n",
     {"x.yaml:4:10", "at least 14336", "found 8192"}},
    {"LocalMemoryOdd",
     "ls:\n  bytes: 393217\n",
     {"x.yaml:4:10", "ls.bank_bytes = 64"}},
    {"LoadAboveOperand",
     "dpe:\n  load_bytes: 4096\n",
     {"x.yaml:4:15", "2048", "4096"}},
    {"KBytesNotPowerOfTwo",
     "dpe:\n  k_bytes: 48\n",
     {"x.yaml:4:12", "power of two"}},
    {"CacheSets",
     "hart:\n  icache_bytes: 10000\n",
     {"x.yaml:4:17", "4 ways x 64 bytes"}},
    {"PinsTooSlowForColumns",
     "dram:\n  timing:\n    ccd_short_ns: 1.25\n",
     {"x.yaml:5:19", "2.5 ns"}},
    {"CcdReversed",
     "dram:\n  timing:\n    ccd_long_ns: 2\n",
     {"x.yaml:5:18", "dram.timing.ccd_short_ns"}},
    {"RefreshForever",
     "dram:\n  timing:\n    rfc_bank_ns: 4000\n",
     {"x.yaml:5:18", "3906", "4000"}},
    {"DrainReversed",
     "dram:\n  drain_low: 0.9\n",
     {"x.yaml:4:14", "dram.drain_high = 0.8"}},
    {"DramNotWholeRows",
     "dram:\n  bytes: 68719476737\n",
     {"x.yaml:4:10", "68719476736"}},
    {"TypicalAboveTdp",
     "package:\n  typical_watts: 100\n",
     {"x.yaml:4:18", "package.tdp_watts"}},
};

INSTANTIATE_TEST_SUITE_P(All, MalformedFile, testing::ValuesIn(refusals),
                         [](const auto &info) {
                           return std::string(info.param.name);
                         });

void expectRefused(const std::string &text,
                   const std::vector<std::string> &parts) {
  Result<ResolvedChip> chip = loadChipFromText(text, "x.yaml", {}, shippedDirs);
  ASSERT_FALSE(chip);
  for (const std::string &part : parts) {
    EXPECT_THAT(chip.error().message, HasSubstr(part));
  }
}

TEST(ChipError, WholeFiles) {
  expectRefused("", {"x.yaml", "empty"});
  expectRefused("# only a comment\n", {"x.yaml"});
  expectRefused("just text\n", {"x.yaml", "'just text'"});
  expectRefused("- a\n- b\n", {"x.yaml", "a list"});
  expectRefused(std::string("chip: x\0y", 9), {"binary"});
  expectRefused("base: mtia-2i\n", {"'chip:'"});
  expectRefused("chip: x\n", {"'kind:'", "kind: simulated"});
  expectRefused("chip: x\nkind: simulated\n",
                {"clock_ghz has no value", "base:"});
  expectRefused("chip: x\nbase: mtia-9\n",
                {"x.yaml:2:7", "mtia-9", "did you mean 'mtia-2i'"});
  expectRefused("chip: x\nbase: nowhere/y.yaml\n",
                {"x.yaml:2:7", "nowhere/y.yaml"});
  expectRefused("chip: [x]\nkind: simulated\n", {"x.yaml:1:7", "'chip:'"});
}

TEST(ChipError, EachMissingValueIsNamed) {
  std::string text = readFile(shippedDirs[0] + "/mtia-2i.yaml");
  expectRefused(replaced(text, "clock_ghz: {value: 1.35, ", "clock_ghz: {"),
                {"clock_ghz has no value"});
  std::string line =
      "  channels: {value: 16, source: \"ISCA 2025, table 2\"}\n";
  expectRefused(replaced(text, line, ""), {"dram.channels has no value"});
}

TEST(ChipError, NamesAndFiles) {
  Result<ResolvedChip> chip = loadChip("mtia2i", {}, shippedDirs);
  ASSERT_FALSE(chip);
  EXPECT_THAT(chip.error().message, HasSubstr("did you mean 'mtia-2i'"));
  EXPECT_EQ(chip.error().exitStatus, ExitBadInput);
  chip = loadChip("/nonexistent/a.yaml", {}, shippedDirs);
  ASSERT_FALSE(chip);
  EXPECT_THAT(chip.error().message, HasSubstr("/nonexistent/a.yaml"));
  chip = loadChip(shippedDirs[0] + "/", {}, shippedDirs);
  ASSERT_FALSE(chip);
  EXPECT_THAT(chip.error().message, HasSubstr("directory"));
  chip = loadChip("/dev/zero", {}, shippedDirs);
  ASSERT_FALSE(chip);
  EXPECT_THAT(chip.error().message, HasSubstr("at most"));
}

TEST(ChipError, Sets) {
  struct {
    const char *set;
    std::vector<std::string> parts;
  } cases[] = {
      {"cp.write_cycels=1", {"did you mean 'cp.write_cycles'"}},
      {"write_cycles=1", {"did you mean 'cp.write_cycles'"}},
      {"clock=1", {"carries its unit", "clock_ghz"}},
      {"frobnicate.everything=1", {"unknown 'frobnicate.everything'"}},
      {"dram=1", {"section 'dram'"}},
      {"cp.write_cycles", {"path=value"}},
      {"=3", {"path=value"}},
      {"", {"path=value"}},
      {"cp.write_cycles=", {"cp.write_cycles", "whole number"}},
      {"cp.write_cycles=fast", {"'fast'"}},
      {"cp.write_cycles=1,2", {"[1, 2]"}},
      {"noc.multicast=2", {"true or false"}},
      {"grid.rows=33", {"between 1 and 32"}},
      {"ls.bytes=1e400", {"ls.bytes"}},
      {"dpe.dtypes=[]", {"dpe.dtypes"}},
      {"chip=mine", {"unknown 'chip'"}},
  };
  for (const auto &c : cases) {
    Result<ResolvedChip> chip = loadChip("mtia-2i", {c.set}, shippedDirs);
    ASSERT_FALSE(chip) << c.set;
    EXPECT_EQ(chip.error().exitStatus, ExitUsage) << c.set;
    EXPECT_THAT(chip.error().message, HasSubstr("--set"));
    for (const std::string &part : c.parts) {
      EXPECT_THAT(chip.error().message, HasSubstr(part));
    }
  }
  Result<ResolvedChip> chip =
      loadChip("mtia-2i", {"sram.banks=40"}, shippedDirs);
  ASSERT_FALSE(chip);
  EXPECT_EQ(chip.error().exitStatus, ExitBadInput);
  EXPECT_THAT(chip.error().message, HasSubstr("--set sram.banks=40: "));
}

TEST(ChipError, RandomDamageNeverCrashes) {
  unsigned seed = 20240517;
  if (const char *text = std::getenv("CHIPWRIGHT_SEED")) {
    seed = static_cast<unsigned>(std::strtoul(text, nullptr, 10));
  }
  std::cout << "CHIPWRIGHT_SEED=" << seed << "\n";
  std::mt19937 random(seed);
  const std::string original = readFile(shippedDirs[0] + "/mtia-2i.yaml");
  const std::string alphabet = "{}[]:,-?&*!|>'\"%@`# \n\t09ae.~<=\xff\x80";
  unsigned refused = 0;
  for (unsigned run = 0; run < 150; ++run) {
    std::string text = original;
    for (unsigned edits = 1 + random() % 8; edits > 0; --edits) {
      size_t at = random() % text.size();
      switch (random() % 4) {
      case 0:
        text[at] = alphabet[random() % alphabet.size()];
        break;
      case 1:
        text.insert(at, 1, alphabet[random() % alphabet.size()]);
        break;
      case 2:
        text.erase(at, 1 + random() % 40);
        break;
      default:
        text.insert(at, text.substr(random() % text.size(), random() % 80));
        break;
      }
    }
    Result<ResolvedChip> chip =
        loadChipFromText(text, "x.yaml", {}, shippedDirs);
    if (!chip) {
      ++refused;
      EXPECT_THAT(chip.error().message, HasSubstr("x.yaml"));
    }
  }
  EXPECT_GT(refused, 20u);
}

} // namespace
} // namespace chipwright
