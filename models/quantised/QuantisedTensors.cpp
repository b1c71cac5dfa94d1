//===- QuantisedTensors.cpp - Quantised checkpoints as plain ones ---------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/JsonText.h"
#include "models/quantised/Quantisation.h"
#include "models/quantised/QuantisedSources.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <optional>
#include <set>

namespace chipwright::models {

namespace {

using Shape = std::vector<int64_t>;

/// Suffixes of the codes' names, and what replaces them in the model's.
struct FormNames {
  QuantisedForm form;
  std::string_view codes, plain;
  /// Tensors beside the codes; they mean nothing without them.
  std::vector<std::string_view> others;
};

const FormNames forms[] = {
    {QuantisedForm::Fp8Block, ".weight", ".weight", {".weight_scale_inv"}},
    {QuantisedForm::Scaled,
     ".weight",
     ".weight",
     {".weight_scale", ".weight_zero_point"}},
    {QuantisedForm::Packed,
     ".weight_packed",
     ".weight",
     {".weight_scale", ".weight_zero_point", ".weight_shape", ".weight_g_idx"}},
    {QuantisedForm::Nvfp4Divided,
     ".weight_packed",
     ".weight",
     {".weight_scale", ".weight_global_scale"}},
    {QuantisedForm::Nvfp4Multiplied,
     ".weight",
     ".weight",
     {".weight_scale", ".weight_scale_2"}},
    {QuantisedForm::Mxfp4, "_blocks", "", {"_scales"}},
    {QuantisedForm::Gptq,
     ".qweight",
     ".weight",
     {".qzeros", ".scales", ".g_idx"}},
    {QuantisedForm::Awq, ".qweight", ".weight", {".qzeros", ".scales"}},
};

// Scales of activations and of the cache.
constexpr std::string_view leftOut[] = {
    ".input_scale",      ".input_global_scale",
    ".input_zero_point", ".input_scale_ub",
    ".output_scale",     ".k_scale",
    ".v_scale",          ".q_scale",
    ".k_zero_point",     ".v_zero_point",
    ".k_global_scale",   ".v_global_scale",
};

int64_t ceilDivide(int64_t a, int64_t b) { return a / b + (a % b != 0); }

class DequantisedTensors : public TensorStore {
public:
  DequantisedTensors(std::shared_ptr<const TensorStore> store,
                     const Quantisation &settings)
      : stored(std::move(store)), quantisation(settings) {}

  void release() const override { stored->release(); }

  Result<void> fill() {
    for (const FormNames &names : forms) {
      if (names.form == quantisation.form) {
        form = &names;
      }
    }
    for (const auto &[name, tensor] : stored->tensors()) {
      if (name.ends_with(form->codes) && areCodes(tensor)) {
        base = name.substr(0, name.size() - form->codes.size());
        used.insert(name);
        auto matrix = convert(tensor);
        if (!matrix) {
          return matrix.error();
        }
        matrix->name = base + std::string(form->plain);
        matrix->file = tensor.file;
        matrix->bytes = tensor.bytes;
        if (!byName.emplace(matrix->name, *matrix).second ||
            (matrix->name != name && stored->find(matrix->name))) {
          return wrong(tensor, "codes or plain weights of one name", "both");
        }
      }
    }
    for (const auto &[name, tensor] : stored->tensors()) {
      if (used.contains(name) || endsWithAny(name, leftOut)) {
        continue;
      }
      if (endsWithAny(name, form->others)) {
        return wrong(tensor,
                     fmt::format("codes '...{}' beside it", form->codes),
                     "none");
      }
      byName.emplace(name, tensor);
    }
    return {};
  }

private:
  template <typename List>
  static bool endsWithAny(const std::string &name, const List &suffixes) {
    for (std::string_view suffix : suffixes) {
      if (name.ends_with(suffix)) {
        return true;
      }
    }
    return false;
  }

  /// Modules that are not quantised have plain tensors of the same name.
  bool areCodes(const TensorSpec &tensor) const {
    switch (quantisation.form) {
    case QuantisedForm::Fp8Block:
      return tensor.type == StoredType::F8E4M3;
    case QuantisedForm::Scaled:
      return tensor.type ==
             (quantisation.integers ? StoredType::I8 : StoredType::F8E4M3);
    case QuantisedForm::Nvfp4Multiplied:
      return tensor.type == StoredType::U8;
    default:
      return true;
    }
  }

  Diagnostic wrong(const StoredTensor &tensor, std::string_view expected,
                   std::string_view found) const {
    return Diagnostic{fmt::format(
        "{}: tensor {}: expected {} (quantisation {}), found {}; config.json "
        "and weights are of different checkpoints",
        tensor.file, quoteText(tensor.name), expected,
        quoteText(quantisation.name), found)};
  }

  /// \returns the tensor beside the codes, or nullptr.
  const StoredTensor *beside(std::string_view suffix) {
    const StoredTensor *tensor = stored->find(base + std::string(suffix));
    if (tensor) {
      used.insert(tensor->name);
    }
    return tensor;
  }

  /// The tensor beside the codes, of one of \p types.
  Result<const StoredTensor *> need(const StoredTensor &codes,
                                    std::string_view suffix,
                                    const std::vector<StoredType> &types) {
    const StoredTensor *tensor = beside(suffix);
    if (!tensor) {
      return wrong(codes, "the tensor " + quoteText(base + std::string(suffix)),
                   "none");
    }
    std::string names;
    for (StoredType type : types) {
      if (tensor->type == type && !tensor->source) {
        return tensor;
      }
      names += (names.empty() ? "" : ", ") + std::string(storedTypeName(type));
    }
    return wrong(*tensor, "the type " + names, describeTensor(*tensor));
  }

  Result<void> checkShape(const StoredTensor &tensor,
                          const Shape &shape) const {
    if (tensor.shape == shape) {
      return {};
    }
    return wrong(tensor, fmt::format("the shape [{}]", fmt::join(shape, ", ")),
                 describeTensor(tensor));
  }

  /// Codes are a matrix that is not empty, of type \p type.
  Result<void> checkMatrix(const StoredTensor &tensor, StoredType type,
                           size_t sizes = 2) const {
    bool fits = tensor.shape.size() == sizes && tensor.type == type;
    for (int64_t size : tensor.shape) {
      fits = fits && size > 0;
    }
    return fits ? Result<void>()
                : wrong(tensor,
                        fmt::format("{} codes with {} sizes, none of them 0",
                                    storedTypeName(type), sizes),
                        describeTensor(tensor));
  }

  Result<StoredTensor> convert(const StoredTensor &codes) {
    switch (quantisation.form) {
    case QuantisedForm::Fp8Block:
      return scaled(codes, ".weight_scale_inv");
    case QuantisedForm::Scaled:
      return scaled(codes, ".weight_scale");
    case QuantisedForm::Packed:
      return packed(codes);
    case QuantisedForm::Nvfp4Divided:
      return nvfp4(codes, ".weight_global_scale", true);
    case QuantisedForm::Nvfp4Multiplied:
      return nvfp4(codes, ".weight_scale_2", false);
    case QuantisedForm::Mxfp4:
      return mxfp4(codes);
    case QuantisedForm::Gptq:
    case QuantisedForm::Awq:
      break;
    }
    return words(codes);
  }

  StoredTensor made(Shape shape, std::shared_ptr<const ElementSource> source) {
    StoredTensor tensor;
    tensor.shape = std::move(shape);
    tensor.source = std::move(source);
    return tensor;
  }

  static std::vector<StoredType> floats() {
    return {StoredType::F32, StoredType::F16, StoredType::BF16};
  }

  Result<StoredTensor> scaled(const StoredTensor &codes,
                              std::string_view suffix) {
    if (auto done = checkMatrix(codes, codes.type); !done) {
      return done.error();
    }
    std::vector<StoredType> types = floats();
    types.push_back(StoredType::F8E8M0); // scales that are powers of two
    auto found = need(codes, suffix, types);
    if (!found) {
      return found.error();
    }
    int64_t rows = codes.shape[0], columns = codes.shape[1];
    BlockScales scales;
    scales.tensor = **found;
    scales.blockRows = quantisation.blockRows ? quantisation.blockRows : rows;
    scales.blockColumns =
        quantisation.blockColumns ? quantisation.blockColumns : columns;
    int64_t down = ceilDivide(rows, scales.blockRows);
    scales.across = ceilDivide(columns, scales.blockColumns);
    // A single column and a single number may have fewer sizes.
    const Shape &shape = scales.tensor.shape;
    bool flat = (scales.across == 1 && shape == Shape{down}) ||
                (scales.across == 1 && down == 1 && shape.empty());
    if (!flat) {
      if (auto done = checkShape(scales.tensor, {down, scales.across}); !done) {
        return done.error();
      }
    }
    StoredTensor zeros;
    if (quantisation.integers && !quantisation.symmetric) {
      auto points = need(codes, ".weight_zero_point", {StoredType::I8});
      if (!points) {
        return points.error();
      }
      if (auto done = checkShape(**points, shape); !done) {
        return done.error();
      }
      zeros = **points;
    } else if (const StoredTensor *points = beside(".weight_zero_point");
               points && !allZero(*points)) {
      return wrong(*points, "no zero points for symmetric codes",
                   describeTensor(*points));
    }
    return made(codes.shape,
                std::make_shared<ScaledSource>(quantisation.name, codes,
                                               std::move(scales), zeros));
  }

  static bool allZero(const StoredTensor &tensor) {
    for (uint64_t i = 0; i < tensor.bytes; ++i) {
      if (!tensor.data || tensor.data[i] != std::byte(0)) {
        return false;
      }
    }
    return true;
  }

  Result<StoredTensor> nvfp4(const StoredTensor &codes, std::string_view suffix,
                             bool divides) {
    if (auto done = checkMatrix(codes, StoredType::U8); !done) {
      return done.error();
    }
    int64_t rows = codes.shape[0], columns = codes.shape[1] * 2;
    auto scales = need(codes, ".weight_scale", {StoredType::F8E4M3});
    if (!scales) {
      return scales.error();
    }
    if (columns % 16 != 0) {
      return wrong(codes, "rows of a multiple of 16 codes",
                   std::to_string(columns));
    }
    if (auto done = checkShape(**scales, {rows, columns / 16}); !done) {
      return done.error();
    }
    auto scale = need(codes, suffix, {StoredType::F32});
    if (!scale) {
      return scale.error();
    }
    if ((*scale)->bytes != 4) {
      return wrong(**scale, "one number", describeTensor(**scale));
    }
    return made({rows, columns}, std::make_shared<Nvfp4Source>(
                                     quantisation.name, codes, **scales,
                                     scaleAt(**scale, 0), divides));
  }

  Result<StoredTensor> mxfp4(const StoredTensor &codes) {
    if (auto done = checkMatrix(codes, StoredType::U8, 4); !done) {
      return done.error();
    }
    const Shape &shape = codes.shape;
    if (shape[3] != 16) {
      return wrong(codes, "blocks of 16 bytes", describeTensor(codes));
    }
    auto scales = need(codes, "_scales", {StoredType::U8, StoredType::F8E8M0});
    if (!scales) {
      return scales.error();
    }
    if (auto done = checkShape(**scales, {shape[0], shape[1], shape[2]});
        !done) {
      return done.error();
    }
    return made({shape[0], shape[2] * 32, shape[1]},
                std::make_shared<StackedMxfp4Source>(quantisation.name, codes,
                                                     **scales));
  }

  /// Inputs per scale: the number of groups must follow from it.
  int64_t groupSize(int64_t inputs) const {
    return quantisation.blockColumns ? quantisation.blockColumns : inputs;
  }

  Result<StoredTensor> packed(const StoredTensor &codes) {
    if (auto done = checkMatrix(codes, StoredType::I32); !done) {
      return done.error();
    }
    auto shapeTensor =
        need(codes, ".weight_shape", {StoredType::I64, StoredType::I32});
    if (!shapeTensor) {
      return shapeTensor.error();
    }
    if (auto done = checkShape(**shapeTensor, {2}); !done) {
      return done.error();
    }
    Shape shape;
    for (int64_t i = 0; i < 2; ++i) {
      bool wide = (*shapeTensor)->type == StoredType::I64;
      int64_t size = 0;
      int32_t narrow = 0;
      std::memcpy(wide ? static_cast<void *>(&size) : &narrow,
                  (*shapeTensor)->data + i * (wide ? 8 : 4), wide ? 8 : 4);
      shape.push_back(wide ? size : narrow);
    }
    auto perWord = static_cast<int64_t>(32 / quantisation.bits);
    if (shape[0] != codes.shape[0] || shape[1] <= 0 ||
        ceilDivide(shape[1], perWord) != codes.shape[1]) {
      return wrong(
          **shapeTensor,
          fmt::format("the shape of the codes {}", describeTensor(codes)),
          fmt::format("[{}]", fmt::join(shape, ", ")));
    }
    WordSource::Parts parts;
    parts.codes = wordsOf(codes, false);
    parts.outputs = shape[0];
    parts.groupSize = groupSize(shape[1]);
    parts.groups = ceilDivide(shape[1], parts.groupSize);
    parts.fixedZero = int64_t(1) << (quantisation.bits - 1);
    auto scales = need(codes, ".weight_scale", floats());
    if (!scales) {
      return scales.error();
    }
    bool whole = quantisation.blockRows == 0; // one scale for the tensor
    if (whole) {
      // Shown as a scale per output would take a copy; no producer does this.
      return wrong(**scales, "scales of outputs or groups", "one per tensor");
    }
    if (auto done = checkShape(**scales, {parts.outputs, parts.groups});
        !done) {
      return done.error();
    }
    parts.scales = **scales;
    if (!quantisation.symmetric) {
      auto zeros = need(codes, ".weight_zero_point", {StoredType::I32});
      if (!zeros) {
        return zeros.error();
      }
      if (auto done = checkShape(
              **zeros, {ceilDivide(parts.outputs, perWord), parts.groups});
          !done) {
        return done.error();
      }
      parts.hasZeros = true;
      parts.zeros = wordsOf(**zeros, true);
    }
    if (const StoredTensor *order = beside(".weight_g_idx")) {
      if (auto done = readOrder(*order, shape[1], parts); !done) {
        return done.error();
      }
    }
    return made(shape, std::make_shared<WordSource>(quantisation.name, shape[1],
                                                    std::move(parts)));
  }

  WordSource::Words wordsOf(const StoredTensor &tensor, bool alongRows,
                            bool interleaved = false) const {
    return {tensor, tensor.shape[1], alongRows, interleaved,
            static_cast<unsigned>(quantisation.bits)};
  }

  /// gptq and awq: stored by inputs, then outputs.
  Result<StoredTensor> words(const StoredTensor &codes) {
    bool awq = quantisation.form == QuantisedForm::Awq;
    if (auto done = checkMatrix(codes, StoredType::I32); !done) {
      return done.error();
    }
    auto perWord = static_cast<int64_t>(32 / quantisation.bits);
    int64_t inputs = codes.shape[0] * (awq ? 1 : perWord);
    int64_t outputs = codes.shape[1] * (awq ? perWord : 1);
    if (outputs % perWord != 0) {
      return wrong(codes, fmt::format("a multiple of {} outputs", perWord),
                   std::to_string(outputs));
    }
    WordSource::Parts parts;
    parts.transposed = true;
    parts.hasZeros = true;
    parts.zeroOffset = quantisation.zeroOffset;
    parts.outputs = outputs;
    parts.groupSize = groupSize(inputs);
    parts.groups = ceilDivide(inputs, parts.groupSize);
    parts.codes = wordsOf(codes, !awq, awq);
    auto scales = need(codes, ".scales", floats());
    if (!scales) {
      return scales.error();
    }
    if (auto done = checkShape(**scales, {parts.groups, outputs}); !done) {
      return done.error();
    }
    parts.scales = **scales;
    auto zeros = need(codes, ".qzeros", {StoredType::I32});
    if (!zeros) {
      return zeros.error();
    }
    if (auto done = checkShape(**zeros, {parts.groups, outputs / perWord});
        !done) {
      return done.error();
    }
    parts.zeros = wordsOf(**zeros, false, awq);
    if (!awq) {
      if (const StoredTensor *order = beside(".g_idx")) {
        if (auto done = readOrder(*order, inputs, parts); !done) {
          return done.error();
        }
      }
    }
    return made({outputs, inputs},
                std::make_shared<WordSource>(quantisation.name, inputs,
                                             std::move(parts)));
  }

  /// The group of every input.
  Result<void> readOrder(const StoredTensor &order, int64_t inputs,
                         WordSource::Parts &parts) {
    if (order.type != StoredType::I32 || order.shape != Shape{inputs}) {
      return wrong(order, fmt::format("I32 [{}]", inputs),
                   describeTensor(order));
    }
    // -1 in the first place: the order was not set.
    int32_t first = 0;
    std::memcpy(&first, order.data, sizeof(first));
    if (first == -1) {
      return {};
    }
    bool natural = true;
    for (int64_t i = 0; i < inputs; ++i) {
      int32_t group = 0;
      std::memcpy(&group, order.data + i * 4, sizeof(group));
      if (group < 0 || group >= parts.groups) {
        return wrong(order,
                     fmt::format("groups from 0 to {}", parts.groups - 1),
                     std::to_string(group));
      }
      natural = natural && group == i / parts.groupSize;
      parts.groupOf.push_back(group);
    }
    if (natural) {
      parts.groupOf = {};
    }
    return {};
  }

  std::shared_ptr<const TensorStore> stored;
  Quantisation quantisation;
  const FormNames *form = nullptr;
  std::string base; // name of the codes without their suffix
  std::set<std::string> used;
};

} // namespace

Result<std::shared_ptr<const TensorStore>>
dequantisedTensors(std::shared_ptr<const TensorStore> stored,
                   const Quantisation &quantisation) {
  auto store =
      std::make_shared<DequantisedTensors>(std::move(stored), quantisation);
  if (auto done = store->fill(); !done) {
    return done.error();
  }
  return std::shared_ptr<const TensorStore>(std::move(store));
}

} // namespace chipwright::models
