"""`csps-llm records`: one module for each subcommand; `session` opens the database for them.

Each command that reads or changes people's records is entered in the log of accesses before it does.
"""
