//===- HostIsa.cpp - Clones of a kernel for host instruction sets ---------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/HostIsa.h"

using namespace chipwright::sim;

static bool supports([[maybe_unused]] HostIsa isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == HostIsa::Avx2) {
    return avx2;
  }
  if (isa == HostIsa::Avx512) {
    return avx2 && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  }
#endif
  return isa == HostIsa::Baseline;
}

HostIsa chipwright::sim::hostIsa() {
  static const HostIsa isa = supportedHostIsas().back();
  return isa;
}

std::vector<HostIsa> chipwright::sim::supportedHostIsas() {
  std::vector<HostIsa> isas;
  for (HostIsa isa : {HostIsa::Baseline, HostIsa::Avx2, HostIsa::Avx512}) {
    if (supports(isa)) {
      isas.push_back(isa);
    }
  }
  return isas;
}
