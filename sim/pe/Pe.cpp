//===- Pe.cpp - Evaluation of a processing element ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/pe/Pe.h"

#include "sim/memory/AddressMap.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <string>

using namespace chipwright;
using namespace chipwright::sim;

const char *sim::stallName(Stall stall) {
  static constexpr const char *names[numStalls] = {
      "launch",    "issue",  "dispatch",  "operands",   "space",
      "bank",      "load",   "reduction", "rendezvous", "barrier",
      "semaphore", "memory", "finished"};
  return names[static_cast<unsigned>(stall)];
}

const char *sim::faultName(FaultKind kind) {
  switch (kind) {
  case FaultKind::IllegalInstruction:
    return "illegal instruction";
  case FaultKind::BadAccess:
    return "bad access";
  case FaultKind::Misaligned:
    return "misaligned access";
  case FaultKind::CbOverflow:
    return "CB overflow";
  case FaultKind::CbUnderflow:
    return "CB underflow";
  case FaultKind::CbMisuse:
    return "CB misuse";
  case FaultKind::BadCommand:
    return "bad command";
  case FaultKind::MulticastOrder:
    return "multicast order violation";
  case FaultKind::StaleLine:
    return "read of a stale cached line";
  case FaultKind::TaintedControl:
    return "tainted value in control";
  case FaultKind::Runaway:
    return "runaway";
  case FaultKind::Deadlock:
    return "deadlock";
  }
  return "fault";
}

Pe::Pe(PeServices &services, unsigned number)
    : services(services), peNumber(number), local(services.spec.ls.bytes),
      taint(services.spec.ls.bytes),
      mayBeClean(divideUp(services.spec.ls.bytes, HartWindow::kBlockBytes), 1),
      cbs(services.spec.cp.cbs), banks(services.spec.re.banks),
      semaphores(services.spec.cp.semaphores),
      lsRate(uint64_t(services.spec.ls.banks) * services.spec.ls.bankBytes),
      fi(services, *this) {
  wakesPosted.fill(kNever);
  queues.assign(kHarts * kEngines,
                CommandQueue(services.spec.cp.queueCommands));
  for (HartState &state : harts) {
    state.contexts.resize(std::max(1u, services.spec.cp.contexts));
  }
  bankIsInteger.assign(banks.size(), false);
  if (services.functional) {
    bankData.assign(banks.size(),
                    std::vector<uint32_t>(size_t(services.spec.dpe.streamRows) *
                                          services.spec.dpe.tiles *
                                          services.spec.dpe.tileRows));
  }
}

void Pe::launch(const std::shared_ptr<const DecodedImage> &image,
                const std::vector<uint8_t> &imageBytes, uint64_t entry,
                const std::vector<uint8_t> &arguments, Cycle start) {
  count.instructions += instructions();
  // A launch begins with empty buffers, zero semaphores and clean registers;
  // local memory keeps its contents.
  imageCopy = imageBytes;
  for (CircularBuffer &cb : cbs) {
    cb = CircularBuffer();
  }
  // Positions in rings count from zero again.
  cachedKey = dataKey = CachedKey();
  std::fill(semaphores.begin(), semaphores.end(), 0);
  uint64_t argumentsAt =
      kLocalBase + local.size() - services.spec.control.descriptorBytes;
  std::copy(arguments.begin(), arguments.end(),
            local.begin() +
                static_cast<std::ptrdiff_t>(argumentsAt - kLocalBase));
  std::fill_n(taint.data() + (argumentsAt - kLocalBase), arguments.size(), 0);
  noteClean(static_cast<uint32_t>(argumentsAt - kLocalBase),
            static_cast<uint32_t>(arguments.size()));
  for (unsigned i = 0; i < kHarts; ++i) {
    HartState &state = harts[i];
    state.block = Block::None;
    state.outstanding = 0;
    state.pointerMoves = 0;
    state.writesIssued = state.writesDone = 0;
    for (auto &context : state.contexts) {
      context.fill(0);
    }
    state.hart = std::make_unique<Hart>(services.spec.hart, *this,
                                        peNumber * kHarts + i);
    state.hart->addWindow({kLocalBase, local.size(), local.data(), taint.data(),
                           true, mayBeClean.data()});
    state.hart->addWindow({kImageBase, imageCopy.size(), imageCopy.data(),
                           nullptr, /*writable=*/false});
    state.hart->setImage(image);
    state.hart->reset(entry, start);
    // The launch contract: a0 = arguments, a1 = hart, sp = end of free memory.
    state.hart->setReg(10, argumentsAt);
    state.hart->setReg(11, i);
    state.hart->setReg(2, argumentsAt);
  }
  // Until the harts start, whatever the launch before ended with.
  for (StallAccount &account : stalls) {
    account.setCause(Stall::Launch);
  }
  isFinished = false;
  wakeAt(start);
}

void Pe::wakeAt(Cycle when) {
  Cycle &posted = wakesPosted[when % wakesPosted.size()];
  if (posted != when) {
    posted = when;
    services.wheel.post(when, Phase::Evaluate, this, Wake);
  }
}

void Pe::fire(Cycle now, uint32_t kind, uint64_t argument) {
  switch (kind) {
  case Wake:
    if (lastEvaluated != now) {
      evaluate(now);
    }
    return;
  case SemaphoreAdd:
    arrivedAdds.push_back(argument);
    wakeAt(now);
    return;
  case BarrierRelease:
  case HartWake:
    harts[argument].answered = true;
    harts[argument].answerAt = now;
    wakeAt(now);
    return;
  case HartAccess:
    services.arbiter.request(this, now);
    return;
  }
}

void Pe::evaluate(Cycle now) {
  if (isFinished || services.faults.stopped(peNumber)) {
    return;
  }
  chargeStalls(now);
  applySemaphores(now);
  retire(now);
  runHarts(now);
  if (services.faults.stopped(peNumber)) {
    return;
  }
  // Starting a command may free a queue entry, and a pointer move may let a
  // command start; neither can undo the other.
  while (movePointers(now) || dispatch(now)) {
    if (services.faults.stopped(peNumber)) {
      return;
    }
  }
  sendPosts(now);
  for (HartState &state : harts) {
    if (state.block != Block::None && blockOver(state, now)) {
      wakeAt(now + 1);
    }
  }
  for (unsigned engine = 0; engine < kEngines; ++engine) {
    stalls[engine].setCause(idleCause(engine));
  }
  finishCheck(now);
}

void Pe::chargeStalls(Cycle now) {
  for (StallAccount &account : stalls) {
    account.charge(lastEvaluated, now);
  }
  lastEvaluated = now;
}

void Pe::closeAccounts(Cycle end) { chargeStalls(end); }

//===----------------------------------------------------------------------===//
// What became done
//===----------------------------------------------------------------------===//

void Pe::addCompletion(const Completion &completion) {
  auto before = std::find_if(
      completions.begin(), completions.end(),
      [&](const Completion &other) { return other.at <= completion.at; });
  completions.insert(before, completion);
  wakeAt(completion.at);
}

void Pe::retire(Cycle now) {
  while (!completions.empty() && completions.back().at <= now) {
    const Completion &done = completions.back();
    for (unsigned i = 0; i < done.numInputs; ++i) {
      const CbRange &range = done.inputs[i];
      cbs[range.cb].reader.release(range.epoch);
      dirtySides |= uint64_t(1) << range.cb;
    }
    for (unsigned i = 0; i < done.numOutputs; ++i) {
      const CbRange &range = done.outputs[i];
      CircularBuffer &buffer = cbs[range.cb];
      buffer.writer.release(range.epoch);
      std::erase_if(buffer.openWriters, [&](const auto &writer) {
        return writer.ticket == range.ticket;
      });
      dirtySides |= uint64_t(1) << range.cb;
    }
    harts[done.hart].outstanding -= done.endsCommand;
    harts[done.hart].writesDone += done.isWrite;
    completions.pop_back();
  }
  while (!dueMoves.empty() && dueMoves.front().at <= now) {
    dirtySides |= uint64_t(1) << dueMoves.front().cb;
    std::pop_heap(dueMoves.begin(), dueMoves.end(), std::greater<>());
    dueMoves.pop_back();
  }
}

bool Pe::movePointers(Cycle now) {
  bool any = false;
  for (uint64_t rest = dirtySides; rest; rest &= rest - 1) {
    unsigned index = static_cast<unsigned>(std::countr_zero(rest));
    bool moved = moveSide(index, /*write=*/true, now);
    moved |= moveSide(index, /*write=*/false, now);
    any |= moved;
    if (!moved) {
      dirtySides &= ~(uint64_t(1) << index);
    }
  }
  return any;
}

bool Pe::moveSide(unsigned index, bool write, Cycle now) {
  CircularBuffer &buffer = cbs[index];
  PointerSide &side = write ? buffer.writer : buffer.reader;
  bool any = false;
  while (side.hasMove() && side.moveUsers() == 0 && side.moveFrom() <= now) {
    // A push waits for space, a pop for data.
    uint32_t bytes = side.moveBytes();
    uint64_t occupied = buffer.occupied();
    if (write ? occupied + bytes > buffer.size : occupied < bytes) {
      break;
    }
    if (side.moveCounted()) {
      HartState &owner = harts[side.hart];
      --owner.pointerMoves;
      --owner.outstanding;
    }
    side.takeMove();
    any = true;
    if (services.trace) {
      services.trace->cbEvent(peNumber, index, write, bytes, buffer.occupied(),
                              now);
    }
  }
  return any;
}

//===----------------------------------------------------------------------===//
// Semaphores
//===----------------------------------------------------------------------===//

void Pe::applySemaphores(Cycle now) {
  // Updates that arrive together queue up in the order of their senders.
  std::sort(arrivedAdds.begin(), arrivedAdds.end());
  for (uint64_t packed : arrivedAdds) {
    semaphoreFree =
        std::max(semaphoreFree, now) + services.spec.cp.atomicCycles;
    pendingAdds.push_back({semaphoreFree,
                           static_cast<unsigned>(packed >> 40 & 0xff),
                           packed & 0xff'ffff'ffff});
    wakeAt(semaphoreFree);
  }
  arrivedAdds.clear();
  while (!pendingAdds.empty() && pendingAdds.front().at <= now) {
    semaphores[pendingAdds.front().semaphore] += pendingAdds.front().amount;
    pendingAdds.erase(pendingAdds.begin());
  }
}

void Pe::sendPosts(Cycle now) {
  for (size_t i = 0; i < posts.size();) {
    SemaphorePost &post = posts[i];
    HartState &state = harts[post.hart];
    Cycle from = std::max(post.from, state.storesDone);
    if (state.writesDone < post.writesBefore || from > now) {
      if (state.writesDone >= post.writesBefore) {
        wakeAt(from);
      }
      ++i;
      continue;
    }
    uint64_t offset = offsetOf(post.target);
    unsigned target = static_cast<unsigned>(offset / kPeWindowBytes);
    uint64_t semaphore =
        (offset % kPeWindowBytes - kPeSemaphoreOffset) / kSemaphoreBytes;
    Cycle travel = services.paths.noc().peToPe(peNumber, target).latency();
    services.wheel.post(
        now + std::max<Cycle>(travel, 1), Phase::Deliver, peers[target],
        SemaphoreAdd, uint64_t(peNumber) << 48 | semaphore << 40 | post.amount);
    --state.outstanding;
    posts.erase(posts.begin() + i);
  }
}

//===----------------------------------------------------------------------===//
// Harts
//===----------------------------------------------------------------------===//

bool Pe::blockOver(HartState &state, Cycle now) {
  unsigned hart = static_cast<unsigned>(&state - harts.data());
  const CircularBuffer &buffer = cbs[state.blockUnit % cbs.size()];
  switch (state.block) {
  case Block::None:
    return true;
  case Block::CbWait:
    return buffer.writer.effective >=
           buffer.reader.logical + state.blockArgument;
  case Block::CbReserve:
    return buffer.writer.logical + state.blockArgument <=
           buffer.reader.effective + buffer.size;
  case Block::QueueFull:
    return !queues[hart * kEngines + state.blockUnit].full();
  case Block::PointerFull:
    return state.pointerMoves < services.spec.cp.queueCommands;
  case Block::SemWait:
  case Block::SemTake:
    return semaphores[state.blockUnit] >= state.blockArgument;
  case Block::Fence:
    return state.outstanding == 0 && state.storesDone <= now;
  case Block::Barrier:
  case Block::Memory:
  case Block::Counter:
    return state.answered;
  case Block::Halted:
  case Block::NotStarted:
    return false;
  }
  return false;
}

/// The hart's sentence without its place, which the report gives in the terms
/// of the chip, and with instructions of the extension by name.
static std::string chipText(const HartError &error, uint64_t hartId) {
  std::string text = error.text;
  for (const std::string &place :
       {fmt::format("Hart {} at pc {:#x}: ", hartId, error.pc),
        fmt::format("Hart {} ", hartId)}) {
    if (text.starts_with(place)) {
      text.erase(0, place.size());
    }
  }
  if (text.ends_with('.')) {
    text.pop_back();
  }
  std::string plain = disassemble(error.word, error.pc);
  size_t found = isa::decode(error.word) ? text.find(plain) : text.npos;
  if (found != text.npos) {
    text.replace(found, plain.size(), isa::disassemble(error.word));
  }
  return text;
}

void Pe::runHarts(Cycle now) {
  for (unsigned i = 0; i < kHarts; ++i) {
    HartState &state = harts[i];
    if (state.block == Block::Halted || state.block == Block::NotStarted) {
      continue;
    }
    if (state.block == Block::None && state.hart->cycle() > now) {
      continue; // ran ahead; woken at its local time
    }
    if (!blockOver(state, now)) {
      if (state.block == Block::Fence && state.outstanding == 0) {
        wakeAt(state.storesDone);
      }
      continue;
    }
    Cycle from = state.answered ? state.answerAt : now;
    state.answered = false;
    state.block = Block::None;
    if (state.hart->pendingCompletion()) {
      state.hart->complete(from, state.blockArgument);
    } else {
      state.hart->resumeAt(from);
    }
    // Far enough for any loop between two commands, short enough that a
    // runaway loop is noticed.
    constexpr Cycle kRunAhead = 1 << 16;
    Cycle limit = std::min(services.maxCycles, from + kRunAhead);
    HartStop stop = state.hart->run(limit);
    switch (stop) {
    case HartStop::Blocked:
      break;
    case HartStop::CycleLimit:
    case HartStop::InstructionLimit:
      if (state.hart->cycle() >= services.maxCycles) {
        services.faults.fault(FaultKind::Runaway, siteOf(i),
                              "hart still runs after " +
                                  std::to_string(services.maxCycles) +
                                  " cycles; raise --max-cycles if it should");
        return;
      }
      wakeAt(std::max(state.hart->cycle(), now + 1));
      break;
    case HartStop::Halted:
      state.block = Block::Halted;
      break;
    case HartStop::Error: {
      const HartError &error = state.hart->error();
      FaultKind kind = FaultKind::IllegalInstruction;
      switch (error.kind) {
      case HartErrorKind::FetchFault:
      case HartErrorKind::BadAccess:
        kind = FaultKind::BadAccess;
        break;
      case HartErrorKind::MisalignedAccess:
        kind = FaultKind::Misaligned;
        break;
      case HartErrorKind::StaleLine:
        kind = FaultKind::StaleLine;
        break;
      case HartErrorKind::TaintedControl:
        kind = FaultKind::TaintedControl;
        break;
      default:
        break;
      }
      services.faults.fault(kind, {peNumber, i, error.pc, error.word},
                            chipText(error, state.hart->id()));
      return;
    }
    }
  }
}

void Pe::finishCheck(Cycle now) {
  for (const HartState &state : harts) {
    if (state.block != Block::Halted || state.outstanding != 0 ||
        state.hart->cycle() > now || state.storesDone > now) {
      if (state.block == Block::Halted && state.outstanding == 0) {
        wakeAt(std::max(state.hart->cycle(), state.storesDone));
      }
      return;
    }
  }
  isFinished = true;
  Cycle travel = services.paths.noc().controlLatency(peNumber);
  services.wheel.post(now + std::max<Cycle>(travel, 1), Phase::Deliver,
                      &services.control, 0, peNumber);
}

uint64_t Pe::instructions() const {
  uint64_t sum = 0;
  for (const HartState &state : harts) {
    sum += state.hart ? state.hart->counters().instructions : 0;
  }
  return sum;
}

uint64_t Pe::pcHash() const {
  if (!harts[0].hart) {
    return 0; // never launched
  }
  return harts[0].hart->pcHash() * 0x9e3779b97f4a7c15 ^ harts[1].hart->pcHash();
}
