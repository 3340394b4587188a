"""The program behind `make install`. It runs before anything is installed, so it uses only the standard library.

__main__.py      the steps, in order
venv.py          the virtual environment, the record of its finished steps, pip's lock files
engine.py        compiles llama-cpp-python, trimmed, once for each machine
engine-options.cmake, no-gpu.c
                 the parts of llama.cpp that are not compiled, and a library in place of a GPU's that cannot start
backend.py       chooses the back end: a GPU of this machine, if its toolkit is there
toolkits.py      finds the toolkits of CUDA, ROCm and Vulkan
progress.py      runs one command, shows its progress, keeps its output in a log; texts in both languages
"""
