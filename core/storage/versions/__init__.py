"""The revisions of the database's tables, oldest first: one script each, which runs once in a database's life.

To add a revision:

1. Change the table's definition: `tables.py` in `core/conversation/`, `bindings/` or `core/rag/facts/`.
2. Write the script `NNNN_what_it_changes.py` here, with `revision = "NNNN"`, `down_revision = "…"` (the newest before
   it) and `upgrade()`, which makes the same change by `alembic.op`.
3. Add the text `cli-db-change-NNNN` to both files in `config/locale/`: one line, which `csps-llm db` prints.
4. Run `tests/core/storage/`: a test compares the migrated tables with the definitions in code, on both databases.

A script imports no table definition of ours: the definitions go on changing, and an old script must always make the
same tables. It runs on SQLite and PostgreSQL. On SQLite, foreign keys are not enforced during an upgrade, so that
`op.batch_alter_table` may rebuild a table that others refer to. A rebuilt table loses its triggers: `fact_passages` has
two. `fact_halfvecs` exists only where pgvector does.
"""
