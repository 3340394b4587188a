"""Reads RSS, Atom, RDF and JSON feeds.

xml_feed, json_feed       one format each
entries, dates  the parts of an entry
"""
