"""Public sources: answers a question from those that it needs, as they are at this moment.

catalogue         the sources of config/sources.toml, and their URL templates
finder            reads the sources that a question needs
need              which sources a question needs in its conversation, and for which place
choice            chooses sources by words and examples
similarity        compares questions with the examples
decision          asks a model about a shortlist
name_table        the places, departments or sections that a question names
source_spelling   corrects typing errors to names and topics
search_results    turns a search's JSON into a feed
"""
