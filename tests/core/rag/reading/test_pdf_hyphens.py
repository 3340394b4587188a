"""Hyphens at the ends of lines in PDFs."""

from __future__ import annotations

import pytest

from tests.core.rag.reading.support_pdfs import one_page, text_of
from tests.support.pdf_files import show_lines


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["This is a long-", "term plan"], "This is a long-term plan"),
        (["Some informa-", "tion here"], "Some information here"),
        (["The re-", "view and the review"], "The review and the review"),
        (["The re-", "sign or re-sign"], "The re-sign or re-sign"),
        (["A well-", "being plan, a wellbeing plan"], "A wellbeing plan, a wellbeing plan"),
        (["The tax payer and the tax-", "payer"], "The tax payer and the tax-payer"),
        (["Both short-", "and long-term plans"], "Both short- and long-term plans"),
        (["By e-", "mail"], "By e-mail"),
        (["See https://canada.ca/infor-", "mation here"], "See https://canada.ca/infor-mation here"),
        (["In Saint-", "Jean"], "In Saint-Jean"),
        (["Le gouverne-", "ment peut-", "être ici"], "Le gouvernement peut-être ici"),
        (["Vous-", "même à l’après-", "midi du congé paren-", "tal"], "Vous-même à l’après-midi du congé parental"),
        (["Qu’est-", "ce que le minis-", "tère en dit"], "Qu’est-ce que le ministère en dit"),
        (["soft\xad", "ware"], "software"),
        (
            ["Le porte-", "parole du sous-", "ministre doit sous-", "crire"],
            "Le porte-parole du sous-ministre doit souscrire",
        ),
        (["La main-", "d'œuvre va-", "t-elle au-", "delà"], "La main-d'œuvre va-t-elle au-delà"),
        (["The follow-", "up and sign-", "off on-", "site"], "The follow-up and sign-off on-site"),
        (["A CRA-", "led anti-", "inflation plan"], "A CRA-led anti-inflation plan"),
        (["In 2025-", "26, COVID-", "19 and 30-", "day terms"], "In 2025-26, COVID-19 and 30-day terms"),
        (["The terms are from 30-", "to 60-day ones"], "The terms are from 30- to 60-day ones"),
    ],
)
def test_hyphens_at_the_end_of_lines(lines: list[str], expected: str) -> None:
    """Syllables are joined; words that are written with a hyphen keep it. The document itself shows which is which."""
    assert text_of(one_page(show_lines(lines, 72, 700))) == expected
