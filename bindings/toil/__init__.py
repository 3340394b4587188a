"""JSON answers in a conversation, by a schema from the message: one value, or one for each row of a file.

schema_reply   finds the schema (pure), and answers with one checked value
jobs           answers a file row by row; `job_files` keeps a job on disk, so that it survives a crash
"""
