"""/v1: the part of OpenAI's API that this service has. A model is a personality. Stores nothing."""
