//===- PackageFile.h - Packages as .cwx files -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A file is a header of 32 bytes, little-endian (magic "CWXPKG\r\n", schema
// hash, payload bytes, FNV-1a-64 of the payload), and a FlatBuffers payload
// (package.fbs). Equal packages give equal bytes. Nothing of a file is used
// before all of it has been checked.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_PACKAGE_PACKAGEFILE_H
#define CHIPWRIGHT_PACKAGE_PACKAGEFILE_H

#include "chips/Diagnostic.h"
#include "chips/ResolvedChip.h"
#include "models/Graph.h"
#include "package/Package.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace chipwright {

/// Bytes before the payload.
inline constexpr size_t packageHeaderBytes = 32;

/// \returns FNV-1a-64 of \p bytes, as used in a file's header.
uint64_t packageHash(std::span<const uint8_t> bytes);

/// \returns the bytes of the file.
std::vector<uint8_t> encodePackage(const Package &package);

/// Reads the bytes of a file; \p name stands for it in messages. Refused: a
/// damaged file, one of another schema, and everything that checkPackage()
/// refuses.
Result<Package> decodePackage(std::span<const uint8_t> bytes,
                              const std::string &name);

/// Writes \p path under a temporary name, then renames it.
Result<void> writePackage(const Package &package, const std::string &path);

/// Reads the file \p path.
Result<Package> readPackage(const std::string &path);

/// \returns the 8-bit type in which linear maps multiply, or nothing.
std::optional<DType> linearTypeOf(const Package &package);

/// \returns the 4-bit type of stored weights, or nothing.
std::optional<DType> weightTypeOf(const Package &package);

/// Checks that every index is in range, names are unique and printable, symbols
/// have bounds, shapes have sizes of at most 2^44 bytes, and contents have the
/// types and shapes that BufferContent names. The ELF files are checked when
/// they are loaded. \p name stands for the package in messages.
Result<void> checkPackage(const Package &package, const std::string &name);

/// Checks that \p package was compiled for a chip with the architecture of
/// \p chip. Its timing parameters may differ.
Result<void> checkChip(const Package &package, const ResolvedChip &chip,
                       const std::string &name);

/// Checks that \p package was compiled from \p graph.
Result<void> checkModel(const Package &package, const models::Graph &graph,
                        const std::string &name);

/// \returns Package::modelHash of \p graph: FNV-1a-64 of printGraph().
uint64_t modelHash(const models::Graph &graph);

/// \returns the largest value that \p size has in a step; 0 for a symbol
/// without bound.
int64_t largestValue(const Package &package, const PackageSize &size);

/// \returns the bytes of \p buffer with the largest values of its symbols; at
/// most 2^64 - 1.
uint64_t largestBytes(const Package &package, const PackageBuffer &buffer);

/// \returns names for people: "weight", "token_ids".
const char *bufferRoleName(BufferRole role);
const char *bufferContentName(BufferContent content);

} // namespace chipwright

#endif // CHIPWRIGHT_PACKAGE_PACKAGEFILE_H
