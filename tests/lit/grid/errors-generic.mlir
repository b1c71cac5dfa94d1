// SPDX-License-Identifier: Apache-2.0
// What the verifier of grid.generic refuses: one product, wrong in one place.
// RUN: chipwright-opt -split-input-file -verify-diagnostics %s

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{dims are #grid.dim attributes, found "m"}}
  grid.generic ["m", #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{has 3 dimensions and 2 sizes}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{has 3 buffers and 2 maps}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>] attributes {init = [0.0]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{map of buffer 1 takes 3 dimensions and 0 fields}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n) -> (n, m)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{has 1 dimensions of kind list; expected one if there is a work list, otherwise none}}
  grid.generic [#grid.dim<m, list>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{has 0 dimensions of kind list}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) list(%list : !grid.buffer<?x2xi32, control>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{a work list is a control buffer of entries x fields}}
  grid.generic [#grid.dim<m, list>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) list(%c : !grid.buffer<64x32xf16>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{limits has an entry for each operand and result}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0], limits = [unit]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{a limit is a map to one index, found 3}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0], limits = [unit, unit, 3 : i64]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{bounds are two maps to one index, under the name of a dimension}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0], bounds = {q = [affine_map<() -> (0)>, affine_map<() -> (0)>]}} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{has a step and no reduction}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, parallel>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{step takes 2 tiles and 2 state tiles}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0, 1.0]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{a result is 'tensor<?x?xf16, #grid.dims<m, n>>'; the size that is `?` must be named n}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, m)>] attributes {init = [0.0]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{finish takes 0 tiles and 1 state tiles and yields one tile for each result}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{gather has an entry for each operand}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0], gather = array<i64: -1>} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{scatter has an entry for each result}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0], scatter = array<i64: -1, -1>} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{row numbers come from an operand, of which there are 2}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0], gather = array<i64: -1, 2>} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{schedule has 2 tile sizes and 3 places for 3 dimensions}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0], schedule = #grid.schedule<tile = [1, 2], on = [seq, seq, seq]>} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{schedule: tile sizes are positive, found 0}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0], schedule = #grid.schedule<tile = [0, 2, 3], on = [seq, seq, seq]>} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{schedule: a reduction runs on one PE (seq)}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0], schedule = #grid.schedule<tile = [1, 2, 3], on = [seq, seq, row]>} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>, %list: !grid.buffer<?x2xi32, control>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{schedule: a dimension with bounds of its own runs on one PE (seq)}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>) 
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0], bounds = {m = [affine_map<() -> (0)>, affine_map<() -> (9)>]}, schedule = #grid.schedule<tile = [1, 2, 3], on = [row, col, seq]>} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{step yields state 0 of another type than it takes}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0]} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    %t = arith.truncf %s : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %t : tensor<?x?xf16, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{widths has an entry for each operand and result (0: none)}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0], widths = array<i64: 0>} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}

// -----

grid.program @p(%a: !grid.buffer<64x96xf16>, %b: !grid.buffer<32x96xf16>, %c: !grid.buffer<64x32xf16>) {
  %m = arith.constant 64 : index
  %n = arith.constant 32 : index
  %k = arith.constant 96 : index
  // expected-error @+1 {{schedule: tile sizes are at most 1048576, found 2097152}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<64x96xf16>, !grid.buffer<32x96xf16>) finish() results(%c : !grid.buffer<64x32xf16>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] attributes {init = [0.0], schedule = #grid.schedule<tile = [2097152, 32, 96], on = [row, col, seq]>} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}
