//===- Kernel.h - Kernels that ship with the tool ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A kernel is one operator, a tile program or several (compiler/ops) or a file
// in C (runtime/kernels), with what is needed to run and check it: which sizes
// it takes, which buffers it reads and writes, how its argument block looks,
// and what its result should be in fp64. One file of runtime/ops per kernel.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_KERNEL_H
#define CHIPWRIGHT_RUNTIME_KERNEL_H

#include "chips/ChipSpec.h"
#include "chips/Diagnostic.h"

#include <Eigen/Core>

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chipwright {

/// Tensors as the references see them: fp64, rows of contiguous values.
using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Which experts a made-up token takes.
enum class Routing {
  Uniform, // in turn: all experts get equally many tokens
  One,     // the first ones, for all tokens
  Random,  // equally likely, by the seed of the run
};

/// \returns the routing called "uniform", "one" or "random".
std::optional<Routing> routingFromName(std::string_view name);

/// Sizes as the user gives them; a kernel has defaults for those it takes.
struct KernelShape {
  std::optional<uint64_t> elements = {}, rows = {}, cols = {}, m = {}, n = {},
                          k = {}, tokens = {}, context = {}, heads = {},
                          kvHeads = {}, headSize = {}, hidden = {},
                          intermediate = {}, experts = {}, topK = {},
                          sharedIntermediate = {};
  std::optional<double> readFraction = {};
  std::optional<DType> dtype = {};
  /// Of weights in memory, 4 bits: I4 or F4E2M1.
  std::optional<DType> weightDtype = {};
  std::optional<Routing> routing = {};
  /// Of what a plan draws itself (Routing::Random); runKernel() sets it.
  uint64_t seed = 1;
};

/// What --weights and --activations place. Outputs are activations.
enum class Role { Activation, Weight };

struct KernelBuffer {
  std::string name;
  Role role = Role::Activation;
  bool isOutput = false;
  DType dtype = DType::F16;
  uint64_t rows = 0, cols = 0;
  /// Inputs are uniform in [low, high]; integers for integer types, exponents
  /// of two for e8m0; every code is equally likely in 4-bit types.
  double low = -1, high = 1;
  /// Inputs with a meaning: the element at a row and column.
  std::function<double(uint64_t row, uint64_t col)> value = {};

  /// Storage, without gaps between rows.
  uint64_t bytes() const { return dtypeBytes(dtype, rows * cols); }
};

/// How many tokens the experts get.
struct RoutedTokens {
  uint64_t experts = 0, used = 0; // all, those with a token
  uint64_t largest = 0;           // tokens of one expert
  double mean = 0;                // tokens of an expert, over all experts
};

/// The contents of rows of a buffer of the plan.
using RowReader =
    std::function<Matrix(size_t buffer, uint64_t firstRow, uint64_t rows)>;

/// One kernel with definite sizes on one chip.
struct KernelPlan {
  /// Inputs first, in the order in which `reference` takes them; then outputs:
  /// what the program keeps for itself, and last its result.
  std::vector<KernelBuffer> buffers;
  /// The tile program, compiled for the chip (setProgramCompiler). Its
  /// arguments are the addresses of the buffers.
  std::string program;
  /// Instead of a program, several launches: a function @step of the llm
  /// dialect (setStepCompiler). Its arguments and parameters are called as the
  /// inputs, its result is the output.
  std::string step;
  /// The symbols of `step` ("tokens").
  std::map<std::string, int64_t> symbols;
  /// What launches of `step` write into control buffers from tensors, by value
  /// ("router.1"): timing mode has no numbers to compute it from.
  std::map<std::string, std::vector<int32_t>> given;
  std::optional<RoutedTokens> routed;
  /// What the user can do if the program does not fit the chip.
  std::string wayOut;
  /// Without a program: preprocessor definitions for the C source.
  std::vector<std::pair<std::string, std::string>> defines;
  /// Argument block for buffers at these physical addresses.
  std::function<std::vector<uint8_t>(const std::vector<uint64_t> &)> arguments;
  /// Floating-point operations of the definition, 2 per multiply-accumulate
  /// of a matrix product; 0 where the DPE has no part in the kernel.
  double flops = 0;
  /// Type whose DPE peak `flops` is compared with.
  DType dtype = DType::F16;
  /// Bytes that must cross the border of the PEs at least once.
  uint64_t minimalBytes = 0;
  /// The result in fp64 from all buffers before it: the (rounded) inputs, and
  /// what the program kept for itself, of which it may take nothing but the
  /// choice between equally good values. Empty: nothing to check.
  std::function<Matrix(const std::vector<Matrix> &)> reference;
  /// The same where inputs are too many to be converted together.
  std::function<Matrix(const RowReader &)> referenceByRows;
  /// Largest accepted ||out - reference|| / ||reference||, Frobenius norm.
  double errorBound = 0;
};

struct Kernel {
  const char *name;
  const char *summary; // one line
  /// File in kernelDirectory(); null if the plan has a program.
  const char *source;
  /// Names of the size options it takes, without dashes: "elements", "rows".
  std::vector<const char *> options;
  /// Element types it takes; the first one is the default.
  std::vector<DType> dtypes;
  /// \returns the plan, or why there can be none on this chip.
  Result<KernelPlan> (*plan)(const ChipSpec &spec, const KernelShape &shape);
};

/// All kernels, in the order in which help lists them.
const std::vector<const Kernel *> &kernels();

/// \returns the kernel of that name, or null.
const Kernel *findKernel(std::string_view name);

/// plan() after checking that \p shape names nothing that \p kernel does not
/// take, and that its sizes are possible.
Result<KernelPlan> planKernel(const Kernel &kernel, const ChipSpec &spec,
                              const KernelShape &shape);

/// The ELF file of \p plan, which is one of \p kernel on \p spec.
Result<std::vector<uint8_t>>
buildPlan(const Kernel &kernel, const KernelPlan &plan, const ChipSpec &spec);

// For the files of runtime/ops.

/// An argument block of nothing but addresses, as tile programs with constant
/// sizes have.
std::vector<uint8_t> addressBlock(const std::vector<uint64_t> &addresses);

/// The bytes of an argument struct.
template <typename T> std::vector<uint8_t> argumentBytes(const T &arguments) {
  std::vector<uint8_t> bytes(sizeof(T));
  std::memcpy(bytes.data(), &arguments, sizeof(T));
  return bytes;
}

/// Largest relative error of one rounding to \p type; 0 for integers.
double unitRoundoff(DType type);

/// Definitions KERNEL_DTYPE and KERNEL_ELEM.
std::vector<std::pair<std::string, std::string>> dtypeDefines(DType type);

/// An error unless local memory holds \p bytes besides what every kernel
/// keeps there. \p what the bytes are for, \p wayOut what the user can do.
Result<void> requireLocal(const ChipSpec &spec, const char *kernel,
                          uint64_t bytes, const std::string &what,
                          const std::string &wayOut);

/// Local memory that \p rings rings of the smallest slots need (kernel.h).
uint64_t ringBytes(unsigned rings);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_KERNEL_H
