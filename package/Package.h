//===- Package.h - A compiled model -----------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// What the compiler makes of a model for a chip, and all that a launch of it
// needs besides the weights: machine code, buffers, and the order of launches
// of one step. Prefill, chunked prefill and decode are the same list of
// launches with other sizes.
//
// Sizes that a step decides are symbols, by name:
//   tokens       tokens of the step
//   outputs      tokens whose logits are wanted
//   entries.N    entries of the attention work list of mask N
//   slots        slots of the key/value caches
//
// Weights are not part of a package; buffers name the parameters.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_PACKAGE_PACKAGE_H
#define CHIPWRIGHT_PACKAGE_PACKAGE_H

#include "chips/ChipSpec.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace chipwright {

/// A number, or a multiple of the value that a symbol has in a step.
struct PackageSize {
  int64_t constant = 0; // the number, or the factor of the symbol
  std::string symbol;   // empty: a number

  bool operator==(const PackageSize &) const = default;
};

enum class BufferRole : uint8_t {
  Weight,     // a parameter of the model, converted to `dtype`; in an 8-bit
              // type every row is divided by its scale (RowScales), in a 4-bit
              // type every block of 32 columns (BlockScales), and rows are
              // filled up to a multiple of 32
  Table,      // numbers that only the model's configuration decides
  Input,      // part of the step descriptor
  Cache,      // keys or values of all slots; lives from step to step
  Activation, // between launches of one step
  Output,     // the logits
};

/// What the step descriptor writes into an input, or a table holds.
enum class BufferContent : uint8_t {
  None,
  TokenIds,      // i32 [tokens, 1]
  Positions,     // i32 [tokens, 1]
  Slots,         // i32 [tokens, 1]
  OutputRows,    // i32 [outputs, 1]
  MaskBounds,    // i32 [tokens, 2]: lo, hi of mask `index`
  AttentionWork, // i32 [entries.index, 4]: first token, tokens, first slot, end
                 // of slots; blocks of neighbouring tokens of one sequence, at
                 // most `block` of them; the slots cover all their bounds
  RopeTable,     // f32 [positions, 2 * head]: per position cos of each column's
                 // angle, then sin, negative in even columns
  Temperatures,  // f32 [positions, 1]: factor on queries by position
  RowScales,     // f32 [matrices, rows]: what each row of the parameter's 8-bit
                 // buffer is multiplied by
  BlockScales,   // bf16 or e8m0, as the parameter's 4-bit buffer with a 32nd of
                 // its columns: what each block is multiplied by
};

struct PackageBuffer {
  std::string name;
  DType dtype = DType::F32;
  std::vector<PackageSize> shape; // row-major, no gaps
  bool isControl = false;
  BufferRole role = BufferRole::Activation;
  std::string parameter;        // Weight: its name in the model's graph
  BufferContent content{};      // Input, Table, scales of a Weight
  int64_t index = 0, block = 0; // see BufferContent
};

/// One or more programs are the machine code of a step.
struct PackageProgram {
  std::string name;
  std::vector<uint8_t> elf;
};

/// A word of the argument block.
struct PackageArgument {
  enum Kind : uint8_t { Address, Size } kind = Address;
  int64_t buffer = 0; // Address: index into Package::buffers
  PackageSize size;   // Size
};

struct PackageLaunch {
  std::string op; // of the model's graph
  int64_t program = 0;
  std::vector<PackageArgument> arguments;
  /// Buffers that it reads and writes, by role in the op, for comparisons: the
  /// values of the model's graph that lie in them then. Control buffers among
  /// the results are those that the launch fills from bulk data; it may write
  /// no other control buffer so, and in timing mode their contents are given.
  struct Value {
    std::string name; // as in the graph
    int64_t buffer = 0;
  };
  std::vector<Value> operands, results;
};

struct Package {
  std::string toolVersion;
  std::string chip;
  uint64_t architecturalFingerprint = 0, timingFingerprint = 0;
  /// Hash of the model's graph (its text form).
  uint64_t modelHash = 0;
  std::string modelType;
  DType productType = DType::BF16;
  /// Largest values: "tokens", "batch", "context", "outputs", "slots",
  /// "entries.N". Slots are at least batch times context rounded up to a
  /// multiple of 128, where the next sequence begins.
  std::map<std::string, int64_t> bounds;
  std::vector<PackageBuffer> buffers;
  std::vector<PackageProgram> programs;
  std::vector<PackageLaunch> launches;
};

} // namespace chipwright

#endif // CHIPWRIGHT_PACKAGE_PACKAGE_H
