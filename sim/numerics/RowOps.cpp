//===- RowOps.cpp - Row primitives of the SIMD chain ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/RowOps.h"

#include "sim/numerics/Element.h"

#include <algorithm>
#include <limits>

using namespace chipwright::sim;

namespace {

/// Equal operands differ in bits only as zeros of different sign; then the
/// union of the bits is -0 and the intersection +0.
CHIPWRIGHT_ALWAYS_INLINE float minimum(float a, float b) {
  float lesser = a < b ? a : b;
  lesser = a == b ? bitsFloat(floatBits(a) | floatBits(b)) : lesser;
  return a == a ? lesser : a;
}

CHIPWRIGHT_ALWAYS_INLINE float maximum(float a, float b) {
  float greater = a > b ? a : b;
  greater = a == b ? bitsFloat(floatBits(a) & floatBits(b)) : greater;
  return a == a ? greater : a;
}

CHIPWRIGHT_ALWAYS_INLINE float magnitude(float a) {
  return bitsFloat(floatBits(a) & 0x7fffffff);
}

template <class Right>
CHIPWRIGHT_ALWAYS_INLINE void applyOp(SimdOp op, float *__restrict v,
                                      Right right, size_t n) {
  switch (op) {
  case SimdOp::Add:
    for (size_t i = 0; i < n; ++i) {
      v[i] = v[i] + right.at(i);
    }
    return;
  case SimdOp::Sub:
    for (size_t i = 0; i < n; ++i) {
      v[i] = v[i] - right.at(i);
    }
    return;
  case SimdOp::Mul:
    for (size_t i = 0; i < n; ++i) {
      v[i] = v[i] * right.at(i);
    }
    return;
  case SimdOp::Min:
    for (size_t i = 0; i < n; ++i) {
      v[i] = minimum(v[i], right.at(i));
    }
    return;
  case SimdOp::Max:
    for (size_t i = 0; i < n; ++i) {
      v[i] = maximum(v[i], right.at(i));
    }
    return;
  case SimdOp::ReverseSub:
    for (size_t i = 0; i < n; ++i) {
      v[i] = right.at(i) - v[i];
    }
    return;
  }
}

struct RowRight {
  const float *__restrict values;
  CHIPWRIGHT_ALWAYS_INLINE float at(size_t i) const { return values[i]; }
};

struct ScalarRight {
  float value;
  CHIPWRIGHT_ALWAYS_INLINE float at(size_t) const { return value; }
};

struct OpRow {
  template <HostIsa Isa>
  static CHIPWRIGHT_ALWAYS_INLINE void run(SimdOp op, float *v, const float *y,
                                           size_t n) {
    applyOp(op, v, RowRight{y}, n);
  }
};

struct OpScalar {
  template <HostIsa Isa>
  static CHIPWRIGHT_ALWAYS_INLINE void run(SimdOp op, float *v, float y,
                                           size_t n) {
    applyOp(op, v, ScalarRight{y}, n);
  }
};

struct SwapPairs {
  template <HostIsa Isa>
  static CHIPWRIGHT_ALWAYS_INLINE void run(float *v, size_t n) {
    for (size_t i = 0; i < n; i += 2) {
      float first = v[i];
      v[i] = v[i + 1];
      v[i + 1] = first;
    }
  }
};

CHIPWRIGHT_ALWAYS_INLINE float accumulate(SimdReduce kind, float lane,
                                          float v) {
  switch (kind) {
  case SimdReduce::None:
    return lane;
  case SimdReduce::Sum:
    return lane + v;
  case SimdReduce::Max:
    return maximum(lane, v);
  case SimdReduce::AbsMax:
    return maximum(lane, magnitude(v));
  case SimdReduce::SumSquares:
    return lane + v * v;
  }
  return lane;
}

struct ReduceBlocks {
  template <SimdReduce Kind>
  static CHIPWRIGHT_ALWAYS_INLINE void
  blocks(float *__restrict lanes, const float *__restrict v, size_t n) {
    float local[reduceLanes];
    for (unsigned l = 0; l < reduceLanes; ++l) {
      local[l] = lanes[l];
    }
    for (size_t i = 0; i + reduceLanes <= n; i += reduceLanes) {
      for (unsigned l = 0; l < reduceLanes; ++l) {
        local[l] = accumulate(Kind, local[l], v[i + l]);
      }
    }
    for (unsigned l = 0; l < reduceLanes; ++l) {
      lanes[l] = local[l];
    }
  }

  template <HostIsa Isa>
  static CHIPWRIGHT_ALWAYS_INLINE void run(SimdReduce kind, float *lanes,
                                           const float *v, size_t n) {
    switch (kind) {
    case SimdReduce::None:
      return;
    case SimdReduce::Sum:
      return blocks<SimdReduce::Sum>(lanes, v, n);
    case SimdReduce::Max:
      return blocks<SimdReduce::Max>(lanes, v, n);
    case SimdReduce::AbsMax:
      return blocks<SimdReduce::AbsMax>(lanes, v, n);
    case SimdReduce::SumSquares:
      return blocks<SimdReduce::SumSquares>(lanes, v, n);
    }
  }
};

} // namespace

void chipwright::sim::rowOp(SimdOp op, float *v, const float *y, size_t n,
                            HostIsa isa) {
  dispatch<OpRow>(isa, op, v, y, n);
}

void chipwright::sim::rowOpScalar(SimdOp op, float *v, float y, size_t n,
                                  HostIsa isa) {
  dispatch<OpScalar>(isa, op, v, y, n);
}

void chipwright::sim::rowSwapPairs(float *v, size_t n, HostIsa isa) {
  dispatch<SwapPairs>(isa, v, n);
}

RowReduction::RowReduction(SimdReduce reduceKind, HostIsa hostSet)
    : kind(reduceKind), isa(hostSet) {
  float start =
      kind == SimdReduce::Max ? -std::numeric_limits<float>::infinity() : 0.0f;
  std::fill(lanes, lanes + reduceLanes, start);
}

void RowReduction::add(const float *v, size_t n) {
  size_t i = 0;
  for (; i < n && nextLane != 0; ++i) {
    lanes[nextLane] = accumulate(kind, lanes[nextLane], v[i]);
    nextLane = (nextLane + 1) % reduceLanes;
  }
  size_t whole = (n - i) / reduceLanes * reduceLanes;
  if (whole > 0) {
    dispatch<ReduceBlocks>(isa, kind, static_cast<float *>(lanes), v + i,
                           whole);
    i += whole;
  }
  for (; i < n; ++i) {
    lanes[nextLane] = accumulate(kind, lanes[nextLane], v[i]);
    nextLane = (nextLane + 1) % reduceLanes;
  }
}

float RowReduction::finish() const {
  float partial[reduceLanes];
  std::copy(lanes, lanes + reduceLanes, partial);
  for (unsigned width = reduceLanes / 2; width > 0; width /= 2) {
    for (unsigned l = 0; l < width; ++l) {
      partial[l] = combine(kind, partial[l], partial[l + width]);
    }
  }
  return canonical(partial[0]);
}

float RowReduction::combine(SimdReduce kind, float previous, float value) {
  bool takesMaximum = kind == SimdReduce::Max || kind == SimdReduce::AbsMax;
  return canonical(takesMaximum ? maximum(previous, value) : previous + value);
}
