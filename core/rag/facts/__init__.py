"""Collections of facts: documents that an operator adds, and that questions are looked up in.

store            `FactStore`: the engine searches it, the command line fills it
finder           looks questions up in a personality's collections, and drops what does not fit the question
search           one ranking from meaning and words
vector_backends  where a collection's vectors are kept, and the cache of those in memory
memory_vectors   vectors in the process's memory, on any database
pgvector         vectors that PostgreSQL compares, where it has pgvector
lexical          search by words: SQLite's FTS5, PostgreSQL's tsvector
glossary         synonyms, from config/glossary.toml
document_rows    documents in the database: stored, removed, listed, in transactions
tables           the tables
sync             makes a collection equal to its origin
connectors       lists the documents of origins: folders, sitemaps, feeds, JSON endpoints, APIs and others
origins          the entrance to the connectors
api_operations   the operations of an OpenAPI document
plain_yaml       YAML of strangers, without types, tags and recursion
csv_facts        a CSV file whose rows are facts
collections      config/facts.toml: the collections that stay fresh
refresh          synchronises one of these
refresh_ledger   when each was synchronised, and which process does it now
schedule         has them synchronised when they are due
status           their state, for people, programs and metrics
editing          documents that people add from a chat platform or the page
addition         reads and stores such a document, in a child process
"""
