"""The models that there are and their files. Knows no llama.cpp."""
