"""The model's vocabulary as plain values: each token's bytes, control tokens, end tokens."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import llama_cpp.llama_cpp as llama


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Read once per model: a lookup in `pieces` takes 0.1 µs, a call to llama.cpp 1.2 µs."""

    handle: Any  # llama.cpp's pointer, for its own functions and for llguidance
    size: int
    pieces: tuple[bytes, ...]  # bytes by token; empty for control tokens, which never appear in text
    control: Mapping[int, bytes]  # control tokens and their names in templates
    added: frozenset[int]  # tokens that llama.cpp recognises in any text; some models use them as turn borders
    end: frozenset[int]  # end-of-generation tokens
    bos: int | None
    eos: int | None
    add_bos: bool
    chat_template: str | None  # Jinja, from the model file
    tokenize_pointer: int  # address of llama_tokenize, for llguidance
    strips_left: frozenset[int] = frozenset()  # special tokens that remove the blanks before them in a template
    strips_right: frozenset[int] = frozenset()

    def template_text(self, token: int | None) -> str:
        """Returns a token's text in a chat template; "" if the model has no such token."""
        if token is None:
            return ""
        return self.control.get(token, self.pieces[token]).decode("utf-8", "replace")


def read_vocabulary(model: Any) -> Vocabulary:
    handle = llama.llama_model_get_vocab(model)
    size = int(llama.llama_vocab_n_tokens(handle))
    buffer = ctypes.create_string_buffer(4096)

    def piece(token: int, special: bool) -> bytes:
        count = llama.llama_token_to_piece(handle, token, buffer, len(buffer), 0, special)
        return ctypes.string_at(buffer, count) if count > 0 else b""

    attributes = [int(llama.llama_vocab_get_attr(handle, token)) for token in range(size)]

    def of_attribute(flag: int) -> frozenset[int]:
        return frozenset(token for token, attribute in enumerate(attributes) if attribute & flag)

    control = of_attribute(llama.LLAMA_TOKEN_ATTR_CONTROL)
    pieces = tuple(piece(t, False) for t in range(size))
    template = llama.llama_model_chat_template(model, None)
    return Vocabulary(
        handle=handle,
        size=size,
        pieces=pieces,
        control={t: piece(t, True) for t in control},
        added=frozenset(t for t in of_attribute(llama.LLAMA_TOKEN_ATTR_USER_DEFINED) if len(pieces[t].strip()) > 1),
        end=frozenset(t for t in range(size) if llama.llama_vocab_is_eog(handle, t)),
        bos=token_or_none(llama.llama_vocab_bos(handle)),
        eos=token_or_none(llama.llama_vocab_eos(handle)),
        add_bos=bool(llama.llama_vocab_get_add_bos(handle)),
        chat_template=template.decode("utf-8", "replace") if template else None,
        strips_left=of_attribute(llama.LLAMA_TOKEN_ATTR_LSTRIP),
        strips_right=of_attribute(llama.LLAMA_TOKEN_ATTR_RSTRIP),
        tokenize_pointer=int(ctypes.cast(llama.llama_tokenize, ctypes.c_void_p).value or 0),
    )


def token_or_none(token: int) -> int | None:
    return int(token) if token >= 0 else None
