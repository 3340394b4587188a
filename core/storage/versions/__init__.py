"""The revisions of the database's tables, oldest first: one script each, which runs once in a database's life.

A script says what it changes in its first line, names the revision before it, and defines `upgrade()`. It imports no
table definition of ours: those change, and an old revision must not. It runs on SQLite and PostgreSQL. On SQLite
foreign keys are not enforced meanwhile, so that `op.batch_alter_table` may rebuild a table that others refer to. A
rebuilt table loses its triggers: `fact_passages` has two. `fact_halfvecs` exists only where pgvector does.
"""
