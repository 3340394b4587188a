"""Shared by the formats of word processors, slides and workbooks."""
