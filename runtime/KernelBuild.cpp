//===- KernelBuild.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/KernelBuild.h"

#include "dialects/isa/Xpe.h"
#include "sim/hart/ElfImage.h"
#include "sim/machine/CommandTags.h"
#include "sim/memory/AddressMap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace chipwright;

extern char **environ;

static std::string fromEnvironment(const char *name, const char *otherwise) {
  const char *value = std::getenv(name);
  return value && *value ? value : otherwise;
}

std::string chipwright::kernelDirectory() {
  return fromEnvironment("CHIPWRIGHT_KERNELS", CHIPWRIGHT_KERNELS_DIR);
}

/// The integer part of the harts' instruction set: kernels use no floating
/// point, and their calling convention passes nothing in such registers.
static std::string kernelIsa(const std::string &isa) {
  std::string result;
  size_t letters = isa.find('_');
  for (size_t i = 0; i < isa.size(); ++i) {
    bool isFloat = i >= 4 && i < letters && (isa[i] == 'f' || isa[i] == 'd');
    if (!isFloat) {
      result += isa[i];
    }
  }
  return result;
}

static std::vector<std::string>
compilerArguments(const ChipSpec &spec, const std::string &source,
                  const KernelBuildOptions &options,
                  const std::string &output) {
  std::string kernels = kernelDirectory();
  std::vector<std::string> arguments = {
      fromEnvironment("CHIPWRIGHT_CLANG", "clang-22"),
      "--target=riscv64-unknown-elf",
      "-march=" + kernelIsa(spec.hart.isa),
      "-mabi=lp64",
      "-mcmodel=medany",
      "-std=c11",
      "-O2",
      "-ffreestanding",
      "-fno-builtin",
      "-fno-jump-tables",
      "-fno-vectorize",
      "-fno-slp-vectorize",
      "-Wall",
      "-Werror",
      "-nostdlib",
      "-static",
      "-fuse-ld=lld",
      "-I" + fromEnvironment("CHIPWRIGHT_XPE_INCLUDE", CHIPWRIGHT_XPE_DIR),
      "-I" + kernels};
  auto define = [&](const std::string &name, auto value) {
    arguments.push_back(fmt::format("-D{}={}", name, value));
  };
  define("XPE_STACK_BYTES", kStackBytes);
  define("XPE_CONTEXTS", spec.cp.contexts);
  define("XPE_ROWS", spec.grid.rows);
  define("XPE_COLS", spec.grid.cols);
  define("XPE_LS_BYTES", spec.ls.bytes);
  define("XPE_LS_FREE_BYTES", spec.ls.bytes - reservedLocalBytes(spec));
  define("XPE_CBS", spec.cp.cbs);
  define("XPE_MML_MAX_PASSES", spec.cp.mmlMaxPasses);
  define("XPE_DPE_CACHED_ROWS", spec.dpe.tiles * spec.dpe.tileRows);
  define("XPE_DPE_STREAM_ROWS", spec.dpe.streamRows);
  define("XPE_DPE_K_BYTES", spec.dpe.kBytes);
  define("XPE_RE_BANKS", spec.re.banks);
  for (const auto &[name, value] : options.defines) {
    define(name, value);
  }
  arguments.insert(arguments.end(),
                   {"-Wl,-T," + kernels + "/kernel.ld", kernels + "/crt0.S",
                    source, "-o", output});
  return arguments;
}

/// Runs \p arguments with stdout and stderr going to \p log.
static int run(const std::vector<std::string> &arguments,
               const std::string &log) {
  std::vector<char *> argv;
  for (const std::string &argument : arguments) {
    argv.push_back(const_cast<char *>(argument.c_str()));
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child = 0;
  int failed =
      posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) {
    return -1;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static std::string readAll(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<std::vector<uint8_t>>
chipwright::buildKernel(const ChipSpec &spec, const std::string &source,
                        const KernelBuildOptions &options) {
  if (!std::filesystem::is_regular_file(source)) {
    return Diagnostic{source + ": no such kernel file", ExitBadInput};
  }
  if (spec.ls.bytes <= reservedLocalBytes(spec)) {
    return Diagnostic{
        fmt::format("{}: local memory has {} bytes (ls.bytes), stacks and "
                    "arguments of a kernel take {}",
                    source, spec.ls.bytes, reservedLocalBytes(spec)),
        ExitDoesNotFit};
  }
  std::string pattern =
      (std::filesystem::temp_directory_path() / "chipwright-XXXXXX").string();
  if (!mkdtemp(pattern.data())) {
    return Diagnostic{"no temporary folder could be made in " +
                          std::filesystem::temp_directory_path().string() +
                          ": " + std::strerror(errno),
                      ExitBadInput};
  }
  std::string elf = pattern + "/kernel.elf", log = pattern + "/log";
  std::vector<std::string> arguments =
      compilerArguments(spec, source, options, elf);
  int status = run(arguments, log);
  std::string said = readAll(log), bytes = readAll(elf);
  std::error_code ignored;
  std::filesystem::remove_all(pattern, ignored);
  if (status < 0) {
    return Diagnostic{arguments[0] + " could not be run; install the package "
                                     "clang-22 or set CHIPWRIGHT_CLANG",
                      ExitBadInput};
  }
  if (status != 0) {
    return Diagnostic{source + " does not compile for " + spec.name + ":\n" +
                          said,
                      ExitBadInput};
  }
  return std::vector<uint8_t>(bytes.begin(), bytes.end());
}

/// The compiler that \p T, a kind of function, was set to.
template <typename T> static T &compilerOf() {
  static T compiler;
  return compiler;
}

/// Refuses what no compiler can mend.
template <typename T>
static Result<void> checkCompiler(const ChipSpec &spec,
                                  const std::string &name) {
  if (!compilerOf<T>()) {
    return Diagnostic{name + ": this program was built without the compiler "
                             "for tile programs",
                      ExitBadInput};
  }
  if (spec.ls.bytes <= reservedLocalBytes(spec)) {
    return Diagnostic{
        fmt::format("{}: local memory has {} bytes (ls.bytes), stacks and "
                    "arguments of a kernel take {}",
                    name, spec.ls.bytes, reservedLocalBytes(spec)),
        ExitDoesNotFit};
  }
  return {};
}

void chipwright::setProgramCompiler(ProgramCompiler compiler) {
  compilerOf<ProgramCompiler>() = std::move(compiler);
}

void chipwright::setStepCompiler(StepCompiler compiler) {
  compilerOf<StepCompiler>() = std::move(compiler);
}

Result<std::vector<uint8_t>> chipwright::buildProgram(const ChipSpec &spec,
                                                      const std::string &text,
                                                      const std::string &name) {
  if (auto possible = checkCompiler<ProgramCompiler>(spec, name); !possible) {
    return possible.error();
  }
  return compilerOf<ProgramCompiler>()(spec, text, name);
}

Result<Package>
chipwright::buildStep(const ChipSpec &spec, const std::string &text,
                      const std::string &name,
                      const std::map<std::string, int64_t> &bounds) {
  if (auto possible = checkCompiler<StepCompiler>(spec, name); !possible) {
    return possible.error();
  }
  return compilerOf<StepCompiler>()(spec, text, name, bounds);
}

/// Which registers a custom instruction uses, for the harts' scoreboard.
static sim::CustomOperands xpeOperands(uint32_t word) {
  std::optional<isa::DecodedXpe> inst = isa::decode(word);
  if (!inst) {
    return {};
  }
  const isa::InstInfo &info = isa::instInfo(inst->opcode);
  sim::CustomOperands operands;
  operands.legal = true;
  operands.readsRs1 = info.readsRs1;
  operands.readsRs2 = info.readsRs2;
  operands.writesRd = info.writesRd;
  return operands;
}

Result<sim::KernelImage> chipwright::loadKernel(const std::vector<uint8_t> &elf,
                                                const std::string &name) {
  // The image window ends where the next address space field begins.
  constexpr uint64_t kMaxImageBytes = uint64_t(1) << 20;
  sim::ElfImage file;
  std::string error;
  if (!sim::ElfImage::parse(elf, name, {sim::kImageBase, kMaxImageBytes}, file,
                            error)) {
    return Diagnostic{error, ExitBadInput};
  }
  sim::KernelImage image;
  for (const sim::ElfSegment &segment : file.segments()) {
    size_t offset = segment.address - sim::kImageBase;
    image.bytes.resize(
        std::max(image.bytes.size(), offset + segment.data.size()));
    std::copy(segment.data.begin(), segment.data.end(),
              image.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  image.entry = file.entry();
  image.decoded = file.decodeText(xpeOperands);
  for (const sim::ElfSymbol &symbol : file.symbols()) {
    // Not constants and not the marks "$x", "$d" of the psABI.
    bool isCode = symbol.function || symbol.size == 0;
    if (isCode && symbol.name[0] != '$') {
      image.functions.emplace_back(symbol.address, symbol.name);
    }
  }
  auto contents = [&](const char *section) {
    const std::vector<uint8_t> *bytes = file.section(section);
    return bytes ? *bytes : std::vector<uint8_t>();
  };
  error = sim::readCommandTags(contents(".chipwright.ops"),
                               contents(".chipwright.tags"), image);
  if (!error.empty()) {
    return Diagnostic{name + ": " + error + "; compile it again", ExitBadInput};
  }
  return image;
}
