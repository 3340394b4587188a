"""Turns bytes into documents. All modules but `reader` run in child processes, so a document can do harm only there.

reader, reader_process    `Reader`, the entrance, and the child process that it asks
formats         detects the format; extract (pages), feeds and files read it
boilerplate, page_blocks  the parts of a page around its content, and its blocks
markdown, charset         shared by several formats
"""
