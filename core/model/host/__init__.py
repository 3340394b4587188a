"""The process that clients reach: it starts, swaps and stops the workers. Knows no llama.cpp.

server.py          the HTTP endpoints
proxy.py           passes a request to a worker, and its answer back
router.py          finds the deployment that a request means
deployment.py      a model with its options, and the memory that it takes
pool.py            the loaded models, and the requests that wait for one
residency.py       decides which models are loaded (pure)
worker_process.py  one worker from its start to its end
"""
