"""Reads PowerPoint files.

document        the slides in order
shapes, layout, texts, diagrams, comments, names    the parts of a slide
"""
