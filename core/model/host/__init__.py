"""The process that clients reach: it starts, swaps and stops the workers. Knows no llama.cpp.

program.py         the process: its address, its start and its end
assembly.py        connects the parts; watched files
server.py          the HTTP endpoints
proxy.py           passes a request to a worker, and its answer back
model_host.py      decides which version of a model answers, and when another takes over
model_sources.py   settings, catalogue, personalities, selection: what the served models follow from
local_models.py    the models that requests may name
deploying.py       makes the deployment of a file
deployment.py      a model with its options, and the memory that it takes
pool.py            the loaded models, and the requests that wait for one
residency.py       decides which models are loaded (pure)
tickets.py         a request's claim on a loaded model
memory_budget.py   the memory that models may take
load_history.py    how long loads take, and the failures of each
worker_process.py  one worker from its start to its end
spare_worker.py    a worker that is started before its options are known
downloads.py       fetches the models that are wanted and not here
listing.py         describes the models for /v1/models
metrics.py         merges the metrics of the workers (pure)
"""
