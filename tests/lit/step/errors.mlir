// SPDX-License-Identifier: Apache-2.0
// What the verifiers of a step's operations refuse.
// RUN: chipwright-opt -split-input-file -verify-diagnostics %s

grid.step @launches {
  // expected-error @+1 {{has 1 sizes that are `?` and 0 symbols}}
  %0 = grid.tensor "activation" "a" : <?x64xf32>
}

// -----

grid.step @launches {
  // expected-error @+1 {{has 0 sizes that are `?` and 1 symbols}}
  %0 = grid.tensor "activation" "a" {symbols = ["tokens"]} : <4x64xf32>
}

// -----

grid.step @launches {
  %0 = grid.tensor "activation" "a" {symbols = ["tokens"]} : <?x64xf32>
  // expected-error @+1 {{has 1 sizes that are `?` and 2 symbols}}
  %1 = grid.view %0 {symbols = ["tokens", "tokens"]} : <?x64xf32> -> <?x32xf32>
}

// -----

grid.step @launches {
  %0 = grid.tensor "activation" "a" : <4x64xf32>
  // expected-error @+1 {{keeps the type of the elements, found '!grid.buffer<4x64xf32>' and '!grid.buffer<4x64xbf16>'}}
  %1 = grid.view %0 : <4x64xf32> -> <4x64xbf16>
}

// -----

// expected-error @+1 {{expects parent op 'grid.step'}}
%0 = grid.tensor "activation" "a" : <4x64xf32>
