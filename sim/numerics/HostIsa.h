//===- HostIsa.h - Clones of a kernel for host instruction sets -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Kernels are written once, as plain C++ that the compiler vectorises, and
// compiled once per host instruction set. Every clone performs the same IEEE
// operations on every element in the same order, so the clone that runs never
// decides a bit; it only decides the time.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NUMERICS_HOSTISA_H
#define CHIPWRIGHT_SIM_NUMERICS_HOSTISA_H

#include <vector>

#define CHIPWRIGHT_ALWAYS_INLINE inline __attribute__((always_inline))

#if defined(__x86_64__)
#define CHIPWRIGHT_TARGET_AVX2 __attribute__((target("avx2,fma"), noinline))
#define CHIPWRIGHT_TARGET_AVX512                                               \
  __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"),        \
                 noinline))
#else
#define CHIPWRIGHT_TARGET_AVX2 __attribute__((noinline))
#define CHIPWRIGHT_TARGET_AVX512 __attribute__((noinline))
#endif

namespace chipwright::sim {

/// Host instruction sets with a clone of their own. Baseline is what the
/// compiler targets by default (SSE2 on x86-64, NEON on AArch64) and the only
/// one outside x86-64.
enum class HostIsa { Baseline, Avx2, Avx512 };

/// \returns the widest instruction set of this machine.
HostIsa hostIsa();

/// \returns every instruction set that this machine can run, Baseline first;
/// for tests that compare the clones.
std::vector<HostIsa> supportedHostIsas();

/// \returns true if a clone may use the hardware's fused multiply-add.
constexpr bool hasHardwareFma([[maybe_unused]] HostIsa isa) {
#if defined(__FMA__) || defined(__aarch64__)
  return true;
#else
  return isa != HostIsa::Baseline;
#endif
}

namespace detail {

template <class Kernel, class... Args>
__attribute__((noinline)) void runBaseline(Args... args) {
  Kernel::template run<HostIsa::Baseline>(args...);
}

template <class Kernel, class... Args>
CHIPWRIGHT_TARGET_AVX2 void runAvx2(Args... args) {
  Kernel::template run<HostIsa::Avx2>(args...);
}

template <class Kernel, class... Args>
CHIPWRIGHT_TARGET_AVX512 void runAvx512(Args... args) {
  Kernel::template run<HostIsa::Avx512>(args...);
}

} // namespace detail

/// Runs the clone of \p Kernel for \p isa. Kernel has an always-inline
/// `template <HostIsa> static void run(args...)`; inlining into the wrapper
/// compiles it with the wrapper's instruction set.
template <class Kernel, class... Args>
inline void dispatch(HostIsa isa, Args... args) {
  switch (isa) {
  case HostIsa::Avx512:
    detail::runAvx512<Kernel>(args...);
    return;
  case HostIsa::Avx2:
    detail::runAvx2<Kernel>(args...);
    return;
  case HostIsa::Baseline:
    break;
  }
  detail::runBaseline<Kernel>(args...);
}

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NUMERICS_HOSTISA_H
