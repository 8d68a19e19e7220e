"""Default settings: rules 2, 3, 7, 8, 9 and 12."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import defaults
from core.words import (
    AddOnsNotOffered,
    BadInput,
    BillingPeriod,
    BillingSettings,
    NoPrice,
    RetiredChosen,
    Role,
    StaleDefaults,
    UnknownChoice,
)
from tests.conftest import PLUS, STANDARD, Space


def test_no_defaults_saved_yet_is_a_real_state(space: Space) -> None:
    """Rule 7: nothing is guessed."""
    with space.database.reading() as session:
        assert defaults.current(session, space.administrator) is None
        assert defaults.history(session, space.administrator) == []


def test_saving_makes_a_new_version_and_keeps_the_old_one(space: Space) -> None:
    """Rule 2: versions are numbered, and every one stays readable with who, when and why."""
    space.save(STANDARD, note="at first")
    space.clock.forward(days=1)
    space.save(PLUS, note="new price list")
    with space.database.reading() as session:
        newest, oldest = defaults.history(session, space.administrator)
    assert (newest.version, newest.settings, newest.note) == (2, PLUS, "new price list")
    assert (oldest.version, oldest.settings, oldest.note) == (1, STANDARD, "at first")
    assert newest.saved_by.name == "The administrator"
    assert (newest.saved_at - oldest.saved_at).days == 1


def test_anyone_at_the_partner_can_read_every_version(space: Space) -> None:
    """Rule 2: reading is not a privilege."""
    space.save()
    for role in Role:
        with space.database.reading() as session:
            assert [v.version for v in defaults.history(session, space.members[role])] == [1]


@pytest.mark.parametrize("statement", ["UPDATE default_settings SET note = 'x'", "DELETE FROM default_settings"])
def test_a_version_is_never_changed_or_deleted_not_even_by_hand(space: Space, statement: str) -> None:
    """Rule 2, as a constraint of the database."""
    space.save()
    with pytest.raises(DBAPIError, match="never changed or deleted"), space.database.transaction() as session:
        session.execute(text(statement))
    with space.database.reading() as session:
        assert [v.note for v in defaults.history(session, space.administrator)] == [""]


def test_a_later_version_touches_no_existing_client(space: Space) -> None:
    """Rule 3: the invitation binds."""
    space.save(STANDARD)
    client = space.invite()
    before = space.detail(client.client_id)
    space.save(PLUS)
    after = space.detail(client.client_id)
    assert after.effective == before.effective
    assert after.history == before.history
    assert after.bound is not None
    assert after.bound.version == 1
    assert after.on_older_defaults


def test_the_second_save_of_two_is_refused_and_told_who_and_when(space: Space) -> None:
    """Rule 12."""
    space.save(STANDARD)
    with space.database.transaction() as session:
        defaults.save(session, space.administrator, PLUS, seen=1)
    with pytest.raises(StaleDefaults, match=r"The administrator saved version 2 on 3 Mar 2026, 09:00"):
        with space.database.transaction() as session:
            defaults.save(session, space.manager, STANDARD, seen=1)
    with space.database.reading() as session:
        assert len(defaults.history(session, space.manager)) == 2


def test_the_second_first_save_on_an_empty_space_is_refused_too(space: Space) -> None:
    """Rule 12, with no version seen."""
    space.save(STANDARD)
    with pytest.raises(StaleDefaults), space.database.transaction() as session:
        defaults.save(session, space.manager, PLUS, seen=None)


def test_the_same_save_sent_twice_makes_one_version(space: Space) -> None:
    """A second click is not a second person: it is told what the first one made, whatever was saved since."""
    for _ in range(2):
        with space.database.transaction() as session:
            saved = defaults.save(session, space.manager, STANDARD, seen=None, note="once", attempt="form")
        assert (saved.version, saved.saved_by.name) == (1, space.manager.name)
        if space.clock.moment.hour == 9:
            space.clock.forward(hours=1)
            space.save(PLUS)


def test_versions_follow_each_other_in_time_though_the_clock_steps_back(space: Space) -> None:
    """An instant of a later version is later."""
    first = space.save(STANDARD)
    space.clock.forward(hours=-1)
    assert space.save(PLUS).saved_at > first.saved_at


@pytest.mark.parametrize(
    ("settings", "refusal", "sentence"),
    [
        pytest.param(
            replace(STANDARD, plan="starter", add_ons=frozenset({"payroll"})),
            AddOnsNotOffered,
            "Payroll: not offered with Starter. Choose another subscription or remove these add-ons.",
            id="add-ons the plan does not offer",
        ),
        pytest.param(
            replace(STANDARD, plan="starter", billing_period=BillingPeriod.YEARLY, add_ons=frozenset()),
            NoPrice,
            "Starter has no yearly price.",
            id="a plan without a price for the period",
        ),
        pytest.param(
            replace(
                STANDARD, plan="premium", billing_period=BillingPeriod.YEARLY, add_ons=frozenset({"multi_currency"})
            ),
            NoPrice,
            "Multi-currency has no yearly price. Choose monthly, or remove this add-on.",
            id="an add-on without a price for the period",
        ),
        pytest.param(
            replace(STANDARD, plan="classic", add_ons=frozenset()),
            RetiredChosen,
            "Classic is retired",
            id="a retired plan",
        ),
        pytest.param(
            replace(STANDARD, plan="gold", add_ons=frozenset()), UnknownChoice, "no “gold”", id="an unknown plan"
        ),
        pytest.param(
            replace(STANDARD, plan="plus", add_ons=frozenset({"fax"})),
            UnknownChoice,
            "no “fax”",
            id="an unknown add-on",
        ),
    ],
)
def test_settings_that_cannot_be_had_are_not_saved(
    space: Space, settings: BillingSettings, refusal: type[Exception], sentence: str
) -> None:
    """Rules 8 and 9, each with its own sentence; nothing is written."""
    with pytest.raises(refusal, match=sentence):
        space.save(settings)
    with space.database.reading() as session:
        assert defaults.current(session, space.administrator) is None


@pytest.mark.parametrize("note", ["x" * 501, "bell \x07"])
def test_a_note_that_cannot_be_kept_is_refused(space: Space, note: str) -> None:
    """Bad input gets a sentence."""
    with pytest.raises(BadInput) as refusal:
        space.save(STANDARD, note=note)
    assert list(refusal.value.fields) == ["note"]
