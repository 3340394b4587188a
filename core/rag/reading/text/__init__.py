"""Reads plain text, Markdown and code."""
