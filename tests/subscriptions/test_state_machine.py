"""Random lives of two partners against a naive model of the rules: after every step, every client is compared."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from core import catalogue, defaults, invitations, members, reports, subscriptions
from core.catalogue import SAMPLE
from core.invitations import NewClient
from core.members import Member, Partner, Permission
from core.storage import Base, Database
from core.words import (
    BillingError,
    BillingPeriod,
    BillingSettings,
    ClientNotFound,
    NotAllowed,
    Overrides,
    Payer,
    Role,
    Setting,
)
from tests.conftest import Clock

NAMES = [setting.value for setting in Setting]
PLANS = ["starter", "standard", "plus", "classic"]
ADD_ONS = st.frozensets(st.sampled_from(["bank_feeds", "payroll", "e_invoicing"]), max_size=2)
partners = st.sampled_from([1, 2])
writers = st.sampled_from([Role.ADMINISTRATOR, Role.CLIENT_MANAGER])
readers = st.sampled_from([Role.FINANCE, Role.ACCOUNTANT])
anybody = st.sampled_from(Role)
some_settings = st.builds(
    BillingSettings, st.sampled_from(Payer), st.sampled_from(BillingPeriod), st.sampled_from(PLANS), ADD_ONS
)
some_overrides = st.builds(
    Overrides,
    st.none() | st.sampled_from(Payer),
    st.none() | st.sampled_from(BillingPeriod),
    st.none() | st.sampled_from(PLANS),
    st.none() | ADD_ONS,
)


@dataclass
class ModelClient:
    """What the rules say of a client: the version it is bound to and its choices, as plain dictionaries; and who looked
    after it."""

    version: int | None
    chosen: dict[str, Any]
    revisions: int = 1
    responsible: list[int] = field(default_factory=list)  # from the first to the one who looks after it now


@dataclass
class ModelPartner:
    versions: list[dict[str, Any]] = field(default_factory=list)
    clients: dict[int, ModelClient] = field(default_factory=dict)

    def effective(self, version: int | None, chosen: dict[str, Any]) -> dict[str, Any] | None:
        inherited = self.versions[version - 1] if version else {}
        found = {**inherited, **chosen}
        return found if set(found) == set(NAMES) else None


def as_dict(values: BillingSettings | Overrides) -> dict[str, Any]:
    return {name: getattr(values, name) for name in NAMES if getattr(values, name) is not None}


def sellable(wanted: dict[str, Any], held: dict[str, Any] | None = None) -> bool:
    """Rules 8 and 9 in the plainest words, on the sample catalogue."""
    plan = SAMPLE.plans[wanted["plan"]]
    same_plan = held is not None and held["plan"] == wanted["plan"]
    kept = held["add_ons"] if held is not None else frozenset()
    if plan.is_retired and not same_plan:
        return False
    for add_on in wanted["add_ons"]:
        if add_on not in plan.add_ons and not (same_plan and add_on in kept):
            return False
    same_but_for_the_payer = held is not None and {**wanted, "payer": held["payer"]} == held
    prices = [(wanted["plan"], SAMPLE.plan_prices)] + [(a, SAMPLE.add_on_prices) for a in wanted["add_ons"]]
    return same_but_for_the_payer or all((code, wanted["billing_period"]) in table for code, table in prices)


class TwoPartners(RuleBasedStateMachine):
    """Saves, invitations, overrides, clears, adoptions and changes of the responsible by members of two partners."""

    database: Database
    clients = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.model = {1: ModelPartner(), 2: ModelPartner()}
        self.members: dict[tuple[int, Role], Member] = {}
        self.invited = 0

    @initialize()
    def two_empty_spaces(self) -> None:
        self.database.clock = self.clock
        with self.database.transaction() as session:
            for partner_id in (1, 2):
                session.add(Partner(partner_id=partner_id, name=f"P{partner_id}", currency="EUR", time_zone="UTC"))
                session.flush()
                for member_id, role in enumerate(Role, 1):
                    session.add(
                        Member(partner_id=partner_id, member_id=member_id, name=role, email=role, role=role)
                    )  # fmt: skip
            catalogue.store(session, SAMPLE)
        with self.database.reading() as session:
            for partner_id in (1, 2):
                for member in members.of_partner(session, partner_id):
                    self.members[partner_id, member.role] = member

    def attempt(self, act: Any, *, expected: bool) -> Any:
        """Do it in a transaction; it must be refused exactly when the model says so."""
        self.clock.forward(minutes=7)
        try:
            with self.database.transaction() as session:
                result = act(session)
        except BillingError as refusal:
            assert not expected, f"refused: {refusal}"
            return None
        assert expected, "not refused"
        return result

    @rule(partner=partners, role=writers, wanted=some_settings, stale=st.sampled_from([False, False, False, True]))
    def save_defaults(self, partner: int, role: Role, wanted: BillingSettings, stale: bool) -> None:
        model = self.model[partner]
        newest = len(model.versions) or None
        seen = (newest or 0) + 1 if stale and newest else newest
        ok = seen == newest and sellable(as_dict(wanted))
        member = self.members[partner, role]
        if self.attempt(lambda s: defaults.save(s, member, wanted, seen=seen), expected=ok):
            model.versions.append(as_dict(wanted))

    @rule(target=clients, partner=partners, role=writers, overrides=some_overrides, named=st.none() | anybody)
    def invite(self, partner: int, role: Role, overrides: Overrides, named: Role | None) -> Any:
        model = self.model[partner]
        version = len(model.versions) or None
        effective = model.effective(version, as_dict(overrides))
        self.invited += 1
        new_client = NewClient.from_typed(name=f"Client {self.invited}", email=f"c{self.invited}@example.com")
        ok = effective is not None and sellable(effective) and named is not Role.FINANCE
        member = self.members[partner, role]
        responsible_id = None if named is None else self.members[partner, named].member_id
        client = self.attempt(
            lambda s: invitations.invite(s, member, new_client, overrides, responsible_id=responsible_id), expected=ok
        )
        if client is None:
            return multiple()
        first = member.member_id if responsible_id is None else responsible_id
        model.clients[client.client_id] = ModelClient(version, as_dict(overrides), responsible=[first])
        return partner, client.client_id

    @rule(which=clients, role=writers, overrides=some_overrides, stale=st.sampled_from([False, False, False, True]))
    def override(self, which: tuple[int, int], role: Role, overrides: Overrides, stale: bool) -> None:
        partner, client_id = which
        client = self.model[partner].clients[client_id]
        before = self.model[partner].effective(client.version, client.chosen)
        after = self.model[partner].effective(client.version, as_dict(overrides))
        seen = client.revisions + (1 if stale else 0)
        ok = not stale and after is not None and sellable(after, held=before)
        member = self.members[partner, role]
        done = self.attempt(
            lambda s: subscriptions.override(s, member, client_id, overrides, seen=seen, reason=f"r{self.clock()}"),
            expected=ok,
        )
        if done and client.chosen != as_dict(overrides):
            client.chosen = as_dict(overrides)
            client.revisions += 1

    @rule(which=clients, role=writers)
    def back_to_the_defaults_it_was_invited_with(self, which: tuple[int, int], role: Role) -> None:
        self.override(which, role, Overrides(), stale=False)

    @rule(which=clients, role=writers, clear=st.booleans())
    def adopt_current_defaults(self, which: tuple[int, int], role: Role, clear: bool) -> None:
        partner, client_id = which
        model = self.model[partner]
        client = model.clients[client_id]
        before = model.effective(client.version, client.chosen)
        chosen = {} if clear else client.chosen
        version = len(model.versions) or None
        after = model.effective(version, chosen) if version else None
        ok = after is not None and sellable(after, held=before)
        member = self.members[partner, role]
        done = self.attempt(
            lambda s: subscriptions.adopt_current_defaults(s, member, [client_id], clear_overrides=clear), expected=ok
        )
        if done and (client.version, client.chosen) != (version, chosen):
            client.version, client.chosen = version, chosen
            client.revisions += 1

    @rule(which=clients, role=writers, wanted=anybody, stale=st.sampled_from([False, False, False, True]))
    def change_responsible(self, which: tuple[int, int], role: Role, wanted: Role, stale: bool) -> None:
        partner, client_id = which
        client = self.model[partner].clients[client_id]
        to, seen = self.members[partner, wanted].member_id, client.responsible[-1] + (9 if stale else 0)
        member = self.members[partner, role]
        ok = not stale and (wanted is not Role.FINANCE)
        self.attempt(
            lambda s: subscriptions.change_responsible(s, member, client_id, to, seen=seen, reason=f"r{self.clock()}"),
            expected=ok,
        )
        if ok and client.responsible[-1] != to:
            client.responsible.append(to)

    @rule(partner=partners, leaves=anybody, takes_over=writers)
    def hand_over(self, partner: int, leaves: Role, takes_over: Role) -> None:
        from_id, to_id = self.members[partner, leaves].member_id, self.members[partner, takes_over].member_id
        administrator = self.members[partner, Role.ADMINISTRATOR]
        moved = [each for each in self.model[partner].clients.values() if each.responsible[-1] == from_id != to_id]

        def leave(session: Any) -> int:
            members.act(session, administrator, Permission.CHANGE_RESPONSIBLE)
            return subscriptions.hand_over(session, administrator, from_id, to_id)

        assert self.attempt(leave, expected=True) == len(moved)
        for client in moved:
            client.responsible.append(to_id)

    @rule(which=clients, role=readers)
    def someone_who_may_not_tries_to_change_a_client(self, which: tuple[int, int], role: Role) -> None:
        partner, client_id = which
        member = self.members[partner, role]
        with pytest.raises(NotAllowed), self.database.transaction() as session:
            subscriptions.override(session, member, client_id, Overrides(plan="plus"), seen=1)

    @rule(which=clients, role=writers)
    def the_other_partner_reaches_for_the_client(self, which: tuple[int, int], role: Role) -> None:
        partner, client_id = which
        stranger = self.members[3 - partner, role]
        if client_id not in self.model[3 - partner].clients:
            with pytest.raises(ClientNotFound), self.database.reading() as session:
                subscriptions.detail(session, stranger, client_id)

    @invariant()
    def every_client_is_as_the_model_says(self) -> None:
        if not self.members:
            return
        with self.database.reading() as session:
            assert list(subscriptions.differences(session)) == []
            for partner, model in self.model.items():
                member = self.members[partner, Role.ADMINISTRATOR]
                every = reports.billing_sources(session, member, page_size=1000).set_index("client_id")
                accountant = self.members[partner, Role.ACCOUNTANT]
                own = {each.client_id for each in reports.listed(session, accountant, page_size=1000)}
                assert own == {
                    number for number, client in model.clients.items() if client.responsible[-1] == accountant.member_id
                }
                assert reports.figures(session, accountant).clients == len(own)
                assert set(every.index) == set(model.clients)
                for client_id, client in model.clients.items():
                    shown = subscriptions.detail(session, member, client_id)
                    expected = model.effective(client.version, client.chosen)
                    assert as_dict(shown.effective.settings) == expected
                    assert {s.value for s in shown.effective.overridden} == set(client.chosen)
                    assert shown.effective.defaults_version == client.version
                    assert shown.revision == len(shown.history) == client.revisions
                    row = every.loc[client_id]
                    decided = subscriptions.responsible_history(session, member, client_id)
                    assert [each.member_id for each in decided][::-1] == client.responsible
                    assert row["responsible_id"] == client.responsible[-1]
                    assert (row["plan"], row["payer"]) == (expected["plan"], expected["payer"])
                    assert row["source"] == ("override" if client.chosen else "default")
                    assert row["on_older_defaults"] == (
                        client.version is not None and client.version < len(model.versions)
                    )


def run(database_of: Any, examples: int) -> None:
    class Machine(TwoPartners):
        def __init__(self) -> None:
            super().__init__()
            self.database = database_of()

        def teardown(self) -> None:
            self.database.close()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_random_lives_of_two_partners_follow_the_rules_on_sqlite(migrated_file: Path) -> None:
    """Each example on a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        count = iter(range(10_000))

        def fresh() -> Database:
            path = Path(folder) / f"{next(count)}.sqlite3"
            copy(migrated_file, path)
            return Database(f"sqlite:///{path}")

        run(fresh, examples=40)


def test_random_lives_of_two_partners_follow_the_rules_on_postgresql(migrated_postgres: Database) -> None:
    """The same, on PostgreSQL."""
    tables = ", ".join(f'"{table}"' for table in Base.metadata.tables)

    def emptied() -> Database:
        database = Database(migrated_postgres.engine.url.render_as_string(hide_password=False))
        with database.transaction() as session:
            session.execute(text(f"TRUNCATE {tables} CASCADE"))
        return database

    run(emptied, examples=15)
