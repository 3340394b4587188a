"""llama.cpp, through llama-cpp-python's low-level API. The only package that imports `llama_cpp`.

llama.cpp aborts the process on some misuse (more tokens than the batch holds, sampling a row without logits, a sampler
chain without a selector, a sequence id of 256 or more); the checks in front of those calls are here.
"""

import os

# Threads that wait for one another spin for ever by default. When another process takes a core for a moment, each of
# the 600 barriers of a token then costs a time slice: a step of 30 ms was seen to take 770. Spinning shortly and then
# sleeping costs nothing alone and a fair share under load. libgomp reads this when llama.cpp is loaded, so it must be
# set here, before. Measured by benchmarks/contention.py.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")
