"""Two partner spaces whose default sets change, and where many clients are changed in one act and back again."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule
from sqlalchemy.orm import Session

from core import bulk, defaults, reports
from core.bulk import Act, Adopt, Archive, BulkPreview, CancelPending, Chosen, Found, NobodyChosen, Override, Ticked
from core.members import Member
from core.words import BillingPeriod, BillingSettings, Overrides, Payer, Role, Setting
from tests.subscriptions.as_lived import cents
from tests.subscriptions.lives import (
    REFUSED,
    Decision,
    ModelBatch,
    ModelClient,
    ModelPartner,
    ModelSet,
    as_dict,
    midnight,
    period,
)
from tests.subscriptions.two_spaces import TwoSpaces, partners, seeds, seldom, some_settings, writers

NAMES = ["Standard", "standärd", "Freelancers", "FREELANCERS", "Été", "ete", "Payroll clients"]
SET_ACTS = ["rename", "retire", "retire", "bring back", "make standard"]
ACTS: list[Act] = [
    Adopt(),
    Adopt(),
    Adopt(clear_overrides=True),
    *(Adopt(set_number=number) for number in (1, 2, 3)),
    Override(Overrides(plan="premium")),
    Override(Overrides(plan="starter", add_ons=frozenset())),
    Override(Overrides(payer=Payer.CLIENT, add_ons=frozenset({"payroll"}))),
    Override(Overrides(billing_period=BillingPeriod.YEARLY)),
    Override(Overrides(payer=Payer.PARTNER), frozenset({Setting.PLAN, Setting.ADD_ONS})),
    Override(clear=frozenset(Setting)),
    CancelPending(),
    Archive(),
    Archive(at_once=True),
]


def read_alike(name: str) -> str:
    """A name as names are compared, for the names above."""
    return name.lower().replace("ä", "a").replace("é", "e")


class WithSets(TwoSpaces):
    """What is done with default sets; no client changes by it."""

    clients = TwoSpaces.clients

    @rule(
        partner=partners,
        role=writers,
        name=st.sampled_from(NAMES),
        wanted=some_settings,
        copied=st.sampled_from([None, 1, 2]),
    )
    def make_a_set(
        self, partner: int, role: Role, name: str, wanted: BillingSettings, copied: int | None = None
    ) -> None:
        """Rules 16, 17 and 19: with its version 1, which may be a copy of what another set gives."""
        model, moment = self.model[partner], self.a_while_later()
        if copied in model.sets:
            wanted = BillingSettings(**model.sets[copied].versions[-1])
        ok = not self.is_taken(model, name, beside=None) and model.sellable(as_dict(wanted), moment)
        member = self.members[partner, role]
        made = self.attempt(lambda s: defaults.make_set(s, member, name, wanted), expected=ok)
        if made is None:
            return
        assert made.set_number == len(model.sets) + 1
        is_first = model.standard is None
        model.sets[made.set_number] = ModelSet(name, [as_dict(wanted)], changes=2 if is_first else 1)
        if is_first:
            model.standard = made.set_number

    @staticmethod
    def is_taken(model: ModelPartner, name: str, *, beside: int | None) -> bool:
        return any(read_alike(each.name) == read_alike(name) for number, each in model.sets.items() if number != beside)

    @rule(
        partner=partners,
        role=writers,
        what=st.sampled_from(SET_ACTS),
        number=st.sampled_from([1, 2, 3]),
        stale=seldom,
        name=st.sampled_from(NAMES),
    )
    def change_a_set(
        self, partner: int, role: Role, what: str, number: int, stale: bool, name: str = "Freelancers"
    ) -> None:
        """Rules 17, 19 and 20: renamed, retired, brought back, made the standard one."""
        model, member = self.model[partner], self.members[partner, role]
        self.a_while_later()
        found = model.sets.get(number, ModelSet("", []))
        seen, is_there, is_standard = found.changes + stale, number in model.sets, number == model.standard
        match what:
            case "rename":
                ok = not stale and not self.is_taken(model, name, beside=number)
                changes = name != found.name
            case "retire" | "bring back":
                ok, changes = (
                    not stale and (what, is_standard) != ("retire", True),
                    found.is_retired is (what != "retire"),
                )
            case _:
                seen = (model.standard or 0) + stale
                ok, changes = not stale and not found.is_retired, not is_standard

        def act(session: Session) -> bool:
            match what:
                case "rename":
                    defaults.rename_set(session, member, number, name, seen=seen)
                case "retire":
                    defaults.retire_set(session, member, number, seen=seen)
                case "bring back":
                    defaults.bring_back_set(session, member, number, seen=seen)
                case _:
                    defaults.make_standard(session, member, number, seen=seen)
            return True

        if not self.attempt(act, expected=is_there and ok) or not changes:
            return
        found.changes += 1
        match what:
            case "rename":
                found.names.append(found.name)
                found.name = name
            case "retire" | "bring back":
                found.is_retired = what == "retire"
            case _:
                model.standard = number

    def sets_are_as_the_model_says(self, session: Session, member: Member, model: ModelPartner) -> None:
        """The sets with their versions and their history, and how many clients are on a retired one."""
        sets = {each.set_number: each for each in defaults.sets(session, member)}
        assert set(sets) == set(model.sets)
        for number, each in model.sets.items():
            shown = sets[number]
            assert (shown.name, shown.is_retired, shown.changes) == (each.name, each.is_retired, each.changes)
            assert shown.is_standard is (number == model.standard)
            assert [as_dict(saved.settings) for saved in defaults.history(session, member, number)][
                ::-1
            ] == each.versions
            renamed = [change.before for change in defaults.set_changes(session, member, number) if change.before]
            assert renamed[::-1] == each.names
        bound = [client.now.version for client in model.clients.values()]
        billed = [client.now.version for client in model.clients.values() if client.now.status != "archived"]
        figures = reports.figures(session, member)
        assert figures.on_retired_set == sum(each is not None and model.sets[each[0]].is_retired for each in billed)
        assert figures.per_version == Counter(each for each in bound if each is not None)


class WithBatches(WithSets):
    """Many clients in one act (rules 45 to 50): each ends as the model says of it alone."""

    clients = WithSets.clients

    @rule(partner=partners, role=writers, act=st.sampled_from(ACTS), seed=seeds, late=seldom)
    def many_at_once(self, partner: int, role: Role, act: Act, seed: int, late: bool) -> None:
        """Previewed and done; `late`: the day passes in between, so that it is refused (rule 47). Sent twice it is one
        batch (rule 49)."""
        model, member, moment = self.model[partner], self.members[partner, role], self.a_while_later()
        chosen, numbers = self.chosen(model, Random(seed))
        if not numbers:
            with pytest.raises(NobodyChosen), self.database.reading() as session:
                bulk.preview(session, member, act, chosen)
            return
        moment = self.of_all(model, numbers, moment)
        said = {each: self.of_one(model, model.clients[each], act, moment) for each in numbers}
        with self.database.reading() as session:
            preview = bulk.preview(session, member, act, chosen)
        self.previewed(model, said, preview, moment)
        if not isinstance(act, CancelPending):
            prices = Counter(
                (each.now is None, model.price(model.clients[client_id].now, model.today(moment)))
                for client_id, each in said.items()
                if not each.refused and not each.nothing
            )
            shown: Counter[Any] = Counter()
            for group in preview.groups:
                shown[group.kind.waits, cents(group.kind.price_before)] += group.clients
            assert shown == prices
        asked: Any = {"digest": preview.digest, "reason": "together", "attempt": f"{partner} {moment}"}
        self.done(model, said, moment, late, lambda s: bulk.do(s, member, act, chosen, **asked))

    @rule(partner=partners, role=writers, back=st.sampled_from([0, 0, 1, 3]), late=seldom)
    def undo_many(self, partner: int, role: Role, back: int, late: bool) -> None:
        """Rule 50: the last batch or one before it, an undo too; once each, and whoever changed since stays."""
        model, member, moment = self.model[partner], self.members[partner, role], self.a_while_later()
        if not model.batches:
            return
        number = sorted(model.batches)[-1 - min(back, len(model.batches) - 1)]
        batch = model.batches[number]
        if batch.undone_by is not None:
            self.attempt(lambda s: bulk.undo_preview(s, member, number), expected=False)
            return
        moment = self.of_all(model, batch.before, moment)
        said = {}
        for client_id, (held, waited, revisions) in batch.before.items():
            client = model.clients[client_id]
            is_last = client.revisions == revisions
            said[client_id] = model.brought_back(client, moment, held, waited) if is_last else REFUSED
        with self.database.reading() as session:
            preview = bulk.undo_preview(session, member, number)
        self.previewed(model, said, preview, moment)
        asked: Any = {"digest": preview.digest, "reason": "back", "attempt": f"{partner} {moment}"}
        batch.undone_by = self.done(model, said, moment, late, lambda s: bulk.undo(s, member, number, **asked))

    @staticmethod
    def chosen(model: ModelPartner, drawn: Random) -> tuple[Chosen, list[int]]:
        """Some that are ticked, or all that a filter finds."""
        if drawn.random() < 0.5 and model.clients:
            some = sorted(drawn.sample(sorted(model.clients), drawn.randint(1, len(model.clients))))
            return Ticked(tuple(some)), some
        wanted = drawn.choice([{}, {"plan": "plus"}, {"default_set": 1}, {"default_set": 2}, {"status": "active"}])

        def is_found(client: ModelClient) -> bool:
            state = client.now
            shown = {"plan": state.values["plan"], "status": state.status, "default_set": (state.version or [None])[0]}
            return all(shown[name] == value for name, value in wanted.items())

        return Found(wanted), [number for number, client in model.clients.items() if is_found(client)]

    @staticmethod
    def of_all(model: ModelPartner, numbers: Any, moment: datetime) -> datetime:
        """The one instant of the act: whatever begins at the instant of one of them has held before it."""
        begun = {held.since for number in numbers for held in model.clients[number].line}
        while moment in begun:
            moment += timedelta(microseconds=1)
        return moment

    @staticmethod
    def of_one(model: ModelPartner, client: ModelClient, act: Act, moment: datetime) -> Decision:
        """What the act does to one client, by the model."""
        held = client.now
        match act:
            case Adopt(set_number=number, clear_overrides=clear):
                bound = model.adopts(held.version, number)
                chosen = {} if clear else held.chosen
                return REFUSED if bound is None else model.change(client, moment, bound, chosen, whole=True)
            case Override(overrides=overrides, clear=cleared):
                chosen = {name: value for name, value in held.chosen.items() if name not in cleared}
                return model.change(client, moment, held.version, {**chosen, **as_dict(overrides)}, whole=False)
            case CancelPending():
                return REFUSED if client.waits is None else Decision(now=held)
            case Archive(at_once=at_once):
                is_ending = client.waits is not None and client.waits.state.status == "archived"
                if held.status == "archived" or is_ending:
                    return REFUSED
                ended = replace(held, status="archived", began=None, anchor=None, bought=None)
                if at_once or held.status == "invited":
                    return Decision(now=ended)
                _, renewal = period(held, model.today(moment))
                return Decision(waits=(midnight(renewal, model.zone), ended))
        raise AssertionError(act)

    @staticmethod
    def previewed(model: ModelPartner, said: dict[int, Decision], preview: BulkPreview, moment: datetime) -> None:
        """The preview says what the model says of all of them (rule 46)."""
        left_out = {client_id for client_id, each in said.items() if each.refused or each.nothing}
        assert {each.client_id for each in preview.left_out} == left_out
        assert (preview.chosen, preview.changed) == (len(said), len(said) - len(left_out))
        assert preview.charge.cents == sum(each.charge for each in said.values())
        assert preview.at == moment

    def done(
        self, model: ModelPartner, said: dict[int, Decision], moment: datetime, late: bool, act: Any
    ) -> int | None:
        """Afterwards it is done, in the model too, unless there was nothing to do or the day is another one; the number
        of the batch."""
        changed = {client_id: each for client_id, each in said.items() if not each.refused and not each.nothing}
        if late:
            self.clock.forward(days=1)
            self.settle()
        made = self.attempt(act, expected=bool(changed) and not late)
        if made is None:
            return None
        again = self.attempt(act, expected=True)
        assert (again.batch, made.chosen, made.changed) == (made.batch, len(said), len(changed))
        self.clock.forward(seconds=1)
        batch = model.batches[made.batch] = ModelBatch()
        for client_id, each in changed.items():
            client = model.clients[client_id]
            before = (client.now, client.waits)
            client.decide(moment, each.now, each.waits)
            batch.before[client_id] = (*before, client.revisions)
        return int(made.batch)
