"""Adapters to chat platforms, a process each: an event of the platform in, a `Prompt` out; events in, its calls out."""
