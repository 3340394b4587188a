"""OpenAI's chat completions protocol: requests, responses, citations, errors, server-sent events.

Used by the model process, its client, the web process's /v1 and batches. Knows no HTTP server and no HTTP client.
"""
