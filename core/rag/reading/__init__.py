"""Bytes to documents. All but `reader` run in its child processes: whatever a document does, it does there.

reader, child   `Reader`, what all others use, and the process that it asks
formats         what the bytes are, and who reads them: extract (pages), feeds, files
chrome, density, page_blocks    what of a page is its content
markdown, charset   what several of them need
"""
