//===- ChipLoadTest.cpp - Bases, overrides, provenance ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "ChipTestSupport.h"
#include "chips/Parameters.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <set>

#include <unistd.h>

namespace chipwright {
namespace {

using testing::HasSubstr;

const ParameterOrigin &originOf(const ResolvedChip &chip, const char *path) {
  return chip.origins.at(*findParameter(path));
}

/// A directory of chip files that is removed again.
class ChipDir {
public:
  ChipDir() {
    path = std::filesystem::temp_directory_path() /
           ("chipwright-chips-" + std::to_string(getpid()));
    std::filesystem::create_directories(path / "sub");
  }
  ~ChipDir() { std::filesystem::remove_all(path); }
  std::string write(const std::string &name, const std::string &text) const {
    std::ofstream(path / name) << text;
    return (path / name).string();
  }
  std::filesystem::path path;
};

TEST(ChipLoad, EveryShippedChipLoadsAndStatesItsOrigins) {
  unsigned simulated = 0;
  for (const ChipListing &listing : listChips(shippedDirs)) {
    if (listing.kind != "simulated") {
      continue;
    }
    ++simulated;
    ResolvedChip chip = load(listing.name);
    EXPECT_EQ(chip.spec.name, listing.name) << "name differs from file name";
    EXPECT_FALSE(chip.spec.description.empty());
    for (size_t i = 0; i < parameters().size(); ++i) {
      const ParameterOrigin &origin = chip.origins[i];
      EXPECT_NE(origin.kind, ValueKind::User)
          << listing.name << ": " << parameters()[i].path
          << " has neither source nor reason";
      EXPECT_FALSE(origin.source.empty()) << parameters()[i].path;
      if (origin.kind == ValueKind::Default && parameters()[i].isNumber()) {
        EXPECT_TRUE(origin.range) << parameters()[i].path;
      }
    }
  }
  EXPECT_GE(simulated, 2u);
}

TEST(ChipLoad, EveryRangeEndOfAShippedChipIsAValidMachine) {
  for (const ChipListing &listing : listChips(shippedDirs)) {
    if (listing.kind != "simulated") {
      continue;
    }
    ResolvedChip chip = load(listing.name);
    for (size_t i = 0; i < parameters().size(); ++i) {
      if (!chip.origins[i].range) {
        continue;
      }
      for (double end :
           {chip.origins[i].range->first, chip.origins[i].range->second}) {
        std::ostringstream set;
        set.precision(17);
        set << parameters()[i].path << "=" << end;
        Result<ResolvedChip> varied =
            loadChip(listing.name, {set.str()}, shippedDirs);
        EXPECT_TRUE(varied) << listing.name << ": " << varied.error().message;
      }
    }
  }
}

TEST(ChipLoad, PathsAreUniqueAndSpelledLikeTheUnit) {
  std::set<std::string> seen;
  for (const Parameter &param : parameters()) {
    std::string path = param.path;
    EXPECT_TRUE(seen.insert(path).second) << path;
    std::string unit = param.unit;
    if (unit == "ns") {
      EXPECT_TRUE(path.ends_with("_ns")) << path;
    } else if (unit == "GHz") {
      EXPECT_TRUE(path.ends_with("_ghz")) << path;
    } else if (unit == "cycles") {
      EXPECT_TRUE(path.ends_with("_cycles")) << path;
    } else if (unit == "bytes") {
      EXPECT_TRUE(path.ends_with("bytes")) << path;
    } else if (unit == "B/s") {
      EXPECT_TRUE(path.ends_with("_per_second")) << path;
    } else if (unit == "W") {
      EXPECT_TRUE(path.ends_with("_watts")) << path;
    }
  }
}

TEST(ChipLoad, EveryMemberIsReached) {
  // Distinct values written through the table come back through it, so no two
  // paths name one member.
  ResolvedChip chip = load("mtia-2i");
  std::set<const void *> addresses;
  for (const Parameter &param : parameters()) {
    std::visit([&](auto *member) { addresses.insert(member); },
               param.member(chip.spec));
  }
  EXPECT_EQ(addresses.size(), parameters().size());
}

TEST(ChipLoad, ProvenanceOfPublishedAndDefaultValues) {
  ResolvedChip chip = load("mtia-2i");
  const ParameterOrigin &clock = originOf(chip, "clock_ghz");
  EXPECT_EQ(clock.kind, ValueKind::Published);
  EXPECT_THAT(clock.source, HasSubstr("ISCA 2025"));
  EXPECT_THAT(clock.place, HasSubstr("mtia-2i.yaml:"));
  const ParameterOrigin &write = originOf(chip, "cp.write_cycles");
  EXPECT_EQ(write.kind, ValueKind::Default);
  ASSERT_TRUE(write.range);
  EXPECT_EQ(write.range->first, 1);
  EXPECT_EQ(write.range->second, 6);
}

TEST(ChipLoad, CanonicalTextRoundTrips) {
  for (const char *name : {"mtia-2i", "mtia-300"}) {
    ResolvedChip chip = load(name);
    std::vector<std::string> sets;
    std::istringstream lines(chip.canonicalText());
    for (std::string line; std::getline(lines, line);) {
      sets.push_back(line);
    }
    EXPECT_EQ(sets.size(), parameters().size());
    // Onto the other chip: every value must survive the text.
    ResolvedChip copy =
        load(std::string(name) == "mtia-2i" ? "mtia-300" : "mtia-2i", sets);
    EXPECT_EQ(copy.canonicalText(), chip.canonicalText());
    EXPECT_EQ(copy.hash(), chip.hash());
  }
}

TEST(ChipLoad, BaseGivesWhatTheFileLeavesOut) {
  Result<ResolvedChip> chip = derive("description: mine\n"
                                     "cp:\n  write_cycles: 1\n"
                                     "ls:\n  bytes: 512 KiB\n");
  ASSERT_TRUE(chip) << chip.error().message;
  EXPECT_EQ(chip->spec.name, "x");
  EXPECT_EQ(chip->spec.description, "mine");
  EXPECT_EQ(chip->spec.cp.writeCycles, 1u);
  EXPECT_EQ(chip->spec.ls.bytes, 512u * 1024);
  EXPECT_EQ(chip->spec.clockGhz, 1.35);
  const ParameterOrigin &write = originOf(*chip, "cp.write_cycles");
  EXPECT_EQ(write.kind, ValueKind::User);
  EXPECT_EQ(write.place, "x.yaml:5:17");
  ASSERT_TRUE(write.range) << "a plain override keeps the base's range";
  EXPECT_EQ(write.range->second, 6);
  EXPECT_EQ(originOf(*chip, "clock_ghz").kind, ValueKind::Published);
}

TEST(ChipLoad, BaseMayBeAFileBesideTheFile) {
  ChipDir dir;
  dir.write("a.yaml", "chip: a\nbase: mtia-2i\nse:\n  lanes: 64\n");
  dir.write("sub/b.yaml", "chip: b\nbase: ../a.yaml\nse:\n  div_slots: 1\n");
  std::string path =
      dir.write("sub/c.yaml", "chip: c\nbase: b\nmlu:\n  tile: 16\n");
  Result<ResolvedChip> chip = loadChip(path, {}, shippedDirs);
  ASSERT_TRUE(chip) << chip.error().message;
  EXPECT_EQ(chip->spec.se.lanes, 64u);
  EXPECT_EQ(chip->spec.se.divSlots, 1u);
  EXPECT_EQ(chip->spec.mlu.tile, 16u);
  // By name, through a search directory.
  std::vector<std::string> dirs = {dir.path.string(), shippedDirs[0]};
  EXPECT_TRUE(loadChip("a", {}, dirs));
}

TEST(ChipLoad, CyclicBasesAreRefused) {
  ChipDir dir;
  std::string path = dir.write("p.yaml", "chip: p\nbase: q.yaml\n");
  dir.write("q.yaml", "chip: q\nbase: ./p.yaml\n");
  Result<ResolvedChip> chip = loadChip(path, {}, shippedDirs);
  ASSERT_FALSE(chip);
  EXPECT_THAT(chip.error().message, HasSubstr("q.yaml:2:7"));
  EXPECT_THAT(chip.error().message, HasSubstr("comes back"));
  std::string self = dir.write("s.yaml", "chip: s\nbase: s\n");
  EXPECT_FALSE(loadChip(self, {}, shippedDirs));
}

TEST(ChipLoad, SetOverridesInOrder) {
  ResolvedChip chip =
      load("mtia-2i",
           {"cp.write_cycles=5", "cp.write_cycles=1", "noc.multicast=false",
            "dram.level=burst", "noc.topology=mesh", "noc.crossbar_cycles=0",
            "dpe.dtypes=[fp16, fp8_e4m3]", "ls.bytes=512KiB",
            "dram.pin_bytes_per_second=204.8e9"});
  EXPECT_EQ(chip.spec.cp.writeCycles, 1u);
  EXPECT_FALSE(chip.spec.noc.multicast);
  EXPECT_EQ(chip.spec.dram.level, DramLevel::Burst);
  EXPECT_EQ(chip.spec.noc.topology, NocTopology::Mesh);
  EXPECT_THAT(chip.spec.dpe.dtypes,
              testing::ElementsAre(DType::F16, DType::F8E4M3));
  EXPECT_EQ(chip.spec.ls.bytes, 524288u);
  EXPECT_EQ(originOf(chip, "cp.write_cycles").place, "--set cp.write_cycles=1");
  EXPECT_EQ(load("mtia-2i", {"dpe.dtypes=bf16"}).spec.dpe.dtypes.size(), 1u);
}

TEST(ChipLoad, AliasesNameTheSameValue) {
  EXPECT_EQ(load("mtia-2i", {"local_memory.bytes=262144"}).hash(),
            load("mtia-2i", {"ls.bytes=262144"}).hash());
  EXPECT_EQ(load("mtia-2i", {"dpe.min_pass=4"}).spec.dpe.minPassCycles, 4u);
  Result<ResolvedChip> chip = derive("local_memory:\n  banks: 16\n");
  ASSERT_TRUE(chip) << chip.error().message;
  EXPECT_EQ(chip->spec.ls.banks, 16u);
}

TEST(ChipLoad, LinkedDramValuesFollow) {
  DramSpec base = load("mtia-2i").spec.dram;
  ResolvedChip half = load("mtia-2i", {"dram.channels=8"});
  EXPECT_DOUBLE_EQ(half.spec.dram.pinBytesPerSecond, 102.4e9);
  EXPECT_EQ(half.spec.dram.timing.ccdShortNs, base.timing.ccdShortNs);
  EXPECT_THAT(originOf(half, "dram.pin_bytes_per_second").source,
              HasSubstr("follows"));
  DramSpec fast =
      load("mtia-2i", {"dram.pin_bytes_per_second=409.6e9"}).spec.dram;
  EXPECT_DOUBLE_EQ(fast.timing.tckNs, 0.625);
  EXPECT_DOUBLE_EQ(fast.timing.ccdShortNs, 1.25);
  EXPECT_DOUBLE_EQ(fast.timing.ccdLongNs, 2.5);
  EXPECT_EQ(fast.timing.rcdReadNs, base.timing.rcdReadNs);
  // Both sides given: nothing follows.
  DramSpec both =
      load("mtia-2i", {"dram.channels=8", "dram.pin_bytes_per_second=102.4e9"})
          .spec.dram;
  EXPECT_DOUBLE_EQ(both.pinBytesPerSecond, 102.4e9);
  EXPECT_EQ(both.timing.tckNs, base.timing.tckNs);
}

TEST(ChipLoad, FingerprintsChangeOnlyForTheirClass) {
  ResolvedChip base = load("mtia-2i");
  ChipSpec other = load("mtia-300").spec;
  unsigned architectural = 0, timing = 0;
  for (const Parameter &param : parameters()) {
    // Change one member directly: geometry plays no part in hashing.
    ResolvedChip changed = base;
    std::visit(
        [&](auto *member) {
          using T = std::remove_pointer_t<decltype(member)>;
          if constexpr (std::is_same_v<T, bool>) {
            *member = !*member;
          } else if constexpr (std::is_arithmetic_v<T>) {
            *member += 1;
          } else if constexpr (std::is_enum_v<T>) {
            *member = static_cast<T>(1 - static_cast<int>(*member));
          } else if constexpr (std::is_same_v<T, std::string>) {
            *member += "x";
          } else {
            *member = other.dpe.dtypes;
          }
        },
        param.member(changed.spec));
    EXPECT_NE(changed.hash(), base.hash()) << param.path;
    bool isArch = param.cls == ParameterClass::Architectural;
    bool isTiming = param.cls == ParameterClass::Timing;
    EXPECT_EQ(changed.architecturalFingerprint() !=
                  base.architecturalFingerprint(),
              isArch)
        << param.path;
    EXPECT_EQ(changed.timingFingerprint() != base.timingFingerprint(), isTiming)
        << param.path;
    architectural += isArch;
    timing += isTiming;
  }
  EXPECT_GE(architectural, 15u);
  EXPECT_GE(timing, 80u);
  // Name and origin do not count.
  Result<ResolvedChip> renamed = derive("");
  ASSERT_TRUE(renamed);
  EXPECT_EQ(renamed->hash(), base.hash());
}

TEST(ChipLoad, StoredTypesMayBeNone) {
  SeSpec se = load("mtia-2i").spec.se;
  EXPECT_TRUE(se.reads(DType::I4) && se.reads(DType::F4E2M1));
  for (const char *none : {"se.read_dtypes=[]", "se.read_dtypes=[ ]"}) {
    se = load("mtia-2i", {none}).spec.se;
    EXPECT_TRUE(se.readDtypes.empty());
    EXPECT_FALSE(se.reads(DType::I4) || se.reads(DType::F8E8M0));
    EXPECT_TRUE(se.reads(DType::F32) && se.reads(DType::I8));
  }
  se = load("mtia-2i", {"se.read_dtypes=[fp4_e2m1, fp8_e8m0]"}).spec.se;
  EXPECT_FALSE(se.reads(DType::I4));
  EXPECT_TRUE(se.reads(DType::F4E2M1) && se.reads(DType::F8E8M0));
  auto wrong = loadChip("mtia-2i", {"se.read_dtypes=[int8]"});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message,
              HasSubstr("out of int4, fp4_e2m1, fp8_e8m0"));
}

TEST(ChipLoad, ClassesOfMandatedPaths) {
  for (const char *path :
       {"grid.rows", "grid.cols", "ls.bytes", "cp.contexts", "cp.cbs",
        "cp.semaphores", "cp.mml_max_passes", "dpe.tiles", "dpe.tile_rows",
        "dpe.stream_rows", "dpe.k_bytes", "dpe.b_kn", "dpe.dtypes",
        "se.read_dtypes", "re.banks", "sram.bytes", "dram.bytes", "hart.isa"}) {
    ASSERT_TRUE(findParameter(path)) << path;
    EXPECT_EQ(parameters()[*findParameter(path)].cls,
              ParameterClass::Architectural)
        << path;
  }
  for (const char *path :
       {"clock_ghz", "cp.write_cycles", "re.drain_ops", "noc.link_bytes",
        "noc.multicast", "noc.train_bytes", "noc.contention", "sram.banks",
        "dram.channels", "dram.ecc", "dram.level"}) {
    ASSERT_TRUE(findParameter(path)) << path;
    EXPECT_EQ(parameters()[*findParameter(path)].cls, ParameterClass::Timing)
        << path;
  }
}

TEST(ChipLoad, HashIsStable) {
  // FNV-1a of the canonical text, recomputed here.
  ResolvedChip chip = load("mtia-2i");
  uint64_t hash = 14695981039346656037u;
  for (unsigned char c : chip.canonicalText()) {
    hash = (hash ^ c) * 1099511628211u;
  }
  EXPECT_EQ(chip.hash(), hash);
  EXPECT_THAT(chip.canonicalText(), HasSubstr("clock_ghz=1.35\ngrid.rows=8\n"));
}

TEST(ChipLoad, EnvironmentAddsADirectory) {
  ChipDir dir;
  dir.write("env.yaml", "chip: env\nbase: mtia-2i\n");
  ASSERT_FALSE(loadChip("env"));
  setenv("CHIPWRIGHT_CHIPS", dir.path.c_str(), 1);
  Result<ResolvedChip> chip = loadChip("env");
  unsetenv("CHIPWRIGHT_CHIPS");
  EXPECT_TRUE(chip) << chip.error().message;
}

} // namespace
} // namespace chipwright
