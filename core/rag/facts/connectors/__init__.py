"""Connectors: each lists the documents of one kind of origin. A new kind is a module here and a row in `registry`.

protocol       `OriginConnector`, and the origin, entries and contents that it returns
registry       the connectors by the word that config/facts.toml uses
guessed        a path or URL whose kind shows when it is looked at, as `csps-llm facts add` takes it
local_files    a file, and all files of a folder
file_or_url    the place of kinds that are one file or one URL
csv_rows       a CSV file whose rows are facts
page           a page or file of the Web
sitemap        the pages that a sitemap names
feed           the entries of a feed, which stay for a while after the feed dropped them
json_endpoint  the entries of a JSON endpoint, described by paths
openapi        the operations of an OpenAPI document
"""
