"""One form sent twice is one act with one answer, for every act that a page has a form for; two forms are two acts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import bulk, defaults, imports, invitations, members, spreadsheets, subscriptions, team
from core.bulk import Override, Ticked
from core.invitations import ClientDetails, NewClient, OutboxMessage
from core.members import Identity, Member, forms
from core.storage import Base
from core.subscriptions import Seen
from core.team import NewMember
from core.words import BillingError, NotAllowed, Overrides, Payer, Role, StaleDefaults
from tests.conftest import PLUS, STANDARD, Space, at_once

NEW = NewClient.from_typed(name="New", email="new@example.com", message="Welcome")
EDITED = ClientDetails.from_typed(name="Edited", email="edited@example.com")
NEW_MEMBER = NewMember(name="New member", email="new.member@example.com", role=Role.FINANCE)
SHEET = spreadsheets.read_pasted("name\tcountry\temail\nRow\tBE\trow@example.com\nRow 2\tBE\trow2@example.com")
HIRED, SECOND = 5, 6  # members beside those of every space: a client manager, and another administrator
PENDING, LAPSED, ACTIVE, ENDING, CHANGED = 2, 1, 3, 4, 5  # clients; the last one was changed in batch 1
OTHER_SET, RETIRED_SET = 2, 3  # default sets beside the standard one


@dataclass(frozen=True)
class Act:
    """An act by the key of its form, with something of its answer to compare; the table that it adds `rows` to."""

    ask: Callable[[Session, Member, str], Any]
    table: str
    rows: int = 1
    again: Any = BillingError  # what another form that asks the same gets


PREVIEWED: dict[int, imports.ImportPreview] = {}  # what was checked in each space, before anybody was invited


PAID = Override(Overrides(payer=Payer.PARTNER))
TICKED = Ticked((PENDING, ACTIVE))
DIGESTS: dict[int, tuple[str, str]] = {}  # of the bulk change and of the undo that were previewed in each space


ACTS: dict[str, Act] = {
    "bulk change": Act(
        lambda s, m, a: bulk.do(
            s, m, PAID, TICKED, digest=DIGESTS[m.partner_id][0], reason="r", attempt=a
        ).batch,
        "batch",
    ),
    "undo bulk change": Act(
        lambda s, m, a: bulk.undo(s, m, 1, digest=DIGESTS[m.partner_id][1], reason="r", attempt=a).batch, "batch"
    ),
    "take back": Act(
        lambda s, m, a: subscriptions.take_back(s, m, CHANGED, seen=2, attempt=a).revision, "subscription"
    ),
    "save defaults": Act(
        lambda s, m, a: defaults.save(s, m, PLUS, seen=2, note="n", attempt=a).version, "default_settings"
    ),
    "make set": Act(
        lambda s, m, a: defaults.make_set(s, m, "Freelancers", PLUS, attempt=a).set_number, "default_set"
    ),
    "rename set": Act(
        lambda s, m, a: defaults.rename_set(s, m, 1, "Companies", seen=2, attempt=a).name, "default_set_change"
    ),
    "retire set": Act(
        lambda s, m, a: defaults.retire_set(s, m, OTHER_SET, seen=1, attempt=a).is_retired, "default_set_change"
    ),
    "bring back set": Act(
        lambda s, m, a: defaults.bring_back_set(s, m, RETIRED_SET, seen=2, attempt=a).is_retired, "default_set_change"
    ),
    "make standard": Act(
        lambda s, m, a: defaults.make_standard(s, m, OTHER_SET, seen=1, attempt=a).is_standard, "default_set_change"
    ),
    "invite": Act(lambda s, m, a: invitations.invite(s, m, NEW, attempt=a).client_id, "client"),
    "invite again": Act(lambda s, m, a: invitations.invite_again(s, m, LAPSED, reason="r", attempt=a), "invitation"),
    "send again": Act(lambda s, m, a: invitations.send_again(s, m, PENDING, seen=1, attempt=a), "outbox_message"),
    "revoke": Act(lambda s, m, a: invitations.revoke(s, m, PENDING, attempt=a), "invitation", rows=0),
    "override": Act(
        lambda s, m, a: subscriptions.override(
            s, m, PENDING, Overrides(payer=Payer.PARTNER, add_ons=frozenset({"payroll", "bank_feeds"})), seen=1,
            attempt=a,
        ),
        "subscription",
    ),
    "adopt": Act(
        lambda s, m, a: subscriptions.adopt_current_defaults(s, m, [PENDING], seen={PENDING: 1}, attempt=a),
        "subscription",
    ),
    "cancel pending": Act(
        lambda s, m, a: subscriptions.cancel_pending(s, m, ENDING, seen=Seen(2, 3), reason="r", attempt=a),
        "subscription",
    ),
    "archive": Act(
        lambda s, m, a: subscriptions.archive(s, m, ACTIVE, seen=2, reason="r", attempt=a), "subscription"
    ),
    "archive at once": Act(
        lambda s, m, a: subscriptions.archive(s, m, PENDING, seen=1, at_once=True, attempt=a), "subscription"
    ),
    "edit client": Act(
        lambda s, m, a: invitations.edit_client(s, m, PENDING, EDITED, seen=0, reason="r", attempt=a),
        "client_change", rows=2, again=None,
    ),
    "change responsible": Act(
        lambda s, m, a: subscriptions.change_responsible(s, m, PENDING, HIRED, seen=2, attempt=a), "responsible"
    ),
    "import": Act(
        lambda s, m, a: imports.invite_ready(s, m, PREVIEWED[m.partner_id], attempt=a), "client", rows=2, again=0
    ),
    "invite member": Act(
        lambda s, m, a: team.invite_member(s, m, NEW_MEMBER, attempt=a).member_id, "member"
    ),
    "change member": Act(
        lambda s, m, a: team.change_member(s, m, HIRED, role=Role.FINANCE, client_access=True, seen=1, attempt=a),
        "member_change",
    ),
    "deactivate": Act(lambda s, m, a: team.deactivate(s, m, HIRED, seen=1, attempt=a), "member_change"),
    "bring back": Act(lambda s, m, a: team.bring_back(s, m, 7, seen=2, attempt=a), "member_change"),
    "release sign-in": Act(lambda s, m, a: team.release_sign_in(s, m, 8, seen=2, attempt=a), "member_change"),
    "message member": Act(lambda s, m, a: team.send_again(s, m, HIRED, seen=1, attempt=a), "member_message"),
}  # fmt: skip


@pytest.fixture
def lived_in(space: Space, make_space) -> Space:
    """What every act finds something to do in: in the first space and, the same, in the second."""
    both = (space, make_space(2))
    for each in both:
        each.save(PLUS)
        each.invite("Lapsed")
    space.clock.forward(days=31)
    for each in both:
        each.invite("Pending")
        for name in ("Active", "Ending"):
            accepted(each, name)
        each.invite("Changed")
        each.save(STANDARD)
        with each.database.transaction() as session:
            for name in ("Other", "Retired"):
                defaults.make_set(session, each.administrator, name, PLUS)
            defaults.retire_set(session, each.administrator, RETIRED_SET, seen=1)
            subscriptions.archive(session, each.administrator, ENDING, seen=2)
            for name, role in (
                ("Hired", Role.CLIENT_MANAGER), ("Second", Role.ADMINISTRATOR), ("Left", Role.FINANCE),
                ("Signed in", Role.FINANCE),
            ):  # fmt: skip
                hired = NewMember(name=name, email=f"{name.replace(' ', '')}@example.com", role=role)
                team.invite_member(session, each.administrator, hired)
            team.deactivate(session, each.administrator, 7, seen=1)
            digest = bulk.preview(session, each.administrator, PAID, Ticked((CHANGED,))).digest
            bulk.do(session, each.administrator, PAID, Ticked((CHANGED,)), digest=digest, reason="r")
        with each.database.reading() as session:
            PREVIEWED[each.partner_id] = imports.preview(session, each.administrator, SHEET)
            DIGESTS[each.partner_id] = (
                bulk.preview(session, each.administrator, PAID, TICKED).digest,
                bulk.undo_preview(session, each.administrator, 1).digest,
            )
        each.members[Role.ADMINISTRATOR] = found(each, 1)
    account = Identity("https://issuer.example.com", "sub", "signedin@example.com", True, "Signed in", space.clock())
    members.bind(space.database, account)
    return space


def accepted(space: Space, name: str) -> None:
    """One more client, that accepted its invitation."""
    client = space.invite(name)
    with space.database.transaction() as session:
        message = invitations.waiting(session, space.partner_id, client.client_id, OutboxMessage)
        assert message is not None
        assert message.token is not None
        invitations.accept(session, message.token)


def found(space: Space, member_id: int) -> Member:
    with space.database.reading() as session:
        member = members.find(session, space.partner_id, member_id)
    assert member is not None
    return member


def act(space: Space, name: str, attempt: str, *, by: Member | None = None) -> Any:
    with space.database.transaction() as session:
        return ACTS[name].ask(session, by or space.administrator, attempt)


def everything(space: Space) -> dict[str, list[Any]]:
    """Every row there is but those of the partners, who count their turns."""
    tables = [table for table in Base.metadata.sorted_tables if table.name != "partner"]
    with space.database.reading() as session:
        return {table.name: sorted(map(repr, session.execute(select(table)))) for table in tables}


def count(space: Space, table: str) -> int:
    with space.database.reading() as session:
        return session.scalars(select(func.count()).select_from(Base.metadata.tables[table])).one()


@pytest.mark.parametrize("name", ACTS)
def test_one_form_sent_twice_is_one_act_with_the_same_answer(lived_in: Space, name: str) -> None:
    """Also when somebody else did something meanwhile."""
    before = count(lived_in, ACTS[name].table)
    answer = act(lived_in, name, "form")
    after = everything(lived_in)
    assert len(after[ACTS[name].table]) - before == ACTS[name].rows
    lived_in.clock.forward(minutes=5)
    assert act(lived_in, name, "form") == answer
    assert everything(lived_in) == after


@pytest.mark.parametrize("name", ACTS)
def test_two_forms_are_two_acts_or_the_second_is_refused(lived_in: Space, name: str) -> None:
    """Whatever they say, and whoever sent them: what is so already is told as that."""
    first = act(lived_in, name, "form")
    for by, attempt in ((lived_in.administrator, "another form"), (found(lived_in, SECOND), "form")):
        before = everything(lived_in)
        if ACTS[name].again is BillingError:
            with pytest.raises(BillingError):
                act(lived_in, name, attempt, by=by)
            assert everything(lived_in) == before
        else:
            again = act(lived_in, name, attempt, by=by)
            assert again != first
            assert getattr(again, "invited", again) == ACTS[name].again


@pytest.mark.parametrize("name", ACTS)
def test_one_form_that_two_servers_get_at_once_is_one_act(lived_in: Space, name: str) -> None:
    """Two threads, on both databases: both are answered the same."""
    ask = ACTS[name].ask
    before = count(lived_in, ACTS[name].table)
    one, other = at_once(lived_in, *[lambda s: ask(s, lived_in.administrator, "form")] * 2)
    assert one == other
    assert not (isinstance(one, type) and issubclass(one, BillingError))
    assert count(lived_in, ACTS[name].table) - before == ACTS[name].rows
    kept_with_the_batch = ACTS[name].table == "batch"
    assert count(lived_in, "form_sent") == (0 if kept_with_the_batch else 1)


@pytest.mark.parametrize("name", ACTS)
def test_an_act_that_is_rolled_back_was_never_sent(lived_in: Space, name: str) -> None:
    """What is known of a form is committed with what it did, or not at all."""
    before = everything(lived_in)
    with pytest.raises(ZeroDivisionError), lived_in.database.transaction() as session:
        ACTS[name].ask(session, lived_in.administrator, "form")
        raise ZeroDivisionError
    assert everything(lived_in) == before
    act(lived_in, name, "form")
    assert everything(lived_in) != before


@pytest.mark.parametrize("name", ACTS)
def test_a_form_of_another_space_is_unknown(lived_in: Space, make_space, name: str) -> None:
    """The same key there is another form: it does there what it says."""
    act(lived_in, name, "form")
    with lived_in.database.reading() as session:
        stranger = members.find(session, 2, 1)
    assert stranger is not None
    before = count(lived_in, ACTS[name].table)
    act(lived_in, name, "form", by=stranger)
    assert count(lived_in, ACTS[name].table) - before == ACTS[name].rows


@pytest.mark.parametrize("name", ACTS)
def test_who_may_not_do_it_learns_nothing_from_a_form_that_was_sent(lived_in: Space, name: str) -> None:
    """Permission comes first, also of who sent it and may it no longer."""
    act(lived_in, name, "form")
    with pytest.raises(NotAllowed):
        act(lived_in, name, "form", by=lived_in.members[Role.FINANCE])
    with lived_in.database.transaction() as session:
        target = members.find(session, 1, 1)
        assert target is not None
        members.change(session, target, by=None, role=Role.FINANCE)
    with pytest.raises(NotAllowed):
        act(lived_in, name, "form")


def test_a_form_that_was_typed_in_since_is_another_one(lived_in: Space) -> None:
    """Nobody is told that it was saved, when something else was."""
    with lived_in.database.transaction() as session:
        defaults.save(session, lived_in.administrator, PLUS, seen=2, attempt="form")
    with pytest.raises(StaleDefaults), lived_in.database.transaction() as session:
        defaults.save(session, lived_in.administrator, STANDARD, seen=2, attempt="form")


def test_a_form_without_a_key_is_never_known_again(lived_in: Space) -> None:
    """A script that gives none saves twice, or is refused; and nothing is kept of it."""
    with lived_in.database.transaction() as session:
        defaults.save(session, lived_in.administrator, PLUS, seen=2)
    with pytest.raises(StaleDefaults), lived_in.database.transaction() as session:
        defaults.save(session, lived_in.administrator, PLUS, seen=2)
    assert count(lived_in, "form_sent") == 0


def test_forms_are_kept_for_some_days_and_go_a_hundred_at_a_time(lived_in: Space) -> None:
    """Those of other spaces stay."""

    def send(attempt: str, by: Member) -> None:
        with lived_in.database.transaction() as session:
            members.form_sent(session, by, attempt, "act").done()

    with lived_in.database.reading() as session:
        stranger = members.find(session, 2, 1)
    assert stranger is not None
    send("a form", stranger)
    with lived_in.database.transaction() as session:
        for number in range(103):
            members.form_sent(session, lived_in.administrator, f"form {number}", "act").done()
    lived_in.clock.moment += forms.KEPT_FOR
    send("still kept", lived_in.administrator)
    assert count(lived_in, "form_sent") == 105
    lived_in.clock.forward(seconds=1)
    for number, left in enumerate((6, 4, 5)):
        send(f"later {number}", lived_in.administrator)
        assert count(lived_in, "form_sent") == left
