"""Collections of facts: documents that an operator adds and that answers are looked up in.

store       `FactStore`, what the engine asks and the command line fills
search      a question against collections
fusion      one order from meaning and words
vectors     passages by their embeddings, in memory
lexical     passages by their words: SQLite's FTS5, PostgreSQL's tsvector
glossary    words that mean the same, from config/glossary.toml
words       text to stems, the same for every database
documents   documents in the database: replaced, removed, listed, in transactions
tables      what is stored, and what each database needs for full text
sync        what an origin holds against what is stored
origins     files, folders, pages, sitemaps and CSV files as origins
rows        a CSV file whose rows are facts
sitemap     which pages a sitemap names
"""
