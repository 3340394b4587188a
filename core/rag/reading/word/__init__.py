"""Reads Word files with all changes accepted.

document        the file as a whole; parts: its parts
body, tables, runs, fields, notes, symbols, math    the text in order
styles, numbering, names         the definitions that the text refers to
"""
