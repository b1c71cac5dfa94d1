// SPDX-License-Identifier: Apache-2.0
// A chip's attribute that is missing or incomplete.
// RUN: chipwright-opt -split-input-file -verify-diagnostics --llm-to-grid %s

// expected-error @+1 {{the module has no attribute `pe.chip`; run the pass attach-chip first}}
module {
}

// -----

// expected-error @+1 {{the attribute `pe.chip` of the module lacks the integer `rows`}}
module attributes {pe.chip = {name = "x"}} {
}
