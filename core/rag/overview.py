"""Recognises questions about documents as a whole: "Summarize this document.", "De quoi s'agit-il?". Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import PurePath

from core.rag.questions.parsing import (
    QUESTION_LIMIT_CHARS,
    ParsedQuestion,
    keywords,
    parse_phrases,
    question_words,
    tokenize,
)

SHORT_NAME_CHARS = 3  # names up to this length may be parts of words

# Requests for the whole of a text. The words of a subject may follow: "Summarize the rules on leave."
OVERVIEW_PHRASES = parse_phrases(
    """
    summarize|summarise|summary|summaries|sum up|sum it up|what is this about|what is it about|what s this about|
    what s it about|what is that about|what is in|what s in|what is this|what s this|about|key points|main points|
    key ideas|main ideas|key messages|key takeaways|takeaways|takeaway|important points|highlights|overview|gist|
    outline|tl dr|tldr|in a nutshell|in short|essence|abstract|recap|brief me|briefing note|read this|skim|
    what does it say|what does this say|topics|topic|themes|bullet points|
    de quoi il s'agit|de quoi il est question|
    résume|résumé|résumer|résumez|synthèse|synthétise|synthétiser|sommaire|de quoi s'agit|de quoi ça s'agit|
    de quoi parle|de quoi ça parle|de quoi traite|de quoi est-il question|de quoi c'est|c'est quoi|qu'est-ce que c'est|
    points clés|points principaux|points importants|points saillants|points essentiels|faits saillants|
    idées principales|idées clés|idées maîtresses|messages clés|grandes lignes|principaux points|principales idées|
    éléments importants|éléments clés|principaux éléments|retenir|aperçu|survol|en bref|l'essentiel|que dit|
    que contient|qu'est-ce que dit|porte sur|sur quoi porte|sujets|sujet|thèmes|note de breffage|note d'information
    """
)
# Work on a whole text, if the question also names the document as such.
WORK_PHRASES = parse_phrases(
    """
    explain|describe|analyse|analyze|analysis|review|assess|evaluate|critique|compare|comparison|between|difference|
    differences|differ|say|says|cover|covers|know|think|expliquer|explique|décrire|décris|décrivez|analyser|analyse|
    évaluer|évalue|évaluez|comparer|compare|comparez|comparaison|entre|aborde|abordés|différence|différences|dit|contenu|savoir|pensez
    """
)
DOCUMENT_WORDS = parse_phrases(
    """
    document|documents|file|files|page|pages|text|texts|article|articles|report|reports|attachment|attachments|pdf|
    paper|papers|memo|presentation|deck|slides|slide|spreadsheet|workbook|email|message|thread|site|website|
    fichier|fichiers|texte|textes|rapport|rapports|pièce jointe|pièces jointes|mémoire|présentation|diapositives|
    tableur|courriel
    """
)
# Words that say nothing about a subject: the document itself, the form of the summary, and its readers.
FORM_WORDS = parse_phrases(
    """
    attached|link|sent|uploaded|shared|provided|earlier|previous|first|second|third|last|both|level|above|below|here|
    whole|entire|full|content|contents|say|says|read|bullet|bullets|bullet points|point|points|list|sentence|
    sentences|word|words|line|lines|paragraph|paragraphs|short|shortly|brief|briefly|concise|quick|quickly|simple|
    simply|plain|language|clear|clearly|long|detailed|executive|manager|boss|team|colleague|colleagues|director|
    director general|deputy minister|minister|dg|dm|adm|audience|public|high|table|most|english|french|one|two|three|
    four|five|six|seven|eight|nine|ten|a few|several|main|key|important|please|thanks|thank|make|write|provide|create|
    get|need|want|like|just|also|now|pièce|pièces|jointe|jointes|joint|ci-joint|ci-jointe|note|fil|lien|envoyé|
    partagé|fourni|précédent|premier|première|deuxième|seconde|troisième|dernier|dernière|ça|cela|ceci|ci-dessus|ici|
    tout|toute|entier|entière|complet|contenu|puces|puce|phrase|phrases|mots|mot|lignes|ligne|paragraphe|paragraphes|
    court|courte|bref|brève|brièvement|concis|rapide|rapidement|simplement|langage|clair|clairement|gestionnaire|
    patron|patronne|équipe|collègue|collègues|directeur|directrice|directeur général|directrice générale|
    sous-ministre|ministre|grand public|ressortir|dégage|anglais|français|deux|trois|quatre|cinq|sept|huit|neuf|dix|
    quelques|principal|principaux|principale|principales|importants|clé|clés|svp|s'il vous plaît|s'il te plaît|merci|
    fais|faites|faire|rédige|rédigez|écris|écrivez|donne|donnez|dis|dites|peux|pouvez|pourrais|pourriez|j'aimerais|
    je voudrais|besoin
    """
)


def asks_for_overview(question: str, names: Sequence[str] = ()) -> bool:
    """True if the question asks for the whole, and names no subject within it. `names`: of the documents."""
    asked = question[:QUESTION_LIMIT_CHARS]
    text, is_named = without_names(asked, names), bool(named_documents(asked, names))
    tokens = tuple(tokenize(text))
    is_about_document = is_named or DOCUMENT_WORDS.occur_in(tokens)
    if not (OVERVIEW_PHRASES.occur_in(tokens) or (is_about_document and WORK_PHRASES.occur_in(tokens))):
        return False
    parsed = ParsedQuestion(tuple(question_words(text)), tokens, task=False, timeless=False)
    known = (OVERVIEW_PHRASES, WORK_PHRASES, DOCUMENT_WORDS, FORM_WORDS)
    return not any(not word.isdecimal() for word in keywords(parsed, known).split())


def named_documents(question: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that the question contains, with or without their suffix."""
    asked = question.lower()
    return tuple(name for name in names if any(form in asked for form in name_forms(name)))


def without_names(question: str, names: Iterable[str]) -> str:
    """Returns the question without the documents' own names, and without addresses."""
    words = [word for word in question.split() if not word.lstrip("<").startswith(("http://", "https://"))]
    lowered = " ".join(words).lower()
    for form in chain.from_iterable(map(name_forms, names)):
        lowered = lowered.replace(form, " ")
    return lowered


def name_forms(name: str) -> tuple[str, ...]:
    """The forms of a file's name that a question may contain, longest first; none for an address."""
    forms = () if "/" in name else (name.lower(), PurePath(name).stem.lower())
    return tuple(form for form in forms if len(form) > SHORT_NAME_CHARS)
