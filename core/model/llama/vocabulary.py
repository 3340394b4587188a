"""Reads a model's tokens into the plain values of `core.model.vocabulary`."""

from __future__ import annotations

import ctypes
from typing import Any

import llama_cpp.llama_cpp as llama

from core.model.vocabulary import Vocabulary


def read_vocabulary(model: Any) -> Vocabulary:
    handle = llama.llama_model_get_vocab(model)
    size = int(llama.llama_vocab_n_tokens(handle))
    buffer = ctypes.create_string_buffer(4096)

    def piece(token: int, special: bool) -> bytes:
        count = llama.llama_token_to_piece(handle, token, buffer, len(buffer), 0, special)
        return buffer.raw[:count] if count > 0 else b""

    control = frozenset(t for t in range(size) if llama.llama_vocab_is_control(handle, t))
    pieces = tuple(piece(t, False) for t in range(size))
    template = llama.llama_model_chat_template(model, None)
    return Vocabulary(
        handle=handle,
        size=size,
        pieces=pieces,
        control={t: piece(t, True) for t in control},
        added=frozenset(t for t in range(size) if is_added(handle, t) and len(pieces[t].strip()) > 1),
        end=frozenset(t for t in range(size) if llama.llama_vocab_is_eog(handle, t)),
        bos=token_or_none(llama.llama_vocab_bos(handle)),
        eos=token_or_none(llama.llama_vocab_eos(handle)),
        add_bos=bool(llama.llama_vocab_get_add_bos(handle)),
        chat_template=template.decode("utf-8", "replace") if template else None,
        tokenize_pointer=int(ctypes.cast(llama.llama_tokenize, ctypes.c_void_p).value or 0),
    )


def is_added(handle: Any, token: int) -> bool:
    return bool(llama.llama_vocab_get_attr(handle, token) & llama.LLAMA_TOKEN_ATTR_USER_DEFINED)


def token_or_none(token: int) -> int | None:
    return int(token) if token >= 0 else None


def text_of(read: Any) -> str | None:
    """What a llama.cpp call writes into a buffer of a size that it is asked for first."""
    buffer = ctypes.create_string_buffer(1024)
    needed = read(buffer, len(buffer))
    if needed < 0:
        return None
    if needed >= len(buffer):
        buffer = ctypes.create_string_buffer(needed + 1)
        read(buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace")
