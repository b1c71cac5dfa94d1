//===- Calibration.cpp - A fixed amount of host work ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Prints the CPU seconds of a loop of dependent loads and arithmetic over a
// table that fits the second-level cache, which is what the simulator's inner
// loops look like. Budgets are read beside it, since hosts differ.
//
//===----------------------------------------------------------------------===//

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <vector>

int main() {
  constexpr unsigned kEntries = 1 << 15;
  constexpr unsigned kSteps = 30'000'000;
  std::vector<uint32_t> table(kEntries);
  for (unsigned i = 0; i < kEntries; ++i) {
    table[i] = (i * 2654435761u) ^ (i >> 3);
  }
  timespec begin, end;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
  uint32_t state = 1;
  for (unsigned i = 0; i < kSteps; ++i) {
    state = table[(state ^ i) % kEntries] + state * 3;
  }
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
  double seconds = double(end.tv_sec - begin.tv_sec) +
                   double(end.tv_nsec - begin.tv_nsec) * 1e-9;
  std::printf("%.4f %u\n", seconds, state);
  return 0;
}
