//===- KernelRun.cpp - Compile and execute small kernels ------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/isa/KernelRun.h"

#include "tests/unit/isa/TestSupport.h"

#include <cstring>
#include <elf.h>
#include <map>

namespace chipwright::isa::test {

static CommandResult compile(const std::string &source, unsigned contexts,
                             ScratchFolder &scratch) {
  writeFile(scratch.path("kernel.c"), "#include \"xpe.h\"\n" + source);
  return runShell(
      std::string(KERNEL_CC) +
      " --target=riscv64 -march=rv64im -mabi=lp64 -mcmodel=medany -std=c11"
      " -ffreestanding -O2 -fno-unroll-loops -Wall -Wextra -Werror"
      " -DXPE_CONTEXTS=" +
      std::to_string(contexts) +
      " -I" CHIPWRIGHT_BINARY_DIR "/dialects/isa -nostdlib -static"
      " -fuse-ld=lld -Wl,-e,kernel -o " +
      scratch.path("kernel.elf") + " " + scratch.path("kernel.c"));
}

std::string compileErrors(const std::string &source, unsigned contexts) {
  ScratchFolder scratch;
  const CommandResult result = compile(source, contexts, scratch);
  return result.status == 0 ? "" : result.output + "\n";
}

namespace {

/// Memory of the interpreter: bytes that exist once they are written.
class Memory {
public:
  void write(uint64_t address, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) {
      cells[address + i] = static_cast<uint8_t>(value >> (8 * i));
    }
  }
  bool read(uint64_t address, unsigned bytes, uint64_t &value) const {
    value = 0;
    for (unsigned i = 0; i < bytes; ++i) {
      auto cell = cells.find(address + i);
      if (cell == cells.end()) {
        return false;
      }
      value |= static_cast<uint64_t>(cell->second) << (8 * i);
    }
    return true;
  }

private:
  std::map<uint64_t, uint8_t> cells;
};

class Interpreter {
public:
  Interpreter(KernelRun &run, unsigned contexts)
      : run(run), contexts(contexts) {}

  void load(const std::string &elf) {
    Elf64_Ehdr header;
    std::memcpy(&header, elf.data(), sizeof(header));
    pc = header.e_entry;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr segment;
      std::memcpy(&segment, elf.data() + header.e_phoff + i * sizeof(segment),
                  sizeof(segment));
      for (uint64_t j = 0; segment.p_type == PT_LOAD && j < segment.p_filesz;
           ++j) {
        memory.write(segment.p_vaddr + j,
                     static_cast<uint8_t>(elf[segment.p_offset + j]), 1);
      }
    }
  }

  void execute(uint64_t a, uint64_t b) {
    x[1] = returnAddress;
    x[2] = 0x7fff0000;
    x[10] = a;
    x[11] = b;
    while (pc != returnAddress) {
      uint64_t word = 0;
      if (!memory.read(pc, 4, word)) {
        return fail("no instruction");
      }
      if (++run.instructions > 1000000) {
        return fail("does not end");
      }
      if (!step(static_cast<uint32_t>(word))) {
        return fail("cannot execute " +
                    disassemble(static_cast<uint32_t>(word)));
      }
      x[0] = 0;
    }
  }

private:
  static constexpr uint64_t returnAddress = 0xdead0000;
  KernelRun &run;
  unsigned contexts;
  Memory memory;
  uint64_t pc = 0;
  std::array<uint64_t, 32> x{};
  std::array<std::array<uint64_t, fieldCount>, 32> context{};

  void fail(const std::string &text) {
    run.error = text + " at pc " + std::to_string(pc);
  }

  static uint64_t word32(uint64_t value) {
    return static_cast<uint64_t>(
        static_cast<int64_t>(static_cast<int32_t>(value)));
  }

  bool step(uint32_t word) {
    const uint32_t opcode = word & 0x7f;
    if (opcode == 0x0b || opcode == 0x2b || opcode == 0x5b || opcode == 0x7b) {
      pc += 4;
      return stepXpe(word);
    }
    return stepBase(word, opcode);
  }

  bool stepXpe(uint32_t word) {
    const std::optional<DecodedXpe> inst = decode(word);
    if (!inst || (contexts == 0 ? inst->ctx != 0 : false)) {
      return false;
    }
    auto &fields = context[inst->ctx];
    if (inst->opcode == Opcode::Set) {
      ++run.fieldWrites;
      fields[inst->field] = x[inst->rs1];
      return true;
    }
    Executed entry;
    entry.inst = *inst;
    entry.rs1Value = x[inst->rs1];
    entry.rs2Value = x[inst->rs2];
    if (instInfo(inst->opcode).isCommand) {
      entry.fields = fields;
      entry.word = x[inst->rs1];
      if (inst->rs1 == 0) {
        entry.word = fields[autoField];
        fields[autoField] += fields[stepField];
      }
      if (contexts == 0) {
        fields = {};
      }
    }
    if (instInfo(inst->opcode).writesRd) {
      x[inst->rd] = 1000 + inst->cb + inst->which;
    }
    run.executed.push_back(entry);
    return true;
  }

  bool stepBase(uint32_t word, uint32_t opcode) {
    const uint32_t rd = word >> 7 & 31;
    const uint32_t funct3 = word >> 12 & 7;
    const uint64_t a = x[word >> 15 & 31];
    const uint64_t b = x[word >> 20 & 31];
    const auto signedWord = static_cast<int32_t>(word);
    const auto immI =
        static_cast<uint64_t>(static_cast<int64_t>(signedWord >> 20));
    const uint64_t next = pc + 4;
    switch (opcode) {
    case 0x37: // lui
      x[rd] = word32(word & 0xfffff000);
      break;
    case 0x17: // auipc
      x[rd] = pc + word32(word & 0xfffff000);
      break;
    case 0x13:
    case 0x1b:
      return arithmetic(rd, funct3, a, immI, opcode == 0x1b,
                        funct3 == 5 && (word >> 30 & 1), false);
    case 0x33:
    case 0x3b:
      if (word >> 25 == 1) {
        if (funct3 != 0) {
          return false;
        }
        x[rd] = opcode == 0x3b ? word32(a * b) : a * b;
        break;
      }
      return arithmetic(rd, funct3, a, b, opcode == 0x3b, word >> 30 & 1, true);
    case 0x03: {
      const unsigned bytes = 1u << (funct3 & 3);
      uint64_t value = 0;
      if (!memory.read(a + immI, bytes, value)) {
        return false;
      }
      if (!(funct3 & 4) && bytes < 8) {
        const unsigned up = 64 - 8 * bytes;
        value = static_cast<uint64_t>(static_cast<int64_t>(value << up) >> up);
      }
      x[rd] = value;
      break;
    }
    case 0x23:
      memory.write(a + ((immI & ~uint64_t(31)) | rd), b, 1u << funct3);
      break;
    case 0x63: {
      const bool taken = compare(funct3, a, b);
      const uint32_t magnitude =
          (word >> 7 & 0x1e) | (word >> 20 & 0x7e0) | (word << 4 & 0x800);
      const uint64_t offset = magnitude | (word >> 31 ? ~uint64_t(0xfff) : 0);
      pc = taken ? pc + offset : next;
      return true;
    }
    case 0x6f: {
      const uint32_t magnitude =
          (word >> 20 & 0x7fe) | (word >> 9 & 0x800) | (word & 0xff000);
      x[rd] = next;
      pc += magnitude | (word >> 31 ? ~uint64_t(0xfffff) : 0);
      return true;
    }
    case 0x67:
      pc = (a + immI) & ~uint64_t(1);
      x[rd] = next;
      return true;
    default:
      return false;
    }
    pc = next;
    return true;
  }

  static bool compare(uint32_t funct3, uint64_t a, uint64_t b) {
    const bool equal = a == b;
    const bool less = static_cast<int64_t>(a) < static_cast<int64_t>(b);
    const bool below = a < b;
    const bool value = funct3 < 2 ? equal : (funct3 < 6 ? less : below);
    return value != (funct3 & 1);
  }

  bool arithmetic(uint32_t rd, uint32_t funct3, uint64_t a, uint64_t b,
                  bool is32, bool alternative, bool isRegister) {
    const unsigned shift = b & (is32 ? 31 : 63);
    uint64_t value = 0;
    switch (funct3) {
    case 0:
      value = alternative && isRegister ? a - b : a + b;
      break;
    case 1:
      value = a << shift;
      break;
    case 2:
      value = static_cast<int64_t>(a) < static_cast<int64_t>(b);
      break;
    case 3:
      value = a < b;
      break;
    case 4:
      value = a ^ b;
      break;
    case 5:
      if (alternative) {
        value = static_cast<uint64_t>(
            static_cast<int64_t>(is32 ? word32(a) : a) >> shift);
      } else {
        value = (is32 ? a & 0xffffffff : a) >> shift;
      }
      break;
    case 6:
      value = a | b;
      break;
    default:
      value = a & b;
      break;
    }
    x[rd] = is32 ? word32(value) : value;
    pc += 4;
    return true;
  }
};

} // namespace

KernelRun runKernel(const std::string &source, unsigned contexts, uint64_t a,
                    uint64_t b) {
  KernelRun run;
  ScratchFolder scratch;
  const CommandResult result = compile(source, contexts, scratch);
  if (result.status != 0) {
    run.error = result.output;
    return run;
  }
  Interpreter interpreter(run, contexts);
  interpreter.load(readFile(scratch.path("kernel.elf")));
  interpreter.execute(a, b);
  return run;
}

} // namespace chipwright::isa::test
