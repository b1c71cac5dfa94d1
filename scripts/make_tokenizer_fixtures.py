#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/tokenizers from the public `tokenizers` package.

    scripts/make_tokenizer_fixtures.py [--out FOLDER]

Trains small tokenizers of the published kinds on texts.txt (public domain),
makes 12,000 strings from a seed and writes

    NAME.json.gz  a tokenizer.json
    strings.gz    the strings: u32 length, bytes (some are not UTF-8)
    NAME.ids.gz   for each string a u32 hash of its ids, then the ids of the
                  first FULL strings: u32 count, u32 ids
    NAME.text.gz  for each of the first FULL strings what its ids decode to
    chats.json    conversations as the published templates render them

String i is encoded with the tokens around it if i is even, and with control
tokens of their text if i % 4 < 2. All numbers are little-endian; the hash is
FNV-1a over the count and the ids. Needs the packages below, in a virtual
environment for example:

    python3 -m venv build/tokenizers-venv
    build/tokenizers-venv/bin/pip install tokenizers==0.23.3 Jinja2==3.1.6
    build/tokenizers-venv/bin/python scripts/make_tokenizer_fixtures.py
"""

import argparse
import gzip
import json
import pathlib
import random
import struct
import unicodedata

import jinja2
import jinja2.sandbox
import tokenizers
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models,
                        normalizers, pre_tokenizers, processors, trainers)

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSION = "0.23.3"
SEED = 20260101
STRINGS = 12000
FULL = 300

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LLAMA3 = (CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*"
    r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + CONTRACTIONS + "?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
    r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + CONTRACTIONS + "?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = (CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
         r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"
    r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+").replace('\\"', '"')
# \w, \W, \d, \S and a possessive repeat: a pattern that nobody publishes.
OTHER = r"\w+|\d+|[^\w\s]++|\s+(?=\S)|\s+|\W"
SPACE = "\u2581"


def corpus():
    return (ROOT / "tests/golden/tokenizers/texts.txt").read_text("utf-8")


def byte_level(pre, normalizer=None, size=1400, ignore_merges=False):
    """A trained byte-level tokenizer without added tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, show_progress=False, special_tokens=[],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([corpus()], trainer)
    return tokenizer


def split_then_bytes(*patterns):
    steps = [pre_tokenizers.Split(Regex(p), "isolated") for p in patterns]
    steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False,
                                          use_regex=False))
    return pre_tokenizers.Sequence(steps)


def with_bos(tokenizer, bos):
    return processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(
            single=f"{bos} $A",
            special_tokens=[(bos, tokenizer.token_to_id(bos))])])


def special(*names):
    return [AddedToken(n, special=True, normalized=False) for n in names]


def llama3():
    """Split, ignore_merges, BOS, and words that no merge reaches."""
    tokenizer = byte_level(split_then_bytes(LLAMA3))
    document = json.loads(tokenizer.to_str())
    vocab = document["model"]["vocab"]
    for word in ["Ġtesting", "Ġbattle", "Rabbit", "ĠIshmael", "123", "Ġ",
                 "ĠĠĠĠĠ", "éc"]:
        vocab.setdefault(word, len(vocab))
    # Lists of pairs are the newer form of merges; keep both in the fixtures.
    document["model"]["merges"] = [" ".join(m) if isinstance(m, list) else m
                                   for m in document["model"]["merges"]]
    document["model"]["ignore_merges"] = True
    tokenizer = Tokenizer.from_str(json.dumps(document))
    tokenizer.add_tokens(special(
        "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>",
        "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|eot_id|>x"))
    tokenizer.post_processor = with_bos(tokenizer, "<|begin_of_text|>")
    return tokenizer


def llama4():
    tokenizer = byte_level(split_then_bytes(O200K))
    tokenizer.add_tokens(special(
        "<|begin_of_text|>", "<|end_of_text|>", "<|header_start|>",
        "<|header_end|>", "<|eom|>", "<|eot|>"))
    tokenizer.post_processor = with_bos(tokenizer, "<|begin_of_text|>")
    return tokenizer


def smollm2():
    """Digits and the GPT-2 pattern; a vocabulary without some bytes."""
    tokenizer = byte_level(pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]))
    document = json.loads(tokenizer.to_str())
    model = document["model"]
    for missing in ["ñ", "ò", "Ģ", "ħ"]:
        used = [m for m in model["merges"]
                if missing in "".join(m)]
        model["merges"] = [m for m in model["merges"] if m not in used]
        for merge in used:
            model["vocab"].pop("".join(merge).replace(" ", ""), None)
        model["vocab"].pop(missing, None)
    model["vocab"] = {t: i for i, t in enumerate(
        sorted(model["vocab"], key=model["vocab"].get))}
    tokenizer = Tokenizer.from_str(json.dumps(document))
    tokenizer.add_tokens(special("<|endoftext|>", "<|im_start|>",
                                 "<|im_end|>"))
    return tokenizer


def qwen2():
    """NFC before everything."""
    tokenizer = byte_level(split_then_bytes(QWEN2), normalizers.NFC())
    tokenizer.add_tokens(special("<|endoftext|>", "<|im_start|>",
                                 "<|im_end|>"))
    tokenizer.add_tokens([AddedToken("<think>", normalized=False),
                          AddedToken("Å", normalized=True)])
    return tokenizer


def deepseek():
    tokenizer = byte_level(split_then_bytes(
        r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK))
    tokenizer.add_tokens(special("<｜begin▁of▁sentence｜>",
                                 "<｜end▁of▁sentence｜>"))
    tokenizer.post_processor = with_bos(tokenizer, "<｜begin▁of▁sentence｜>")
    return tokenizer


def flags():
    """Every flag of an added token, a prefix space, every way to split."""
    tokenizer = byte_level(
        pre_tokenizers.Sequence([
            pre_tokenizers.Split(",", "merged_with_previous"),
            pre_tokenizers.Split("-", "merged_with_next"),
            pre_tokenizers.Split(Regex(r"[=+]"), "contiguous"),
            pre_tokenizers.Split("#", "removed"),
            pre_tokenizers.Split(Regex(OTHER), "removed", invert=True),
            pre_tokenizers.Digits(individual_digits=False),
            pre_tokenizers.ByteLevel(add_prefix_space=True,
                                     use_regex=False)]),
        normalizers.Replace(Regex(r"\.{3,}"), "…"), size=900)
    tokenizer.add_tokens([
        AddedToken("<s>", special=True, normalized=False),
        AddedToken("</s>", special=True, normalized=False),
        AddedToken("<mask>", special=True, normalized=False, lstrip=True),
        AddedToken("<sep>", special=True, normalized=False, rstrip=True),
        AddedToken("<both>", normalized=False, lstrip=True, rstrip=True),
        AddedToken("king", normalized=False, single_word=True),
        AddedToken("dots...", normalized=True),
        AddedToken("a....", normalized=True, single_word=True, lstrip=True),
        AddedToken("<s", normalized=False),
        AddedToken("<s> <sep>", normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", tokenizer.token_to_id("<s>")),
                                              ("</s>", tokenizer.token_to_id("</s>"))])
    return tokenizer


def sentence_piece(metaspace, complete):
    """BPE on code points with U+2581 for spaces and bytes for the rest."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True,
                                     byte_fallback=True))
    if metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(
            replacement=SPACE, prepend_scheme="first", split=False)
    else:
        tokenizer.normalizer = normalizers.Sequence([
            normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)])
    # Trained on words, as there is no pre-tokenizer to find them.
    words = [SPACE + w for w in corpus().split()]
    bytes_ = [f"<0x{b:02X}>" for b in range(256) if complete or b != 0xC3]
    trainer = trainers.BpeTrainer(
        vocab_size=1300, show_progress=False,
        special_tokens=["<unk>", "<s>", "</s>", *bytes_])
    tokenizer.train_from_iterator(words, trainer)
    document = json.loads(tokenizer.to_str())
    document["added_tokens"] = [t for t in document["added_tokens"]
                                if not t["content"].startswith("<0x")]
    if complete:
        # As converters of SentencePiece's models do: every pair of tokens
        # whose sum is a token, by its rank.
        vocab = document["model"]["vocab"]
        document["model"]["merges"] = [
            [t[:cut], t[cut:]] for t in sorted(vocab, key=vocab.get)
            for cut in range(1, len(t))
            if t[:cut] in vocab and t[cut:] in vocab and vocab[t] > 258]
    tokenizer = Tokenizer.from_str(json.dumps(document))
    tokenizer.add_tokens([AddedToken("[INST]", normalized=True)])
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(),
        decoders.Strip(content=" ", left=1, right=0)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


# --- Strings -----------------------------------------------------------------

def assigned(rng, ranges):
    """A code point of Unicode 14 of one of the ranges."""
    while True:
        low, high = rng.choice(ranges)
        code = rng.randint(low, high)
        if unicodedata.category(chr(code)) not in ("Cn", "Cs"):
            return chr(code)


PLANES = [(0x80, 0x24F), (0x250, 0x52F), (0x530, 0x10FF), (0x1100, 0x1FFF),
          (0x2000, 0x2BFF), (0x2C00, 0x2FFF), (0x3000, 0x4DFF),
          (0x4E00, 0x9FFF), (0xA000, 0xD7FF), (0xE000, 0xFFFD),
          (0x10000, 0x14FFF), (0x16800, 0x18FFF), (0x1B000, 0x1BFFF),
          (0x1D000, 0x1EFFF), (0x1F000, 0x1FAFF), (0x20000, 0x2A6DF),
          (0x2A700, 0x3134A), (0xE0000, 0xE01EF), (0xF0000, 0xFFFFD),
          (0x100000, 0x10FFFD)]
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\r", "\v", "\f", "\x85", "\xa0",
          "\u1680", "\u2003", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000",
          "\u180e", "\u200b", "\ufeff", "\x1c", "\x1f", "   ", "\n\n"]
SPECIALS = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>",
            "<|end_header_id|>", "<|eot_id|>", "<|eot_id|>x", "<|eot|>",
            "<|header_start|>", "<|header_end|>", "<|endoftext|>",
            "<|im_start|>", "<|im_end|>", "<think>", "<s>", "</s>", "<mask>",
            "<sep>", "<both>", "king", "kings", "dots...", "dots......",
            "a....", "a...", "<s> <sep>", "<unk>", "[INST]", "<0x41>",
            "<｜begin▁of▁sentence｜>", "<|eot_id", "|>", "▁", "A\u030a", "Å",
            "\u212b"]
CONTRACTED = ["'s", "'S", "'ſ", "'t", "'T", "'re", "'RE", "'Ve", "'m", "'ll",
              "'LL", "'d", "'D", "’s", "''", "'x"]
EMOJI = ["😀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇺🇦", "☺️", "❤️‍🔥", "🧑🏻‍🚀", "🤷‍♀️", "1️⃣"]


def piece(rng, words, chars):
    kind = rng.randrange(16)
    if kind < 4:
        return rng.choice(words)
    if kind == 4:
        return rng.choice(SPACES) * rng.choice([1, 1, 1, 2, 3, 7])
    if kind == 5:
        return str(rng.randrange(10 ** rng.randint(1, 12)))
    if kind == 6:
        return rng.choice(SPECIALS)
    if kind == 7:
        return rng.choice(words) + rng.choice(CONTRACTED)
    if kind == 8:
        return assigned(rng, PLANES)
    if kind == 9:
        return rng.choice(EMOJI)
    if kind == 10:
        return "".join(rng.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
                       for _ in range(rng.randint(1, 5)))
    if kind == 11:
        return "".join(rng.choice(chars) for _ in range(rng.randint(1, 12)))
    if kind == 12:
        word = rng.choice(words)
        return rng.choice([word.upper(), word.title(), word.swapcase()])
    if kind == 13:
        return "".join(chr(rng.choice([0x4E00, 0x3041, 0xAC00, 0x30A1]) +
                           rng.randrange(80)) for _ in range(rng.randint(1, 6)))
    if kind == 14:
        return rng.choice("eaoAÅé가क") + "".join(
            assigned(rng, [(0x300, 0x36F), (0x591, 0x5BD), (0x93A, 0x94F)])
            for _ in range(rng.randint(1, 3)))
    return chr(rng.randrange(0x80))


def strings(count):
    rng = random.Random(SEED)
    text = corpus()
    words = sorted(set(text.replace("\n", " ").split(" ")) - {""})
    chars = sorted(set(text))
    made = [b"", b" ", b"\n", "▁".encode(), b"\xff", b"Hello world",
            b"Hello, y'all! I'VE 12345 apples.\n  def f(x):\n\treturn x\n"]
    # Long runs, each long enough to leave the small cases.
    for unit in ["a", "A", " ", "\n", " \n", "0", "ab", "é", "中", "😀", "'s",
                 "\u0301", "Aa", ".", "<s>", "\u00a0"]:
        made.append((unit * rng.randint(300, 600)).encode())
    while len(made) < count:
        parts = [piece(rng, words, chars) for _ in range(rng.randint(1, 7))]
        glue = rng.choice(["", "", " ", " "])
        data = glue.join(parts).encode()
        if rng.randrange(10) == 0:  # not UTF-8
            at = rng.randrange(len(data) + 1)
            noise = rng.choice([
                b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\x80",
                b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80",
                b"\xe0\x80\xaf", bytes([rng.randrange(0x80, 0x100)])])
            data = data[:at] + noise + data[at:]
        made.append(data)
    return made


def fnv(ids):
    value = 0x811C9DC5
    for byte in struct.pack(f"<{len(ids) + 1}I", len(ids), *ids):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def encoded(tokenizer, i, data):
    tokenizer.encode_special_tokens = i % 4 >= 2
    return tokenizer.encode(data.decode("utf-8", "replace"),
                            add_special_tokens=i % 2 == 0).ids


# --- Chat templates ----------------------------------------------------------

SYSTEM_DEFAULTS = {
    "SmolLM2": "You are a helpful AI assistant named SmolLM, trained by "
               "Hugging Face",
    "Qwen2": "You are a helpful assistant.",
}


def default_system_template(text):
    """The ChatML template of SmolLM2 (Apache-2.0) with its default message."""
    return ("{% for message in messages %}{% if loop.first and messages[0]"
            "['role'] != 'system' %}{{ '<|im_start|>system\n" + text +
            "<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + "
            "'\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
            "{% endif %}")


CHATML = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + "
          "'\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
          "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
          "{% endif %}")


def chats():
    """Cases for templates whose licence lets their text stand here."""
    conversations = [
        [("user", "Hello")],
        [("system", " Be brief. "), ("user", "2+2?\n")],
        [("user", "a"), ("assistant", "b"), ("user", "  c  ")],
        [("user", ""), ("assistant", ""), ("system", "late")],
        [("user", "<|im_end|>"), ("tool", "{\"x\": 1}")],
    ]
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True)
    templates = {name: default_system_template(text)
                 for name, text in SYSTEM_DEFAULTS.items()}
    templates["ChatML"] = CHATML
    cases = []
    for name, text in templates.items():
        template = environment.from_string(text)
        for conversation in conversations:
            messages = [{"role": r, "content": c} for r, c in conversation]
            for prompt in (False, True):
                cases.append({"kind": name, "messages": messages,
                              "prompt": prompt,
                              "text": template.render(
                                  messages=messages,
                                  add_generation_prompt=prompt)})
    return {"templates": templates, "cases": cases}


def write(path, data):
    # Neither name nor time, so that equal contents are equal files.
    path.write_bytes(gzip.compress(data, 9, mtime=0))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path,
                        default=ROOT / "tests/golden/tokenizers")
    options = parser.parse_args()
    if tokenizers.__version__ != VERSION:
        raise SystemExit(f"error: expected tokenizers {VERSION}, found "
                         f"{tokenizers.__version__}")
    # Later code points are in the tables of only some of the libraries.
    if unicodedata.unidata_version != "14.0.0":
        raise SystemExit("error: expected Python 3.11, whose Unicode is 14.0")
    made = strings(STRINGS)
    write(options.out / "strings.gz",
          b"".join(struct.pack("<I", len(s)) + s for s in made))
    makers = {"llama3": llama3, "llama4": llama4, "smollm2": smollm2,
              "qwen2": qwen2, "deepseek": deepseek, "flags": flags,
              "llama2": lambda: sentence_piece(False, True),
              "metaspace": lambda: sentence_piece(True, False)}
    for name, maker in makers.items():
        tokenizer = maker()
        document = tokenizer.to_str()
        tokenizer = Tokenizer.from_str(document)
        write(options.out / f"{name}.json.gz", document.encode())
        hashes, full, texts = [], [], []
        for i, data in enumerate(made):
            ids = encoded(tokenizer, i, data)
            hashes.append(struct.pack("<I", fnv(ids)))
            if i < FULL:
                full.append(struct.pack(f"<{len(ids) + 1}I", len(ids), *ids))
                text = tokenizer.decode(ids, skip_special_tokens=i % 3 == 0)
                texts.append(struct.pack("<I", len(text.encode())) +
                             text.encode())
        write(options.out / f"{name}.ids.gz", b"".join(hashes + full))
        write(options.out / f"{name}.text.gz", b"".join(texts))
        print(f"{name}: {tokenizer.get_vocab_size()} tokens")
    (options.out / "chats.json").write_text(
        json.dumps(chats(), ensure_ascii=True, indent=0) + "\n")


if __name__ == "__main__":
    main()
