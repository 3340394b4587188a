"""Cores, memory and GPUs of this machine, and the sizes that follow from them. Knows no llama.cpp."""
