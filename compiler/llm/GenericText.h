//===- GenericText.h - grid.generic as text ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Declared operations are easiest to read, and to write, as text. GenericText
// holds the parts of one and prints the operation; ProgramText holds a program
// of them. The pass that uses them parses the result, so whatever is wrong
// with it is a diagnostic of the dialect.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_LLM_GENERICTEXT_H
#define CHIPWRIGHT_COMPILER_LLM_GENERICTEXT_H

#include <cstdint>
#include <string>
#include <vector>

namespace chipwright {

/// A size of a tile: a number, or the block of a dimension.
struct SizeText {
  SizeText(int64_t number) : number(number) {}
  SizeText(const char *dim) : dim(dim) {}
  int64_t number = 0;
  std::string dim;
};

/// "tensor<?x64xf32, #grid.dims<m, _>>".
std::string tileType(SizeText rows, SizeText cols, const std::string &element);

/// A buffer with what is read or written there.
struct OperandText {
  std::string buffer;     // name of the program's argument
  std::string index;      // "m, h * 64": indices as results of the map
  std::string tile;       // type of the tile
  int gather = -1;        // operand (step, then finish) with row numbers
  std::string limit = {}; // end of rows, an expression
  int64_t width = 0;      // valid columns, 0: all
};

struct GenericText {
  struct Dim {
    std::string name, kind, size;   // size: an SSA value of the program
    std::string from = {}, to = {}; // bounds, expressions of fields
  };
  std::vector<Dim> dims;
  std::vector<OperandText> step, finish, results;
  /// Start values and types of the state.
  struct State {
    std::string value, type;
  };
  std::vector<State> state;
  std::string list;                // argument with the work list
  std::vector<std::string> fields; // names of its fields
  /// Bodies; operands are %s0.. (step), %f0.. (finish), state %c0...
  std::string stepBody, finishBody;
  /// What schedules take for sizes that are not known, -1: nothing; or empty.
  std::vector<int64_t> sizeHints = {};
  /// Values that the bodies yield.
  std::vector<std::string> next, out;
};

class ProgramText {
public:
  /// Adds an argument %b_<name> of type `!grid.buffer<...>`.
  void addBuffer(const std::string &name, const std::string &type);
  /// Adds a line to the program's body.
  void addLine(const std::string &line) { body += "  " + line + "\n"; }
  /// %name = size \p dim of an argument.
  std::string addDim(const std::string &buffer, int dim);
  std::string addConstant(int64_t value);
  void addGeneric(const GenericText &generic);
  /// The program under the name \p name.
  std::string print(const std::string &name) const;

private:
  const std::string &typeOf(const std::string &buffer) const;

  struct Buffer {
    std::string name, type;
  };
  std::vector<Buffer> buffers;
  std::string body;
  int values = 0;
};

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_LLM_GENERICTEXT_H
