//===- PackageFile.cpp - Packages as .cwx files ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "package/PackageFile.h"

#include "chips/Parameters.h"
#include "models/MappedFile.h"
#include "models/Safetensors.h"

#include <package_generated.h>

#include <fmt/format.h>

#include <cstring>
#include <filesystem>

using namespace chipwright;
namespace fb = flatbuffers;

static constexpr char kMagic[8] = {'C', 'W', 'X', 'P', 'K', 'G', '\r', '\n'};

uint64_t chipwright::packageHash(std::span<const uint8_t> bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (uint8_t byte : bytes) {
    hash = (hash ^ byte) * 0x100000001b3;
  }
  return hash;
}

uint64_t chipwright::modelHash(const models::Graph &graph) {
  std::string text = models::printGraph(graph);
  return packageHash(
      {reinterpret_cast<const uint8_t *>(text.data()), text.size()});
}

static void putWord(std::vector<uint8_t> &bytes, uint64_t word) {
  for (unsigned i = 0; i < 8; ++i) {
    bytes.push_back(static_cast<uint8_t>(word >> 8 * i));
  }
}

static uint64_t wordAt(std::span<const uint8_t> bytes, size_t place) {
  uint64_t word = 0;
  for (unsigned i = 0; i < 8; ++i) {
    word |= static_cast<uint64_t>(bytes[place + i]) << 8 * i;
  }
  return word;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

namespace {

class Encoder {
public:
  std::vector<uint8_t> encode(const Package &package) {
    std::vector<fb::Offset<format::Bound>> bounds;
    for (const auto &[name, value] : package.bounds) {
      bounds.push_back(
          format::CreateBound(builder, builder.CreateString(name), value));
    }
    auto root = format::CreatePackage(
        builder, builder.CreateString(package.toolVersion),
        builder.CreateString(package.chip), package.architecturalFingerprint,
        package.timingFingerprint, package.modelHash,
        builder.CreateString(package.modelType),
        static_cast<uint8_t>(package.productType), builder.CreateVector(bounds),
        list<format::Buffer>(package.buffers),
        list<format::Program>(package.programs),
        list<format::Launch>(package.launches));
    format::FinishPackageBuffer(builder, root);
    return {builder.GetBufferPointer(),
            builder.GetBufferPointer() + builder.GetSize()};
  }

private:
  template <typename Table, typename Item>
  fb::Offset<fb::Vector<fb::Offset<Table>>>
  list(const std::vector<Item> &items) {
    std::vector<fb::Offset<Table>> offsets;
    for (const Item &item : items) {
      offsets.push_back(one(item));
    }
    return builder.CreateVector(offsets);
  }

  fb::Offset<format::Size> one(const PackageSize &size) {
    return format::CreateSize(
        builder, size.constant,
        size.symbol.empty() ? 0 : builder.CreateString(size.symbol));
  }

  fb::Offset<format::Buffer> one(const PackageBuffer &buffer) {
    auto name = builder.CreateString(buffer.name);
    auto shape = list<format::Size>(buffer.shape);
    fb::Offset<fb::String> parameter =
        buffer.parameter.empty() ? 0 : builder.CreateString(buffer.parameter);
    return format::CreateBuffer(
        builder, name, static_cast<uint8_t>(buffer.dtype), shape,
        buffer.isControl, static_cast<uint8_t>(buffer.role), parameter,
        static_cast<uint8_t>(buffer.content), buffer.index, buffer.block);
  }

  fb::Offset<format::Program> one(const PackageProgram &program) {
    auto name = builder.CreateString(program.name);
    return format::CreateProgram(builder, name,
                                 builder.CreateVector(program.elf));
  }

  fb::Offset<format::Argument> one(const PackageArgument &argument) {
    fb::Offset<format::Size> size =
        argument.kind == PackageArgument::Size ? one(argument.size) : 0;
    return format::CreateArgument(builder, argument.kind, argument.buffer,
                                  size);
  }

  fb::Offset<format::Value> one(const PackageLaunch::Value &value) {
    return format::CreateValue(builder, builder.CreateString(value.name),
                               value.buffer);
  }

  fb::Offset<format::Launch> one(const PackageLaunch &launch) {
    auto op = builder.CreateString(launch.op);
    auto arguments = list<format::Argument>(launch.arguments);
    auto operands = list<format::Value>(launch.operands);
    return format::CreateLaunch(builder, op, launch.program, arguments,
                                operands, list<format::Value>(launch.results));
  }

  fb::FlatBufferBuilder builder;
};

} // namespace

std::vector<uint8_t> chipwright::encodePackage(const Package &package) {
  std::vector<uint8_t> payload = Encoder().encode(package);
  std::vector<uint8_t> bytes(std::begin(kMagic), std::end(kMagic));
  putWord(bytes, CHIPWRIGHT_PACKAGE_SCHEMA);
  putWord(bytes, payload.size());
  putWord(bytes, packageHash(payload));
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

Result<void> chipwright::writePackage(const Package &package,
                                      const std::string &path) {
  std::vector<uint8_t> bytes = encodePackage(package);
  return models::writeTextFile(
      path, {reinterpret_cast<const char *>(bytes.data()), bytes.size()});
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static std::string textOf(const fb::String *text) {
  return text ? text->str() : std::string();
}

/// Numbers outside an enumeration become one that checkPackage() refuses.
template <typename T> static T enumOf(uint8_t value) {
  return static_cast<T>(value);
}

static PackageSize sizeOf(const format::Size *size) {
  return size ? PackageSize{size->constant(), textOf(size->symbol())}
              : PackageSize();
}

static PackageBuffer bufferOf(const format::Buffer &from) {
  PackageBuffer buffer;
  buffer.name = from.name()->str();
  buffer.dtype = enumOf<DType>(from.dtype());
  for (const format::Size *size : *from.shape()) {
    buffer.shape.push_back(sizeOf(size));
  }
  buffer.isControl = from.is_control();
  buffer.role = enumOf<BufferRole>(from.role());
  buffer.parameter = textOf(from.parameter());
  buffer.content = enumOf<BufferContent>(from.content());
  buffer.index = from.index();
  buffer.block = from.block();
  return buffer;
}

static PackageLaunch launchOf(const format::Launch &from) {
  PackageLaunch launch;
  launch.op = from.op()->str();
  launch.program = from.program();
  for (const format::Argument *argument : *from.arguments()) {
    launch.arguments.push_back({enumOf<PackageArgument::Kind>(argument->kind()),
                                argument->buffer(), sizeOf(argument->size())});
  }
  for (const format::Value *value : *from.operands()) {
    launch.operands.push_back({value->name()->str(), value->buffer()});
  }
  for (const format::Value *value : *from.results()) {
    launch.results.push_back({value->name()->str(), value->buffer()});
  }
  return launch;
}

Result<Package> chipwright::decodePackage(std::span<const uint8_t> bytes,
                                          const std::string &name) {
  auto damaged = [&](const std::string &why) {
    return Diagnostic{fmt::format("{}: {}; compile the model again", name, why),
                      ExitBadInput};
  };
  if (bytes.size() < packageHeaderBytes ||
      std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) {
    return Diagnostic{fmt::format("{}: expected a package that `chipwright "
                                  "compile` wrote, found {} bytes that do not "
                                  "begin as one",
                                  name, bytes.size()),
                      ExitBadInput};
  }
  if (uint64_t schema = wordAt(bytes, 8); schema != CHIPWRIGHT_PACKAGE_SCHEMA) {
    return damaged(
        fmt::format("expected a package of schema {:016x}, found {:016x}, "
                    "which another version of the tool wrote",
                    uint64_t(CHIPWRIGHT_PACKAGE_SCHEMA), schema));
  }
  std::span<const uint8_t> payload = bytes.subspan(packageHeaderBytes);
  if (wordAt(bytes, 16) != payload.size()) {
    return damaged(fmt::format("expected {} bytes behind the header, found {}",
                               wordAt(bytes, 16), payload.size()));
  }
  if (uint64_t hash = packageHash(payload); wordAt(bytes, 24) != hash) {
    return damaged(fmt::format("expected contents with hash {:016x}, found "
                               "{:016x}, so the file is damaged",
                               wordAt(bytes, 24), hash));
  }
  // Offsets in the payload count from its start, which must be aligned.
  std::vector<uint64_t> aligned((payload.size() + 7) / 8);
  if (!payload.empty()) {
    std::memcpy(aligned.data(), payload.data(), payload.size());
  }
  const auto *start = reinterpret_cast<const uint8_t *>(aligned.data());
  constexpr fb::uoffset_t kMaxDepth = 16, kMaxTables = 50'000'000;
  fb::Verifier verifier(start, payload.size(), kMaxDepth, kMaxTables);
  if (payload.size() < 8 || !format::VerifyPackageBuffer(verifier)) {
    return damaged("expected tables of package.fbs, found offsets that lead "
                   "outside the file or fields that are missing");
  }
  const format::Package &from = *format::GetPackage(start);
  Package package;
  package.toolVersion = from.tool_version()->str();
  package.chip = from.chip()->str();
  package.architecturalFingerprint = from.architectural_fingerprint();
  package.timingFingerprint = from.timing_fingerprint();
  package.modelHash = from.model_hash();
  package.modelType = from.model_type()->str();
  package.productType = enumOf<DType>(from.product_type());
  for (const format::Bound *bound : *from.bounds()) {
    if (!package.bounds.emplace(bound->name()->str(), bound->value()).second) {
      return damaged(fmt::format("expected each bound once, found {} twice",
                                 quote(bound->name()->string_view())));
    }
  }
  for (const format::Buffer *buffer : *from.buffers()) {
    package.buffers.push_back(bufferOf(*buffer));
  }
  for (const format::Program *program : *from.programs()) {
    package.programs.push_back(
        {program->name()->str(),
         {program->elf()->begin(), program->elf()->end()}});
  }
  for (const format::Launch *launch : *from.launches()) {
    package.launches.push_back(launchOf(*launch));
  }
  if (auto good = checkPackage(package, name); !good) {
    return good.error();
  }
  return package;
}

Result<Package> chipwright::readPackage(const std::string &path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Diagnostic{path + ": is a folder, expected a package (.cwx)",
                      ExitBadInput};
  }
  // Refuses pipes and devices, which may have no end.
  auto file = models::MappedFile::open(path, "a package (.cwx)");
  if (!file) {
    return file.error();
  }
  return decodePackage(
      {reinterpret_cast<const uint8_t *>(file->data()), file->size()}, path);
}
