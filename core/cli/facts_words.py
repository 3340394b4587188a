"""What `facts` says, in English and French."""

from __future__ import annotations

from core.cli.words import Table

WORDS: Table = {
    "looking": ("looking at {what}", "examen de {what}"),
    "documents": ("documents", "documents"),
    "passages": ("{count} passages", "{count} passages"),
    "synced": (
        "{what}: {added} added, {changed} changed, {unchanged} unchanged, {removed} removed; {passages} passages.",
        "{what} : {added} ajoutés, {changed} modifiés, {unchanged} inchangés, {removed} retirés; {passages} passages.",
    ),
    "failed": (
        "{count} could not be read, and stay as they were:",
        "{count} n'ont pas pu être lus, et restent comme ils étaient :",
    ),
    "more_failed": ("… and {count} more", "… et {count} autres"),
    "nothing": ("Nothing found.", "Rien trouvé."),
    "none_yet": (
        "There are no collections yet. Make one: csps-llm facts add NAME FOLDER",
        "Il n'y a pas encore de collection. Créez-en une : csps-llm facts add NOM DOSSIER",
    ),
    "name": ("Collection", "Collection"),
    "count_documents": ("Documents", "Documents"),
    "count_passages": ("Passages", "Passages"),
    "origins": ("From", "Provenance"),
    "removed_all": ("{name} is gone, with {count} documents.", "{name} n'existe plus; {count} documents retirés."),
    "removed_one": ("{count} document(s) removed from {name}.", "{count} document(s) retiré(s) de {name}."),
}
