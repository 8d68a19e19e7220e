"""Random lives of two partners against a naive model of the rules: after every step, every client is compared."""

import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random
from shutil import copy
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    rule,
    run_state_machine_as_test,
)

from core import catalogue, reports, subscriptions
from core.storage import Database
from core.subscriptions import Preview, Seen
from core.words import (
    BillingError,
    Overrides,
    Role,
    Setting,
)
from tests import postgres
from tests.subscriptions.as_lived import cents, is_as, is_now_as, one_row_holds_at_every_instant, past_is_kept
from tests.subscriptions.lives import (
    REFUSED,
    Decision,
    ModelClient,
    ModelPartner,
    as_dict,
    midnight,
    period,
)
from tests.subscriptions.sets_and_batches import ACTS, SET_ACTS, WithBatches
from tests.subscriptions.two_spaces import seeds, seldom, set_numbers, some_overrides, writers

ONE_MORE = [  # a setting, and what is chosen for it; None: nothing
    *(("plan", plan) for plan in ("starter", "standard", "plus", "premium", "classic", None)),
    *(("add_ons", frozenset(codes)) for codes in ((), ("bank_feeds",), ("payroll",), ("e_invoicing", "bank_feeds"))),
    *((setting.value, value) for setting in Setting for value in (*(setting.terms or ()), None)),
]
DAYS = [0, 0, 0, 1, 4, 20, 31, 75]


class TwoPartners(WithBatches):
    """Decisions by members of two partners, in time zones of their own, across renewals and price lists."""

    clients = WithBatches.clients

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

    @rule(which=clients, role=writers, clear=st.booleans(), number=set_numbers)
    def adopt_current_defaults(
        self, which: tuple[int, int], role: Role, clear: bool, number: int | None = None
    ) -> None:
        """Rule 22: its own set, or another one that is named."""
        model, moment = self.model[which[0]], self.a_while_later()
        client, member = model.clients[which[1]], self.members[which[0], role]
        version, chosen = model.adopts(client.now.version, number), {} if clear else client.now.chosen
        said = REFUSED if version is None else model.change(client, moment, version, chosen, whole=True)

        def act(session: Any) -> Preview:
            shown = subscriptions.detail(session, member, which[1])
            asked: Any = {"clear_overrides": clear, "set_number": number}
            preview = subscriptions.preview_adoption(session, member, shown, **asked)
            adoption = subscriptions.adopt_current_defaults(session, member, [which[1]], **asked)
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

    @rule(seed=seeds)
    def a_firm_changes_its_sets_and_many_clients(self, seed: int) -> None:
        """Many clients in one act and back again, some of them changed in between, while sets are retired and others
        become the standard one; who was archived comes back."""
        drawn = Random(f"{seed} {self.clock()}")
        with_clients = [partner for partner, model in self.model.items() if model.clients]
        for _ in range(12 if with_clients else 0):
            partner, role = drawn.choice(with_clients), drawn.choice([Role.ADMINISTRATOR, Role.CLIENT_MANAGER])
            which = partner, drawn.choice(sorted(self.model[partner].clients))
            if (kind := drawn.random()) < 0.25:
                standard = self.model[partner].standard
                other = drawn.choice([number for number in (1, 2, 3) if number != standard])
                self.change_a_set(
                    partner, role, drawn.choice(["make standard", "retire", "bring back"]), other, stale=False
                )
            elif kind < 0.4 and self.model[partner].clients[which[1]].now.status == "active":
                self.archive(which, role, at_once=True)
                self.invite_again(which, role)
            elif kind < 0.65:
                self.one_act(drawn, which, role)
            else:
                self.many_at_once(partner, role, drawn.choice(ACTS), drawn.randrange(2**32), late=False)
                for days in drawn.choice([[], [0], [0, 0], [1, 40]]):
                    self.clock.forward(days=days)
                    self.settle()
                    self.undo_many(partner, role, 0, late=False)
            self.clock.forward(days=drawn.choice(DAYS))
            self.settle()

    def one_act(self, drawn: Random, which: tuple[int, int], role: Role) -> None:
        status = self.model[which[0]].clients[which[1]].now.status
        if len(self.lists) < 6 and drawn.random() < 0.08:
            self.a_price_list_is_loaded(
                drawn.choice([0, 0, 5, 20]), drawn.choice([None, 1, 30]), drawn.choice([60, 95, 140])
            )
        if (kind := drawn.random()) < 0.06:
            self.change_a_set(which[0], role, drawn.choice(SET_ACTS), drawn.choice([1, 2, 2, 3, 3]), stale=False)
        elif kind < 0.14:
            self.many_at_once(which[0], role, drawn.choice(ACTS), drawn.randrange(2**32), drawn.random() < 0.1)
            for _ in range(drawn.choice([0, 1, 1, 2])):
                self.clock.forward(days=drawn.choice(DAYS))
                self.settle()
                self.undo_many(which[0], role, 0, late=False)
        elif kind < 0.18:
            self.undo_many(which[0], role, drawn.randrange(4), late=False)
        elif status == "invited" and drawn.random() < 0.6:
            self.the_client_accepts(which)
        elif status == "archived" and drawn.random() < 0.8:
            self.invite_again(which, role)
        elif (kind := drawn.random()) < 0.6:
            self.decide_one_setting(which, role, drawn.choice(ONE_MORE))
        elif kind < 0.75:
            self.adopt_current_defaults(which, role, drawn.random() < 0.4, drawn.choice([None, None, 1, 2, 3]))
        elif kind < 0.9:
            self.cancel_what_waits(which, role)
        else:
            self.archive(which, role, drawn.random() < 0.3)

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
                self.sets_are_as_the_model_says(session, member, model)
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
                    bound = client.now.version
                    own = None if bound is None else model.sets[bound[0]]
                    is_older = own is not None and bound is not None and bound[1] < len(own.versions)
                    assert row["on_older_defaults"] == (is_older and own is not None and not own.is_retired)


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
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # lives drawn from a seed have no simpler ones
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

        run(fresh, examples=40)


def test_random_lives_of_two_partners_follow_the_rules_on_postgresql(migrated_postgres: Database) -> None:
    """The same, on PostgreSQL."""

    def emptied() -> Database:
        database = Database(migrated_postgres.engine.url.render_as_string(hide_password=False))
        postgres.empty(database)
        return database

    run(emptied, examples=15)
