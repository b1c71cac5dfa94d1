//===- Chipwright.cpp - The driver ----------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/KernelReport.h"
#include "tools/Arguments.h"
#include "tools/Commands.h"
#include "tools/Output.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <exception>

using namespace chipwright;

static constexpr const char *kHelp = R"(usage: chipwright COMMAND [options]

Runs programs on accelerator chips that need not exist: a chip is a YAML file,
a program is RISC-V machine code, time comes from simulating both.

commands:
  run      run a model on a chip: tokens, numbers checked, times
  compile  make a package of a model for a chip
  kernel   run one operator, or a kernel of your own, on a chip
  show     chips, their parameters, packages, and the instruction set

options:
  --help     this text; `chipwright COMMAND --help` tells more
  --version  version of the tool

example: how long does a matrix product take, and what bounds it?
  chipwright kernel gemm --m 2048 --n 2048 --k 2048 --dtype fp16

exit status: 0 done, 1 numbers disagree with the reference, 2 wrong command
line, 3 wrong input file, 4 does not fit the chip, 5 simulation stopped
)";

/// SystemC asks for it; the driver has a main() of its own.
extern "C" int sc_main(int, char **) { return 0; }

static std::string quoted(const std::string &word) {
  bool plain =
      !word.empty() &&
      word.find_first_of(" \t\n'\"\\$`*?&|;<>()[]{}#~!") == std::string::npos;
  if (plain) {
    return word;
  }
  std::string result = "'";
  for (char c : word) {
    result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return result + "'";
}

static int run(const std::vector<std::string> &words) {
  std::string commandLine = "chipwright";
  for (const std::string &word : words) {
    commandLine += " " + quoted(word);
  }
  auto printed = [](const std::string &text) {
    auto done = tools::print(text);
    return done ? int(ExitOk) : tools::report(done.error());
  };
  if (words.empty()) {
    return tools::report(tools::usageError("a command is missing", ""));
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    return printed(kHelp);
  }
  if (words[0] == "--version") {
    return printed(fmt::format("chipwright {}\n", versionString()));
  }
  std::vector<std::string> rest(words.begin() + 1, words.end());
  if (words[0] == "run") {
    return tools::runCommand(rest, commandLine);
  }
  if (words[0] == "compile") {
    return tools::compileCommand(rest, commandLine);
  }
  if (words[0] == "kernel") {
    return tools::kernelCommand(rest, commandLine);
  }
  if (words[0] == "show") {
    return tools::showCommand(rest, commandLine);
  }
  std::string meant = tools::closest(
      words[0], {"run", "compile", "kernel", "show", "--help", "--version"});
  return tools::report(tools::usageError(
      fmt::format("there is no command '{}'{}", words[0],
                  meant.empty() ? "" : ", did you mean " + meant + "?"),
      ""));
}

int main(int argc, char **argv) {
  // A closed pipe shows as an error of write().
  std::signal(SIGPIPE, SIG_IGN);
  setenv("SC_COPYRIGHT_MESSAGE", "DISABLE", 1);
  try {
    return run({argv + std::min(argc, 1), argv + argc});
  } catch (const std::bad_alloc &) {
    return tools::report(
        {"this computer has not enough memory for the run; use --mode timing "
         "or smaller sizes",
         ExitDoesNotFit});
  } catch (const std::exception &error) {
    return tools::report(
        {fmt::format("internal error: {}", error.what()), ExitStopped});
  }
}
