"""Default sets: made, named, retired, made the standard; and what a client bound to one keeps (rules 16 to 22)."""

from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from core import defaults, imports, invitations, reports, spreadsheets, subscriptions
from core.defaults import NamedSet, SetVersion
from core.invitations import NewClient, OutboxMessage
from core.reports import SourceFilter
from core.subscriptions import Client
from core.words import (
    BadInput,
    BillingSettings,
    ClientStatus,
    NotTheirSet,
    Overrides,
    Payer,
    RetiredSet,
    SetChange,
    SetNameTaken,
    Setting,
    Source,
    StaleDefaults,
    StaleSet,
    StaleStandard,
    StandardSetKept,
    UnknownSet,
    spoken,
)
from tests.conftest import PLUS, STANDARD, Space, at_once

FREELANCERS = 2


def known(space: Space) -> defaults.Sets:
    with space.database.reading() as session:
        return defaults.sets(session, space.manager)


def made(space: Space, name: str = "Freelancers", settings: BillingSettings = PLUS) -> NamedSet:
    with space.database.transaction() as session:
        return defaults.make_set(session, space.administrator, name, settings)


def saved(space: Space, set_number: int, settings: BillingSettings) -> SetVersion:
    """A new version of this set, over whatever is in force."""
    seen = known(space).named(set_number).version
    with space.database.transaction() as session:
        return defaults.save(session, space.manager, settings, seen=seen, set_number=set_number).bound


def retired(space: Space, set_number: int = FREELANCERS) -> NamedSet:
    seen = known(space).named(set_number).changes
    with space.database.transaction() as session:
        return defaults.retire_set(session, space.manager, set_number, seen=seen)


def made_standard(space: Space, set_number: int = FREELANCERS) -> None:
    standard = known(space).standard
    assert standard is not None
    with space.database.transaction() as session:
        defaults.make_standard(session, space.administrator, set_number, seen=standard.set_number)


def invited(space: Space, name: str = "Aubry", set_number: int | None = FREELANCERS) -> Client:
    new_client = NewClient.from_typed(name=name, email=f"{name.lower()}@example.com")
    with space.database.transaction() as session:
        return invitations.invite(session, space.manager, new_client, set_number=set_number)


def differences(space: Space) -> list[str]:
    with space.database.reading() as session:
        return [*defaults.differences(session), *subscriptions.differences(session)]


def adopted(space: Space, client_id: int, **asked: object) -> subscriptions.Adoption:
    with space.database.transaction() as session:
        return subscriptions.adopt_current_defaults(session, space.manager, [client_id], **asked)  # type: ignore[arg-type]


@pytest.fixture
def two(space: Space) -> Space:
    """A space with the sets Standard, v1, and Freelancers, v1."""
    space.save(STANDARD)
    made(space)
    return space


def test_each_set_has_versions_of_its_own(two: Space) -> None:
    """Rule 16: they are numbered within the set, and saving in one leaves the other as it is."""
    assert saved(two, FREELANCERS, STANDARD) == (FREELANCERS, 2)
    assert saved(two, 1, PLUS) == (1, 2)
    assert saved(two, FREELANCERS, PLUS) == (FREELANCERS, 3)
    with two.database.reading() as session:
        versions = {
            number: [each.version for each in defaults.history(session, two.manager, number)]
            for number in (1, FREELANCERS)
        }
        newest = defaults.current(session, two.manager, FREELANCERS)
        assert [each.version for each in defaults.history(session, two.manager)] == [2, 1]
    assert versions == {1: [2, 1], FREELANCERS: [3, 2, 1]}
    assert newest is not None
    assert newest.settings == PLUS
    assert differences(two) == []


def test_no_defaults_yet_means_no_set(space: Space) -> None:
    """Rule 17: the first save makes the set Standard with its version 1, and makes it the standard one."""
    assert known(space).all == ()
    with space.database.reading() as session:
        assert defaults.current(session, space.manager) is None
        assert defaults.history(session, space.manager) == []
    space.save()
    (only,) = known(space)
    assert (only.set_number, only.name, only.is_standard, only.version) == (1, "Standard", True, 1)
    with space.database.reading() as session:
        done = defaults.set_changes(session, space.manager, 1)
    assert [(each.what, each.after) for each in done] == [(SetChange.STANDARD, None), (SetChange.NAMED, "Standard")]
    assert differences(space) == []


def test_making_another_set_the_standard_one_is_recorded_and_touches_no_client(two: Space) -> None:
    """Rule 17: who is invited from then on without picking gets it."""
    before = two.invite("Before")
    facts = two.facts(before.client_id)
    two.clock.forward(days=1)
    made_standard(two)
    assert two.facts(before.client_id) == facts
    assert two.detail(invited(two, "After", None).client_id).held.bound == (FREELANCERS, 1)
    with two.database.reading() as session:
        newest = defaults.set_changes(session, two.manager, FREELANCERS)[0]
    assert (newest.what, newest.changed_by.name, newest.changed_at) == (
        SetChange.STANDARD, two.administrator.name, two.clock(),
    )  # fmt: skip
    assert [each.name for each in known(two)] == ["Freelancers", "Standard"]


def test_a_retired_set_is_never_the_standard_one(two: Space) -> None:
    """Rule 17: neither is the standard one retired, nor a retired one made standard, whoever comes first."""
    with pytest.raises(StandardSetKept, match="Standard is the standard set"):
        retired(two, 1)
    seen = known(two).named(FREELANCERS).changes
    outcomes = at_once(
        two,
        lambda session: defaults.retire_set(session, two.administrator, FREELANCERS, seen=seen),
        lambda session: defaults.make_standard(session, two.manager, FREELANCERS, seen=1),
    )
    assert sum(isinstance(each, type) for each in outcomes) == 1
    assert differences(two) == []


def test_an_invitation_binds_to_the_newest_version_of_the_set_that_is_picked(two: Space) -> None:
    """Rule 18: picking is no override, and the source names set and version."""
    saved(two, FREELANCERS, STANDARD)
    shown = two.detail(invited(two).client_id)
    assert shown.held.bound == (FREELANCERS, 2)
    assert {setting.of(shown.effective).source for setting in Setting} == {Source.DEFAULT}
    assert shown.defaults_text == "Freelancers v2"
    with two.database.reading() as session:
        preview = invitations.preview(session, two.manager, Overrides(payer=Payer.CLIENT), set_number=FREELANCERS)
    assert (preview.bound, preview.payer.source) == ((FREELANCERS, 2), Source.OVERRIDE)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(9, "There is no default set 9. Choose one of: Standard."), (FREELANCERS, "Freelancers is retired")],
)
def test_a_set_that_is_retired_or_unknown_is_not_picked(two: Space, number: int, sentence: str) -> None:
    """Rules 18 and 20: neither to invite, nor to save to, nor to adopt; the refusal names the sets there are."""
    client_id = two.invite("Bound").client_id
    retired(two)
    for act in (
        lambda: invited(two, set_number=number),
        lambda: saved(two, number, PLUS),
        lambda: adopted(two, client_id, set_number=number),
    ):
        with pytest.raises((UnknownSet, RetiredSet), match=sentence) as refused:
            act()
        assert "Standard" in str(refused.value)
    assert differences(two) == []


def test_what_was_shown_of_an_invitation_is_set_and_version(two: Space) -> None:
    """Rule 18: another standard set, or another version of the one picked, is told; a version of another set is not."""
    with two.database.reading() as session:
        seen = invitations.preview(session, two.manager).bound
    new_client = NewClient.from_typed(name="Shown", email="shown@example.com")
    saved(two, FREELANCERS, STANDARD)
    made_standard(two)
    with pytest.raises(StaleStandard, match="made Freelancers the standard set"), two.database.transaction() as session:
        invitations.invite(session, two.manager, new_client, seen_version=seen)
    saved(two, 1, PLUS)
    with pytest.raises(StaleDefaults, match="saved Standard v2"), two.database.transaction() as session:
        invitations.invite(session, two.manager, new_client, seen_version=seen, set_number=1)
    with two.database.transaction() as session:
        seen = SetVersion(FREELANCERS, 2)
        client = invitations.invite(session, two.manager, new_client, seen_version=seen)
    assert two.detail(client.client_id).held.bound == seen


def test_an_import_takes_sets_by_name_and_refuses_rows_that_name_another(two: Space) -> None:
    """Rule 18: without case and accents, blank is the standard one; the others are to be corrected, naming the sets."""
    made(two, "Été 2026", STANDARD)
    retired(two, 3)
    made(two, "Économie", STANDARD)
    rows = [
        ("A", "freelancers"), ("B", ""), ("C", "ECONOMIE"), ("D", "ete 2026"), ("E", "Unheard of"),
    ]  # fmt: skip
    for heading in ("Default set", "Modèle", "standaardset"):
        pasted = "\n".join(
            [f"name\tcountry\temail\t{heading}"]
            + [f"{name}\tBE\t{heading[0]}{name}@example.com\t{wanted}" for name, wanted in rows]
        )
        with two.database.reading() as session:
            previewed = imports.preview(session, two.manager, spreadsheets.read_pasted(pasted))
        bound = [None if row.effective is None else row.effective.bound for row in previewed.rows]
        assert bound == [(FREELANCERS, 1), (1, 1), (4, 1), None, None]
        said = [imports.reasons_text(row) for row in previewed.rows[3:]]
        assert said[0].startswith("Default set: The default set Été 2026 is retired. Choose one of: Standard")
        assert said[1].startswith("Default set: There is no default set “Unheard of”. Choose one of: Standard")
        assert previewed.defaults_text(SetVersion(FREELANCERS, 1)) == "Freelancers v1"
        with two.database.transaction() as session:
            report = imports.invite_ready(session, two.manager, previewed)
        assert (report.invited, report.needing_correction) == (3, 2)
    assert {two.detail(number).held.bound for number in range(1, 10)} == {(FREELANCERS, 1), (1, 1), (4, 1)}
    assert differences(two) == []


def test_a_set_of_an_import_that_changed_since_it_was_shown_is_told(two: Space) -> None:
    """Rule 22: of the sets that its rows take; another set does not disturb it."""
    other = made(two, "Other", STANDARD)
    sheet = spreadsheets.read_pasted("name\tcountry\temail\tdefault set\nA\tBE\ta@example.com\tFreelancers")
    with two.database.reading() as session:
        previewed = imports.preview(session, two.manager, sheet)
    saved(two, other.set_number, PLUS)
    saved(two, FREELANCERS, STANDARD)
    with pytest.raises(StaleDefaults, match="saved Freelancers v2"), two.database.transaction() as session:
        imports.invite_ready(session, two.manager, previewed)
    retired(two)
    with pytest.raises(RetiredSet), two.database.transaction() as session:
        imports.invite_ready(session, two.manager, previewed)
    with two.database.reading() as session:
        assert reports.figures(session, two.manager).clients == 0


@pytest.mark.parametrize("name", ["freelancers", "  FREELANCERS ", "Fréelancèrs"])
def test_names_are_unique_without_case_and_accents_retired_ones_included(two: Space, name: str) -> None:
    """Rule 19."""
    retired(two)
    with pytest.raises(SetNameTaken, match="a retired default set Freelancers already"):
        made(two, name)
    with pytest.raises(SetNameTaken), two.database.transaction() as session:
        defaults.rename_set(session, two.manager, 1, name, seen=2)
    assert [each.name for each in known(two)] == ["Standard", "Freelancers"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\x07b", "\u0301"])
def test_a_name_that_cannot_be_read_is_refused_beside_its_field(two: Space, name: str) -> None:
    """Empty, too long, or not to be shown."""
    with pytest.raises(BadInput) as refused:
        made(two, name)
    assert refused.value.fields.keys() == {"name"}


def test_a_new_name_is_said_of_the_past_too_and_its_history_tells_the_old_one(two: Space) -> None:
    """Rule 19: who and when as well; nothing is bound to a name, and only letters of another case are no new name of
    another."""
    client_id = invited(two).client_id
    two.clock.forward(days=1)
    with two.database.transaction() as session:
        renamed = defaults.rename_set(session, two.manager, FREELANCERS, "Self-employed", seen=1)
    assert renamed.name == "Self-employed"
    assert two.detail(client_id).defaults_text == "Self-employed v1"
    assert two.detail(client_id).history[0].bound == (FREELANCERS, 1)
    with two.database.reading() as session:
        newest, _ = defaults.set_changes(session, two.manager, FREELANCERS)
    assert (newest.before, newest.after) == ("Freelancers", "Self-employed")
    assert (newest.changed_by.name, newest.changed_at) == (two.manager.name, two.clock())
    with two.database.transaction() as session:
        defaults.rename_set(session, two.manager, FREELANCERS, "SELF-EMPLOYED", seen=2)
    assert made(two, "Freelancers").set_number == 3
    assert differences(two) == []


def test_clients_of_a_retired_set_keep_everything(two: Space) -> None:
    """Rule 20: their source says so, clearing an override goes back to that version, and a pending invitation can be
    accepted. Brought back, it can be picked again."""
    client_id = invited(two).client_id
    two.override(client_id, Overrides(payer=Payer.CLIENT))
    before = two.facts(client_id)
    retired(two)
    assert two.facts(client_id) == before
    assert two.detail(client_id).defaults_text == "Freelancers v1 (retired)"
    assert two.override(client_id, Overrides()).effective.settings == PLUS
    with two.database.transaction() as session:
        message = invitations.waiting(session, two.partner_id, client_id, OutboxMessage)
        assert message is not None
        assert message.token is not None
        invitations.accept(session, message.token)
    assert two.detail(client_id).status is ClientStatus.ACTIVE
    assert two.detail(client_id).held.bound == (FREELANCERS, 1)
    seen = known(two).named(FREELANCERS).changes
    with two.database.transaction() as session:
        defaults.bring_back_set(session, two.manager, FREELANCERS, seen=seen)
    assert two.detail(client_id).defaults_text == "Freelancers v1"
    assert two.detail(invited(two, "Next").client_id).held.bound == (FREELANCERS, 1)
    assert differences(two) == []


def test_on_older_defaults_compares_with_the_newest_version_of_the_own_set(two: Space) -> None:
    """Rule 21: another set than the standard one is no drift, and clients of a retired set are counted apart."""
    made(two, "Old", STANDARD)
    for name, number in (("Standard one", 1), ("Freelancer", FREELANCERS), ("Old one", 3)):
        invited(two, name.replace(" ", ""), number)
    saved(two, 1, PLUS)
    saved(two, 3, PLUS)
    retired(two, 3)
    with two.database.reading() as session:
        figures = reports.figures(session, two.manager)
        older = reports.listed(session, two.manager, source=SourceFilter.OLDER)
        on_retired = reports.listed(session, two.manager, source=SourceFilter.RETIRED_SET)
        freelancers = reports.listed(session, two.manager, default_set=FREELANCERS, version=1)
        distribution = reports.plan_distribution(session, two.manager)
        (_, *lines) = "".join(reports.csv_pieces(session, two.manager)).splitlines()
    assert (figures.on_older_defaults, figures.on_retired_set) == (1, 1)
    assert figures.per_version == {(1, 1): 1, (FREELANCERS, 1): 1, (3, 1): 1}
    assert [(each.client_id, each.defaults_text) for each in older] == [(1, "Standard v1 (older)")]
    assert [(each.client_id, each.defaults_text) for each in on_retired] == [(3, "Old v1 (retired)")]
    assert [(each.client_id, each.defaults_text) for each in freelancers] == [(2, "Freelancers v1")]
    assert sorted(zip(distribution["set_number"], distribution["defaults_version"], strict=True)) == [
        (1, 1), (2, 1), (3, 1),
    ]  # fmt: skip
    assert [("Freelancers" in line, "Old" in line) for line in lines] == [(True, False), (False, True), (False, False)]
    for client_id, expected in {1: (True, False), 2: (False, False), 3: (False, True)}.items():
        shown = two.detail(client_id)
        assert (shown.on_older_defaults, shown.on_retired_set) == expected


def test_adopting_takes_the_own_set_and_the_standard_one_only_if_it_is_confirmed(two: Space) -> None:
    """Rule 22: confirmed by naming it; choices stay."""
    client_id = invited(two).client_id
    two.override(client_id, Overrides(payer=Payer.CLIENT))
    saved(two, 1, PLUS)
    saved(two, FREELANCERS, STANDARD)
    assert adopted(two, client_id).bound == {client_id: (FREELANCERS, 2)}
    assert two.detail(client_id).effective.overridden == {Setting.PAYER}
    retired(two)
    shown = two.detail(client_id)
    assert (shown.target_to_confirm, shown.current and shown.current.bound) == (True, (1, 2))
    with pytest.raises(NotTheirSet, match=r"bound to Freelancers, which is retired. It would adopt Standard v2"):
        adopted(two, client_id)
    with pytest.raises(StaleDefaults), two.database.transaction() as session:
        subscriptions.adopt_current_defaults(session, two.manager, [client_id], seen_version=SetVersion(1, 1))
    assert adopted(two, client_id, seen_version=SetVersion(1, 2)).bound == {client_id: (1, 2)}
    assert two.detail(client_id).effective.overridden == {Setting.PAYER}
    assert differences(two) == []


def test_who_is_bound_to_none_adopts_the_standard_set_when_that_is_confirmed(space: Space) -> None:
    """Rule 22; with one set there is no other to mean."""
    chosen = Overrides(PLUS.payer, PLUS.billing_period, PLUS.plan, PLUS.add_ons)
    first, second = (space.invite(name, chosen).client_id for name in ("First", "Second"))
    space.save()
    assert adopted(space, first).bound == {first: (1, 1)}
    made(space)
    with pytest.raises(NotTheirSet, match=r"Second is bound to no default set. It would adopt Standard v1"):
        adopted(space, second)
    assert adopted(space, second, set_number=FREELANCERS).bound == {second: (FREELANCERS, 1)}
    assert differences(space) == []


def test_savers_of_different_sets_never_disturb_each_other(two: Space) -> None:
    """Rule 22: both at once, each having seen its own; two of one set do."""

    def save(number: int, session: object) -> SetVersion:
        return defaults.save(session, two.manager, STANDARD, seen=SetVersion(number, 1), set_number=number).bound  # type: ignore[arg-type]

    assert set(at_once(two, partial(save, 1), partial(save, FREELANCERS))) == {(1, 2), (FREELANCERS, 2)}
    with pytest.raises(StaleDefaults, match="saved Freelancers v2"), two.database.transaction() as session:
        save(FREELANCERS, session)


def test_an_archived_client_is_invited_again_on_its_own_set_or_the_standard_one(two: Space) -> None:
    """Rule 36, with rules 18 and 20."""
    client_id = invited(two).client_id
    saved(two, FREELANCERS, STANDARD)
    for expected in ((FREELANCERS, 2), (1, 1)):
        two.archive(client_id)
        with two.database.transaction() as session:
            invitations.invite_again(session, two.manager, client_id)
        assert two.detail(client_id).held.bound == expected
        if expected[0] == FREELANCERS:
            retired(two)
    assert differences(two) == []


def test_what_a_colleague_did_with_the_set_meanwhile_is_told(two: Space) -> None:
    """Rule 12: renaming, retiring and making standard name what was seen."""
    with two.database.transaction() as session:
        defaults.rename_set(session, two.manager, FREELANCERS, "Self-employed", seen=1)
    for act in (
        lambda session: defaults.rename_set(session, two.administrator, FREELANCERS, "Other", seen=1),
        lambda session: defaults.retire_set(session, two.administrator, FREELANCERS, seen=1),
    ):
        with pytest.raises(StaleSet, match="changed the default set Self-employed"), two.database.transaction() as s:
            act(s)
    made_standard(two)
    with pytest.raises(StaleStandard), two.database.transaction() as session:
        defaults.make_standard(session, two.manager, 1, seen=1)


def test_one_set_is_said_as_before_there_were_sets(space: Space) -> None:
    """Rule 18: a set is named when there is another one; in French too."""
    space.save()
    client_id = space.invite().client_id
    assert space.detail(client_id).defaults_text == "Default v1"
    with space.database.reading() as session:
        assert not any("Standard," in piece for piece in reports.csv_pieces(session, space.manager, search="nobody"))
    made(space)
    space.save(PLUS)
    with spoken("fr"):
        assert space.detail(client_id).defaults_text == "Standard v1 (antérieur)"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE default_set_change SET changed_by_id = 2", "DELETE FROM default_set_change",
        "UPDATE default_settings SET set_number = 2", "DELETE FROM default_settings", "DELETE FROM default_set",
        "UPDATE default_set SET set_number = 9", "UPDATE subscription SET set_number = 2",
    ],
)  # fmt: skip
def test_what_was_done_with_sets_is_never_changed_or_deleted(two: Space, statement: str) -> None:
    """By triggers, whoever asks the database."""
    invited(two, set_number=1)
    with pytest.raises(DatabaseError, match="never changed"), two.database.transaction() as session:
        session.execute(text(statement))


@pytest.mark.parametrize("half", ["set_number = NULL", "defaults_version = NULL, overridden = overridden"])
def test_set_and_version_are_bound_together(two: Space, half: str) -> None:
    """A CHECK says so, whoever writes; its trigger is out of the way here."""
    invited(two, set_number=1)
    on_postgresql = "" if two.database.is_embedded else " ON subscription"
    with pytest.raises(DatabaseError, match=r"set_and_version|bound_or_chosen"), two.database.transaction() as session:
        session.execute(text(f"DROP TRIGGER subscription_facts_never_changed{on_postgresql}"))
        session.execute(text(f"UPDATE subscription SET {half}"))
