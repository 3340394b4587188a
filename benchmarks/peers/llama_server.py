"""Runs llama.cpp's own server, from the xllamacpp wheel, until SIGTERM. Takes a few of llama-server's own options.

    python llama_server.py --model FILE --port 8080 [--parallel 8] [--ctx-size 16384] [--threads 2] [--no-kv-unified]

Its prompt cache, its continuous batching and its RAM cache are as they come.
"""

import argparse
import signal

import xllamacpp

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--parallel", type=int, default=8)
parser.add_argument("--ctx-size", type=int, default=16384)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--kv-unified", action=argparse.BooleanOptionalAction, default=True)
options = parser.parse_args()

parameters = xllamacpp.CommonParams()
parameters.model.path = options.model
parameters.port = options.port
parameters.n_parallel = options.parallel
parameters.n_ctx = options.ctx_size
parameters.kv_unified = options.kv_unified
parameters.n_gpu_layers = 0
parameters.cpuparams.n_threads = options.threads
parameters.cpuparams_batch.n_threads = options.threads
server = xllamacpp.Server(parameters)
signal.sigwait({signal.SIGTERM, signal.SIGINT})
