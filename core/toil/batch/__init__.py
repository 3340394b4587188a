"""Batches of toil: many rows, one instruction. Rows in, one line of JSON for each out.

Pure:        lines, rows, template, job, recovery, tally, openai_lines
With I/O:    answers (asks the engine), flow (how many at once), journal (the output file), reading (a file or stdin)
"""
