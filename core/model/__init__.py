"""The model process, which owns the weights, and the client through which every other process reaches it."""
