"""Plans how a JSON Schema is enforced while a model writes. Pure: no I/O, no engine, no validator.

`drafts` normalizes drafts 4 to 2020-12, `references` resolves `$ref`, and `prechecks` refuses unusable schemas. `plan`
builds the schema that the engine enforces, by `translator` and its modules for each kind of keyword. It reports the
keywords that only the validator checks, and relaxes a schema that an engine refuses.
"""
