//===- RunRequest.cpp - Command line of chipwright run --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tools/RunRequest.h"

#include "models/MappedFile.h"
#include "tools/Arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

using namespace chipwright;
using namespace chipwright::tools;
namespace po = boost::program_options;
using Strings = std::vector<std::string>;

namespace {

constexpr const char *kCommand = "run";

constexpr const char *kHelp =
    R"(usage: chipwright run --model PATH --prompt TEXT [--chat] [options]
       chipwright run --model PATH --prompt-ids 1,2,3 [options]
       chipwright run --replay DIR [options]

Runs a model: the prompts, then the tokens that follow. On a chip, says how long
each phase takes and what bounds it.

)";

constexpr const char *kExample = R"(
examples:
  chipwright run --model smollm2.gguf --chat --prompt "What is the moon?"
  chipwright run --model llama --prompt-ids 1,2,3 --max-new-tokens 8 --check cpu
  chipwright run --model llama --package llama.cwx --prompt-ids 1,2 \
    --prompt-ids 3,4,5 --save-routing r.json --json run.json
  chipwright run --model llama --package llama.cwx --prompt-ids 1,2 \
    --prompt-ids 3,4,5 --mode timing --routing trace:r.json

Without --package the model is compiled for prompts and new tokens as given.
)";

/// Collects the first error of many small steps.
class Reader {
public:
  explicit Reader(const po::variables_map &values) : values(values) {}

  bool has(const char *name) const { return values.count(name) != 0; }
  std::string text(const char *name) const {
    return has(name) ? values[name].as<std::string>() : std::string();
  }
  Strings list(const char *name) const {
    return has(name) ? values[name].as<Strings>() : Strings();
  }

  template <typename T> void number(const char *name, uint64_t least, T &to) {
    if (!has(name)) {
      return;
    }
    auto read = parseNumber(text(name), std::string("--") + name, kCommand);
    if (!read) {
      error = error ? error : read.error();
    } else if (*read < least || *read > uint64_t(1) << 40) {
      fail(fmt::format("--{} is {}, expected {} to {}", name, text(name), least,
                       uint64_t(1) << 40));
    } else {
      to = static_cast<T>(*read);
    }
  }

  /// A number from \p least to \p most; \p example for the message.
  void real(const char *name, double least, double most, const char *example,
            std::optional<double> &to) {
    if (!has(name)) {
      return;
    }
    std::string word = text(name);
    double value = -1;
    auto [rest, failed] =
        std::from_chars(word.data(), word.data() + word.size(), value);
    if (failed != std::errc() || rest != word.data() + word.size() ||
        !(value >= least && value <= most)) {
      fail(fmt::format("--{} is '{}', expected a number {} such as {}", name,
                       word,
                       most > 1e9 ? "of 0 or more"
                                  : fmt::format("from {} to {}", least, most),
                       example));
    } else {
      to = value;
    }
  }

  void fail(const std::string &message) {
    if (!error) {
      error = usageError(message, kCommand);
    }
  }

  const po::variables_map &values;
  std::optional<Diagnostic> error;
};

void readPrompts(Reader &reader, RunRequest &request) {
  for (const std::string &text : reader.list("prompt-ids")) {
    std::vector<int32_t> prompt;
    for (const std::string &word : split(text, ',')) {
      int32_t id = -1;
      auto [rest, failed] =
          std::from_chars(word.data(), word.data() + word.size(), id);
      if (failed != std::errc() || rest != word.data() + word.size() ||
          id < 0) {
        reader.fail(fmt::format("--prompt-ids is '{}', expected token ids such "
                                "as 1,2,3",
                                text));
        return;
      }
      prompt.push_back(id);
    }
    request.prompts.push_back(std::move(prompt));
  }
}

void readTexts(Reader &reader, RunRequest &request) {
  request.texts = reader.list("prompt");
  std::string path = reader.text("prompt-file");
  if (path.empty()) {
    return;
  }
  // Longer texts are refused by the tokenizer too.
  constexpr uint64_t kMostBytes = uint64_t(64) << 20;
  auto file = models::MappedFile::open(path, "a prompt");
  if (!file || file->size() == 0 || file->size() > kMostBytes) {
    Diagnostic wrong =
        !file ? file.error()
              : Diagnostic{fmt::format("{}: expected a prompt of 1 to {} "
                                       "bytes, found {}; cut it",
                                       path, kMostBytes, file->size()),
                           ExitBadInput};
    reader.error = reader.error ? reader.error : wrong;
    return;
  }
  request.texts.emplace_back(reinterpret_cast<const char *>(file->data()),
                             file->size());
}

void readTracing(Reader &reader, RunRequest &request) {
  TracingRequest &tracing = request.tracing;
  tracing.path = reader.text("trace");
  tracing.pes = reader.text("trace-pe");
  tracing.window = reader.text("trace-window");
  reader.number("trace-max-bytes", 1, tracing.maxBytes);
  if (tracing.path.empty() &&
      !(tracing.pes.empty() && tracing.window.empty())) {
    reader.fail("--trace-pe and --trace-window need --trace");
  }
  if (tracing.path == "-" && request.json == "-") {
    reader.fail("--trace - and --json - both want stdout");
  }
}

/// Options that ask for what the device or mode does not have.
void checkCombination(Reader &reader, const RunRequest &request) {
  bool isSim = request.device == "sim";
  bool isFunctional = request.mode == sim::Mode::Functional;
  for (const char *name :
       {"package", "check", "check-ops", "save-tensors", "save-routing",
        "routing", "inject", "reproduce", "trace", "max-cycles"}) {
    if (!isSim && reader.has(name)) {
      reader.fail(fmt::format("--{} needs --device sim", name));
    }
  }
  for (const char *name : {"check", "check-ops", "save-tensors", "save-routing",
                           "inject", "reproduce", "perplexity"}) {
    if (!isFunctional && reader.has(name)) {
      reader.fail(fmt::format("--{} needs --mode functional, timing mode has "
                              "no numbers",
                              name));
    }
  }
  if (isFunctional && reader.has("routing")) {
    reader.fail("--routing needs --mode timing, functional mode makes its own "
                "choices");
  }
  if (reader.has("replay")) {
    for (const char *name :
         {"model", "package", "prompt", "prompt-file", "prompt-ids", "check",
          "check-ops", "save-tensors", "save-routing", "routing", "inject",
          "reproduce"}) {
      if (reader.has(name)) {
        reader.fail(fmt::format("--replay takes no --{}", name));
      }
    }
  } else if (request.model.empty()) {
    reader.fail("--model is missing, the folder of a model or a GGUF file");
  } else if (request.prompts.empty() && request.texts.empty()) {
    reader.fail("--prompt is missing, a text (or --prompt-ids, token ids)");
  } else if (!request.prompts.empty() && !request.texts.empty()) {
    reader.fail("--prompt-ids does not go with prompts in words");
  } else if (request.isChat && request.texts.empty()) {
    reader.fail("--chat needs --prompt or --prompt-file");
  }
  if (!request.package.empty() && !request.compile.isEmpty()) {
    reader.fail("--dtype, --weight-dtype, --max-tokens, --max-batch and "
                "--max-context are decided when the package is compiled");
  }
}

} // namespace

po::options_description tools::runOptions() {
  auto text = [](const char *name) {
    return po::value<std::string>()->value_name(name);
  };
  po::options_description options("options", 80, 36);
  options.add_options()("help,h", "this text")(
      "model", text("PATH"),
      "folder of the model in Hugging Face form, or a GGUF file")(
      "package", text("FILE"), "what `chipwright compile` made of it")(
      "prompt", po::value<Strings>()->value_name("TEXT")->composing(),
      "a prompt in words; repeated: a batch")(
      "prompt-file", text("FILE"), "a prompt in words, the text of a file")(
      "chat", "prompts are a user's messages, in the model's chat template")(
      "prompt-ids", po::value<Strings>()->value_name("1,2,...")->composing(),
      "a prompt as token ids; repeated: a batch")(
      "max-new-tokens", text("N")->default_value("16"),
      "tokens to decode, less where an end token comes")(
      "prefill-tokens", text("N"), "most tokens of a prefill step")(
      "device", text("NAME")->default_value("sim"),
      "sim: the chip; cpu: the host in fp32")(
      "mode", text("MODE")->default_value("functional"),
      "functional: computes tokens; timing: no tensor data, the same cycles")(
      "check", text("cpu"), "compare all logits with the host's")(
      "check-ops", "compare each op with fp64 on its own operands")(
      "error-bound", text("E"), "largest relative error of --check")(
      "all-logits", "logits of every token of the prompts")(
      "perplexity",
      "how well the prompts are predicted, from the logits of all tokens")(
      "temperature", text("T")->default_value("0"),
      "divide logits by it and draw; 0: the most probable token")(
      "top-p", text("P")->default_value("1"),
      "draw among the most probable tokens that reach this probability")(
      "seed", text("N")->default_value("1"), "of the draws")(
      "save-tensors", text("DIR"), "write all values of each step")(
      "save-routing", text("FILE"), "record tokens and choices of experts")(
      "routing", text("trace:FILE"), "timing mode: take what was recorded")(
      "inject", text("OP"), "flip a bit of an op's result in the first step")(
      "reproduce", po::value<Strings>()->value_name("OP DIR")->multitoken(),
      "write an op of the first step with all it needs to DIR")(
      "replay", text("DIR"), "run what --reproduce wrote")(
      "max-cycles", text("N"), "stop the simulation after N cycles")(
      "json", text("FILE"), "write JSON to FILE, - is stdout")(
      "trace", text("FILE"), "write a timeline for ui.perfetto.dev")(
      "trace-pe", text("R,C[:R,C...]"),
      "only these PEs; R and C may be ranges 0-3 or *")(
      "trace-window", text("A:B"), "only cycles A to B")(
      "trace-max-bytes", text("N"), "largest size of the trace");
  addChipOptions(options);
  addCompileOptions(options);
  return options;
}

std::string tools::runHelp() {
  std::ostringstream text;
  text << kHelp << runOptions() << kExample;
  return text.str();
}

Result<RunRequest> tools::readRunRequest(const po::variables_map &values) {
  Reader reader(values);
  RunRequest request;
  for (auto [name, target] :
       {std::pair("model", &request.model),
        std::pair("package", &request.package),
        std::pair("device", &request.device), std::pair("json", &request.json),
        std::pair("save-tensors", &request.saveTensors),
        std::pair("save-routing", &request.saveRouting),
        std::pair("inject", &request.inject),
        std::pair("replay", &request.replay)}) {
    *target = reader.text(name);
  }
  if (request.device != "sim" && request.device != "cpu") {
    reader.fail(
        fmt::format("--device is '{}', expected sim or cpu", request.device));
  }
  std::string mode = reader.text("mode");
  if (mode != "timing" && mode != "functional") {
    reader.fail(
        fmt::format("--mode is '{}', expected timing or functional", mode));
  }
  request.mode = mode == "timing" ? sim::Mode::Timing : sim::Mode::Functional;
  if (reader.has("check") && reader.text("check") != "cpu") {
    reader.fail(
        fmt::format("--check is '{}', expected cpu", reader.text("check")));
  }
  request.checkCpu = reader.has("check");
  request.checkOps = reader.has("check-ops");
  request.perplexity = reader.has("perplexity");
  request.allLogits = reader.has("all-logits") || request.perplexity;
  if (reader.has("routing")) {
    std::string text = reader.text("routing");
    if (!text.starts_with("trace:") || text.size() < 7) {
      reader.fail(fmt::format("--routing is '{}', expected trace:FILE", text));
    }
    request.routing = text.substr(std::min<size_t>(6, text.size()));
  }
  if (reader.has("reproduce")) {
    Strings words = reader.list("reproduce");
    if (words.size() != 2) {
      reader.fail("--reproduce takes the name of an op and a folder");
    } else {
      request.reproduceOp = words[0];
      request.reproduceTo = words[1];
    }
  }
  reader.real("error-bound", 0, 1e300, "0.02", request.errorBound);
  std::optional<double> temperature, topP;
  reader.real("temperature", 0, 1e6, "0.7", temperature);
  reader.real("top-p", 0, 1, "0.9", topP);
  request.sampling.temperature = temperature.value_or(0);
  request.sampling.topP = topP.value_or(1);
  reader.number("seed", 0, request.sampling.seed);
  readPrompts(reader, request);
  readTexts(reader, request);
  request.isChat = reader.has("chat");
  reader.number("max-new-tokens", 0, request.newTokens);
  reader.number("prefill-tokens", 1, request.prefillTokens);
  reader.number("max-cycles", 1, request.maxCycles);
  readTracing(reader, request);
  auto wish = readCompileWish(values, kCommand);
  if (!wish) {
    reader.error = reader.error ? reader.error : wish.error();
  } else {
    request.compile = *wish;
  }
  request.chipOptions = "--chip '" + reader.text("chip") + "'";
  for (const std::string &set : reader.list("set")) {
    request.chipOptions += " --set '" + set + "'";
  }
  checkCombination(reader, request);
  if (reader.error) {
    return *reader.error;
  }
  return request;
}
