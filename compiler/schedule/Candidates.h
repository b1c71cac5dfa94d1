//===- Candidates.h - Schedules worth trying --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_SCHEDULE_CANDIDATES_H
#define CHIPWRIGHT_COMPILER_SCHEDULE_CANDIDATES_H

#include "compiler/schedule/OpModel.h"

namespace chipwright {

/// Schedules of an operation, best first. They obey what the machine asks of
/// single tiles (accumulator banks, whole passes of K, widths of fields);
/// whether they fit together is for LocalPlan to say. The last one has the
/// smallest tiles. \p maySpill: sums may need more banks than there are.
std::vector<Schedule> candidates(const OpModel &model, bool maySpill = false);

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_SCHEDULE_CANDIDATES_H
