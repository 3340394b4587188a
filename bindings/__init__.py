"""Adapters for chat platforms, one process each. They turn platform events into prompts and answers into API calls.

slack/ discord/ teams/   one platform each: mapping and formatting (pure), outlet, adapter
intake/                  admits messages, orders them, and answers them or runs commands
toil/                    JSON answers in a conversation: one value, or one for each row of a file
delivery/                posts one answer in one place: throttled, split, edited, finished once
hosting/                 the process of one adapter and its HTTP server

incoming                 the values of a platform event, and the interface that the intake needs from an adapter
files                    attached files: download limits and reading
store, tables            the bots' database
metrics                  Prometheus metrics of a bot
"""
