"""Addresses in letters that look like others: what the eye cannot tell apart is asked for again."""

from collections import Counter
from unicodedata import name, normalize

from core.words.language import N_

_MIXED = N_(
    "“{letter}”, character {position} of “{part}”, is from another alphabet than the rest, even if it looks the same. "
    "Type the address again."
)
_LOOKS_LIKE = N_("“{part}” looks like “{looks}”, but its letters are from another alphabet. Type the address again.")

_LATIN = "LATIN"
_BESIDE_ANY = frozenset(  # written with Latin too
    {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC"}
)
_PHONETIC = (range(0x250, 0x2B0), range(0x1D00, 0x1DC0))  # Latin by name, and in no language's words
_LOOKS = str.maketrans(
    "аеорсухіѕјһԁԛԝѵӏ" "ονρικυχα" "օոսհցյ" "ɑɡɩʋ",  # Cyrillic, Greek, Armenian, phonetic
    "aeopcyxisjhdqwvl" "ovpikuxa" "onuhgj" "agiv",
)  # fmt: skip


def odd_letters(address: str) -> tuple[str, dict[str, object]] | None:
    """Why this e-mail address is not taken as typed, as a sentence (not yet translated) with its values; None: it is.

    In the mailbox, and in each part of the domain, the letters are to be of one alphabet. A part wholly in another one
    is taken, unless all of it looks like Latin while the domain ends in Latin.
    """
    if address.isascii():
        return None
    mailbox, _, domain = address.rpartition("@")
    labels = domain.split(".")
    for part in (mailbox, *labels):
        if (odd := _mixed(part)) is not None:
            return odd
    if labels[-1].isascii():
        for part in (mailbox, *labels):
            if not part.isascii() and (looks := normalize("NFKC", part.translate(_LOOKS))).isascii():
                return _LOOKS_LIKE, {"part": part, "looks": looks}
    return None


def _mixed(part: str) -> tuple[str, dict[str, object]] | None:
    """The first letter of this part that is not of the alphabet of most; of two alike, Latin is the one of most."""
    alphabets = [_alphabet(letter) for letter in part]
    counted = Counter(found for found in alphabets if found is not None)
    if len(counted) < 2:
        return None
    most = max(counted, key=lambda found: (counted[found], found == _LATIN))
    place = next(index for index, found in enumerate(alphabets) if found not in (None, most))
    return _MIXED, {"letter": part[place], "position": str(place + 1), "part": part}


def _alphabet(letter: str) -> str | None:
    """The alphabet of a letter, as its Unicode name begins; None for what stands beside any."""
    if not letter.isalpha():
        return None
    if any(ord(letter) in block for block in _PHONETIC):
        return "PHONETIC"
    alphabet = name(letter, "").partition(" ")[0]
    return None if alphabet in _BESIDE_ANY else alphabet
