"""Public sources: answers a question from those that it needs, as they are at this moment.

catalogue         the sources of config/sources.toml, and their URL templates
finder            reads the sources that a question needs
choice            chooses sources by words and examples, or with the decision of a model
name_table        the places, departments or sections that a question names
search_results    turns a search's JSON into a feed
"""
