//===- Kernel.cpp - Registry of kernels -----------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/Kernel.h"

#include "runtime/KernelBuild.h"
#include "runtime/ops/Ops.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

using namespace chipwright;

const std::vector<const Kernel *> &chipwright::kernels() {
  static const std::vector<const Kernel *> all = {
      &ops::gemm,      &ops::copy,    &ops::add,     &ops::stream,
      &ops::transpose, &ops::softmax, &ops::rmsnorm, &ops::attention,
      &ops::moe,       &ops::empty};
  return all;
}

const Kernel *chipwright::findKernel(std::string_view name) {
  for (const Kernel *kernel : kernels()) {
    if (name == kernel->name) {
      return kernel;
    }
  }
  return nullptr;
}

std::optional<Routing> chipwright::routingFromName(std::string_view name) {
  return name == "uniform"  ? std::optional(Routing::Uniform)
         : name == "one"    ? std::optional(Routing::One)
         : name == "random" ? std::optional(Routing::Random)
                            : std::nullopt;
}

static std::string typeNames(const std::vector<DType> &types) {
  std::vector<std::string> names;
  for (DType type : types) {
    names.push_back(dtypeName(type));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<KernelPlan> chipwright::planKernel(const Kernel &kernel,
                                          const ChipSpec &spec,
                                          const KernelShape &shape) {
  const std::pair<const char *, const std::optional<uint64_t> &> sizes[] = {
      {"elements", shape.elements},
      {"rows", shape.rows},
      {"cols", shape.cols},
      {"m", shape.m},
      {"n", shape.n},
      {"k", shape.k},
      {"tokens", shape.tokens},
      {"context", shape.context},
      {"heads", shape.heads},
      {"kv-heads", shape.kvHeads},
      {"head-size", shape.headSize},
      {"hidden", shape.hidden},
      {"intermediate", shape.intermediate},
      {"experts", shape.experts},
      {"top-k", shape.topK},
      {"shared-intermediate", shape.sharedIntermediate}};
  auto takes = [&](std::string_view option) {
    return std::find(kernel.options.begin(), kernel.options.end(), option) !=
           kernel.options.end();
  };
  auto refuse = [&](const char *option) {
    std::string list =
        kernel.options.empty()
            ? "no sizes"
            : fmt::format("--{}", fmt::join(kernel.options, ", --"));
    return Diagnostic{fmt::format("--{} has no meaning for kernel {}, which "
                                  "takes {}",
                                  option, kernel.name, list),
                      ExitUsage};
  };
  // Products of two sizes with an element of 8 bytes stay below 2^64.
  constexpr uint64_t kLargest = uint64_t(1) << 30;
  for (const auto &[option, value] : sizes) {
    if (!value) {
      continue;
    }
    if (!takes(option)) {
      return refuse(option);
    }
    uint64_t largest =
        std::string_view(option) == "elements" ? kLargest << 14 : kLargest;
    if (*value == 0 || *value > largest) {
      return Diagnostic{
          fmt::format("--{} is {}, expected 1 to {}", option, *value, largest),
          ExitUsage};
    }
  }
  if (shape.readFraction) {
    if (!takes("read-fraction")) {
      return refuse("read-fraction");
    }
    if (!(*shape.readFraction >= 0 && *shape.readFraction <= 1)) {
      return Diagnostic{fmt::format("--read-fraction is {}, expected 0 to 1",
                                    *shape.readFraction),
                        ExitUsage};
    }
  }
  if (shape.weightDtype && !takes("weight-dtype")) {
    return refuse("weight-dtype");
  }
  if (shape.routing && !takes("routing")) {
    return refuse("routing");
  }
  KernelShape full = shape;
  if (shape.dtype) {
    if (kernel.dtypes.empty()) {
      return refuse("dtype");
    }
    if (std::find(kernel.dtypes.begin(), kernel.dtypes.end(), *shape.dtype) ==
        kernel.dtypes.end()) {
      return Diagnostic{fmt::format("kernel {} has no {} form, it takes {}",
                                    kernel.name, dtypeName(*shape.dtype),
                                    typeNames(kernel.dtypes)),
                        ExitUsage};
    }
  } else if (!kernel.dtypes.empty()) {
    full.dtype = kernel.dtypes.front();
  }
  return kernel.plan(spec, full);
}

Result<std::vector<uint8_t>> chipwright::buildPlan(const Kernel &kernel,
                                                   const KernelPlan &plan,
                                                   const ChipSpec &spec) {
  if (plan.program.empty()) {
    return buildKernel(spec, kernelDirectory() + "/" + kernel.source,
                       {.defines = plan.defines});
  }
  Result<std::vector<uint8_t>> elf =
      buildProgram(spec, plan.program, kernel.name);
  if (elf) {
    return elf;
  }
  // The program is right: what remains is the chip.
  return Diagnostic{fmt::format("kernel {} does not fit {}, {}: {}",
                                kernel.name, spec.name, plan.wayOut,
                                elf.error().message),
                    ExitDoesNotFit};
}

std::vector<uint8_t>
chipwright::addressBlock(const std::vector<uint64_t> &addresses) {
  std::vector<uint8_t> bytes(addresses.size() * sizeof(uint64_t));
  if (!bytes.empty()) {
    std::memcpy(bytes.data(), addresses.data(), bytes.size());
  }
  return bytes;
}

double chipwright::unitRoundoff(DType type) {
  switch (type) {
  case DType::F32:
    return 0x1p-24;
  case DType::F16:
  case DType::TF32:
    return 0x1p-11;
  case DType::BF16:
    return 0x1p-8;
  case DType::F8E4M3:
    return 0x1p-4;
  case DType::F8E5M2:
    return 0x1p-3;
  case DType::I8:
  case DType::I32:
  case DType::I4:
  case DType::F4E2M1:
  case DType::F8E8M0:
    break;
  }
  return 0;
}

std::vector<std::pair<std::string, std::string>>
chipwright::dtypeDefines(DType type) {
  return {{"KERNEL_DTYPE", std::to_string(static_cast<unsigned>(type))},
          {"KERNEL_ELEM", std::to_string(dtypeBytes(type))}};
}

Result<void> chipwright::requireLocal(const ChipSpec &spec, const char *kernel,
                                      uint64_t bytes, const std::string &what,
                                      const std::string &wayOut) {
  uint64_t reserved = reservedLocalBytes(spec);
  uint64_t capacity = spec.ls.bytes > reserved ? spec.ls.bytes - reserved : 0;
  if (bytes <= capacity) {
    return {};
  }
  return Diagnostic{
      fmt::format("kernel {} needs {} bytes of local memory in each PE for "
                  "{}, {} has {} (ls.bytes less stacks and arguments); {}",
                  kernel, bytes, what, spec.name, capacity, wayOut),
      ExitDoesNotFit};
}

uint64_t chipwright::ringBytes(unsigned rings) {
  constexpr uint64_t kSmallestSlot = 1024, kDepth = 4;
  return rings * kSmallestSlot * kDepth;
}
