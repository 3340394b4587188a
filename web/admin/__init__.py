"""The administrators' page, /admin: HTML that the server draws, which needs no JavaScript.

access      who may open it: the operator's key on this machine, or signed-in people whom the settings name
endpoints   the routes
views       the figures as rows and words of a language (pure)
plots       bar and line charts as SVG (pure)
templates/  the HTML, by Jinja with escaping
"""
