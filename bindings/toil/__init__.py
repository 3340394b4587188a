"""Toil in a conversation: JSON by a schema that somebody sent, for one message or for each row of a CSV file.

schemas      the schema in a message or a file (pure)
reply        one value
jobs         a file row by row: job_run a run over it, job_files what a run survives a kill by
"""
