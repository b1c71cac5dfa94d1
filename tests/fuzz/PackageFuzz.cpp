//===- PackageFuzz.cpp - Compiled packages --------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "package/PackageFile.h"
#include "tests/fuzz/Fuzz.h"

#include <algorithm>
#include <cstdint>
#include <vector>

using namespace chipwright;

namespace {

void read(const std::vector<uint8_t> &bytes) {
  auto package = decodePackage(bytes, "f.cwx");
  if (!package) {
    fuzz::checkMessage(package.error().message, "f.cwx");
    return;
  }
  for (const PackageBuffer &buffer : package->buffers) {
    largestBytes(*package, buffer);
  }
  // What was accepted has one encoding.
  std::vector<uint8_t> again = encodePackage(*package);
  auto second = decodePackage(again, "again.cwx");
  fuzz::check(bool(second), "an encoded package can be read",
              second ? "" : second.error().message);
  fuzz::check(encodePackage(*second) == again, "an encoding is stable");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::vector<uint8_t> bytes(data, data + size);
  read(bytes);
  if (size < packageHeaderBytes) {
    return 0;
  }
  // The same payload under a header that fits it: behind the hash lies what
  // an attacker, or a faulty writer, controls.
  static const std::vector<uint8_t> header = [] {
    std::vector<uint8_t> empty = encodePackage(Package());
    empty.resize(16); // magic and schema
    return empty;
  }();
  std::copy(header.begin(), header.end(), bytes.begin());
  uint64_t payload = size - packageHeaderBytes;
  uint64_t hash = packageHash(std::span(bytes).subspan(packageHeaderBytes));
  for (unsigned i = 0; i < 8; ++i) {
    bytes[16 + i] = static_cast<uint8_t>(payload >> 8 * i);
    bytes[24 + i] = static_cast<uint8_t>(hash >> 8 * i);
  }
  read(bytes);
  return 0;
}
