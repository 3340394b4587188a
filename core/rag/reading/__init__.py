"""Turns bytes into documents. All modules but `reader` run in child processes, so a document can do harm only there.

reader, reader_process    `Reader`, the entrance, and the child process that it asks
formats         detects the format and finds its parser: a function from `RawDocument` to `Document`
content_sniffing          formats by their first bytes, the parts of ZIP and OLE files, and the first tag or header
extract         pages: chooses the content, by page_weights and content_run; boilerplate finds the parts around it,
                disclosure those that readers open; page_blocks, page_tables, list_numbers, notation make its text
feeds           RSS, Atom, RDF; json_feed; feed_entries, feed_dates: the entries of each
plain_text, code, csv_table, json_data, pdf        one format each
word            Word files; word_*: their parts, styles, numbers, runs, notes, tables; office_charts
mail, outlook   messages; mail_message: the document that they become; compressed_rtf
slides          PowerPoint; slide_*: their shapes, order, texts, diagrams, comments
open_document   OpenDocument texts; open_*: their styles, lists, tables
workbook        workbooks; xlsx, xlsx_texts, ods, calamine_book read them into `sheets`; number_format, bounded_package
rich_text       Rich Text Format; rich_text_*: its tokens, groups, paragraphs
pdf_words, pdf_lines, pdf_tables, pdf_running_lines, pdf_paragraphs, pdf_hyphens    from PDFium's words to blocks
pdf_annotations, pdf_outline, pdf_scans        what else a PDF tells of itself
zip_package, numerals, list_counting, inline_text, grid, comments, document_frame    shared by word processors'
                formats; raised_text: also by pages
raw_document, titles, markdown, charset, table_layout                                shared by several formats
"""
