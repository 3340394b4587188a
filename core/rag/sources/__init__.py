"""Public sources: a question is answered from those that it needs, as they are now.

catalogue    config/sources.toml as it is now
finder       a question to what its sources say
choice       which of them, by words (`asking`, `names`) and by examples (`likeness`)
decision     the same of a model that can decide
url_templates, search_results    a source's address filled in, and its search's answer as a feed
"""
