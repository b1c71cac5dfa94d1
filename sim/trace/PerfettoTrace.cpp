//===- PerfettoTrace.cpp --------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/trace/PerfettoTrace.h"

#include "sim/noc/Noc.h"
#include "sim/pe/Command.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

using namespace chipwright;
using namespace chipwright::sim;

// Process numbers. Viewers take a track whose number is its process's for the
// main thread, and number 0 for the idle task; neither is used.
static constexpr unsigned kNocProcess = 1, kDramProcess = 2,
                          kRecordingProcess = 3, kLaunchProcess = 4,
                          kFirstPeProcess = 10;
static constexpr unsigned kFirstTrack = 1'000'000;
/// Lanes of one resource sort behind each other.
static constexpr unsigned kOrderStep = 1000;

static constexpr unsigned kTracedEngines = 6;
static const char *const engineTracks[kTracedEngines] = {
    "FI in", "FI out", "DPE", "RE", "SE", "MLU"};

/// Room for the marker of a truncated file and the closing brackets.
static constexpr uint64_t kTailBytes = 768;
static constexpr std::string_view kTail = "\n]}\n";

PerfettoTrace::PerfettoTrace(const ChipSpec &spec, const TraceOptions &options)
    : spec(spec), options(options), periodFs(spec.periodFs()),
      dramCyclesPerByte(spec.clockGhz * 1e9 * spec.dram.channels /
                        spec.dram.pinBytesPerSecond),
      traced(spec.grid.numPes(), options.pes.empty()),
      named(kFirstPeProcess + spec.grid.numPes()),
      engines(size_t(spec.grid.numPes()) * kTracedEngines),
      channels(spec.dram.channels), nextTrack(kFirstTrack) {
  for (unsigned pe : options.pes) {
    if (pe < traced.size()) {
      traced[pe] = true;
    }
  }
  // The names do not depend on the machine that will be traced.
  std::unique_ptr<Noc> noc = Noc::create(spec);
  for (unsigned link = 0; link < noc->numLinks(); ++link) {
    linkNames.push_back(noc->linkName(link));
  }
  linkTracks.resize(linkNames.size());
}

PerfettoTrace::~PerfettoTrace() = default;

Result<std::unique_ptr<PerfettoTrace>>
PerfettoTrace::open(const ChipSpec &spec, const TraceOptions &options) {
  std::unique_ptr<PerfettoTrace> trace(new PerfettoTrace(spec, options));
  if (Result<void> started = trace->start(); !started) {
    return started.error();
  }
  return trace;
}

Result<void> PerfettoTrace::start() {
  event = "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"chip\":";
  quoted(spec.name);
  event +=
      fmt::format(",\"clock_period_fs\":\"{}\"}},\"traceEvents\":[", periodFs);
  uint64_t least = std::max(kMinTraceBytes, event.size() + kTailBytes);
  if (options.maxBytes < least) {
    return Diagnostic{fmt::format("{}: a trace needs at least {} bytes, the "
                                  "limit is {}; raise the limit",
                                  options.path, least, options.maxBytes),
                      ExitUsage};
  }
  if (Result<void> opened = file.open(options.path); !opened) {
    return opened;
  }
  file.append(event);
  event.clear();
  return {};
}

void PerfettoTrace::setProgram(Program next) {
  program = std::move(next);
  names.clear();
}

Result<void> PerfettoTrace::finish() {
  if (finished) {
    return {};
  }
  finished = true;
  file.append(kTail);
  return file.commit();
}

std::string PerfettoTrace::message() const {
  if (!stopped) {
    return "";
  }
  return fmt::format("{}: the trace reached its limit of {} bytes and stops "
                     "near cycle {}; record fewer PEs, a window of cycles such "
                     "as {}:{}, or allow more bytes",
                     options.path, options.maxBytes, stoppedAt,
                     options.window.begin,
                     std::max(stoppedAt, options.window.begin + 1));
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

void PerfettoTrace::nextEvent() {
  event += anyEvent ? ",\n" : "\n";
  anyEvent = true;
}

void PerfettoTrace::number(uint64_t value) {
  char digits[20];
  auto [end, error] = std::to_chars(digits, digits + sizeof(digits), value);
  event.append(digits, end);
}

/// Microseconds: one is 1e9 femtoseconds, so nine decimals are exact.
void PerfettoTrace::time(Cycle cycle) {
  constexpr uint64_t kFsPerMicrosecond = 1'000'000'000;
  uint64_t fs = cycle * periodFs;
  number(fs / kFsPerMicrosecond);
  uint64_t rest = fs % kFsPerMicrosecond;
  char decimals[10] = {'.'};
  for (unsigned i = 9; i > 0; --i) {
    decimals[i] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  }
  event.append(decimals, sizeof(decimals));
}

/// A JSON string; bytes that are no printable ASCII become escapes, so that
/// any symbol name leaves the file valid.
void PerfettoTrace::quoted(std::string_view text) {
  event += '"';
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      event += '\\';
      event += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      event += fmt::format("\\u{:04x}", byte);
    } else {
      event += c;
    }
  }
  event += '"';
}

void PerfettoTrace::metadata(const char *what, unsigned process, unsigned track,
                             std::string_view name, unsigned order) {
  for (bool sort : {false, true}) {
    nextEvent();
    event += fmt::format("{{\"ph\":\"M\",\"pid\":{},\"tid\":{},\"name\":\"{}_{}"
                         "\",\"args\":{{\"{}\":",
                         process, track, what, sort ? "sort_index" : "name",
                         sort ? "sort_index" : "name");
    if (sort) {
      number(order);
    } else {
      quoted(name);
    }
    event += "}}";
  }
}

void PerfettoTrace::nameProcess(unsigned process) {
  if (named[process]) {
    return;
  }
  named[process] = true;
  std::string name = "Recording";
  unsigned order = 0;
  if (process == kLaunchProcess) {
    name = "Launches";
  } else if (process == kNocProcess) {
    name = "NoC links";
    order = 1'000'000;
  } else if (process == kDramProcess) {
    name = "DRAM channels";
    order = 1'000'001;
  } else if (process >= kFirstPeProcess) {
    unsigned pe = process - kFirstPeProcess;
    name = fmt::format("PE {},{}", pe / spec.grid.cols, pe % spec.grid.cols);
    order = 1 + pe;
  }
  metadata("process", process, process, name, order);
}

unsigned PerfettoTrace::newTrack(unsigned process, std::string_view name,
                                 unsigned order) {
  nameProcess(process);
  unsigned track = nextTrack++;
  metadata("thread", process, track, name, order);
  return track;
}

const PerfettoTrace::Names &PerfettoTrace::namesOf(uint64_t pc) {
  auto [entry, isNew] = names.try_emplace(pc);
  if (isNew && program.function) {
    entry->second.function = program.function(pc);
  }
  if (isNew && program.part) {
    entry->second.part = program.part(pc);
  }
  return entry->second;
}

/// An argument that is left out if it is empty.
void PerfettoTrace::argument(std::string_view name, std::string_view text) {
  if (!text.empty()) {
    quoted(name);
    event += ':';
    quoted(text);
    event += ',';
  }
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

/// Whether something at [begin, end) is recorded.
bool PerfettoTrace::begins(Cycle begin, Cycle end) {
  if (stopped || finished || !options.window.overlaps(begin, end)) {
    return false;
  }
  event.clear();
  return true;
}

/// The lane that was left last among those free at \p begin, or a new one.
/// Since calls come out of order in time, a lane counts as taken up to the end
/// of its last slice, whatever gaps lie before.
unsigned PerfettoTrace::laneFor(Lanes &lanes, unsigned process,
                                const std::string &name, bool numbered,
                                unsigned order, Cycle begin, Cycle end) {
  Lane *best = nullptr;
  for (Lane &lane : lanes) {
    if (lane.end <= begin && (!best || lane.end > best->end)) {
      best = &lane;
    }
  }
  if (!best && begin == end && !lanes.empty()) {
    return lanes.front().track; // instants may lie inside slices
  }
  if (!best) {
    size_t index = lanes.size();
    std::string title =
        numbered || index != 0 ? fmt::format("{} #{}", name, index) : name;
    unsigned track =
        newTrack(process, title, order + static_cast<unsigned>(index));
    best = &lanes.emplace_back(Lane{track, 0});
  }
  best->end = std::max(best->end, end);
  return best->track;
}

void PerfettoTrace::slice(Place place, std::string_view name, Cycle begin,
                          Cycle end) {
  nextEvent();
  event += begin == end ? "{\"ph\":\"i\",\"s\":\"t\",\"pid\":"
                        : "{\"ph\":\"X\",\"pid\":";
  number(place.process);
  event += ",\"tid\":";
  number(place.track);
  event += ",\"ts\":";
  time(begin);
  if (begin != end) {
    event += ",\"dur\":";
    time(end - begin);
  }
  event += ",\"name\":";
  quoted(name);
  event += ",\"args\":{";
}

void PerfettoTrace::emit(Cycle at) {
  if (file.size() + event.size() + kTailBytes > options.maxBytes) {
    stop(at);
    return;
  }
  ++recorded;
  file.append(event);
}

void PerfettoTrace::stop(Cycle at) {
  stopped = true;
  stoppedAt = at;
  anyEvent = recorded != 0;
  event.clear();
  nameProcess(kRecordingProcess);
  nextEvent();
  event += fmt::format("{{\"ph\":\"i\",\"s\":\"g\",\"pid\":{0},\"tid\":{0},"
                       "\"ts\":",
                       kRecordingProcess);
  time(at);
  event += fmt::format(",\"name\":\"trace truncated at {} bytes\",\"args\":{{"
                       "\"cycle\":{}}}}}",
                       options.maxBytes, at);
  file.append(event);
}

void PerfettoTrace::command(unsigned pe, const Command &command, Cycle begin,
                            Cycle end) {
  auto engine = static_cast<unsigned>(command.engine);
  if (!traced[pe] || engine >= kTracedEngines || !begins(begin, end)) {
    return;
  }
  unsigned process = kFirstPeProcess + pe;
  bool fabric = command.engine == isa::Engine::FiIn ||
                command.engine == isa::Engine::FiOut;
  unsigned track =
      laneFor(engines[size_t(pe) * kTracedEngines + engine], process,
              engineTracks[engine], fabric, engine * kOrderStep, begin, end);
  slice({process, track}, isa::instInfo(command.opcode).mnemonic, begin, end);
  event += fmt::format("\"pc\":\"{:#x}\",", command.pc);
  const Names &place = namesOf(command.pc);
  argument("op", program.op);
  argument("part", place.part);
  argument("function", place.function);
  event += "\"hart\":";
  number(command.hart);
  event += ",\"number\":";
  number(command.number);
  event += ",\"cycle\":";
  number(begin);
  event += ",\"cycles\":";
  number(end - begin);
  event += ",\"operands\":";
  quoted(std::visit([](const auto &operands) { return toString(operands); },
                    command.operands));
  event += "}}";
  emit(begin);
}

void PerfettoTrace::launch(std::string_view op, Cycle begin, Cycle end) {
  if (!begins(begin, end)) {
    return;
  }
  unsigned track = laneFor(launches, kLaunchProcess, "control core",
                           /*numbered=*/false, 0, begin, end);
  slice({kLaunchProcess, track}, op, begin, end);
  argument("op", op);
  event += "\"cycle\":";
  number(begin);
  event += ",\"cycles\":";
  number(end - begin);
  event += "}}";
  emit(begin);
}

void PerfettoTrace::link(unsigned link, Cycle begin, Cycle end,
                         uint64_t bytes) {
  if (!options.links || !begins(begin, end)) {
    return;
  }
  if (linkTracks[link] == 0) {
    linkTracks[link] = newTrack(kNocProcess, linkNames[link], link);
  }
  slice({kNocProcess, linkTracks[link]}, "data", begin, end);
  argument("op", program.op);
  event += "\"bytes\":";
  number(bytes);
  event += ",\"cycle\":";
  number(begin);
  event += "}}";
  emit(begin);
}

void PerfettoTrace::dram(unsigned channel, Cycle begin, Cycle end,
                         uint64_t bytes, bool write) {
  if (!options.dram) {
    return;
  }
  auto transfer =
      static_cast<Cycle>(std::ceil(double(bytes) * dramCyclesPerByte));
  Cycle from = end - std::min(end - begin, transfer);
  if (!begins(from, end)) {
    return;
  }
  unsigned track = laneFor(channels[channel], kDramProcess,
                           fmt::format("channel {}", channel),
                           /*numbered=*/false, channel * kOrderStep, from, end);
  slice({kDramProcess, track}, write ? "write" : "read", from, end);
  argument("op", program.op);
  event += "\"bytes\":";
  number(bytes);
  event += ",\"cycle\":";
  number(from);
  event += ",\"waited\":";
  number(from - begin);
  event += "}}";
  emit(from);
}

void PerfettoTrace::cbEvent(unsigned pe, unsigned cb, bool, uint32_t,
                            uint64_t occupied, Cycle at) {
  if (!options.cbs || !traced[pe] || !begins(at, at)) {
    return;
  }
  nameProcess(kFirstPeProcess + pe);
  nextEvent();
  event += "{\"ph\":\"C\",\"pid\":";
  number(kFirstPeProcess + pe);
  event += ",\"ts\":";
  time(at);
  event += ",\"name\":\"CB ";
  number(cb);
  event += "\",\"args\":{\"bytes\":";
  number(occupied);
  event += "}}";
  emit(at);
}
