"""JSON under a schema: which tokens may come next, and which of them make a good document.

grammar.py, divisor_limit.py   a schema as a grammar over the model's tokens (the only use of llguidance)
known_schemas.py               the schemas that are compiled again after a start
decoder.py                     draws the tokens of one document within its budget
closing_tokens.py, known_completion.py
                               the shortest way to the end of a document, and what it leaves room for
finite_values.py, value_choice.py
                               a choice among few values, by the likelihood of each as a whole
string_ending.py, number_limits.py
                               where strings, arrays and numbers end
json_tracker.py                the place within a JSON text
"""
