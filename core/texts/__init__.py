"""The texts that people and the model read, from `config/locale/`, and numbers, sizes and dates by language.

`catalogue` finds a text by its key. `events` chooses the text for an error or a status. `formats` writes values as a
reader of the language expects them. `omissions` says which part of a document was not read, `personal_information`
what was taken out of a message.
"""

from core.contract import LANGUAGES
from core.texts.catalogue import overlay, text
from core.texts.events import error_text, status_text
from core.texts.formats import (
    format_date,
    format_day_and_time,
    format_duration,
    format_number,
    format_size,
    format_zone,
)
from core.texts.omissions import describe_omissions
from core.texts.personal_information import masked_text

__all__ = [
    "LANGUAGES",
    "describe_omissions",
    "error_text",
    "format_date",
    "format_day_and_time",
    "format_duration",
    "format_number",
    "format_size",
    "format_zone",
    "masked_text",
    "overlay",
    "status_text",
    "text",
]
