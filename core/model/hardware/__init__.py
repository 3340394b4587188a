"""Cores, memory and GPUs of this machine, and the sizes that follow from them. Knows no llama.cpp.

machine.py       all facts together; inspect_machine() reads them
processor.py     instruction sets, cores, threads for inference
memory.py        memory within the limits of cgroups.py
gpus.py          the GPUs that the drivers describe
bandwidth.py     measures how fast memory is read
engine_build.py  the back ends that the installed engine was compiled with
model_shape.py   the sizes of a model's layers, and what a token caches in each
offload.py       the layers that fit into the memory of GPUs
placement.py     layers on GPUs, KV cache and flash attention together, and what to try if that is refused
sizing.py        the context window
tuning.py        keeps what `csps-llm tune` found
tuning_space.py  the settings that it tries, and what a measurement of them costs
tuning_search.py searches the fastest of them
commands.py      runs a tool with a deadline
"""
