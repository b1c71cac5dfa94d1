# SPDX-License-Identifier: Apache-2.0
"""Tests of text in, text out: chipwright-opt and FileCheck."""

import os

import lit.formats

config.name = "chipwright"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = config.exec_root
config.environment["PATH"] = os.pathsep.join(
    [config.chipwright_tools_dir, config.llvm_tools_dir, os.environ["PATH"]]
)
