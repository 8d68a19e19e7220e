"""Text from people: what is taken out, what is refused, and how names sort and are found."""

import unicodedata

from core.words.errors import BadInput
from core.words.language import N_

LONGEST_NOTE = 500

_FOLDED = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "’": "'", "‘": "'"})
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0")  # letters that show nothing
_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

CONTROL_CHARACTERS = N_("This text holds characters that cannot be shown. Type it again without them.")
TOO_LONG = N_("This text is too long. Keep it within {limit} characters.")


def one_line(text: str) -> str:
    """The text with every run of white space made one space."""
    return " ".join(text.split())


def is_showable(text: str) -> bool:
    """Whether the text has only characters that can be stored and that do not turn the writing direction around."""
    return text.isprintable() or not any(
        (unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t\r") or c in _BIDI for c in text
    )


def can_be_seen(text: str) -> bool:
    """Whether anything of the text would show: not only spaces, joiners and accents with nothing under them."""
    return any(unicodedata.category(c)[0] in "LNPS" and c not in _BLANKS for c in text)


def fold(text: str) -> str:
    """The text as it sorts and is searched: case-folded, without accents, ligatures written out."""
    plain = unicodedata.normalize("NFKD", text)  # first: letters such as ℾ are capitals of another only then
    decomposed = unicodedata.normalize("NFKD", plain.casefold().translate(_FOLDED))
    return one_line("".join(c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c) != "Cf"))


def search_words(text: str) -> tuple[str, ...]:
    """The words of a text as they are searched for: folded, without signs; "Müller & Söhne" gives muller, sohne."""
    words = ("".join(c for c in word if c.isalnum()) for word in fold(text).split())
    return tuple(word for word in words if word)


def note_text(field: str, text: str) -> str:
    """A note or a reason as it is stored: trimmed. Raises BadInput when it is too long or cannot be shown."""
    text = text.strip()
    if not is_showable(text):
        raise BadInput({field: (CONTROL_CHARACTERS, {})})
    if len(text) > LONGEST_NOTE:
        raise BadInput({field: (TOO_LONG, {"limit": LONGEST_NOTE})})
    return text


def name_text(field: str, text: str, *, longest: int, missing: str) -> str:
    """A name for something, as it is stored: on one line. Raises BadInput: with `missing` where nothing would show, and
    when it is too long or cannot be shown."""
    text = one_line(text)
    if not is_showable(text):
        raise BadInput({field: (CONTROL_CHARACTERS, {})})
    if not can_be_seen(text) or not fold(text):
        raise BadInput({field: (missing, {})})
    if len(text) > longest:
        raise BadInput({field: (TOO_LONG, {"limit": longest})})
    return text
