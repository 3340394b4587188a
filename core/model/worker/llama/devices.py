"""The GPUs that the loaded llama.cpp can use, with their free memory, which llama-cpp-python does not wrap."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from llama_cpp import _ggml

GPU, INTEGRATED_GPU = 1, 2  # enum ggml_backend_dev_type


@dataclass(frozen=True, slots=True)
class EngineDevice:
    """A GPU by llama.cpp's name for it, such as "CUDA0". `unified`: its memory is the machine's own."""

    name: str
    description: str
    free_bytes: int
    total_bytes: int
    unified: bool


def list_devices() -> list[EngineDevice]:
    """Returns the GPUs in llama.cpp's order: integrated ones only if there is no other, as llama.cpp uses them."""
    library: Any = _ggml.libggml
    library.ggml_backend_dev_count.restype = ctypes.c_size_t
    library.ggml_backend_dev_get.restype = ctypes.c_void_p
    handles = [library.ggml_backend_dev_get(ctypes.c_size_t(n)) for n in range(library.ggml_backend_dev_count())]
    kinds = [(handle, library.ggml_backend_dev_type(ctypes.c_void_p(handle))) for handle in handles]
    discrete = [handle for handle, kind in kinds if kind == GPU]
    integrated = [handle for handle, kind in kinds if kind == INTEGRATED_GPU]
    return [describe(library, handle, unified=not discrete) for handle in discrete or integrated[:1]]


def describe(library: Any, handle: int, *, unified: bool) -> EngineDevice:
    device, free, total = ctypes.c_void_p(handle), ctypes.c_size_t(), ctypes.c_size_t()
    for function in (library.ggml_backend_dev_name, library.ggml_backend_dev_description):
        function.restype = ctypes.c_char_p
    library.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
    return EngineDevice(
        name=library.ggml_backend_dev_name(device).decode("utf-8", "replace"),
        description=library.ggml_backend_dev_description(device).decode("utf-8", "replace"),
        free_bytes=free.value,
        total_bytes=total.value,
        unified=unified,
    )
