"""The public /v1: OpenAI's requests become prompts and tasks, and answers become OpenAI's objects."""
