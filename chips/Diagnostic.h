//===- Diagnostic.h - Errors as values --------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Every library of the project reports bad input as a value: Result<T> holds
// either a T or a Diagnostic. Nothing is thrown across a library's boundary.
// A message is one sentence: place, what was expected, what was found, and a
// way out. The exit status travels with it so that the driver need not guess.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_CHIPS_DIAGNOSTIC_H
#define CHIPWRIGHT_CHIPS_DIAGNOSTIC_H

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace chipwright {

/// Exit statuses of the command line tools.
enum ExitStatus : int {
  ExitOk = 0,
  ExitMismatch = 1,   // numbers disagree with the reference
  ExitUsage = 2,      // the command line is wrong
  ExitBadInput = 3,   // a file is wrong
  ExitDoesNotFit = 4, // right, but larger than the chip
  ExitStopped = 5,    // the simulation was stopped
};

/// One error, as the user reads it.
struct Diagnostic {
  std::string message;
  int exitStatus = ExitBadInput;
};

/// A value or the reason why there is none.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : state(std::in_place_index<0>, std::move(value)) {}
  Result(Diagnostic diagnostic)
      : state(std::in_place_index<1>, std::move(diagnostic)) {}

  explicit operator bool() const { return state.index() == 0; }

  T &operator*() {
    assert(*this && "no value");
    return *std::get_if<0>(&state);
  }
  const T &operator*() const {
    assert(*this && "no value");
    return *std::get_if<0>(&state);
  }
  T *operator->() { return &**this; }
  const T *operator->() const { return &**this; }

  /// Moves the value out.
  T take() { return std::move(**this); }

  const Diagnostic &error() const {
    assert(!*this && "no error");
    return *std::get_if<1>(&state);
  }

private:
  std::variant<T, Diagnostic> state;
};

/// Success without a value, or an error: `return {};` succeeds.
template <> class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Diagnostic diagnostic) : failed(true), diag(std::move(diagnostic)) {}

  explicit operator bool() const { return !failed; }
  const Diagnostic &error() const {
    assert(failed && "no error");
    return diag;
  }

private:
  bool failed = false;
  Diagnostic diag;
};

} // namespace chipwright

#endif // CHIPWRIGHT_CHIPS_DIAGNOSTIC_H
