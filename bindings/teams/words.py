"""What people read that only Teams needs, in English and French."""

from __future__ import annotations

from bindings.delivery.outlet import Translations

AGAIN: Translations = {"en": "Again", "fr": "Recommencer"}  # on the button, and what pressing it says: a command
FILE_OFFERED: Translations = {
    "en": "The answer as a file. If you accept, it is put in your OneDrive.",
    "fr": "La réponse en fichier. Si vous acceptez, elle sera déposée dans votre OneDrive.",
}
FILE_GONE: Translations = {
    "en": "This file is no longer kept here. Ask for the answer again.",
    "fr": "Ce fichier n’est plus conservé ici. Demandez la réponse à nouveau.",
}
FILE_FAILED: Translations = {
    "en": "The file could not be put in your OneDrive. Ask for the answer again.",
    "fr": "Le fichier n’a pas pu être déposé dans votre OneDrive. Demandez la réponse à nouveau.",
}
WAITING = "…"
