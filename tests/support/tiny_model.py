"""A tiny model file with random weights: Gemma 3's architecture, so sliding-window attention, and a SentencePiece
vocabulary.

It loads in milliseconds, answers nonsense, and depends on every token of its prompt, so a wrong position, window or
prefix changes its text. Its logits are far enough apart that no rounding does.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType

LAYERS = 7  # every sixth layer attends to the whole prompt, the others to the window
WINDOW = 24  # tokens that the other layers attend to
WIDTH, HEADS, HEAD_WIDTH, HIDDEN = 64, 4, 32, 128
CONTEXT = 2048
PAD, EOS, BOS, UNKNOWN, TURN, END_OF_TURN = range(6)
CONTROL = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>")
CHARACTERS = "▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;!?'\"()[]{}<>|/_-+*=\néèàç"
WORDS = (
    "▁t",
    "he",
    "▁the",
    "er",
    "▁a",
    "▁in",
    "▁s",
    "ou",
    "▁you",
    "se",
    "us",
    "▁us",
    "ser",
    "▁b",
    "oo",
    "▁boo",
    "▁book",
)
SPREAD = 4.0  # of the output: logits far apart, as a trained model has them


def write_tiny_model(path: Path, *, space_prefix: bool = False, turns: bool = True) -> Path:
    """Writes the file. `space_prefix`: as Llama 2's tokenizer. `turns`: Gemma's turn borders are control tokens."""
    writer = GGUFWriter(path, "gemma3")
    writer.add_name("Tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD_WIDTH)
    writer.add_value_length(HEAD_WIDTH)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10_000.0)
    writer.add_sliding_window(WINDOW)
    add_vocabulary(writer, space_prefix, turns)
    for name, tensor in tensors().items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def vocabulary(turns: bool = True) -> list[tuple[str, float, TokenType]]:
    """Returns text, score and kind of each token."""
    special = [(name, -1000.0, TokenType.CONTROL) for name in CONTROL]
    if not turns:
        special[TURN:] = [(f"<unused{number}>", -1000.0, TokenType.CONTROL) for number in range(len(CONTROL) - TURN)]
    special[UNKNOWN] = (CONTROL[UNKNOWN], -1000.0, TokenType.UNKNOWN)
    byte_tokens = [(f"<0x{byte:02X}>", -1000.0, TokenType.BYTE) for byte in range(256)]
    normal = [(text, -float(rank), TokenType.NORMAL) for rank, text in enumerate([*WORDS, *CHARACTERS])]
    return [*special, *byte_tokens, *normal]


def add_vocabulary(writer: GGUFWriter, space_prefix: bool, turns: bool) -> None:
    tokens = vocabulary(turns)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([text for text, _, _ in tokens])
    writer.add_token_scores([score for _, score, _ in tokens])
    writer.add_token_types([kind for _, _, kind in tokens])
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_unk_token_id(UNKNOWN)
    writer.add_pad_token_id(PAD)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(space_prefix)


def tensors() -> dict[str, np.ndarray]:
    """Returns the weights by name; the same in every run."""
    random = np.random.default_rng(20)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return random.normal(0.0, columns**-0.5, (rows, columns)).astype(np.float32)

    weights = {
        "token_embd.weight": matrix(len(vocabulary()), WIDTH),
        "output.weight": matrix(len(vocabulary()), WIDTH),  # not the embeddings: those would repeat the last token
        "output_norm.weight": np.full(WIDTH, SPREAD, np.float32),
    }
    ones = {"attn_norm": WIDTH, "post_attention_norm": WIDTH, "ffn_norm": WIDTH, "post_ffw_norm": WIDTH}
    ones |= {"attn_q_norm": HEAD_WIDTH, "attn_k_norm": HEAD_WIDTH}
    shapes = {
        "attn_q": (HEADS * HEAD_WIDTH, WIDTH),
        "attn_k": (HEAD_WIDTH, WIDTH),
        "attn_v": (HEAD_WIDTH, WIDTH),
        "attn_output": (WIDTH, HEADS * HEAD_WIDTH),
        "ffn_gate": (HIDDEN, WIDTH),
        "ffn_up": (HIDDEN, WIDTH),
        "ffn_down": (WIDTH, HIDDEN),
    }
    for layer in range(LAYERS):
        weights |= {f"blk.{layer}.{name}.weight": np.ones(size, np.float32) for name, size in ones.items()}
        weights |= {f"blk.{layer}.{name}.weight": matrix(*shape) for name, shape in shapes.items()}
    return weights
