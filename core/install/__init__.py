"""Makes .venv: what `make install` runs, with the system's Python, before anything is installed. Standard library only.

lock.py         reads the lock files
progress.py     runs one command, shows how far it is, keeps the whole output in a log
venv.py         the virtual environment itself, and the record of what was done in it
engine.py       compiles llama-cpp-python, trimmed, once for each machine
no-common.cmake what is left out of llama.cpp
backend.py      for which back-end: the GPU that is there, if it can be compiled for
__main__.py     the order of it all
"""
