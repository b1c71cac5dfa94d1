//===- HartOnly.cpp - One hart with flat memory ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/hart/HartOnly.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <sys/mman.h>

namespace chipwright::sim {

namespace {

/// RAM that costs host memory only where it is touched.
class Ram {
public:
  explicit Ram(uint64_t bytes) : size(bytes) {
    void *mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    memory = mapped == MAP_FAILED ? nullptr : static_cast<uint8_t *>(mapped);
  }
  Ram(const Ram &) = delete;
  Ram &operator=(const Ram &) = delete;
  ~Ram() {
    if (memory) {
      munmap(memory, size);
    }
  }
  uint8_t *data() const { return memory; }

private:
  uint64_t size;
  uint8_t *memory;
};

/// Answers accesses to the eight bytes at tohost, which no window covers.
class HostInterface : public HartEnv {
public:
  explicit HostInterface(uint64_t tohostAddress) : tohost(tohostAddress) {}

  MemResult load(Hart &hart, uint64_t address, unsigned size, uint64_t cycle,
                 bool cached) override {
    uint64_t offset = address - tohost;
    if (offset >= 8 || offset + size > 8) {
      return HartEnv::load(hart, address, size, cycle, cached);
    }
    uint64_t read = value >> (8 * offset);
    if (size < 8) {
      read &= (uint64_t(1) << (8 * size)) - 1;
    }
    return MemResult::done(read, cycle + 1);
  }

  MemResult store(Hart &hart, uint64_t address, unsigned size, uint64_t stored,
                  bool tainted, uint64_t cycle) override {
    uint64_t offset = address - tohost;
    if (offset >= 8 || offset + size > 8) {
      return HartEnv::store(hart, address, size, stored, tainted, cycle);
    }
    uint64_t mask = size < 8 ? (uint64_t(1) << (8 * size)) - 1 : ~uint64_t(0);
    value = (value & ~(mask << (8 * offset))) | (stored & mask) << (8 * offset);
    // A 32-bit program part may store the low half alone; an exit is odd.
    if (offset == 0 && (value & 1)) {
      exited = true;
      hart.fail(HartErrorKind::Environment, "The program ended.");
      return MemResult::error();
    }
    if (value != 0) {
      hart.fail(
          HartErrorKind::Environment,
          fmt::format("Hart {} at pc {:#x}: tohost request {:#x} asks for a "
                      "host service; only exit ((code << 1) | 1) exists.",
                      hart.id(), hart.pc(), value));
      return MemResult::error();
    }
    return MemResult::done(0, cycle + 1);
  }

  const uint64_t tohost;
  uint64_t value = 0;
  bool exited = false;
};

bool checkRam(const HartOnlyOptions &options, std::string &error) {
  if (options.ramBytes >= 4096 &&
      options.ramBytes <= ~uint64_t(0) - options.ramBase) {
    return true;
  }
  error = fmt::format("RAM of {} bytes at {:#x} is not possible; at least 4096 "
                      "bytes that end below 2^64 are.",
                      options.ramBytes, options.ramBase);
  return false;
}

} // namespace

HartOnlyResult runHartOnly(const HartSpec &spec, const ElfImage &program,
                           const HartOnlyOptions &options, OpCounts *counts) {
  HartOnlyResult result;
  if (!checkRam(options, result.error)) {
    return result;
  }
  std::optional<uint64_t> tohost = program.symbolAddress("tohost");
  if (!tohost) {
    result.error = "The program has no symbol 'tohost', to which it must store "
                   "(code << 1) | 1 to end; define a 64-bit variable of that "
                   "name.";
    return result;
  }
  const uint64_t ramEnd = options.ramBase + options.ramBytes;
  if (*tohost < options.ramBase || ramEnd - *tohost < 8 || *tohost > ramEnd) {
    result.error = fmt::format("tohost is at {:#x}, outside the RAM at "
                               "{:#x}..{:#x}.",
                               *tohost, options.ramBase, ramEnd);
    return result;
  }
  Ram ram(options.ramBytes);
  if (!ram.data()) {
    result.error = fmt::format("The host cannot reserve {} bytes of RAM; ask "
                               "for less.",
                               options.ramBytes);
    return result;
  }
  uint64_t textBase = ~uint64_t(0), textEnd = 0;
  for (const ElfSegment &segment : program.segments()) {
    uint64_t offset = segment.address - options.ramBase;
    if (segment.address < options.ramBase || offset > options.ramBytes ||
        segment.memoryBytes > options.ramBytes - offset) {
      result.error = fmt::format(
          "The program's segment at {:#x} needs {} bytes, but RAM is "
          "{:#x}..{:#x}; link it there or give more memory.",
          segment.address, segment.memoryBytes, options.ramBase, ramEnd);
      return result;
    }
    std::memcpy(ram.data() + offset, segment.data.data(), segment.data.size());
    if (segment.executable && !segment.writable) {
      textBase = std::min(textBase, segment.address);
      textEnd = std::max(textEnd, segment.end());
    }
  }

  HostInterface host(*tohost);
  HartSpec flat = spec;
  flat.icacheBytes = flat.dcacheBytes = 0;
  Hart hart(flat, host, 0);
  // Windows around tohost and around read-only text; the largest is first.
  // Instructions are decoded once, so that a store to text is an error rather
  // than a surprise.
  struct Cut {
    uint64_t base, end;
    bool writable;
  };
  std::vector<Cut> cuts;
  uint64_t position = options.ramBase;
  auto cut = [&](uint64_t base, uint64_t end, bool keep) {
    if (base > position) {
      cuts.push_back({position, base, true});
    }
    if (keep && end > std::max(base, position)) {
      cuts.push_back({std::max(base, position), end, false});
    }
    position = std::max(position, end);
  };
  bool hasText = textEnd > textBase;
  bool textFirst = hasText && textBase < *tohost;
  if (hasText && *tohost < textEnd && *tohost + 8 > textBase) {
    result.error = fmt::format("tohost at {:#x} lies in the read-only text "
                               "{:#x}..{:#x}; place it in a writable section.",
                               *tohost, textBase, textEnd);
    return result;
  }
  if (textFirst) {
    cut(textBase, textEnd, true);
  }
  cut(*tohost, *tohost + 8, false);
  if (hasText && !textFirst) {
    cut(textBase, textEnd, true);
  }
  cut(ramEnd, ramEnd, false);
  std::sort(cuts.begin(), cuts.end(), [](const Cut &a, const Cut &b) {
    return a.end - a.base > b.end - b.base;
  });
  for (const Cut &c : cuts) {
    if (!hart.addWindow({c.base, c.end - c.base,
                         ram.data() + (c.base - options.ramBase), nullptr,
                         c.writable})) {
      result.error = "The program's text and tohost cut RAM into too many "
                     "parts.";
      return result;
    }
  }
  hart.setImage(program.decodeText());
  hart.enableTraps(true);
  hart.reset(program.entry());
  hart.countOps(counts);
  HartStop stop = hart.run(~uint64_t(0), options.maxInstructions);

  result.instructions = hart.counters().instructions;
  result.cycles = hart.cycle();
  result.pcHash = hart.pcHash();
  if (host.exited) {
    // The store that ends the program counts.
    ++result.instructions;
    ++result.cycles;
    result.status = HartOnlyStatus::Exited;
    result.exitCode = host.value >> 1;
    return result;
  }
  result.status = HartOnlyStatus::Stopped;
  if (stop == HartStop::InstructionLimit) {
    result.error = fmt::format(
        "The program did not end within {} instructions; it stands at pc "
        "{:#x}{}; raise the budget if it is not caught in a loop.",
        options.maxInstructions, hart.pc(),
        program.describePc(hart.pc()).empty()
            ? ""
            : " (" + program.describePc(hart.pc()) + ")");
    return result;
  }
  result.errorKind = hart.error().kind;
  result.error = hart.error().text;
  std::string where = program.describePc(hart.error().pc);
  if (!where.empty()) {
    result.error += " In " + where + ".";
  }
  return result;
}

HartOnlyResult runHartOnly(const HartSpec &spec, const std::string &path,
                           const HartOnlyOptions &options, OpCounts *counts) {
  ElfImage program;
  HartOnlyResult result;
  if (!checkRam(options, result.error)) {
    return result;
  }
  if (!ElfImage::read(path, {options.ramBase, options.ramBytes}, program,
                      result.error)) {
    return result;
  }
  return runHartOnly(spec, program, options, counts);
}

std::string describe(const HartOnlyResult &result) {
  if (result.status != HartOnlyStatus::Exited) {
    return result.error;
  }
  return fmt::format("exit code {}, {} instructions, {} cycles",
                     result.exitCode, result.instructions, result.cycles);
}

} // namespace chipwright::sim
