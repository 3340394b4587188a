"""The meaning of a question.

lookup_question  a question, and the exchanges before it
parsing          the request of a question
follow_ups       whether it stands alone, leans on an earlier question, or asks for no lookup
rewriting        has a model rewrite a question that leans on another
spelling         corrects typing errors
"""
