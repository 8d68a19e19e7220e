"""Two people at once, as two threads with connections of their own, on both databases."""

from collections import Counter

from core import defaults, invitations, subscriptions
from core.invitations import NewClient
from core.subscriptions import Adoption
from core.words import (
    AlreadyClient,
    BillingPeriod,
    BillingSettings,
    Overrides,
    Payer,
    StaleDefaults,
    StaleSubscription,
)
from tests.conftest import PLUS, STANDARD, Space, at_once

ROUNDS = 6


def test_of_two_saves_of_the_defaults_one_wins_and_the_other_is_told(space: Space) -> None:
    """Rule 12."""
    space.save(STANDARD)
    for seen in range(1, ROUNDS + 1):
        settings = [
            BillingSettings.starting_with(
                payer=payer, billing_period=BillingPeriod.MONTHLY, plan="plus", add_ons=frozenset()
            )
            for payer in Payer
        ]
        results = at_once(
            space,
            lambda s, seen=seen: defaults.save(s, space.administrator, settings[0], seen=seen),
            lambda s, seen=seen: defaults.save(s, space.manager, settings[1], seen=seen),
        )
        assert sum(result is StaleDefaults for result in results) == 1
    with space.database.reading() as session:
        assert len(defaults.history(session, space.manager)) == ROUNDS + 1


def test_of_two_changes_of_a_client_one_wins_and_the_other_is_told(space: Space) -> None:
    """Rule 12, between overrides and an adoption of the current defaults."""
    space.save(STANDARD)
    client_id = space.invite().client_id
    space.save(PLUS)
    sets = [frozenset(), *(frozenset({code}) for code in ("bank_feeds", "document_scanning", "payroll", "e_invoicing"))]
    for number in range(ROUNDS):
        seen = space.detail(client_id).revision
        add_ons = [sets[1], sets[2], sets[3]] if number % 2 else [sets[0], sets[4]]
        results = at_once(
            space,
            lambda s, seen=seen: subscriptions.adopt_current_defaults(
                s, space.manager, [client_id], seen={client_id: seen}, clear_overrides=True, reason=f"{seen}"
            ),
            *(
                lambda s, add=add, seen=seen: subscriptions.override(
                    s, space.manager, client_id, Overrides(plan="plus", add_ons=add), seen=seen, reason=f"{seen}"
                )
                for add in add_ons
            ),
        )
        idle = [result for result in results if isinstance(result, Adoption) and not result.adopted]  # already so
        assert sum(result is not StaleSubscription for result in results) - len(idle) == 1
        assert space.detail(client_id).revision == seen + 1
    with space.database.reading() as session:
        assert list(subscriptions.differences(session)) == []


def test_an_invitation_at_the_instant_of_a_save_binds_to_one_version_or_the_other(space: Space) -> None:
    """Rule 3: never a mixture."""
    space.save(STANDARD)
    versions = {1: STANDARD}
    for number in range(ROUNDS):
        settings = PLUS if number % 2 == 0 else STANDARD
        new_client = NewClient.from_typed(name=f"Client {number}", email=f"c{number}@example.com")
        saved, client = at_once(
            space,
            lambda s, n=number, settings=settings: defaults.save(s, space.administrator, settings, seen=n + 1),
            lambda s, new_client=new_client: invitations.invite(s, space.manager, new_client),
        )
        versions[saved.version] = settings
        effective = space.detail(client.client_id).effective
        assert effective.defaults_version in {number + 1, number + 2}
        assert effective.settings == versions[effective.defaults_version]


def test_the_same_invitation_sent_by_two_at_once_makes_one_client(space: Space) -> None:
    """The one says so, the other names the client; clients are numbered without a gap."""
    space.save(STANDARD)
    for number in range(ROUNDS):
        new_client = NewClient.from_typed(name="Aubry", email=f"a{number}@example.com")
        results = at_once(
            space,
            *(lambda s, m=m, c=new_client: invitations.invite(s, m, c) for m in (space.manager, space.administrator)),
        )
        outcome = Counter("refused" if result is AlreadyClient else "invited" for result in results)
        assert outcome == {"refused": 1, "invited": 1}
        assert {result.client_id for result in results if result is not AlreadyClient} == {number + 1}


def test_many_writers_of_two_partners_neither_lose_nor_mix_anything(space: Space, make_space) -> None:
    """Every invitation of a crowd arrives, each in its own space."""
    other = make_space(2)
    for each in (space, other):
        each.save(STANDARD)
    actions = [
        lambda s, n=n, each=each: invitations.invite(
            s, each.manager, NewClient.from_typed(name=f"{each.partner_id}: {n}", email=f"n{n}@example.com")
        )
        for n in range(8)
        for each in (space, other)
    ]
    at_once(space, *actions)
    for each in (space, other):
        names = {each.detail(client_id).client.name for client_id in range(1, 9)}
        assert names == {f"{each.partner_id}: {n}" for n in range(8)}
