"""llama.cpp through llama-cpp-python's low-level API. The only package that imports `llama_cpp`.

llama.cpp aborts the process on misuse: more tokens than the batch holds, sampling a row without logits, a sampler chain
without a selector, a sequence id of 256 or more. This package checks for each of these before the call.
"""

import os

from core.model.worker.llama.missing_driver import replace_missing_backends

# libgomp's threads spin at a barrier without end by default. If another process then takes a core, each of the 600
# barriers of a token costs a time slice: a step of 30 ms took 770 ms. A short spin costs nothing on an idle machine.
# libgomp reads the variable when llama.cpp is loaded, so it must be set before. Measured by benchmarks/contention.py.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")

replace_missing_backends()  # before any module of this package imports llama_cpp
