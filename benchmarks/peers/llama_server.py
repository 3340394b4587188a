"""Runs llama.cpp's own server, from the xllamacpp wheel, until SIGTERM: `python llama_server.py MODEL PORT SLOTS`."""

import signal
import sys

import xllamacpp

model, port, slots = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
parameters = xllamacpp.CommonParams()
parameters.model.path = model
parameters.port = port
parameters.n_parallel = slots
parameters.n_ctx = 16384
parameters.kv_unified = True
parameters.n_gpu_layers = 0
parameters.cpuparams.n_threads = 2
parameters.cpuparams_batch.n_threads = 2
server = xllamacpp.Server(parameters)
signal.sigwait({signal.SIGTERM, signal.SIGINT})
