//===- KernelText.cpp -----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/support/KernelText.h"

#include "runtime/KernelBuild.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

using namespace chipwright;

sim::KernelImage test::kernelFromText(const ChipSpec &spec,
                                      const std::string &text) {
  std::string folder =
      (std::filesystem::temp_directory_path() / "chipwright-test-XXXXXX")
          .string();
  if (!mkdtemp(folder.data())) {
    throw std::runtime_error("no temporary folder could be made");
  }
  std::string path = folder + "/kernel.c";
  std::ofstream(path) << "#include \"xpe.h\"\n" << text;
  Result<std::vector<uint8_t>> elf = buildKernel(spec, path);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (!elf) {
    throw std::runtime_error(elf.error().message);
  }
  Result<sim::KernelImage> image = loadKernel(*elf, "test kernel");
  if (!image) {
    throw std::runtime_error(image.error().message);
  }
  return image.take();
}
