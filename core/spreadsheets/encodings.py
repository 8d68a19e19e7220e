"""The text of a file that says little or nothing of its encoding: UTF-8, marked UTF-16, Mac Roman or Windows-1252.
Between the last two the bytes do not always decide, and somebody may say it."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE

from core.spreadsheets.limits import UnreadableFile
from core.words import N_, is_showable

NOT_TEXT = N_("This is not a text file. Open the list in your spreadsheet and save it as “CSV UTF-8” or .xlsx.")
_DAMAGED = N_(
    "Line {line} of this file holds a damaged character, near “{near}”, though the rest is UTF-8. "
    "Correct that line where the list comes from, and bring the file again."
)
_NOT_OF_WINDOWS = N_("Some characters of this file do not exist in Windows’ encoding. Read it as that of a Mac.")
WINDOWS, MAC = "Windows-1252", "Mac Roman"
_CODECS = {WINDOWS: "cp1252", MAC: "mac_roman"}

_MARK = "\ufeff"  # of the byte order; where lists were joined also within the text
_LONGEST_SHOWN = 60
_BROKEN = re.compile("[\udc80-\udcff]+")  # bytes that are not UTF-8, as "surrogateescape" keeps them
_AFTER_A_LETTER = rb"\x85\x8b\x91-\x97\x99\x9b\xa0\xa9-\xab\xad\xae\xb0\xb2\xb3\xb9-\xbb"  # …‹‘’“”•–—™›©ª«®°²³¹º»
_CLEARLY_UTF_8 = re.compile(  # characters of several bytes that Windows-1252 would show as a letter and odd signs
    rb"[\xc2\xc3][\x80-\xbf]"
    rb"|[\xc4-\xd4\xd6-\xdf](?![%(plain)s])[\x80-\xbf]"  # in Mac Roman \xd5 is an apostrophe: "l’école"
    rb"|[\xe0-\xef](?![%(plain)s]{2})[\x80-\xbf]{2}"
    rb"|[\xf0-\xf4][\x80-\xbf]{3}" % {b"plain": _AFTER_A_LETTER}
)
_MAC_ROMAN = re.compile(  # what in Windows-1252 is a sign or a letter that does not stand there
    rb"[A-Za-z][\x83\x87-\x89\x8b\x8d-\x90\x9d\x9f]"  # É áàâ ã çéèê ù ü after a letter; else ƒ, signs, Ž and Ÿ
    rb"|[\x83\x86][A-Za-z]"  # É Ü before a letter; else ƒ †
    rb"|[A-Za-z][\x8a\x94\x95\x99][a-z]"  # ä î ï ô within a word; else Š ” • ™
    rb"|[aeio]\x91(?!s)"  # ë after a vowel: "België"; else ‘, which opens a quotation
)
_WINDOWS = re.compile(rb"[A-Za-z][\xe0-\xf6\xf8-\xff]")  # small letters with accents; in Mac Roman signs and capitals
_CELLS = re.compile(r'[,;\t"]')


def decoded(content: bytes, said: str = "") -> tuple[str, str]:
    """The text, without any byte order mark, and the name of its encoding: WINDOWS or MAC as it is `said`, for a file
    that is neither UTF-8 nor UTF-16.

    Raises UnreadableFile, which names the line, for a file that is UTF-8 but for a few bytes: read as Windows-1252, all
    its other names would be wrong.
    """
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return without_marks(_strictly(content, "utf-16")), "UTF-16"
    try:
        return without_marks(content.decode()), "UTF-8"
    except UnicodeDecodeError as wrong:
        if content.startswith(BOM_UTF8) or (not said and _is_utf_8_but_for_a_few(content)):
            raise _damaged(content, wrong.start) from wrong
    is_a_macs = _MAC_ROMAN.search(content) and not _WINDOWS.search(content)
    encoding = said or (MAC if is_a_macs else WINDOWS)
    return _strictly(content, _CODECS[encoding], _NOT_OF_WINDOWS if said else NOT_TEXT), encoding


def without_marks(text: str) -> str:
    """The text without byte order marks, wherever they stand: they show nothing, and no heading is known by them."""
    return text.replace(_MARK, "")


def _strictly(content: bytes, codec: str, refusal: str = NOT_TEXT) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as wrong:
        raise UnreadableFile(refusal) from wrong


def _is_utf_8_but_for_a_few(content: bytes) -> bool:
    """One damaged byte makes at most two broken places."""
    clear = _CLEARLY_UTF_8.subn(b"", content)[1]
    return clear > 0 and _BROKEN.subn("", content.decode(errors="surrogateescape"))[1] <= 2 * clear


def _damaged(content: bytes, place: int) -> UnreadableFile:
    begins = content.rfind(b"\n", 0, place) + 1
    before, after = (content[begins:place].decode(), content[place:].partition(b"\n")[0].decode(errors="replace"))
    near = _CELLS.split(before)[-1][-_LONGEST_SHOWN // 2 :] + _CELLS.split(after)[0][: _LONGEST_SHOWN // 2]
    shown = "".join(c for c in without_marks(near) if is_showable(c)).strip()
    return UnreadableFile(_DAMAGED, line=str(content.count(b"\n", 0, place) + 1), near=shown)
