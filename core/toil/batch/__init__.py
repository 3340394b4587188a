"""Batches of toil: many rows, one instruction. Reads rows and writes one line of JSON for each.

Pure:        rows (CSV, JSON lines), job (prompt template, shared options), openai_lines (OpenAI's Batch format)
With I/O:    row_input (a file or stdin), answers (asks the engine), pipeline (concurrency), journal (the output file)
"""
