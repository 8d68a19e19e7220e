"""How wide the columns of a list are drawn: as wide as their words need, and no wider than the screen has room for.

Streamlit draws a table on a canvas and cuts what does not fit. It can measure words itself, but then the columns move
with every page of the list, and each is painted again.
"""

from collections.abc import Mapping

ROOM = 1000  # pixels beside the boxes to tick, on a screen of 1440 with the menu open
PADDING = 17
PILL = BUTTON = 14  # beside the padding
_NARROW = frozenset("fijltrI.,:;·'’!|()-/[] \u00a0\u202f")
_BROAD = frozenset("mwMWŒœÆæ@%→–—")


def needed(*texts: str, beside: int = 0) -> int:
    """How many pixels the widest of these needs, with what is `beside` it in its cell."""
    return PADDING + beside + round(max(map(_measured, texts), default=0))


def fitting(widths: Mapping[str, int], room: int = ROOM) -> set[str]:
    """Which columns fit beside each other, the first ones first: those after the first that does not are left out."""
    found: set[str] = set()
    for name, width in widths.items():
        room -= width
        if room < 0:
            break
        found.add(name)
    return found


def _measured(text: str) -> float:
    """An estimate for the letters of the theme, rather too much than too little."""
    return sum(map(_letter, text))


def _letter(letter: str) -> float:
    if letter in _NARROW:
        return 3.5
    if letter in _BROAD:
        return 10.4
    return 7.4 if letter.isupper() else 6.3


def steps(width: int, least: int, most: int, step: int = 10) -> int:
    """The width in steps, so that it is mostly the same from page to page."""
    return min(most, max(least, -(-width // step) * step))
