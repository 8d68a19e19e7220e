"""Random changes by several administrators: there is always an active one, and the history replays to the present."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from shutil import copy

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import members, team
from core.members import Member, MemberChange, Partner
from core.storage import Database
from core.team import NewMember
from core.words import BillingError, MemberFact, Role
from tests import postgres
from tests.conftest import Clock

some_member = st.integers(1, 6)
FACTS = {MemberFact.NAME: "name", MemberFact.ROLE: "role", MemberFact.CLIENT_ACCESS: "client_access"}


class AnOffice(RuleBasedStateMachine):
    """Invitations, changes, departures and returns by anyone, also by who was an administrator when they looked."""

    database: Database

    @initialize()
    def one_administrator(self) -> None:
        self.clock = self.database.clock = Clock()
        self.as_shown: dict[int, Member] = {}
        with self.database.transaction() as session:
            session.add(Partner(partner_id=1, name="P", currency="EUR", time_zone="UTC"))
            session.flush()
            members.add(session, 1, name="First", email="1@example.com", role=Role.ADMINISTRATOR, by=None)

    def everyone(self) -> dict[int, Member]:
        with self.database.reading() as session:
            return {each.member_id: each for each in members.of_partner(session, 1)}

    def acts(self, by: int, stale: bool, act: Callable[[Session, Member], object]) -> None:
        """Whoever it is tries, as they are now or as they were when they looked; a refusal changes nothing."""
        self.clock.forward(minutes=1)
        everyone = self.everyone()
        if by not in everyone:
            return
        who = self.as_shown[by] if stale and by in self.as_shown else everyone[by]
        before = self.kept()
        try:
            with self.database.transaction() as session:
                act(session, who)
        except BillingError:
            assert self.kept() == before
            assert {k: self.values(v) for k, v in self.everyone().items()} == {
                k: self.values(v) for k, v in everyone.items()
            }

    @staticmethod
    def values(member: Member) -> tuple[object, ...]:
        return (member.name, member.role, member.client_access, member.is_active)

    def kept(self) -> list[tuple[object, ...]]:
        with self.database.reading() as session:
            order = (MemberChange.member_id, MemberChange.number, MemberChange.what)
            found = session.scalars(select(MemberChange).order_by(*order))
            return [(c.member_id, c.number, c.what, c.before, c.after) for c in found]

    def newest(self, member_id: int) -> int:
        return max((number for of, number, *_ in self.kept() if of == member_id), default=0)  # type: ignore[type-var]

    @rule(by=some_member)
    def looks(self, by: int) -> None:
        """Somebody opens a page, and acts later."""
        if by in (everyone := self.everyone()):
            self.as_shown[by] = everyone[by]

    @rule(by=some_member, role=st.sampled_from(Role), number=some_member, access=st.booleans())
    def invites(self, by: int, role: Role, number: int, access: bool) -> None:
        new = NewMember(name=f"N{number}", email=f"{number}@example.com", role=role, client_access=access)
        self.acts(by, False, lambda s, who: team.invite_member(s, who, new))

    @rule(by=some_member, whom=some_member, role=st.sampled_from(Role), access=st.booleans(), stale=st.booleans())
    def changes(self, by: int, whom: int, role: Role, access: bool, stale: bool) -> None:
        newest = self.newest(whom)
        self.acts(
            by,
            stale,
            lambda s, who: team.change_member(s, who, whom, role=role, client_access=access, seen=newest),
        )

    @rule(by=some_member, whom=some_member, stale=st.booleans())
    def lets_go(self, by: int, whom: int, stale: bool) -> None:
        newest = self.newest(whom)
        self.acts(by, stale, lambda s, who: team.deactivate(s, who, whom, seen=newest))

    @rule(by=some_member, whom=some_member)
    def brings_back(self, by: int, whom: int) -> None:
        newest = self.newest(whom)
        self.acts(by, False, lambda s, who: team.bring_back(s, who, whom, seen=newest))

    @invariant()
    def there_is_an_active_administrator(self) -> None:
        assert any(each.role is Role.ADMINISTRATOR and each.is_active for each in self.everyone().values())

    @invariant()
    def the_history_replays_to_the_present(self) -> None:
        """Every fact's `before` is what its last `after` said, and the last one is what holds."""
        replayed: dict[tuple[int, str], str | None] = {}
        for member_id, _, what, before, after in self.kept():
            assert replayed.get((member_id, what)) == before  # type: ignore[arg-type]
            replayed[member_id, what] = after  # type: ignore[index,assignment]
        for member_id, member in self.everyone().items():
            assert replayed[member_id, MemberFact.IS_ACTIVE] == members.STORED_BOOLEANS[member.is_active]
            assert replayed[member_id, MemberFact.INVITED] == member.email
            for fact, name in FACTS.items():
                value = getattr(member, name)
                assert replayed[member_id, fact] == (
                    members.STORED_BOOLEANS[value] if isinstance(value, bool) else value
                )


def run(database_of: Callable[[], Database], examples: int) -> None:
    class Office(AnOffice):
        def __init__(self) -> None:
            super().__init__()
            self.database = database_of()

        def teardown(self) -> None:
            self.database.close()

    run_state_machine_as_test(
        Office,
        settings=settings(
            max_examples=examples, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_any_changes_leave_an_administrator_and_a_true_history_on_sqlite(migrated_file: Path) -> None:
    """Each example on a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        count = iter(range(10_000))

        def fresh() -> Database:
            path = Path(folder) / f"{next(count)}.sqlite3"
            copy(migrated_file, path)
            return Database(f"sqlite:///{path}")

        run(fresh, examples=40)


def test_any_changes_leave_an_administrator_and_a_true_history_on_postgresql(migrated_postgres: Database) -> None:
    """The same, on PostgreSQL."""

    def emptied() -> Database:
        database = Database(migrated_postgres.engine.url.render_as_string(hide_password=False))
        postgres.empty(database)
        return database

    run(emptied, examples=10)
