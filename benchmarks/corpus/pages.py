# ruff: noqa: E501 - lines of pages
"""Pages, as governments and weblogs write them. The known text is what a reader of their main part sees."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.corpus import Sample

FRAME = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title} - Example.ca</title></head>
<body><nav><ul><li><a href="#main">Skip to main content</a></li><li><a href="/fr">Français</a></li></ul></nav>
<header><a href="/">Example.ca</a><form role="search"><label for="q">Search</label><input id="q"></form></header>
<main id="main"><h1>{title}</h1>{content}</main>
<footer><ul><li><a href="/about">About this site</a></li><li><a href="/terms">Terms</a></li></ul></footer></body></html>"""

FOOTNOTES = """<p>Leave is paid for 15<sup id="fn1-rf"><a class="fn-lnk" href="#fn1"><span class="wb-inv">Footnote </span>1</a>
</sup> weeks, and shared for 5 more.</p><aside class="wb-fnote" role="note"><h2 id="fn">Footnotes</h2><dl><dt>Footnote 1</dt>
<dd id="fn1"><p>Except in Quebec, which has a plan of its own.</p><p class="fn-rtn"><a href="#fn1-rf"><span class="wb-inv">
Return to footnote </span>1<span class="wb-inv"> referrer</span></a></p></dd></dl></aside>"""
FOOTNOTES_TEXT = """Parental leave. Leave is paid for 15 1 weeks, and shared for 5 more. Footnotes. Footnote 1.
Except in Quebec, which has a plan of its own."""

QUESTIONS = """<h2><button aria-expanded="false" aria-controls="a1">How do I apply?</button></h2>
<div id="a1" hidden><p>Apply online, at least four weeks before your leave begins.</p></div>
<h2><button aria-expanded="false" aria-controls="a2">How long does it take?</button></h2>
<div id="a2" hidden><p>It takes 28 days to review a complete application.</p></div>
<details><summary>What do I need?</summary><p>Your social insurance number and your record of employment.</p></details>"""
QUESTIONS_TEXT = """Questions. How do I apply? Apply online, at least four weeks before your leave begins. How long does it
take? It takes 28 days to review a complete application. What do I need? Your social insurance number and your record of
employment."""

CARDS = """<div class="card"><div class="card-header">Day pass</div><div class="card-body"><p>Valid until 4 p.m.</p></div>
<div class="card-footer">Fee: $120</div></div><div class="metadata">Updated by the parks board in May</div>
<div class="tools"><p>Bring a rope and a helmet.</p></div><ul class="links"><li><a href="/t">Form T2200</a></li></ul>"""
CARDS_TEXT = """Passes. Day pass. Valid until 4 p.m. Fee: $120. Updated by the parks board in May. Bring a rope and a helmet.
Form T2200."""

CHANGES = """<p>The fee for a day is <del>$20</del> <ins>$25</ins>. A season costs <s>$90</s> $110.</p>
<p>About 3 × 10<sup>6</sup> people visit the 1<sup>er</sup> site each year, and drink H<sub>2</sub>O.</p>"""
CHANGES_TEXT = """Fees. The fee for a day is $25. A season costs $110. About 3 × 10⁶ people visit the 1er site each year, and
drink H₂O."""

STEPS = """<ol><li>Read the guide.</li><li>Fill out the form:<ol type="a"><li>your name</li><li>your address</li></ol></li>
<li>Send it by mail.</li></ol><p>Skip step 2 if you applied last year.</p><ol start="4"><li>Wait for a letter.</li></ol>"""
STEPS_TEXT = """Steps. 1. Read the guide. 2. Fill out the form: a. your name b. your address 3. Send it by mail. Skip step 2
if you applied last year. 4. Wait for a letter."""

TABLE = """<table><caption>Rates by group</caption><thead><tr><td></td><th>Hourly</th><th>Yearly</th></tr></thead>
<tbody><tr><th>AS-01</th><td>$29.10</td><td>$56,900</td></tr><tr><th>AS-02</th><td>$32.40</td><td>$63,400</td></tr></tbody>
<tfoot><tr><th>Mean</th><td>$30.75</td><td>$60,150</td></tr></tfoot></table>
<table><tr><td><b>Office</b></td><td><b>Telephone</b></td></tr><tr><td>Halifax</td><td>902-555-0100</td></tr></table>"""
TABLE_TEXT = """Rates. Rates by group. Hourly Yearly. AS-01 $29.10 $56,900. AS-02 $32.40 $63,400. Mean $30.75 $60,150.
Office Telephone. Halifax 902-555-0100."""

FORM = """<fieldset><legend>Entrance fees</legend><p>Adult: $12</p><p>Child: free</p></fieldset><form><p>Choose a size.</p>
<label><input type="radio" name="s"> Small, $5</label> <label><input type="radio" name="s"> Large, $9</label>
<button>Send</button></form><p>Total: <output>$5</output></p>"""
FORM_TEXT = "Orders. Entrance fees. Adult: $12. Child: free. Choose a size. Small, $5 Large, $9. Total: $5"

ARTICLES = """<article><h2>Library hours</h2><p>The library opens at nine on weekdays and at ten on Saturdays.</p><p>It is
closed on Sundays and on statutory holidays, when books can be left in the box beside the door.</p><p>Members may borrow ten
books at a time, and renew each of them twice if nobody else waits for it.</p></article>
<article><h2>Correction</h2><p>The fee for a lost card is $30, not $3.</p></article>"""
ARTICLES_TEXT = """Notices. Library hours. The library opens at nine on weekdays and at ten on Saturdays. It is closed on Sundays
and on statutory holidays, when books can be left in the box beside the door. Members may borrow ten books at a time, and
renew each of them twice if nobody else waits for it. Correction. The fee for a lost card is $30, not $3."""

TABS = """<div role="tablist"><button role="tab" id="t1">Ontario</button><button role="tab" id="t2">Quebec</button></div>
<div role="tabpanel" aria-labelledby="t1"><p>The licence costs $90 for five years.</p></div>
<div role="tabpanel" aria-labelledby="t2" hidden><p>The licence costs $108 for eight years.</p></div>"""
TABS_TEXT = "Licences. Ontario. The licence costs $90 for five years. Quebec. The licence costs $108 for eight years."

CONTACT = """<address>Parks Office<br>12 Main Street<br>Ottawa ON K1A 0A6</address><dl><dt>Telephone</dt><dd>613-555-0199</dd>
<dt>Hours</dt><dd>9 to 5</dd></dl><p><a href="/map" role="button" class="btn">Open the map
<span class="visually-hidden">(opens in a new window)</span></a></p>"""
CONTACT_TEXT = """Contact. Parks Office. 12 Main Street. Ottawa ON K1A 0A6. Telephone 613-555-0199. Hours 9 to 5. Open the
map"""

ALERT = """<section class="alert alert-warning" role="alert"><h2>Road closed</h2><p>The bridge is closed until June.</p></section>
<aside><h2>Deadline</h2><p>Send your comments before the first of May.</p></aside>
<figure><img src="b.png" alt="The bridge in winter"><figcaption>The bridge, seen from the north</figcaption></figure>"""
ALERT_TEXT = """Bridge. Road closed. The bridge is closed until June. Deadline. Send your comments before the first of May.
The bridge in winter. The bridge, seen from the north."""

FORMULA = """<p>The benefit is <math><mi>b</mi><mo>=</mo><mfrac><mi>e</mi><mn>52</mn></mfrac></math> a week.</p>
<pre>rate = 0.55
cap  = 695</pre><blockquote><p>No one waits longer than a week.</p></blockquote>"""
FORMULA_TEXT = "Benefit. The benefit is b = e/52 a week. rate = 0.55 cap = 695. No one waits longer than a week."

FRENCH = """<p>La prestation est versée pendant 15<sup><a href="#n1">note 1</a></sup> semaines à compter du 1<sup>er</sup> mai.</p>
<h2>Qui est admissible?</h2><ul><li>Les employés à temps plein</li><li>Les pêcheurs indépendants</li></ul>
<section class="footnotes"><p id="n1">Sauf au Québec. <a href="#r1">Retour à la référence</a></p></section>"""
FRENCH_TEXT = """Prestations. La prestation est versée pendant 15 1 semaines à compter du 1er mai. Qui est admissible? Les
employés à temps plein. Les pêcheurs indépendants. Sauf au Québec."""

COMPONENTS = """<gcds-heading tag="h2">Find a form</gcds-heading><gcds-text>Forms are sorted by number.</gcds-text>
<gcds-text>Older forms are in the archive.</gcds-text><hr><p>Offices are in Hali&shy;fax and <span>Mon</span><span>cton</span>.</p>"""
COMPONENTS_TEXT = """Forms. Find a form. Forms are sorted by number. Older forms are in the archive. Offices are in Halifax and
Moncton."""

GROUPED = """<table><tr><td colspan="3">Visitors in thousands</td></tr><tr><th rowspan="2">Park</th><th colspan="2">2025</th></tr>
<tr><th>Spring</th><th>Fall</th></tr><tr><td rowspan="2">Fundy</td><td>41</td><td>38</td></tr><tr><td>43</td><td>36</td></tr>
</table><table role="presentation"><tr><td><p>Parks are open all year, except where a sign says so.</p></td></tr></table>"""
GROUPED_TEXT = """Visitors. Visitors in thousands. Park 2025 Spring Fall. Fundy 41 38. 43 36. Parks are open all year, except
where a sign says so."""

PAGES = {
    "footnotes": ("Parental leave", FOOTNOTES, FOOTNOTES_TEXT),
    "questions": ("Questions", QUESTIONS, QUESTIONS_TEXT),
    "cards": ("Passes", CARDS, CARDS_TEXT),
    "changes": ("Fees", CHANGES, CHANGES_TEXT),
    "steps": ("Steps", STEPS, STEPS_TEXT),
    "table": ("Rates", TABLE, TABLE_TEXT),
    "form": ("Orders", FORM, FORM_TEXT),
    "articles": ("Notices", ARTICLES, ARTICLES_TEXT),
    "tabs": ("Licences", TABS, TABS_TEXT),
    "contact": ("Contact", CONTACT, CONTACT_TEXT),
    "alert": ("Bridge", ALERT, ALERT_TEXT),
    "formula": ("Benefit", FORMULA, FORMULA_TEXT),
    "french": ("Prestations", FRENCH, FRENCH_TEXT),
    "components": ("Forms", COMPONENTS, COMPONENTS_TEXT),
    "grouped": ("Visitors", GROUPED, GROUPED_TEXT),
}


def samples() -> Iterator[Sample]:
    for name, (title, content, words) in PAGES.items():
        page = FRAME.format(language="fr" if name == "french" else "en", title=title, content=content)
        yield Sample(f"{name}.html", "text/html", page.encode(), words)
