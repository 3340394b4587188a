"""Who sends a request: a person whom a trusted proxy names or who signed in, or a program with an API key."""
