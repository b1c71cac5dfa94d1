//===- ScMain.cpp - Entry point that SystemC asks for ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

// GoogleTest brings main(); SystemC's library refers to this all the same.
extern "C" int sc_main(int, char **) { return 0; }
