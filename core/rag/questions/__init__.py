"""What a question is about.

lookup_question  a question, and the exchanges before it
parsing          what a question asks for
follow_ups       whether it stands alone, leans on an earlier question, or asks for no lookup
rewriting        has a model rewrite a question that leans on another
spelling         corrects typing errors
"""
