"""Recognises questions about documents as a whole: "Summarize this document.", "De quoi s'agit-il?". Pure."""

from __future__ import annotations

from collections.abc import Iterable
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
    what s it about|what is that about|what is in it|about|key points|main points|key ideas|main ideas|key messages|
    key takeaways|takeaways|takeaway|important points|highlights|overview|gist|outline|tl dr|tldr|in a nutshell|
    in short|essence|abstract|recap|brief me|read this|skim|what does it say|what does this say|
    de quoi il s'agit|de quoi il est question|
    résume|résumé|résumer|résumez|synthèse|synthétise|synthétiser|de quoi s'agit|de quoi parle|de quoi traite|
    de quoi est-il question|de quoi c'est|points clés|points principaux|points importants|points saillants|
    points essentiels|faits saillants|idées principales|idées clés|idées maîtresses|messages clés|grandes lignes|
    principaux points|principales idées|aperçu|survol|en bref|l'essentiel|que dit|que contient|qu'est-ce que dit|
    porte sur|sur quoi porte
    """
)
# Words that say nothing about a subject: the document itself, the form of the summary, and its readers.
FORM_WORDS = parse_phrases(
    """
    document|documents|file|files|page|pages|text|texts|article|articles|report|reports|attachment|attachments|
    attached|pdf|paper|papers|memo|presentation|deck|slides|slide|spreadsheet|workbook|email|message|thread|link|site|
    website|above|below|here|whole|entire|full|content|contents|say|says|read|bullet|bullets|bullet points|point|
    points|list|sentence|sentences|word|words|line|lines|paragraph|paragraphs|short|shortly|brief|briefly|concise|
    quick|quickly|simple|simply|plain|language|clear|clearly|long|detailed|executive|manager|boss|team|colleague|
    colleagues|director|minister|audience|english|french|one|two|three|four|five|six|seven|eight|nine|ten|a few|
    several|main|key|important|please|thanks|thank|make|write|provide|create|get|need|want|like|just|also|now|quickly|
    fichier|fichiers|texte|textes|rapport|rapports|pièce|pièces|jointe|jointes|joint|ci-joint|ci-jointe|mémoire|note|
    présentation|diapositives|tableur|courriel|fil|lien|ci-dessus|ici|tout|toute|entier|entière|complet|contenu|puces|
    puce|phrase|phrases|mots|mot|lignes|ligne|paragraphe|paragraphes|court|courte|bref|brève|brièvement|concis|
    rapide|rapidement|simple|simplement|langage|clair|clairement|gestionnaire|patron|patronne|équipe|collègue|
    collègues|directeur|directrice|ministre|anglais|français|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|quelques|
    principal|principaux|principale|principales|important|importants|clé|clés|svp|s'il vous plaît|s'il te plaît|
    merci|fais|faites|faire|rédige|rédigez|écris|écrivez|donne|donnez|dis|dites|peux|pouvez|pourrais|pourriez|
    j'aimerais|je voudrais|besoin
    """
)


def asks_for_overview(question: str, names: Iterable[str] = ()) -> bool:
    """True if the question asks for the whole, and names no subject within it. `names`: of the documents."""
    text = without_names(question[:QUESTION_LIMIT_CHARS], names)
    tokens = tuple(tokenize(text))
    if not OVERVIEW_PHRASES.occur_in(tokens):
        return False
    parsed = ParsedQuestion(tuple(question_words(text)), tokens, task=False, timeless=False)
    return not any(not word.isdecimal() for word in keywords(parsed, (OVERVIEW_PHRASES, FORM_WORDS)).split())


def without_names(question: str, names: Iterable[str]) -> str:
    """Returns the question without the documents' own names, and without addresses."""
    words = [word for word in question.split() if not word.lstrip("<").startswith(("http://", "https://"))]
    lowered = " ".join(words).lower()
    files = [name.lower() for name in names if "/" not in name]
    for form in (*files, *(PurePath(name).stem for name in files)):
        lowered = lowered.replace(form, " ") if len(form) > SHORT_NAME_CHARS else lowered
    return lowered
