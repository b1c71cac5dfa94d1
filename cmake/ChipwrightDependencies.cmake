# SPDX-License-Identifier: Apache-2.0
# Third-party packages, all from Debian (scripts/packages.txt lists them).

find_package(PkgConfig REQUIRED)
find_package(Boost REQUIRED COMPONENTS program_options)
find_package(GTest REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(FlatBuffers REQUIRED)
find_package(fmt REQUIRED)
find_package(Eigen3 REQUIRED NO_MODULE)
# Patterns and Unicode normalisation of tokenizers.
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
include(GoogleTest)

# Debian builds SystemC 2.3.4 as C++17 and its symbols name the standard, so
# every object that includes SystemC says so (the code itself is C++20).
pkg_check_modules(SYSTEMC REQUIRED IMPORTED_TARGET systemc)
add_library(chipwright_systemc INTERFACE)
target_link_libraries(chipwright_systemc INTERFACE PkgConfig::SYSTEMC)
target_compile_definitions(chipwright_systemc INTERFACE SC_CPLUSPLUS=201703L)
get_target_property(systemc_includes PkgConfig::SYSTEMC INTERFACE_INCLUDE_DIRECTORIES)
if(systemc_includes)
  target_include_directories(chipwright_systemc SYSTEM INTERFACE ${systemc_includes})
else()
  target_include_directories(chipwright_systemc SYSTEM INTERFACE /usr/include)
endif()
