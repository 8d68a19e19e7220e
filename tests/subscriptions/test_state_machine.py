"""Random lives of two partners against a naive model of the rules: after every step, every client is compared."""

import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from shutil import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from core import catalogue, defaults, invitations, members, reports, subscriptions
from core.catalogue import SAMPLE, PriceList
from core.invitations import NewClient, OutboxMessage
from core.members import Member, Partner, Permission
from core.storage import Base, Database
from core.subscriptions import Preview, Seen
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
from tests.conftest import Clock, with_prices
from tests.subscriptions.as_lived import Told, cents, is_as, is_now_as, one_row_holds_at_every_instant, past_is_kept
from tests.subscriptions.lives import (
    REFUSED,
    Decision,
    Held,
    ModelClient,
    ModelList,
    ModelPartner,
    State,
    as_dict,
    midnight,
    period,
)

PLANS = ["starter", "standard", "plus", "premium", "classic"]
ADD_ONS = st.frozensets(st.sampled_from(["bank_feeds", "payroll", "e_invoicing"]), max_size=2)
ZONES = st.sampled_from(["Europe/Brussels", "America/Santiago", "Pacific/Auckland", "UTC"])
FOR_SALE = [
    BillingSettings.starting_with(payer=payer, billing_period=cadence, plan=plan, add_ons=frozenset())
    for payer in Payer
    for cadence in BillingPeriod
    for plan in ("standard", "plus")
]
partners = st.sampled_from([1, 2])
writers = st.sampled_from([Role.ADMINISTRATOR, Role.CLIENT_MANAGER])
readers = st.sampled_from([Role.FINANCE, Role.ACCOUNTANT])
VALUES = {setting.value: st.sampled_from(list(setting.terms)) for setting in Setting if setting.terms}
VALUES |= {"plan": st.sampled_from(PLANS), "add_ons": ADD_ONS}
anybody = st.sampled_from(Role)
seldom = st.sampled_from([False, False, False, True])
some_settings = st.builds(BillingSettings, **VALUES)
some_overrides = st.builds(Overrides, **{name: st.none() | value for name, value in VALUES.items()})
ONE_MORE = [  # a setting, and what is chosen for it; None: nothing
    *(("plan", plan) for plan in ("starter", "standard", "plus", "premium", "classic", None)),
    *(("add_ons", frozenset(codes)) for codes in ((), ("bank_feeds",), ("payroll",), ("e_invoicing", "bank_feeds"))),
    *((setting.value, value) for setting in Setting for value in (*(setting.terms or ()), None)),
]
DAYS = [0, 0, 0, 1, 4, 20, 31, 75]
seeds = st.integers(0, 2**32)


class TwoPartners(RuleBasedStateMachine):
    """Decisions by members of two partners, in time zones of their own, across renewals and price lists."""

    database: Database
    clients = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(datetime(2027, 1, 30, 9, tzinfo=UTC))
        self.lists = [ModelList(date(2000, 1, 1), None, {**SAMPLE.plan_prices, **SAMPLE.add_on_prices})]
        self.model: dict[int, ModelPartner] = {}
        self.members: dict[tuple[int, Role], Member] = {}
        self.invited = 0
        self.told: dict[tuple[int, int], Told] = {}

    @initialize(target=clients, zones=st.tuples(ZONES, ZONES), seed=seeds)
    def two_spaces(self, zones: tuple[str, str], seed: int) -> Any:
        """One in five is empty; most have defaults and clients, of which one has not accepted."""
        self.two_empty_spaces(zones)
        drawn, found = Random(seed), []
        for partner in (1, 2) if drawn.random() < 0.8 else ():
            self.save_defaults(partner, Role.ADMINISTRATOR, drawn.choice(FOR_SALE), stale=False)
            for has_accepted in (True, True, False):
                which = self.invite(partner, Role.CLIENT_MANAGER, Overrides(), None)
                if has_accepted:
                    self.the_client_accepts(which)
                found.append(which)
        return multiple(*found)

    def two_empty_spaces(self, zones: tuple[str, str]) -> None:
        self.database.clock = self.clock
        with self.database.transaction() as session:
            for partner_id, zone in enumerate(zones, 1):
                self.model[partner_id] = ModelPartner(zone, self.lists)
                session.add(Partner(partner_id=partner_id, name=f"P{partner_id}", currency="EUR", time_zone=zone))
                session.flush()
                for member_id, role in enumerate(Role, 1):
                    session.add(Member(partner_id=partner_id, member_id=member_id, name=role, email=role, role=role))
            catalogue.store(session, SAMPLE)
        with self.database.reading() as session:
            for partner_id in (1, 2):
                for member in members.of_partner(session, partner_id):
                    self.members[partner_id, member.role] = member

    def settle(self) -> None:
        """What waited and has come holds, in the model too."""
        for model in self.model.values():
            for client in model.clients.values():
                client.settle(self.clock())

    def attempt(self, act: Any, *, expected: bool) -> Any:
        """Do it in a transaction; it must be refused exactly when the model says so."""
        try:
            with self.database.transaction() as session:
                result = act(session)
        except BillingError as refusal:
            assert not expected, f"refused: {refusal}"
            return None
        assert expected, "not refused"
        return result

    def a_while_later(self) -> datetime:
        """The moment of the next act."""
        self.clock.forward(minutes=7)
        self.settle()
        return self.clock()

    @rule(days=st.sampled_from([1, 1, 3, 10, 27, 31, 45, 190, 366]), hours=st.integers(0, 23))
    def time_passes(self, days: int, hours: int) -> None:
        self.clock.forward(days=days, hours=hours)
        self.settle()

    @rule(which=clients, before=st.sampled_from([timedelta(0), timedelta(minutes=7), timedelta(minutes=8)]))
    def a_renewal_comes(self, which: tuple[int, int], before: timedelta) -> None:
        """The next act of all takes place just before it, at its instant, or after it."""
        partner, client_id = which
        model = self.model[partner]
        state = model.clients[client_id].now
        if state.status == "active":
            _, renewal = period(state, model.today(self.clock()))
            self.clock.moment = max(midnight(renewal, model.zone) - before, self.clock())
            self.settle()

    @rule(partner=partners, role=writers, wanted=some_settings, stale=seldom)
    def save_defaults(self, partner: int, role: Role, wanted: BillingSettings, stale: bool) -> None:
        model, moment = self.model[partner], self.a_while_later()
        newest = len(model.versions) or None
        seen = (newest or 0) + 1 if stale and newest else newest
        ok = seen == newest and model.sellable(as_dict(wanted), moment)
        member = self.members[partner, role]
        if self.attempt(lambda s: defaults.save(s, member, wanted, seen=seen), expected=ok):
            model.versions.append(as_dict(wanted))

    @rule(target=clients, partner=partners, role=writers, overrides=some_overrides, named=st.none() | anybody)
    def invite(self, partner: int, role: Role, overrides: Overrides, named: Role | None) -> Any:
        model, moment = self.model[partner], self.a_while_later()
        version, chosen = len(model.versions) or None, as_dict(overrides)
        values = model.effective(version, chosen)
        self.invited += 1
        new_client = NewClient.from_typed(name=f"Client {self.invited}", email=f"c{self.invited}@example.com")
        ok = values is not None and model.sellable(values, moment) and named is not Role.FINANCE
        member = self.members[partner, role]
        responsible_id = None if named is None else self.members[partner, named].member_id
        client = self.attempt(
            lambda s: invitations.invite(s, member, new_client, overrides, responsible_id=responsible_id), expected=ok
        )
        if client is None or values is None:
            return multiple()
        first = member.member_id if responsible_id is None else responsible_id
        made = Held(moment, State("invited", version, chosen, values), 1)
        model.clients[client.client_id] = ModelClient([made], responsible=[first])
        self.read_the_letter(partner, client.client_id)
        return partner, client.client_id

    def read_the_letter(self, partner: int, client_id: int) -> None:
        client = self.model[partner].clients[client_id]
        with self.database.reading() as session:
            message = invitations.waiting(session, partner, client_id, OutboxMessage)
            assert message is not None
            assert message.token is not None
            client.token = message.token
            made = invitations.of_client(session, self.members[partner, Role.ADMINISTRATOR], client_id).invitation
            client.expires_at = made.expires_at

    @rule(which=clients)
    def the_client_accepts(self, which: tuple[int, int]) -> None:
        """Rule 23: its rhythm and its purchase list begin on this day."""
        model, moment = self.model[which[0]], self.a_while_later()
        client = model.clients[which[1]]
        assert client.expires_at is not None
        ok = client.now.status == "invited" and moment < client.expires_at
        if self.attempt(lambda s: invitations.accept(s, client.token), expected=ok):
            today = model.today(moment)
            bought = model.list_on(today)
            active = replace(client.now, status="active", began=today, anchor=today.day, bought=bought)
            client.decide(moment, active, None)

    @rule(which=clients, role=writers)
    def invite_again(self, which: tuple[int, int], role: Role) -> None:
        """Rule 36: an archived client on the newest defaults; one whose invitation lapsed as it is."""
        model, moment = self.model[which[0]], self.a_while_later()
        client, member = model.clients[which[1]], self.members[which[0], role]
        assert client.expires_at is not None
        archived = client.now.status == "archived"
        lapsed = client.now.status == "invited" and moment >= client.expires_at
        version = len(model.versions) or None
        state = replace(client.now, status="invited", began=None, anchor=None, bought=None)
        if archived and version is not None:
            state = replace(state, version=version, chosen={}, values=model.versions[-1])
        ok = lapsed or (archived and model.sellable(state.values, moment))

        def again(session: Any) -> bool:
            invitations.invite_again(session, member, which[1])
            return True

        if self.attempt(again, expected=ok):
            if archived:
                client.decide(moment, state, None)
            self.read_the_letter(*which)

    def override(self, which: tuple[int, int], role: Role, chosen: dict[str, Any], *, stale: bool) -> None:
        """Preview and decide: what the preview said, what the model says and what is done are one."""
        model, moment = self.model[which[0]], self.a_while_later()
        client, member = model.clients[which[1]], self.members[which[0], role]
        said = model.change(client, moment, client.now.version, chosen, whole=False)

        def act(session: Any) -> Preview:
            shown = subscriptions.detail(session, member, which[1])
            overrides = Overrides(**chosen)
            preview = subscriptions.preview_override(session, member, shown, overrides)
            seen = Seen(shown.held.revision, shown.history[0].revision + stale)
            try:
                subscriptions.override(session, member, which[1], overrides, seen=seen, reason=f"r{moment}")
            except BillingError:
                assert stale, "refused, though the preview was not"
                raise
            return preview

        preview = self.attempt(act, expected=not stale and said != REFUSED)
        if preview is not None:
            self.as_decided(model, client, moment, said, preview)

    def as_decided(
        self, model: ModelPartner, client: ModelClient, moment: datetime, said: Decision, preview: Preview
    ) -> None:
        """The preview said what the model says that the change does; afterwards the model has done it. That the product
        did it too is compared after every step."""
        assert preview.changes_anything is not said.nothing
        if said.nothing:
            return
        today, charge = model.today(moment), preview.timing.charge
        assert preview.waits is (said.now is None)
        assert (0 if charge is None else charge.cents) == said.charge
        if said.now is not None:
            assert preview.timing.moment == moment
            assert (preview.timing.day, cents(preview.price)) == (today, model.price(said.now, today))
            is_as(said.now, preview.effective)
        assert cents(preview.timing.before) == model.price(client.now, today)
        assert preview.withdraws is (client.waits is not None and said.waits is None)
        assert (preview.later is None) is (said.waits is None)
        client.decide(moment, said.now, said.waits)
        if preview.later is not None and said.waits is not None:
            begins, state = said.waits
            assert preview.later.timing.moment == begins
            assert cents(preview.later.timing.after) == model.price(state, model.today(begins))
            is_as(state, preview.later.effective)

    @rule(which=clients, role=writers, overrides=some_overrides, stale=seldom)
    def decide_all_of_it(self, which: tuple[int, int], role: Role, overrides: Overrides, stale: bool) -> None:
        self.override(which, role, as_dict(overrides), stale=stale)

    @rule(which=clients, role=writers, change=st.sampled_from(ONE_MORE))
    def decide_one_setting(self, which: tuple[int, int], role: Role, change: tuple[str, Any]) -> None:
        name, value = change
        chosen = {**self.model[which[0]].clients[which[1]].now.chosen, name: value}
        self.override(which, role, {name: value for name, value in chosen.items() if value is not None}, stale=False)

    @rule(which=clients, role=writers)
    def back_to_the_defaults_it_was_invited_with(self, which: tuple[int, int], role: Role) -> None:
        self.override(which, role, {}, stale=False)

    @rule(which=clients, role=writers, clear=st.booleans())
    def adopt_current_defaults(self, which: tuple[int, int], role: Role, clear: bool) -> None:
        model, moment = self.model[which[0]], self.a_while_later()
        client, member = model.clients[which[1]], self.members[which[0], role]
        version, chosen = len(model.versions) or None, {} if clear else client.now.chosen
        said = REFUSED if version is None else model.change(client, moment, version, chosen, whole=True)

        def act(session: Any) -> Preview:
            shown = subscriptions.detail(session, member, which[1])
            preview = subscriptions.preview_adoption(session, member, shown, clear_overrides=clear)
            adoption = subscriptions.adopt_current_defaults(session, member, [which[1]], clear_overrides=clear)
            assert bool(adoption.adopted) is preview.changes_anything
            return preview

        preview = self.attempt(act, expected=said != REFUSED)
        if preview is not None:
            self.as_decided(model, client, moment, said, preview)

    @rule(which=clients, role=writers)
    def cancel_what_waits(self, which: tuple[int, int], role: Role) -> None:
        """Rule 33: what holds goes on, restated."""
        moment = self.a_while_later()
        client, member = self.model[which[0]].clients[which[1]], self.members[which[0], role]

        def cancel(session: Any) -> Any:
            seen = subscriptions.detail(session, member, which[1]).seen
            return subscriptions.cancel_pending(session, member, which[1], seen=seen)

        if self.attempt(cancel, expected=client.waits is not None):
            client.decide(moment, client.now, None)

    @rule(which=clients, role=writers, at_once=st.booleans())
    def archive(self, which: tuple[int, int], role: Role, at_once: bool) -> None:
        """Rule 35: at the end of the paid period or at once; it says how many paid days are given up."""
        model, moment = self.model[which[0]], self.a_while_later()
        client, member = model.clients[which[1]], self.members[which[0], role]
        state, today = client.now, model.today(moment)
        ended = replace(state, status="archived", began=None, anchor=None, bought=None)
        ends = client.waits is not None and client.waits.state.status == "archived"

        def act(session: Any) -> Any:
            shown = subscriptions.detail(session, member, which[1])
            ending = subscriptions.preview_archive(member, shown, at_once=at_once)
            subscriptions.archive(session, member, which[1], seen=shown.seen, at_once=at_once)
            return ending

        ending = self.attempt(act, expected=state.status != "archived" and not ends)
        if ending is None:
            return
        assert (ending.pending is None) is (client.waits is None)
        if state.status == "invited":
            assert (ending.day, ending.given_up_days) == (today, 0)
            client.decide(moment, ended, None)
            return
        _, renewal = period(state, today)
        if at_once:
            assert (ending.day, ending.given_up_days) == (today, (renewal - today).days)
            client.decide(moment, ended, None)
        else:
            assert (ending.day, ending.given_up_days) == (renewal, 0)
            client.decide(moment, None, (midnight(renewal, model.zone), ended))

    @rule(seed=seeds)
    def clients_live_on(self, seed: int) -> None:
        """One act after the other, some on the same day and some after a renewal; the client compared after each."""
        drawn = Random(f"{seed} {self.clock()}")
        everyone = [(partner, client_id) for partner, model in self.model.items() for client_id in model.clients]
        for _ in range(25 if everyone else 0):
            which, role = drawn.choice(everyone), drawn.choice([Role.ADMINISTRATOR, Role.CLIENT_MANAGER])
            self.clock.forward(days=drawn.choice(DAYS))
            self.settle()
            self.one_act(drawn, which, role)
            with self.database.reading() as session:
                shown = subscriptions.detail(session, self.members[which[0], role], which[1])
            model = self.model[which[0]]
            is_now_as(model, model.clients[which[1]], shown, self.clock())

    def one_act(self, drawn: Random, which: tuple[int, int], role: Role) -> None:
        status = self.model[which[0]].clients[which[1]].now.status
        if status == "invited" and drawn.random() < 0.6:
            self.the_client_accepts(which)
        elif status == "archived" and drawn.random() < 0.8:
            self.invite_again(which, role)
        elif (kind := drawn.random()) < 0.6:
            self.decide_one_setting(which, role, drawn.choice(ONE_MORE))
        elif kind < 0.75:
            self.adopt_current_defaults(which, role, drawn.random() < 0.4)
        elif kind < 0.9:
            self.cancel_what_waits(which, role)
        else:
            self.archive(which, role, drawn.random() < 0.3)

    @precondition(lambda self: len(self.lists) < 4)
    @rule(
        days=st.sampled_from([0, 0, 5, 20, 60]),
        renews=st.none() | st.sampled_from([1, 30, 120]),
        percent=st.sampled_from([60, 95, 110, 140]),
    )
    def a_price_list_is_loaded(self, days: int, renews: int | None, percent: int) -> None:
        """Rules 39 to 42: it begins today or later; one that begins on the same day to come takes the place of another.
        It sells Starter by the year too."""
        moment = self.a_while_later()
        today = max(model.today(moment) for model in self.model.values())
        begins = max(today + timedelta(days=days), self.lists[-1].begins)
        renews_from = None if renews is None else begins + timedelta(days=renews)
        plans = {key: each * percent // 100 for key, each in SAMPLE.plan_prices.items()}
        plans["starter", BillingPeriod.YEARLY] = 9100
        plans["standard", BillingPeriod.MONTHLY] += self.clock().minute + len(self.lists)
        offer = with_prices(SAMPLE, valid_from=begins, renewals_from=renews_from, plan_prices=plans)
        made = self.attempt(lambda s: subscriptions.load_catalogue(s, offer), expected=True).made
        if made is None:
            assert self.lists[-1].cents == {**plans, **SAMPLE.add_on_prices}
            return
        loaded = ModelList(begins, renews_from, {**plans, **SAMPLE.add_on_prices})
        if self.lists[-1].begins == begins > today:
            self.lists.pop()
        self.lists.append(loaded)
        assert made.number == len(self.lists)
        for model in self.model.values():
            model.buy_again()

    @precondition(lambda self: len(self.lists) > 1)
    @rule()
    def the_price_list_to_come_is_withdrawn(self) -> None:
        moment = self.a_while_later()
        to_come = self.lists[-1].begins > max(model.today(moment) for model in self.model.values())
        number = len(self.lists)
        withdrawn: PriceList | None = self.attempt(
            lambda s: subscriptions.withdraw_price_list(s, number, "EUR"), expected=to_come
        )
        if withdrawn is not None:
            self.lists.pop()
            for model in self.model.values():
                model.buy_again()

    @rule(which=clients, role=writers, wanted=anybody, stale=st.sampled_from([False, False, False, True]))
    def change_responsible(self, which: tuple[int, int], role: Role, wanted: Role, stale: bool) -> None:
        partner, client_id = which
        client = self.model[partner].clients[client_id]
        self.a_while_later()
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
        self.a_while_later()
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
            one_row_holds_at_every_instant(session, self.clock())
            offer = catalogue.stored(session, "EUR")
            assert offer is not None
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
                    is_now_as(model, client, shown, self.clock())
                    past_is_kept(model, client, shown, offer, self.told.setdefault((partner, client_id), []))
                    row = every.loc[client_id]
                    decided = subscriptions.responsible_history(session, member, client_id)
                    assert [each.member_id for each in decided][::-1] == client.responsible
                    assert row["responsible_id"] == client.responsible[-1]
                    values = client.now.values
                    assert (row["plan"], row["payer"]) == (values["plan"], values["payer"])
                    assert row["source"] == ("override" if client.now.chosen else "default")
                    assert row["on_older_defaults"] == (
                        client.now.version is not None and client.now.version < len(model.versions)
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
            max_examples=examples,
            stateful_step_count=15,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
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

        run(fresh, examples=int(__import__("os").environ.get("EX", "30")))


def test_random_lives_of_two_partners_follow_the_rules_on_postgresql(migrated_postgres: Database) -> None:
    """The same, on PostgreSQL."""
    tables = ", ".join(f'"{table}"' for table in Base.metadata.tables)

    def emptied() -> Database:
        database = Database(migrated_postgres.engine.url.render_as_string(hide_password=False))
        with database.transaction() as session:
            session.execute(text(f"TRUNCATE {tables} CASCADE"))
        return database

    run(emptied, examples=15)
