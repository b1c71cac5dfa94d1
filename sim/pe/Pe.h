//===- Pe.h - Processing element --------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Two harts, a command processor with circular buffers, and the engines. A PE
// is evaluated in every cycle in which something about it may change: it
// retires what is done, moves CB pointers, starts commands whose conditions
// hold, and lets harts go on that waited for any of it.
//
// Rules of the command processor (docs/architecture.md gives the reasons):
//  - one queue per hart and engine, in order; a blocked head blocks only its
//    own queue;
//  - a command starts when its engine is free, its input bytes are there and
//    its output bytes are free; it never waits after that;
//  - commands of a hart on the same CB or accumulator bank take effect in
//    program order; reads may overlap;
//  - no command crosses the wrap of a CB.
//
// The class is one per PE; its parts are in one file each: PeHarts.cpp (what
// instructions do), PeQueue.cpp (from instruction to queued command),
// PeDispatch.cpp (when commands start), PeEngines.cpp (how long they take),
// PeData.cpp (what they compute).
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_PE_PE_H
#define CHIPWRIGHT_SIM_PE_PE_H

#include "sim/core/Timeline.h"
#include "sim/hart/Hart.h"
#include "sim/numerics/MatrixPass.h"
#include "sim/pe/CircularBuffer.h"
#include "sim/pe/Command.h"
#include "sim/pe/FabricInterface.h"
#include "sim/pe/PeServices.h"
#include "sim/pe/ReductionNetwork.h"
#include "sim/pe/StallAccount.h"
#include "sim/pe/ZeroedBytes.h"

#include <array>
#include <memory>
#include <vector>

namespace chipwright::sim {

inline constexpr unsigned kHarts = 2;
/// Engines with queues; CP operations have none.
inline constexpr unsigned kEngines = 6;

/// Encodings of DType.
inline constexpr unsigned kMacTypes = 8;

/// Event counts of one PE.
struct PeCounters {
  std::array<uint64_t, isa::opcodeCount> commands{};
  uint64_t dpePasses = 0;
  std::array<uint64_t, kMacTypes> macs{}; // by DType of the streamed operand
  uint64_t seOperations = 0;              // element operations of the SE
  uint64_t reOperations = 0; // of RE read-out and received additions
  uint64_t instructions = 0; // retired in launches before the present
  uint64_t mluBytes = 0;
  uint64_t lsBytes = 0; // engines and FI
  uint64_t hartLsAccesses = 0;
  uint64_t reduceBytes = 0;
  uint64_t dmaInBytes = 0, dmaOutBytes = 0; // useful bytes, per receiver
  uint64_t fillBytes = 0;
  Cycle dpeUnderfilled = 0; // busy DPE cycles beyond MACs / peak, x1024
};

class Pe final : public WheelClient,
                 public HartEnv,
                 public TrainSource,
                 public MemoryClient {
public:
  /// Wheel event kinds.
  enum Event : uint32_t {
    Wake,           // Evaluate phase
    SemaphoreAdd,   // argument: source << 48 | semaphore << 40 | amount
    BarrierRelease, // argument: hart
    HartWake,       // argument: hart; Deliver, then evaluated
    HartAccess,     // a hart's memory access is due
  };

  Pe(PeServices &services, unsigned number);

  unsigned number() const { return peNumber; }
  unsigned row() const { return peNumber / services.spec.grid.cols; }
  unsigned col() const { return peNumber % services.spec.grid.cols; }

  /// Prepares for a launch: image, arguments at the top of local memory,
  /// harts to start at \p entry in cycle \p start.
  void launch(const std::shared_ptr<const DecodedImage> &image,
              const std::vector<uint8_t> &imageBytes, uint64_t entry,
              const std::vector<uint8_t> &arguments, Cycle start);

  /// Registers all PEs, in order of their numbers.
  void connect(std::vector<Pe *> all) { peers = std::move(all); }

  void fire(Cycle now, uint32_t kind, uint64_t argument) override;
  /// Asks for an evaluation at \p when (now or later).
  void wakeAt(Cycle when);

  // From the fabric interface and the networks.
  /// A DMA command of this PE is complete at \p at.
  void dmaDone(const Command &command, Cycle started, Cycle at);
  /// A direction of the fabric interface takes its next command at \p at.
  void acceptFabric(bool outbound, Cycle at);

  uint8_t *localData() { return local.data(); }
  uint8_t *localTaint() { return taint.data(); }
  CircularBuffer &cb(unsigned index) { return cbs[index]; }
  RateTimeline &localBandwidth() { return lsRate; }
  const Hart &hart(unsigned index) const { return *harts[index].hart; }
  const PeCounters &counters() const { return count; }
  PeCounters &counters() { return count; }
  const StallAccount &account(isa::Engine engine) const {
    return stalls[static_cast<unsigned>(engine)];
  }
  const FabricInterface &fabric() const { return fi; }
  FabricInterface &fabric() { return fi; }
  /// Instructions retired in the present or last launch.
  uint64_t instructions() const;
  /// Instructions retired in all launches.
  uint64_t totalInstructions() const {
    return count.instructions + instructions();
  }
  uint64_t pcHash() const;
  bool finished() const { return isFinished; }

  /// Charges idle time up to \p end; call once when the job is over.
  void closeAccounts(Cycle end);

  /// One line per CB in use, and what each hart and queue waits for.
  std::string describe() const;
  /// What this PE waits for, one item per line; empty if nothing. \p place
  /// names a pc with its function and instruction.
  std::string describeWaits(const PlaceOf &place) const;

  // HartEnv
  bool cacheable(uint64_t address) const override;
  MemResult load(Hart &hart, uint64_t address, unsigned size, uint64_t cycle,
                 bool cached) override;
  MemResult store(Hart &hart, uint64_t address, unsigned size, uint64_t value,
                  bool tainted, uint64_t cycle) override;
  MemResult atomic(Hart &hart, Op op, uint64_t address, uint64_t operand,
                   bool tainted, uint64_t cycle) override;
  MemResult fillLine(Hart &hart, uint64_t address, unsigned bytes,
                     bool instruction, uint64_t cycle) override;
  uint32_t lineVersion(const Hart &hart, uint64_t address) const override;
  CustomResult custom(Hart &hart, uint32_t word, uint64_t rs1, uint64_t rs2,
                      uint64_t cycle) override;
  CustomResult fence(Hart &hart, uint32_t word, uint64_t cycle) override;

  // Memory accesses of the harts.
  void issueTrain(Cycle now) override;
  unsigned orderKey() const override { return peNumber * 4 + 2; }
  void memoryReply(Cycle now, uint32_t token,
                   const MemoryReply &reply) override;

private:
  enum class Block : uint8_t {
    None,
    CbWait,
    CbReserve,
    QueueFull,
    PointerFull,
    SemWait,
    SemTake,
    Barrier,
    Fence,
    Memory,
    Counter,
    Halted,
    NotStarted
  };

  struct HartState {
    std::unique_ptr<Hart> hart;
    std::vector<std::array<uint64_t, isa::fieldCount>> contexts;
    Block block = Block::NotStarted;
    uint64_t blockArgument = 0; // bytes, count, engine, by kind of block
    unsigned blockUnit = 0;     // cb, semaphore or engine
    Cycle answerAt = 0;         // end of the memory access just finished
    bool answered = false;
    uint64_t commands = 0;     // issued
    uint64_t outstanding = 0;  // commands and pointer moves in progress
    unsigned pointerMoves = 0; // pushes and pops that have no effect yet
    uint64_t writesIssued = 0, writesDone = 0; // DMA out
    Cycle lastWriteAt = 0;                     // latest acknowledgement so far
    Cycle storesDone = 0;                      // last scalar store acknowledged
    uint64_t lineAsked = kNever, lineFilled = kNever; // data cache fill
  };

  /// CB ranges to release at a known time.
  struct Completion {
    Cycle at = 0;
    uint8_t hart = 0;
    uint8_t numInputs = 0, numOutputs = 0;
    bool endsCommand = false; // nothing of the command is left afterwards
    bool isWrite = false;     // DMA out
    std::array<CbRange, 5> inputs;
    std::array<CbRange, 2> outputs;
  };

  /// A pointer move that becomes due.
  struct DueMove {
    Cycle at;
    unsigned cb;
    bool operator>(const DueMove &other) const { return at > other.at; }
  };

  struct Bank {
    uint32_t nextTicket = 0, started = 0;
    Cycle productsLanded = 0; // last matrix result is in the bank
    Cycle accessDone = 0;     // last RE access is over
  };

  struct SemaphorePost {
    uint64_t target;
    uint64_t amount;
    Cycle from;
    uint64_t writesBefore;
    unsigned hart;
  };

  struct HartAccessRequest {
    unsigned hart;
    uint64_t address;
    unsigned bytes;
    Cycle at;
    bool write;
  };

  void evaluate(Cycle now);
  void retire(Cycle now);
  bool movePointers(Cycle now);
  bool moveSide(unsigned index, bool write, Cycle now);
  void sendPosts(Cycle now);
  void applySemaphores(Cycle now);
  void runHarts(Cycle now);
  bool blockOver(HartState &state, Cycle now);
  void finishCheck(Cycle now);
  void addCompletion(const Completion &completion);
  void chargeStalls(Cycle now);
  Stall idleCause(unsigned engine) const;

  // PeHarts.cpp
  unsigned hartIndex(const Hart &hart) const;
  CustomResult block(unsigned hart, Block why, unsigned unit = 0,
                     uint64_t argument = 0, bool complete = false);
  CustomResult setField(unsigned hart, const isa::DecodedXpe &inst,
                        uint64_t value, Cycle cycle);
  CustomResult cbInstruction(unsigned hart, const isa::DecodedXpe &inst,
                             uint64_t value, Cycle cycle);
  CustomResult semaphoreInstruction(unsigned hart, const isa::DecodedXpe &inst,
                                    uint64_t rs1, uint64_t rs2, Cycle cycle);
  CustomResult barrier(unsigned hart, const isa::DecodedXpe &inst,
                       uint64_t mask, Cycle cycle);
  uint64_t info(unsigned hart, unsigned which) const;
  /// Engine whose busy cycles a counter reads, or kEngines.
  static unsigned counterEngine(isa::CounterItem item);
  CustomResult fail(unsigned hart, FaultKind kind, std::string text);
  /// What is wrong with an access outside the declared memory.
  std::string outside(const char *what, uint64_t address, unsigned size) const;
  MemResult failMemory(unsigned hart, FaultKind kind, std::string text);

  // PeQueue.cpp
  CustomResult issue(unsigned hart, const isa::DecodedXpe &inst, uint32_t word,
                     uint64_t rs1, Cycle cycle);
  bool prepare(Command &command);
  bool prepareDmaIn(Command &command);
  bool prepareDmaOut(Command &command);
  bool prepareMml(Command &command);
  bool prepareBankInit(Command &command);
  bool prepareReduce(Command &command);
  bool prepareSe(Command &command);
  bool prepareTopk(Command &command);
  bool prepareMlu(Command &command);
  bool addInput(Command &command, unsigned cb, uint64_t offset, uint64_t bytes,
                const char *what);
  bool addOutput(Command &command, unsigned cb, uint64_t offset, uint64_t bytes,
                 const char *what);
  bool useBank(Command &command, unsigned bank, unsigned rows, unsigned cols);
  bool checkCb(unsigned hart, unsigned cb, bool write, const char *what);
  bool checkRange(unsigned hart, unsigned cb, uint64_t position, uint64_t bytes,
                  bool write, const char *what);
  bool badCommand(const Command &command, std::string text);
  FaultSite siteOf(unsigned hart) const;
  FaultSite siteOf(const Command &command) const;

  // PeDispatch.cpp
  bool dispatch(Cycle now);
  bool tryStart(unsigned engine, Cycle now);
  /// \returns whether \p command may start at \p now; otherwise the cause, and
  /// the time at which it will be able to if that is known.
  bool ready(const Command &command, Cycle now, Stall &cause,
             Cycle &known) const;
  bool inputsThere(const Command &command) const;
  bool outputsFree(const Command &command) const;
  bool writersInOrder(const Command &command) const;

  // PeEngines.cpp
  void start(Command &command, Cycle now);
  Cycle useLocal(Cycle now, Cycle begin, uint64_t bytes, Cycle duration);
  void startDma(Command &command, Cycle now);
  void startMml(Command &command, Cycle now);
  void startRe(Command &command, Cycle now);
  void startSe(Command &command, Cycle now);
  void startMlu(Command &command, Cycle now);
  void startReduce(Command &command, Cycle now);
  void finishAt(const Command &command, Cycle inputsDone, Cycle outputsDone);
  void traceCommand(const Command &command, Cycle begin, Cycle end);

  // PeData.cpp
  void computeMml(const Command &command);
  void computeBankInit(const Command &command);
  void computeSe(const Command &command);
  void computeTopk(const Command &command);
  void computeMlu(const Command &command);
  void computeReduce(const Command &command, std::vector<uint32_t> &block);
  bool transferBlock(const Command &command, TransferBlock &block);
  bool mayTransfer(const Command &command, uint64_t address, uint64_t bytes);
  void moveData(const Command &command);
  bool moveRow(const Command &command, uint64_t address, uint32_t place,
               uint32_t bytes, bool out);
  void fillBytes(uint32_t place, uint32_t bytes, unsigned kind, DType type);
  uint8_t *at(const CbRange &range);
  void taintOutputs(const Command &command);
  void taintRange(uint32_t place, uint32_t bytes);
  /// Taint of the range may have been taken away.
  void noteClean(uint32_t place, uint32_t bytes);

  friend class FabricInterface;

  PeServices &services;
  const unsigned peNumber;
  std::vector<Pe *> peers;
  ZeroedBytes local, taint;
  /// By HartWindow::kBlockBytes of local memory: whether some byte of the
  /// block may be clean. The others need not be tainted again and again by a
  /// stream that passes through them.
  std::vector<uint8_t> mayBeClean;
  std::vector<CircularBuffer> cbs;
  std::array<HartState, kHarts> harts;
  std::vector<CommandQueue> queues; // [hart][engine]
  std::array<StallAccount, kEngines> stalls;
  std::array<Cycle, kEngines> acceptAt{};
  std::vector<Bank> banks;
  std::vector<uint64_t> semaphores;
  Cycle semaphoreFree = 0;
  std::vector<uint64_t> arrivedAdds; // packed, of this cycle
  struct PendingAdd {
    Cycle at;
    unsigned semaphore;
    uint64_t amount;
  };
  std::vector<PendingAdd> pendingAdds;
  std::vector<SemaphorePost> posts;
  std::vector<Completion> completions; // sorted by time, latest first
  uint64_t dirtySides = 0;             // bit per CB whose pointers may move
  RateTimeline lsRate;
  FabricInterface fi;

  // DPE: loader, stream and the operand that the cache holds.
  Cycle dpeLoaderFree = 0, dpeStreamEnd = 0, dpeStreamStart = 0;
  struct CachedKey {
    uint64_t position = ~uint64_t(0);
    uint32_t cb = ~0u, pitch = 0, rows = 0;
    uint32_t dtype = 0, kn = 0;
    bool operator==(const CachedKey &) const = default;
  } cachedKey, dataKey;
  CachedOperand cachedOperand;
  std::vector<std::vector<uint32_t>> bankData; // functional mode
  std::vector<bool> bankIsInteger;             // int32 words, not fp32

  std::vector<HartAccessRequest> hartAccesses;
  std::vector<DueMove> dueMoves; // heap, earliest first
  /// Cycles with a Wake event on its way, hashed by their low bits.
  std::array<Cycle, 128> wakesPosted;
  Cycle lastEvaluated = 0;
  bool isFinished = true;
  PeCounters count;
  std::vector<uint8_t> imageCopy; // the resident image, readable by harts
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_PE_PE_H
