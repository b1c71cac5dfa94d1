//===- OpPrograms.h - Tile programs of a model's operations -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// One function per operation: which programs compute it. The rest of the
// compiler knows nothing of models.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_LLM_OPPROGRAMS_H
#define CHIPWRIGHT_COMPILER_LLM_OPPROGRAMS_H

#include "compiler/Target.h"
#include "compiler/llm/GenericText.h"
#include "dialects/llm/Llm.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace chipwright {

/// A tensor between launches: a value of the model, or one of an operation's
/// own.
struct TensorText {
  std::string type;                 // "!grid.buffer<?x64xf32>"
  std::vector<std::string> symbols; // of its `?`
};

/// One launch: the program and its arguments.
struct LaunchText {
  explicit LaunchText(std::string kind) : kind(std::move(kind)) {}

  std::string kind; // stem of the program's name
  ProgramText program;
  /// Argument tensors: values of the model, or temporaries by name.
  struct Argument {
    mlir::Value value;
    std::string temporary;
    /// The tensor with other sizes, if not empty.
    std::string viewType = {};
    std::vector<std::string> viewSymbols = {};
  };
  std::vector<Argument> arguments;
};

class OpPrograms {
public:
  explicit OpPrograms(const Target &target) : target(target) {}

  /// The launches of \p op, an operation of `llm`, in order.
  /// \returns failure after a diagnostic if the chip cannot do it.
  mlir::FailureOr<std::vector<LaunchText>> of(mlir::Operation *op);

  /// Temporaries that the launches of the last operation use.
  const std::map<std::string, TensorText> &temporaries() const { return extra; }

private:
  using Launches = std::vector<LaunchText>;
  Launches embedding(llm::EmbeddingOp op);
  Launches rmsNorm(llm::RmsNormOp op);
  Launches linear(llm::LinearOp op);
  Launches quantisedLinear(llm::QuantisedLinearOp op);
  Launches blockLinear(llm::BlockLinearOp op);
  Launches headLinear(llm::HeadLinearOp op);
  Launches sigmoidMul(llm::SigmoidMulOp op);
  Launches rope(llm::RopeOp op);
  Launches temperature(llm::TemperatureOp op);
  Launches attention(llm::AttentionOp op);
  Launches router(llm::RouterOp op);
  Launches experts(llm::ExpertsOp op);
  Launches siluMul(llm::SiluMulOp op);
  Launches add(llm::AddOp op);
  Launches logits(llm::LogitsOp op);

  /// What a product is followed by: + bias, * factor, cap tanh(_ / cap).
  struct Finish {
    mlir::Value bias = {};
    double factor = 1, cap = 0;
    /// Scales of the blocks of a weight of 4 bits.
    mlir::Value scales = {};
  };
  /// y = x weight^T, with rows of x chosen by \p rows if there are any.
  void matmulBody(LaunchText &launch, mlir::Value x, mlir::Value weight,
                  mlir::Value y, mlir::Value rows, const Finish &finish);
  /// The launches behind the logits of a router that chooses by more than
  /// those.
  Launches biasedChoice(llm::RouterOp op);
  /// The launches of experts, in their order; the second is one of two.
  struct Experts;
  LaunchText sortPairs(const Experts &e);
  LaunchText gatherPairs(const Experts &e);
  LaunchText quantisePairs(const Experts &e);
  LaunchText innerProducts(const Experts &e);
  LaunchText innerProduct(const Experts &e, bool isGate); // in its place
  LaunchText outerProduct(const Experts &e);
  LaunchText sumPairs(const Experts &e);
  /// Adds \p value as an argument. \returns its name in the program.
  std::string argument(LaunchText &launch, const std::string &name,
                       mlir::Value value);
  /// Adds \p value with the sizes of \p type.
  std::string view(LaunchText &launch, const std::string &name,
                   mlir::Value value, const std::string &type,
                   std::vector<std::string> symbols);
  std::string temporary(LaunchText &launch, const std::string &name,
                        const std::string &type,
                        std::vector<std::string> symbols);
  /// A temporary, declared by another launch, with the sizes of \p type.
  std::string viewTemporary(LaunchText &launch, const std::string &name,
                            const std::string &type,
                            std::vector<std::string> symbols);

  const Target &target;
  std::map<std::string, TensorText> extra;
};

/// "!grid.buffer<?x64xf32>" for a value of the model; indices and what decides
/// addresses lie in control buffers.
std::string bufferTypeOf(mlir::Value value);

/// Tokens of one entry of an attention work list.
inline constexpr int64_t kAttentionBlock = 32;

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_LLM_OPPROGRAMS_H
