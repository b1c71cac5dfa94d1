//===- PerfettoTrace.h - Timeline of a run for Perfetto ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Writes the JSON form of the trace event format ("Trace Event Format", Chrome
// project), which ui.perfetto.dev and chrome://tracing open. A PE is a process
// with one track per engine; NoC links and DRAM channels form two more. Only
// what appears gets a track. Slices of one track never overlap: the DMA
// commands of a direction and the accesses of a channel are spread over lanes.
//
// `ts` and `dur` are microseconds with nine decimals, that is whole
// femtoseconds, hence exact; viewers cut them to nanoseconds, so the arguments
// also say the cycles. A slice of a DRAM channel is the data transfer that ends
// with the access (bytes over the channel's pin rate); `waited` is the time
// from the arrival at the controller to the slice.
//
// Launches of a model are a process of their own, with a slice each; what
// happens during one says so in the argument "op".
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_TRACE_PERFETTOTRACE_H
#define CHIPWRIGHT_SIM_TRACE_PERFETTOTRACE_H

#include "sim/pe/PeServices.h"
#include "sim/trace/TraceFile.h"
#include "sim/trace/TraceOptions.h"

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace chipwright::sim {

class PerfettoTrace final : public TraceSink {
public:
  /// Names the place of a pc, such as "kernel_load+0x12"; empty if unknown.
  using Resolver = std::function<std::string(uint64_t pc)>;

  /// What is launched.
  struct Program {
    std::string op; // of the model, or ""
    Resolver function;
    /// What the command at a pc belongs to within the operation.
    Resolver part = {};
  };

  /// Begins a recording. Memory does not grow with its length. Fails if the
  /// file cannot be created or the limit is below kMinTraceBytes.
  static Result<std::unique_ptr<PerfettoTrace>>
  open(const ChipSpec &spec, const TraceOptions &options);

  /// A recording that was not finished leaves no file.
  ~PerfettoTrace() override;

  /// Says what runs from now on; call it before every launch.
  void setProgram(Program program);

  /// A slice for the launch of \p op in [begin, end), after it.
  void launch(std::string_view op, Cycle begin, Cycle end);

  /// Completes the file and puts it into its place; a stopped simulation is
  /// finished the same way.
  Result<void> finish();

  /// Whether the limit was reached; the rest of the run is not in the file.
  bool truncated() const { return stopped; }
  /// For the user: empty, or one sentence on what is missing and how to get
  /// it.
  std::string message() const;
  uint64_t bytes() const { return file.size(); }
  /// Slices and instants recorded.
  uint64_t events() const { return recorded; }

  void command(unsigned pe, const Command &command, Cycle begin,
               Cycle end) override;
  void link(unsigned link, Cycle begin, Cycle end, uint64_t bytes) override;
  void dram(unsigned channel, Cycle begin, Cycle end, uint64_t bytes,
            bool write) override;
  void cbEvent(unsigned pe, unsigned cb, bool push, uint32_t bytes,
               uint64_t occupied, Cycle at) override;

private:
  /// A track, or the end of what one lane holds.
  struct Lane {
    unsigned track;
    Cycle end;
  };
  using Lanes = std::vector<Lane>;
  struct Place {
    unsigned process, track;
  };

  PerfettoTrace(const ChipSpec &spec, const TraceOptions &options);

  Result<void> start();
  bool begins(Cycle begin, Cycle end);
  void nextEvent();
  void number(uint64_t value);
  void time(Cycle cycle);
  void quoted(std::string_view text);
  void metadata(const char *what, unsigned process, unsigned track,
                std::string_view name, unsigned order);
  void nameProcess(unsigned process);
  unsigned newTrack(unsigned process, std::string_view name, unsigned order);
  unsigned laneFor(Lanes &lanes, unsigned process, const std::string &name,
                   bool numbered, unsigned order, Cycle begin, Cycle end);
  /// The common part of a slice (or instant), up to the opening of "args".
  void slice(Place place, std::string_view name, Cycle begin, Cycle end);
  void emit(Cycle at);
  void stop(Cycle at);
  /// Function and part of a pc.
  struct Names {
    std::string function, part;
  };
  const Names &namesOf(uint64_t pc);
  void argument(std::string_view name, std::string_view text);

  const ChipSpec &spec;
  const TraceOptions options;
  const uint64_t periodFs;
  const double dramCyclesPerByte; // one channel at its pin rate
  TraceFile file;
  Program program;
  std::unordered_map<uint64_t, Names> names; // by pc
  std::vector<bool> traced;                  // by PE
  std::vector<bool> named;                   // by process
  std::vector<Lanes> engines;                // by PE and engine
  std::vector<unsigned> linkTracks;          // 0: none yet
  std::vector<std::string> linkNames;
  std::vector<Lanes> channels;
  Lanes launches;
  unsigned nextTrack;
  std::string event; // being put together
  bool anyEvent = false;
  bool stopped = false, finished = false;
  Cycle stoppedAt = 0;
  uint64_t recorded = 0;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_TRACE_PERFETTOTRACE_H
