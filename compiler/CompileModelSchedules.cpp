//===- CompileModelSchedules.cpp - Schedules as text ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/CompileModelSchedules.h"

#include "compiler/CompileModelStages.h"
#include "compiler/Diagnostics.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Verifier.h"

#include <fmt/format.h>

#include <set>

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

static SmallVector<GenericOp> operationsOf(ProgramOp program) {
  SmallVector<GenericOp> ops;
  program.walk([&](GenericOp op) { ops.push_back(op); });
  return ops;
}

/// "m, n = 4096, k = 512".
static std::string dimensionsOf(GenericOp op) {
  std::string text;
  for (unsigned i = 0; i < op.getNumDims(); ++i) {
    text += (i ? ", " : "") + op.getDim(i).getName().str();
    APInt size;
    if (matchPattern(op.getSizes()[i], m_ConstantInt(&size))) {
      text += fmt::format(" = {}", size.getSExtValue());
    }
  }
  return text;
}

std::string compiler::printSchedules(ModuleOp module) {
  std::string text = "# Program, number of the operation in it, schedule. "
                     "Edit, and compile with --schedule.\n";
  for (ProgramOp program : module.getOps<ProgramOp>()) {
    std::string name = program.getSymName().str();
    text += fmt::format("#\n# {}: {}\n", name, launchersOf(module, name));
    for (auto [i, op] : llvm::enumerate(operationsOf(program))) {
      text += fmt::format("# dimensions {}\n", dimensionsOf(op));
      llvm::raw_string_ostream os(text);
      if (op.getSchedule()) {
        os << name << " " << i << " " << op.getScheduleAttr() << "\n";
      }
    }
  }
  return text;
}

Result<std::map<std::string, std::string>>
compiler::applySchedules(ModuleOp module, const std::string &text,
                         const std::string &name) {
  std::map<std::string, std::string> places;
  std::set<Operation *> done;
  unsigned number = 0;
  for (StringRef line : llvm::split(StringRef(text), '\n')) {
    ++number;
    line = line.trim();
    if (line.empty() || line.starts_with("#")) {
      continue;
    }
    std::string place = fmt::format("{}:{}", name, number);
    auto fail = [&](const std::string &why) {
      return chipwright::Diagnostic{place + ": " + why, ExitBadInput};
    };
    auto [programName, rest] = line.split(' ');
    auto [index, scheduleText] = rest.ltrim().split(' ');
    auto program = module.lookupSymbol<ProgramOp>(programName);
    if (!program) {
      return fail(fmt::format("expected a program of this model, found '{}'; "
                              "--print-schedule lists them",
                              programName.take_front(80).str()));
    }
    SmallVector<GenericOp> ops = operationsOf(program);
    size_t which = 0;
    if (index.getAsInteger(10, which) || which >= ops.size()) {
      return fail(fmt::format("expected the number of an operation of {}, 0 to "
                              "{}, found '{}'",
                              programName.str(), int64_t(ops.size()) - 1,
                              index.take_front(80).str()));
    }
    Messages messages(*module.getContext(), "the schedule");
    auto schedule = dyn_cast_if_present<ScheduleAttr>(
        parseAttribute(scheduleText.trim(), module.getContext()));
    if (!schedule) {
      std::string said = messages.error(ExitBadInput).message;
      return fail(fmt::format("expected a schedule such as #grid.schedule<tile "
                              "= [64, 128], on = [row, col]>: {}",
                              said.substr(0, said.find('\n'))));
    }
    GenericOp op = ops[which];
    if (!done.insert(op).second) {
      return fail(fmt::format("schedules operation {} of {} a second time; "
                              "keep one line",
                              which, programName.str()));
    }
    op.setScheduleAttr(schedule);
    if (failed(verify(op))) {
      return fail(fmt::format("{} ({}): {}", programName.str(),
                              launchersOf(module, programName),
                              messages.error(ExitBadInput).message));
    }
    places[programName.str()] = place;
  }
  return places;
}
