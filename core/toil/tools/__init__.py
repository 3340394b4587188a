"""Tool calls as toil: a model names a tool under a small schema, and writes the arguments under the tool's own.

tool_caller.py  the order of these steps, for one answer
choice.py       the tools that may still be called, and the schema of the decision (pure)
prompts.py      what the model reads about tools (pure)
parameters.py   the schemas of arguments (pure)
"""
