//===- PackagePlacement.cpp - Addresses of a package's buffers ------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/PackagePlacement.h"

#include "package/MemoryCheck.h"
#include "package/PackageFile.h"

using namespace chipwright;

Result<std::vector<PlacedBuffer>>
chipwright::placePackage(const ChipSpec &spec, const Package &package) {
  if (auto fits = checkMemory(spec, package); !fits) {
    return fits.error();
  }
  std::vector<PlacedBuffer> placed;
  for (const PackageBuffer &buffer : package.buffers) {
    bool isLasting = buffer.role == BufferRole::Weight ||
                     buffer.role == BufferRole::Table ||
                     buffer.role == BufferRole::Cache;
    placed.push_back({buffer.name, largestBytes(package, buffer),
                      isLasting ? MemoryChoice::Dram : MemoryChoice::Auto});
  }
  if (auto fits = placeBuffers(spec, placed); !fits) {
    return fits.error();
  }
  return placed;
}
