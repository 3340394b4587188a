"""The settings of a context under which a sequence's saved state is valid."""

from __future__ import annotations

import ctypes
from typing import Any

import llama_cpp.llama_cpp as llama


def state_settings(model: Any, parameters: Any) -> str:
    """Describes the settings that a sequence's state depends on."""
    names = (
        "type_k",
        "type_v",
        "flash_attn_type",
        "swa_full",
        "rope_scaling_type",
        "rope_freq_base",
        "rope_freq_scale",
    )
    values = {name: getattr(parameters, name) for name in names}
    if scales_by_context(model):
        values["n_ctx"] = parameters.n_ctx
    return str(values)


def scales_by_context(model: Any) -> bool:
    """Tells whether positions are computed differently in a larger context, as Phi-3 does beyond its first 4,096."""
    architecture = metadata(model, "general.architecture")
    return bool(metadata(model, f"{architecture}.rope.scaling.original_context_length"))


def metadata(model: Any, key: str) -> str:
    """Returns a value of the model file's metadata as text; empty if there is none."""
    buffer = ctypes.create_string_buffer(256)
    byte_count = llama.llama_model_meta_val_str(model, key.encode(), buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace") if byte_count >= 0 else ""
