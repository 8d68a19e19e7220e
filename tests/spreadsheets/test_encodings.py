"""What the bytes of a text file are taken for: never for other letters than they were written as."""

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from core.spreadsheets import MAC, WINDOWS, UnreadableFile, as_xlsx, read, read_as, read_pasted
from core.spreadsheets.encodings import decoded
from core.words import speak
from tests.spreadsheets.made import refusal

SEVERAL_BYTES = [
    "Cliént", "Société", "à Élodie", "Müller", "Straße", "Łódź", "Žižkov", "Őrség", "Αθήνα", "Москва", "東京", "10 €",
    "L’Été", "“so”", "naïf – été", "😀", "Ñandú",
]  # fmt: skip
OF_WINDOWS = [
    "Client", "Société", "Müller", "Straße", "« Café »", "«\xa0Café\xa0»", "ÉTÉ\xa0»", "L’Été", "CAFÉ”", "“À”", "10 €",
    "NAÏVE…", "João", "IRMÃ", "œuvre", "BLÅ—", "Ångström®", "Žižkov", "n°\xa012", "100 m²", "Âge", "Zoë’s", "«À»",
]  # fmt: skip
PLAIN = st.text("abcdefgh ABC.-'", max_size=8)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[bytes, int]:
    """A list in UTF-8 with one byte changed so that it is UTF-8 no more; and the line of that byte."""
    words = draw(st.lists(st.sampled_from(SEVERAL_BYTES) | PLAIN, max_size=6))
    words += draw(st.lists(st.sampled_from(SEVERAL_BYTES), min_size=3, max_size=6))
    content = "\n".join(["Name;Note", *(f"{word};x" for word in draw(st.permutations(words)))]).encode()
    place = draw(st.integers(0, len(content) - 1))
    changed = content[:place] + bytes([draw(st.integers(0, 255))]) + content[place + 1 :]
    try:
        changed.decode()
    except UnicodeDecodeError as wrong:
        return changed, changed.count(b"\n", 0, wrong.start) + 1
    assume(condition=False)
    raise AssertionError


@given(damaged())
@example(("Name\nCliént\nSociété".encode() + b"\xff", 3))
@example((b"Name\nCli\xc3\xa9nt\nSoci\xe9t\xc3\xa9", 3))
@example((b"Name\nCli\xc3\xa9nt\n\xf0x\x98\x80", 3))
def test_a_list_in_utf_8_with_a_wrong_byte_is_refused_and_its_line_is_named(brought: tuple[bytes, int]) -> None:
    """It is never read in another encoding, in which every other name would be garbled."""
    content, line = brought
    assert refusal("list.csv", content).startswith(f"Line {line} of this file holds a damaged character, near “")


@given(st.lists(st.sampled_from(OF_WINDOWS) | st.text("abcxyzéèàùçâêîôûëïöüñßÀÉÈÇÖÜ .-", min_size=1), min_size=1))
@example(["«\xa0Café\xa0»"])
@example(["CAFÉ”"])
def test_a_list_from_windows_is_read_letter_for_letter(names: list[str]) -> None:
    """As people there write: also where a letter and a sign after it could be one character of UTF-8."""
    assume(all(name.strip() for name in names))
    content = "\r\n".join(["Name;Prénom", *(f"{name};x" for name in names)]).encode("cp1252")
    sheet = read("list.csv", content)
    assert sheet.encoding == "Windows-1252"
    assert [row.cells[0] for row in sheet.rows] == [name.strip() for name in names]


def test_the_refusal_shows_where_and_speaks_french() -> None:
    """The words before and after the wrong byte; no byte order mark."""
    content = BOM_UTF8 + "Name;Note\nSociété;\nAubry;au caf".encode() + b"\xe9 du coin;x\n"
    assert "near “au caf\ufffd du coin”" in refusal("list.csv", content)
    speak("fr")
    assert refusal("list.csv", content).startswith(
        "La ligne 3 de ce fichier contient un caractère abîmé, près de «\xa0au"
    )
    speak("en")
    assert "near “\ufffdName”" in refusal("list.csv", BOM_UTF8 + b"\xe9Name\nx")


def test_a_list_that_says_it_is_utf_8_is_not_taken_for_another() -> None:
    """Its mark is enough, though no other character proves it."""
    assert refusal("list.csv", BOM_UTF8 + b"Name\nCaf\xe9").startswith("Line 2 of this file holds")
    assert read("list.csv", b"Name\nCaf\xe9").rows[0].cells == ("Café",)


@pytest.mark.parametrize(("mark", "codec"), [(BOM_UTF16_LE, "utf-16-le"), (BOM_UTF16_BE, "utf-16-be")])
def test_unicode_text_as_a_spreadsheet_saves_it_is_read(mark: bytes, codec: str) -> None:
    """UTF-16 with its mark, in either order; one that breaks off within a character is refused."""
    content = mark + "Name\tE-mail\r\nCliént 😀\ta@example.com\r\n".encode(codec)
    sheet = read("list.csv", content)
    assert (sheet.encoding, sheet.separator, sheet.headings) == ("UTF-16", "\t", ("Name", "E-mail"))
    assert sheet.rows[0].cells == ("Cliént 😀", "a@example.com")
    assert refusal("list.csv", content[:-1]).startswith("This is not a text file.")
    assert refusal("list.csv", mark + b"\0\0").startswith("This is not a text file.")


MARKED = '\ufeff\ufeffName\ufeff;"E-\ufeffmail"\n\ufeff"Aubry; Fils\ufeff";\ufeff\n\ufeff;\ufeff\nLefèvre;b@firm.be\n'
ROWS = [["Aubry; Fils\ufeff", "\ufeff"], ["\ufeff", "\ufeff"], ["Lefèvre", "b@firm.be"]]


def test_no_byte_order_mark_is_left_in_a_list() -> None:
    """Where files were joined they stand in the middle: in headings, before quotation marks, alone in a cell."""
    for sheet in (
        read("list.csv", MARKED.encode()),
        read("list.csv", MARKED.encode("utf-16")),
        read_pasted(MARKED),
        read("list.xlsx", as_xlsx(["\ufeffName", "E-\ufeffmail"], ROWS)),
    ):
        assert sheet.headings == ("Name", "E-mail")
        assert [(row.line, row.cells) for row in sheet.rows] == [
            (2, ("Aubry; Fils", "")),
            (4, ("Lefèvre", "b@firm.be")),
        ]


def test_any_refusal_of_bytes_is_one_sentence() -> None:
    """Also for a file that is one long line of wrong bytes."""
    with pytest.raises(UnreadableFile) as refused:
        read("list.csv", BOM_UTF8 + b"\xe9" * 100_000)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [
        ("Nom\nBoulangerie Lefèvre\nCafé\n", "mac_roman", "Mac Roman"),
        ("Nom\nBoulangerie Lefèvre\nCafé\n", "cp1252", "Windows-1252"),
        ("Nom\nL’Ancre – Dušan\n", "cp1252", "Windows-1252"),
        ("Naam\nMüller\n", "mac_roman", "Mac Roman"),
        ("Naam\nBelgië\n", "mac_roman", "Mac Roman"),
        ("Nom\nHôtel\n", "mac_roman", "Mac Roman"),
        ("Nom\nSOCIÉTÉ\n", "mac_roman", "Mac Roman"),
        ("Nom\nÉtude\n", "mac_roman", "Mac Roman"),
        ("Nom\nL’école\nLéa\n", "mac_roman", "Mac Roman"),
        ("Naam\nFoto‘s van België, Müller™\n", "cp1252", "Windows-1252"),
        ("Naam\nFoto‘s, Frites™ • “Bar”\n", "cp1252", "Windows-1252"),
    ],
)
def test_what_a_mac_writes_is_told_from_what_windows_writes(text: str, codec: str, encoding: str) -> None:
    """Accented letters decide; quotation marks and dashes alone are taken as those of Windows."""
    assert decoded(text.encode(codec)) == (text, encoding)


def test_where_the_letters_do_not_decide_somebody_says_it() -> None:
    """ "Köhler" from a Mac could be "Kšhler" from Windows: the file is kept to be read anew, either way."""
    content = "Name\nKöhler\n".encode("mac_roman")
    sheet = read("list.csv", content)
    assert (sheet.encoding, sheet.rows[0].cells) == (WINDOWS, ("Kšhler",))
    again = read_as(sheet, MAC)
    assert (again.encoding, again.rows[0].cells) == (MAC, ("Köhler",))
    assert read_as(again, WINDOWS) == sheet
    assert read("list.csv", content, encoding=MAC) == again


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_that_says_its_encoding_is_read_in_no_other(codec: str) -> None:
    """Nor kept."""
    sheet = read("list.csv", "Name\nKöhler\n".encode(codec), encoding=MAC)
    assert (sheet.rows[0].cells, sheet.content) == (("Köhler",), b"")
    assert read("list.xlsx", as_xlsx(["Name"], [["Köhler"]])).content == b""
    assert read_pasted("Name\nKöhler").content == b""


def test_what_windows_cannot_have_written_is_not_read_as_that() -> None:
    """The sentence says what to do; a file of which a few bytes look damaged can be read as somebody says."""
    sheet = read("list.csv", "Nom\nCaf\u00e9\nFran\u00e7ois\nPart\u00e8\u00ea\n".encode("mac_roman"))
    assert sheet.encoding == MAC
    with pytest.raises(UnreadableFile, match="do not exist in Windows’ encoding"):
        read_as(sheet, WINDOWS)
    damaged = b"Name\nCli\xc3\xa9nt\nSoci\xe9t\xc3\xa9"
    assert read("list.csv", damaged, encoding=WINDOWS).rows[1].cells == ("SociétÃ©",)
    assert refusal("list.csv", BOM_UTF8 + damaged).startswith("Line 3 of this file holds a damaged character")
