//===- CommandsTest.cpp - compile, run and show package -------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <sys/wait.h>

using testing::AllOf;
using testing::HasSubstr;
using Json = nlohmann::json;

namespace {

struct Answer {
  int status;
  std::string text; // stdout and stderr
};

Answer tool(const std::string &arguments) {
  std::string command =
      std::string(CHIPWRIGHT_TOOL) + " " + arguments + " 2>&1";
  FILE *pipe = popen(command.c_str(), "r");
  std::string text;
  char block[4096];
  for (size_t n; (n = fread(block, 1, sizeof(block), pipe)) > 0;) {
    text.append(block, n);
  }
  int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

std::string bytesOf(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Json jsonOf(const std::string &path) {
  Json json = Json::parse(bytesOf(path), nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << path;
  return json;
}

const std::string kGolden =
    std::string(CHIPWRIGHT_SOURCE_DIR) + "/tests/golden/";
const std::string kModel = " --model " + kGolden + "transformers-llama4 ";
const std::string kPrompts =
    " --prompt-ids 1,2,3,4,5,6,7,8 --prompt-ids 5,4,3 --max-new-tokens 3 ";

/// A package in a folder of its own.
class Commands : public testing::Test {
protected:
  void SetUp() override {
    package = folder / "m.cwx";
    Answer answer = tool("compile" + kModel + bounds + "-o " + package);
    ASSERT_EQ(answer.status, 0) << answer.text;
    EXPECT_THAT(answer.text,
                AllOf(HasSubstr("tokens 64"), HasSubstr("products in bf16")));
    run = "run" + kModel + "--package " + package;
  }

  chipwright::test::ScratchFolder folder;
  std::string package, run;
  const std::string bounds = "--max-tokens 64 --max-batch 2 --max-context 128 ";
};

TEST_F(Commands, CompilesTheSameBytesTwice) {
  ASSERT_EQ(
      tool("compile" + kModel + bounds + "-o " + (folder / "n.cwx")).status, 0);
  EXPECT_EQ(bytesOf(package), bytesOf(folder / "n.cwx"));
  Answer level = tool("compile" + kModel + bounds + "--stop-after llm");
  EXPECT_EQ(level.status, 0);
  EXPECT_THAT(level.text, HasSubstr("layers.3.feed_forward"));
}

TEST_F(Commands, BothModesTakeTheSameCycles) {
  std::string routing = folder / "r.json";
  Answer functional =
      tool(run + kPrompts + "--check cpu --check-ops --save-routing " +
           routing + " --json " + (folder / "f.json"));
  ASSERT_EQ(functional.status, 0) << functional.text;
  EXPECT_THAT(functional.text, AllOf(HasSubstr("(TTFT)"), HasSubstr("(TPOT)"),
                                     HasSubstr("verdict: decode is bound by"),
                                     HasSubstr("0 beyond their bound")));
  Answer timing =
      tool(run + kPrompts + "--mode timing --routing trace:" + routing +
           " --json " + (folder / "t.json"));
  ASSERT_EQ(timing.status, 0) << timing.text;
  Json f = jsonOf(folder / "f.json"), t = jsonOf(folder / "t.json");
  ASSERT_EQ(f["steps"].size(), 3u);
  EXPECT_EQ(f["steps"], t["steps"]);
  EXPECT_EQ(f["package"], t["package"]);
  EXPECT_EQ(f["tokens"], t["tokens"]);
  EXPECT_EQ(f["tokens"][0].size(), 3u);
  EXPECT_EQ(f["ttft_seconds"], t["ttft_seconds"]);
  EXPECT_EQ(f["prefill"]["tokens"], 11);
  EXPECT_EQ(f["decode"]["steps"], 2);
  EXPECT_GT(f["relative_error"].get<double>(), 0);
  EXPECT_LT(f["relative_error"].get<double>(), 2e-2);
  // All that was multiplied, in both phases; the same in both modes.
  ASSERT_EQ(f["macs"].size(), 1u);
  EXPECT_EQ(f["macs"], t["macs"]);
  EXPECT_EQ(f["macs"]["bf16"].get<uint64_t>(),
            f["prefill"]["macs"]["bf16"].get<uint64_t>() +
                f["decode"]["macs"]["bf16"].get<uint64_t>());
  EXPECT_GT(f["decode"]["macs"]["bf16"].get<uint64_t>(), 0u);
  EXPECT_EQ(f["host_work"].size(), 1u);
  EXPECT_EQ(f["host_work"][0]["op"], "sampling");
  EXPECT_GT(f["prefill"]["ops"].size(), 50u);
  EXPECT_FALSE(t.contains("relative_error"));
  // Other timing parameters need no other package, and take another time.
  Answer slower =
      tool(run + kPrompts +
           "--set noc.hop_cycles=9 --mode timing --routing trace:" + routing +
           " --json " + (folder / "s.json"));
  ASSERT_EQ(slower.status, 0) << slower.text;
  EXPECT_GT(jsonOf(folder / "s.json")["ttft_seconds"].get<double>(),
            f["ttft_seconds"].get<double>());
}

TEST_F(Commands, FaultsAreFoundAndOpsReproduced) {
  std::string op = "layers.1.feed_forward.experts";
  Answer wrong = tool(run + kPrompts + "--check-ops --inject " + op +
                      " --reproduce " + op + " " + (folder / "op"));
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.text, AllOf(HasSubstr("first: " + op + " (step 0"),
                                HasSubstr("numbers disagree")));
  // What the reproduction compares with has the flipped bit.
  Answer differs = tool("run --replay " + (folder / "op"));
  EXPECT_EQ(differs.status, 1) << differs.text;
  EXPECT_THAT(differs.text, HasSubstr("1 bytes differ"));
  ASSERT_EQ(
      tool(run + kPrompts + "--reproduce " + op + " " + (folder / "op")).status,
      0);
  Answer same = tool("run --replay " + (folder / "op"));
  EXPECT_EQ(same.status, 0) << same.text;
  EXPECT_THAT(same.text, HasSubstr("the bits that were saved"));
  EXPECT_THAT(bytesOf(folder / "op/run.sh"),
              HasSubstr("chipwright run --replay"));
}

TEST_F(Commands, CheckOpsNamesTheOpThatWasInjected) {
  for (const char *op :
       {"layers.0.self_attn.attention", "layers.1.self_attn.v_proj",
        "layers.2.post_attention_layernorm", "layers.3.feed_forward.experts",
        "lm_head"}) {
    Answer answer = tool(run +
                         " --prompt-ids 1,2,3,4 --max-new-tokens 1 "
                         "--check-ops --inject " +
                         op);
    EXPECT_EQ(answer.status, 1) << op;
    EXPECT_THAT(answer.text,
                HasSubstr("first: " + std::string(op) + " (step 0"));
  }
}

TEST_F(Commands, SavesTensorsAndTraces) {
  Answer answer =
      tool(run + " --prompt-ids 1,2 --max-new-tokens 2 " + "--save-tensors " +
           (folder / "tensors") + " --trace " + (folder / "trace.json"));
  ASSERT_EQ(answer.status, 0) << answer.text;
  EXPECT_THAT(bytesOf(folder / "tensors/step-000.safetensors"),
              HasSubstr("layers.0.self_attn.attention"));
  EXPECT_THAT(
      bytesOf(folder / "trace.json"),
      HasSubstr("\"op\":\"layers.0.self_attn.q_proj\",\"part\":\"linear\""));
}

TEST_F(Commands, CpuAndSimTakeTheSameCommand) {
  std::string words = kModel + kPrompts + "--json ";
  ASSERT_EQ(tool("run --device cpu" + words + (folder / "c.json")).status, 0);
  // Compiled for the prompts, fp16.
  Answer sim =
      tool("run --dtype fp16 --check cpu" + words + (folder / "s.json"));
  ASSERT_EQ(sim.status, 0) << sim.text;
  Json c = jsonOf(folder / "c.json"), s = jsonOf(folder / "s.json");
  EXPECT_EQ(c["device"], "cpu");
  EXPECT_EQ(s["dtype"], "fp16");
  EXPECT_LT(s["relative_error"].get<double>(), 3e-3);
  EXPECT_EQ(c["tokens"][0].size(), s["tokens"][0].size());
  EXPECT_FALSE(c.contains("ttft_seconds"));
}

// Each op agrees with the same quantisation on the host, the logits with fp32
// within twice what it costs there, and both modes take the same cycles.
TEST_F(Commands, QuantisedLinearMaps) {
  for (const std::string &form :
       {std::string("--dtype int8 "),
        std::string("--chip mtia-300 --dtype fp8_e4m3 ")}) {
    std::string quantised = folder / "q.cwx", routing = folder / "q.json";
    ASSERT_EQ(
        tool("compile" + kModel + bounds + form + "-o " + quantised).status, 0);
    std::string chip = form.substr(0, form.find("--dtype"));
    std::string words =
        "run " + chip + kModel + "--package " + quantised + kPrompts;
    Answer answer =
        tool(words + "--check cpu --check-ops --perplexity --save-routing " +
             routing + " --json " + (folder / "f.json"));
    EXPECT_EQ(answer.status, 0) << answer.text;
    Json f = jsonOf(folder / "f.json");
    EXPECT_EQ(f["linear_dtype"],
              form == chip + "--dtype int8 " ? "int8" : "fp8_e4m3");
    EXPECT_EQ(f["predicted_tokens"], 9);
    EXPECT_GT(f["relative_error"].get<double>(), 5e-3) << "nothing quantised";
    answer =
        tool(words + "--all-logits --mode timing --routing trace:" + routing +
             " --json " + (folder / "t.json"));
    ASSERT_EQ(answer.status, 0) << answer.text;
    Json t = jsonOf(folder / "t.json");
    ASSERT_EQ(f["steps"].size(), t["steps"].size());
    for (size_t i = 0; i < f["steps"].size(); ++i) {
      EXPECT_EQ(f["steps"][i]["launches"], t["steps"][i]["launches"]);
    }
  }
}

TEST_F(Commands, ShowPackage) {
  Answer answer =
      tool("show package " + package +
           " --launches --memory-map --disasm --json " + (folder / "p.json"));
  ASSERT_EQ(answer.status, 0) << answer.text;
  EXPECT_THAT(answer.text,
              AllOf(HasSubstr("bounds        batch 2, context 128"),
                    HasSubstr("layers.0.self_attn.q_proj: program"),
                    HasSubstr("0x100000000000 dram"), HasSubstr("xpe."),
                    HasSubstr("kernel_compute:")));
  Json json = jsonOf(folder / "p.json")["package"];
  EXPECT_EQ(json["bounds"]["tokens"], 64);
  EXPECT_EQ(json["dtype"], "bf16");
  EXPECT_GT(json["launches"].size(), 50u);
}

TEST_F(Commands, Refusals) {
  const std::string one = " --prompt-ids 1 ";
  std::string bad = folder / "bad.cwx";
  std::string bytes = bytesOf(package);
  bytes[bytes.size() / 2] ^= 1;
  std::ofstream(bad, std::ios::binary) << bytes;
  const std::tuple<std::string, int, std::string> cases[] = {
      {"run", 2, "--model is missing"},
      {"run" + kModel, 2, "--prompt is missing"},
      {"run" + kModel + "--prompt-ids 1,x", 2, "token ids such as"},
      {"run" + kModel + "--prompt-ids -1", 2, "token ids such as"},
      {"run" + kModel + one + "--device gpu", 2, "expected sim or cpu"},
      {"run" + kModel + one + "--mode fast", 2, "timing or functional"},
      {"run" + kModel + one + "--check gpu", 2, "expected cpu"},
      {"run" + kModel + one + "--dtype fp32", 2, "expected bf16, fp16, int8"},
      {"run" + kModel + one + "--mode timing --check cpu", 2,
       "--check needs --mode functional"},
      {"run" + kModel + one + "--routing trace:x", 2,
       "--routing needs --mode timing"},
      {"run" + kModel + one + "--mode timing --routing x", 2, "trace:FILE"},
      {"run" + kModel + one + "--device cpu --check-ops", 2,
       "--check-ops needs --device sim"},
      {"run" + kModel + one + "--reproduce norm", 2, "an op and a folder"},
      {"run" + kModel + one + "--error-bound x", 2,
       "expected a number of 0 or more such as"},
      {"run --replay d" + one, 2, "--replay takes no --prompt-ids"},
      {run + one + "--max-tokens 3", 2, "when the package is compiled"},
      {run + one + "--inject layers.0.self_attn.q_prj", 2,
       "did you mean 'layers.0.self_attn.q_proj'"},
      {run + one + "--mode timing", 2, "--routing trace:F"},
      {"run --model /nowhere" + one, 3, "/nowhere/config.json"},
      {run + " --prompt-ids 99999", 3, "vocabulary"},
      {"run" + kModel + one + "--package /nowhere.cwx", 3,
       "none that can be read"},
      {"run" + kModel + one + "--package " + bad, 3, "damaged"},
      {"run" + kModel + one + "--package " + kGolden, 3, "is a folder"},
      {run + one + "--chip mtia-300", 3, "compiled for mtia-2i"},
      {run + one + "--set ls.bytes=196608", 3, "compile the model again"},
      {"run --model " + kGolden + "transformers-llama4-noqknorm --package " +
           package + one,
       3, "the model here is"},
      {run + one + "--mode timing --routing trace:" + package, 3,
       "--save-routing"},
      {run + one + "--json /nowhere/f.json", 3, "cannot be written"},
      {"run --replay /nowhere", 3, "/nowhere/package.cwx"},
      {run + one + "--max-new-tokens 200", 4, "room for 128"},
      {run + one + "--prompt-ids 2 --prompt-ids 3", 4, "at most 2"},
      {run + one + "--max-cycles 1000", 5, "(launch 1): runaway"},
      {"compile", 2, "--model is missing"},
      {"compile" + kModel, 2, "-o is missing"},
      {"compile" + kModel + "-o x --stop-after elf", 2,
       "llm, grid, program, pe, llvm or asm"},
      {"compile" + kModel + "-o x --max-batch 0", 2, "expected 1 to"},
      {"compile" + kModel + "-o /nowhere/x", 3, "cannot be written"},
      {"compile --model /nowhere -o x", 3, "/nowhere/config.json"},
      {"show package", 2, "takes one file"},
      {"show package " + package + " --paths", 2, "no options of show chip"},
      {"show chips --launches", 2, "for show package"},
      {"show package " + bad, 3, "damaged"},
  };
  for (const auto &[arguments, status, expected] : cases) {
    Answer answer = tool(arguments);
    EXPECT_EQ(answer.status, status) << arguments << "\n" << answer.text;
    EXPECT_THAT(answer.text,
                AllOf(HasSubstr("chipwright: error: "), HasSubstr(expected)))
        << arguments;
  }
  EXPECT_FALSE(std::filesystem::exists("x"));
}

TEST(CommandsHelp, NamesWhatThereIs) {
  for (const char *level : {"run --help", "compile --help", "show --help"}) {
    Answer answer = tool(level);
    EXPECT_EQ(answer.status, 0);
    EXPECT_THAT(answer.text,
                AllOf(HasSubstr("usage: chipwright"), HasSubstr("example")));
  }
}

} // namespace
