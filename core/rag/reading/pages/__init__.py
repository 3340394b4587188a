"""Reads HTML pages.

extract         chooses the content, by `weights` and `content_run`
boilerplate     finds the parts around it; disclosure: the parts that readers open
blocks, tables, list_numbers, notation    make the text of the content
"""
