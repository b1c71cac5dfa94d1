//===- PackageFileTest.cpp - Packages as files ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "package/PackageFile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>

using namespace chipwright;
using testing::HasSubstr;

namespace {

Package samplePackage() {
  Package p;
  p.toolVersion = "0.1.0";
  p.chip = "mtia-2i";
  p.architecturalFingerprint = 0x1122334455667788;
  p.timingFingerprint = 3;
  p.modelHash = ~uint64_t(0);
  p.modelType = "llama4";
  p.productType = DType::F16;
  p.bounds = {{"tokens", 32}, {"batch", 2},    {"context", 256},
              {"slots", 512}, {"outputs", 32}, {"entries.0", 4}};
  PackageSize tokens{1, "tokens"}, one{1, ""};
  auto add = [&](const char *name, DType dtype, std::vector<PackageSize> shape,
                 BufferRole role, BufferContent content = {}) {
    PackageBuffer b;
    b.name = name;
    b.dtype = dtype;
    b.shape = std::move(shape);
    b.role = role;
    b.content = content;
    p.buffers.push_back(b);
  };
  add("weight", DType::F16, {{64, ""}, {32, ""}}, BufferRole::Weight);
  p.buffers.back().parameter = "layers.0.w";
  add("ids", DType::I32, {tokens, one}, BufferRole::Input,
      BufferContent::TokenIds);
  p.buffers.back().isControl = true;
  add("work", DType::I32, {{1, "entries.0"}, {4, ""}}, BufferRole::Input,
      BufferContent::AttentionWork);
  p.buffers.back().block = 16;
  add("rope", DType::F32, {{256, ""}, {32, ""}}, BufferRole::Table,
      BufferContent::RopeTable);
  add("cache", DType::F16, {{1, "slots"}, {32, ""}}, BufferRole::Cache);
  add("logits", DType::F32, {{1, "outputs"}, {64, ""}}, BufferRole::Output);
  p.programs = {{"a", {1, 2, 3}}, {"b", {4}}};
  p.launches = {
      {"embed",
       1,
       {{PackageArgument::Address, 1, {}}, {PackageArgument::Size, 0, tokens}},
       {{"x", 1}},
       {}},
      {"logits", 0, {{PackageArgument::Address, 0, {}}}, {}, {{"logits", 5}}},
  };
  return p;
}

std::string refusalOf(const std::vector<uint8_t> &bytes) {
  auto read = decodePackage(bytes, "p.cwx");
  if (read) {
    return "";
  }
  EXPECT_EQ(read.error().exitStatus, ExitBadInput);
  EXPECT_THAT(read.error().message, HasSubstr("p.cwx"));
  return read.error().message;
}

/// The header's hash follows the payload, so that what lies behind it is read.
void seal(std::vector<uint8_t> &bytes) {
  uint64_t size = bytes.size() - packageHeaderBytes;
  uint64_t hash = packageHash(std::span(bytes).subspan(packageHeaderBytes));
  for (unsigned i = 0; i < 8; ++i) {
    bytes[16 + i] = static_cast<uint8_t>(size >> 8 * i);
    bytes[24 + i] = static_cast<uint8_t>(hash >> 8 * i);
  }
}

TEST(PackageFile, RoundTrip) {
  Package before = samplePackage();
  std::vector<uint8_t> bytes = encodePackage(before);
  EXPECT_EQ(bytes, encodePackage(samplePackage()));
  auto after = decodePackage(bytes, "p.cwx");
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(encodePackage(*after), bytes);
  EXPECT_EQ(after->chip, "mtia-2i");
  EXPECT_EQ(after->architecturalFingerprint, before.architecturalFingerprint);
  EXPECT_EQ(after->modelHash, before.modelHash);
  EXPECT_EQ(after->productType, DType::F16);
  EXPECT_EQ(after->bounds, before.bounds);
  ASSERT_EQ(after->buffers.size(), before.buffers.size());
  EXPECT_EQ(after->buffers[0].parameter, "layers.0.w");
  EXPECT_TRUE(after->buffers[1].isControl);
  EXPECT_EQ(after->buffers[2].block, 16);
  EXPECT_EQ(after->buffers[2].shape[0], (PackageSize{1, "entries.0"}));
  EXPECT_EQ(after->programs[0].elf, before.programs[0].elf);
  EXPECT_EQ(after->launches[0].arguments[1].size.symbol, "tokens");
  EXPECT_EQ(after->launches[1].results[0].name, "logits");
}

TEST(PackageFile, Files) {
  std::string path =
      testing::TempDir() + "package-" + std::to_string(getpid()) + ".cwx";
  ASSERT_TRUE(writePackage(samplePackage(), path));
  auto read = readPackage(path);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(encodePackage(*read), encodePackage(samplePackage()));
  std::filesystem::remove(path);
  EXPECT_THAT(readPackage(path).error().message,
              HasSubstr("No such file or directory"));
  EXPECT_THAT(readPackage(testing::TempDir()).error().message,
              HasSubstr("is a folder"));
  EXPECT_FALSE(writePackage(samplePackage(), "/nonexistent/p.cwx"));
}

TEST(PackageFile, DamagedHeadersAreRefused) {
  const std::vector<uint8_t> good = encodePackage(samplePackage());
  EXPECT_THAT(refusalOf({}), HasSubstr("found 0 bytes"));
  for (size_t size : {size_t(7), size_t(31)}) {
    EXPECT_THAT(refusalOf({good.begin(), good.begin() + long(size)}),
                HasSubstr("do not begin as one"));
  }
  auto with = [&](size_t place) {
    std::vector<uint8_t> bytes = good;
    bytes[place] ^= 0x10;
    return refusalOf(bytes);
  };
  EXPECT_THAT(with(0), HasSubstr("do not begin as one"));
  EXPECT_THAT(with(9), HasSubstr("schema"));
  EXPECT_THAT(with(17), HasSubstr("bytes behind the header"));
  EXPECT_THAT(with(30), HasSubstr("damaged"));
  EXPECT_THAT(with(good.size() / 2), HasSubstr("damaged"));
  std::vector<uint8_t> shorter(good.begin(), good.end() - 1);
  EXPECT_THAT(refusalOf(shorter), HasSubstr("bytes behind the header"));
  std::vector<uint8_t> longer = good;
  longer.push_back(0);
  EXPECT_THAT(refusalOf(longer), HasSubstr("bytes behind the header"));
  std::vector<uint8_t> empty(good.begin(), good.begin() + packageHeaderBytes);
  seal(empty);
  EXPECT_THAT(refusalOf(empty), HasSubstr("offsets"));
}

/// A file that names two bounds alike, with a terminal's control characters
/// in the name: the message shows it without them.
TEST(PackageFile, NamesInMessagesAreShownPrintable) {
  std::vector<uint8_t> bytes = encodePackage(samplePackage());
  const std::string hostile = "\x1b]0;ab\n";
  unsigned renamed = 0;
  for (std::string_view name : {"context", "outputs"}) {
    for (auto at = bytes.begin();; ++renamed) {
      at = std::search(at, bytes.end(), name.begin(), name.end());
      if (at == bytes.end()) {
        break;
      }
      std::copy(hostile.begin(), hostile.end(), at);
    }
  }
  ASSERT_GE(renamed, 2u);
  seal(bytes);
  EXPECT_THAT(refusalOf(bytes), HasSubstr("found '?]0;ab?' twice"));
}

/// Every byte of the payload changed in turn, behind a header that is right:
/// the reader must not crash, and what it accepts must pass the check.
TEST(PackageFile, DamagedPayloads) {
  const std::vector<uint8_t> good = encodePackage(samplePackage());
  unsigned seed = std::random_device()();
  printf("seed %u\n", seed);
  std::mt19937 engine(seed);
  size_t refused = 0, tried = 0;
  for (size_t place = packageHeaderBytes; place < good.size(); ++place) {
    for (int i = 0; i < 4; ++i) {
      std::vector<uint8_t> bytes = good;
      bytes[place] = i == 0   ? 0xff
                     : i == 1 ? uint8_t(bytes[place] + 1)
                              : uint8_t(engine());
      seal(bytes);
      auto read = decodePackage(bytes, "p.cwx");
      ++tried;
      refused += !read;
      if (read) {
        EXPECT_TRUE(checkPackage(*read, "p.cwx"));
      }
    }
  }
  EXPECT_GT(refused * 4, tried) << refused << " of " << tried;
  for (size_t size = packageHeaderBytes; size < good.size(); size += 3) {
    std::vector<uint8_t> bytes(good.begin(), good.begin() + long(size));
    seal(bytes);
    // Nothing but padding may be missing.
    auto read = decodePackage(bytes, "p.cwx");
    EXPECT_TRUE(!read || encodePackage(*read) == good) << size;
  }
}

/// The sample's weight in int4, with scales of its blocks.
static void addScales(Package &package, DType type,
                      std::vector<PackageSize> shape) {
  package.buffers[0].dtype = DType::I4;
  PackageBuffer scales = package.buffers[0];
  scales.name = "weight.scales";
  scales.dtype = type;
  scales.shape = std::move(shape);
  scales.content = BufferContent::BlockScales;
  package.buffers.push_back(scales);
}

TEST(PackageFile, WeightsOfFourBits) {
  Package package = samplePackage();
  EXPECT_EQ(weightTypeOf(package), std::nullopt);
  addScales(package, DType::BF16, {{64, ""}, {1, ""}});
  auto read = decodePackage(encodePackage(package), "p.cwx");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(weightTypeOf(*read), DType::I4);
  EXPECT_EQ(linearTypeOf(*read), std::nullopt);
  EXPECT_EQ(largestBytes(*read, read->buffers[0]), 64u * 32 / 2);
  EXPECT_EQ(largestBytes(*read, read->buffers.back()), 64u * 2);
}

TEST(PackageFile, LyingPackagesAreRefused) {
  using Change = std::function<void(Package &)>;
  const std::pair<const char *, Change> cases[] = {
      {"names of chip", [](Package &p) { p.chip = "a\nb"; }},
      {"names of chip", [](Package &p) { p.modelType = ""; }},
      {"names of chip",
       [](Package &p) { p.toolVersion = std::string(5000, 'x'); }},
      {"bf16 or fp16", [](Package &p) { p.productType = DType::F32; }},
      {"bf16 or fp16", [](Package &p) { p.productType = DType(200); }},
      {"a launch or more", [](Package &p) { p.launches.clear(); }},
      {"found one of 'time'", [](Package &p) { p.bounds["time"] = 1; }},
      {"found one of 'entries.01'",
       [](Package &p) { p.bounds["entries.01"] = 1; }},
      {"bound of tokens", [](Package &p) { p.bounds["tokens"] = 0; }},
      {"bound of slots",
       [](Package &p) { p.bounds["slots"] = int64_t(1) << 50; }},
      {"symbol that has a bound", [](Package &p) { p.bounds.erase("slots"); }},
      {"symbol that has a bound",
       [](Package &p) { p.buffers[4].shape[0].symbol = "batch"; }},
      {"'ids' a second time", [](Package &p) { p.buffers[0].name = "ids"; }},
      {"buffer 2: expected a printable name",
       [](Package &p) { p.buffers[2].name = "\x7f"; }},
      {"type, role and content",
       [](Package &p) { p.buffers[0].dtype = DType(11); }},
      {"expected 4-bit codes",
       [](Package &p) { p.buffers[0].dtype = DType::I4; }},
      {"expected 4-bit codes",
       [](Package &p) {
         p.buffers[0].dtype = DType::BF16;
         p.buffers[0].content = BufferContent::BlockScales;
       }},
      {"expected 4-bit codes",
       [](Package &p) { addScales(p, DType::BF16, {{64, ""}, {2, ""}}); }},
      {"expected 4-bit codes",
       [](Package &p) { addScales(p, DType::F8E8M0, {{64, ""}, {1, ""}}); }},
      {"expected fp8_e8m0 in stored weights only",
       [](Package &p) { p.buffers[4].dtype = DType::F8E8M0; }},
      {"expected int4 in stored weights only",
       [](Package &p) { p.buffers[5].dtype = DType::I4; }},
      {"type, role and content",
       [](Package &p) { p.buffers[0].role = BufferRole(17); }},
      {"type, role and content",
       [](Package &p) { p.buffers[1].content = BufferContent(30); }},
      {"shape of 1 to 4", [](Package &p) { p.buffers[0].shape.clear(); }},
      {"shape of 1 to 4",
       [](Package &p) { p.buffers[0].shape.resize(5, {1, ""}); }},
      {"expected a size of 0",
       [](Package &p) { p.buffers[0].shape[0].constant = -1; }},
      {"at least 1", [](Package &p) { p.buffers[0].shape[0].constant = 0; }},
      {"at most 17592186044416 bytes",
       [](Package &p) {
         p.buffers[0].shape[0].constant = int64_t(1) << 40;
         p.buffers[0].shape[1].constant = int64_t(1) << 40;
       }},
      {"name of its parameter, found none",
       [](Package &p) { p.buffers[0].parameter = ""; }},
      {"expected no parameter",
       [](Package &p) { p.buffers[5].parameter = "w"; }},
      {"go with the role input",
       [](Package &p) { p.buffers[1].content = BufferContent::RopeTable; }},
      {"go with the role input",
       [](Package &p) { p.buffers[1].content = BufferContent::None; }},
      {"go with the role output",
       [](Package &p) { p.buffers[5].content = BufferContent::Slots; }},
      {"type and shape of token_ids",
       [](Package &p) { p.buffers[1].dtype = DType::F32; }},
      {"type and shape of token_ids",
       [](Package &p) { p.buffers[1].shape[1].constant = 2; }},
      {"type and shape of attention_work",
       [](Package &p) { p.buffers[2].shape[0] = {1, "tokens"}; }},
      {"entries of a token or more",
       [](Package &p) { p.buffers[2].block = 0; }},
      {"index and block", [](Package &p) { p.buffers[2].index = -1; }},
      {"type and shape of rope_table",
       [](Package &p) { p.buffers[3].shape[1].constant = 31; }},
      {"programs with a name", [](Package &p) { p.programs[1].name = "a"; }},
      {"programs with a name", [](Package &p) { p.programs[1].elf.clear(); }},
      {"launch 0 (embed), program: expected 0 to 1, found 2",
       [](Package &p) { p.launches[0].program = 2; }},
      {"launch 0: expected the printable name",
       [](Package &p) { p.launches[0].op = ""; }},
      {"argument: expected 0 to 5, found 6",
       [](Package &p) { p.launches[0].arguments[0].buffer = 6; }},
      {"argument: expected a symbol",
       [](Package &p) {
         p.launches[0].arguments[1].size.symbol = "entries.1";
       }},
      {"addresses or sizes",
       [](Package &p) {
         p.launches[0].arguments[0].kind = PackageArgument::Kind(7);
       }},
      {"at most 4096 arguments",
       [](Package &p) {
         p.launches[0].arguments.resize(5000,
                                        {PackageArgument::Address, 0, {}});
       }},
      {"value: expected 0 to 5, found -1",
       [](Package &p) { p.launches[1].results[0].buffer = -1; }},
      {"printable names of values",
       [](Package &p) { p.launches[1].results[0].name = "\t"; }},
  };
  for (const auto &[expected, change] : cases) {
    Package package = samplePackage();
    change(package);
    std::string said = refusalOf(encodePackage(package));
    EXPECT_THAT(said, HasSubstr(expected));
    EXPECT_THAT(said, HasSubstr("compile the model again"));
  }
}

// A number for each row of an 8-bit weight: [1, rows] of one matrix, [matrices,
// rows] of several.
TEST(PackageFile, ScalesHaveTheRowsOfTheirWeight) {
  using Shape = std::vector<PackageSize>;
  auto said = [](DType weight, Shape rows, DType type, Shape scales) {
    Package package = samplePackage();
    package.buffers[0].dtype = weight;
    package.buffers[0].shape = std::move(rows);
    PackageBuffer more = package.buffers[0];
    more.name = "weight.scales";
    more.dtype = type;
    more.shape = std::move(scales);
    more.content = BufferContent::RowScales;
    package.buffers.push_back(more);
    auto read = decodePackage(encodePackage(package), "p.cwx");
    return read ? std::string() : read.error().message;
  };
  const Shape one = {{64, ""}, {32, ""}}, three = {{3, ""}, {64, ""}, {32, ""}};
  const DType i8 = DType::I8, f32 = DType::F32;
  EXPECT_EQ(said(i8, one, f32, {{1, ""}, {64, ""}}), "");
  EXPECT_EQ(said(DType::F8E5M2, three, f32, {{3, ""}, {64, ""}}), "");
  const std::string wrong = "expected f32 numbers, one for each row";
  EXPECT_THAT(said(i8, one, f32, {{64, ""}, {1, ""}}), HasSubstr(wrong));
  EXPECT_THAT(said(i8, three, f32, {{1, ""}, {64, ""}}), HasSubstr(wrong));
  EXPECT_THAT(said(i8, three, f32, {{3, ""}, {32, ""}}), HasSubstr(wrong));
  EXPECT_THAT(said(i8, three, f32, {{64, ""}}), HasSubstr(wrong));
  EXPECT_THAT(said(i8, three, DType::BF16, {{3, ""}, {64, ""}}),
              HasSubstr(wrong));
  EXPECT_THAT(said(DType::BF16, three, f32, {{3, ""}, {64, ""}}),
              HasSubstr(wrong));
}

TEST(PackageFile, ChipAndModelMustMatch) {
  auto chip = loadChip("mtia-2i");
  auto slower = loadChip("mtia-2i", {"noc.hop_cycles=9"});
  auto smaller = loadChip("mtia-2i", {"ls.bytes=196608"});
  ASSERT_TRUE(chip && slower && smaller);
  Package package = samplePackage();
  package.architecturalFingerprint = chip->architecturalFingerprint();
  EXPECT_TRUE(checkChip(package, *chip, "p.cwx"));
  EXPECT_TRUE(checkChip(package, *slower, "p.cwx"));
  auto refused = checkChip(package, *smaller, "p.cwx");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().exitStatus, ExitBadInput);
  EXPECT_THAT(refused.error().message,
              HasSubstr("compiled for mtia-2i with architectural"));
  EXPECT_THAT(refused.error().message, HasSubstr("compile the model again"));
  models::Graph graph;
  graph.modelType = "llama4";
  EXPECT_THAT(checkModel(package, graph, "p.cwx").error().message,
              HasSubstr("compile this model"));
  package.modelHash = modelHash(graph);
  EXPECT_TRUE(checkModel(package, graph, "p.cwx"));
}

TEST(PackageFile, LargestSizes) {
  Package package = samplePackage();
  EXPECT_EQ(largestValue(package, {7, ""}), 7);
  EXPECT_EQ(largestValue(package, {1, "slots"}), 512);
  EXPECT_EQ(largestValue(package, {1, "entries.3"}), 0);
  EXPECT_EQ(largestBytes(package, package.buffers[0]), 64u * 32 * 2);
  EXPECT_EQ(largestBytes(package, package.buffers[4]), 512u * 32 * 2);
}

} // namespace
