"""The program behind `make install`. It runs before anything is installed, so it uses only the standard library.

__main__.py      the steps, in order
venv.py          the virtual environment, the record of its finished steps, pip's lock files
engine.py        compiles llama-cpp-python, trimmed, once for each machine
no-common.cmake  the parts of llama.cpp that are not compiled
backend.py       chooses the back-end: the GPU of this machine, if its toolkit is there
progress.py      runs one command, shows its progress, keeps its output in a log; texts in both languages
"""
