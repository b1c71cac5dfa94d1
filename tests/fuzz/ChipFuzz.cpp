//===- ChipFuzz.cpp - Chip files ------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/ChipReport.h"
#include "chips/ResolvedChip.h"
#include "tests/fuzz/Fuzz.h"

#include <nlohmann/json.hpp>

#include <cstdint>

using namespace chipwright;

// The first line may be an override: "#set ls.bytes=64 KiB".
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  std::vector<std::string> sets;
  if (text.starts_with("#set ")) {
    sets.push_back(text.substr(5, text.find('\n') - 5));
  }
  auto chip = loadChipFromText(text, "x.yaml", sets, {CHIPWRIGHT_FUZZ_CHIPS});
  if (!chip) {
    // A wrong override is not the file's fault.
    fuzz::checkMessage(chip.error().message, sets.empty() ? "x.yaml" : "");
    return 0;
  }
  fuzz::check(!chip->canonicalText().empty(), "a chip has a text");
  fuzz::check(!formatChip(*chip).empty(), "a chip can be shown");
  fuzz::check(toJson(*chip).is_object(), "a chip can be exported");
  return 0;
}
