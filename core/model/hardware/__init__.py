"""Cores, memory and GPUs of this machine, and the sizes that follow from them. Knows no llama.cpp.

machine.py       all facts together; inspect_machine() reads them
processor.py     instruction sets, cores, threads for inference
memory.py        memory within the limits of cgroups.py
gpus.py          the GPUs that the drivers describe
bandwidth.py     measures how fast memory is read
engine_build.py  the back ends that the installed engine was compiled with
sizing.py        the context window and the KV cache
commands.py      runs a tool with a deadline
"""
