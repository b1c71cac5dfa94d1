//===- GeneratorTest.cpp - Tests of xpe-tblgen ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/isa/TestSupport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace chipwright::isa;
using namespace chipwright::isa::test;
using testing::HasSubstr;

static const std::string sourceFolder = CHIPWRIGHT_SOURCE_DIR;
static const std::string recordFolder = sourceFolder + "/dialects/isa";

/// Runs the generator on records that follow an include of XpeBase.td.
static CommandResult generate(const std::string &records,
                              const std::string &flags = "-check") {
  ScratchFolder scratch;
  const std::string input = scratch.path("test.td");
  writeFile(input, "include \"XpeBase.td\"\n" + records);
  return runShell(std::string(XPE_TBLGEN) + " " + flags + " -I " +
                  recordFolder + " " + input);
}

static void expectRefusal(const std::string &records,
                          const std::string &message) {
  const CommandResult result = generate(records);
  EXPECT_EQ(result.status, 1) << records << result.output;
  EXPECT_THAT(result.output, HasSubstr(message));
  EXPECT_THAT(result.output, HasSubstr("test.td:")) << "no place";
}

TEST(Generator, AcceptsASmallSet) {
  const CommandResult result = generate(
      "def A : XpeInst<\"xpe.a\", Custom0, 0>;\n"
      "def B : XpeInst<\"xpe.b\", Custom0, 1>;\n"
      "def C : XpeCommand<\"xpe.c\", 1, Dpe, XpeLayout<\"c\", [XpeField<0, "
      "\"f\", \"\", [XpeSlice<\"s\", 63, 0, \"\">]>]>, [XpeTerm<\"s\", 63, "
      "0>]>;\n");
  EXPECT_EQ(result.status, 0) << result.output;
}

TEST(Generator, RefusesOverlappingEncodings) {
  expectRefusal("def A : XpeInst<\"xpe.a\", Custom0, 2>;\n"
                "def B : XpeInst<\"xpe.b\", Custom0, 2>;\n",
                "encoding of 'xpe.b' overlaps that of 'xpe.a'");
  // A constant operand that covers another instruction's constant.
  expectRefusal("def A : XpeInst<\"xpe.a\", Custom0, 2> {\n"
                "  let xpeFunct7 = XpeImm<\"field\", 4, \"\">;\n}\n"
                "def B : XpeInst<\"xpe.b\", Custom0, 2> {\n"
                "  let xpeFunct7 = XpeFixed<3>;\n}\n",
                "encoding of 'xpe.b' overlaps that of 'xpe.a'");
  EXPECT_EQ(generate("def A : XpeInst<\"xpe.a\", Custom0, 2> {\n"
                     "  let xpeFunct7 = XpeImm<\"field\", 4, \"\">;\n}\n"
                     "def B : XpeInst<\"xpe.b\", Custom0, 2> {\n"
                     "  let xpeFunct7 = XpeFixed<4>;\n}\n")
                .status,
            0);
}

TEST(Generator, RefusesNamesAndNumbers) {
  expectRefusal("def A : XpeInst<\"xpe.a\", Custom0, 2>;\n"
                "def B : XpeInst<\"xpe.a\", Custom0, 3>;\n",
                "mnemonic 'xpe.a' is used twice");
  expectRefusal("def A : XpeInst<\"a\", Custom0, 2>;\n",
                "does not start with 'xpe.'");
  expectRefusal("def A : XpeInst<\"xpe.a\", Custom0, 8>;\n",
                "funct3 is 8; expected 0 to 7");
  expectRefusal("def A : XpeInst<\"xpe.a\", Custom0, 0> {\n"
                "  let xpeRs2 = XpeImm<\"ctx\", 33, \"\">;\n}\n",
                "xpeRs2 does not fit its 32 values");
  expectRefusal("def A : XpeInst<\"xpe.a\", Custom0, 0> {\n"
                "  let xpeFunct7 = XpeFixed<128>;\n}\n",
                "xpeFunct7 does not fit its 128 values");
  expectRefusal("def A : XpeInst<\"xpe.a\", Custom0, 0> {\n"
                "  let xpeFunct7 = XpeReg<\"\">;\n}\n",
                "funct7 cannot be a register");
}

/// A command with the given fields and word.
static std::string command(const std::string &fields,
                           const std::string &word = "") {
  return "def E : XpeEnum<\"E\", \"E\", \"\", [XpeCase<\"a\", \"\">, "
         "XpeCase<\"b\", \"\">, XpeCase<\"c\", \"\">]>;\n"
         "def C : XpeCommand<\"xpe.c\", 1, Dpe, XpeLayout<\"c\", [" +
         fields + "]>, [" + word + "]>;\n";
}

TEST(Generator, RefusesSlices) {
  expectRefusal(command("XpeField<0, \"f\", \"\", [XpeSlice<\"s\", 8, 0, "
                        "\"\">, XpeSlice<\"t\", 15, 8, \"\">]>"),
                "slices 's' and 't' of field 'f' of layout 'c' overlap");
  expectRefusal(
      command("XpeField<0, \"f\", \"\", [XpeSlice<\"s\", 64, 0, \"\">]>"),
      "slice 's' is 65 bits wide; a slice has at most 64 bits");
  expectRefusal(
      command("XpeField<0, \"f\", \"\", [XpeSlice<\"s\", 64, 1, \"\">]>"),
      "expected 63 >= hi >= lo >= 0");
  expectRefusal(
      command("XpeField<0, \"f\", \"\", [XpeSlice<\"s\", 1, 2, \"\">]>"),
      "expected 63 >= hi >= lo >= 0");
  expectRefusal(command("XpeField<0, \"f\", \"\", []>, XpeField<0, \"g\", "
                        "\"\", []>"),
                "fields 'f' and 'g' of layout 'c' have the same number 0");
  expectRefusal(command("XpeField<14, \"f\", \"\", []>"),
                "a command may use fields 0 to 13");
  expectRefusal(command("XpeField<0, \"f\", \"\", [XpeSlice<\"s\", 1, 0, "
                        "\"\">]>, XpeField<1, \"g\", \"\", [XpeSlice<\"s\", "
                        "1, 0, \"\">]>"),
                "slice 's' of layout 'c' is defined twice");
  expectRefusal(command("XpeField<0, \"f\", \"\", [XpeEnumSlice<\"s\", 0, 0, "
                        "E, \"\">]>"),
                "has 1 bits, too few for 3 cases of 'E'");
}

TEST(Generator, RefusesWords) {
  const std::string fields =
      "XpeField<0, \"f\", \"\", [XpeSlice<\"s\", 7, 0, \"\">, "
      "XpeSlice<\"t\", 15, 8, \"\">, XpeSignedSlice<\"n\", 23, 16, \"\">]>";
  expectRefusal(command(fields, "XpeTerm<\"u\", 7, 0>"),
                "names the slice 'u', which layout 'c' does not have");
  expectRefusal(command(fields, "XpeTerm<\"s\", 7, 0>, XpeTerm<\"t\", 8, 7>"),
                "word terms 's' and 't' of 'xpe.c' overlap");
  expectRefusal(command(fields, "XpeTerm<\"s\", 8, 0>"),
                "gives 9 bits to slice 's', which has 8");
  expectRefusal(command(fields, "XpeTerm<\"s\", 64, 0>"),
                "slice 's' is 65 bits wide");
  expectRefusal(command(fields, "XpeTerm<\"s\", 3, 0>, XpeTerm<\"s\", 7, 4>"),
                "names the slice 's' twice");
  expectRefusal(command(fields, "XpeTerm<\"n\", 7, 0>"),
                "varies slice 'n', which is not an unsigned number");
}

TEST(Generator, RefusesOneDecoderForTwoWords) {
  const std::string records =
      "def L : XpeLayout<\"l\", [XpeField<0, \"f\", \"\", [XpeSlice<\"s\", 7, "
      "0, \"\">]>]>;\n"
      "def A : XpeCommand<\"xpe.a\", 1, Dpe, L, []>;\n"
      "def B : XpeCommand<\"xpe.b\", 2, Dpe, L, [XpeTerm<\"s\", 7, 0>]>";
  expectRefusal(records + ";\n", "need different xpeDecodeSuffix");
  EXPECT_EQ(generate(records + " { let xpeDecodeSuffix = \"B\"; }\n").status,
            0);
}

/// A record may also inherit from a class of another generator that has the
/// usual members of an operation.
TEST(Generator, RecordsCombineWithOtherClasses) {
  const CommandResult result = generate(
      "class Op<string mnemonic> {\n"
      "  string opName = mnemonic; string summary = \"\";\n"
      "  string description = \"\"; string name = \"\"; dag arguments = ?;\n"
      "  list<int> traits = []; }\n"
      "class Pe_Cmd<string m, int opcode> : Op<m>,\n"
      "    XpeCommand<\"xpe.\" # m, opcode, Dpe, XpeLayout<m, []>, []>;\n"
      "def Pe_Mml : Pe_Cmd<\"mml\", 16> { let summary = \"an op\"; }\n",
      "-gen-decoder-decls");
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("Mml, // xpe.mml"));
}

TEST(Generator, CommittedReferenceIsCurrent) {
  const CommandResult result =
      runShell(std::string(XPE_TBLGEN) + " -gen-manual -I " + recordFolder +
               " " + recordFolder + "/Xpe.td");
  ASSERT_EQ(result.status, 0) << result.output;
  EXPECT_TRUE(result.output ==
              readFile(sourceFolder + "/docs/isa-reference.md"))
      << "docs/isa-reference.md is not what xpe-tblgen writes; build the "
         "target update-isa-reference";
}
