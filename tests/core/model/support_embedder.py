"""A tiny embedder made from the starter: its first two layers with pooling, and one added token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gguf import GGUFReader, GGUFValueType, GGUFWriter

LAYERS = 2
MEAN = 1  # LLAMA_POOLING_TYPE_MEAN
USER_DEFINED = 4  # LLAMA_TOKEN_TYPE_USER_DEFINED: llama.cpp sees such a token in any text
ADDED_TOKEN = 3
ADDED_TEXT = "<repo_name>"


def write_embedder(starter: Path, target: Path) -> Path:
    reader = GGUFReader(starter)
    writer = GGUFWriter(target, "llama")
    for name, value, kind, inner in metadata(reader):
        writer.add_key_value(name, value, kind, inner)
    writer.add_key_value("llama.pooling_type", MEAN, GGUFValueType.UINT32)
    tensors = [t for t in reader.tensors if not t.name.startswith("blk.") or int(t.name.split(".")[1]) < LAYERS]
    for tensor in tensors:
        writer.add_tensor_info(
            tensor.name, tensor.data.shape, tensor.data.dtype, tensor.data.nbytes, tensor.tensor_type
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in tensors:
        writer.write_tensor_data(tensor.data)
    writer.close()
    return target


def metadata(reader: GGUFReader) -> list[tuple[str, Any, GGUFValueType, GGUFValueType | None]]:
    """Returns the starter's metadata with fewer layers and one added token."""
    entries = []
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        value: Any = field.contents()
        if name == "llama.block_count":
            value = LAYERS
        if name == "tokenizer.ggml.token_type":
            value[ADDED_TOKEN] = USER_DEFINED
        entries.append((name, value, field.types[0], field.types[-1] if len(field.types) > 1 else None))
    return entries
