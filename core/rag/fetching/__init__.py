"""Fetches pages, feeds and files of the public Web, without harm to this machine or to the sites.

fetch        `Fetcher`, the entrance
site         one GET and its redirects
url_policy, connection    which URLs and addresses may be connected to
response     bounds and unpacks responses
page_cache, robots        keep requests to a site rare and allowed
"""
