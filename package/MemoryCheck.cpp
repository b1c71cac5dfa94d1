//===- MemoryCheck.cpp - Does a package fit a chip's memory? --------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "package/MemoryCheck.h"

#include "package/PackageFile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace chipwright;

namespace {

/// Bytes by where they go, in whole pages.
struct Need {
  uint64_t lasting = 0;   // DRAM
  uint64_t temporary = 0; // SRAM scratch if it holds all of them
  std::map<BufferRole, uint64_t> roles;

  uint64_t dram(const ChipSpec &spec) const {
    return lasting + (temporary <= spec.sram.llsBytes ? 0 : temporary);
  }
};

/// The bounds that a user chooses.
struct Choice {
  int64_t tokens = 0, batch = 0, context = 0;
};

} // namespace

static bool isLasting(BufferRole role) {
  return role == BufferRole::Weight || role == BufferRole::Table ||
         role == BufferRole::Cache;
}

static Need needOf(const Package &package) {
  Need need;
  for (const PackageBuffer &buffer : package.buffers) {
    // Beyond any memory, and sums of it stay within 64 bits.
    constexpr uint64_t kMost = uint64_t(1) << 50;
    uint64_t bytes = std::min(largestBytes(package, buffer), kMost);
    bytes =
        (bytes + packagePageBytes - 1) / packagePageBytes * packagePageBytes;
    (isLasting(buffer.role) ? need.lasting : need.temporary) += bytes;
    need.roles[buffer.role] += bytes;
  }
  return need;
}

/// What \p package would need with other bounds.
static Need needWith(Package package, const Choice &choice) {
  constexpr int64_t kSlotsUnit = 128; // see Package::bounds
  for (PackageBuffer &buffer : package.buffers) {
    bool isByPosition =
        buffer.role == BufferRole::Table && !buffer.shape.empty() &&
        buffer.shape[0] == PackageSize{package.bounds["context"], ""};
    if (isByPosition) {
      buffer.shape[0].constant = choice.context;
    }
  }
  for (auto &[name, bound] : package.bounds) {
    if (name == "batch") {
      bound = choice.batch;
    } else if (name == "context") {
      bound = choice.context;
    } else if (name == "slots") {
      bound = (choice.context + kSlotsUnit - 1) / kSlotsUnit * kSlotsUnit *
              choice.batch;
    } else {
      bound = choice.tokens;
    }
  }
  return needOf(package);
}

/// Options that make \p package fit, each alone.
static std::vector<std::string> waysOut(const ChipSpec &spec,
                                        const Package &package) {
  auto bound = [&](const char *name) {
    auto found = package.bounds.find(name);
    return found == package.bounds.end() ? 0 : found->second;
  };
  const Choice now = {bound("tokens"), bound("batch"), bound("context")};
  std::vector<std::string> ways;
  if (!now.tokens || !now.batch || !now.context) {
    return ways;
  }
  // Programs are of no interest and large.
  Package bare;
  bare.bounds = package.bounds;
  bare.buffers = package.buffers;
  for (auto [option, member] : {std::pair("--max-context", &Choice::context),
                                std::pair("--max-batch", &Choice::batch),
                                std::pair("--max-tokens", &Choice::tokens)}) {
    int64_t fits = 0, tooMany = now.*member;
    while (tooMany - fits > 1) {
      int64_t middle = fits + (tooMany - fits) / 2;
      Choice choice = now;
      choice.*member = middle;
      bool isEnough = needWith(bare, choice).dram(spec) <= spec.dram.bytes;
      (isEnough ? fits : tooMany) = middle;
    }
    if (fits > 0) {
      ways.push_back(fmt::format("{} {}", option, fits));
    }
  }
  bool isTogether = needWith(bare, {1, 1, 1}).dram(spec) <= spec.dram.bytes;
  if (ways.empty() && isTogether) {
    ways.push_back("less of --max-context, --max-batch and --max-tokens");
  }
  return ways;
}

Result<void> chipwright::checkMemory(const ChipSpec &spec,
                                     const Package &package) {
  Need need = needOf(package);
  uint64_t inDram = need.dram(spec);
  if (inDram <= spec.dram.bytes) {
    return {};
  }
  std::vector<std::string> parts;
  for (const auto &[role, bytes] : need.roles) {
    bool isInScratch = !isLasting(role) && inDram == need.lasting;
    parts.push_back(fmt::format("{} {}{}", bufferRoleName(role), bytes,
                                isInScratch ? " in the scratch" : ""));
  }
  std::vector<std::string> ways = waysOut(spec, package);
  return Diagnostic{
      fmt::format(
          "the DRAM of {} has {} bytes (dram.bytes) and its SRAM "
          "scratch {} (sram.lls_bytes), the package needs {} of DRAM "
          "({}, in pages of {}); use {}a chip with more memory",
          spec.name, spec.dram.bytes, spec.sram.llsBytes, inDram,
          fmt::join(parts, ", "), packagePageBytes,
          ways.empty() ? "" : fmt::format("{}, or ", fmt::join(ways, ", or "))),
      ExitDoesNotFit};
}
