//===- BytePairModel.cpp - Merging symbols of a piece -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/tokenizer/BytePairModel.h"
#include "models/tokenizer/Utf8.h"

#include <algorithm>

namespace chipwright::models {

namespace {

uint64_t pairKey(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) |
         static_cast<uint32_t>(right);
}

} // namespace

void MergeTable::reserve(size_t count) {
  size_t wanted = 16;
  while (wanted < 2 * count) {
    wanted *= 2;
  }
  if (wanted <= slots.size()) {
    return;
  }
  std::vector<Slot> old = std::move(slots);
  slots.assign(wanted, Slot());
  for (const Slot &slot : old) {
    if (slot.pair != empty) {
      slots[place(slot.pair)] = slot;
    }
  }
}

size_t MergeTable::place(uint64_t pair) const {
  // Fibonacci hashing: neighbouring ids must not fill neighbouring slots.
  uint64_t hash = pair * 0x9e3779b97f4a7c15u;
  hash ^= hash >> 32;
  size_t mask = slots.size() - 1;
  size_t at = hash & mask;
  while (slots[at].pair != empty && slots[at].pair != pair) {
    at = (at + 1) & mask;
  }
  return at;
}

void MergeTable::set(int32_t left, int32_t right, Merge merge) {
  reserve(used + 1);
  uint64_t pair = pairKey(left, right);
  Slot &slot = slots[place(pair)];
  used += slot.pair == empty;
  slot = {pair, merge};
}

const Merge *MergeTable::find(int32_t left, int32_t right) const {
  if (slots.empty()) {
    return nullptr;
  }
  uint64_t pair = pairKey(left, right);
  const Slot &slot = slots[place(pair)];
  return slot.pair == pair ? &slot.merge : nullptr;
}

bool BytePairModel::bytesOf(std::string_view text,
                            std::vector<int32_t> &tokens) const {
  for (unsigned char c : text) {
    if (byteTokens[c] < 0) {
      return false;
    }
    tokens.push_back(byteTokens[c]);
  }
  return true;
}

void BytePairModel::firstSymbols(std::string_view piece,
                                 Scratch &scratch) const {
  scratch.symbols.clear();
  auto add = [&](int32_t id) { scratch.symbols.push_back({id, 0, 0}); };
  // The order of `tokenizers`: an unknown token waits for the next known
  // symbol, byte tokens do not make it come.
  bool unknownWaits = false;
  auto addUnknown = [&] {
    if (!unknown) {
      return;
    }
    if (unknownWaits && !fuseUnknown) {
      add(*unknown);
    }
    unknownWaits = true;
  };
  auto addKnown = [&](int32_t id) {
    if (unknownWaits) {
      add(*unknown);
      unknownWaits = false;
    }
    add(id);
  };
  std::vector<int32_t> bytes;
  while (!piece.empty()) {
    if (byteLevel) {
      auto byte = static_cast<unsigned char>(piece.front());
      byteTokens[byte] < 0 ? addUnknown() : addKnown(byteTokens[byte]);
      piece.remove_prefix(1);
      continue;
    }
    std::string_view text = piece.substr(0, firstUnit(piece).bytes);
    piece.remove_prefix(text.size());
    if (auto known = ids.find(text); known != ids.end()) {
      addKnown(known->second);
    } else if (auto other = virtualIds.find(text); other != virtualIds.end()) {
      addKnown(other->second);
    } else {
      bytes.clear();
      if (byteFallback && bytesOf(text, bytes)) {
        for (int32_t id : bytes) {
          add(id);
        }
      } else {
        addUnknown();
      }
    }
  }
  if (unknownWaits) {
    add(*unknown);
  }
  auto count = static_cast<int32_t>(scratch.symbols.size());
  for (int32_t i = 0; i < count; ++i) {
    scratch.symbols[i].previous = i - 1;
    scratch.symbols[i].next = i + 1 < count ? i + 1 : -1;
  }
}

void BytePairModel::mergeAll(Scratch &scratch) const {
  using Candidate = Scratch::Candidate;
  std::vector<Scratch::Symbol> &symbols = scratch.symbols;
  std::vector<Candidate> &heap = scratch.heap;
  heap.clear();
  auto later = [](const Candidate &a, const Candidate &b) {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  };
  auto candidateAt = [&](int32_t position, Candidate &candidate) {
    const Scratch::Symbol &left = symbols[position];
    if (left.next < 0) {
      return false;
    }
    int32_t right = symbols[left.next].id;
    const Merge *merge = merges.find(left.id, right);
    if (!merge) {
      return false;
    }
    candidate = {merge->rank, position, left.id, right, merge->result};
    return true;
  };
  auto offer = [&](int32_t position) {
    Candidate candidate{};
    if (candidateAt(position, candidate)) {
      heap.push_back(candidate);
      std::push_heap(heap.begin(), heap.end(), later);
    }
  };
  Candidate first{};
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (candidateAt(static_cast<int32_t>(i), first)) {
      heap.push_back(first);
    }
  }
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    Candidate best = heap.back();
    heap.pop_back();
    Scratch::Symbol &left = symbols[best.position];
    // Symbols that merged since are gone or others now.
    if (left.id != best.left || left.next < 0 ||
        symbols[left.next].id != best.right) {
      continue;
    }
    Scratch::Symbol &right = symbols[left.next];
    left.id = best.result;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0) {
      symbols[left.next].previous = best.position;
    }
    if (left.previous >= 0) {
      offer(left.previous);
    }
    offer(best.position);
  }
}

void BytePairModel::encode(std::string_view piece, Scratch &scratch,
                           std::vector<int32_t> &tokens) const {
  if (piece.empty()) {
    return;
  }
  if (ignoreMerges) {
    if (auto whole = ids.find(piece); whole != ids.end()) {
      tokens.push_back(whole->second);
      return;
    }
  }
  firstSymbols(piece, scratch);
  if (scratch.symbols.empty()) {
    return;
  }
  mergeAll(scratch);
  for (int32_t i = 0; i >= 0; i = scratch.symbols[i].next) {
    int32_t id = scratch.symbols[i].id;
    if (virtualTexts.empty() || id < virtualBase) {
      tokens.push_back(id);
      continue;
    }
    // A code point that merged with nothing.
    size_t before = tokens.size();
    if (!byteFallback || !bytesOf(virtualTexts[id - virtualBase], tokens)) {
      tokens.resize(before);
      if (unknown) {
        tokens.push_back(*unknown);
      }
    }
  }
}

} // namespace chipwright::models
