"""One loaded model: requests wait, run in batches over llama.cpp, and keep what they computed for the next ones."""
