"""What an answer is based on, besides what the model knows: found, read, cut into passages, quoted, cited.

fetching/    pages, feeds and files of the public Web by URL, guarded
reading/     their bytes, and those of attached files, to documents, in child processes
sources/     the public sources of config/sources.toml, and which of them a question needs
facts/       collections of documents that an operator adds, searched by words and by meaning

grounding    what a question is answered from: asks the four above
material     passages that compete for the model's window
ranking      which of them fit a question best
shelf        documents that were read lately, in passages and indexed
context      how the model is shown them
quotes       what an answer quotes and they do not hold
documents, blocks, passages   what a document is made of, and how it is cut
embed, encoder   texts to vectors
"""
