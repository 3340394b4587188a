"""Reads PDF.

document        the pages in order, within the limits of the reader
words, lines, tables, running_lines, paragraphs, hyphens    from PDFium's words to blocks
annotations, outline, scans      all else that a PDF tells of itself
"""
