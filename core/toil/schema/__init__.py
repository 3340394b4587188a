"""What happens to a JSON Schema before and after a model writes under it. Pure: no I/O, no engine, no validator.

`drafts` reads every draft in the words of 2020-12, `references` finds what a `$ref` means, `limits` refuses bombs and
what nothing can satisfy, `plan` makes the schema that a model can be held to while it writes and says what is left to
the check, `relaxation` gives way where an engine refuses even that.
"""
