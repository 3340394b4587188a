# Included when llama.cpp's project() runs: its common library serves llama.cpp's own tools, and takes half of the
# compile time.
set(LLAMA_BUILD_COMMON OFF)
