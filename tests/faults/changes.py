"""Every use case that changes something, each with a partner space in which it does: the one list that killing,
cutting, racing and filling up the disk go over."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import bulk, catalogue, defaults, imports, invitations, members, reports, spreadsheets, subscriptions, team
from core.bulk import Override, PastBatch, Ticked
from core.catalogue import SAMPLE
from core.invitations import ClientDetails, NewClient, OutboxMessage, PayerMessage
from core.members import Identity, Member, Permission
from core.storage import Base, Database, Instant, now
from core.subscriptions import Seen
from core.team import NewMember
from core.words import BillingError, Overrides, Payer, Role
from tests.conftest import PLUS, STANDARD, Space, with_prices

Act = Callable[[Session, Member], Any]
CLIENT, GONE, ENDING = 1, 2, 3  # the second one's invitation is revoked; the third is active and is to end
CHANGED = 4  # in batch 1
UNTOLD = 5  # pays, and was not reached by the message that says so
FORMER = 6  # archived
TO_COME = 2  # the price list that has not begun
PAID = Override(Overrides(payer=Payer.PARTNER))
HIRED, LEFT = 5, 6  # two members, the second inactive
OTHER_SET, RETIRED_SET = 2, 3  # default sets beside the standard one
NEW = NewClient.from_typed(name="New", email="new@example.com")
EDITED = ClientDetails.from_typed(name="Edited", email="edited@example.com")
SHEET = spreadsheets.read_pasted("name\tcountry\temail\nOne\tBE\tone@example.com\nTwo\tBE\ttwo@example.com")
NEW_MEMBER = NewMember(name="New member", email="new.member@example.com", role=Role.FINANCE)
DEARER = {key: cents + 100 for key, cents in SAMPLE.plan_prices.items()}
LATER = with_prices(SAMPLE, number=TO_COME, valid_from=date(2027, 1, 1), plan_prices=DEARER)
FEWER = replace(LATER, plans=SAMPLE.plans | {"starter": replace(SAMPLE.plans["starter"], is_retired=True)})


_LINKS: dict[int, str] = {}  # by partner space: the token of the client's link, as its holder keeps it


def _link(session: Session, member: Member) -> str:
    """The token of the client's link: as it was when the space was furnished, or, in another process, as it waits."""
    if member.partner_id in _LINKS:
        return _LINKS[member.partner_id]
    return _token(session, member, CLIENT)


def _token(session: Session, member: Member, client_id: int) -> str:
    waiting = invitations.waiting(session, member.partner_id, client_id, OutboxMessage)
    assert waiting is not None
    assert waiting.token is not None
    return waiting.token


def _change_all(session: Session, member: Member) -> PastBatch:
    """The clients that are not ending are changed in one act, previewed in the turn of whoever does it."""
    members.act(session, member, PAID.permission)
    chosen = Ticked((CLIENT, GONE))
    digest = bulk.preview(session, member, PAID, chosen).digest
    return bulk.do(session, member, PAID, chosen, digest=digest, reason="All")


def _import(session: Session, member: Member) -> Any:
    """Two clients of a list are invited, previewed in the turn of whoever does it."""
    members.act(session, member, Permission.INVITE)
    return imports.invite_ready(session, member, imports.preview(session, member, SHEET))


def _undo(session: Session, member: Member) -> PastBatch:
    """What was done to a client in an act of its own is undone, previewed in the turn of whoever does it."""
    members.act(session, member, PAID.permission)
    return bulk.undo(session, member, 1, digest=bulk.undo_preview(session, member, 1).digest, reason="Back")


def _remove_view(session: Session, member: Member) -> None:
    """The view that there is goes, looked for in the turn of whoever does it; or nothing does, where it is gone."""
    members.act(session, member, Permission.READ_CLIENTS)
    for view in reports.views(session, member)[:1]:
        reports.remove_view(session, member, view.view_id)


CHANGES: dict[str, Act] = {
    "bulk.do": _change_all,
    "bulk.undo": _undo,
    "defaults.save": lambda s, m: defaults.save(s, m, STANDARD, seen=2),
    "defaults.make_set": lambda s, m: defaults.make_set(s, m, "Freelancers", PLUS),
    "defaults.rename_set": lambda s, m: defaults.rename_set(s, m, OTHER_SET, "Companies", seen=1),
    "defaults.retire_set": lambda s, m: defaults.retire_set(s, m, OTHER_SET, seen=1),
    "defaults.bring_back_set": lambda s, m: defaults.bring_back_set(s, m, RETIRED_SET, seen=2),
    "defaults.make_standard": lambda s, m: defaults.make_standard(s, m, OTHER_SET, seen=1),
    "invitations.invite": lambda s, m: invitations.invite(s, m, NEW),
    "imports.choose_columns": lambda s, m: imports.choose_columns(s, m, SHEET, {}),
    "imports.invite_ready": _import,
    "invitations.edit_client": lambda s, m: invitations.edit_client(s, m, CLIENT, EDITED, seen=0),
    "invitations.send_again": lambda s, m: invitations.send_again(s, m, CLIENT, seen=1),
    "invitations.tell_again": lambda s, m: invitations.tell_again(s, m, UNTOLD, seen=1),
    "invitations.revoke": lambda s, m: invitations.revoke(s, m, CLIENT),
    "invitations.invite_again": lambda s, m: invitations.invite_again(s, m, FORMER),
    "invitations.forget": lambda s, m: invitations.forget(s, m.partner_id, FORMER, by=m),
    "invitations.accept": lambda s, m: invitations.accept(s, _link(s, m)),
    "subscriptions.override": lambda s, m: subscriptions.override(s, m, CLIENT, Overrides(payer=Payer.PARTNER), seen=1),
    "subscriptions.take_back": lambda s, m: subscriptions.take_back(s, m, CHANGED, seen=2),
    "subscriptions.adopt_current_defaults": lambda s, m: subscriptions.adopt_current_defaults(s, m, [CLIENT]),
    "subscriptions.archive": lambda s, m: subscriptions.archive(s, m, CLIENT, seen=1),
    "subscriptions.cancel_pending": lambda s, m: subscriptions.cancel_pending(s, m, ENDING, seen=Seen(2, 3)),
    "subscriptions.change_responsible": lambda s, m: subscriptions.change_responsible(s, m, CLIENT, 1, seen=HIRED),
    "subscriptions.load_catalogue": lambda s, _: subscriptions.load_catalogue(s, FEWER),
    "subscriptions.withdraw_price_list": lambda s, m: subscriptions.withdraw_price_list(s, TO_COME, "EUR", by=m),
    "members.choose_language": lambda s, m: members.choose_language(s, m, "fr"),
    "reports.save_view": lambda s, m: reports.save_view(s, m, "Paid by us", {"payer": "partner"}),
    "reports.remove_view": _remove_view,
    "team.invite_member": lambda s, m: team.invite_member(s, m, NEW_MEMBER),
    "team.change_member": lambda s, m: team.change_member(s, m, LEFT, role=Role.FINANCE, client_access=False, seen=2),
    "team.deactivate": lambda s, m: team.deactivate(s, m, HIRED, successor_id=1, seen=2),
    "team.bring_back": lambda s, m: team.bring_back(s, m, LEFT, seen=2),
    "team.send_again": lambda s, m: team.send_again(s, m, HIRED, seen=1),
    "team.release_sign_in": lambda s, m: team.release_sign_in(s, m, HIRED, seen=2),
}

IS_LONG = os.environ.get("BILLING_FAULTS") == "long"  # as `python -m tests.faults --long` sets it
SOME = [  # of the list, for what takes long: one of each kind
    "defaults.save",
    "bulk.do",
    "bulk.undo",
    "imports.invite_ready",
    "invitations.accept",
    "invitations.forget",
    "subscriptions.override",
    "subscriptions.withdraw_price_list",
    "team.deactivate",
]
CHOSEN = list(CHANGES) if IS_LONG else SOME
_BY_CHANCE = {"token_hash", "token", "message_id", "activity_id", "view_id"}
_NAMES_OF_ROWS = {"partner": {"name"}, "sign_in_event": {"event_id"}}  # of another partner another one


def furnish(space: Space) -> None:
    """Afterwards each of CHANGES changes something in this empty partner space."""
    space.save(STANDARD)
    with space.database.transaction() as session:
        _announce_prices(session)
        for name in ("Other", "Retired"):
            defaults.make_set(session, space.administrator, name, STANDARD)
        defaults.retire_set(session, space.administrator, RETIRED_SET, seen=1)
        for name in ("Hired", "Left"):
            newcomer = NewMember(name=name, email=f"{name.lower()}@example.com", role=Role.ACCOUNTANT)
            team.invite_member(session, space.administrator, newcomer)
        team.deactivate(session, space.administrator, LEFT, seen=1)
        for name in ("Aubry", "Gone", "Ending", "Changed", "Untold", "Former"):
            client = NewClient.from_typed(name=name, email=f"{name.lower()}@example.com")
            invitations.invite(session, space.manager, client, responsible_id=HIRED)
        invitations.revoke(session, space.manager, GONE)
        former = subscriptions.detail(session, space.manager, FORMER)
        subscriptions.archive(session, space.manager, FORMER, seen=former.seen)
        invitations.accept(session, _token(session, space.administrator, ENDING))
        ending = subscriptions.detail(session, space.manager, ENDING)
        subscriptions.archive(session, space.manager, ENDING, seen=ending.seen)
        invitations.accept(session, _token(session, space.administrator, UNTOLD))
        for payer in (Payer.PARTNER, Payer.CLIENT):
            untold = subscriptions.detail(session, space.manager, UNTOLD)
            subscriptions.override(session, space.manager, UNTOLD, Overrides(payer=payer), seen=untold.seen)
        given_up = update(PayerMessage).where(PayerMessage.partner_id == space.partner_id)
        session.execute(given_up.values(next_attempt_at=None, given_up_at=now(session)))
        reports.save_view(session, space.administrator, "Active", {"status": "active"})
        digest = bulk.preview(session, space.manager, PAID, Ticked((CHANGED,))).digest
        bulk.do(session, space.manager, PAID, Ticked((CHANGED,)), digest=digest, reason="One")
    signed_in_at = space.clock() - timedelta(hours=1)
    members.bind(
        space.database, Identity("https://login.example", "hired", "hired@example.com", True, "", signed_in_at)
    )
    space.save(PLUS)
    space.clock.forward(hours=1)
    _LINKS.pop(space.partner_id, None)
    with space.database.reading() as session:
        _LINKS[space.partner_id] = _link(session, space.administrator)


def _announce_prices(session: Session) -> None:
    """Afterwards a price list is to come, for all partner spaces: it is stored with the first of them."""
    stored = catalogue.stored(session, "EUR")
    assert stored is not None
    if len(stored.price_lists) < TO_COME:
        catalogue.store(session, replace(stored, price_lists=(*stored.price_lists, LATER.prices)))


def make(database: Database, partner_id: int, change: str) -> None:
    """Make this change, as the administrator of the space, in a transaction of its own."""
    with database.transaction() as session:
        CHANGES[change](session, members.of_partner(session, partner_id)[0])


def outcome(database: Database, partner_id: int, change: str) -> str:
    """Make this change: "done", or the name of the refusal."""
    try:
        make(database, partner_id, change)
    except BillingError as refusal:
        return type(refusal).__name__
    return "done"


def state(database: Database, partner_id: int | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table; of one partner's space: without what depends on the moment, on chance or its number."""
    found = {}
    with database.reading() as session:
        for table in Base.metadata.tables.values():
            of_partner = partner_id is not None and "partner_id" in table.columns
            left_out = {"partner_id", *_BY_CHANCE, *_NAMES_OF_ROWS.get(table.name, ())} if of_partner else set()
            columns = [each for each in table.columns if each.name not in left_out]
            kept = [
                each.is_not(None) if partner_id is not None and isinstance(each.type, Instant) else each
                for each in columns
            ]
            rows = select(*kept)
            if of_partner:
                rows = rows.where(table.columns.partner_id == partner_id)
            values = (tuple(_of_any(value, partner_id) for value in row) for row in session.execute(rows))
            found[table.name] = sorted(values, key=repr)
    return found


def _of_any(value: Any, partner_id: int | None) -> Any:
    """A value as it is in every space: the address of a forgotten client names the partner."""
    if partner_id is None or not isinstance(value, str):
        return value
    address = subscriptions.forgotten_address(partner_id, FORMER)
    return value.replace(address, "forgotten").replace("".join(c for c in address if c.isalnum()), "forgotten")


def differences(database: Database) -> list[str]:
    """What `check` says."""
    with database.reading() as session:
        return list(subscriptions.differences(session))
