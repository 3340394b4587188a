"""Reads Rich Text Format.

document        the file as a whole
tokens, groups, definitions      its syntax
reader, collector                its text in order
"""
