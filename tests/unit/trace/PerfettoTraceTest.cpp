//===- PerfettoTraceTest.cpp ----------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/trace/PerfettoTrace.h"
#include "tests/unit/trace/TraceMachine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

using namespace chipwright;
using namespace chipwright::sim;
using nlohmann::json;
using testing::HasSubstr;

namespace {

struct Slice {
  Cycle begin, end;
  std::string name;
  json args;
};

/// A trace file, read back.
class Reading {
public:
  Reading(const std::string &path, uint64_t periodFs) : periodFs(periodFs) {
    std::ifstream file(path);
    document = json::parse(file, nullptr, /*allow_exceptions=*/false);
    EXPECT_FALSE(document.is_discarded()) << path << " is not JSON";
    if (document.is_discarded()) {
      return;
    }
    for (const json &event : document["traceEvents"]) {
      std::string phase = event["ph"], name = event["name"];
      unsigned process = event["pid"];
      if (phase == "M" && name == "process_name") {
        processes[process] = event["args"]["name"];
      } else if (phase == "M" && name == "thread_name") {
        tracks[event["tid"]] =
            processes.at(process) + " " + std::string(event["args"]["name"]);
      } else if (phase == "X") {
        Cycle begin = cycles(event["ts"]);
        slices[tracks.at(event["tid"])].push_back(
            {begin, begin + cycles(event["dur"]), name, event["args"]});
      } else if (phase == "i" && event["s"] == "t") {
        ++instants[tracks.at(event["tid"])];
      }
    }
    for (auto &[track, list] : slices) {
      std::sort(list.begin(), list.end(), [](const Slice &a, const Slice &b) {
        return a.begin < b.begin;
      });
    }
  }

  /// A time in microseconds must be a whole number of cycles.
  Cycle cycles(double microseconds) const {
    double value = microseconds * 1e9 / double(periodFs);
    EXPECT_NEAR(value, std::round(value), 1e-4);
    return static_cast<Cycle>(std::llround(value));
  }

  /// Slices of all tracks whose name begins so.
  std::vector<Slice> of(const std::string &prefix) const {
    std::vector<Slice> result;
    for (const auto &[track, list] : slices) {
      if (track.starts_with(prefix)) {
        result.insert(result.end(), list.begin(), list.end());
      }
    }
    return result;
  }

  uint64_t periodFs;
  json document;
  std::map<unsigned, std::string> processes, tracks;
  std::map<std::string, std::vector<Slice>> slices;
  std::map<std::string, unsigned> instants;
};

/// Cycles that at least one slice covers.
Cycle unionOf(std::vector<Slice> slices) {
  std::sort(slices.begin(), slices.end(),
            [](const Slice &a, const Slice &b) { return a.begin < b.begin; });
  Cycle sum = 0, covered = 0;
  for (const Slice &slice : slices) {
    Cycle from = std::max(slice.begin, covered);
    sum += slice.end > from ? slice.end - from : 0;
    covered = std::max(covered, slice.end);
  }
  return sum;
}

Cycle sumOf(const std::vector<Slice> &slices) {
  Cycle sum = 0;
  for (const Slice &slice : slices) {
    sum += slice.end - slice.begin;
  }
  return sum;
}

std::string peName(const ChipSpec &spec, unsigned pe) {
  return "PE " + std::to_string(pe / spec.grid.cols) + "," +
         std::to_string(pe % spec.grid.cols);
}

/// Both levels of DRAM.
class PerfettoTraceTest : public testing::TestWithParam<const char *> {
protected:
  PerfettoTraceTest()
      : chip(smallChip({std::string("dram.level=") + GetParam()})),
        spec(chip.spec) {
    options.path = folder.file("trace.json");
  }

  /// Runs the kernel under a trace; \p job and \p trace stay for questions.
  Reading record(unsigned launches = 1) {
    Result<std::unique_ptr<PerfettoTrace>> opened =
        PerfettoTrace::open(spec, options);
    if (!opened) {
      ADD_FAILURE() << opened.error().message;
      std::exit(1);
    }
    trace = opened.take();
    job.reset();
    job = std::make_unique<MatrixRun>(spec, trace.get());
    trace->setProgram(
        {"", [&](uint64_t pc) { return job->image.nameOf(pc); }, {}});
    for (unsigned i = 0; i < launches; ++i) {
      result = job->run();
    }
    Result<void> finished = trace->finish();
    EXPECT_TRUE(finished) << finished.error().message;
    EXPECT_EQ(std::filesystem::file_size(options.path), trace->bytes());
    return Reading(options.path, spec.periodFs());
  }

  TemporaryFolder folder;
  ResolvedChip chip;
  const ChipSpec &spec;
  TraceOptions options;
  std::unique_ptr<PerfettoTrace> trace;
  std::unique_ptr<MatrixRun> job;
  JobResult result;
};

TEST_P(PerfettoTraceTest, EveryEventFollowsTheFormat) {
  options.cbs = true;
  Reading reading = record();
  EXPECT_EQ(reading.document["displayTimeUnit"], "ns");
  EXPECT_EQ(reading.document["otherData"]["chip"], "mtia-2i");
  std::set<std::string> phases;
  std::set<unsigned> named;
  for (const json &event : reading.document["traceEvents"]) {
    ASSERT_TRUE(event.is_object());
    ASSERT_TRUE(event["ph"].is_string());
    std::string phase = event["ph"];
    phases.insert(phase);
    ASSERT_TRUE(event["name"].is_string()) << event;
    EXPECT_FALSE(std::string(event["name"]).empty());
    ASSERT_TRUE(event["pid"].is_number_unsigned()) << event;
    EXPECT_NE(event["pid"], 0u);
    ASSERT_TRUE(event["args"].is_object()) << event;
    if (phase == "C") {
      EXPECT_TRUE(event["args"]["bytes"].is_number_unsigned());
      EXPECT_GE(double(event["ts"]), 0);
      continue;
    }
    ASSERT_TRUE(event["tid"].is_number_unsigned()) << event;
    if (phase == "M") {
      named.insert(unsigned(event["tid"]));
      continue;
    }
    // Names precede what they name.
    EXPECT_TRUE(named.count(event["tid"])) << event;
    ASSERT_TRUE(event["ts"].is_number()) << event;
    EXPECT_GE(double(event["ts"]), 0);
    if (phase == "X") {
      ASSERT_TRUE(event["dur"].is_number()) << event;
      EXPECT_GT(double(event["dur"]), 0) << event;
    } else {
      EXPECT_EQ(phase, "i") << event;
      EXPECT_TRUE(event["s"].is_string()) << event;
    }
  }
  EXPECT_EQ(phases, (std::set<std::string>{"M", "X", "i", "C"}));
}

TEST_P(PerfettoTraceTest, SlicesOfATrackDoNotOverlap) {
  Reading reading = record();
  bool manyTransfers = false, links = false, channels = false;
  for (const auto &[track, list] : reading.slices) {
    for (size_t i = 1; i < list.size(); ++i) {
      EXPECT_LE(list[i - 1].end, list[i].begin)
          << track << ": " << list[i - 1].name << " and " << list[i].name;
    }
    manyTransfers |= track == "PE 0,0 FI in #1";
    links |= track.starts_with("NoC links");
    channels |= track.starts_with("DRAM channels");
    // Engines that do one command at a time need no lanes.
    for (const char *engine : {"DPE #", "RE #", "SE #", "MLU #"}) {
      EXPECT_EQ(track.find(engine), track.npos) << track;
    }
  }
  EXPECT_TRUE(manyTransfers);
  EXPECT_TRUE(links);
  EXPECT_TRUE(channels);
}

TEST_P(PerfettoTraceTest, SlicesSumToBusyCycles) {
  Reading reading = record(/*launches=*/2);
  for (unsigned number = 0; number < spec.grid.numPes(); ++number) {
    const Pe &pe = job->machine->pe(number);
    auto busy = [&](isa::Engine engine) { return pe.account(engine).busy(); };
    std::string name = peName(spec, number) + " ";
    EXPECT_EQ(sumOf(reading.of(name + "DPE")), busy(isa::Engine::Dpe));
    EXPECT_EQ(sumOf(reading.of(name + "RE")), busy(isa::Engine::Re));
    EXPECT_EQ(sumOf(reading.of(name + "SE")), busy(isa::Engine::Se));
    EXPECT_EQ(sumOf(reading.of(name + "MLU")), busy(isa::Engine::Mlu));
    EXPECT_EQ(unionOf(reading.of(name + "FI in")), busy(isa::Engine::FiIn));
    EXPECT_EQ(unionOf(reading.of(name + "FI out")), busy(isa::Engine::FiOut));
    EXPECT_GT(busy(isa::Engine::Dpe), 0u);
    EXPECT_GT(busy(isa::Engine::FiOut), 0u);
  }
}

TEST_P(PerfettoTraceTest, LinksAndChannelsCarryTheBytes) {
  Reading reading = record();
  const Noc &noc = job->machine->paths().noc();
  for (unsigned link = 0; link < noc.numLinks(); ++link) {
    EXPECT_EQ(sumOf(reading.of("NoC links " + noc.linkName(link))),
              noc.linkState(link).busyCycles())
        << noc.linkName(link);
  }
  uint64_t bytes[2] = {0, 0};
  for (const json &event : reading.document["traceEvents"]) {
    if (event["name"] == "read" || event["name"] == "write") {
      bytes[event["name"] == "write"] += uint64_t(event["args"]["bytes"]);
    }
  }
  EXPECT_EQ(bytes[0], 2u * job->steps * job->bBytes);
  EXPECT_EQ(bytes[1], 4u * job->outBytes);
  // A slice is not longer than its transfer on the channel's pins.
  double cyclesPerByte =
      spec.clockGhz * 1e9 * spec.dram.channels / spec.dram.pinBytesPerSecond;
  for (const Slice &slice : reading.of("DRAM channels")) {
    EXPECT_LE(double(slice.end - slice.begin),
              double(slice.args["bytes"]) * cyclesPerByte + 1);
  }
}

TEST_P(PerfettoTraceTest, SlicesNameTheirCommands) {
  Reading reading = record();
  for (unsigned number = 0; number < spec.grid.numPes(); ++number) {
    std::string name = peName(spec, number) + " ";
    std::map<std::string, std::set<uint64_t>> commands; // numbers by mnemonic
    std::vector<Slice> dpe = reading.of(name + "DPE");
    for (const char *engine : {"DPE", "RE", "SE", "MLU", "FI"}) {
      for (const Slice &slice : reading.of(name + engine)) {
        commands[slice.name].insert(uint64_t(slice.args["number"]));
        EXPECT_EQ(uint64_t(slice.args["cycle"]), slice.begin);
        EXPECT_EQ(uint64_t(slice.args["cycles"]), slice.end - slice.begin);
        bool in = slice.name == "xpe.dma.in";
        EXPECT_EQ(uint64_t(slice.args["hart"]), in ? 0u : 1u);
        EXPECT_THAT(std::string(slice.args["function"]),
                    HasSubstr(in ? "kernel_load" : "kernel_compute"));
        EXPECT_THAT(std::string(slice.args["pc"]),
                    testing::StartsWith("0x400"));
      }
    }
    EXPECT_EQ(commands["xpe.dma.in"].size(), 2 * job->steps);
    EXPECT_EQ(commands["xpe.mml"].size(), job->steps);
    EXPECT_EQ(commands["xpe.reduce"].size(), 1u);
    EXPECT_EQ(commands["xpe.drain"].size(), 1u);
    EXPECT_EQ(commands["xpe.se"].size(), 1u);
    EXPECT_EQ(commands["xpe.mlu.transpose"].size(), 1u);
    EXPECT_EQ(commands["xpe.dma.out"].size(), 1u);
    // Loads of the second operand leave gaps inside commands.
    EXPECT_GT(dpe.size(), job->steps);
    EXPECT_THAT(std::string(dpe[0].args["operands"]),
                testing::AllOf(HasSubstr("a_rows=32"), HasSubstr("b_rows=64"),
                               HasSubstr("passes=2")));
    EXPECT_EQ(reading.instants[name + "RE"], 1u); // the empty bank.init
  }
}

TEST_P(PerfettoTraceTest, FilterByPe) {
  options.pes = {1, 2};
  options.links = options.dram = false;
  Reading reading = record();
  std::set<std::string> names;
  for (const auto &[process, name] : reading.processes) {
    names.insert(name);
  }
  EXPECT_EQ(names, (std::set<std::string>{"PE 0,1", "PE 1,0"}));
  EXPECT_GT(reading.of("PE 0,1 DPE").size(), 0u);
}

TEST_P(PerfettoTraceTest, WindowKeepsWhatOverlapsIt) {
  Reading whole = record();
  std::vector<Slice> all = whole.of("PE 0,0 DPE");
  CycleWindow window{all[3].begin + 1, all[6].begin};
  options.window = window;
  Reading part = record();
  EXPECT_EQ(part.of("PE 0,0 DPE").size(), 3u);
  size_t expected = 0, found = 0;
  for (const auto &[track, list] : whole.slices) {
    for (const Slice &slice : list) {
      expected += window.overlaps(slice.begin, slice.end);
    }
  }
  for (const auto &[track, list] : part.slices) {
    found += list.size();
    for (const Slice &slice : list) {
      EXPECT_TRUE(window.overlaps(slice.begin, slice.end)) << track;
    }
  }
  EXPECT_EQ(found, expected);
}

TEST_P(PerfettoTraceTest, LimitStopsTheRecording) {
  size_t wholeSize = record().document["traceEvents"].size();
  uint64_t wholeBytes = trace->bytes();
  EXPECT_FALSE(trace->truncated());
  EXPECT_EQ(trace->message(), "");
  // Limits around every possible place: metadata, slices, the marker.
  for (uint64_t limit = kMinTraceBytes; limit < kMinTraceBytes + 1500;
       limit += 37) {
    options.maxBytes = limit;
    Reading part = record();
    EXPECT_TRUE(trace->truncated());
    EXPECT_LE(trace->bytes(), limit);
    ASSERT_FALSE(part.document.is_discarded()) << limit;
    const json &events = part.document["traceEvents"];
    EXPECT_LT(events.size(), wholeSize);
    EXPECT_EQ(events.back()["ph"], "i");
    EXPECT_THAT(std::string(events.back()["name"]),
                HasSubstr("truncated at " + std::to_string(limit)));
    EXPECT_THAT(trace->message(),
                testing::AllOf(HasSubstr(std::to_string(limit)),
                               HasSubstr("fewer PEs"), HasSubstr("window")));
  }
  // Just enough.
  options.maxBytes = wholeBytes + 1024;
  record();
  EXPECT_FALSE(trace->truncated());
  options.maxBytes = kMinTraceBytes - 1;
  EXPECT_FALSE(PerfettoTrace::open(spec, options));
}

TEST_P(PerfettoTraceTest, TracingChangesNothing) {
  record();
  JobResult traced = result;
  job.reset();
  job = std::make_unique<MatrixRun>(spec, nullptr);
  JobResult plain = job->run();
  EXPECT_EQ(traced.cycles, plain.cycles);
  EXPECT_EQ(traced.instructions, plain.instructions);
  EXPECT_EQ(traced.pcHash, plain.pcHash);
  EXPECT_EQ(traced.events, plain.events);
}

TEST_P(PerfettoTraceTest, OddNamesStayJson) {
  Result<std::unique_ptr<PerfettoTrace>> opened =
      PerfettoTrace::open(spec, options);
  ASSERT_TRUE(opened);
  trace = opened.take();
  trace->setProgram({"o\"p",
                     [](uint64_t) { return std::string("a\"b\\c\n\x01\xff"); },
                     [](uint64_t) { return std::string("part\t"); }});
  job = std::make_unique<MatrixRun>(spec, trace.get());
  job->run();
  ASSERT_TRUE(trace->finish());
  Reading reading(options.path, spec.periodFs());
  EXPECT_EQ(reading.of("PE 0,0 DPE").at(0).args["function"],
            "a\"b\\c\n\x01\u00ff");
  EXPECT_EQ(reading.of("PE 0,0 DPE").at(0).args["op"], "o\"p");
  EXPECT_EQ(reading.of("PE 0,0 DPE").at(0).args["part"], "part\t");
}

TEST_P(PerfettoTraceTest, WhatHappensDuringALaunchNamesItsOperation) {
  Result<std::unique_ptr<PerfettoTrace>> opened =
      PerfettoTrace::open(spec, options);
  ASSERT_TRUE(opened);
  trace = opened.take();
  job = std::make_unique<MatrixRun>(spec, trace.get());
  for (const char *op : {"first", "second\\"}) {
    trace->setProgram({op, {}, {}});
    JobResult done = job->run();
    trace->launch(op, done.end - done.cycles, done.end);
  }
  ASSERT_TRUE(trace->finish());
  Reading reading(options.path, spec.periodFs());
  std::vector<Slice> launches = reading.of("Launches");
  ASSERT_EQ(launches.size(), 2u);
  EXPECT_EQ(launches[1].name, "second\\");
  size_t seen = 0;
  for (const char *track : {"PE ", "NoC links", "DRAM channels"}) {
    std::vector<Slice> slices = reading.of(track);
    EXPECT_FALSE(slices.empty()) << track;
    for (const Slice &slice : slices) {
      const Slice &launch = launches[slice.begin >= launches[1].begin];
      EXPECT_EQ(slice.args["op"], launch.args["op"]) << track << slice.begin;
      seen += launch.args["op"] == "second\\";
    }
  }
  EXPECT_GT(seen, 100u);
}

TEST_P(PerfettoTraceTest, UnfinishedLeavesNoFile) {
  {
    Result<std::unique_ptr<PerfettoTrace>> opened =
        PerfettoTrace::open(spec, options);
    ASSERT_TRUE(opened);
    trace = opened.take();
    job = std::make_unique<MatrixRun>(spec, trace.get());
    job->run();
    job.reset();
    trace.reset();
  }
  EXPECT_FALSE(std::filesystem::exists(options.path));
}

INSTANTIATE_TEST_SUITE_P(DramLevels, PerfettoTraceTest,
                         testing::Values("burst", "command"),
                         [](const auto &info) {
                           return std::string(info.param);
                         });

} // namespace
