// SPDX-License-Identifier: Apache-2.0
// Of what is made of tile programs, with loops over work lists and branches,
// balance and fill of every CB are known, also where tiles share rings; each
// kind of operation that is left out is missed.
// RUN: chipwright-opt "-attach-chip=chip=mtia-2i" -grid-to-commands %S/../../unit/compiler/grid/attention.mlir -o %t
// RUN: chipwright-opt -pe-check-rings=report -pe-check-collectives %t -o /dev/null 2>&1 | FileCheck %s
// RUN: chipwright-opt "-attach-chip=chip=mtia-2i set=cp.cbs=6" -grid-to-commands -pe-check-rings=report %S/../../unit/compiler/grid/attention.mlir -o /dev/null 2>&1 | FileCheck %s
// CHECK-COUNT-6: CB {{[0-9]+}}: balance known, fill known
// CHECK-NOT: not known

// RUN: sed '0,/pe.cb_pop/{/pe.cb_pop/d}' %t > %t.pop
// RUN: not chipwright-opt -pe-check-rings %t.pop 2>&1 | FileCheck --check-prefix=POP %s
// POP: error: {{.*}} the CB fills up and its producer waits for ever

// RUN: sed '0,/pe.cb_push/{/pe.cb_push/d}' %t > %t.push
// RUN: not chipwright-opt -pe-check-rings %t.push 2>&1 | FileCheck --check-prefix=PUSH %s
// PUSH: error: {{.*}} the consumer waits for ever

// RUN: sed '0,/pe.dma_in/{/pe.dma_in/d}' %t > %t.in
// RUN: not chipwright-opt -pe-check-rings %t.in 2>&1 | FileCheck --check-prefix=IN %s
// IN: error: {{.*}} the consumer waits for ever

// RUN: sed '0,/pe.dma_out/{/pe.dma_out/d}' %t > %t.out
// RUN: not chipwright-opt -pe-check-rings %t.out 2>&1 | FileCheck --check-prefix=OUT %s
// OUT: error: {{.*}} the CB fills up and its producer waits for ever
