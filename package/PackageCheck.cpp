//===- PackageCheck.cpp - What a package must hold ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "package/PackageFile.h"

#include "chips/ChipReport.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

using namespace chipwright;

// Bounds on what a file may ask for: far above every real package.
static constexpr int64_t kMaxSize = int64_t(1) << 40;
static constexpr uint64_t kMaxBytes = uint64_t(1) << 44;
static constexpr size_t kMaxName = 1024, kMaxRank = 4, kMaxArguments = 4096;
static constexpr int64_t kMaxIndex = 4096;

const char *chipwright::bufferRoleName(BufferRole role) {
  switch (role) {
  case BufferRole::Weight:
    return "weight";
  case BufferRole::Table:
    return "table";
  case BufferRole::Input:
    return "input";
  case BufferRole::Cache:
    return "cache";
  case BufferRole::Activation:
    return "activation";
  case BufferRole::Output:
    return "output";
  }
  return "?";
}

const char *chipwright::bufferContentName(BufferContent content) {
  switch (content) {
  case BufferContent::None:
    return "none";
  case BufferContent::TokenIds:
    return "token_ids";
  case BufferContent::Positions:
    return "positions";
  case BufferContent::Slots:
    return "slots";
  case BufferContent::OutputRows:
    return "output_rows";
  case BufferContent::MaskBounds:
    return "mask_bounds";
  case BufferContent::AttentionWork:
    return "attention_work";
  case BufferContent::RopeTable:
    return "rope_table";
  case BufferContent::Temperatures:
    return "temperatures";
  case BufferContent::RowScales:
    return "row_scales";
  case BufferContent::BlockScales:
    return "block_scales";
  }
  return "?";
}

/// Is \p buffer a weight whose rows, or whose blocks, have scales?
static bool isRows(const PackageBuffer &buffer) {
  return buffer.role == BufferRole::Weight && dtypeBits(buffer.dtype) == 8 &&
         !isReadOnly(buffer.dtype);
}
static bool isBlocks(const PackageBuffer &buffer) {
  return buffer.role == BufferRole::Weight && dtypeBits(buffer.dtype) == 4;
}

std::optional<DType> chipwright::linearTypeOf(const Package &package) {
  for (const PackageBuffer &buffer : package.buffers) {
    if (isRows(buffer)) {
      return buffer.dtype;
    }
  }
  return std::nullopt;
}

std::optional<DType> chipwright::weightTypeOf(const Package &package) {
  for (const PackageBuffer &buffer : package.buffers) {
    if (isBlocks(buffer)) {
      return buffer.dtype;
    }
  }
  return std::nullopt;
}

int64_t chipwright::largestValue(const Package &package,
                                 const PackageSize &size) {
  if (size.symbol.empty()) {
    return size.constant;
  }
  auto bound = package.bounds.find(size.symbol);
  return bound == package.bounds.end() ? 0 : size.constant * bound->second;
}

uint64_t chipwright::largestBytes(const Package &package,
                                  const PackageBuffer &buffer) {
  uint64_t elements = 1, bits = 0;
  for (const PackageSize &size : buffer.shape) {
    if (__builtin_mul_overflow(
            elements, static_cast<uint64_t>(largestValue(package, size)),
            &elements)) {
      return ~uint64_t(0);
    }
  }
  if (__builtin_mul_overflow(elements, dtypeBits(buffer.dtype), &bits)) {
    return ~uint64_t(0);
  }
  return bits / 8 + (bits % 8 != 0);
}

namespace {

bool isPrintable(const std::string &text) {
  if (text.empty() || text.size() > kMaxName) {
    return false;
  }
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 ||
        static_cast<unsigned char>(c) > 0x7e) {
      return false;
    }
  }
  return true;
}

/// Whether a step has a value for \p symbol.
bool isStepSymbol(const std::string &symbol) {
  if (symbol == "tokens" || symbol == "outputs" || symbol == "slots") {
    return true;
  }
  int64_t mask = -1;
  if (!symbol.starts_with("entries.")) {
    return false;
  }
  const char *end = symbol.data() + symbol.size();
  auto [rest, failed] = std::from_chars(symbol.data() + 8, end, mask);
  return failed == std::errc() && rest == end && mask >= 0 &&
         mask < kMaxIndex && symbol == fmt::format("entries.{}", mask);
}

/// Walks a package until the first fault.
class Checker {
public:
  Checker(const Package &package, const std::string &name)
      : package(package), name(name) {}

  Result<void> run() {
    header();
    bounds();
    for (size_t i = 0; i < package.buffers.size() && !error; ++i) {
      buffer(package.buffers[i], i);
    }
    programs();
    for (size_t i = 0; i < package.launches.size() && !error; ++i) {
      launch(package.launches[i], i);
    }
    if (error) {
      return *error;
    }
    return {};
  }

private:
  void fail(const std::string &why) {
    if (!error) {
      error =
          Diagnostic{fmt::format("{}: {}; compile the model again", name, why),
                     ExitBadInput};
    }
  }

  void header() {
    if (!isPrintable(package.chip) || !isPrintable(package.toolVersion) ||
        !isPrintable(package.modelType)) {
      fail("expected printable names of chip, tool and model type");
    }
    if (package.productType != DType::BF16 &&
        package.productType != DType::F16) {
      fail(fmt::format("expected products in bf16 or fp16, found type {}",
                       static_cast<unsigned>(package.productType)));
    }
    if (package.launches.empty()) {
      fail("expected a launch or more, found none");
    }
  }

  void bounds() {
    for (const auto &[symbol, value] : package.bounds) {
      if (!isStepSymbol(symbol) && symbol != "batch" && symbol != "context") {
        fail(fmt::format("expected bounds of tokens, batch, context, outputs, "
                         "slots and entries.N, found one of '{}'",
                         isPrintable(symbol) ? symbol : "?"));
      } else if (value < 1 || value > kMaxSize) {
        fail(fmt::format("bound of {}: expected 1 to {}, found {}", symbol,
                         kMaxSize, value));
      }
    }
  }

  void size(const PackageSize &size, const std::string &where) {
    if (size.symbol.empty()) {
      if (size.constant < 0 || size.constant > kMaxSize) {
        fail(fmt::format("{}: expected a size of 0 to {}, found {}", where,
                         kMaxSize, size.constant));
      }
    } else if (!isStepSymbol(size.symbol) ||
               !package.bounds.contains(size.symbol)) {
      fail(fmt::format("{}: expected a symbol that has a bound, found '{}'",
                       where, isPrintable(size.symbol) ? size.symbol : "?"));
    } else if (size.constant < 1 ||
               size.constant > kMaxSize / package.bounds.at(size.symbol)) {
      fail(fmt::format("{}: expected a factor of {} of 1 to {}, found {}",
                       where, size.symbol,
                       kMaxSize / package.bounds.at(size.symbol),
                       size.constant));
    }
  }

  void buffer(const PackageBuffer &buffer, size_t number) {
    if (!isPrintable(buffer.name) || !bufferNames.insert(buffer.name).second) {
      fail(fmt::format("buffer {}: expected a printable name of its own, "
                       "found {}",
                       number,
                       isPrintable(buffer.name)
                           ? fmt::format("'{}' a second time", buffer.name)
                           : "another one"));
      return;
    }
    std::string where = "buffer " + buffer.name;
    if (dtypeBits(buffer.dtype) == 0 || buffer.role > BufferRole::Output ||
        buffer.content > BufferContent::BlockScales) {
      fail(where + ": expected a type, role and content that this version "
                   "knows, found another one");
      return;
    }
    if (buffer.shape.empty() || buffer.shape.size() > kMaxRank) {
      fail(fmt::format("{}: expected a shape of 1 to {} sizes, found {}", where,
                       kMaxRank, buffer.shape.size()));
      return;
    }
    // Half bytes count as whole ones here.
    uint64_t bytes = std::max(1u, dtypeBytes(buffer.dtype));
    for (const PackageSize &one : buffer.shape) {
      size(one, where);
      if (error) {
        return;
      }
      int64_t most = largestValue(package, one);
      if (most < 1 || bytes > kMaxBytes / static_cast<uint64_t>(most)) {
        fail(fmt::format("{}: expected sizes of at least 1 that make at most "
                         "{} bytes, found others",
                         where, kMaxBytes));
        return;
      }
      bytes *= static_cast<uint64_t>(most);
    }
    if ((buffer.role == BufferRole::Weight) != !buffer.parameter.empty() &&
        buffer.role != BufferRole::Cache) {
      fail(where + (buffer.parameter.empty()
                        ? ": expected the name of its parameter, found none"
                        : ": expected no parameter, found one"));
    }
    if (!buffer.parameter.empty() && !isPrintable(buffer.parameter)) {
      fail(where + ": expected a printable name of its parameter");
    }
    content(buffer, where);
    if (!error) {
      blocks(buffer, where);
    }
  }

  /// Scales and the rows that they belong to come together.
  void scales(const PackageBuffer &buffer, const std::string &where) {
    bool isRow = buffer.shape.size() == 2 && buffer.dtype == DType::F32;
    bool hasRows = false;
    for (const PackageBuffer &other : package.buffers) {
      std::vector<PackageSize> rows = other.shape;
      if (rows.size() == 2) {
        rows.insert(rows.begin(), PackageSize{1, ""}); // one matrix
      }
      hasRows |= isRow && other.role == BufferRole::Weight &&
                 other.parameter == buffer.parameter && isRows(other) &&
                 rows.size() == 3 && rows[0] == buffer.shape[0] &&
                 rows[1] == buffer.shape[1];
    }
    if (!hasRows) {
      fail(where + ": expected f32 numbers, one for each row of an 8-bit "
                   "buffer of its parameter, found another shape or no such "
                   "buffer");
    }
  }

  /// Codes and the scales of their blocks come together.
  void blocks(const PackageBuffer &buffer, const std::string &where) {
    const bool isCodes = isBlocks(buffer),
               isScales = buffer.content == BufferContent::BlockScales;
    if (isReadOnly(buffer.dtype) && !isCodes && !isScales) {
      fail(fmt::format("{}: expected {} in stored weights only", where,
                       dtypeName(buffer.dtype)));
      return;
    }
    if (!isCodes && !isScales) {
      return;
    }
    bool hasOther = false;
    for (const PackageBuffer &other : package.buffers) {
      const PackageBuffer &codes = isCodes ? buffer : other,
                          &scales = isCodes ? other : buffer;
      if (codes.parameter != scales.parameter || !isBlocks(codes) ||
          scales.content != BufferContent::BlockScales ||
          codes.shape.size() != scales.shape.size()) {
        continue;
      }
      constexpr int64_t kBlock = 32;
      std::vector<PackageSize> wanted = codes.shape;
      bool isWhole =
          wanted.back().symbol.empty() && wanted.back().constant % kBlock == 0;
      wanted.back().constant /= kBlock;
      const DType type = codes.dtype == DType::I4 ? DType::BF16 : DType::F8E8M0;
      hasOther |= isWhole && scales.shape == wanted && scales.dtype == type;
    }
    if (!hasOther) {
      fail(where + ": expected 4-bit codes (int4, fp4_e2m1) and a scale (bf16, "
                   "fp8_e8m0) for each 32 columns of them, found one without "
                   "the other or in another shape");
    }
  }

  void content(const PackageBuffer &buffer, const std::string &where) {
    bool isTable = buffer.content == BufferContent::RopeTable ||
                   buffer.content == BufferContent::Temperatures;
    bool isScales = buffer.content == BufferContent::RowScales ||
                    buffer.content == BufferContent::BlockScales;
    bool isInput =
        buffer.content != BufferContent::None && !isTable && !isScales;
    if ((isScales && buffer.role != BufferRole::Weight) ||
        isTable != (buffer.role == BufferRole::Table) ||
        isInput != (buffer.role == BufferRole::Input)) {
      fail(fmt::format("{}: expected contents that go with the role {}, found "
                       "{}",
                       where, bufferRoleName(buffer.role),
                       bufferContentName(buffer.content)));
      return;
    }
    if (buffer.index < 0 || buffer.index >= kMaxIndex || buffer.block < 0 ||
        buffer.block > kMaxSize) {
      fail(fmt::format("{}: expected index and block in range, found {} and {}",
                       where, buffer.index, buffer.block));
      return;
    }
    std::string rows;
    int64_t columns = 1;
    switch (buffer.content) {
    case BufferContent::None:
      return;
    case BufferContent::TokenIds:
    case BufferContent::Positions:
    case BufferContent::Slots:
      rows = "tokens";
      break;
    case BufferContent::OutputRows:
      rows = "outputs";
      break;
    case BufferContent::MaskBounds:
      rows = "tokens";
      columns = 2;
      break;
    case BufferContent::AttentionWork:
      rows = fmt::format("entries.{}", buffer.index);
      columns = 4;
      if (buffer.block < 1) {
        fail(where + ": expected entries of a token or more, found none");
      }
      break;
    case BufferContent::RopeTable:
    case BufferContent::Temperatures:
      columns = buffer.content == BufferContent::Temperatures ? 1 : 0;
      break;
    case BufferContent::RowScales:
      scales(buffer, where);
      return;
    case BufferContent::BlockScales:
      return;
    }
    bool isGood = buffer.shape.size() == 2 &&
                  buffer.dtype == (isTable ? DType::F32 : DType::I32) &&
                  buffer.shape[0].symbol == rows &&
                  (rows.empty() || buffer.shape[0].constant == 1) &&
                  buffer.shape[1].symbol.empty() &&
                  (columns == 0 ? buffer.shape[1].constant % 2 == 0
                                : buffer.shape[1].constant == columns);
    if (!isGood) {
      fail(fmt::format("{}: expected the type and shape of {}, found another "
                       "one",
                       where, bufferContentName(buffer.content)));
    }
  }

  void programs() {
    std::set<std::string> names;
    for (const PackageProgram &program : package.programs) {
      if (!isPrintable(program.name) || !names.insert(program.name).second ||
          program.elf.empty()) {
        fail("expected programs with a name of their own and machine code, "
             "found another one");
      }
    }
  }

  void index(int64_t value, size_t size, const std::string &what) {
    if (value < 0 || static_cast<uint64_t>(value) >= size) {
      fail(fmt::format("{}: expected 0 to {}, found {}", what,
                       static_cast<int64_t>(size) - 1, value));
    }
  }

  void launch(const PackageLaunch &launch, size_t number) {
    if (!isPrintable(launch.op)) {
      fail(fmt::format("launch {}: expected the printable name of an op",
                       number));
      return;
    }
    std::string where = fmt::format("launch {} ({})", number, launch.op);
    index(launch.program, package.programs.size(), where + ", program");
    if (launch.arguments.size() > kMaxArguments) {
      fail(fmt::format("{}: expected at most {} arguments, found {}", where,
                       kMaxArguments, launch.arguments.size()));
    }
    for (const PackageArgument &argument : launch.arguments) {
      if (argument.kind == PackageArgument::Address) {
        index(argument.buffer, package.buffers.size(), where + ", argument");
      } else if (argument.kind == PackageArgument::Size) {
        size(argument.size, where + ", argument");
      } else {
        fail(where + ": expected arguments that are addresses or sizes, found "
                     "another kind");
      }
    }
    for (const auto *values : {&launch.operands, &launch.results}) {
      for (const PackageLaunch::Value &value : *values) {
        index(value.buffer, package.buffers.size(), where + ", value");
        if (!isPrintable(value.name)) {
          fail(where + ": expected printable names of values");
        }
      }
    }
  }

  const Package &package;
  const std::string &name;
  std::optional<Diagnostic> error;
  std::set<std::string> bufferNames;
};

} // namespace

Result<void> chipwright::checkPackage(const Package &package,
                                      const std::string &name) {
  return Checker(package, name).run();
}

Result<void> chipwright::checkChip(const Package &package,
                                   const ResolvedChip &chip,
                                   const std::string &name) {
  uint64_t have = chip.architecturalFingerprint();
  if (package.architecturalFingerprint == have) {
    return {};
  }
  return Diagnostic{
      fmt::format("{}: compiled for {} with architectural fingerprint {}, the "
                  "chip here is {} with {}; compile the model again with "
                  "--chip {}",
                  name, package.chip,
                  formatHash(package.architecturalFingerprint), chip.spec.name,
                  formatHash(have), chip.spec.name),
      ExitBadInput};
}

Result<void> chipwright::checkModel(const Package &package,
                                    const models::Graph &graph,
                                    const std::string &name) {
  uint64_t have = modelHash(graph);
  if (package.modelHash == have) {
    return {};
  }
  return Diagnostic{
      fmt::format("{}: compiled from a {} model with hash {}, the model here "
                  "is {} with {}; compile this model, or name the one that "
                  "the package was made of",
                  name, package.modelType, formatHash(package.modelHash),
                  graph.modelType, formatHash(have)),
      ExitBadInput};
}
