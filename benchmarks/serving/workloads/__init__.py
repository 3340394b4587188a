"""The kinds of work, one in each file."""
