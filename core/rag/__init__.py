"""Retrieval: finds, reads and ranks the documents that an answer is based on, and cites them.

fetching/    fetches pages, feeds and files of the public Web by URL, with limits and address checks
reading/     turns their bytes, and those of attached files, into documents, in child processes
questions/   what a question is about: its request, its conversation, its typing errors
sources/     the public sources of config/sources.toml, and the choice among them for a question
facts/       collections of documents that an operator adds, searched by words and by meaning

retrieval        looks a question up: a page, sources and facts
candidates       the passages that compete for the model's context window
ranking          scores passages against a question (BM25)
passage_cache    recently read documents, already cut into passages and indexed
context          quotes documents for the model, and parses context that people paste
quotes           marks quotations in the answer that do not occur in its sources
source_list      an answer's sources as text
documents, passages    the parts of a document, and how it is cut into passages; wide_rows: table rows that do not fit
stemming         words to stems, in English and French
embeddings, encoder    texts to vectors
"""
