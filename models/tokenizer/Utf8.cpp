//===- Utf8.cpp - Code points of possibly ill-formed text -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/tokenizer/Utf8.h"

#include <utf8proc.h>

namespace chipwright::models {

Utf8Unit firstUnit(std::string_view text) {
  auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char lead = at(0);
  if (lead < 0x80) {
    return {lead, 1, true, false};
  }
  // Table 3-7 of the Unicode standard: only the second byte's range varies.
  size_t length = 0;
  unsigned char lo = 0x80, hi = 0xbf;
  uint32_t code = 0;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2;
    code = lead & 0x1f;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    code = lead & 0x0f;
    lo = lead == 0xe0 ? 0xa0 : 0x80;
    hi = lead == 0xed ? 0x9f : 0xbf;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    code = lead & 0x07;
    lo = lead == 0xf0 ? 0x90 : 0x80;
    hi = lead == 0xf4 ? 0x8f : 0xbf;
  } else {
    return {};
  }
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size()) {
      return {replacementCharacter, i, false, true};
    }
    if (at(i) < lo || at(i) > hi) {
      return {replacementCharacter, i, false, false};
    }
    code = (code << 6) | (at(i) & 0x3f);
    lo = 0x80;
    hi = 0xbf;
  }
  return {code, length, true, false};
}

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    Utf8Unit unit = firstUnit(text);
    if (!unit.wellFormed) {
      return false;
    }
    text.remove_prefix(unit.bytes);
  }
  return true;
}

std::string repairUtf8(std::string_view text) {
  std::string repaired;
  repaired.reserve(text.size());
  while (!text.empty()) {
    Utf8Unit unit = firstUnit(text);
    if (unit.wellFormed) {
      repaired.append(text.substr(0, unit.bytes));
    } else {
      appendUtf8(repaired, replacementCharacter);
    }
    text.remove_prefix(unit.bytes);
  }
  return repaired;
}

void appendUtf8(std::string &text, uint32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xc0 | (code >> 6));
    text += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xe0 | (code >> 12));
    text += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    text += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    text += static_cast<char>(0xf0 | (code >> 18));
    text += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    text += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    text += static_cast<char>(0x80 | (code & 0x3f));
  }
}

Utf8Unit lastUnit(std::string_view text) {
  size_t start = text.size() - 1;
  while (start > 0 &&
         (static_cast<unsigned char>(text[start]) & 0xc0) == 0x80) {
    --start;
  }
  return firstUnit(text.substr(start));
}

bool isWhiteSpace(uint32_t code) {
  return (code >= 0x9 && code <= 0xd) || code == 0x20 || code == 0x85 ||
         code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) ||
         code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x205f ||
         code == 0x3000;
}

bool isWordCharacter(uint32_t code) {
  if (code == 0x200c || code == 0x200d) { // Join_Control
    return true;
  }
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_MC:
  case UTF8PROC_CATEGORY_ME:
  case UTF8PROC_CATEGORY_ND:
  case UTF8PROC_CATEGORY_NL:
  case UTF8PROC_CATEGORY_PC:
    return true;
  default:
    // Other_Alphabetic beyond letters, letter-numbers and marks.
    return (code >= 0x24b6 && code <= 0x24e9) ||
           (code >= 0x1f130 && code <= 0x1f149) ||
           (code >= 0x1f150 && code <= 0x1f169) ||
           (code >= 0x1f170 && code <= 0x1f189);
  }
}

} // namespace chipwright::models
