//===- PackagePlacement.cpp - Addresses of a package's buffers ------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/PackagePlacement.h"

#include "package/PackageFile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

using namespace chipwright;

Result<std::vector<PlacedBuffer>>
chipwright::placePackage(const ChipSpec &spec, const Package &package) {
  std::vector<PlacedBuffer> placed;
  // Sums per role for the message; buffers are too many to be listed.
  std::map<BufferRole, uint64_t> sums;
  for (const PackageBuffer &buffer : package.buffers) {
    bool isLasting = buffer.role == BufferRole::Weight ||
                     buffer.role == BufferRole::Table ||
                     buffer.role == BufferRole::Cache;
    uint64_t bytes = largestBytes(package, buffer);
    sums[buffer.role] += bytes;
    placed.push_back({buffer.name, bytes,
                      isLasting ? MemoryChoice::Dram : MemoryChoice::Auto});
  }
  auto fits = placeBuffers(spec, placed);
  if (fits) {
    return placed;
  }
  uint64_t all = 0;
  std::vector<std::string> parts;
  for (const auto &[role, bytes] : sums) {
    all += bytes;
    parts.push_back(fmt::format("{} {}", bufferRoleName(role), bytes));
  }
  return Diagnostic{
      fmt::format("the DRAM of {} has {} bytes (dram.bytes) and its SRAM "
                  "scratch {} (sram.lls_bytes), the package needs {} ({}); "
                  "compile for fewer --max-tokens, --max-batch or "
                  "--max-context",
                  spec.name, spec.dram.bytes, spec.sram.llsBytes, all,
                  fmt::join(parts, ", ")),
      ExitDoesNotFit};
}
