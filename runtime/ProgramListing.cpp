//===- ProgramListing.cpp - The machine code of a package -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/ProgramListing.h"

#include "dialects/isa/Xpe.h"
#include "runtime/KernelBuild.h"
#include "runtime/KnownRegisters.h"
#include "sim/hart/Instruction.h"
#include "sim/machine/FaultReport.h"

#include <fmt/format.h>

#include <bit>
#include <map>
#include <optional>

using namespace chipwright;

/// \returns the extension's instruction at \p pc, if there is one.
static std::optional<isa::DecodedXpe> customAt(const sim::KernelImage &image,
                                               uint64_t pc) {
  const sim::DecodedOp &op =
      image.decoded->ops()[(pc - image.decoded->base()) / 2];
  return op.op == sim::Op::Custom ? isa::decode(op.word) : std::nullopt;
}

/// \returns "a_rows 32, b_rows 64, a_dtype int8": the slices of field \p index
/// of a command in \p value that are not zero; zeros stand where they are
/// codes.
static std::string fieldText(isa::Opcode opcode, unsigned index,
                             uint64_t value) {
  std::string text;
  for (const isa::SliceInfo &slice : isa::slices(opcode)) {
    if (slice.field != index) {
      continue;
    }
    const uint64_t mask =
        slice.width < 64 ? (uint64_t(1) << slice.width) - 1 : ~uint64_t(0);
    const uint64_t bits = value >> slice.lo & mask;
    std::string number = std::to_string(bits);
    if (slice.codeNames) {
      number = bits < slice.codeCount ? slice.codeNames[bits] : "?";
    } else if (bits == 0) {
      continue;
    } else if (slice.isFloat) {
      number =
          fmt::format("{}", std::bit_cast<float>(static_cast<uint32_t>(bits)));
    } else if (slice.isSigned && bits >> (slice.width - 1) != 0) {
      number = std::to_string(static_cast<int64_t>(bits | ~mask));
    }
    text +=
        fmt::format("{}{} {}", text.empty() ? "" : ", ", slice.name, number);
  }
  return text;
}

/// Comments by the address of their instruction.
static std::map<uint64_t, std::string>
commentsOf(const sim::KernelImage &image) {
  std::map<uint64_t, std::string> comments;
  const KnownRegisters known(image);
  // From the end: the command that is issued with a context next.
  std::map<unsigned, isa::Opcode> next;
  auto label = image.functions.rbegin();
  for (uint64_t i = image.decoded->halfwords(); i-- > 0;) {
    const uint64_t pc = image.decoded->base() + 2 * i;
    if (auto found = customAt(image, pc)) {
      if (isa::instInfo(found->opcode).isCommand) {
        next[found->ctx] = found->opcode;
        comments[pc] = image.tagOf(pc);
      } else if (auto user = next.find(found->ctx);
                 found->opcode == isa::Opcode::Set && user != next.end()) {
        auto value = known.at(pc, found->rs1);
        comments[pc] =
            value ? fieldText(user->second, found->field, *value) : "";
      }
    }
    // Harts have contexts of their own: a function's end before this one.
    for (; label != image.functions.rend() && label->first >= pc; ++label) {
      next.clear();
    }
  }
  return comments;
}

static std::string listingOf(const sim::KernelImage &image) {
  std::string text;
  const auto comments = commentsOf(image);
  auto label = image.functions.begin();
  for (uint64_t at = 0; at + 2 <= image.bytes.size();) {
    uint64_t pc = sim::kImageBase + at;
    for (; label != image.functions.end() && label->first <= pc; ++label) {
      text += fmt::format("{}:\n", label->second);
    }
    std::string line =
        fmt::format("  {:#x}  {}", pc, sim::instructionAt(image, pc));
    auto comment = comments.find(pc);
    text += comment == comments.end() || comment->second.empty()
                ? line + "\n"
                : fmt::format("{:<40} ; {}\n", line, comment->second);
    // Instructions of two bytes do not end in 11.
    bool isLong = (image.bytes[at] & 3) == 3 && at + 4 <= image.bytes.size();
    at += isLong ? 4 : 2;
  }
  return text;
}

Result<std::string> chipwright::formatPrograms(const Package &package,
                                               const std::string &name) {
  std::string text;
  for (const PackageProgram &program : package.programs) {
    Result<sim::KernelImage> image = loadKernel(
        program.elf, fmt::format("{}, program {}", name, program.name));
    if (!image) {
      return image.error();
    }
    text += fmt::format("program {}, {} bytes\n", program.name,
                        image->bytes.size());
    text += listingOf(*image);
  }
  return text;
}
