//===- TraceFileTest.cpp --------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/trace/TraceFile.h"
#include "tests/unit/trace/TraceMachine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <thread>

using namespace chipwright;
using namespace chipwright::sim;
using testing::HasSubstr;

namespace {

std::string contents(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

size_t filesIn(const std::string &folder) {
  return static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator(folder),
                    std::filesystem::directory_iterator()));
}

TEST(TraceFileTest, AppearsWhenComplete) {
  TemporaryFolder folder;
  std::string path = folder.file("out.json");
  std::ofstream(path) << "old";
  {
    TraceFile file;
    ASSERT_TRUE(file.open(path));
    // More than one buffer.
    std::string block(100'000, 'x');
    for (unsigned i = 0; i < 10; ++i) {
      file.append(block);
    }
    EXPECT_EQ(contents(path), "old");
    EXPECT_EQ(file.size(), 1'000'000u);
    Result<void> done = file.commit();
    ASSERT_TRUE(done) << done.error().message;
  }
  EXPECT_EQ(contents(path), std::string(1'000'000, 'x'));
  EXPECT_EQ(filesIn(folder.path), 1u);
}

TEST(TraceFileTest, LeavesNothingBehind) {
  TemporaryFolder folder;
  {
    TraceFile file;
    ASSERT_TRUE(file.open(folder.file("out.json")));
    file.append("half");
  }
  EXPECT_EQ(filesIn(folder.path), 0u);
}

TEST(TraceFileTest, LinkStaysLink) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("real"));
  std::ofstream(folder.file("real/target")) << "old";
  std::filesystem::create_symlink("real/target", folder.file("link"));
  TraceFile file;
  ASSERT_TRUE(file.open(folder.file("link")));
  file.append("new");
  ASSERT_TRUE(file.commit());
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link")));
  EXPECT_EQ(contents(folder.file("real/target")), "new");
}

TEST(TraceFileTest, PipeIsWrittenDirectly) {
  TemporaryFolder folder;
  std::string path = folder.file("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { read = contents(path); });
  TraceFile file;
  ASSERT_TRUE(file.open(path));
  file.append("through");
  ASSERT_TRUE(file.commit());
  reader.join();
  EXPECT_EQ(read, "through");
  EXPECT_TRUE(std::filesystem::is_fifo(path));
}

TEST(TraceFileTest, SaysWhatFailed) {
  TemporaryFolder folder;
  TraceFile file;
  Result<void> opened = file.open(folder.file("no/such/folder.json"));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("no/such/folder.json"));
  EXPECT_THAT(opened.error().message, HasSubstr("No such file"));

  TraceFile onFolder;
  EXPECT_FALSE(onFolder.open(folder.path));

  TraceFile full;
  ASSERT_TRUE(full.open("/dev/full"));
  full.append("x");
  Result<void> committed = full.commit();
  ASSERT_FALSE(committed);
  EXPECT_THAT(committed.error().message, HasSubstr("No space left"));
}

} // namespace
