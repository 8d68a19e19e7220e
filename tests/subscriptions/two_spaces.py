"""Two partner spaces with their members, beside the naive model of them: time passes, clients come, and price lists."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    precondition,
    rule,
)

from core import catalogue, defaults, invitations, members, subscriptions
from core.catalogue import SAMPLE, PriceList
from core.invitations import NewClient, OutboxMessage
from core.members import Member, Partner, Permission
from core.storage import Database
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
from tests.subscriptions.as_lived import Told
from tests.subscriptions.lives import (
    Held,
    ModelClient,
    ModelList,
    ModelPartner,
    ModelSet,
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
set_numbers = st.sampled_from([None, None, None, 1, 2, 3])  # of a set that is there or not; None: none is named
writers = st.sampled_from([Role.ADMINISTRATOR, Role.CLIENT_MANAGER])
readers = st.sampled_from([Role.FINANCE, Role.ACCOUNTANT])
VALUES = {setting.value: st.sampled_from(list(setting.terms)) for setting in Setting if setting.terms}
VALUES |= {"plan": st.sampled_from(PLANS), "add_ons": ADD_ONS}
anybody = st.sampled_from(Role)
seldom = st.sampled_from([False, False, False, True])
some_settings = st.builds(BillingSettings, **VALUES)
some_overrides = st.builds(Overrides, **{name: st.none() | value for name, value in VALUES.items()})
seeds = st.integers(0, 2**32)


class TwoSpaces(RuleBasedStateMachine):
    """What happens around the decisions about clients."""

    database: Database
    clients = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(datetime(2027, 1, 30, 9, tzinfo=UTC))
        self.lists = [ModelList(1, date(2000, 1, 1), None, {**SAMPLE.plan_prices, **SAMPLE.add_on_prices})]
        self.last_list = 1
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
            self.second_set(partner, drawn.choice(FOR_SALE))
            for has_accepted in (True, True, False):
                which = self.invite(partner, Role.CLIENT_MANAGER, Overrides(), None, drawn.choice([None, 2]))
                if has_accepted:
                    self.the_client_accepts(which)
                found.append(which)
        return multiple(*found)

    def second_set(self, partner: int, wanted: BillingSettings) -> None:
        """Beside the standard one."""
        moment = self.a_while_later()
        assert self.model[partner].sellable(as_dict(wanted), moment)
        member = self.members[partner, Role.ADMINISTRATOR]
        made = self.attempt(lambda s: defaults.make_set(s, member, "Payroll clients", wanted), expected=True)
        self.model[partner].sets[made.set_number] = ModelSet("Payroll clients", [as_dict(wanted)])

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

    @rule(partner=partners, role=writers, wanted=some_settings, stale=seldom, number=set_numbers)
    def save_defaults(
        self, partner: int, role: Role, wanted: BillingSettings, stale: bool, number: int | None = None
    ) -> None:
        """A version more of the set, of the standard one if none is named; the first one of all makes that set."""
        model, moment = self.model[partner], self.a_while_later()
        of = model.standard if number is None else number
        newest = len(model.sets[of].versions) if of in model.sets else None
        seen = (newest or 0) + 1 if stale and newest else newest
        ok = seen == newest and model.can_be_picked(number) and model.sellable(as_dict(wanted), moment)
        member = self.members[partner, role]
        if not self.attempt(lambda s: defaults.save(s, member, wanted, seen=seen, set_number=number), expected=ok):
            return
        if of is None:
            model.standard = of = 1
            model.sets[of] = ModelSet("Standard", [], changes=2)
        model.sets[of].versions.append(as_dict(wanted))

    @rule(
        target=clients,
        partner=partners,
        role=writers,
        overrides=some_overrides,
        named=st.none() | anybody,
        number=set_numbers,
    )
    def invite(
        self, partner: int, role: Role, overrides: Overrides, named: Role | None, number: int | None = None
    ) -> Any:
        """Rule 18: on the newest version of the set that is picked."""
        model, moment = self.model[partner], self.a_while_later()
        can_be_picked, chosen = model.can_be_picked(number), as_dict(overrides)
        version = model.newest(model.standard if number is None else number) if can_be_picked else None
        values = model.effective(version, chosen) if can_be_picked else None
        self.invited += 1
        new_client = NewClient.from_typed(name=f"Client {self.invited}", email=f"c{self.invited}@example.com")
        ok = values is not None and model.sellable(values, moment) and named is not Role.FINANCE
        member = self.members[partner, role]
        responsible_id = None if named is None else self.members[partner, named].member_id
        client = self.attempt(
            lambda s: invitations.invite(
                s, member, new_client, overrides, responsible_id=responsible_id, set_number=number
            ),
            expected=ok,
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
        """Rule 36: an archived client on the newest version of its set; one whose invitation lapsed as it is."""
        model, moment = self.model[which[0]], self.a_while_later()
        client, member = model.clients[which[1]], self.members[which[0], role]
        assert client.expires_at is not None
        archived = client.now.status == "archived"
        lapsed = client.now.status == "invited" and moment >= client.expires_at
        version = model.own_or_standard(client.now.version)
        state = replace(client.now, status="invited", began=None, anchor=None, bought=None)
        if archived and version is not None:
            state = replace(state, version=version, chosen={}, values=model.effective(version, {}))
        ok = lapsed or (archived and model.sellable(state.values, moment))

        def again(session: Any) -> bool:
            invitations.invite_again(session, member, which[1])
            return True

        if self.attempt(again, expected=ok):
            if archived:
                client.decide(moment, state, None)
            self.read_the_letter(*which)

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
        if self.lists[-1].begins == begins > today:
            number = self.lists.pop().number
        else:
            self.last_list = number = self.last_list + 1
        self.lists.append(ModelList(number, begins, renews_from, {**plans, **SAMPLE.add_on_prices}))
        assert made.number == number
        for model in self.model.values():
            model.buy_again()

    @precondition(lambda self: len(self.lists) > 1)
    @rule()
    def the_price_list_to_come_is_withdrawn(self) -> None:
        moment = self.a_while_later()
        to_come = self.lists[-1].begins > max(model.today(moment) for model in self.model.values())
        number = self.lists[-1].number
        withdrawn: PriceList | None = self.attempt(
            lambda s: subscriptions.withdraw_price_list(s, number, "EUR"), expected=to_come
        )
        if withdrawn is not None:
            self.lists.pop()
            for model in self.model.values():
                model.buy_again()

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
