"""People's verdicts on answers, of all channels in one view.

filters    which ones to read
entries    reads them: ratings of the page, and the bots' feedback
formats    a table for spreadsheets, JSON, and an evaluation set
"""
