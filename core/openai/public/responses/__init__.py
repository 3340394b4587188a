"""OpenAI's Responses API: its items, objects and events, over the same parts of an answer as chat completions."""
