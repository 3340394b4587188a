"""Local models, each in a process of its own, and the client through which everything else reaches any model.

client/     OpenAI's API, to the local model process or to engines behind URLs
host/       the process that clients reach: it starts and stops the workers
worker/     one loaded model: a queue, continuous batching, llama.cpp
library/    the models that there are, the best one for this machine, their files
hardware/   cores, memory, GPUs, and what follows from them
"""
