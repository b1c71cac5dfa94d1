//===- Tracing.cpp - --trace and --watch ----------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tools/Tracing.h"

#include <cstdio>

using namespace chipwright;
using namespace chipwright::tools;

Result<void> Tracing::begin(const TracingRequest &request, const ChipSpec &spec,
                            RunOptions &options) {
  if (!request.path.empty()) {
    sim::TraceOptions wanted;
    wanted.path = request.path;
    wanted.maxBytes = request.maxBytes;
    wanted.cbs = true;
    if (!request.pes.empty()) {
      auto pes = sim::parsePeList(request.pes, spec.grid);
      if (!pes) {
        return pes.error();
      }
      wanted.pes = pes.take();
    }
    if (!request.window.empty()) {
      auto window = sim::parseWindow(request.window);
      if (!window) {
        return window.error();
      }
      wanted.window = *window;
    }
    auto opened = sim::PerfettoTrace::open(spec, wanted);
    if (!opened) {
      return opened.error();
    }
    trace = opened.take();
    fan.add(*trace);
    options.imageLoaded = [this](const sim::KernelImage &image) {
      beforeLaunch(image, "");
    };
  }
  if (!request.watch.empty()) {
    auto wanted = sim::parseWatch(request.watch, spec);
    if (!wanted) {
      return wanted.error();
    }
    watch.emplace(spec, *wanted, request.watchToStderr ? stderr : stdout);
    fan.add(*watch);
  }
  options.trace = fan.get();
  return {};
}

void Tracing::beforeLaunch(const sim::KernelImage &image,
                           const std::string &op) {
  if (!trace) {
    return;
  }
  // The names outlive the image.
  auto names = std::make_shared<sim::KernelImage>();
  names->functions = image.functions;
  names->commands = image.commands;
  names->tags = image.tags;
  trace->setProgram({op, [names](uint64_t pc) { return names->nameOf(pc); },
                     [names](uint64_t pc) { return names->tagOf(pc); }});
}

void Tracing::afterLaunch(const std::string &op, const sim::JobResult &result) {
  if (trace) {
    trace->launch(op, result.end - result.cycles, result.end);
  }
}

Result<void> Tracing::finish() {
  std::fflush(stdout);
  if (!trace) {
    return {};
  }
  if (auto done = trace->finish(); !done) {
    return done.error();
  }
  if (trace->truncated()) {
    std::fputs(("chipwright: note: " + trace->message() + "\n").c_str(),
               stderr);
  }
  return {};
}
