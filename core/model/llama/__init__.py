"""llama.cpp, through llama-cpp-python's low-level API. The only package that imports `llama_cpp`.

llama.cpp aborts the process on some misuse (more tokens than the batch holds, sampling a row without logits, a sampler
chain without a selector, a sequence id of 256 or more); the checks in front of those calls are here.
"""
