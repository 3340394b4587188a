"""The model: one process that owns the weights, and the one client through which everything else talks to it."""
