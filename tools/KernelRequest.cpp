//===- KernelRequest.cpp - Command line of chipwright kernel --------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tools/KernelRequest.h"

#include "models/BlockQuantisation.h"
#include "tools/Arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <sstream>

using namespace chipwright;
using namespace chipwright::tools;
namespace po = boost::program_options;
using Strings = std::vector<std::string>;

static constexpr const char *kCommand = "kernel";

po::options_description tools::kernelOptions() {
  po::options_description options("options", 80, 44);
  auto text = [](const char *name) {
    return po::value<std::string>()->value_name(name);
  };
  auto list = [](const char *name) {
    return po::value<Strings>()->value_name(name)->composing();
  };
  options.add_options()("help,h", "this text")(
      "chip", text("NAME")->default_value("mtia-2i"),
      "chip, a name or a YAML file (chipwright show chips)")(
      "set", list("PATH=VALUE"),
      "change a parameter of the chip; may be repeated")(
      "dtype", text("TYPE"), "element type: fp16, bf16, fp32, int8, ...")(
      "weight-dtype", text("TYPE"),
      "gemm: B in memory: same (the default), int4 or mxfp4 with a scale for "
      "each 32 columns")("m", text("N"), "rows of A and C")(
      "n", text("N"), "rows of B, columns of C")(
      "k", text("N"), "columns of A and B")("tokens", text("N"),
                                            "tokens that attend")(
      "context", text("N"), "tokens that are attended to")("heads", text("N"),
                                                           "heads of queries")(
      "kv-heads", text("N"), "heads of keys and values")("head-size", text("N"),
                                                         "elements of a head")(
      "hidden", text("N"), "columns of a token")("intermediate", text("N"),
                                                 "width of an expert")(
      "experts", text("N"), "experts to choose from")("top-k", text("N"),
                                                      "experts of a token")(
      "shared-intermediate", text("N"),
      "width of an expert that all tokens take besides, none by default")(
      "routing", text("HOW"),
      "experts of the tokens: uniform (in turn), one (the same for all) or "
      "random (by --seed)")("elements", text("N"),
                            "elements of one operand; stream: read + written")(
      "rows", text("N"), "rows of the input")("cols", text("N"),
                                              "columns of the input")(
      "read-fraction", text("F"), "part of --elements that is read, 0 to 1")(
      "memory", text("WHERE"),
      "buffers in dram, sram (scratch), or auto: sram if all fit")(
      "weights", text("WHERE"), "the same for weights only")(
      "activations", text("WHERE"), "the same for activations only")(
      "mode", text("MODE")->default_value("timing"),
      "timing: no tensor data; functional: computes and checks numbers, in the "
      "same number of cycles")("seed", text("N")->default_value("1"),
                               "seed of the random inputs")(
      "max-cycles", text("N"), "stop the simulation after N cycles")(
      "json", text("FILE"), "write JSON to FILE, - is stdout")(
      "sweep", list("PATH=V1,V2,..."),
      "run once for each value of a chip parameter; repeated: for each "
      "combination")("jobs", text("N")->default_value("1"),
                     "worker processes of a sweep, 1 to 8")(
      "trace", text("FILE"),
      "write a timeline for ui.perfetto.dev, - is stdout")(
      "trace-pe", text("R,C[:R,C...]"),
      "only these PEs; R and C may be ranges 0-3 or *")(
      "trace-window", text("A:B"), "only cycles A to B")(
      "trace-max-bytes", text("N")->default_value("100000000"),
      "largest size of the trace")(
      "watch", po::value<Strings>()->value_name("pe=R,C [cb=N]")->multitoken(),
      "print what happens to circular buffers of a PE")(
      "file", text("FILE"),
      "a kernel of your own: C (.c), pe dialect (.mlir) or RISC-V ELF")(
      "buffer", list("NAME:BYTES[:dram|sram][:control]"),
      "a buffer of --file; in timing mode only control buffers are stored")(
      "args", po::value<Strings>()->value_name("[NAME=]N ...")->multitoken(),
      "64-bit arguments of --file, behind the addresses of its buffers")(
      "emit", text("FILE"),
      "write the kernel's tile program (MLIR) with its schedule instead of "
      "running it, - is stdout; chipwright-opt and --file read it")(
      "hart-only",
      "run --file (an ELF with a tohost symbol) on one hart with plain RAM");
  return options;
}

std::string tools::kernelHelp(const po::options_description &options) {
  std::ostringstream text;
  text << "usage: chipwright kernel NAME [options]\n"
          "       chipwright kernel --file F [--buffer ...] [--args ...]\n\n"
          "Compiles a kernel for the chip, runs it on the simulated machine, "
          "and says how\nlong it took and what bounds it.\n\nkernels:\n";
  for (const Kernel *kernel : kernels()) {
    // Lines of 80 columns.
    std::string sizes;
    size_t column = 0;
    for (const char *option : kernel->options) {
      std::string word = fmt::format(" --{}", option);
      if (sizes.empty() || column + word.size() > 80) {
        sizes += (sizes.empty() ? "" : "\n") + std::string(12, ' ');
        column = 12;
      }
      sizes += word;
      column += word.size();
    }
    text << fmt::format("  {:<10} {}\n{}", kernel->name, kernel->summary,
                        sizes.empty() ? "" : sizes + "\n");
  }
  text << "\n"
       << options << R"(
examples:
  chipwright kernel softmax --rows 4096 --cols 1024 --mode functional
  chipwright kernel gemm --m 512 --n 4096 --k 4096 --weights dram --json g.json
  chipwright kernel attention --tokens 1 --context 8192 --heads 40 --kv-heads 8
  chipwright kernel moe --tokens 32 --routing random --mode functional
  chipwright kernel stream --elements 64M --read-fraction 0.67 --memory dram
  chipwright kernel copy --sweep noc.link_bytes=32,64,128 --jobs 2
  chipwright kernel add --trace t.json --trace-pe 0,0 --watch pe=0,0 cb=2
  chipwright kernel --file my.c --buffer in:1M:dram --buffer out:1M --args n=4096
  chipwright kernel --file my.mlir --buffer in:1M --buffer out:1M --args n=1M

A kernel of your own defines kernel_load(args), run by hart 0 of every PE, and
kernel_compute(args), run by hart 1. args points to 64-bit words in local
memory: the physical addresses of the --buffer options in their order, then
the numbers of --args (names before = are for you only). See kernel.h and xpe.h.
)";
  return text.str();
}

namespace {

/// Collects the first error of many small steps.
class Reader {
public:
  explicit Reader(const po::variables_map &values) : values(values) {}

  bool has(const char *name) const { return values.count(name) != 0; }
  std::string text(const char *name) const {
    return values[name].as<std::string>();
  }
  Strings list(const char *name) const {
    return has(name) ? values[name].as<Strings>() : Strings();
  }

  void number(const char *name, std::optional<uint64_t> &result) {
    if (has(name)) {
      take(parseNumber(text(name), std::string("--") + name, kCommand),
           [&](uint64_t value) { result = value; });
    }
  }

  void memory(const char *name, std::optional<MemoryChoice> &result) {
    if (has(name)) {
      result = memoryChoiceFromName(text(name));
      if (!result) {
        fail(fmt::format("--{} is '{}', expected dram, sram or auto", name,
                         text(name)));
      }
    }
  }

  void fail(const std::string &message) {
    if (!error) {
      error = usageError(message, kCommand);
    }
  }

  template <typename T, typename F> void take(Result<T> result, F use) {
    if (result) {
      use(*result);
    } else if (!error) {
      error = result.error();
    }
  }

  const po::variables_map &values;
  std::optional<Diagnostic> error;
};

void readShape(Reader &reader, KernelShape &shape) {
  reader.number("elements", shape.elements);
  reader.number("rows", shape.rows);
  reader.number("cols", shape.cols);
  reader.number("m", shape.m);
  reader.number("n", shape.n);
  reader.number("k", shape.k);
  reader.number("tokens", shape.tokens);
  reader.number("context", shape.context);
  reader.number("heads", shape.heads);
  reader.number("kv-heads", shape.kvHeads);
  reader.number("head-size", shape.headSize);
  reader.number("hidden", shape.hidden);
  reader.number("intermediate", shape.intermediate);
  reader.number("experts", shape.experts);
  reader.number("top-k", shape.topK);
  reader.number("shared-intermediate", shape.sharedIntermediate);
  if (reader.has("routing")) {
    shape.routing = routingFromName(reader.text("routing"));
    if (!shape.routing) {
      reader.fail(
          fmt::format("--routing is '{}', expected uniform, one or random",
                      reader.text("routing")));
    }
  }
  if (reader.has("weight-dtype") && reader.text("weight-dtype") != "same") {
    auto blocks = models::blockTypeFromName(reader.text("weight-dtype"));
    if (blocks) {
      shape.weightDtype = models::codeType(*blocks);
    } else {
      reader.fail(fmt::format("--weight-dtype is '{}', expected same, int4 or "
                              "mxfp4",
                              reader.text("weight-dtype")));
    }
  }
  if (reader.has("dtype")) {
    shape.dtype = dtypeFromName(reader.text("dtype"));
    if (!shape.dtype || isReadOnly(*shape.dtype)) {
      reader.fail(fmt::format("--dtype is '{}', expected fp32, fp16, bf16, "
                              "int8, int32, fp8_e4m3, fp8_e5m2 or tf32",
                              reader.text("dtype")));
    }
  }
  if (reader.has("read-fraction")) {
    std::string text = reader.text("read-fraction");
    double value = 0;
    auto [rest, failed] =
        std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || rest != text.data() + text.size()) {
      reader.fail(
          fmt::format("--read-fraction is '{}', expected 0 to 1", text));
    }
    shape.readFraction = value;
  }
}

void readRun(Reader &reader, RunOptions &run) {
  std::string mode = reader.text("mode");
  if (mode != "timing" && mode != "functional") {
    reader.fail(
        fmt::format("--mode is '{}', expected timing or functional", mode));
  }
  run.mode = mode == "functional" ? sim::Mode::Functional : sim::Mode::Timing;
  std::optional<MemoryChoice> memory;
  reader.memory("memory", memory);
  run.placement.memory = memory.value_or(MemoryChoice::Auto);
  reader.memory("weights", run.placement.weights);
  reader.memory("activations", run.placement.activations);
  std::optional<uint64_t> seed, cycles;
  reader.number("seed", seed);
  run.seed = seed.value_or(1);
  reader.number("max-cycles", cycles);
  if (cycles == uint64_t(0)) {
    reader.fail("--max-cycles is 0, expected at least 1");
  }
  run.maxCycles = cycles.value_or(run.maxCycles);
}

void readTracing(Reader &reader, KernelRequest &request) {
  TracingRequest &tracing = request.tracing;
  for (auto [name, value] :
       {std::pair("trace", &tracing.path), std::pair("trace-pe", &tracing.pes),
        std::pair("trace-window", &tracing.window)}) {
    if (reader.has(name)) {
      *value = reader.text(name);
    }
  }
  std::optional<uint64_t> bytes;
  reader.number("trace-max-bytes", bytes);
  tracing.maxBytes = bytes.value_or(tracing.maxBytes);
  tracing.watch = fmt::format("{}", fmt::join(reader.list("watch"), " "));
  tracing.watchToStderr = request.json == "-" || tracing.path == "-";
  bool pointless =
      tracing.path.empty() && (!tracing.pes.empty() || !tracing.window.empty());
  if (pointless) {
    reader.fail("--trace-pe and --trace-window need --trace");
  }
  if (!request.axes.empty() &&
      !(tracing.path.empty() && tracing.watch.empty())) {
    reader.fail("--trace and --watch show one run, not a --sweep");
  }
  if (tracing.path == "-" && request.json == "-") {
    reader.fail("--trace - and --json - both want stdout");
  }
}

void readBuffer(Reader &reader, const std::string &text, UserKernel &user) {
  Strings parts = split(text, ':');
  UserBuffer buffer;
  buffer.name = parts[0];
  bool isGood = parts.size() >= 2 && !parts[0].empty();
  for (size_t i = 2; i < parts.size(); ++i) {
    auto memory = memoryChoiceFromName(parts[i]);
    isGood &= memory || parts[i] == "control";
    buffer.isControl |= parts[i] == "control";
    buffer.memory = memory ? memory : buffer.memory;
  }
  if (!isGood) {
    reader.fail(fmt::format("--buffer is '{}', expected "
                            "NAME:BYTES[:dram|sram][:control]",
                            text));
    return;
  }
  reader.take(parseNumber(parts[1], "the size in --buffer " + text, kCommand),
              [&](uint64_t bytes) { buffer.bytes = bytes; });
  if (buffer.bytes == 0 || buffer.bytes >> 44) {
    reader.fail(fmt::format("--buffer {} has {} bytes, expected 1 to 2^44 - 1",
                            text, buffer.bytes));
  }
  user.buffers.push_back(buffer);
}

void readUser(Reader &reader, KernelRequest &request) {
  UserKernel user;
  user.path = reader.text("file");
  request.hartOnly = reader.has("hart-only");
  for (const std::string &text : reader.list("buffer")) {
    readBuffer(reader, text, user);
  }
  for (const std::string &text : reader.list("args")) {
    std::string number = text.substr(text.find('=') + 1);
    reader.take(parseNumber(number, "--args " + text, kCommand),
                [&](uint64_t value) { user.arguments.push_back(value); });
  }
  for (const char *name : {"dtype",
                           "weight-dtype",
                           "m",
                           "n",
                           "k",
                           "elements",
                           "rows",
                           "cols",
                           "read-fraction",
                           "tokens",
                           "context",
                           "heads",
                           "kv-heads",
                           "head-size",
                           "hidden",
                           "intermediate",
                           "experts",
                           "top-k",
                           "shared-intermediate",
                           "routing"}) {
    if (reader.has(name)) {
      reader.fail(fmt::format("--{} has no meaning with --file, pass sizes "
                              "with --args",
                              name));
    }
  }
  if (request.hartOnly &&
      (reader.has("buffer") || reader.has("args") || reader.has("sweep") ||
       reader.has("json") || reader.has("trace") || reader.has("watch"))) {
    reader.fail("--hart-only takes no --buffer, --args, --sweep, --json, "
                "--trace or --watch");
  }
  request.user = user;
}

} // namespace

Result<KernelRequest>
tools::readKernelRequest(const po::variables_map &values) {
  Reader reader(values);
  KernelRequest request;
  Strings names = reader.list("name");
  if (reader.has("file")) {
    if (!names.empty()) {
      reader.fail(
          fmt::format("kernel {} and --file exclude each other", names[0]));
    }
    readUser(reader, request);
  } else if (names.size() != 1) {
    reader.fail(names.empty()
                    ? "the name of a kernel is missing"
                    : fmt::format("one kernel at a time, found {} and {}",
                                  names[0], names[1]));
  } else {
    request.kernel = findKernel(names[0]);
    Strings known;
    for (const Kernel *kernel : kernels()) {
      known.push_back(kernel->name);
    }
    if (!request.kernel) {
      std::string meant = closest(names[0], known);
      reader.fail(
          fmt::format("there is no kernel '{}'{}", names[0],
                      meant.empty() ? "" : ", did you mean " + meant + "?"));
    }
    if (reader.has("emit")) {
      request.emit = reader.text("emit");
    }
    for (const char *name : {"buffer", "args", "hart-only"}) {
      if (reader.has(name)) {
        reader.fail(fmt::format("--{} needs --file", name));
      }
    }
    readShape(reader, request.shape);
  }
  readRun(reader, request.run);
  request.chip = reader.text("chip");
  request.sets = reader.list("set");
  for (const std::string &text : reader.list("sweep")) {
    reader.take(parseSweep(text, kCommand),
                [&](const SweepAxis &axis) { request.axes.push_back(axis); });
  }
  std::optional<uint64_t> jobs;
  reader.number("jobs", jobs);
  if (jobs.value_or(1) < 1 || jobs.value_or(1) > 8) {
    reader.fail(fmt::format("--jobs is {}, expected 1 to 8", *jobs));
  }
  request.jobs = static_cast<unsigned>(jobs.value_or(1));
  if (reader.has("json")) {
    request.json = reader.text("json");
  }
  readTracing(reader, request);
  if (reader.error) {
    return *reader.error;
  }
  return request;
}
