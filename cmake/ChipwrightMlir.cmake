# SPDX-License-Identifier: Apache-2.0
# MLIR and LLVM for the compiler's part of the tree. The simulator and the
# runtime link neither.

# The version file of MLIR wants the same major and minor.
find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

separate_arguments(chipwright_llvm_definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")

# One MLIR and one LLVM, both shared: two copies would have two sets of type
# ids and options.
add_library(chipwright_mlir INTERFACE)
target_compile_definitions(chipwright_mlir INTERFACE ${chipwright_llvm_definitions})
target_include_directories(chipwright_mlir SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS}
                                                            ${MLIR_INCLUDE_DIRS})
target_link_libraries(chipwright_mlir INTERFACE MLIR LLVM)
# Headers that mlir-tblgen writes.
target_compile_options(chipwright_mlir INTERFACE -Wno-unused-parameter -Wno-shadow)

# Include path of .td files, for mlir_tablegen().
set(chipwright_tablegen_flags)
foreach(folder ${MLIR_INCLUDE_DIRS} ${CMAKE_SOURCE_DIR}
               ${CMAKE_SOURCE_DIR}/dialects/isa)
  list(APPEND chipwright_tablegen_flags -I ${folder})
endforeach()

# chipwright_mlir_library(NAME SOURCES ... DEPENDS ... [PRECOMPILE ...]): a
# library of chipwright_library() whose sources use MLIR. With
# NO_MLIR_IN_HEADERS its users get neither MLIR's flags nor those of PRIVATE.
function(chipwright_mlir_library name)
  cmake_parse_arguments(ARG "NO_MLIR_IN_HEADERS" ""
                        "SOURCES;DEPENDS;PRIVATE;PRECOMPILE" ${ARGN})
  chipwright_library(${name} SOURCES ${ARG_SOURCES} DEPENDS ${ARG_DEPENDS})
  if(ARG_NO_MLIR_IN_HEADERS)
    target_link_libraries(${name} PRIVATE ${ARG_PRIVATE} chipwright_mlir)
  else()
    target_link_libraries(${name} PUBLIC chipwright_mlir)
  endif()
  # No exception crosses LLVM's frames, so none starts here.
  target_compile_options(${name} PRIVATE -fno-exceptions)
  if(ARG_PRECOMPILE)
    target_precompile_headers(${name} PRIVATE ${ARG_PRECOMPILE})
  endif()
endfunction()
