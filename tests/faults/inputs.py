# SPDX-License-Identifier: Apache-2.0
"""Wrong models and packages for the table of faults.

A model is the small checkpoint of tests/golden with changes:

    config        keys of config.json and their values; null removes a key
    config_text   the whole of config.json instead
    header        tensors and the fields that change; null removes one
    header_text   the whole header of model.safetensors instead
    header_bytes  length that model.safetensors states
    truncate, append   bytes that are left of, or more in, model.safetensors
    shards        write the tensors to these files (all to the first) with an
                  index; index changes its weight_map, null removes an entry
    remove        files that are missing

A package is what the tool compiles of a model, with changes:

    model         its changes as above
    args          of `chipwright compile`
    truncate, append, flip   bytes left, more, and places whose lowest bit turns
    seal          the header's length and hash follow the damaged payload
"""

import json
import pathlib
import shutil
import struct
import subprocess

GOLDEN = (pathlib.Path(__file__).resolve().parent.parent / "golden" /
          "transformers-llama4-noqknorm")
PACKAGE_HEADER = 32


def change(target, changes):
    for key, value in changes.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = value


def make_model(changes, folder):
    folder.mkdir()
    config = json.loads((GOLDEN / "config.json").read_text())
    change(config, changes.get("config", {}))
    (folder / "config.json").write_text(
        changes.get("config_text", json.dumps(config)))

    golden = (GOLDEN / "model.safetensors").read_bytes()
    length = struct.unpack("<Q", golden[:8])[0]
    header = json.loads(golden[8:8 + length])
    for name, fields in changes.get("header", {}).items():
        if fields is None:
            del header[name]
        else:
            change(header.setdefault(name, {}), fields)
    text = changes.get("header_text", json.dumps(header)).encode()
    stated = changes.get("header_bytes", len(text))
    whole = struct.pack("<Q", stated) + text + golden[8 + length:]
    whole = whole[:changes.get("truncate", len(whole))]
    whole += bytes(changes.get("append", 0))
    shards = changes.get("shards", ["model.safetensors"])
    (folder / shards[0]).write_bytes(whole)
    if "shards" in changes:
        weight_map = {name: shards[0] for name in header
                      if name != "__metadata__"}
        change(weight_map, changes.get("index", {}))
        (folder / "model.safetensors.index.json").write_text(
            json.dumps({"metadata": {}, "weight_map": weight_map}))
    for name in changes.get("remove", []):
        (folder / name).unlink()


def package_hash(data):
    """FNV-1a-64, as package/PackageFile.h states it."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & (1 << 64) - 1
    return value


def make_package(changes, tool, path):
    """Compiles a model to \\p path and damages it."""
    model = path.parent / "package-model"
    make_model(changes.get("model", {}), model)
    subprocess.run(
        [tool, "compile", "--model", model, "-o", path, "--max-tokens", "4",
         "--max-batch", "1", "--max-context", "8", *changes.get("args", [])],
        check=True, capture_output=True, text=True, timeout=240)
    shutil.rmtree(model)
    data = bytearray(path.read_bytes())
    data = data[:changes.get("truncate", len(data))]
    data += bytes(changes.get("append", 0))
    for place in changes.get("flip", []):
        data[place] ^= 1
    if changes.get("seal"):
        payload = data[PACKAGE_HEADER:]
        data[16:32] = struct.pack("<QQ", len(payload), package_hash(payload))
    path.write_bytes(data)
