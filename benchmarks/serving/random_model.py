"""Makes a model of 1B parameters with random weights, and the vocabulary of another one. It writes nonsense, fast."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import gguf
import numpy as np

LAYERS, WIDTH, INNER, HEADS, KV_HEADS = 16, 2048, 8192, 32, 8  # the shape of Llama 3.2 1B
CONTEXT = 8192
SPREAD = 0.02  # the standard deviation of the weights
FORMATS = {"q8_0": gguf.GGMLQuantizationType.Q8_0, "q4_0": gguf.GGMLQuantizationType.Q4_0}
SEED = 1


def random_model(vocabulary: Path, form: str = "q8_0") -> Path:
    """Returns the model's file, written once into the cache folder: 1.1 GB in Q8_0, 0.6 GB in Q4_0."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "csps-llm" / "benchmarks"
    path = cache / f"random-1b-{form}.gguf"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        write_model(unfinished, vocabulary, FORMATS[form])
        unfinished.replace(path)
    return path


def write_model(path: Path, vocabulary: Path, form: gguf.GGMLQuantizationType) -> None:
    writer = gguf.GGUFWriter(path, "llama", use_temp_file=False)
    tokens = copy_tokenizer(gguf.GGUFReader(vocabulary), writer)
    writer.add_name("Random 1B")
    writer.add_context_length(CONTEXT)
    writer.add_block_count(LAYERS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_rope_freq_base(100_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(tokens)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    chance = np.random.default_rng(SEED)
    for name, rows, columns in matrices(tokens):
        writer.add_tensor(name, random_weights(chance, rows, columns, form), raw_dtype=form)
    for name in norms():
        writer.add_tensor(name, np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def matrices(tokens: int) -> list[tuple[str, int, int]]:
    """Returns (name, rows, columns) of each matrix; the embeddings also serve as output."""
    narrow = WIDTH * KV_HEADS // HEADS
    layer = {
        "attn_q": (WIDTH, WIDTH),
        "attn_k": (narrow, WIDTH),
        "attn_v": (narrow, WIDTH),
        "attn_output": (WIDTH, WIDTH),
        "ffn_gate": (INNER, WIDTH),
        "ffn_up": (INNER, WIDTH),
        "ffn_down": (WIDTH, INNER),
    }
    layers = [(f"blk.{n}.{name}.weight", *shape) for n in range(LAYERS) for name, shape in layer.items()]
    return [("token_embd.weight", tokens, WIDTH), *layers]


def norms() -> list[str]:
    layers = [f"blk.{n}.{name}.weight" for n in range(LAYERS) for name in ("attn_norm", "ffn_norm")]
    return [*layers, "output_norm.weight"]


def random_weights(chance: np.random.Generator, rows: int, columns: int, form: Any) -> np.ndarray:
    """Returns quantised rows: each block of weights has a scale of 16 bits, then integers of 8 or 4 bits."""
    block, size = gguf.GGML_QUANT_SIZES[form]
    blocks = chance.integers(0, 256, (rows, columns // block, size), dtype=np.uint8)
    # Uniform integers have a standard deviation of 0.29 times their range.
    steps = 256 if form == gguf.GGMLQuantizationType.Q8_0 else 16
    blocks[:, :, :2] = np.frombuffer(np.float16(SPREAD / (0.29 * steps)).tobytes(), np.uint8)
    return blocks.reshape(rows, -1)


def copy_tokenizer(source: gguf.GGUFReader, writer: gguf.GGUFWriter) -> int:
    """Copies vocabulary and chat template; returns the number of tokens."""
    for field in source.fields.values():
        if not field.name.startswith("tokenizer."):
            continue
        if field.types[0] == gguf.GGUFValueType.ARRAY:
            writer.add_array(field.name, field.contents())
        else:
            writer.add_key_value(field.name, field.contents(), field.types[0])
    return len(source.fields["tokenizer.ggml.tokens"].data)
