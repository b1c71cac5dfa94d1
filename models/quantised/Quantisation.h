//===- Quantisation.h - Quantised checkpoints -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A quantised checkpoint stores a matrix as codes, scales and the like, in one
// of several conventions that its config.json names. Here such a checkpoint
// takes the form of the one that it was made from: the tensors of the model by
// their names there, whose elements are computed from the codes when they are
// read.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_QUANTISED_QUANTISATION_H
#define CHIPWRIGHT_MODELS_QUANTISED_QUANTISATION_H

#include "chips/Diagnostic.h"
#include "models/TensorStore.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace chipwright::models {

/// Conventions for stored weights; q are the codes, N outputs, K inputs, w the
/// weights [N, K].
enum class QuantisedForm {
  /// quant_method fp8: w = q * weight_scale_inv, one scale per block.
  Fp8Block,
  /// fbgemm_fp8, and compressed-tensors float-quantized and int-quantized, and
  /// modelopt FP8: w = (q - weight_zero_point) * weight_scale, one scale per
  /// tensor, output, group of inputs, or block.
  Scaled,
  /// compressed-tensors pack-quantized: 4 or 8 bits in I32 weight_packed.
  Packed,
  /// compressed-tensors nvfp4-pack-quantized, which divides by
  /// weight_global_scale, and modelopt NVFP4, which multiplies by
  /// weight_scale_2: E2M1 codes, E4M3 scales of 16.
  Nvfp4Divided,
  Nvfp4Multiplied,
  /// quant_method mxfp4: E2M1 codes and E8M0 scales of 32 for stacked experts.
  Mxfp4,
  /// gptq: qweight [K / n, N] along K; awq: qweight [K, N / n] along N.
  Gptq,
  Awq,
};

/// What quantization_config says of stored weights.
struct Quantisation {
  QuantisedForm form = QuantisedForm::Scaled;
  std::string name; // in messages: "gptq", "compressed-tensors pack-quantized"
  int bits = 8;
  bool integers = false; // Scaled: I8 codes instead of F8_E4M3
  bool symmetric = true; // Scaled, Packed: no zero points
  int64_t blockRows = 0; // of one scale; 0: all
  int64_t blockColumns = 0;
  int64_t zeroOffset = 0; // Gptq: added to stored zero points
};

/// Reads the object under quantization_config in the config.json text
/// \p configText and gives the text without it, in which the model is as if
/// not quantised. Nothing is read and the text stays if there is no such
/// object. \p file names the file in messages. Refused: methods, formats and
/// settings that are not listed above, groups that differ from each other.
struct QuantisedConfig {
  std::string configText;
  bool isQuantised = false;
  Quantisation quantisation;
};
Result<QuantisedConfig> readQuantisedConfig(std::string_view configText,
                                            const std::string &file);

/// Reads the text of a hf_quant_config.json, which modelopt writes beside a
/// config.json that may say nothing of quantisation. Refused as above.
Result<Quantisation> readModelOptQuantisation(std::string_view text,
                                              const std::string &file);

/// \returns the tensors of the model that \p stored holds in quantised form.
/// Matrices keep the name and the shape of the checkpoint before quantisation;
/// tensors that are not quantised are as in \p stored; scales of activations
/// and of the cache are left out, for nothing here is computed with rounded
/// activations. Refused: codes without scales, scales without codes, types and
/// shapes other than the convention's.
///
/// Elements are fp32: code (less zero point) times scale, rounded once; where
/// a tensor's scale stands beside the blocks', the product of the two scales is
/// rounded first, as the producers do.
Result<std::shared_ptr<const TensorStore>>
dequantisedTensors(std::shared_ptr<const TensorStore> stored,
                   const Quantisation &quantisation);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_QUANTISED_QUANTISATION_H
