//===- SeFunctions.cpp - Functions of the SIMD engine ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/SeFunctions.h"

#include "sim/numerics/SeFunctionsInline.h"

using namespace chipwright::sim;

namespace {

struct FunctionRow {
  template <HostIsa Isa, class Function>
  static CHIPWRIGHT_ALWAYS_INLINE void map(Function, float *values, size_t n) {
    for (size_t i = 0; i < n; ++i) {
      values[i] = canonical(Function::template apply<Isa>(values[i]));
    }
  }

#define CHIPWRIGHT_SE_FUNCTION(Name, call)                                     \
  struct Name {                                                                \
    template <HostIsa Isa>                                                     \
    static CHIPWRIGHT_ALWAYS_INLINE float apply(float x) {                     \
      return detail::call(x);                                                  \
    }                                                                          \
  };
  CHIPWRIGHT_SE_FUNCTION(Exp, seExp<Isa>)
  CHIPWRIGHT_SE_FUNCTION(Recip, seRecip)
  CHIPWRIGHT_SE_FUNCTION(Rsqrt, seRsqrt)
  CHIPWRIGHT_SE_FUNCTION(Sigmoid, seSigmoid<Isa>)
  CHIPWRIGHT_SE_FUNCTION(Silu, seSilu<Isa>)
  CHIPWRIGHT_SE_FUNCTION(Tanh, seTanh<Isa>)
  CHIPWRIGHT_SE_FUNCTION(Gelu, seGelu<Isa>)
  CHIPWRIGHT_SE_FUNCTION(Log, seLog<Isa>)
  CHIPWRIGHT_SE_FUNCTION(Abs, seAbs)
#undef CHIPWRIGHT_SE_FUNCTION

  template <HostIsa Isa>
  static CHIPWRIGHT_ALWAYS_INLINE void run(SeFunction function, float *values,
                                           size_t n) {
    switch (function) {
    case SeFunction::Identity:
      return;
    case SeFunction::Exp:
      return map<Isa>(Exp(), values, n);
    case SeFunction::Recip:
      return map<Isa>(Recip(), values, n);
    case SeFunction::Rsqrt:
      return map<Isa>(Rsqrt(), values, n);
    case SeFunction::Sigmoid:
      return map<Isa>(Sigmoid(), values, n);
    case SeFunction::Silu:
      return map<Isa>(Silu(), values, n);
    case SeFunction::Tanh:
      return map<Isa>(Tanh(), values, n);
    case SeFunction::Gelu:
      return map<Isa>(Gelu(), values, n);
    case SeFunction::Log:
      return map<Isa>(Log(), values, n);
    case SeFunction::Abs:
      return map<Isa>(Abs(), values, n);
    }
  }
};

} // namespace

float chipwright::sim::seFunction(SeFunction function, float value,
                                  HostIsa isa) {
  seFunctionRow(function, &value, 1, isa);
  return canonical(value);
}

void chipwright::sim::seFunctionRow(SeFunction function, float *values,
                                    size_t n, HostIsa isa) {
  dispatch<FunctionRow>(isa, function, values, n);
}
