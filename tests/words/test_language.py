"""The reader's language: every sentence has its French and its Dutch; numbers, money and dates read as in it."""

import ast
import re
from collections.abc import Iterator
from contextvars import copy_context
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po

from core.catalogue import SAMPLE
from core.words import (
    LANGUAGES,
    TOO_LONG,
    AlreadyClient,
    BadInput,
    BillingError,
    BillingPeriod,
    ClientStatus,
    InvitationStatus,
    MissingSetting,
    Money,
    NoPrice,
    Payer,
    Role,
    Setting,
    Source,
    StaleDefaults,
    Term,
    best_language,
    day,
    end_of_day,
    language,
    listed,
    local_day,
    moment,
    nt,
    number,
    shown,
    speak,
    t,
)

ROOT = Path(__file__).parent.parent.parent
KEYWORDS = {"t": None, "nt": (1, 2), "N_": None}  # as at the head of messages.po
# they translate what N_ marked
THROUGH_A_VARIABLE = {
    "core/words/language.py", "core/words/errors.py", "core/words/choice_errors.py", "core/words/terms.py",
    "core/words/settings.py",
    "core/imports/report.py",
}  # fmt: skip
TRANSLATED = sorted(LANGUAGES.keys() - {"en"})
NO_BREAK = "\u00a0"
NARROW_NO_BREAK = "\u202f"


@lru_cache
def sentences() -> dict[str, tuple[str, ...]]:
    """Every sentence of the code by its singular, with its forms."""
    found = [
        message
        for folder in ("core", "pages")
        for _, _, message, _, _ in extract_from_dir(ROOT / folder, [("**.py", "python")], keywords=KEYWORDS)
    ]
    found += [message for _, message, _, _ in extract_from_file("python", ROOT / "streamlit_app.py", KEYWORDS)]
    forms: dict[str, tuple[str, ...]] = {}
    for message in found:
        said = message if isinstance(message, tuple) else (message,)
        forms[said[0]] = max(said, forms.get(said[0], ()), key=len)
    return forms


@lru_cache
def catalogue(spoken: str) -> Catalog:
    """The sentences of another language as they are kept."""
    with (ROOT / f"core/words/locales/{spoken}/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale=spoken, abort_invalid=True)


def translated(spoken: str) -> Iterator[tuple[str, tuple[str, ...], Message, tuple[str, ...]]]:
    """Each sentence of the code that has its translation: its singular, its forms, the entry, the translated forms."""
    for sentence, forms in sentences().items():
        if message := catalogue(spoken).get(sentence):
            yield sentence, forms, message, message.string if message.pluralizable else (message.string,)


def said(*languages: str) -> list[str]:
    """Every form of every sentence, in these languages."""
    forms = [form for each in sentences().values() for form in each] if "en" in languages else []
    others = (each for each in languages if each != "en")
    return forms + [form for each in others for *_, said_so in translated(each) for form in said_so]


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def read_by(spoken: str, refusal: BillingError, time_zone: str = "UTC") -> str:
    """A refusal as another reader reads it, beside the one of this test."""

    def read() -> str:
        speak(spoken, time_zone)
        return str(refusal)

    return copy_context().run(read)


@pytest.mark.parametrize("spoken", TRANSLATED)
def test_every_sentence_of_the_code_has_its_translation(spoken: str) -> None:
    """None is missing, empty or only guessed at; a plural has both its forms."""
    assert len(sentences()) > 150
    without = [sentence for sentence in sentences() if catalogue(spoken).get(sentence) is None]
    guessed = [sentence for sentence, _, message, _ in translated(spoken) if message.fuzzy]
    empty = [
        sentence
        for sentence, forms, _, there in translated(spoken)
        if len(there) != len(forms) or not all(form and form.strip() for form in there)
    ]
    assert (without, guessed, empty) == ([], [], [])


@pytest.mark.parametrize("spoken", TRANSLATED)
def test_the_catalogue_holds_no_sentence_the_code_no_longer_has(spoken: str) -> None:
    """What is not said any more is removed."""
    kept = {message.id[0] if message.pluralizable else message.id for message in catalogue(spoken) if message.id}
    assert (kept - set(sentences()), dict(catalogue(spoken).obsolete)) == (set(), {})


@pytest.mark.parametrize("spoken", TRANSLATED)
def test_a_translation_says_the_same_values_as_the_english(spoken: str) -> None:
    """Each form has exactly the placeholders of its sentence."""
    differing = [
        sentence
        for sentence, forms, _, translation in translated(spoken)
        for here, there in zip(forms, translation, strict=False)
        if placeholders(here) != placeholders(there)
    ]
    assert differing == []


@pytest.mark.parametrize("spoken", TRANSLATED)
def test_a_translation_keeps_bold_and_the_spaces_around_a_sentence(spoken: str) -> None:
    """What a page puts together stays together."""
    differing = [
        sentence
        for sentence, forms, _, translation in translated(spoken)
        for here, there in zip(forms, translation, strict=False)
        if (here.count("**"), here[:1].isspace(), here[-1:].isspace())
        != (there.count("**"), there[:1].isspace(), there[-1:].isspace())
    ]
    assert differing == []


def test_the_french_is_typeset_as_french() -> None:
    """A no-break space before : ; ? ! and inside guillemets, and the apostrophe that a printer uses."""
    careless = re.compile(rf"(?<!{NO_BREAK})[:;?!»]|«(?!{NO_BREAK})|['\"“”]")
    assert [form for form in said("fr") if careless.search(form)] == []


def test_the_dutch_is_typeset_as_dutch() -> None:
    """No space before : ; ? ! and inside the quotation marks, which are “ ”; the apostrophe that a printer uses."""
    careless = re.compile(r"\s[:;?!”]|“\s|['\"«»„]|[:;?!](?=[^\W\d_])")
    assert [form for form in said("nl") if careless.search(form)] == []


def test_the_dutch_says_u_to_its_reader() -> None:
    """As firms in Belgium write to each other."""
    familiar = re.compile(r"\b(je|jij|jou|jouw|jullie)\b", re.IGNORECASE)
    assert [form for form in said("nl") if familiar.search(form)] == []


def test_no_sentence_speaks_of_errors() -> None:
    """Sentences say what is so or what to do, in each language."""
    blaming = re.compile(r"\b(erreur|invalide|error|invalid|fout(en|ief|ieve)?\b|ongeldig)", re.IGNORECASE)
    assert [form for form in said(*LANGUAGES) if blaming.search(form)] == []


def test_no_sentence_counts_the_settings() -> None:
    """One more setting makes no sentence untrue: they say "every setting", in each language."""
    numbers = "two|three|four|five|deux|trois|quatre|cinq|twee|drie|vier|vijf"
    counting = re.compile(rf"\b({numbers})\b[^.]*\b(setting|paramètre|instelling)", re.IGNORECASE)
    assert [form for form in said(*LANGUAGES) if counting.search(form)] == []


def test_every_sentence_is_written_where_it_is_said_and_gets_its_values() -> None:
    """A sentence kept in a variable would be missing from the catalogue; a value not given would fail on the screen."""
    astray = []
    for path in [*ROOT.glob("core/**/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "streamlit_app.py"]:
        name = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        hidden = [found for text in ast.walk(tree) if isinstance(text, ast.JoinedStr) for found in ast.walk(text)]
        for call in ast.walk(tree):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("t", "nt")):
                continue
            astray += [ast.unparse(call)] if call in hidden else []  # within an f-string no tool finds it
            said = call.args[: 2 if call.func.id == "nt" else 1]
            words = [arg.value for arg in said if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if len(words) != len(said):
                astray += [] if name in THROUGH_A_VARIABLE else [ast.unparse(call)]
                continue
            given = {keyword.arg for keyword in call.keywords}
            wanted = set().union(*map(placeholders, words)) - ({"count"} if call.func.id == "nt" else set())
            astray += [] if given == wanted else [ast.unparse(call)]
    assert astray == []


@pytest.mark.parametrize(
    ("term", "french", "dutch"),
    [
        (Payer.PARTNER, "Nous", "Ons"),
        (Payer.CLIENT, "Le client", "De klant"),
        (BillingPeriod.MONTHLY, "Mensuelle", "Maandelijks"),
        (BillingPeriod.YEARLY, "Annuelle", "Jaarlijks"),
        (Setting.PAYER, "Payé par", "Betaald door"),
        (Setting.BILLING_PERIOD, "Période de facturation", "Facturatieperiode"),
        (Setting.PLAN, "Abonnement", "Abonnement"),
        (Setting.ADD_ONS, "Modules complémentaires", "Extra modules"),
        (Source.DEFAULT, "Par défaut", "Standaard"),
        (Source.OVERRIDE, "Exception", "Uitzondering"),
        (ClientStatus.INVITED, "Invité", "Uitgenodigd"),
        (ClientStatus.ACTIVE, "Actif", "Actief"),
        (ClientStatus.ARCHIVED, "Archivé", "Gearchiveerd"),
        (InvitationStatus.PENDING, "En attente", "In afwachting"),
        (InvitationStatus.ACCEPTED, "Acceptée", "Aanvaard"),
        (InvitationStatus.EXPIRED, "Expirée", "Verlopen"),
        (InvitationStatus.REVOKED, "Révoquée", "Ingetrokken"),
        (Role.ADMINISTRATOR, "Administrateur", "Beheerder"),
        (Role.CLIENT_MANAGER, "Gestionnaire de clients", "Klantenbeheerder"),
        (Role.ACCOUNTANT, "Comptable", "Accountant"),
        (Role.FINANCE, "Finances", "Financiën"),
    ],
)
def test_the_words_of_the_trade(term: Term, french: str, dutch: str) -> None:
    """In French a client is masculine, a period and an invitation are feminine."""
    for spoken, word in (("fr", french), ("nl", dutch)):
        speak(spoken)
        assert term.label == shown(term) == word


@pytest.mark.parametrize(
    ("english", "french", "dutch"),
    [
        ("Pay for new clients", "Payer pour les nouveaux clients", "Betalen voor nieuwe klanten"),
        ("Default settings", "Paramètres par défaut", "Standaardinstellingen"),
        ("In force", "En vigueur", "Geldt nu"),
        ("Save", "Sauvegarder", "Opslaan"),
        ("Default v{version}", "Par défaut v{version}", "Standaard v{version}"),
    ],
)
def test_the_words_of_the_pages(english: str, french: str, dutch: str) -> None:
    """The official ones."""
    for spoken, words in (("fr", french), ("nl", dutch)):
        speak(spoken)
        assert t(english, version="{version}") == words


@pytest.mark.parametrize(
    "term",
    [
        *Setting, *(term for setting in Setting for term in setting.terms or ()), *Source, *ClientStatus,
        *InvitationStatus, *Role,
    ],
)  # fmt: skip
def test_a_term_is_stored_the_same_whoever_reads(term: Term) -> None:
    """Only the label has a language."""
    stored = str(term)
    speak("fr")
    assert (str(term), f"{term}") == (stored, stored)


@pytest.mark.parametrize(
    ("spoken", "whole", "amount", "large", "negative"),
    [
        ("en", "1,234,567", "€24.00", "€4,812.50", "-€5.00"),
        (
            "fr", f"1{NARROW_NO_BREAK}234{NARROW_NO_BREAK}567", f"24,00{NO_BREAK}€",
            f"4{NARROW_NO_BREAK}812,50{NO_BREAK}€", f"-5,00{NO_BREAK}€",
        ),
        ("nl", "1.234.567", f"€{NO_BREAK}24,00", f"€{NO_BREAK}4.812,50", f"€{NO_BREAK}-5,00"),
    ],
)  # fmt: skip
def test_numbers_and_money_as_the_reader_writes_them(
    spoken: str, whole: str, amount: str, large: str, negative: str
) -> None:
    """No amount is ever broken over two lines."""
    speak(spoken)
    assert number(1234567) == shown(1234567) == whole
    assert [str(Money(cents, "EUR")) for cents in (2400, 481250, -500)] == [amount, large, negative]
    assert shown(Money(2400, "EUR")) == amount


@pytest.mark.parametrize(
    ("spoken", "words"),
    [
        ("en", ["3 Mar 2026", "1 Feb 2026", "31 Aug 2026"]),
        ("fr", ["3 mars 2026", "1 févr. 2026", "31 août 2026"]),
        ("nl", ["3 mrt 2026", "1 feb 2026", "31 aug 2026"]),
    ],
)
def test_days_as_the_reader_writes_them(spoken: str, words: list[str]) -> None:
    """The month in letters, so that no day is taken for a month."""
    speak(spoken)
    days = [date(2026, 3, 3), date(2026, 2, 1), date(2026, 8, 31)]
    assert [day(value) for value in days] == [shown(value) for value in days] == words


@pytest.mark.parametrize(
    ("spoken", "utc", "brussels"),
    [
        ("en", "31 Dec 2025, 23:30", "1 Jan 2026, 00:30"),
        ("fr", "31 déc. 2025, 23:30", "1 janv. 2026, 00:30"),
        ("nl", "31 dec 2025, 23:30", "1 jan 2026, 00:30"),
    ],
)
def test_a_moment_is_told_in_the_time_zone_of_the_partner(spoken: str, utc: str, brussels: str) -> None:
    """Half past eleven on New Year's Eve is the new year in Brussels already."""
    instant = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    speak(spoken)
    assert moment(instant) == shown(instant) == utc
    assert (day(instant), local_day(instant)) == (utc[:-7], date(2025, 12, 31))
    speak(spoken, "Europe/Brussels")
    assert moment(instant) == shown(instant) == brussels
    assert (day(instant), local_day(instant)) == (brussels[:-7], date(2026, 1, 1))


@pytest.mark.parametrize("time_zone", ["UTC", "Europe/Brussels", "America/New_York", "Pacific/Auckland"])
def test_a_day_ends_where_the_next_begins_also_when_the_clocks_change(time_zone: str) -> None:
    """The end of a day belongs to it, and a microsecond later is the next day, all year round."""
    speak("en", time_zone)
    for ordinal in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal()):
        chosen = date.fromordinal(ordinal)
        end = end_of_day(chosen)
        assert local_day(end) == chosen
        assert local_day(end + timedelta(microseconds=1)) == chosen + timedelta(days=1)


@pytest.mark.parametrize(
    ("chosen", "hours"), [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)]
)
def test_a_day_has_the_hours_the_clocks_give_it(chosen: date, hours: int) -> None:
    """In Brussels the clocks go forward on 29 March 2026 and back on 25 October."""
    speak("fr", "Europe/Brussels")
    assert end_of_day(chosen) - end_of_day(chosen - timedelta(days=1)) == timedelta(hours=hours)


def test_a_list_reads_as_a_list() -> None:
    """In the order given, a set in the order of its words, with the reader's "and"; terms by their labels."""
    together = frozenset({Setting.PLAN, Setting.ADD_ONS})
    assert (listed(["b", "c", "a"]), shown(together)) == ("b, c and a", "Add-ons and Subscription")
    speak("fr")
    assert (listed(["b", "c", "a"]), shown(together)) == ("b, c et a", "Abonnement et Modules complémentaires")
    speak("nl")
    assert (listed(["b", "c", "a"]), shown(together)) == ("b, c en a", "Abonnement en Extra modules")


@pytest.mark.parametrize(
    ("count", "english", "french", "dutch"),
    [
        (0, "Save 0 changes", "Sauvegarder 0 modification", "0 wijzigingen opslaan"),
        (1, "Save 1 change", "Sauvegarder 1 modification", "1 wijziging opslaan"),
        (2, "Save 2 changes", "Sauvegarder 2 modifications", "2 wijzigingen opslaan"),
        (1000, "Save 1,000 changes", f"Sauvegarder 1{NARROW_NO_BREAK}000 modifications", "1.000 wijzigingen opslaan"),
    ],
)
def test_things_are_counted_as_the_reader_counts_them(count: int, english: str, french: str, dutch: str) -> None:
    """None is singular in French, and plural in English and Dutch."""
    for spoken, words in (("en", english), ("fr", french), ("nl", dutch)):
        speak(spoken)
        assert nt("Save {count} change", "Save {count} changes", count) == words


def test_a_refusal_raised_in_english_reads_in_french() -> None:
    """A sentence is put together when it is read: its words, its terms and the names in the catalogue."""
    with pytest.raises(NoPrice) as raised:
        raise NoPrice(item=SAMPLE.plans["classic"], billing_period=BillingPeriod.YEARLY)
    assert str(raised.value).startswith("Classic has no yearly price.")
    french = read_by("fr", raised.value)
    assert "Classique" in french
    assert "n’a pas de prix annuel. Choisissez une facturation mensuelle" in french
    assert language() == "en"
    assert str(raised.value).startswith("Classic has no yearly price")


def test_a_refusal_tells_the_moment_in_the_reader_s_time_zone() -> None:
    """Who saved what, and when by the clock of the reader."""
    refusal = StaleDefaults(version=4, saved_by="The administrator", saved_at=datetime(2026, 3, 3, 23, 30, tzinfo=UTC))
    assert str(refusal).startswith("The administrator saved version 4 on 3 Mar 2026, 23:30.")
    french = read_by("fr", refusal, "Europe/Brussels")
    assert french.startswith("The administrator a sauvegardé la version 4 le 4 mars 2026, 00:30.")


def test_a_refusal_of_what_was_typed_reads_in_french_field_by_field() -> None:
    """The fields' sentences wait for their reader too."""
    refusal = BadInput({"note": (TOO_LONG, {"limit": 1500})})
    assert refusal.fields == {"note": "This text is too long. Keep it within 1,500 characters."}
    speak("fr")
    assert refusal.fields == {"note": f"Ce texte est trop long. Limitez-le à 1{NARROW_NO_BREAK}500 caractères."}


def test_a_refusal_names_settings_in_the_reader_s_words() -> None:
    """Terms inside a sentence are labels, not what is stored."""
    refusal = MissingSetting((Setting.PLAN, Setting.PAYER))
    assert str(refusal) == "No default settings are saved yet. Choose these too: Subscription and Paid by."
    assert read_by("fr", refusal).endswith(f"Choisissez aussi{NO_BREAK}: Abonnement et Payé par.")


@pytest.mark.parametrize("spoken", LANGUAGES)
@pytest.mark.parametrize(
    "name", ["{plan}", "{", "}}", "{0.__class__}", "%s", "%(name)s", "100 %", "**bold**", "Côté d'Or"]
)
def test_what_people_typed_is_shown_letter_for_letter(spoken: str, name: str) -> None:
    """Braces and percent signs in a name are letters like any other."""
    speak(spoken)
    assert shown(name) == name
    refusal = str(AlreadyClient(client_id=1, name=name, invited_on=date(2026, 3, 3)))
    assert re.search(rf" {re.escape(name)}, (invit|uitgenodigd)", refusal)
    assert t("{setting}: {before} → {after}", setting=Setting.PLAN, before=name, after="Plus").endswith(
        f"{NO_BREAK}: {name} → Plus" if spoken == "fr" else f" {name} → Plus"
    )


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [
        (["fr-BE"], "fr"),
        (["fr_BE"], "fr"),
        (["fr"], "fr"),
        (["en-US"], "en"),
        (["nl-BE"], "nl"),
        (["de-BE", "nl-BE"], "nl"),
        ([None], "en"),
        ([""], "en"),
        (["not a language"], "en"),
        ([], "en"),
        (["nl-BE", "fr-FR", "en"], "nl"),
        (["de", "fr-FR", "nl"], "fr"),
        (["en-GB", "fr-BE"], "en"),
        ([None, "fr-BE"], "fr"),
    ],
)
def test_the_first_wanted_language_that_is_spoken_is_the_best(wanted: list[str | None], spoken: str) -> None:
    """What a browser or a member asks for, in order; English where none is spoken."""
    assert best_language(*wanted) == spoken


def test_a_language_that_is_not_spoken_is_english() -> None:
    """Nobody is left without words."""
    speak("de")
    assert (language(), Payer.CLIENT.label) == ("en", "The client")
