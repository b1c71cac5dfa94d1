//===- Chip.cpp -----------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/machine/Chip.h"

#include <algorithm>

using namespace chipwright;
using namespace chipwright::sim;

Chip::Chip(sc_core::sc_module_name name, TimingWheel &wheel, ClockDomain domain,
           FaultSink &faults)
    : sc_module(name), wheel(wheel), domain(domain), faults(faults) {
  SC_METHOD(step);
  sensitive << work;
  dont_initialize();
}

Cycle Chip::now() const {
  // The time resolution is one femtosecond.
  return domain.atOrAfterFs(sc_core::sc_time_stamp().value());
}

void Chip::step() {
  Cycle current = now();
  Cycle due = wheel.nextCycle();
  if (due == current) {
    wheel.runCycle(current);
    due = wheel.nextCycle();
  }
  if (due == kNever || faults.stopped()) {
    return; // kick() starts again
  }
  // One event for both: kick() brings a notification that is pending forward.
  work.notify(
      sc_core::sc_time::from_value(domain.toFs(due) - domain.toFs(current)));
}

ControlCore::ControlCore(sc_core::sc_module_name name, const ChipSpec &spec,
                         TimingWheel &wheel, Chip &chip)
    : sc_module(name), spec(spec), wheel(wheel), chip(chip) {
  SC_METHOD(dispatch);
  sensitive << submitted;
  dont_initialize();
}

void ControlCore::submit(const Job &newJob) {
  job = newJob;
  isDone = false;
  submitted.notify(sc_core::SC_ZERO_TIME);
}

void ControlCore::dispatch() {
  dispatchCycle = chip.now() + 1;
  remaining = job.rows * job.cols;
  firstStartCycle = kNever;
  // The descriptor, and the image unless it is there, go to all PEs at once;
  // they reach a PE later the further it is from the control core.
  uint64_t sent = spec.control.descriptorBytes +
                  (job.resident ? 0 : job.image->bytes.size());
  Cycle transfer = divideUp(sent, spec.noc.linkBytes);
  for (unsigned row = 0; row < job.rows; ++row) {
    for (unsigned col = 0; col < job.cols; ++col) {
      unsigned pe = row * spec.grid.cols + col;
      Cycle start = dispatchCycle + spec.control.dispatchCycles +
                    paths->noc().controlLatency(pe) + transfer +
                    spec.control.wqeCycles;
      firstStartCycle = std::min(firstStartCycle, start);
      pes[pe]->launch(job.image->decoded, job.image->bytes, job.image->entry,
                      job.arguments, start);
    }
  }
  chip.kick();
}

void ControlCore::fire(Cycle now, uint32_t kind, uint64_t) {
  if (kind == 1) {
    endCycle = now;
    isDone = true;
    return;
  }
  lastDoneCycle = now;
  if (--remaining != 0) {
    return;
  }
  Cycle last = job.writeBack ? paths->writeBackAll(now) : now;
  lastDoneCycle = last;
  writeBackCycles = last - now;
  wheel.post(last + std::max(1u, spec.control.completionCycles), Phase::Deliver,
             this, 1);
}
