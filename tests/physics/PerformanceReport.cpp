//===- PerformanceReport.cpp - Writes docs/performance.md -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// performance_report FILE: runs the workloads of the physics tests and writes
// bound and simulated time of each, and the accounts of one large product.
//
//===----------------------------------------------------------------------===//

#include "compiler/PeToElf.h"
#include "runtime/KernelReport.h"
#include "tests/physics/Workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <regex>

using namespace chipwright;
using namespace chipwright::physics;

extern "C" int sc_main(int, char **) { return 0; }

namespace {

/// Collects the page; keeps the first error.
class Page {
public:
  template <typename... T>
  void add(fmt::format_string<T...> format, T &&...values) {
    fmt::format_to(std::back_inserter(text), format,
                   std::forward<T>(values)...);
  }

  void regime(Regime regime);
  void product();
  void products();

  std::string text, error;

private:
  Outcome run(const Workload &workload, const std::vector<std::string> &sets,
              const Program &program);
  void row(const Workload &workload);

  ImageCache images;
};

} // namespace

Outcome Page::run(const Workload &workload,
                  const std::vector<std::string> &sets,
                  const Program &program) {
  Result<Outcome> outcome = runProgram(images, chipWith(sets), program);
  if (!outcome) {
    error = workload.name + ": " + outcome.error().message;
    return {};
  }
  return *outcome;
}

void Page::row(const Workload &workload) {
  ResolvedChip chip = chipWith(workload.sets);
  Result<Program> program = workload.program(chip.spec);
  if (!program) {
    error = workload.name + ": " + program.error().message;
    return;
  }
  Terms terms = computeTerms(chip.spec, workload.demand(chip.spec));
  double seconds = run(workload, workload.sets, *program).measurement.seconds;
  double faster = 0;
  for (const Resource &resource : regimeResources()) {
    if (std::string_view(resource.path) == resourceOf(workload.regime)) {
      faster = run(workload, doubled(workload.sets, resource), *program)
                   .measurement.seconds;
    }
  }
  std::string sets;
  for (const std::string &set : workload.sets) {
    sets += (sets.empty() ? "`" : ", `") + set + "`";
  }
  add("| {} | {} | {:.2f} | {:.2f} | {:.0f} % | {:.2f} | {:.2f} |\n",
      workload.name, sets, bound(terms) * 1e6, seconds * 1e6,
      100 * bound(terms) / seconds, secondShare(terms), faster / seconds);
}

void Page::regime(Regime regime) {
  add("\n### {}\n\nTwice the resource: `{}`.\n\n", regimeName(regime),
      resourceOf(regime));
  add("| kernel | chip | bound, us | simulated, us | bound/simulated | second "
      "term | time with twice the resource |\n|---|---|--:|--:|--:|--:|--:|\n");
  for (const Workload &workload : workloads(regime)) {
    row(workload);
  }
}

void Page::product() {
  KernelShape shape;
  shape.m = shape.n = shape.k = 2048;
  shape.dtype = DType::F16;
  Workload workload{"gemm",
                    Regime::Dpe,
                    {},
                    shipped("gemm", shape, {MemoryChoice::Sram, {}, {}}),
                    {}};
  ResolvedChip chip = chipWith({});
  Result<Program> program = workload.program(chip.spec);
  if (!program) {
    error = program.error().message;
    return;
  }
  Outcome outcome = run(workload, {}, *program);
  const Measurement &m = outcome.measurement;
  double flops = 2 * 2048.0 * 2048 * 2048;
  double peak = chip.spec.peakFlops(DType::F16);
  double cycles = double(m.job.cycles);
  add("\n## A product in detail\n\n`gemm` 2048 x 2048 x 2048 fp16 on `mtia-2i`,"
      " operands in SRAM: {} cycles, {:.2f} us, {:.1f} TFLOP/s, {:.1f} % of "
      "peak ({:.0f} cycles).\n\nCycles per PE by engine; busy and lost add up "
      "to the run. Causes are those of `sim/pe/StallAccount.h`.\n\n",
      m.job.cycles, m.seconds * 1e6, flops / m.seconds / 1e12,
      100 * flops / m.seconds / peak, flops / peak * chip.spec.clockGhz * 1e9);
  add("| engine | busy | lost |\n|---|--:|---|\n");
  for (const EngineTime &engine : m.engines) {
    std::vector<std::pair<sim::Cycle, const char *>> causes;
    for (unsigned cause = 0; cause < sim::numStalls; ++cause) {
      if (engine.lost[cause]) {
        causes.emplace_back(engine.lost[cause],
                            sim::stallName(sim::Stall(cause)));
      }
    }
    std::sort(causes.rbegin(), causes.rend());
    std::string list;
    for (auto [lost, name] : causes) {
      list += fmt::format("{}{} {:.0f} ({:.1f} %)", list.empty() ? "" : ", ",
                          name, double(lost) / m.numPes,
                          100 * double(lost) / m.numPes / cycles);
    }
    add("| {} | {:.0f} ({:.1f} %) | {} |\n", engine.name,
        double(engine.busy) / m.numPes,
        100 * double(engine.busy) / m.numPes / cycles, list);
  }
  add("\nOf the DPE's busy cycles, {:.0f} per PE multiply nothing (rows short "
      "of a full pass).\n",
      outcome.dpeUnderfilled / m.numPes);
  add("\nEnergy with the file's defaults: {:.0f} uJ, {:.1f} W, {:.0f} % of "
      "TDP.\n\n| part | uJ | share |\n|---|--:|--:|\n",
      outcome.energy.total() * 1e6, outcome.energy.averageWatts(),
      100 * outcome.energy.tdpFraction);
  for (auto [name, joules] : outcome.energy.parts()) {
    add("| {} | {:.1f} | {:.1f} % |\n", name, joules * 1e6,
        100 * joules / outcome.energy.total());
  }
}

/// Products of many shapes with the schedule that the compiler gives them.
void Page::products() {
  add("\n## Products of twelve shapes\n\n"
      "fp16, weights (B) and activations in SRAM; `grid-schedule` chooses the "
      "blocks (m, n, k) and the PEs they go to. `chipwright kernel gemm --m M "
      "--n N --k K --memory sram` shows the same run.\n\n"
      "| M x N x K | blocks | on | cycles | of peak | verdict |\n"
      "|---|---|---|--:|--:|---|\n");
  static constexpr uint64_t shapes[][3] = {
      {1, 4096, 4096},    {7, 4096, 4096},    {33, 4096, 4096},
      {300, 4096, 4096},  {1, 16384, 1024},   {64, 8192, 2048},
      {128, 1000, 3000},  {512, 512, 512},    {2048, 128, 2048},
      {1000, 1000, 1000}, {2048, 2048, 2048}, {4096, 4096, 1024}};
  ResolvedChip chip = chipWith({});
  for (const auto &[m, n, k] : shapes) {
    KernelShape shape{.m = m, .n = n, .k = k};
    const Kernel &gemm = *findKernel("gemm");
    Result<KernelPlan> plan = planKernel(gemm, chip.spec, shape);
    Result<std::string> program =
        plan ? scheduledText(chip.spec, plan->program, "gemm")
             : Result<std::string>(plan.error());
    RunOptions options;
    options.placement.memory = MemoryChoice::Sram;
    Result<KernelResult> result = runKernel(gemm, shape, chip, options);
    std::smatch match;
    if (!program || !result ||
        !std::regex_search(
            *program, match,
            std::regex("schedule<tile = \\[(.*?)\\], on = \\[(.*?)\\]>"))) {
      error = fmt::format("gemm {}x{}x{}: {}", m, n, k,
                          !program  ? program.error().message
                          : !result ? result.error().message
                                    : "no schedule");
      return;
    }
    add("| {} x {} x {} | {} | {} | {} | {:.0f} % | {} |\n", m, n, k,
        match[1].str(), match[2].str(), result->measurement.job.cycles,
        100 * result->peakFraction.value_or(0), verdict(*result));
  }
}

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: performance_report FILE\n");
    return ExitUsage;
  }
  Page page;
  page.add("<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
           "# Performance\n\n"
           "Written by `build/release/bin/performance_report "
           "docs/performance.md`; `tests/physics` checks what it says.\n\n"
           "## Bound and simulated time\n\n"
           "The bound follows from a kernel's shapes and the chip's file alone "
           "(`tests/physics/Roofline.h` has the formulas); its largest term "
           "names the regime. A simulated run is never shorter. Kernels called "
           "simd, tiny, instructions and chain are in "
           "`tests/physics/kernels`, the others ship with the tool. The chip "
           "is `mtia-2i` with the changes named. All times run from dispatch "
           "to completion; they hold the launch, which the bound counts only "
           "as one term among the others, and the write-back of dirty cache "
           "lines at the end.\n");
  for (unsigned i = 0; i < numRegimes; ++i) {
    page.regime(static_cast<Regime>(i));
  }
  page.add("\nFar from their bound are kernels whose phases cannot overlap: a "
           "transpose with one tile for each PE reads, turns and writes it. "
           "Streams that mix reads and writes of DRAM turn its bus around; how "
           "often "
           "depends on the lead of one stream over the other, by up to 5 % "
           "of the time, at the command level as well.\n");
  page.product();
  page.products();
  if (!page.error.empty()) {
    std::fprintf(stderr, "performance_report: error: %s\n", page.error.c_str());
    return ExitStopped;
  }
  std::ofstream file(argv[1]);
  file << page.text;
  file.close();
  if (!file) {
    std::fprintf(stderr, "performance_report: error: %s cannot be written\n",
                 argv[1]);
    return ExitBadInput;
  }
  return ExitOk;
}
