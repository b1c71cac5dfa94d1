# SPDX-License-Identifier: Apache-2.0
# Compile and link options that hold for every target of the project.

option(CHIPWRIGHT_SANITIZE "Build with address and undefined-behaviour sanitizers" OFF)
option(CHIPWRIGHT_FUZZ "Build what the fuzz targets need for libFuzzer" OFF)

add_compile_options(
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough
  # One rounding per operation: contraction would let the optimiser decide bits.
  -ffp-contract=off)
add_link_options(-fuse-ld=lld)

if(CHIPWRIGHT_SANITIZE)
  # SystemC's QuickThreads and virtual bases upset -fsanitize=vptr.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=vptr
                      -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined -fno-sanitize=vptr)
endif()

if(CHIPWRIGHT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# chipwright_library(NAME SOURCES ... DEPENDS ...): a static library of one
# folder. Headers are included by their path from the top of the repository.
function(chipwright_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_DEPENDS})
endfunction()

# chipwright_unit_test(NAME SOURCES ... DEPENDS ...): a GoogleTest program;
# every test of it becomes a CTest test in a process of its own, because
# SystemC allows one elaboration per process.
function(chipwright_unit_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gmock GTest::gtest
                                        GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    CHIPWRIGHT_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
    CHIPWRIGHT_BINARY_DIR="${CMAKE_BINARY_DIR}")
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600)
endfunction()
