"""Reads PowerPoint files.

document        the slides in order
shapes, layout, texts, comments, names    the parts of a slide
"""
