"""Collections of facts: documents that an operator adds and that answers are looked up in.

store       `FactStore`, what the engine asks and the command line fills
finder      the collections of a personality, as answers are looked up in them
relevance   whether what was found has to do with the question
search      a question against collections
fusion      one order from meaning and words
vectors     passages by their embeddings, in the form that their collection has
forms       what a form has to do
memory      vectors in the process's memory, on any database
pgvector    vectors that PostgreSQL compares, where it has pgvector
lexical     passages by their words: SQLite's FTS5, PostgreSQL's tsvector
glossary    words that mean the same, from config/glossary.toml
words       text to stems, the same for every database
documents   documents in the database: replaced, removed, listed, in transactions
tables      what is stored
sync        what an origin holds against what is stored
origins     files, folders, pages, sitemaps and CSV files as origins
rows        a CSV file whose rows are facts
sitemap     which pages a sitemap names
"""
