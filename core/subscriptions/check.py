"""Recompute every client from the versions and the choices, and say where what is stored differs."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from core import catalogue, members
from core.catalogue import AddOnRow
from core.defaults import FIRST_SET, DefaultSettings, choices, resolve
from core.members import Member, Partner
from core.storage import allow_minutes, now
from core.subscriptions.batches import batch_differences
from core.subscriptions.forgetting import still_known
from core.subscriptions.history_check import history_differences
from core.subscriptions.instants import holds_now
from core.subscriptions.tables import Batch, Client, ClientChange, Responsible, Subscription, searched_text
from core.words import BillingSettings, ClientDetail, MissingSetting, fold

_Key = tuple[int, int, int]

_LAST_BATCH = select(Batch.partner_id, func.max(Batch.batch).label("last")).group_by(Batch.partner_id)
_COUNTERS = select(Partner.partner_id, Partner.last_client_id, Partner.last_batch).order_by(Partner.partner_id)


def differences(session: Session) -> Iterator[str]:
    """One sentence per difference, in every partner space; none when all is well. Reads in a stream.

    Checks that each revision's settings are what its version and its choices give, that revisions are numbered and
    joined without gap or overlap, that one holds now and at most one waits, for its renewal, that rhythm and purchase
    list are what history says, that somebody looked after each client at every moment since its first revision and that
    whoever does so now can, that copies equal what they copy, that the edits of a client's details lead to the details
    it has, that nothing is left of forgotten clients, that the counters of each partner say the last client and the
    last batch, that a batch changed as many clients as it says, and that the price lists are what was loaded.
    """
    allow_minutes(session)
    counters = {row.partner_id: row for row in session.execute(_COUNTERS)}
    last_client, last_batch = dict.fromkeys(counters, 0), dict.fromkeys(counters, 0)
    last_batch |= {row.partner_id: row.last for row in session.execute(_LAST_BATCH)}
    versions = {(row.partner_id, *row.bound): row.settings for row in session.scalars(select(DefaultSettings))}
    add_ons = frozenset(session.scalars(select(AddOnRow.add_on)))
    partners = {partner.partner_id: partner for partner in session.scalars(select(Partner))}
    offers = {code: catalogue.stored(session, code) for code in {each.currency for each in partners.values()}}
    loaded = {
        currency: {number: said.at for number, said in catalogue.loaded(session, billed_so).items()}
        for currency, billed_so in {each.currency: each for each in partners.values()}.items()
    }
    moment = _moment(session)
    rows = session.execute(
        select(Subscription, Client.sort_name, Client.name)
        .outerjoin(Client, _same_client(Subscription))
        .order_by(Subscription.partner_id, Subscription.client_id, Subscription.revision)
        .execution_options(yield_per=1000)
    )
    for (partner_id, client_id), revisions in groupby(rows, lambda row: (row[0].partner_id, row[0].client_id)):
        whose, life = f"partner {partner_id}, client {client_id}", []
        for revision, sort_name, name in revisions:
            for difference in (
                *_unexplained(revision, versions, add_ons),
                *_wrong_copies(revision, sort_name, name),
            ):
                yield f"{whose}, revision {revision.revision}: {difference}"
            life.append(revision)
            last_client[partner_id] = client_id
            session.expunge(revision)
        partner = partners[partner_id]
        for number, difference in history_differences(
            life,
            time_zone=partner.time_zone,
            offer=offers[partner.currency],
            loaded=loaded[partner.currency],
            moment=moment,
        ):
            where = whose if number is None else f"{whose}, revision {number}"
            yield f"{where}: {difference}"
    for partner_id, client_id in session.execute(_without_subscription()):
        yield f"partner {partner_id}, client {client_id}: has no subscription"
        last_client[partner_id] = max(last_client.get(partner_id, 0), client_id)
    for partner_id, counter in counters.items():
        for what, last, said in (
            ("client", last_client[partner_id], counter.last_client_id),
            ("batch", last_batch[partner_id], counter.last_batch),
        ):
            if last != said:
                yield f"partner {partner_id}: its last {what} is {last}, its counter says {said}"
    yield from _edits_that_do_not_lead_to_the_details(session)
    yield from _not_found_by_what_they_are(session)
    yield from still_known(session)
    yield from _responsible_gaps(session, moment)
    yield from catalogue.altered(session)
    yield from _responsible_who_cannot(session)
    yield from batch_differences(session)


def _moment(session: Session) -> datetime:
    """The instant at which everything is looked at: not before the last decision, as clocks step back."""
    last = session.scalar(select(func.max(Subscription.decided_at)))
    return now(session) if last is None else max(now(session), last)


def _responsible_gaps(session: Session, moment: datetime) -> Iterator[str]:
    """Moments at which nobody looks after a client, or which do not join; and a list that says another one."""
    first, current = aliased(Subscription), aliased(Subscription)
    found = (
        select(
            Client.partner_id, Client.client_id, Responsible.valid_from, Responsible.valid_to, Responsible.member_id,
            first.valid_from, current.responsible_id,
        )
        .outerjoin(Responsible, _same_client(Responsible))
        .outerjoin(first, _same_client(first) & (first.revision == 1))
        .outerjoin(current, _same_client(current) & holds_now(current))
        .order_by(Client.partner_id, Client.client_id, Responsible.valid_from)
    )  # fmt: skip
    rows = session.connection().execute(found, {"now": moment}, execution_options={"yield_per": 1000})
    for (partner_id, client_id), decided in groupby(rows, lambda row: (row[0], row[1])):
        where, until = f"partner {partner_id}, client {client_id}", None
        for number, (_, _, start, end, member_id, invited_at, copied) in enumerate(decided):
            expected = until if number else invited_at
            if start is None:
                yield f"{where}: nobody looks after it"
            elif start != expected:
                yield f"{where}: member {member_id} looks after it from {start}, expected from {expected}"
            if start is not None and end is None and copied != member_id:
                yield f"{where}: member {member_id} looks after it, the list says {copied}"
            until = end
        if start is not None and until is not None:
            yield f"{where}: nobody looks after it since {until}"


def _responsible_who_cannot(session: Session) -> Iterator[str]:
    """Members who look after clients now, and by their role and access cannot."""
    looks_after = exists().where(
        Responsible.partner_id == Member.partner_id,
        Responsible.member_id == Member.member_id,
        Responsible.valid_to.is_(None),
    )
    for member in session.scalars(select(Member).where(looks_after).order_by(Member.partner_id, Member.member_id)):
        if not members.can_be_responsible(member):
            yield f"partner {member.partner_id}, member {member.member_id}: looks after clients, and cannot"


def _same_client(table: Any) -> ColumnElement[bool]:
    return and_(table.partner_id == Client.partner_id, table.client_id == Client.client_id)


def _unexplained(
    revision: Subscription, versions: dict[_Key, BillingSettings], add_ons: frozenset[str]
) -> Iterator[str]:
    bound_to = revision.bound
    bound = None if bound_to is None else versions.get((revision.partner_id, *bound_to))
    if bound_to is not None and bound is None:
        yield f"bound to version {bound_to.version} of set {bound_to.set_number}, which does not exist"
        return
    set_number, version = (FIRST_SET, None) if bound_to is None else bound_to
    try:
        expected = resolve(
            bound, choices(revision.settings, revision.overridden), version=version, set_number=set_number
        )
    except MissingSetting as missing:
        yield f"bound to no version, yet not chosen: {', '.join(missing.settings)}"
        return
    if expected.settings != revision.settings:
        yield f"stored {revision.settings}, recomputed {expected.settings}"
    if unknown := revision.add_ons - add_ons:
        yield f"add-ons that the catalogue does not have: {', '.join(sorted(unknown))}"


def _wrong_copies(revision: Subscription, sort_name: str | None, name: str | None) -> Iterator[str]:
    if name is None:
        yield "belongs to no client"
    elif not revision.sort_name == sort_name == fold(name):
        yield f"sorts as {revision.sort_name!r}, its client as {sort_name!r}, its name as {fold(name)!r}"


def _not_found_by_what_they_are(session: Session) -> Iterator[str]:
    looked_in = (Client.name, Client.email, Client.country, Client.company_number, Client.vat_number)
    rows = session.execute(select(Client.partner_id, Client.client_id, Client.search_text, *looked_in))
    for row in rows.yield_per(1000):
        if row.search_text != (expected := searched_text(row._asdict())):
            yield f"partner {row.partner_id}, client {row.client_id}: searched in {row.search_text!r}, not {expected!r}"


def _edits_that_do_not_lead_to_the_details(session: Session) -> Iterator[str]:
    rows = session.execute(
        select(ClientChange, *(getattr(Client, what.value) for what in ClientDetail))
        .join(Client, _same_client(ClientChange))
        .where(Client.forgotten_at.is_(None))
        .order_by(ClientChange.partner_id, ClientChange.client_id, ClientChange.number)
        .execution_options(yield_per=1000)
    )
    for (partner_id, client_id), changes in groupby(rows, lambda row: (row[0].partner_id, row[0].client_id)):
        where, known, number = f"partner {partner_id}, client {client_id}", dict[ClientDetail, str](), 0
        details: dict[ClientDetail, str] = {}
        for change, *now_so in changes:
            details = {what: value or "" for what, value in zip(ClientDetail, now_so, strict=True)}
            if change.number not in (number, number + 1):
                yield f"{where}, edit {change.number}: expected edit {number + 1}"
            if known.get(change.what, change.before) != change.before:
                yield f"{where}, edit {change.number}: {change.what} was {known[change.what]!r}, not {change.before!r}"
            known[change.what], number = change.after, change.number
            session.expunge(change)
        for what, value in known.items():
            if details[what] != value:
                yield f"{where}: {what} is {details[what]!r}, its edits lead to {value!r}"


def _without_subscription() -> Select[int, int]:
    return (
        select(Client.partner_id, Client.client_id)
        .outerjoin(Subscription, _same_client(Subscription))
        .where(Subscription.client_id.is_(None))
    )
