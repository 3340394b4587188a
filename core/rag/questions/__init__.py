"""What a question is about.

lookup_question  a question, and the exchanges before it
parsing          what a question asks for
"""
