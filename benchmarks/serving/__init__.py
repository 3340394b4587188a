"""Compares the service with other servers under several kinds of work: `python -m benchmarks.serving`."""
