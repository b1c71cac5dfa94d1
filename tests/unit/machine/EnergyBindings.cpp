//===- EnergyBindings.cpp -------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/machine/EnergyBindings.h"

using namespace chipwright;
using namespace chipwright::test;
using sim::EnergyReport;

#define PROGRAM(NAME) #NAME, NAME

namespace {

double picojoules(double events, double value) {
  return events * value * 1e-12;
}

/// Multiply-accumulates of one full pass of elements of \p bytes.
template <unsigned Bytes> double passMacs(const ChipSpec &spec, Cycle) {
  return double(spec.dpe.streamRows) * spec.dpe.tiles * spec.dpe.tileRows *
         (spec.dpe.kBytes / Bytes);
}

double dpePart(const EnergyReport &report) { return report.dpe; }

/// Bits of a transfer of \p Bytes.
template <unsigned Bytes> double bits(const ChipSpec &, Cycle) {
  return double(Bytes) * 8;
}

/// Both harts of the empty kernel pass the jump table and halt.
constexpr double kEmptyInstructions = 2 * (8 + 1);

double seconds(const ChipSpec &spec, Cycle cycles) {
  return double(cycles) * double(spec.periodFs()) * 1e-15;
}

double leakagePart(const EnergyReport &report) { return report.leakage; }

} // namespace

const std::vector<EnergyBinding> &test::energyBindings() {
  const Sets pe = {"grid.rows=1", "grid.cols=1"};
  const Sets unit = pe + oneUnit() + Sets{"noc.shaping=false"};
  static const std::vector<EnergyBinding> table = {
      {"energy.mac16_pj", PROGRAM(matrixPass), pe, "mtia-2i", passMacs<2>,
       dpePart, picojoules, "multiply-accumulates x value"},
      {"energy.mac8_pj", PROGRAM(matrixPassInt8), pe, "mtia-2i", passMacs<1>,
       dpePart, picojoules, "multiply-accumulates x value"},
      {"energy.mac32_pj", PROGRAM(matrixPassTf32), pe, "mtia-300", passMacs<4>,
       dpePart, picojoules, "multiply-accumulates x value"},
      {"energy.se_op_pj", PROGRAM(simdChain), pe, "mtia-2i",
       [](const ChipSpec &, Cycle) { return 4.0 * 6 * 192; },
       [](const EnergyReport &report) { return report.se; }, picojoules,
       "four operations on each element x value"},
      {"energy.ls_pj_per_bit", PROGRAM(mluCopy), pe, "mtia-2i",
       bits<2 * 16 * 320>,
       [](const EnergyReport &report) { return report.localMemory; },
       picojoules, "bits read and written x value"},
      {"energy.sram_pj_per_bit", PROGRAM(dmaStream), unit, "mtia-2i",
       bits<16384>, [](const EnergyReport &report) { return report.sram; },
       picojoules, "bits read x value"},
      {"energy.dram_pj_per_bit", PROGRAM(dramRead), dramChip(), "mtia-2i",
       bits<256>, [](const EnergyReport &report) { return report.dram; },
       picojoules, "bits read x value"},
      {"energy.host_pj_per_bit", PROGRAM(dmaHost), pe, "mtia-2i", bits<256>,
       [](const EnergyReport &report) { return report.host; }, picojoules,
       "bits read x value"},
      {"energy.wire_pj_per_bit_mm", PROGRAM(dmaOnePiece), pe, "mtia-2i",
       [](const ChipSpec &spec, Cycle) { return 64 * 8 * spec.energy.hopMm; },
       [](const EnergyReport &report) { return report.noc; }, picojoules,
       "bits x one hop x `energy.hop_mm` x value"},
      {"energy.hop_mm", PROGRAM(dmaOnePiece), pe, "mtia-2i",
       [](const ChipSpec &spec, Cycle) {
         return 64 * 8 * spec.energy.wirePjPerBitMm;
       },
       [](const EnergyReport &report) { return report.noc; }, picojoules,
       "bits x one hop x `energy.wire_pj_per_bit_mm` x value"},
      {"energy.instruction_pj", PROGRAM(emptyKernel), pe, "mtia-2i",
       [](const ChipSpec &, Cycle) { return kEmptyInstructions; },
       [](const EnergyReport &report) { return report.harts; }, picojoules,
       "instructions x value"},
      {"energy.leakage_watts_per_mm2", PROGRAM(emptyKernel), pe, "mtia-2i",
       [](const ChipSpec &spec, Cycle cycles) {
         return spec.package.dieMm2 * seconds(spec, cycles);
       },
       leakagePart, [](double events, double value) { return events * value; },
       "`package.die_mm2` x seconds x value"},
      {"package.die_mm2", PROGRAM(emptyKernel), pe, "mtia-2i",
       [](const ChipSpec &spec, Cycle cycles) {
         return spec.energy.leakageWattsPerMm2 * seconds(spec, cycles);
       },
       leakagePart, [](double events, double value) { return events * value; },
       "`energy.leakage_watts_per_mm2` x seconds x value"},
      {"package.tdp_watts", PROGRAM(emptyKernel),
       pe + Sets{"package.typical_watts=10"}, "mtia-2i",
       [](const ChipSpec &spec, Cycle cycles) {
         return kEmptyInstructions * spec.energy.instructionPj * 1e-12 /
                    seconds(spec, cycles) +
                spec.energy.leakageWattsPerMm2 * spec.package.dieMm2;
       },
       [](const EnergyReport &report) { return report.tdpFraction; },
       [](double events, double value) { return events / value; },
       "fraction: average watts / value"},
  };
  return table;
}
