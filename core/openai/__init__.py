"""OpenAI's chat completions in our terms, for whoever is asked in them: the web process, batches, the model process."""
