"""OpenAI's chat completions in our terms, for whoever is asked in them: the web process and batches from files."""
