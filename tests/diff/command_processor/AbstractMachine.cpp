//===- AbstractMachine.cpp ------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/command_processor/AbstractMachine.h"

#include <algorithm>
#include <deque>
#include <map>

using namespace chipwright;
using namespace chipwright::test;

namespace {

constexpr unsigned kEngines = 6;

/// A use of a pointer by a command, or a move of it.
struct PointerEvent {
  bool isMove = false;
  bool done = false; // use: the command is done
  bool counted = false;
  unsigned hart = 0;
  uint64_t bytes = 0;
};

struct Side {
  std::deque<PointerEvent> events; // stable references
  size_t first = 0;
  uint64_t effective = 0;
};

struct Ring {
  uint64_t size = 0;
  Side writer, reader;
  /// Engines of the writers that are not done, in program order.
  std::deque<std::pair<unsigned, bool>> writers; // engine, done
};

struct Queued {
  const HartOperation *op;
  std::vector<PointerEvent *> uses;
  std::vector<std::pair<uint8_t, size_t>> writerIndex; // ring, place
  unsigned bankTicket = 0;
};

struct PeState {
  std::vector<Ring> rings;
  std::array<std::deque<Queued>, 2 * kEngines> queues;
  std::array<size_t, 2> next{};
  std::array<unsigned, 2> pointerMoves{}, open{};
  std::array<bool, 2> atBarrier{};
  std::map<int, std::pair<unsigned, unsigned>> banks; // next, started
  /// Multicasts of this PE by (kind, mask), in order, that others wait for.
  std::map<std::pair<unsigned, uint64_t>, std::deque<Queued>> joined;
};

class Abstract {
public:
  Abstract(const TileProgram &program, const OracleResult &oracle,
           const std::vector<unsigned> &slots, unsigned depth, bool multicast)
      : program(program), oracle(oracle), depth(depth), multicast(multicast),
        pes(program.numPes()) {
    for (PeState &pe : pes) {
      pe.rings.resize(slots.size());
      for (size_t i = 0; i < slots.size(); ++i) {
        pe.rings[i].size = uint64_t(slots[i]) * program.rings[i].slotBytes;
      }
    }
  }

  bool run() {
    for (bool any = true; any;) {
      any = false;
      for (unsigned pe = 0; pe < pes.size(); ++pe) {
        for (unsigned hart = 0; hart < 2; ++hart) {
          while (issue(pe, hart)) {
            any = true;
          }
        }
        for (unsigned queue = 0; queue < 2 * kEngines; ++queue) {
          while (start(pe, queue)) {
            any = true;
          }
        }
        any |= movePointers(pes[pe]);
      }
      any |= rendezvous();
      any |= leaveBarrier();
    }
    for (unsigned pe = 0; pe < pes.size(); ++pe) {
      for (unsigned hart = 0; hart < 2; ++hart) {
        if (pes[pe].next[hart] != oracle.operations[pe][hart].size() ||
            pes[pe].open[hart] != 0) {
          return false;
        }
      }
    }
    return true;
  }

private:
  void move(PeState &pe, uint8_t ring, bool write, uint64_t bytes,
            unsigned hart, bool counted) {
    PointerEvent event;
    event.isMove = true;
    event.bytes = bytes;
    event.hart = hart;
    event.counted = counted;
    Side &side = write ? pe.rings[ring].writer : pe.rings[ring].reader;
    side.events.push_back(event);
  }

  bool issue(unsigned number, unsigned hart) {
    PeState &pe = pes[number];
    const auto &list = oracle.operations[number][hart];
    if (pe.next[hart] == list.size() || pe.atBarrier[hart]) {
      return false;
    }
    const HartOperation &op = list[pe.next[hart]];
    switch (op.kind) {
    case HartOperation::Kind::Phase:
      if (pe.open[hart] != 0) {
        return false;
      }
      pe.atBarrier[hart] = true;
      return true;
    case HartOperation::Kind::Wait:
      if (pe.rings[op.cb].writer.effective < op.bytes) {
        return false;
      }
      break;
    case HartOperation::Kind::Reserve:
      if (op.bytes > pe.rings[op.cb].reader.effective + pe.rings[op.cb].size) {
        return false;
      }
      break;
    case HartOperation::Kind::Push:
    case HartOperation::Kind::Pop:
      if (pe.pointerMoves[hart] >= depth) {
        return false;
      }
      ++pe.pointerMoves[hart];
      ++pe.open[hart];
      move(pe, op.cb, op.kind == HartOperation::Kind::Push, op.bytes, hart,
           true);
      break;
    case HartOperation::Kind::Command: {
      auto &queue = pe.queues[hart * kEngines + op.engine];
      if (queue.size() >= depth) {
        return false;
      }
      queue.push_back(prepare(pe, op));
      if (op.movesWriter || op.movesReader) {
        move(pe, op.cb, op.movesWriter, op.bytes, hart, false);
      }
      ++pe.open[hart];
      break;
    }
    }
    ++pe.next[hart];
    return true;
  }

  Queued prepare(PeState &pe, const HartOperation &op) {
    Queued queued{&op, {}, {}, 0};
    for (const StreamEnd &range : op.inputs) {
      pe.rings[range.cb].reader.events.emplace_back();
      queued.uses.push_back(&pe.rings[range.cb].reader.events.back());
    }
    for (const StreamEnd &range : op.outputs) {
      Ring &ring = pe.rings[range.cb];
      ring.writer.events.emplace_back();
      queued.uses.push_back(&ring.writer.events.back());
      queued.writerIndex.emplace_back(range.cb, ring.writers.size());
      ring.writers.emplace_back(op.engine, false);
    }
    if (op.bank >= 0) {
      queued.bankTicket = pe.banks[op.bank].first++;
    }
    return queued;
  }

  bool ready(const PeState &pe, const Queued &queued) const {
    const HartOperation &op = *queued.op;
    for (const StreamEnd &range : op.inputs) {
      if (pe.rings[range.cb].writer.effective < range.end) {
        return false;
      }
    }
    for (const StreamEnd &range : op.outputs) {
      const Ring &ring = pe.rings[range.cb];
      if (range.end > ring.reader.effective + ring.size) {
        return false;
      }
    }
    for (auto [cb, place] : queued.writerIndex) {
      const auto &writers = pe.rings[cb].writers;
      for (size_t i = 0; i < place; ++i) {
        if (!writers[i].second && writers[i].first != op.engine) {
          return false;
        }
      }
    }
    return op.bank < 0 ||
           pe.banks.at(op.bank).second == queued.bankTicket;
  }

  void finish(PeState &pe, Queued &queued, unsigned hart) {
    for (PointerEvent *use : queued.uses) {
      use->done = true;
    }
    for (auto [cb, place] : queued.writerIndex) {
      pe.rings[cb].writers[place].second = true;
    }
    --pe.open[hart];
  }

  bool start(unsigned number, unsigned queueNumber) {
    PeState &pe = pes[number];
    auto &queue = pe.queues[queueNumber];
    if (queue.empty() || !ready(pe, queue.front())) {
      return false;
    }
    Queued queued = std::move(queue.front());
    queue.pop_front();
    if (queued.op->bank >= 0) {
      ++pe.banks[queued.op->bank].second;
    }
    if (queued.op->mcast != 0 && multicast) {
      pe.joined[{queued.op->mcast, queued.op->mask}].push_back(
          std::move(queued));
    } else {
      finish(pe, queued, queueNumber / kEngines);
    }
    movePointers(pe);
    return true;
  }

  /// Completes multicasts whose members are all there.
  bool rendezvous() {
    bool any = false;
    for (unsigned number = 0; number < pes.size(); ++number) {
      unsigned row = number / program.cols, col = number % program.cols;
      for (auto &[key, waiting] : pes[number].joined) {
        while (!waiting.empty()) {
          bool isRow = key.first == 1;
          std::vector<unsigned> members;
          for (unsigned m = 0; m < 64; ++m) {
            if (key.second >> m & 1) {
              members.push_back(isRow ? row * program.cols + m
                                      : m * program.cols + col);
            }
          }
          bool all = std::all_of(
              members.begin(), members.end(),
              [&, &k = key](unsigned m) { return !pes[m].joined[k].empty(); });
          if (!all) {
            break;
          }
          for (unsigned m : members) {
            auto &front = pes[m].joined[key];
            finish(pes[m], front.front(), 0);
            front.pop_front();
          }
          any = true;
        }
      }
    }
    return any;
  }

  bool movePointers(PeState &pe) {
    bool any = false;
    for (bool moved = true; moved;) {
      moved = false;
      for (Ring &ring : pe.rings) {
        moved |= moveSide(pe, ring, ring.writer, true);
        moved |= moveSide(pe, ring, ring.reader, false);
      }
      any |= moved;
    }
    return any;
  }

  bool moveSide(PeState &pe, Ring &ring, Side &side, bool write) {
    bool any = false;
    for (; side.first < side.events.size(); ++side.first) {
      const PointerEvent &event = side.events[side.first];
      if (!event.isMove) {
        if (!event.done) {
          break;
        }
        continue;
      }
      uint64_t occupied = ring.writer.effective - ring.reader.effective;
      if (write ? occupied + event.bytes > ring.size
                : occupied < event.bytes) {
        break;
      }
      side.effective += event.bytes;
      if (event.counted) {
        --pe.pointerMoves[event.hart];
        --pe.open[event.hart];
      }
      any = true;
    }
    return any;
  }

  bool leaveBarrier() {
    for (const PeState &pe : pes) {
      if (!pe.atBarrier[0] || !pe.atBarrier[1]) {
        return false;
      }
    }
    for (PeState &pe : pes) {
      for (unsigned hart = 0; hart < 2; ++hart) {
        pe.atBarrier[hart] = false;
        ++pe.next[hart];
      }
    }
    return true;
  }

  const TileProgram &program;
  const OracleResult &oracle;
  const unsigned depth;
  const bool multicast;
  std::vector<PeState> pes;
};

} // namespace

bool test::endsWithCapacity(const TileProgram &program,
                            const OracleResult &oracle,
                            const std::vector<unsigned> &slots,
                            unsigned queueCommands, bool multicast) {
  return Abstract(program, oracle, slots, queueCommands, multicast).run();
}
