//===- ScMain.cpp - Entry point that SystemC asks for ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The SystemC library refers to sc_main; tests have a main of their own and
// drive the simulation through Machine.
//
//===----------------------------------------------------------------------===//

extern "C" int sc_main(int argc, char **argv);

int sc_main(int, char **) { return 0; }
