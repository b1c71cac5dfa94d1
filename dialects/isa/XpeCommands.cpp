//===- XpeCommands.cpp - Tables and messages of commands ------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "dialects/isa/Xpe.h"

#include <cstdio>

namespace chipwright::isa {

namespace {
/// Places of an instruction in the tables.
struct CommandRange {
  uint16_t firstSlice;
  uint16_t sliceCount;
  uint16_t firstField;
  uint16_t fieldCount;
  uint64_t wordMask;
  uint16_t fieldMask;
  uint16_t firstImmediate;
  uint16_t immediateCount;
};
} // namespace

static constexpr uint64_t lowMask(unsigned width) {
  return width >= 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1;
}

static std::string hex(uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof(text), "0x%llx",
                static_cast<unsigned long long>(value));
  return text;
}

/// Puts \p value into bits of \p field that are 0.
/// \returns whether it fits.
static bool putSlice(uint64_t &field, uint64_t value, unsigned lo,
                     unsigned width, bool isSigned) {
  field |= (value & lowMask(width)) << lo;
  if (!isSigned) {
    return (value & ~lowMask(width)) == 0;
  }
  const auto number = static_cast<int64_t>(value);
  const int64_t shifted = number >> (width - 1);
  return shifted == 0 || shifted == -1;
}

static std::string describeFields(const char *name, Opcode opcode,
                                  const uint64_t *fields);

#include "dialects/isa/XpeEnums.cpp.inc"

#include "dialects/isa/XpeCommands.cpp.inc"

static const CommandRange &rangeOf(Opcode opcode) {
  return commandRanges[static_cast<unsigned>(opcode)];
}

std::span<const SliceInfo> slices() { return sliceTable; }

std::span<const SliceInfo> slices(Opcode opcode) {
  const CommandRange &range = rangeOf(opcode);
  return {sliceTable + range.firstSlice, range.sliceCount};
}

std::span<const FieldInfo> fields(Opcode opcode) {
  const CommandRange &range = rangeOf(opcode);
  return {fieldTable + range.firstField, range.fieldCount};
}

std::span<const ImmediateInfo> immediates(Opcode opcode) {
  const CommandRange &range = rangeOf(opcode);
  return {immediateTable + range.firstImmediate, range.immediateCount};
}

uint16_t fieldMask(Opcode opcode) { return rangeOf(opcode).fieldMask; }

uint64_t wordMask(Opcode opcode) { return rangeOf(opcode).wordMask; }

static std::string describeFields(const char *name, Opcode opcode,
                                  const uint64_t *fieldValues) {
  std::string text = std::string(name) + "{";
  const char *separator = "";
  for (const SliceInfo &slice : slices(opcode)) {
    const uint64_t value =
        (fieldValues[slice.field] >> slice.lo) & lowMask(slice.width);
    if (value == 0) {
      continue;
    }
    text += separator + std::string(slice.name) + "=";
    separator = ", ";
    if (slice.codeNames && value < slice.codeCount) {
      text += slice.codeNames[value];
    } else if (slice.isSigned) {
      const unsigned up = 64u - slice.width;
      text += std::to_string(static_cast<int64_t>(value << up) >> up);
    } else {
      text += std::to_string(value);
    }
  }
  return text + "}";
}

/// "bits 3, 8..15" of \p mask.
static std::string bitList(uint64_t mask) {
  std::string text;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if (!(mask >> bit & 1)) {
      continue;
    }
    unsigned last = bit;
    while (last < 63 && (mask >> (last + 1) & 1)) {
      ++last;
    }
    text += text.empty() ? "" : ", ";
    text += std::to_string(bit);
    if (last > bit) {
      text += ".." + std::to_string(last);
    }
    bit = last;
  }
  return text;
}

/// "field 4 (ops)".
static std::string fieldText(Opcode opcode, unsigned index) {
  for (const FieldInfo &field : fields(opcode)) {
    if (field.index == index) {
      return "field " + std::to_string(index) + " (" + field.name + ")";
    }
  }
  return "field " + std::to_string(index);
}

std::string explainCommand(Opcode opcode, const uint64_t *fieldValues,
                           uint64_t word) {
  const std::string name = instInfo(opcode).mnemonic;
  for (const FieldInfo &field : fields(opcode)) {
    const uint64_t reserved = fieldValues[field.index] & ~field.usedMask;
    if (reserved != 0) {
      return name + ": reserved bits " + bitList(reserved) + " of " +
             fieldText(opcode, field.index) + " are set in " +
             hex(fieldValues[field.index]) +
             "; expected 0 in bits that no slice covers";
    }
  }
  const uint64_t reserved = word & ~wordMask(opcode);
  if (reserved != 0) {
    return name + ": reserved bits " + bitList(reserved) +
           " of the word are set in " + hex(word) +
           "; expected 0 in bits that no term covers";
  }
  for (const SliceInfo &slice : slices(opcode)) {
    const uint64_t value =
        (fieldValues[slice.field] >> slice.lo) & lowMask(slice.width);
    if (slice.codeNames && value >= slice.codeCount) {
      return name + ": slice " + slice.name + " of " +
             fieldText(opcode, slice.field) + " holds the unknown code " +
             std::to_string(value) + "; expected 0 (" + slice.codeNames[0] +
             ") to " + std::to_string(slice.codeCount - 1) + " (" +
             slice.codeNames[slice.codeCount - 1] + ")";
    }
    if (slice.termLo < 0) {
      continue;
    }
    const uint64_t term = (word >> slice.termLo) & lowMask(slice.termWidth);
    const uint64_t limit = lowMask(slice.width);
    if (term > limit - value) {
      return name + ": term overflows slice " + slice.name + " of " +
             fieldText(opcode, slice.field) + ": " + hex(value) +
             " in the field plus " + hex(term) +
             " in the word is more than the " + std::to_string(slice.width) +
             "-bit maximum " + hex(limit) +
             "; a smaller base in the field leaves room for the term";
    }
  }
  return "";
}

} // namespace chipwright::isa
