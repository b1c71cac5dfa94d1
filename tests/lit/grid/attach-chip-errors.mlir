// SPDX-License-Identifier: Apache-2.0
// RUN: not chipwright-opt -attach-chip="chip=mtia-9" %s 2>&1 | FileCheck %s
// RUN: not chipwright-opt -attach-chip="set=ls.byte=1" %s 2>&1 | FileCheck %s --check-prefix=SET
// RUN: not chipwright-opt -grid-to-pe %s 2>&1 | FileCheck %s --check-prefix=NONE
// CHECK: error: attach-chip: {{.*}}mtia-9
// SET: error: attach-chip: {{.*}}ls.byte
// NONE: error: {{.*}}the module has no attribute `pe.chip`; run the pass attach-chip first
grid.program @p(%x: !grid.buffer<8x8xf32>) {
}
