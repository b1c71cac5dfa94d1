//===- SafetensorsTest.cpp - Reading and writing safetensors ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/Safetensors.h"
#include "ModelTestSupport.h"

#include <bit>
#include <cstring>

#include <sys/stat.h>

namespace chipwright::models {
namespace {

/// A file with the header \p header and \p bytes bytes of data.
std::string file(const std::string &header, size_t bytes) {
  std::string contents;
  for (size_t i = 0; i < 8; ++i) {
    contents += static_cast<char>(header.size() >> 8 * i);
  }
  contents += header;
  for (size_t i = 0; i < bytes; ++i) {
    contents += static_cast<char>(i);
  }
  return contents;
}

Result<std::vector<StoredTensor>> parse(const std::string &contents) {
  return parseSafetensors(std::as_bytes(std::span(contents)),
                          "dir/model.safetensors");
}

TEST(SafetensorsTest, SmallestExampleOfTheFormat) {
  std::string header =
      R"({"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}})";
  header.resize(0x3c, ' ');
  std::string contents = file(header, 16);
  auto tensors = parse(contents);
  ASSERT_TRUE(tensors) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 1u);
  const StoredTensor &tensor = tensors->front();
  EXPECT_EQ(tensor.name, "test");
  EXPECT_EQ(tensor.type, StoredType::I32);
  EXPECT_EQ(tensor.shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(tensor.bytes, 16u);
  EXPECT_EQ(tensor.data[5], std::byte(5));
}

TEST(SafetensorsTest, WhatIsLegal) {
  const std::pair<const char *, size_t> cases[] = {
      {"{}", 0},
      {R"({"__metadata__":{"format":"pt"}})", 0},
      // A scalar, and one of every size of element.
      {R"({"a":{"dtype":"F64","shape":[],"data_offsets":[0,8]}})", 8},
      {R"({"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}})", 1},
      {R"({"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}})", 3},
      // Empty tensors take no room, wherever they stand.
      {R"({"a":{"dtype":"F32","shape":[0,9],"data_offsets":[0,0]}})", 0},
      {R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},
           "a":{"dtype":"F32","shape":[0],"data_offsets":[2,2]},
           "c":{"dtype":"BF16","shape":[1],"data_offsets":[2,4]}})",
       4},
      // Any order in the header; no alignment.
      {R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},
           "a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})",
       5},
      // Keys that a later version may add.
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}})", 1},
  };
  for (auto [header, bytes] : cases) {
    auto tensors = parse(file(header, bytes));
    EXPECT_TRUE(tensors) << header << ": " << tensors.error().message;
  }
}

struct Lie {
  const char *name;
  std::string contents;
  std::vector<std::string> parts;
};

void PrintTo(const Lie &lie, std::ostream *out) { *out << lie.name; }

/// One tensor "a" with these keys, and \p bytes of data.
std::string tensor(const char *dtype, const char *shape, const char *offsets,
                   size_t bytes) {
  return file(std::string(R"({"a":{"dtype":)") + dtype + R"(,"shape":)" +
                  shape + R"(,"data_offsets":)" + offsets + "}}",
              bytes);
}

const Lie lies[] = {
    {"Empty", "", {"8 bytes or more", "found 0"}},
    {"SevenBytes", "1234567", {"8 bytes or more", "found 7"}},
    {"HeaderTooLong",
     std::string("\x01\xe1\xf5\x05\0\0\0\0", 8) + "{}",
     {"at most 100000000", "100000001"}},
    {"HeaderOfAllOnes", std::string(8, '\xff'), {"18446744073709551615"}},
    {"HeaderBeyondFile",
     file("{}", 0).substr(0, 9),
     {"expected 2 bytes of header", "found 1", "cut short"}},
    {"NoHeader", file("", 4), {"begins with '{'", "an empty one"}},
    {"HeaderIsList", file("[]", 0), {"begins with '{'", "'['"}},
    {"HeaderWithLeadingSpace", file(" {}", 0), {"begins with '{'"}},
    {"HeaderIsNoJson", file("{\"a\"", 0), {"header", "expected JSON"}},
    {"HeaderWithText", file("{} x", 0), {"header", "expected JSON"}},
    {"HeaderWithBadUtf8", file("{\"\xc0\xaf\":{}}", 0), {"expected JSON"}},
    {"HeaderNested",
     file("{\"a\":" + std::string(50000, '['), 0),
     {"levels of nesting"}},
    {"NameTwice",
     file(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
          R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
          2),
     {"'a' twice"}},
    {"KeyTwice",
     file(R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],)"
          R"("data_offsets":[0,1]}})",
          1),
     {"'dtype' twice"}},
    {"MetadataIsText",
     file(R"({"__metadata__":"pt"})", 0),
     {"__metadata__", "an object"}},
    {"MetadataOfNumbers",
     file(R"({"__metadata__":{"a":1}})", 0),
     {"__metadata__", "'a'", "a text", "found 1"}},
    {"EntryIsNumber", file(R"({"a":1})", 0), {"tensor 'a'", "an object"}},
    {"NoDtype",
     file(R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1),
     {"tensor 'a'", "the key dtype"}},
    {"NoShape",
     file(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1),
     {"tensor 'a'", "the key shape"}},
    {"NoOffsets",
     file(R"({"a":{"dtype":"U8","shape":[1]}})", 1),
     {"tensor 'a'", "the key data_offsets"}},
    {"UnknownDtype",
     tensor("\"BF17\"", "[1]", "[0,2]", 2),
     {"tensor 'a'", "dtype", "'BF17'"}},
    {"LowerCaseDtype", tensor("\"f32\"", "[1]", "[0,4]", 4), {"'f32'"}},
    {"DtypeIsNumber", tensor("5", "[1]", "[0,4]", 4), {"dtype", "found 5"}},
    {"ShapeIsNumber", tensor("\"U8\"", "1", "[0,1]", 1), {"shape", "found 1"}},
    {"NegativeShape",
     tensor("\"U8\"", "[-1]", "[0,1]", 1),
     {"shape of non-negative", "[-1]"}},
    {"RealShape", tensor("\"U8\"", "[1.0]", "[0,1]", 1), {"[1.0]"}},
    {"ShapeOverflows",
     tensor("\"F32\"", "[4294967296,4294967296]", "[0,0]", 0),
     {"fits 64 bits"}},
    {"ShapeOverflowsInBits",
     tensor("\"F32\"", "[576460752303423488]", "[0,0]", 0),
     {"fits 64 bits"}},
    {"ShapeBeyondSigned",
     tensor("\"U8\"", "[0,18446744073709551615]", "[0,0]", 0),
     {"fits 64 bits"}},
    {"HalfBytes",
     tensor("\"F4\"", "[3]", "[0,2]", 2),
     {"whole bytes", "12 bits"}},
    {"OneOffset", tensor("\"U8\"", "[1]", "[0]", 1), {"two", "[0]"}},
    {"ThreeOffsets", tensor("\"U8\"", "[1]", "[0,1,1]", 1), {"two"}},
    {"NegativeOffset", tensor("\"U8\"", "[1]", "[-1,0]", 1), {"[-1,0]"}},
    {"FallingOffsets",
     tensor("\"U8\"", "[1]", "[2,1]", 2),
     {"rising order", "[2, 1]"}},
    {"OffsetsTooNear",
     tensor("\"F32\"", "[2]", "[0,4]", 4),
     {"8 bytes for F32 [2]", "which hold 4"}},
    {"OffsetsTooFar",
     tensor("\"F32\"", "[2]", "[0,12]", 12),
     {"8 bytes for F32 [2]", "which hold 12"}},
    {"OffsetsBeyondFile",
     tensor("\"F32\"", "[2]", "[8,16]", 8),
     {"within the 8 bytes", "[8, 16]"}},
    {"HugeOffsets",
     tensor("\"U8\"", "[1]", "[18446744073709551614,18446744073709551615]", 1),
     {"within the 1 bytes"}},
    {"Truncated", tensor("\"F32\"", "[2]", "[0,8]", 7), {"within the 7 bytes"}},
    {"TrailingBytes",
     tensor("\"F32\"", "[2]", "[0,8]", 9),
     {"expected 8 bytes of data", "found 9"}},
    {"DataWithoutTensors", file("{}", 1), {"expected 0 bytes", "found 1"}},
    {"FirstNotAtZero",
     tensor("\"U8\"", "[1]", "[1,2]", 2),
     {"begin at 0", "found 1, a gap"}},
    {"Gap",
     file(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
          R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
          3),
     {"tensor 'b'", "begin at 1", "found 2, a gap"}},
    {"Overlap",
     file(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
          R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
          3),
     {"tensor 'b'", "begin at 2", "found 1, an overlap"}},
    {"SameData",
     file(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
          R"("b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
          2),
     {"an overlap"}},
};

class LyingFile : public testing::TestWithParam<Lie> {};

TEST_P(LyingFile, IsRefusedInOneSentence) {
  auto tensors = parse(GetParam().contents);
  ASSERT_FALSE(tensors) << "accepted";
  const std::string &message = tensors.error().message;
  EXPECT_TRUE(message.starts_with("dir/model.safetensors: ")) << message;
  for (const std::string &part : GetParam().parts) {
    EXPECT_NE(message.find(part), std::string::npos)
        << part << " in: " << message;
  }
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_LT(message.size(), 600u);
}

INSTANTIATE_TEST_SUITE_P(Table, LyingFile, testing::ValuesIn(lies),
                         [](const auto &param) { return param.param.name; });

TEST(SafetensorsTest, EveryPrefixOfAFileIsRefused) {
  std::string header =
      R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},)"
      R"("a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})";
  std::string whole = file(header, 5);
  ASSERT_TRUE(parse(whole));
  for (size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(parse(whole.substr(0, n))) << n;
  }
}

TEST(SafetensorsTest, FlippedBitsOfTheHeaderNeverLeaveTheFile) {
  std::string header =
      R"({"__metadata__":{"format":"pt"},)"
      R"("b":{"dtype":"F32","shape":[1,2],"data_offsets":[2,10]},)"
      R"("a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})";
  const std::string whole = file(header, 10);
  ASSERT_TRUE(parse(whole));
  size_t accepted = 0;
  for (size_t bit = 0; bit < 8 * (8 + header.size()); ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    auto tensors = parse(damaged);
    if (!tensors) {
      EXPECT_EQ(tensors.error().message.find('\n'), std::string::npos);
      continue;
    }
    ++accepted; // a letter of a name, or a type of the same size
    const auto *begin = reinterpret_cast<const std::byte *>(damaged.data());
    for (const StoredTensor &tensor : *tensors) {
      EXPECT_GE(tensor.data, begin + 8);
      EXPECT_LE(tensor.data + tensor.bytes, begin + damaged.size());
    }
  }
  EXPECT_LT(accepted, 8 * header.size() / 4);
}

TensorToWrite numbers(const std::string &name, StoredType type,
                      std::vector<int64_t> shape) {
  uint64_t bytes = storedTypeBits(type) / 8;
  for (int64_t n : shape) {
    bytes *= static_cast<uint64_t>(n);
  }
  return {{name, type, std::move(shape)}, [bytes](std::byte *data) {
            for (uint64_t i = 0; i < bytes; ++i) {
              data[i] = std::byte(i * 7 & 0xff);
            }
          }};
}

TEST(SafetensorsTest, WrittenFilesReadBack) {
  ScratchDirectory scratch;
  const std::string path = scratch / "m.safetensors";
  ASSERT_TRUE(
      writeSafetensorsFile(path, {numbers("x", StoredType::BF16, {3}),
                                  numbers("w", StoredType::F32, {2, 3}),
                                  numbers("empty", StoredType::F32, {0}),
                                  numbers("scalar", StoredType::F64, {})}));
  auto store = openSafetensorsFile(path);
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_EQ((*store)->tensors().size(), 4u);
  const StoredTensor *w = (*store)->find("w");
  ASSERT_TRUE(w);
  EXPECT_EQ(describeTensor(*w), "F32 [2, 3]");
  for (size_t i = 0; i < 24; ++i) {
    EXPECT_EQ(w->data[i], std::byte(i * 7 & 0xff));
  }
  // As the public writers: header of a multiple of 8 bytes, data by falling
  // element size.
  std::string contents = readAll(path);
  EXPECT_EQ(contents[0] % 8, 0);
  EXPECT_EQ((*store)->find("x")->data - (*store)->find("scalar")->data, 32);
  // Nothing else is left in the directory.
  size_t files = 0;
  for ([[maybe_unused]] const auto &entry :
       std::filesystem::directory_iterator(scratch.string())) {
    ++files;
  }
  EXPECT_EQ(files, 1u);
}

TEST(SafetensorsTest, ReleasedPagesAreReadAgain) {
  ScratchDirectory directory;
  const std::string path = directory / "model.safetensors";
  constexpr int64_t rows = 1000, columns = 1000; // pages enough
  auto fill = [](std::byte *data) {
    for (int64_t i = 0; i < rows * columns; ++i) {
      data[i] = static_cast<std::byte>(i * 7 >> 3);
    }
  };
  ASSERT_TRUE(writeSafetensorsFile(
      path, {{{"codes", StoredType::U8, {rows, columns}}, fill}}));
  auto store = openSafetensorsFile(path);
  ASSERT_TRUE(store) << store.error().message;
  const StoredTensor *tensor = (*store)->find("codes");
  ASSERT_TRUE(tensor);
  std::vector<std::byte> once(tensor->data, tensor->data + tensor->bytes);
  (*store)->release();
  (*store)->release();
  EXPECT_EQ(std::memcmp(once.data(), tensor->data, tensor->bytes), 0);
  EXPECT_EQ(once[8001], static_cast<std::byte>(8001 * 7 >> 3));
}

TEST(SafetensorsTest, FilesThatCannotBeWritten) {
  ScratchDirectory scratch;
  auto missing = writeSafetensorsFile(scratch / "no/such/m.safetensors", {});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("no/such/m.safetensors"),
            std::string::npos);
  auto full = writeTextFile("/dev/full", std::string(1 << 16, 'x'));
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().message.find("/dev/full"), std::string::npos);
  writeAll(scratch / "file", "");
  EXPECT_FALSE(writeSafetensorsDirectory(scratch / "file/dir", {}, 1));
}

class ShardedTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(writeSafetensorsDirectory(
        scratch.string(),
        {numbers("a", StoredType::F32, {4}), numbers("b", StoredType::F32, {4}),
         numbers("big", StoredType::U8, {100}),
         numbers("c", StoredType::U8, {4})},
        32));
    index = nlohmann::json::parse(readAll(scratch / indexName));
  }

  void expectRefused(const std::vector<std::string> &parts) {
    writeAll(scratch / indexName, index.dump());
    auto store = openSafetensorsDirectory(scratch.string());
    ASSERT_FALSE(store) << "accepted " << index;
    for (const std::string &part : parts) {
      EXPECT_NE(store.error().message.find(part), std::string::npos)
          << part << " in: " << store.error().message;
    }
    EXPECT_EQ(store.error().message.find('\n'), std::string::npos);
  }

  static constexpr const char *indexName = "model.safetensors.index.json";
  static constexpr const char *first = "model-00001-of-00003.safetensors";
  ScratchDirectory scratch;
  nlohmann::json index;
};

TEST_F(ShardedTest, ReadsBack) {
  auto store = openSafetensorsDirectory(scratch.string());
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ((*store)->tensors().size(), 4u);
  EXPECT_EQ(index["weight_map"]["b"], first);
  EXPECT_EQ(index["metadata"]["total_size"], 136);
  EXPECT_TRUE((*store)->find("big")->file.ends_with(
      "model-00002-of-00003.safetensors"));
}

TEST_F(ShardedTest, IndexNamesAMissingFile) {
  index["weight_map"]["a"] = "model-00009-of-00003.safetensors";
  expectRefused({"model-00009-of-00003.safetensors", "No such file"});
}

TEST_F(ShardedTest, IndexNamesAMissingTensor) {
  index["weight_map"]["d"] = first;
  expectRefused({indexName, "'d'", first, "found none"});
}

TEST_F(ShardedTest, IndexNamesTheWrongFile) {
  index["weight_map"]["a"] = "model-00002-of-00003.safetensors";
  expectRefused({"tensor", "expected under weight_map with this file"});
}

TEST_F(ShardedTest, IndexForgetsATensor) {
  index["weight_map"].erase("b");
  expectRefused({indexName, "'b'", "found no entry"});
}

TEST_F(ShardedTest, PathsThatLeadElsewhere) {
  for (const char *name : {"../model.safetensors", "/etc/passwd",
                           "sub/model.safetensors", "..", ".", "", "a\\b"}) {
    index["weight_map"]["a"] = name;
    expectRefused({indexName, "'a'", "a file beside the index"});
  }
  index["weight_map"]["a"] = std::string("model\0x", 7);
  expectRefused({"a file beside the index"});
  index["weight_map"]["a"] = 3;
  expectRefused({"a file beside the index", "found 3"});
}

TEST_F(ShardedTest, IndexWithoutAMap) {
  for (const auto &text : {"{}", "[]", R"({"weight_map":[]})",
                           R"({"weight_map":{}})", R"({"weight_map":null})"}) {
    index = nlohmann::json::parse(text);
    expectRefused({indexName, "weight_map", "an object"});
  }
}

TEST_F(ShardedTest, DamagedShard) {
  std::string contents = readAll(scratch / first);
  writeAll(scratch / first, contents.substr(0, contents.size() - 1));
  expectRefused({first, "data"});
}

TEST_F(ShardedTest, ATensorInTwoShards) {
  std::filesystem::copy_file(scratch / first, scratch / "z.safetensors");
  index["weight_map"]["zz"] = "z.safetensors";
  expectRefused({"z.safetensors", "in one file"});
}

TEST(SafetensorsTest, DirectoriesWithoutWeights) {
  ScratchDirectory scratch;
  auto none = openSafetensorsDirectory(scratch.string());
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("found neither"), std::string::npos);
  // A pipe must not hang, a directory not crash.
  ASSERT_EQ(mkfifo((scratch / "model.safetensors").c_str(), 0600), 0);
  auto pipe = openSafetensorsDirectory(scratch.string());
  ASSERT_FALSE(pipe);
  EXPECT_NE(pipe.error().message.find("no regular file"), std::string::npos);
  std::filesystem::create_directory(scratch / "model.safetensors.index.json");
  EXPECT_FALSE(openSafetensorsDirectory(scratch.string()));
}

TEST(StoredTypeTest, HalvesRoundTripAndRound) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    auto half = static_cast<uint16_t>(bits);
    float value = floatOfHalf(half);
    if (value == value) {
      EXPECT_EQ(halfOfFloat(value), half);
    } else {
      EXPECT_EQ(halfOfFloat(value) & 0x7c00, 0x7c00);
    }
    float wide = floatOfBfloat(half);
    if (wide == wide) {
      EXPECT_EQ(bfloatOfFloat(wide), half);
    }
  }
  EXPECT_EQ(halfOfFloat(65519), 0x7bff);
  EXPECT_EQ(halfOfFloat(65520), 0x7c00);
  EXPECT_EQ(halfOfFloat(0x1p-25f), 0); // a tie, to even
  EXPECT_EQ(halfOfFloat(0x1.8p-24f), 2);
  EXPECT_EQ(halfOfFloat(1 + 0x1p-11f), 0x3c00);
  EXPECT_EQ(halfOfFloat(1 + 0x1.8p-10f), 0x3c02);
  EXPECT_EQ(bfloatOfFloat(1 + 0x1p-8f), 0x3f80);
  EXPECT_EQ(bfloatOfFloat(1 + 0x1.8p-7f), 0x3f82);
  EXPECT_EQ(bfloatOfFloat(3.4e38f), 0x7f80);
}

TEST(StoredTypeTest, NamesAndSizes) {
  EXPECT_EQ(findStoredType("F8_E4M3"), StoredType::F8E4M3);
  EXPECT_EQ(findStoredType("F8_E4M3x"), std::nullopt);
  EXPECT_EQ(storedTypeName(StoredType::U64), "U64");
  EXPECT_EQ(storedTypeBits(StoredType::F6E3M2), 6u);
}

} // namespace
} // namespace chipwright::models
