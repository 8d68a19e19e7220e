"""Who may do what: rule 10, every role against every use case."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from core import bulk, defaults, imports, invitations, members, reports, spreadsheets, subscriptions, team
from core.bulk import Found, Override
from core.defaults import SetVersion
from core.imports.headings import recognise
from core.invitations import ClientDetails, NewClient, OutboxMessage, PayerMessage
from core.members import Member, Permission
from core.storage import now
from core.subscriptions import Seen
from core.team import NewMember
from core.words import (
    BillingError,
    ClientNotFound,
    MemberNotFound,
    NotAllowed,
    NothingToAdopt,
    Overrides,
    Payer,
    Role,
    UnknownSet,
)
from tests.conftest import PLUS, STANDARD, Space

UseCase = Callable[[Session, Member], Any]
NEW = NewClient.from_typed(name="New", email="new@example.com")
EDITED = ClientDetails.from_typed(name="Edited", email="edited@example.com")
SHEET = spreadsheets.read_pasted("name\tcountry\temail\nNew\tBE\tnew@example.com")
PREVIEWED = imports.ImportPreview(
    SHEET, recognise(SHEET.headings), (), 1, SetVersion(1, 1), 1, 1, dict.fromkeys(imports.Verdict, 0), 0, 0, "EUR"
)  # nobody is ready in it: enough to be refused by

NEW_MEMBER = NewMember(name="New member", email="new.member@example.com", role=Role.FINANCE)
HIRED = 5  # a fifth member of the first space, who is in no other


def written(workbook: bytes) -> str:
    """The cells of a workbook, a line for each row."""
    return "".join(f"{row}\n" for row in openpyxl.load_workbook(BytesIO(workbook)).active.values)


def ending(session: Session, member: Member) -> None:
    """The first client of the member's space accepted, and an administrator ends it with its paid period."""
    message = invitations.waiting(session, member.partner_id, 1, OutboxMessage)
    administrator = members.find(session, member.partner_id, 1)
    if message is not None and message.token is not None and administrator is not None:
        invitations.accept(session, message.token)
        subscriptions.archive(session, administrator, 1, seen=2)


def cancel_an_end(session: Session, member: Member) -> Any:
    """What waits is cancelled by the member."""
    ending(session, member)
    return subscriptions.cancel_pending(session, member, 1, seen=Seen(2, 3))


def tell_again(session: Session, member: Member) -> Any:
    """The first client accepted, pays since a decision of an administrator, and its message about it was given up."""
    message = invitations.waiting(session, member.partner_id, 1, OutboxMessage)
    administrator = members.find(session, member.partner_id, 1)
    if message is not None and message.token is not None and administrator is not None:
        invitations.accept(session, message.token)
        for payer in (Payer.PARTNER, Payer.CLIENT):
            seen = subscriptions.detail(session, administrator, 1).seen
            subscriptions.override(session, administrator, 1, Overrides(payer=payer), seen=seen)
        given_up = update(PayerMessage).where(PayerMessage.partner_id == member.partner_id)
        session.execute(given_up.values(next_attempt_at=None, given_up_at=now(session)))
    return invitations.tell_again(session, member, 1, seen=1)


def take_an_override_back(session: Session, member: Member) -> Any:
    """What an administrator chose for the first client is taken back by the member."""
    administrator = members.find(session, member.partner_id, 1)
    assert administrator is not None
    with suppress(ClientNotFound):
        subscriptions.override(session, administrator, 1, Overrides(payer=Payer.PARTNER), seen=1)
    return subscriptions.take_back(session, member, 1, seen=2)


PAID = Override(Overrides(payer=Payer.PARTNER))


def change_all(session: Session, member: Member) -> Any:
    """Every client of the space is changed by the member, as was previewed by somebody who may."""
    administrator = members.find(session, member.partner_id, 1)
    assert administrator is not None
    digest = bulk.preview(session, administrator, PAID, Found()).digest
    return bulk.do(session, member, PAID, Found(), digest=digest, reason="All")


def a_batch(session: Session, member: Member) -> int:
    """The number of a batch that an administrator made; of one that there is not, where there are no clients."""
    administrator = members.find(session, member.partner_id, 1)
    assert administrator is not None
    try:
        return int(change_all(session, administrator).batch)
    except bulk.NobodyChosen:
        return 1


def undo_all(session: Session, member: Member) -> Any:
    """What an administrator did to all is undone by the member."""
    administrator = members.find(session, member.partner_id, 1)
    assert administrator is not None
    batch = a_batch(session, member)
    digest = bulk.undo_preview(session, administrator, batch).digest
    return bulk.undo(session, member, batch, digest=digest, reason="Back")


USE_CASES: dict[str, UseCase] = {
    "bulk.preview": lambda s, m: bulk.preview(s, m, PAID, Found()),
    "bulk.do": change_all,
    "bulk.undo": undo_all,
    "bulk.undo_preview": lambda s, m: bulk.undo_preview(s, m, a_batch(s, m)),
    "bulk.batches": lambda s, m: bulk.batches(s, m),
    "bulk.count_batches": lambda s, m: bulk.count_batches(s, m),
    "bulk.batch": lambda s, m: bulk.batch(s, m, a_batch(s, m)),
    "bulk.clients_of": lambda s, m: bulk.clients_of(s, m, a_batch(s, m)),
    "bulk.running": lambda s, m: bulk.running(s, m),
    "reports.listed_numbers": lambda s, m: len(reports.listed_numbers(s, m, most=10)),
    "defaults.current": lambda s, m: defaults.current(s, m),
    "defaults.history": lambda s, m: defaults.history(s, m),
    "defaults.save": lambda s, m: defaults.save(s, m, PLUS, seen=1),
    "defaults.sets": lambda s, m: len(defaults.sets(s, m)),
    "defaults.set_changes": lambda s, m: defaults.set_changes(s, m, 1),
    "defaults.make_set": lambda s, m: defaults.make_set(s, m, "Freelancers", PLUS),
    "defaults.rename_set": lambda s, m: defaults.rename_set(s, m, 1, "Companies", seen=2),
    "defaults.retire_set": lambda s, m: (defaults.make_set(s, m, "Old", PLUS), defaults.retire_set(s, m, 2, seen=1)),
    "defaults.bring_back_set": lambda s, m: defaults.bring_back_set(s, m, 1, seen=2),
    "defaults.make_standard": lambda s, m: (
        defaults.make_set(s, m, "Freelancers", PLUS),
        defaults.make_standard(s, m, 2, seen=1),
    ),
    "invitations.preview": lambda s, m: invitations.preview(s, m),
    "invitations.invite": lambda s, m: invitations.invite(s, m, NEW),
    "imports.preview": lambda s, m: imports.preview(s, m, SHEET),
    "imports.choose_columns": lambda s, m: imports.choose_columns(s, m, SHEET, {}),
    "imports.invite_ready": lambda s, m: imports.invite_ready(s, m, replace(PREVIEWED, partner_id=m.partner_id)),
    "invitations.edit_client": lambda s, m: invitations.edit_client(s, m, 1, EDITED, seen=0),
    "invitations.send_again": lambda s, m: invitations.send_again(s, m, 1, seen=1),
    "invitations.tell_again": tell_again,
    "invitations.revoke": lambda s, m: invitations.revoke(s, m, 1),
    "invitations.invite_again": lambda s, m: (invitations.revoke(s, m, 1), invitations.invite_again(s, m, 1)),
    "invitations.of_client": lambda s, m: invitations.of_client(s, m, 1),
    "invitations.waiting_message": lambda s, m: invitations.waiting_message(s, m, 1),
    "subscriptions.detail": lambda s, m: subscriptions.detail(s, m, 1),
    "subscriptions.visible": lambda s, m: subscriptions.visible(s, m, 1),
    "subscriptions.edits": lambda s, m: subscriptions.edits(s, m, 1),
    "subscriptions.override": lambda s, m: subscriptions.override(s, m, 1, Overrides(payer=Payer.PARTNER), seen=1),
    "subscriptions.take_back": take_an_override_back,
    "subscriptions.adopt_current_defaults": lambda s, m: subscriptions.adopt_current_defaults(s, m, [1]),
    "subscriptions.archive": lambda s, m: subscriptions.archive(s, m, 1, seen=1),
    "subscriptions.cancel_pending": cancel_an_end,
    "subscriptions.change_responsible": lambda s, m: subscriptions.change_responsible(s, m, 1, 1, seen=3),
    "subscriptions.responsible_history": lambda s, m: subscriptions.responsible_history(s, m, 1),
    "subscriptions.responsible_members": lambda s, m: subscriptions.responsible_members(s, m),
    "subscriptions.catalogue_overview": lambda s, m: subscriptions.catalogue_overview(s, m),
    "reports.billing_sources": lambda s, m: len(reports.billing_sources(s, m)),
    "reports.listed": lambda s, m: len(reports.listed(s, m)),
    "reports.figures": lambda s, m: reports.figures(s, m).clients,
    "reports.plan_distribution": lambda s, m: len(reports.plan_distribution(s, m)),
    "reports.csv_pieces": lambda s, m: "".join(reports.csv_pieces(s, m)),
    "reports.workbook": lambda s, m: written(reports.workbook(s, m)),
    "reports.invited_since": lambda s, m: reports.invited_since(s, m, reports.seen(s, m)),
    "reports.changed_since": lambda s, m: reports.changed_since(s, m, reports.seen(s, m), [1]).clients,
    "reports.saved_since": lambda s, m: reports.saved_since(s, m, reports.seen(s, m)),
    "reports.views": lambda s, m: len(reports.views(s, m)),
    "reports.save_view": lambda s, m: reports.save_view(s, m, "Paid by us", {"payer": "partner"}).name,
    "reports.remove_view": lambda s, m: reports.remove_view(s, m, "none"),
    "members.activities": lambda s, m: len(members.activities(s, m)),
    "members.count_activities": lambda s, m: members.count_activities(s, m),
    "team.listed": lambda s, m: len(team.listed(s, m)),
    "team.history": lambda s, m: len(team.history(s, m)),
    "team.detail": lambda s, m: team.detail(s, m, HIRED),
    "team.invite_member": lambda s, m: team.invite_member(s, m, NEW_MEMBER).partner_id,
    "team.change_member": lambda s, m: team.change_member(s, m, HIRED, role=Role.FINANCE, client_access=False, seen=1),
    "team.deactivate": lambda s, m: team.deactivate(s, m, HIRED, seen=1),
    "team.bring_back": lambda s, m: team.bring_back(s, m, HIRED, seen=1),
    "team.send_again": lambda s, m: team.send_again(s, m, HIRED, seen=1),
    "team.release_sign_in": lambda s, m: team.release_sign_in(s, m, HIRED, seen=1),
}
ACTIVITY = {"members.activities", "members.count_activities"}
TEAM = ACTIVITY | {use_case for use_case in USE_CASES if use_case.startswith("team.")}  # administrators alone
BATCHES = {"bulk.batches", "bulk.count_batches", "bulk.batch", "bulk.clients_of", "bulk.running"}
READS = {
    *BATCHES, "reports.listed_numbers", "reports.views",
    "reports.invited_since", "reports.changed_since", "reports.saved_since",
    "defaults.current", "defaults.history", "defaults.sets", "defaults.set_changes",
    "subscriptions.detail", "subscriptions.visible", "reports.billing_sources",
    "reports.listed", "reports.figures", "reports.plan_distribution", "reports.csv_pieces",
    "reports.workbook", "invitations.of_client",
    "subscriptions.edits",
    "subscriptions.responsible_history", "subscriptions.responsible_members", "subscriptions.catalogue_overview",
}  # fmt: skip
VIEWS = {"reports.save_view", "reports.remove_view"}  # of the list that they see, for themselves
ALLOWED = {
    Role.ADMINISTRATOR: set(USE_CASES),
    Role.CLIENT_MANAGER: set(USE_CASES) - TEAM,
    Role.FINANCE: READS | VIEWS,
    Role.ACCOUNTANT: (READS | VIEWS) - BATCHES - {"reports.plan_distribution"},  # of their own clients
}
REACHED_BY_ANOTHER = {
    "defaults.current": None,
    "defaults.history": [],
    "defaults.sets": 0,
    "defaults.set_changes": UnknownSet,
    "defaults.rename_set": UnknownSet,
    "defaults.bring_back_set": UnknownSet,
    "subscriptions.detail": ClientNotFound,
    "subscriptions.visible": ClientNotFound,
    "subscriptions.edits": ClientNotFound,
    "subscriptions.override": ClientNotFound,
    "subscriptions.take_back": ClientNotFound,
    "subscriptions.archive": ClientNotFound,
    "subscriptions.cancel_pending": ClientNotFound,
    "invitations.edit_client": ClientNotFound,
    "subscriptions.change_responsible": ClientNotFound,
    "subscriptions.responsible_history": ClientNotFound,
    "invitations.send_again": ClientNotFound,
    "invitations.tell_again": ClientNotFound,
    "invitations.revoke": ClientNotFound,
    "invitations.invite_again": ClientNotFound,
    "invitations.of_client": ClientNotFound,
    "invitations.waiting_message": ClientNotFound,
    "subscriptions.adopt_current_defaults": NothingToAdopt,
    **dict.fromkeys(["defaults.rename_set", "defaults.bring_back_set"], UnknownSet),
    **dict.fromkeys(["bulk.preview", "bulk.do"], bulk.NobodyChosen),
    **dict.fromkeys(["bulk.undo", "bulk.undo_preview", "bulk.batch", "bulk.clients_of"], bulk.BatchNotFound),
    "bulk.batches": [],
    "bulk.count_batches": 0,
    "bulk.running": None,
    "reports.listed_numbers": 0,
    "reports.billing_sources": 0,
    "reports.listed": 0,
    "reports.figures": 0,
    "reports.plan_distribution": 0,
    "reports.views": 0,
    "reports.invited_since": 0,
    "reports.changed_since": 0,
    "reports.saved_since": None,
    "reports.remove_view": None,
    "members.activities": 0,
    "members.count_activities": 0,
    "team.listed": len(Role),
    "team.history": 0,
    **dict.fromkeys(
        [
            "team.detail",
            "team.change_member",
            "team.deactivate",
            "team.bring_back",
            "team.send_again",
            "team.release_sign_in",
        ],
        MemberNotFound,
    ),
    "team.invite_member": 2,
}
PREVIEWS = {
    "invitations.preview", "invitations.waiting_message", "imports.preview", "bulk.preview", "bulk.undo_preview",
}  # fmt: skip
OF_THEIR_OWN = {
    "reports.save_view",
    "defaults.save", "defaults.make_set", "defaults.retire_set", "defaults.make_standard",
    "invitations.preview", "invitations.invite", "reports.csv_pieces", "reports.workbook", "imports.preview",
    "imports.choose_columns", "imports.invite_ready",
    "subscriptions.responsible_members", "subscriptions.catalogue_overview",
}  # fmt: skip
# what an accountant finds of a client that somebody else looks after, alone in the space
OF_ANOTHERS = {
    "subscriptions.detail": ClientNotFound,
    "subscriptions.visible": ClientNotFound,
    "subscriptions.responsible_history": ClientNotFound,
    "invitations.of_client": ClientNotFound,
    "reports.billing_sources": 0,
    "reports.listed_numbers": 0,
    "reports.listed": 0,
    "reports.figures": 0,
}


def hire(space: Space) -> None:
    """A member of this space alone, whom the use cases of the team are about."""
    hired = NewMember(name="Hired", email="hired@example.com", role=Role.ACCOUNTANT)
    with space.database.transaction() as session:
        assert team.invite_member(session, space.administrator, hired).member_id == HIRED


def outcome(space: Space, member: Member, use_case: str) -> Any:
    try:
        with space.database.transaction() as session:
            return USE_CASES[use_case](session, member)
    except BillingError as refusal:
        return type(refusal)


@pytest.mark.parametrize("use_case", USE_CASES)
@pytest.mark.parametrize("role", Role)
def test_every_role_may_do_exactly_what_the_matrix_says(space: Space, role: Role, use_case: str) -> None:
    """Rule 10, with a client that the accountant looks after."""
    space.save(STANDARD)
    space.invite(responsible=Role.ACCOUNTANT)
    hire(space)
    found = outcome(space, space.members[role], use_case)
    if use_case in ALLOWED[role]:
        assert not (isinstance(found, type) and issubclass(found, BillingError))
    else:
        assert found is NotAllowed


@pytest.mark.parametrize("use_case", [*OF_ANOTHERS, "reports.csv_pieces", "reports.workbook"])
def test_an_accountant_sees_the_clients_they_look_after_and_no_others(space: Space, use_case: str) -> None:
    """Rules 10 and 52: of two clients theirs alone, and not even that once somebody else looks after it."""
    space.save(STANDARD)
    space.invite(responsible=Role.ACCOUNTANT)
    space.invite("Somebody else's")
    accountant = space.members[Role.ACCOUNTANT]
    own = outcome(space, accountant, use_case)
    assert not (isinstance(own, type) and issubclass(own, BillingError))
    assert own == 1 if OF_ANOTHERS.get(use_case) == 0 else "Somebody" not in str(own)
    space.give(1, Role.CLIENT_MANAGER)
    after = outcome(space, accountant, use_case)
    if use_case in OF_ANOTHERS:
        assert after == OF_ANOTHERS[use_case]
    else:
        assert "Aubry" in own
        assert after == own.splitlines(keepends=True)[0]


@pytest.mark.parametrize("change", [{"is_active": False}, {"client_access": False}], ids=["inactive", "no access"])
@pytest.mark.parametrize("use_case", USE_CASES)
def test_an_inactive_member_or_a_manager_without_access_to_clients_gets_nothing(
    space: Space, use_case: str, change: dict[str, bool]
) -> None:
    """Rule 10: anyone else sees nothing."""
    space.save(STANDARD)
    space.invite(responsible=Role.ACCOUNTANT)
    with space.database.transaction() as session:
        session.execute(update(Member).where(Member.member_id == space.manager.member_id).values(**change))
    with space.database.reading() as session:
        now_so = members.find(session, space.partner_id, space.manager.member_id)
    assert now_so is not None
    assert outcome(space, now_so, use_case) is NotAllowed


@pytest.mark.parametrize("change", [{"is_active": False}, {"client_access": False}, {"role": Role.FINANCE}])
@pytest.mark.parametrize(
    "use_case",
    sorted(set(USE_CASES) - READS - TEAM - PREVIEWS),
)
def test_a_change_asks_the_database_again_what_the_member_may(space: Space, use_case: str, change: dict) -> None:
    """A member who was deactivated a moment ago cannot finish what they began."""
    space.save(STANDARD)
    space.invite(responsible=Role.ACCOUNTANT)
    with space.database.transaction() as session:
        session.execute(update(Member).where(Member.member_id == space.manager.member_id).values(**change))
    assert outcome(space, space.manager, use_case) is NotAllowed


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # on SQLite nobody begins while another writes
def test_a_role_taken_away_while_its_holder_waits_for_the_turn_is_gone(space: Space) -> None:
    """What the member may is asked once more when the turn comes."""
    space.save(STANDARD)
    space.invite()
    with ThreadPoolExecutor(1) as pool:
        with space.database.transaction() as session:
            members.act(session, space.administrator, Permission.SAVE_DEFAULTS)
            session.execute(
                update(Member).where(Member.member_id == space.manager.member_id).values(role=Role.ACCOUNTANT)
            )
            waiting = pool.submit(outcome, space, space.manager, "subscriptions.override")
            with space.database.reading(single=True) as watching:
                while not watching.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                    assert not waiting.done()
        assert waiting.result() is NotAllowed
    assert space.detail(1).revision == 1


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.CLIENT_MANAGER}], ids=["inactive", "role"])
@pytest.mark.parametrize("use_case", sorted(TEAM - ACTIVITY - {"team.listed", "team.history", "team.detail"}))
def test_an_administrator_who_is_none_any_more_keeps_no_members(space: Space, use_case: str, change: dict) -> None:
    """Asked of the database again, though the page was shown to an administrator."""
    hire(space)
    before = fingerprint(space)
    with space.database.transaction() as session:
        session.execute(update(Member).where(Member.member_id == space.administrator.member_id).values(**change))
    assert outcome(space, space.administrator, use_case) is NotAllowed
    with space.database.transaction() as session:
        values = {"is_active": True, "role": Role.ADMINISTRATOR}
        session.execute(update(Member).where(Member.member_id == space.administrator.member_id).values(values))
    assert fingerprint(space) == before


@pytest.mark.parametrize("use_case", USE_CASES)
def test_a_member_of_another_partner_reaches_nothing(space: Space, make_space, use_case: str) -> None:
    """Rule 10: no call can name another partner; what an administrator of one does shows nowhere in the other."""
    other = make_space(2)
    space.save(STANDARD)
    space.invite(responsible=Role.ACCOUNTANT)
    hire(space)
    before = (space.facts(1), fingerprint(space))
    found = outcome(other, other.administrator, use_case)
    assert (space.facts(1), fingerprint(space)) == before
    if use_case in REACHED_BY_ANOTHER:
        assert found == REACHED_BY_ANOTHER[use_case]
    else:
        assert use_case in OF_THEIR_OWN
        assert "Aubry" not in str(found)


def fingerprint(space: Space) -> Any:
    with space.database.reading() as session:
        versions = [v.version for v in defaults.history(session, space.administrator)]
        people = [(each.name, each.role, each.is_active) for each in members.of_partner(session, space.partner_id)]
        return versions, people, reports.figures(session, space.administrator)


def test_every_use_case_of_the_product_is_in_this_matrix() -> None:
    """A new use case is tested or named here: public functions that take the acting member."""
    import inspect

    found = {
        f"{folder.__name__.removeprefix('core.')}.{name}"
        for folder in (defaults, subscriptions, invitations, imports, reports, team, bulk)
        for name, function in inspect.getmembers(folder, inspect.isfunction)
        if "member" in inspect.signature(function).parameters
    }
    previews = {  # of a client already shown
        "subscriptions.preview_override",
        "subscriptions.preview_adoption",
        "subscriptions.preview_archive",
        "subscriptions.preview_take_back",
        "subscriptions.nearest_to_defaults",
    }
    within_others = {  # called by use cases that have asked
        "invitations.bindable",
        "invitations.invite_all",
        "subscriptions.hand_over",
        "subscriptions.invite_anew",
    }
    of_nobody = {"reports.in_force", "reports.seen"}  # numbers that every member reads
    assert found == (set(USE_CASES) - ACTIVITY) | previews | within_others | of_nobody


@pytest.mark.parametrize("role", [Role.FINANCE, Role.ACCOUNTANT])
def test_who_may_not_change_cannot_preview_a_change(space: Space, role: Role) -> None:
    """Rule 10, for every preview of a client already shown."""
    space.save(STANDARD)
    shown = space.detail(space.invite().client_id)
    for preview in (
        lambda s: subscriptions.preview_override(s, space.members[role], shown, Overrides()),
        lambda s: subscriptions.preview_adoption(s, space.members[role], shown),
        lambda s: subscriptions.preview_archive(space.members[role], shown),
        lambda s: subscriptions.preview_take_back(s, space.members[role], shown),
        lambda s: subscriptions.nearest_to_defaults(s, space.members[role], shown),
    ):
        with pytest.raises(NotAllowed), space.database.reading() as session:
            preview(session)


def test_the_language_chosen_is_kept_with_the_member(space: Space) -> None:
    """Here and at the next visit."""
    with space.database.transaction() as session:
        members.choose_language(session, space.manager, "fr")
    with space.database.reading() as session:
        member = members.find(session, 1, space.manager.member_id)
        other = members.find(session, 1, space.administrator.member_id)
    assert member is not None
    assert other is not None
    assert (member.language, other.language) == ("fr", None)
    with pytest.raises(ValueError, match="'xx'"), space.database.transaction() as session:
        members.choose_language(session, space.manager, "xx")
