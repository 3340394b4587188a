"""Pages, feeds and files of the public Web, fetched without harm to who runs this or to whom is asked.

fetch        `Fetcher`, what all others use
site         one GET and the redirects after it
connection, resolver, addresses, urls   whom may be connected to, and by which URLs
response     what is taken of what comes back
page_cache, freshness, robots    asking a site seldom, as it wants it, and not all at once
"""
