"""Retrieval: finds, reads and ranks the documents that an answer is based on, and cites them.

fetching/    fetches pages, feeds and files of the public Web by URL, with limits and address checks
reading/     turns their bytes, and those of attached files, into documents, in child processes
questions/   what a question is about: its request, its conversation, its typing errors
sources/     the public sources of config/sources.toml, and the choice among them for a question
facts/       collections of documents that an operator adds, searched by words and by meaning

retrieval        looks a question up: a page, sources and facts
retrieved        a document as a lookup found it
deciding         the question to a model that lookups ask
candidates       the passages that compete for the model's context window
budget           the limit of the text that competes
overview, coverage    questions about a whole document, and passages spread over it
ranking          scores passages against a question (BM25)
passage_cache    recently read documents, already cut into passages and indexed
rendering        documents as the model reads them: headings, dates, gaps
context          quotes documents for the model, and parses context that people paste
answer_filter    checks an answer while it is written: quotes (marks invented ones), citations (drops invented ones)
source_list      an answer's sources as text
structured_text  a document as one text that keeps its headings, tables and code
documents, passages    the parts of a document, and how it is cut into passages; wide_rows: table rows that do not fit
stemming         words to stems, in English and French
embeddings, encoder    texts to vectors
"""
