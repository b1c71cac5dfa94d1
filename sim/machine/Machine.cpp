//===- Machine.cpp --------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/machine/Machine.h"

#include "sim/machine/Chip.h"
#include "sim/machine/FaultReport.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

/// SystemC allows one elaboration per context; every machine gets a new one.
struct FreshContext {
  FreshContext() {
    sc_core::sc_report_handler::set_actions("/IEEE_Std_1666/deprecated",
                                            sc_core::SC_DO_NOTHING);
    sc_core::sc_curr_simcontext = sc_core::sc_default_global_context =
        new sc_core::sc_simcontext;
    sc_core::sc_set_time_resolution(1, sc_core::SC_FS);
  }
  ~FreshContext() {
    delete sc_core::sc_curr_simcontext;
    sc_core::sc_curr_simcontext = sc_core::sc_default_global_context = nullptr;
  }
};

/// Keeps the fault to report.
class FaultKeeper final : public FaultSink {
public:
  void fault(FaultKind kind, const FaultSite &site, std::string text) override {
    // A PE is evaluated once per cycle and stops at its first fault.
    if (!first || site.pe < first->site.pe) {
      first = Fault{kind, site, std::move(text)};
    }
    stoppedPes.insert(site.pe);
  }
  bool stopped() const override { return first.has_value(); }
  bool stopped(unsigned pe) const override {
    return !stoppedPes.empty() && stoppedPes.count(pe) != 0;
  }

  std::optional<Fault> first;

private:
  std::set<unsigned> stoppedPes;
};

void linkObserver(void *sink, unsigned link, Cycle begin, Cycle end,
                  uint64_t bytes) {
  static_cast<TraceSink *>(sink)->link(link, begin, end, bytes);
}

void dramObserver(void *sink, unsigned channel, Cycle begin, Cycle end,
                  uint64_t bytes, bool write) {
  static_cast<TraceSink *>(sink)->dram(channel, begin, end, bytes, write);
}

} // namespace

struct Machine::Parts {
  Parts(const ChipSpec &spec, const MachineOptions &options)
      : spec(spec), options(options), domain(spec.periodFs()),
        memory(options.mode == Mode::Functional, spec.hart.cacheLineBytes),
        paths(spec, wheel), arbiter(wheel, spec.grid.numPes() * 4 +
                                               spec.grid.rows + spec.grid.cols),
        chip("chip", wheel, domain, faults),
        control("control", spec, wheel, chip), reduction(spec),
        barriers(spec, wheel), services{spec,
                                        wheel,
                                        memory,
                                        paths,
                                        arbiter,
                                        multicast,
                                        reduction,
                                        barriers,
                                        faults,
                                        control,
                                        options.trace,
                                        options.mode == Mode::Functional,
                                        options.maxCycles,
                                        options.hook},
        multicast(services) {
    wheel.setShuffleSeed(options.shuffleSeed);
    std::vector<Pe *> all;
    for (unsigned i = 0; i < spec.grid.numPes(); ++i) {
      pes.push_back(std::make_unique<Pe>(services, i));
      all.push_back(pes.back().get());
    }
    for (Pe *pe : all) {
      pe->connect(all);
    }
    multicast.connect(all);
    barriers.connect(all);
    control.connect(all, &paths);
    if (options.trace) {
      paths.noc().observe(linkObserver, options.trace);
      paths.observe(dramObserver, options.trace);
    }
  }

  FreshContext context; // before anything of SystemC
  const ChipSpec &spec;
  MachineOptions options;
  ClockDomain domain;
  TimingWheel wheel;
  FaultKeeper faults;
  GlobalMemory memory;
  MemorySystem paths;
  TrainArbiter arbiter;
  Chip chip;
  ControlCore control;
  ReductionNetwork reduction;
  BarrierNetwork barriers;
  PeServices services; // refers to multicast, which follows
  MulticastNetwork multicast;
  std::vector<std::unique_ptr<Pe>> pes;
};

Machine::Machine(const ChipSpec &spec, const MachineOptions &options)
    : parts(std::make_unique<Parts>(spec, options)) {}

Machine::~Machine() = default;

Buffer *Machine::declare(std::string name, uint64_t base, uint64_t bytes,
                         BufferKind kind) {
  return parts->memory.declare(std::move(name), base, bytes, kind);
}

GlobalMemory &Machine::memory() { return parts->memory; }
const ChipSpec &Machine::spec() const { return parts->spec; }
const MachineOptions &Machine::options() const { return parts->options; }
unsigned Machine::numPes() const { return parts->spec.grid.numPes(); }
const Pe &Machine::pe(unsigned number) const { return *parts->pes[number]; }
Pe &Machine::pe(unsigned number) { return *parts->pes[number]; }
MemorySystem &Machine::paths() { return parts->paths; }
const MemorySystem &Machine::paths() const { return parts->paths; }
const MulticastNetwork &Machine::multicast() const { return parts->multicast; }
Cycle Machine::now() const { return parts->chip.now(); }
uint64_t Machine::digest() const { return parts->paths.digest(); }

JobResult Machine::launch(const Job &job) {
  JobResult result;
  uint64_t eventsBefore = parts->wheel.eventsPosted();
  parts->control.submit(job);
  sc_core::sc_start();
  if (!parts->control.done() && !parts->faults.stopped()) {
    std::vector<const Pe *> members;
    for (const auto &pe : parts->pes) {
      members.push_back(pe.get());
    }
    Fault deadlock = deadlockFault(members, job, parts->spec, parts->multicast,
                                   parts->barriers);
    parts->faults.fault(deadlock.kind, deadlock.site, deadlock.text);
  }
  for (auto &pe : parts->pes) {
    result.instructions += pe->instructions();
    result.pcHash = result.pcHash * 0x100000001b3 ^ pe->pcHash();
    for (uint64_t n : pe->counters().commands) {
      result.commands += n;
    }
    result.passes += pe->counters().dpePasses;
    for (bool outbound : {false, true}) {
      result.trains += pe->fabric().fetcher(outbound).trains();
    }
  }
  for (unsigned row = 0; row < parts->spec.grid.rows; ++row) {
    result.trains += parts->multicast.master(Line::Row, row).trains();
  }
  for (unsigned col = 0; col < parts->spec.grid.cols; ++col) {
    result.trains += parts->multicast.master(Line::Column, col).trains();
  }
  result.events = parts->wheel.eventsPosted() - eventsBefore;
  if (parts->faults.stopped()) {
    const FaultSite &site = parts->faults.first->site;
    result.fault = completeFault(
        *parts->faults.first, job, *parts->pes[site.pe],
        site.other < 0 ? nullptr : parts->pes[site.other].get(), parts->spec);
    return result;
  }
  result.finished = true;
  const ControlCore &control = parts->control;
  result.firstStart = control.firstStart();
  result.lastDone = control.lastDone();
  result.end = control.end();
  result.cycles = control.end() - control.dispatched();
  result.writeBackCycles = control.writeBack();
  result.completionCycles = control.end() - control.lastDone();
  result.kernelCycles = control.lastDone() - control.firstStart();
  for (auto &pe : parts->pes) {
    pe->closeAccounts(control.end());
  }
  return result;
}
