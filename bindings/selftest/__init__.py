"""Strict stand-ins of the chat platforms on loopback. Tests, benchmarks and the command `selftest` talk to them."""
