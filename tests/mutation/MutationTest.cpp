//===- MutationTest.cpp ---------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Changes one slice of one field of one command of a kernel while it runs, and
// looks at what follows: results change only where they depend on the command,
// or the error that belongs to the slice stops the run, or results or cycles
// show the change, or the slice decides nothing under the command's flags.
// CHIPWRIGHT_SEED sets the seed, CHIPWRIGHT_LONG=1 makes ten times as many
// changes.
//
//===----------------------------------------------------------------------===//

#include "chips/Geometry.h"
#include "chips/ResolvedChip.h"
#include "runtime/Kernel.h"
#include "runtime/KernelBuild.h"
#include "runtime/Tensor.h"
#include "sim/machine/Machine.h"
#include "sim/memory/AddressMap.h"
#include "sim/pe/Pe.h"
#include "tests/mutation/DependenceCone.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string_view>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;
using sim::FaultKind;

// SystemC's library expects one; the machine elaborates by itself.
extern "C" int sc_main(int, char **) { return 0; }

namespace {

uint64_t firstSeed() {
  const char *text = std::getenv("CHIPWRIGHT_SEED");
  return text && *text ? std::strtoull(text, nullptr, 0) : 20240601;
}

unsigned mutationsPerKernel() {
  const char *text = std::getenv("CHIPWRIGHT_LONG");
  return text && std::strcmp(text, "1") == 0 ? 800 : 80;
}

struct Mutation {
  size_t index; // in the trace
  const isa::SliceInfo *slice;
  uint64_t value;
};

void applyTo(uint64_t *fields, const Mutation &mutation) {
  const isa::SliceInfo &slice = *mutation.slice;
  uint64_t mask =
      slice.width == 64 ? ~uint64_t(0) : (uint64_t(1) << slice.width) - 1;
  fields[slice.field] = (fields[slice.field] & ~(mask << slice.lo)) |
                        (mutation.value & mask) << slice.lo;
}

/// Records every command; changes one.
class Recorder final : public sim::CommandHook {
public:
  sim::Machine *machine = nullptr;
  std::vector<IssuedCommand> trace;
  const IssuedCommand *target = nullptr;
  Mutation mutation{};
  bool applied = false;

  void issuing(unsigned pe, unsigned hart, uint64_t number, Opcode opcode,
               uint64_t *fields, uint64_t &word) override {
    if (target) {
      if (target->pe == pe && target->hart == hart &&
          target->number == number) {
        applied = true;
        applyTo(fields, mutation);
      }
      return;
    }
    IssuedCommand command{pe, hart, number, opcode, {}, word, {}};
    std::copy_n(fields, isa::fieldCount, command.fields.begin());
    for (unsigned cb = 0; cb < machine->spec().cp.cbs; ++cb) {
      const sim::CircularBuffer &buffer = machine->pe(pe).cb(cb);
      command.pointers.push_back(
          {buffer.reader.logical, buffer.writer.logical});
    }
    trace.push_back(std::move(command));
  }
};

/// Keeps what one command has written to CBs when it is done.
class OutputSnapshot final : public sim::TraceSink {
public:
  sim::Machine *machine = nullptr;
  const IssuedCommand *target = nullptr;
  /// Place in local memory and bytes, one entry per output.
  using Outputs = std::vector<std::pair<uint32_t, std::vector<uint8_t>>>;
  Outputs outputs;
  const Outputs *places = nullptr; // look here instead

  void command(unsigned pe, const sim::Command &command, sim::Cycle,
               sim::Cycle) override {
    if (!target || pe != target->pe || command.hart != target->hart ||
        command.number != target->number) {
      return;
    }
    const uint8_t *data = machine->pe(pe).localData();
    for (unsigned i = 0; places && i < places->size(); ++i) {
      const auto &[place, bytes] = (*places)[i];
      outputs.push_back({place, {data + place, data + place + bytes.size()}});
    }
    for (unsigned i = 0; !places && i < command.numOutputs; ++i) {
      const sim::CbRange &range = command.outputs[i];
      uint32_t place = machine->pe(pe).cb(range.cb).place(range.position);
      outputs.push_back({place, {data + place, data + place + range.bytes}});
    }
  }
  void link(unsigned, sim::Cycle, sim::Cycle, uint64_t) override {}
  void dram(unsigned, sim::Cycle, sim::Cycle, uint64_t, bool) override {}
  void cbEvent(unsigned, unsigned, bool, uint32_t, uint64_t,
               sim::Cycle) override {}
};

/// A machine's end: memory, CB contents, pointers, cycles, cache state.
struct Outcome {
  sim::JobResult job;
  uint64_t digest = 0; // of what later launches depend on outside the PEs
  std::vector<std::vector<uint8_t>> buffers;
  struct Cb {
    unsigned pe, number;
    uint64_t reader, writer;
    std::vector<uint8_t> bytes;
  };
  std::vector<Cb> cbs;
};

class Subject {
public:
  Subject(const char *kernelName, KernelShape shape, const ChipSpec &chip,
          bool inDram)
      : name(kernelName), chip(chip) {
    const Kernel *kernel = findKernel(kernelName);
    if (!kernel) {
      ADD_FAILURE() << "no kernel " << kernelName;
      return;
    }
    auto planned = planKernel(*kernel, chip, shape);
    if (!planned) {
      ADD_FAILURE() << planned.error().message;
      return;
    }
    plan = planned.take();
    auto elf = buildPlan(*kernel, plan, chip);
    if (!elf) {
      ADD_FAILURE() << elf.error().message;
      return;
    }
    auto loaded = loadKernel(*elf, kernelName);
    if (!loaded) {
      ADD_FAILURE() << loaded.error().message;
      return;
    }
    image = loaded.take();
    uint64_t at =
        sim::physicalAddress(inDram ? sim::Space::Dram : sim::Space::Sram, 0);
    for (const KernelBuffer &buffer : plan.buffers) {
      addresses.push_back(at);
      at += (buffer.bytes() + 4095) / 4096 * 4096;
    }
    ready = true;
  }

  Outcome run(Recorder &recorder, OutputSnapshot *snapshot = nullptr) const {
    sim::MachineOptions options;
    options.trace = snapshot;
    options.mode = sim::Mode::Functional;
    options.maxCycles = sim::Cycle(1) << 22;
    options.hook = &recorder;
    sim::Machine machine(chip, options);
    recorder.machine = &machine;
    if (snapshot) {
      snapshot->machine = &machine;
    }
    std::vector<sim::Buffer *> buffers;
    for (size_t i = 0; i < addresses.size(); ++i) {
      const KernelBuffer &buffer = plan.buffers[i];
      buffers.push_back(machine.declare(buffer.name, addresses[i],
                                        buffer.bytes(), sim::BufferKind::Bulk));
      if (buffer.isOutput) {
        poison(buffer, buffers.back()->data());
      } else {
        fillRandom(buffer, i + 1, buffers.back()->data());
      }
    }
    sim::Job job;
    job.image = &image;
    job.arguments = plan.arguments(addresses);
    job.rows = chip.grid.rows;
    job.cols = chip.grid.cols;
    // Bytes that a command writes for the first time show, whatever they are.
    for (unsigned pe = 0; pe < machine.numPes(); ++pe) {
      std::memset(machine.pe(pe).localData(), 0xa5, chip.ls.bytes);
    }
    Outcome outcome;
    outcome.job = machine.launch(job);
    outcome.digest = machine.digest();
    for (const sim::Buffer *buffer : buffers) {
      outcome.buffers.emplace_back(buffer->data(),
                                   buffer->data() + buffer->bytes);
    }
    for (unsigned pe = 0; pe < machine.numPes(); ++pe) {
      for (unsigned cb = 0; cb < chip.cp.cbs; ++cb) {
        const sim::CircularBuffer &ring = machine.pe(pe).cb(cb);
        if (ring.configured) {
          const uint8_t *data = machine.pe(pe).localData() + ring.base;
          outcome.cbs.push_back({pe,
                                 cb,
                                 ring.reader.effective,
                                 ring.writer.effective,
                                 {data, data + ring.size}});
        }
      }
    }
    return outcome;
  }

  const char *name;
  const ChipSpec &chip;
  KernelPlan plan;
  sim::KernelImage image;
  std::vector<uint64_t> addresses;
  bool ready = false;
};

/// \returns whether a slice decides which bytes of CBs a command uses.
bool decidesCbRange(const isa::SliceInfo &slice) {
  std::string_view name = slice.name;
  bool dma = slice.opcode == Opcode::DmaIn || slice.opcode == Opcode::DmaOut;
  if (dma) {
    return name == "rows" || name == "row_bytes" || name == "cb" ||
           name == "local_pitch" || name == "indexed" ||
           name.substr(0, 6) == "index_";
  }
  static const std::set<std::string_view> others = {
      "op1",    "op2",    "f",          "scale", "scale_imm",  "fill_imm",
      "y1_imm", "y2_imm", "swap_pairs", "bank",  "accumulate", "win_base"};
  return others.count(name) == 0;
}

/// Whether an error of this kind belongs to a change of this slice.
bool matches(FaultKind kind, const isa::SliceInfo &slice) {
  std::string_view name = slice.name;
  bool dmaIn = slice.opcode == Opcode::DmaIn;
  bool dma = dmaIn || slice.opcode == Opcode::DmaOut;
  bool place = name == "addr" || name == "pitch" || name == "valid_rows" ||
               name == "valid_bytes";
  bool group = name == "mcast" || name == "mcast_mask";
  switch (kind) {
  case FaultKind::BadCommand: // reserved codes, sizes, banks
    return true;
  case FaultKind::BadAccess:
    return dma && place;
  case FaultKind::CbMisuse:
  case FaultKind::CbOverflow:
  case FaultKind::CbUnderflow:
    return decidesCbRange(slice);
  case FaultKind::MulticastOrder:
    return dmaIn && (place || group || name == "policy");
  case FaultKind::TaintedControl:
    return name == "indexed" || name.substr(0, 6) == "index_";
  case FaultKind::Deadlock:
    return decidesCbRange(slice) || (dmaIn && group);
  default:
    return false;
  }
}

/// Counts of outcomes by kernel.
struct Table {
  std::map<std::string, unsigned> counts;
  unsigned total = 0;
  void print(const char *name) const {
    std::printf("%-12s %4u:", name, total);
    for (const auto &[what, count] : counts) {
      std::printf("  %s %u", what.c_str(), count);
    }
    std::printf("\n");
  }
};

uint64_t otherValue(std::mt19937_64 &random, const isa::SliceInfo &slice,
                    uint64_t old) {
  uint64_t mask =
      slice.width == 64 ? ~uint64_t(0) : (uint64_t(1) << slice.width) - 1;
  for (;;) {
    uint64_t value = old;
    switch (random() % 5) {
    case 0:
      value = old ^ uint64_t(1) << random() % slice.width;
      break;
    case 1:
      value = old + 1;
      break;
    case 2:
      value = old - 1;
      break;
    case 3: // near values keep the command legal more often
      value = old + (random() % 64) - 32;
      break;
    default:
      value = slice.codeCount ? random() % slice.codeCount : random();
    }
    if ((value & mask) != old) {
      return value & mask;
    }
  }
}

class MutationTest : public testing::Test {
protected:
  std::map<std::string, unsigned> deadRules;
  void check(const Subject &subject);
  bool writesTheSame(const Subject &subject, const Recorder &recorder,
                     const Mutation &mutation);
  void judge(const Subject &subject, const Recorder &recorder,
             const Outcome &before, const Outcome &after,
             const Mutation &mutation, Table &table);
};

/// Whether the command, changed or not, leaves the same bytes in its outputs,
/// because its other operands hide the change (the largest of a row stays the
/// largest), and what it writes beyond them is written again by later
/// commands of its hart.
bool MutationTest::writesTheSame(const Subject &subject,
                                 const Recorder &recorder,
                                 const Mutation &mutation) {
  const IssuedCommand &original = recorder.trace[mutation.index];
  IssuedCommand changed = original;
  applyTo(changed.fields.data(), mutation);
  OutputSnapshot was, is;
  was.target = is.target = &original;
  is.places = &was.outputs;
  Recorder plain, changer;
  changer.target = &original;
  changer.mutation = mutation;
  subject.run(plain, &was);
  subject.run(changer, &is);
  if (was.outputs.empty() || was.outputs != is.outputs) {
    return false;
  }
  std::set<std::pair<unsigned, uint64_t>> beyond;
  for (const StreamRange &range : footprintOf(changed, subject.chip).writes) {
    for (uint64_t i = 0; i < range.bytes; ++i) {
      beyond.insert({range.cb, range.begin + i});
    }
  }
  for (const IssuedCommand &command : recorder.trace) {
    if (command.pe != original.pe || command.hart != original.hart ||
        command.number < original.number) {
      continue;
    }
    for (const StreamRange &range : footprintOf(command, subject.chip).writes) {
      beyond.erase(beyond.lower_bound({range.cb, range.begin}),
                   beyond.lower_bound({range.cb, range.begin + range.bytes}));
    }
  }
  return beyond.empty();
}

void MutationTest::judge(const Subject &subject, const Recorder &recorder,
                         const Outcome &before, const Outcome &after,
                         const Mutation &mutation, Table &table) {
  const IssuedCommand &original = recorder.trace[mutation.index];
  IssuedCommand changed = original;
  applyTo(changed.fields.data(), mutation);
  ++table.total;
  if (!after.job.finished) {
    const sim::Fault &fault = after.job.fault;
    ++table.counts[sim::faultName(fault.kind)];
    EXPECT_TRUE(matches(fault.kind, *mutation.slice)) << fault.text;
    if (fault.kind == FaultKind::BadCommand ||
        fault.kind == FaultKind::BadAccess) {
      EXPECT_EQ(fault.site.pe, original.pe);
      EXPECT_EQ(fault.site.hart, original.hart);
    }
    return;
  }
  DependenceCone cone(recorder.trace, mutation.index, changed, subject.chip);
  bool results = false, local = false;
  for (size_t b = 0; b < before.buffers.size(); ++b) {
    for (size_t i = 0; i < before.buffers[b].size(); ++i) {
      if (before.buffers[b][i] != after.buffers[b][i]) {
        results = true;
        ASSERT_TRUE(cone.holdsMemory(subject.addresses[b] + i))
            << "byte " << i << " of " << subject.plan.buffers[b].name
            << " changed outside of the cone";
      }
    }
  }
  ASSERT_EQ(before.cbs.size(), after.cbs.size());
  for (size_t c = 0; c < before.cbs.size(); ++c) {
    const Outcome::Cb &was = before.cbs[c], &is = after.cbs[c];
    uint32_t size = uint32_t(was.bytes.size());
    ASSERT_EQ(size, is.bytes.size());
    if (was.reader != is.reader || was.writer != is.writer) {
      local = true;
      ASSERT_TRUE(cone.holdsPointer(was.pe, was.number))
          << "pointers of CB " << was.number << " changed";
    }
    for (uint32_t i = 0; i < size; ++i) {
      if (was.bytes[i] != is.bytes[i]) {
        local = true;
        ASSERT_TRUE(cone.holdsCbByte(was.pe, was.number, i, size))
            << "byte " << i << " of CB " << was.number
            << " changed outside of the cone";
      }
    }
  }
  if (results) {
    ++table.counts["other results"];
  } else if (local) {
    ++table.counts["other CBs"];
  } else if (before.digest != after.digest &&
             before.job.cycles == after.job.cycles) {
    ++table.counts["other cache state"];
  } else if (before.job.cycles != after.job.cycles) {
    ++table.counts["other cycles"];
  } else if (const char *why = whyDead(original, mutation.slice->name)) {
    ++table.counts["dead"];
    ++deadRules[why];
  } else if (std::string_view(mutation.slice->name) == "local_pitch" &&
             footprintOf(original, subject.chip).moves ==
                 footprintOf(changed, subject.chip).moves) {
    ++table.counts["dead"];
    ++deadRules["a local pitch of 0 is row_bytes"];
  } else if (writesTheSame(subject, recorder, mutation)) {
    ++table.counts["same values"];
  } else {
    ++table.counts["alike"];
    ADD_FAILURE() << "neither results nor cycles show the change";
  }
  // What is called dead must be.
  if (whyDead(original, mutation.slice->name)) {
    EXPECT_FALSE(results || local || before.job.cycles != after.job.cycles ||
                 before.digest != after.digest)
        << whyDead(original, mutation.slice->name);
  }
}

void MutationTest::check(const Subject &subject) {
  ASSERT_TRUE(subject.ready);
  std::printf("CHIPWRIGHT_SEED=%llu\n",
              static_cast<unsigned long long>(firstSeed()));
  std::mt19937_64 random(firstSeed());
  Recorder recorder;
  Outcome before = subject.run(recorder);
  ASSERT_TRUE(before.job.finished) << before.job.fault.text;
  ASSERT_FALSE(recorder.trace.empty());
  Table table;
  for (unsigned i = 0; i < mutationsPerKernel(); ++i) {
    Mutation mutation;
    mutation.index = random() % recorder.trace.size();
    const IssuedCommand &target = recorder.trace[mutation.index];
    auto slices = isa::slices(target.opcode);
    mutation.slice = &slices[random() % slices.size()];
    uint64_t mask = mutation.slice->width == 64
                        ? ~uint64_t(0)
                        : (uint64_t(1) << mutation.slice->width) - 1;
    uint64_t old =
        target.fields[mutation.slice->field] >> mutation.slice->lo & mask;
    mutation.value = otherValue(random, *mutation.slice, old);
    char text[200];
    std::snprintf(text, sizeof(text),
                  "change %u: PE %u hart %u command %llu %s.%s %#llx -> %#llx",
                  i, target.pe, target.hart,
                  static_cast<unsigned long long>(target.number),
                  isa::instInfo(target.opcode).mnemonic, mutation.slice->name,
                  static_cast<unsigned long long>(old),
                  static_cast<unsigned long long>(mutation.value));
    SCOPED_TRACE(text);
    Recorder changer;
    changer.target = &target;
    changer.mutation = mutation;
    Outcome after = subject.run(changer);
    ASSERT_TRUE(changer.applied);
    judge(subject, recorder, before, after, mutation, table);
  }
  table.print(subject.name);
  // The rules prove almost all that does not show.
  EXPECT_LE(table.counts["same values"] * 20, table.total);
  for (const auto &[rule, count] : deadRules) {
    std::printf("  dead: %s %u\n", rule.c_str(), count);
  }
}

/// Four PEs with the smallest memories, so that machines are cheap to build.
const ChipSpec &chip() {
  static const ChipSpec spec = [] {
    auto loaded = loadChip("mtia-2i");
    if (!loaded) {
      std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
      std::abort();
    }
    ChipSpec small = loaded->spec;
    small.grid = {2, 2};
    small.ls.bytes = 128 << 10;
    small.sram.partitionBytes = 64 << 10;
    small.sram.llsBytes = 1 << 20;
    small.sram.bytes = (1 << 20) + (512 << 10);
    small.sram.banks = 4;
    small.sram.llcWays = 4;
    small.dram.channels = 4;
    small.dram.pinBytesPerSecond /= 4;
    small.dram.bytes = uint64_t(1) << 30;
    if (auto wrong = checkGeometry(small)) {
      std::fprintf(stderr, "%s\n", wrong->text.c_str());
      std::abort();
    }
    return small;
  }();
  return spec;
}

KernelShape matrix(uint64_t rows, uint64_t cols) {
  KernelShape shape;
  shape.rows = rows;
  shape.cols = cols;
  return shape;
}

KernelShape vector(uint64_t elements) {
  KernelShape shape;
  shape.elements = elements;
  return shape;
}

TEST_F(MutationTest, Gemm) {
  KernelShape shape;
  shape.m = 256;
  shape.n = 256;
  shape.k = 128;
  check(Subject("gemm", shape, chip(), /*inDram=*/false));
}

TEST_F(MutationTest, Softmax) {
  check(Subject("softmax", matrix(64, 256), chip(), /*inDram=*/false));
}

TEST_F(MutationTest, Rmsnorm) {
  check(Subject("rmsnorm", matrix(64, 256), chip(), /*inDram=*/true));
}

TEST_F(MutationTest, Add) {
  check(Subject("add", vector(40000), chip(), /*inDram=*/true));
}

TEST_F(MutationTest, Transpose) {
  check(Subject("transpose", matrix(100, 200), chip(), /*inDram=*/false));
}

TEST_F(MutationTest, Copy) {
  check(Subject("copy", vector(40000), chip(), /*inDram=*/true));
}

} // namespace
