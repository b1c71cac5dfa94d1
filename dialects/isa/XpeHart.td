//===- XpeHart.td - Hart instructions of Xpe ---------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Instructions that the hart or the command processor (CP) executes itself:
// contexts (custom-0), CBs (custom-2), synchronisation and state (custom-3).
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_ISA_XPEHART_TD
#define CHIPWRIGHT_DIALECTS_ISA_XPEHART_TD

include "XpeBase.td"
include "XpeEnums.td"

//===----------------------------------------------------------------------===//
// Contexts
//===----------------------------------------------------------------------===//

def Xpe_SetOp : XpeInst<"xpe.set", Custom0, 0> {
  let xpeFunct7 = XpeImm<"field", 16, "field register to write">;
  let xpeRs2 = XpeImm<"ctx", 32, "context of this hart">;
  let xpeRs1 = XpeReg<"new value">;
  let xpeOrdersMemory = 0;
  let xpeSummary = "write a field of a context";
  let xpeDescription = [{
    Writes one persistent 64-bit field register. The value stays until the
    next write; a launch begins with 0 in all of them. Fields 0 to 13 belong to
    the command that is issued with the context, field 14 is `auto` and field 15
    is `step` in every context.

    On a chip without contexts (`cp.contexts: 0`) there is one staging set:
    `ctx` must be 0 and every command clears the set after reading it.
  }];
}

//===----------------------------------------------------------------------===//
// Circular buffers
//===----------------------------------------------------------------------===//

class XpeCbInst<string mnemonic, int funct7, string bytes>
    : XpeInst<mnemonic, Custom2, 0> {
  let xpeFunct7 = XpeFixed<funct7>;
  let xpeRs2 = XpeImm<"cb", 32, "circular buffer">;
  let xpeRs1 = XpeReg<bytes>;
}

def Xpe_CbWaitOp : XpeCbInst<"xpe.cb.wait", 0, "bytes that must be readable"> {
  let xpeRd = XpeReg<"local address of the read pointer">;
  let xpeSummary = "wait for data in a CB";
  let xpeDescription = [{
    Blocks the hart until `rs1` bytes are readable in the CB. No instruction
    tests the fill level, so results do not depend on timing.
  }];
}

def Xpe_CbReserveOp
    : XpeCbInst<"xpe.cb.reserve", 1, "bytes that must be free"> {
  let xpeRd = XpeReg<"local address of the write pointer">;
  let xpeSummary = "wait for space in a CB";
  let xpeDescription = [{
    Blocks the hart until `rs1` bytes are free in the CB.
  }];
}

def Xpe_CbPushOp : XpeCbInst<"xpe.cb.push", 2, "bytes to add"> {
  let xpeSummary = "advance the write pointer";
  let xpeDescription = [{
    A command to the CP: makes `rs1` bytes readable once all earlier writers
    of this hart to the CB are complete.
  }];
}

def Xpe_CbPopOp : XpeCbInst<"xpe.cb.pop", 3, "bytes to remove"> {
  let xpeSummary = "advance the read pointer";
  let xpeDescription = [{
    A command to the CP: frees `rs1` bytes once all earlier readers of this
    hart of the CB are complete.
  }];
}

def Xpe_CbSetupOp
    : XpeCbInst<"xpe.cb.setup", 4,
                "offset in local memory [31:0], size [63:32], in bytes"> {
  let xpeSummary = "place a CB in local memory";
  let xpeDescription = [{
    Gives the CB its place and size and sets both pointers to zero.
  }];
}

//===----------------------------------------------------------------------===//
// Synchronisation
//===----------------------------------------------------------------------===//

def Xpe_SemPostOp : XpeInst<"xpe.sem.post", Custom3, 0> {
  let xpeRs1 = XpeReg<"global address of a semaphore">;
  let xpeRs2 = XpeReg<"amount to add">;
  let xpeSummary = "increment a semaphore, here or on another PE";
  let xpeDescription = [{
    The increment is ordered behind the completed writes of this hart.
  }];
}

class XpeSemInst<string mnemonic, int funct7>
    : XpeInst<mnemonic, Custom3, 1> {
  let xpeFunct7 = XpeFixed<funct7>;
  let xpeRs2 = XpeImm<"sem", 32, "semaphore of this PE">;
  let xpeRs1 = XpeReg<"value to reach">;
}

def Xpe_SemWaitOp : XpeSemInst<"xpe.sem.wait", 0> {
  let xpeSummary = "wait for a semaphore";
  let xpeDescription = [{
    Blocks until the semaphore's value is at least `rs1`.
  }];
}

def Xpe_SemTakeOp : XpeSemInst<"xpe.sem.take", 1> {
  let xpeSummary = "wait for a semaphore and subtract";
  let xpeDescription = [{
    Blocks until the semaphore's value is at least `rs1`, then subtracts
    `rs1` in the same step.
  }];
}

class XpeBarrierInst<string mnemonic, int funct7>
    : XpeInst<mnemonic, Custom3, 2> {
  let xpeFunct7 = XpeFixed<funct7>;
  let xpeRs2 = XpeImm<"id", 32, "number of the barrier">;
  let xpeRs1 = XpeReg<"row mask [31:0], column mask [63:32]">;
}

def Xpe_BarrierOp : XpeBarrierInst<"xpe.barrier", 0> {
  let xpeSummary = "barrier over both harts of a rectangle of PEs";
  let xpeDescription = [{
    Every hart of every PE whose row and column bits are set takes part.
  }];
}

def Xpe_BarrierHartOp : XpeBarrierInst<"xpe.barrier.hart", 1> {
  let xpeSummary = "barrier over one hart of each PE of a rectangle";
  let xpeDescription = [{
    As `xpe.barrier`, but only harts with this hart's number take part.
  }];
}

def Xpe_FenceOp : XpeInst<"xpe.fence", Custom3, 3> {
  let xpeSummary = "wait for this hart's commands";
  let xpeDescription = [{
    Blocks until every earlier command of this hart is complete and its
    writes are acknowledged by their destination.
  }];
}

def Xpe_InvalOp : XpeInst<"xpe.inval", Custom3, 3> {
  let xpeFunct7 = XpeFixed<1>;
  let xpeRs1 = XpeReg<"first byte">;
  let xpeRs2 = XpeReg<"number of bytes">;
  let xpeSummary = "drop data cache lines";
  let xpeDescription = [{
    Drops the lines of this hart's data cache that hold a byte of
    `[rs1, rs1 + rs2)`. Hart caches are not coherent.
  }];
}

def Xpe_HaltOp : XpeInst<"xpe.halt", Custom3, 7> {
  let xpeSummary = "end of this hart's job";
  let xpeDescription = [{
    The hart has finished its job and executes nothing more until the next
    launch.
  }];
}

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

def Xpe_InfoOp : XpeInst<"xpe.info", Custom3, 4> {
  let xpeRs2 = XpeEnumImm<"which", InfoItem, "item to read">;
  let xpeRd = XpeReg<"value">;
  let xpePure = 1;
  let xpeOrdersMemory = 0;
  let xpeSummary = "read a constant of this PE";
  let xpeDescription = [{
    The value does not change while a job runs.
  }];
}

def Xpe_CounterOp : XpeInst<"xpe.counter", Custom3, 4> {
  let xpeFunct7 = XpeFixed<1>;
  let xpeRs2 = XpeEnumImm<"which", CounterItem, "counter to read">;
  let xpeRd = XpeReg<"value">;
  let xpeSummary = "read a counter";
  let xpeDescription = [{
    The value depends on timing.
  }];
}

#endif // CHIPWRIGHT_DIALECTS_ISA_XPEHART_TD
