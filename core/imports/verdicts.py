"""Many clients at once, from a spreadsheet someone brings: a verdict for each row, then all the ready ones or none."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import cache

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core import catalogue, defaults, members, spreadsheets
from core.catalogue import Catalogue, Plan, Price
from core.defaults import EffectiveSettings, Sets, SetVersion
from core.imports.choosing import chosen_before, values_of
from core.imports.headings import Columns, Said, recognise, recognised_count, said_over
from core.imports.report import (
    ImportPreview,
    ImportReport,
    ImportRow,
    Reason,
    StalePreview,
    Verdict,
    spoken_of,
)
from core.imports.rows import ReadRow, read_rows
from core.imports.vocabulary import Column
from core.invitations import bindable, invite_all
from core.members import Member, Permission, can_be_responsible
from core.spreadsheets import Sheet
from core.storage import allow_minutes
from core.subscriptions import Client
from core.words import (
    N_,
    AddOnsNotOffered,
    BillingError,
    ChoiceRefused,
    MissingSetting,
    NoPrice,
    Overrides,
    Payer,
    Setting,
)

CHUNK = 1000  # rows after which the progress is reported, and e-mails looked up at once

_SETTINGS = frozenset({Column.DEFAULT_SET, *(Column(setting.value) for setting in Setting)})
_SAME_E_MAIL = N_("Row {line} has the same e-mail.")
_PLACES: dict[Column | None, int] = {column: place for place, column in enumerate([*Column, None])}
_KNOWN = select(Client.email, Client.client_id).where(
    Client.partner_id == bindparam("partner_id", type_=Client.partner_id.type),
    Client.email.in_(bindparam("emails", expanding=True)),
)

Progress = Callable[[int], object]
Held = tuple[EffectiveSettings, Price] | Reason


def read(name: str, content: bytes, *, encoding: str = "") -> Sheet:
    """The list in a file of this name, in this encoding if somebody says it (core.spreadsheets.read). Raises
    UnreadableFile."""
    return spreadsheets.read(name, content, recognised=recognised_count, encoding=encoding)


def read_as(sheet: Sheet, encoding: str) -> Sheet:
    """The list in a file that was read in another encoding. Raises UnreadableFile."""
    return spreadsheets.read_as(sheet, encoding, recognised=recognised_count)


def read_pasted(text: str) -> Sheet:
    """The list in rows copied from a spreadsheet, headings first. Raises UnreadableFile."""
    return spreadsheets.read_pasted(text, recognised=recognised_count)


def preview(
    session: Session,
    member: Member,
    sheet: Sheet,
    *,
    said: Said | None = None,
    country: str = "",
    progress: Progress = lambda _: None,
) -> ImportPreview:
    """A verdict for each row, in the order of the sheet. Nothing is written.

    `said` names the headings of columns that are not to be found by themselves; what it leaves open is as it was chosen
    before (choose_columns). `country` (ISO 3166 alpha-2) is that of rows without one, and `progress` is called with how
    many rows are read.

    A blank cell takes the default, of the standard set where the row names none (rule 18); whatever a cell holds is a
    choice, also where it equals the default. A client whose language is blank is written to in the language that
    whoever brings the list reads; one whose account manager is blank is looked after by whoever invites it (rule 53).
    Raises NotAllowed, ColumnsNotFound, SameColumnTwice (HardlyFilled), NoSuchHeading, HeadingTwice.
    """
    members.require(member, Permission.INVITE)
    before = chosen_before(session, member.partner_id, sheet.headings)
    said = said_over(said or {}, before, sheet.headings)
    columns = recognise(sheet.headings, said, values=values_of(sheet), rows=len(sheet.rows))
    sets = defaults.sets_of(session, member.partner_id)
    offer = catalogue.current(session, member.partner)
    colleagues = members.of_partner(session, member.partner_id)
    understood = []
    for done, row in enumerate(read_rows(sheet.rows, columns, offer, colleagues, sets, country=country), 1):
        understood.append(row)
        if done % CHUNK == 0 or done == len(sheet.rows):
            progress(done)
    known = _known(session, member, (row.email for row in understood if row.email is not None))
    rows = tuple(_judged(understood, known, _held_once(session, member, sets, offer)))
    named = {row.responsible_id for row in rows}
    return ImportPreview(
        sheet=sheet,
        columns=columns,
        are_chosen=bool(before),
        lacking=_lacking(rows, columns),
        country=country,
        rows=rows,
        partner_id=member.partner_id,
        standard=None if sets.standard is None else sets.standard.newest.bound,
        edition=offer.edition,
        price_list=offer.prices.number,
        counts=dict.fromkeys(Verdict, 0) | Counter(row.verdict for row in rows),
        cents_per_year_paid_by_partner=_cents_per_year(rows, Payer.PARTNER),
        cents_per_year_paid_by_clients=_cents_per_year(rows, Payer.CLIENT),
        currency=offer.currency,
        responsible={each.member_id: each.name for each in colleagues if each.member_id in named},
        versions=dict(row.effective.bound for row in rows if row.effective is not None and row.effective.bound),
        set_names={each.set_number: each.name for each in sets} if sets.are_several else {},
    )


def invite_ready(
    session: Session,
    member: Member,
    previewed: ImportPreview,
    *,
    attempt: str = "",
    progress: Progress = lambda _: None,
) -> ImportReport:
    """Invite the client of every ready row, with the settings and the account manager that were shown, or nobody.

    A row whose e-mail became a client's meanwhile counts as an existing client: the same list brought twice, or by two
    people at once, invites each once. `attempt` names one drawn preview: sent twice, it is answered with the report of
    the first time (members.form_sent). `progress` is called with how many are invited.
    Raises NotAllowed, StaleDefaults, StaleStandard, RetiredSet, StalePreview; nothing is written then.
    """
    members.act(session, member, Permission.INVITE)
    form = members.form_sent(
        session, member, attempt, "import",
        standard=previewed.standard, versions=sorted(previewed.versions.items()), edition=previewed.edition,
        clients=[row.new_client.email for row in previewed.rows if row.new_client is not None],
    )  # fmt: skip
    if form.answer is not None:
        return ImportReport(**form.answer)
    allow_minutes(session)
    sets = _unchanged(session, member, previewed)
    ready = [
        (row.new_client, row.effective.bound, row.overrides, row.responsible_id)
        for row in previewed.rows
        if row.new_client is not None and row.effective is not None
    ]
    known = _known(session, member, (new_client.email for new_client, *_ in ready))

    @cache
    def effective(bound: SetVersion | None, overrides: Overrides) -> EffectiveSettings:
        return bindable(session, member, sets, None if bound is None else sets.named(bound.set_number), overrides)

    chosen = [
        (new_client, effective(bound, overrides), member.member_id if responsible_id is None else responsible_id)
        for new_client, bound, overrides, responsible_id in ready
        if new_client.email not in known
    ]
    report = ImportReport(
        rows=len(previewed.rows),
        invited=len(chosen),
        needing_correction=previewed.counts[Verdict.NEEDS_CORRECTION],
        twice=previewed.counts[Verdict.TWICE],
        already_clients=previewed.counts[Verdict.ALREADY_CLIENT] + len(ready) - len(chosen),
        batch=invite_all(session, member, chosen, progress=progress) if chosen else None,
        version=previewed.defaults_version,
    )
    form.done(**asdict(report))
    return report


def _unchanged(session: Session, member: Member, previewed: ImportPreview) -> Sets:
    """The default sets, of which those that ready rows take, like the catalogue and its prices, are still those of the
    preview; and those who would look after the clients still can."""
    if previewed.partner_id != member.partner_id:
        raise StalePreview
    sets = defaults.sets_of(session, member.partner_id)
    standard = sets.standard
    if standard is not None and previewed.standard is None:
        raise defaults.stale(standard.newest)
    if standard is not None and previewed.standard is not None and standard.set_number != previewed.standard.set_number:
        raise defaults.stale_standard(session, standard)
    for bound in previewed.versions.items():
        defaults.require_shown(session, sets, sets.pick(bound[0]), SetVersion(*bound))
    offer = catalogue.current(session, member.partner)
    if (offer.edition, offer.prices.number) != (previewed.edition, previewed.price_list):
        raise StalePreview
    able = {each.member_id for each in members.of_partner(session, member.partner_id) if can_be_responsible(each)}
    if not previewed.responsible.keys() <= able:
        raise StalePreview
    return sets


def _known(session: Session, member: Member, emails: Iterable[str]) -> dict[str, int]:
    """Of these e-mails, those of clients of the partner, each with the client's number."""
    asked = list(dict.fromkeys(emails))
    found: dict[str, int] = {}
    for start in range(0, len(asked), CHUNK):
        whose = {"partner_id": member.partner_id, "emails": asked[start : start + CHUNK]}
        found |= dict(session.connection().execute(_KNOWN, whose).all())
    return found


def _held_once(
    session: Session, member: Member, sets: Sets, offer: Catalogue
) -> Callable[[int | None, Overrides], Held]:
    """What tells, worked out once for each default set with a set of choices, what a client with them would get and
    pay, or why not."""

    @cache
    def held(set_number: int | None, overrides: Overrides) -> Held:
        try:
            effective = bindable(session, member, sets, sets.pick(set_number), overrides)
        except (ChoiceRefused, MissingSetting) as refusal:
            return Reason.of(_refused(refusal, overrides), refusal)
        return effective, offer.price(effective.settings)

    return held


def _refused(refusal: BillingError, overrides: Overrides) -> Column | None:
    """The column to correct; None where it is every setting that is missing."""
    if isinstance(refusal, MissingSetting):
        return None
    if isinstance(refusal, NoPrice):
        return Column.BILLING_PERIOD
    if isinstance(refusal, AddOnsNotOffered):
        return Column.PLAN if overrides.add_ons is None else Column.ADD_ONS
    return Column.PLAN if isinstance(refusal.values.get("item"), Plan) else Column.ADD_ONS


def _judged(
    understood: Iterable[ReadRow], known: Mapping[str, int], held_with: Callable[[int | None, Overrides], Held]
) -> Iterator[ImportRow]:
    """Each row with its verdict: an existing client, whatever else is so; twice in the file; to correct; or ready."""
    lines: dict[str, int] = {}
    for row in understood:
        held = None if _SETTINGS & row.reasons.keys() else held_with(row.set_number, row.overrides)
        reasons = [*row.reasons.values(), *([held] if isinstance(held, Reason) else [])]
        if row.email is not None and row.email in known:
            yield _row(row, Verdict.ALREADY_CLIENT, client_id=known[row.email])
        elif row.email is not None and row.email in lines:
            again = Reason(Column.EMAIL, _SAME_E_MAIL, {"line": str(lines[row.email])})
            yield _row(row, Verdict.TWICE, [again, *reasons])
        elif reasons:
            yield _row(row, Verdict.NEEDS_CORRECTION, reasons)
        else:
            yield _row(row, Verdict.READY, held=held)
        if row.email is not None:
            lines.setdefault(row.email, row.line)


def _lacking(rows: Iterable[ImportRow], columns: Columns) -> tuple[Column, ...]:
    wanted = spoken_of(rows) - columns.places.keys()
    return tuple(column for column in Column if column in wanted)


def _row(
    row: ReadRow,
    verdict: Verdict,
    reasons: Iterable[Reason] = (),
    *,
    held: Held | None = None,
    client_id: int | None = None,
) -> ImportRow:
    effective, price = held if isinstance(held, tuple) else (None, None)
    return ImportRow(
        line=row.line,
        cells=row.cells,
        verdict=verdict,
        reasons=tuple(sorted(reasons, key=lambda reason: _PLACES[reason.column])),
        new_client=row.new_client if verdict is Verdict.READY else None,
        overrides=row.overrides,
        effective=effective,
        price=price,
        client_id=client_id,
        responsible_id=row.responsible_id if verdict is Verdict.READY else None,
    )


def _cents_per_year(rows: Iterable[ImportRow], payer: Payer) -> int:
    return sum(
        row.price.cents_per_year
        for row in rows
        if row.price is not None and row.effective is not None and row.effective.payer.value is payer
    )
