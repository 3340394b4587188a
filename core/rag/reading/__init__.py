"""Turns bytes into documents. All modules but `reader` run in child processes, so a document can do harm only there.

reader, reader_process    `Reader`, the entrance, and the child process that it asks
formats         detects the format and finds its parser: a function from `RawDocument` to `Document`
content_sniffing          formats by their first bytes, the parts of ZIP and OLE files, and the first tag or header
pages, feeds, text, tables, pdf, word, open_document, rich_text, slides, mail    a folder for each kind of document
office          shared by the formats of word processors, slides and workbooks
table_layout    finds titles and headers of tables; number_format writes values as their reader sees them
raw_document, titles, charset, numerals, raised_text, absolute_link    shared by all
"""
