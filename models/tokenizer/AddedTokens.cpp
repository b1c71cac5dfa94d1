//===- AddedTokens.cpp - Tokens found before the text is split --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/tokenizer/AddedTokens.h"
#include "models/tokenizer/Utf8.h"

#include <algorithm>

namespace chipwright::models {

namespace {

uint64_t edgeKey(uint32_t node, char byte) {
  return (static_cast<uint64_t>(node) << 8) | static_cast<unsigned char>(byte);
}

size_t spaceBefore(std::string_view text) {
  size_t end = text.size();
  while (end > 0) {
    Utf8Unit unit = lastUnit(text.substr(0, end));
    if (!isWhiteSpace(unit.code)) {
      break;
    }
    end -= unit.bytes;
  }
  return end;
}

size_t spaceAtFront(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    Utf8Unit unit = firstUnit(text.substr(at));
    if (!isWhiteSpace(unit.code)) {
      break;
    }
    at += unit.bytes;
  }
  return at;
}

bool standsAlone(std::string_view before, std::string_view behind) {
  return (before.empty() || !isWordCharacter(lastUnit(before).code)) &&
         (behind.empty() || !isWordCharacter(firstUnit(behind).code));
}

} // namespace

void AddedTokenMatcher::add(std::string_view content, const AddedToken &token) {
  if (content.empty()) {
    return;
  }
  starts[static_cast<unsigned char>(content.front())] = true;
  uint32_t node = 0;
  for (char c : content) {
    auto [edge, isNew] =
        edges.emplace(edgeKey(node, c), static_cast<uint32_t>(ends.size()));
    if (isNew) {
      ends.push_back(nullptr);
    }
    node = edge->second;
  }
  if (!ends[node]) {
    ends[node] = &token;
  }
}

const AddedToken *AddedTokenMatcher::longest(std::string_view text,
                                             size_t &length) const {
  const AddedToken *best = nullptr;
  uint32_t node = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    auto edge = edges.find(edgeKey(node, text[i]));
    if (edge == edges.end()) {
      break;
    }
    node = edge->second;
    if (ends[node]) {
      best = ends[node];
      length = i + 1;
    }
  }
  return best;
}

std::vector<TextPart> AddedTokenMatcher::split(std::string_view text,
                                               bool parseSpecial) const {
  if (edges.empty() || text.empty()) {
    return {{text, nullptr}};
  }
  std::vector<TextPart> parts;
  size_t done = 0; // what is before this is in a part
  size_t at = 0;
  while (at < text.size()) {
    size_t length = 0;
    const AddedToken *token = starts[static_cast<unsigned char>(text[at])]
                                  ? longest(text.substr(at), length)
                                  : nullptr;
    if (!token) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + length;
    // A token that does not count here still hides those within it.
    at = end;
    if ((token->special && !parseSpecial) ||
        (token->singleWord &&
         !standsAlone(text.substr(0, begin), text.substr(end)))) {
      continue;
    }
    if (token->leftStrip) {
      begin = std::max(spaceBefore(text.substr(0, begin)), done);
    }
    if (token->rightStrip) {
      end += spaceAtFront(text.substr(end));
    }
    if (done < begin) {
      parts.push_back({text.substr(done, begin - done), nullptr});
    }
    // The next match may lie in white space that this one took; it counts all
    // the same, as in `tokenizers`.
    parts.push_back({std::string_view(), token});
    done = end;
  }
  if (done != text.size()) {
    parts.push_back({text.substr(done), nullptr});
  }
  return parts;
}

} // namespace chipwright::models
