"""Asks questions to which experts know the answers, and compares what comes back.

questions    the questions of a file, with what experts expect
subjects     what is evaluated: a personality, perhaps with another model; asked in this process or over HTTP
measures     exact, contains, citation and similarity of one answer
judge        a model's opinion, asked in both orders
rows         one row of the journal for each question
statistics   means with intervals, and the paired test of a difference
report       the result as a table, JSON and Markdown
"""
