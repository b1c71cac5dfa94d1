//===- GgufReaderTest.cpp - Header, metadata, refusals ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/gguf/GgufFile.h"
#include "models/quantised/BlockFormat.h"
#include "tests/support/GgufWriter.h"
#include "tests/unit/models/ModelTestSupport.h"

#include <functional>
#include <random>

namespace chipwright::models {
namespace {

using chipwright::testing::GgufWriter;

Result<GgufContents> parse(const std::string &file) {
  return parseGguf(std::as_bytes(std::span(file)), "dir/model.gguf");
}

/// Every type of value and a few tensors.
GgufWriter everything() {
  GgufWriter writer;
  writer.text("general.architecture", "llama")
      .pair("t.u8", 0, "\xff")
      .pair("t.i8", 1, "\xff")
      .pair("t.u16", 2, std::string("\xfe\xff", 2))
      .pair("t.i16", 3, std::string("\xfe\xff", 2))
      .u32("t.u32", 4000000000u)
      .pair("t.i32", 5, GgufWriter::bytesOf(int32_t(-7)))
      .f32("t.f32", 1e-5f)
      .boolean("t.bool", true)
      .pair("t.u64", 10, GgufWriter::bytesOf(uint64_t(1) << 40))
      .pair("t.i64", 11, GgufWriter::bytesOf(-(int64_t(1) << 40)))
      .pair("t.f64", 12, GgufWriter::bytesOf(0.1))
      .pair("t.huge", 10, GgufWriter::bytesOf(~uint64_t(0)))
      .f32("t.nan", std::nanf(""))
      .texts("t.texts", {"a", "", std::string("\xff\0b", 3)})
      .numbers<int32_t>("t.ints", 5, {1, -2, 3})
      .numbers<float>("t.floats", 6, {0.5f, 0.1f})
      .numbers<uint8_t>("t.none", 0, {})
      .tensor("vector", {3}, 0, std::string(12, '\0'))
      .tensor("blocks", {2, 3, 64}, 8, std::string(12 * 34, '\1'))
      .tensor("half", {2, 2}, 1, std::string("\0\x3c\0\x40\0\0\0\xbc", 8));
  return writer;
}

TEST(GgufReaderTest, ReadsEveryTypeOfValue) {
  std::string file = everything().contents();
  auto parsed = parse(file);
  ASSERT_TRUE(parsed) << parsed.error().message;
  const GgufMetadata &keys = parsed->metadata;
  EXPECT_EQ(*keys.text("general.architecture"), "llama");
  EXPECT_EQ(*keys.integer("t.u8", 0, 255), 255);
  EXPECT_EQ(*keys.integer("t.i8", -128, 127), -1);
  EXPECT_EQ(*keys.integer("t.u16", 0, 65535), 65534);
  EXPECT_EQ(*keys.integer("t.i16", -10, 10), -2);
  EXPECT_EQ(*keys.integer("t.u32", 0, INT64_MAX), 4000000000);
  EXPECT_EQ(*keys.integer("t.i32", -7, -7), -7);
  EXPECT_EQ(*keys.integer("t.u64", 0, INT64_MAX), int64_t(1) << 40);
  EXPECT_EQ(*keys.integer("t.i64", INT64_MIN, 0), -(int64_t(1) << 40));
  EXPECT_EQ(*keys.real("t.f32"), 1e-5); // not the f32 nearest to it
  EXPECT_EQ(*keys.real("t.f64"), 0.1);
  EXPECT_TRUE(*keys.boolean("t.bool"));
  EXPECT_EQ(*keys.texts("t.texts"),
            (std::vector<std::string>{"a", "", std::string("\xff\0b", 3)}));
  EXPECT_EQ(*keys.integers("t.ints"), (std::vector<int64_t>{1, -2, 3}));
  EXPECT_EQ(*keys.reals("t.floats"),
            (std::vector<double>{0.5, static_cast<double>(0.1f)}));
  EXPECT_TRUE(keys.integers("t.none")->empty());
  EXPECT_EQ(*keys.integer("t.missing", 0, 1, 1), 1);
  EXPECT_EQ(*keys.text("t.missing", "x"), "x");
  EXPECT_FALSE(*keys.boolean("t.missing", false));
  EXPECT_EQ(*keys.real("t.missing", 2.0), 2.0);
}

TEST(GgufReaderTest, ReadsTensors) {
  std::string file = everything().contents();
  auto parsed = parse(file);
  ASSERT_TRUE(parsed) << parsed.error().message;
  ASSERT_EQ(parsed->tensors.size(), 3u);
  EXPECT_EQ(parsed->alignment, 32u);
  EXPECT_EQ(parsed->dataStart % 32, 0u);
  const StoredTensor &blocks = parsed->tensors[1];
  EXPECT_EQ(blocks.shape, (std::vector<int64_t>{2, 3, 64}));
  EXPECT_EQ(blocks.bytes, 12u * 34);
  EXPECT_EQ(describeTensor(blocks), "Q8_0 [2, 3, 64]");
  EXPECT_TRUE(blocks.isReadable());
  float value = 0;
  readElements(blocks, 383, 1, 1, &value, 1);
  EXPECT_EQ(value, floatOfHalf(0x0101));
  const StoredTensor &half = parsed->tensors[2];
  EXPECT_EQ(describeTensor(half), "F16 [2, 2]");
  std::vector<float> values(4);
  readElements(half, 0, 1, 4, values.data(), 1);
  EXPECT_EQ(values, (std::vector<float>{1, 2, 0, -1}));
}

TEST(GgufReaderTest, GettersRefuseOtherTypes) {
  std::string file = everything().contents();
  auto parsed = parse(file);
  ASSERT_TRUE(parsed);
  const GgufMetadata &keys = parsed->metadata;
  EXPECT_EQ(keys.integer("t.f32", 0, 9).error().message,
            "dir/model.gguf: 't.f32': expected an integer from 0 to 9, found "
            "the f32 1e-05; convert the model with a current converter");
  EXPECT_FALSE(keys.integer("t.u8", 0, 254));
  EXPECT_FALSE(keys.integer("t.huge", 0, INT64_MAX));
  EXPECT_FALSE(keys.integer("t.ints", 0, 9));
  EXPECT_FALSE(keys.integer("t.missing", 0, 9));
  EXPECT_FALSE(keys.integer("t.bool", 0, 9));
  EXPECT_FALSE(keys.real("t.u32"));
  EXPECT_FALSE(keys.real("t.nan"));
  EXPECT_FALSE(keys.real("t.floats"));
  EXPECT_FALSE(keys.boolean("t.u8"));
  EXPECT_FALSE(keys.text("t.texts"));
  EXPECT_FALSE(keys.text("t.u8"));
  EXPECT_FALSE(keys.texts("t.ints"));
  EXPECT_FALSE(keys.texts("general.architecture"));
  EXPECT_FALSE(keys.integers("t.floats"));
  EXPECT_FALSE(keys.integers("t.u32"));
  EXPECT_FALSE(keys.reals("t.ints"));
  EXPECT_NE(keys.text("t.missing").error().message.find("no such key"),
            std::string::npos);
}

struct Refusal {
  const char *name;
  std::function<std::string()> file;
  const char *words; // of the message
};

std::string withTensor(std::vector<uint64_t> shape, uint32_t type,
                       uint64_t offset = 0, size_t bytes = 64) {
  GgufWriter writer;
  writer.tensor("first", {1}, 0, std::string(bytes, '\0'));
  writer.description("second", shape, type, offset);
  return writer.contents();
}

/// A file of one pair whose body is \p body.
std::string withPair(uint32_t kind, const std::string &body) {
  return GgufWriter().pair("key", kind, body).contents();
}

const Refusal refusals[] = {
    {"empty", [] { return std::string(); }, "24 bytes or more, found 0"},
    {"short", [] { return std::string("GGUF\3\0\0\0", 8); }, "found 8"},
    {"magic", [] { return std::string(64, 'x'); }, "'xxxx'"},
    {"version",
     [] {
       GgufWriter writer;
       writer.version = 2;
       return writer.contents();
     },
     "expected GGUF version 3, found version 2"},
    {"bigEndian",
     [] {
       GgufWriter writer;
       writer.version = 3u << 24;
       return writer.contents();
     },
     "version 3 in big-endian byte order; take the little-endian file"},
    {"tensorCount",
     [] {
       GgufWriter writer;
       writer.tensorCount = uint64_t(1) << 60;
       return writer.contents();
     },
     "tensor count: expected a count that fits 8 bytes, found 11529215046"},
    {"pairCount",
     [] {
       GgufWriter writer;
       writer.pairCount = 1000;
       return writer.contents();
     },
     "metadata count: expected a count that fits 8 bytes, found 1000"},
    {"pairMissing",
     [] {
       GgufWriter writer = everything();
       writer.pairCount = 19;
       return writer.contents();
     },
     "the file is damaged"},
    {"keyLength",
     [] {
       GgufWriter writer;
       writer.pairCount = 1;
       return writer.contents().substr(0, 24) +
              GgufWriter::bytesOf(~uint64_t(0)) + std::string(32, 'k');
     },
     "key of metadata 0: expected a string within the 32 bytes"},
    {"keyTooLong",
     [] { return GgufWriter().u32(std::string(70000, 'k'), 1).contents(); },
     "a string of at most 65535 bytes"},
    {"kind", [] { return withPair(13, std::string(64, '\0')); },
     "metadata 'key': expected a type of value from 0 to 12, found 13"},
    {"nested",
     [] {
       return withPair(9, GgufWriter::arrayStart(9, 1) + std::string(64, '\0'));
     },
     "an array of arrays"},
    {"elementKind",
     [] {
       return withPair(9,
                       GgufWriter::arrayStart(77, 1) + std::string(64, '\0'));
     },
     "found 77"},
    {"arrayCount",
     [] { return withPair(9, GgufWriter::arrayStart(4, uint64_t(1) << 62)); },
     "found 4611686018427387904 of type u32"},
    {"textCount",
     [] { return withPair(9, GgufWriter::arrayStart(8, uint64_t(1) << 61)); },
     "of type string"},
    {"textLength",
     [] { return withPair(8, GgufWriter::bytesOf(uint64_t(1) << 50)); },
     "found the length 1125899906842624"},
    {"boolValue", [] { return withPair(7, std::string(32, '\2')); },
     "a bool of 0 or 1, found 2"},
    {"equalKeys",
     [] { return GgufWriter().u32("same", 1).f32("same", 2).contents(); },
     "metadata 'same': expected each key once"},
    {"alignmentKind",
     [] { return GgufWriter().f32("general.alignment", 32).contents(); },
     "'general.alignment': expected a u32, found f32"},
    {"alignmentZero",
     [] { return GgufWriter().u32("general.alignment", 0).contents(); },
     "a power of two from 8 on, found 0"},
    {"alignmentOdd",
     [] { return GgufWriter().u32("general.alignment", 48).contents(); },
     "a power of two from 8 on, found 48"},
    {"tensorName",
     [] {
       return GgufWriter()
           .tensor(std::string(65, 'n'), {1}, 0, "abcd")
           .contents();
     },
     "a string of at most 64 bytes, found the length 65"},
    {"equalNames",
     [] {
       return GgufWriter()
           .tensor("same", {1}, 0, "abcd")
           .tensor("same", {1}, 0, "abcd")
           .contents();
     },
     "tensor 'same': expected each name once"},
    {"sizes", [] { return withTensor({1, 1, 1, 1, 1}, 0, 32); },
     "at most 4 sizes, found 5"},
    {"sizeZero", [] { return withTensor({2, 0}, 0, 32); },
     "sizes from 1 to 2^63 - 1, found 0"},
    {"sizeNegative", [] { return withTensor({~uint64_t(0)}, 0, 32); },
     "found 18446744073709551615"},
    {"product",
     [] { return withTensor({uint64_t(1) << 32, uint64_t(1) << 33}, 0, 32); },
     "a size that fits 64 bits"},
    {"productBytes", [] { return withTensor({uint64_t(1) << 62}, 0, 32); },
     "a size that fits 64 bits"},
    {"type", [] { return withTensor({32}, 5, 32); },
     "found the unknown number 5"},
    {"typeKnown", [] { return withTensor({256}, 10, 32); },
     "found Q2_K (number 10); take the model in one of these"},
    {"rowBlocks", [] { return withTensor({32, 48}, 2, 32); },
     "a multiple of 32 elements for Q4_0, found 48"},
    {"rowSuperBlocks", [] { return withTensor({256, 32}, 12, 32); },
     "a multiple of 256 elements for Q4_K, found 32"},
    {"offset", [] { return withTensor({1}, 0, 8); },
     "an offset that is a multiple of 32, found 8"},
    {"offsetOutside", [] { return withTensor({1}, 0, 96); },
     "its 4 bytes within the 64 bytes of data, found the offset 96"},
    {"offsetHuge", [] { return withTensor({1}, 0, ~uint64_t(31)); },
     "found the offset 18446744073709551584"},
    {"endOutside", [] { return withTensor({9}, 0, 32); },
     "its 36 bytes within the 64 bytes"},
    {"overlap", [] { return withTensor({1}, 0, 0); },
     "expected data of its own, found an overlap with tensor"},
};

TEST(GgufReaderTest, RefusesWithAReason) {
  for (const Refusal &refusal : refusals) {
    SCOPED_TRACE(refusal.name);
    std::string file = refusal.file();
    auto parsed = parse(file);
    ASSERT_FALSE(parsed);
    const std::string &message = parsed.error().message;
    EXPECT_EQ(message.find("dir/model.gguf: "), 0u) << message;
    EXPECT_NE(message.find(refusal.words), std::string::npos) << message;
    EXPECT_NE(message.find("; "), std::string::npos) << message;
  }
}

TEST(GgufReaderTest, EveryCutIsRefusedOrCompletes) {
  std::string file = everything().contents();
  auto whole = parse(file);
  ASSERT_TRUE(whole);
  size_t end = whole->dataStart + 512 + 8; // of the last tensor
  for (size_t size = 0; size < file.size(); ++size) {
    std::string cut = file.substr(0, size);
    auto parsed = parse(cut);
    EXPECT_EQ(static_cast<bool>(parsed), size >= end) << size;
  }
}

TEST(GgufReaderTest, FlippedBitsNeverLeadOutOfTheFile) {
  std::string file = everything().contents();
  uint32_t seed = 7711;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 4000; ++round) {
    std::string damaged = file;
    for (int i = 0; i < 3; ++i) {
      damaged[random() % damaged.size()] ^=
          static_cast<char>(1u << random() % 8);
    }
    auto parsed = parse(damaged);
    if (!parsed) {
      continue;
    }
    for (const StoredTensor &tensor : parsed->tensors) {
      int64_t count = 1;
      for (int64_t size : tensor.shape) {
        count *= size;
      }
      if (!tensor.isReadable()) {
        continue;
      }
      std::vector<float> values(static_cast<size_t>(count));
      readElements(tensor, 0, 1, count, values.data(), 1);
    }
  }
}

TEST(GgufReaderTest, AlignmentIsTheFilesOwn) {
  GgufWriter writer;
  writer.alignment = 128;
  writer.u32("general.alignment", 128)
      .tensor("a", {1}, 0, "abcd")
      .tensor("b", {1}, 24, "x");
  std::string file = writer.contents();
  auto parsed = parse(file);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->dataStart % 128, 0u);
  EXPECT_EQ(parsed->tensors[1].data - parsed->tensors[0].data, 128);
  EXPECT_FALSE(parsed->tensors[1].isReadable()); // I8
}

TEST(GgufReaderTest, OpensFiles) {
  ScratchDirectory scratch;
  std::string path = scratch / "a.gguf";
  writeAll(path, everything().contents());
  auto file = GgufFile::open(path);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ((*file)->tensors().size(), 3u);
  EXPECT_EQ((*file)->find("half")->file, path);
  EXPECT_TRUE(looksLikeGguf(path));
  writeAll(scratch / "text", "GGU");
  EXPECT_FALSE(looksLikeGguf(scratch / "text"));
  EXPECT_FALSE(GgufFile::open(scratch / "text"));
  EXPECT_FALSE(looksLikeGguf(scratch.string()));
  EXPECT_FALSE(GgufFile::open(scratch / "missing"));
}

/// One part of a split model with the tensor \p name.
std::string splitPart(uint16_t part, uint16_t count, const std::string &name,
                      uint32_t total) {
  GgufWriter writer;
  writer.pair("split.no", 2, GgufWriter::bytesOf(part))
      .pair("split.count", 2, GgufWriter::bytesOf(count))
      .pair("split.tensors.count", 5, GgufWriter::bytesOf(total));
  if (part == 0) {
    writer.text("general.architecture", "llama");
  }
  return writer
      .tensor(name, {1}, 0, GgufWriter::bytesOf(static_cast<float>(part)))
      .contents();
}

TEST(GgufReaderTest, OpensModelsInParts) {
  ScratchDirectory scratch;
  std::string first = scratch / "m-00001-of-00003.gguf";
  std::string second = scratch / "m-00002-of-00003.gguf";
  std::string third = scratch / "m-00003-of-00003.gguf";
  writeAll(first, splitPart(0, 3, "a", 3));
  writeAll(second, splitPart(1, 3, "b", 3));
  writeAll(third, splitPart(2, 3, "c", 3));
  {
    auto file = GgufFile::open(first);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ((*file)->tensors().size(), 3u);
    EXPECT_EQ((*file)->find("c")->file, third);
    float value = 0;
    readElements(*(*file)->find("c"), 0, 1, 1, &value, 1);
    EXPECT_EQ(value, 2);
    EXPECT_TRUE((*file)->metadata().has("general.architecture"));
  }
  auto expectFault = [&](const std::string &path, const std::string &words) {
    auto file = GgufFile::open(path);
    ASSERT_FALSE(file) << words;
    EXPECT_NE(file.error().message.find(words), std::string::npos)
        << file.error().message;
  };
  expectFault(second, "expected part 0 in a file '...-00001-of-00003.gguf', "
                      "found part 1; name the first part");
  writeAll(scratch / "other.gguf", splitPart(0, 3, "a", 3));
  expectFault(scratch / "other.gguf", "'split.no': expected part 0 in a file");
  writeAll(third, splitPart(2, 3, "b", 3));
  expectFault(first, "tensor 'b': expected in one part, found in " + second);
  writeAll(third, splitPart(2, 4, "c", 3));
  expectFault(first,
              third + ": 'split.count': expected an integer from 3 to 3");
  writeAll(third, splitPart(1, 3, "c", 3));
  expectFault(first, third + ": 'split.no': expected an integer from 2 to 2");
  std::filesystem::remove(third);
  expectFault(first, third + ": expected part 2 of a GGUF file");
  writeAll(third, splitPart(2, 3, "c", 3));
  writeAll(first, splitPart(0, 3, "a", 4));
  expectFault(first, "the 3 tensors of all parts, found 4");
  std::string contents = splitPart(0, 2, "a", 2);
  EXPECT_FALSE(GgufFile::parse(std::as_bytes(std::span(contents)), "p"));
}

} // namespace
} // namespace chipwright::models
