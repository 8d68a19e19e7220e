"""Loading a catalogue over what clients and default settings hold (rules 42 and 44), on both databases."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from core import catalogue, defaults, invitations, members, subscriptions
from core.catalogue import EXAMPLE, FIRST_DAY, SAMPLE, AddOn, Catalogue, CatalogueChange, ChangeKind, Item, Plan
from core.invitations import NewClient, OutboxMessage
from core.members import DemoSpace
from core.storage import Database
from core.subscriptions import CatalogueLoad, CatalogueRefused, DemoKeepsSample
from core.words import (
    BillingPeriod,
    BillingSettings,
    Money,
    NoCatalogue,
    Overrides,
    Payer,
    RetiredChosen,
    Role,
    UnknownChoice,
    speak,
)
from tests.conftest import PLUS, STANDARD, Space, at_once, with_prices

MONTHLY, YEARLY = BillingPeriod.MONTHLY, BillingPeriod.YEARLY
OWN = catalogue.from_toml(EXAMPLE.encode())
ROUNDS = 6


def previewed(space: Space, offer: Catalogue) -> CatalogueLoad:
    with space.database.reading() as session:
        return subscriptions.preview_catalogue(session, offer)


def load(space: Space, offer: Catalogue) -> CatalogueLoad:
    with space.database.transaction() as session:
        return subscriptions.load_catalogue(session, offer)


def current(space: Space, currency: str = "EUR") -> Catalogue:
    with space.database.reading() as session:
        return catalogue.stored(session, currency)


def refusals(space: Space, offer: Catalogue) -> list[str]:
    """Why this cannot be loaded: the same before and when it is tried, and nothing is written."""
    before, number = current(space), change_numbers(space)
    with pytest.raises(CatalogueRefused) as refusal:
        load(space, offer)
    assert (current(space), change_numbers(space)) == (before, number)
    said = [str(each) for each in previewed(space, offer).refusals]
    assert str(refusal.value).splitlines() == said
    return said


def change_numbers(space: Space) -> list[int]:
    with space.database.reading() as session:
        return list(session.scalars(text("SELECT change_number FROM partner ORDER BY partner_id")))


def without(*codes: str, of: Catalogue = OWN) -> Catalogue:
    """The catalogue as if it had never had these items."""
    plans = {
        code: replace(plan, add_ons=plan.add_ons - set(codes)) for code, plan in of.plans.items() if code not in codes
    }
    return with_prices(
        replace(of, plans=plans, add_ons={code: each for code, each in of.add_ons.items() if code not in codes}),
        plan_prices={key: cents for key, cents in of.plan_prices.items() if key[0] not in codes},
        add_on_prices={key: cents for key, cents in of.add_on_prices.items() if key[0] not in codes},
    )


def plan_with(code: str, of: Catalogue = OWN, **changed: Any) -> Catalogue:
    return replace(of, plans={**of.plans, code: replace(of.plans[code], **changed)})


def priced(of: Catalogue = OWN, **cents: int | None) -> Catalogue:
    """With these prices, as plus_yearly=36000; None takes one away."""
    prices = dict(of.plan_prices)
    for name, amount in cents.items():
        code, _, period = name.rpartition("_")
        prices.pop((code, BillingPeriod(period)), None)
        if amount is not None:
            prices[code, BillingPeriod(period)] = amount
    return with_prices(of, plan_prices=prices)


def content(of: Catalogue) -> tuple[Any, ...]:
    """What is sold and what it costs, whatever the edition and the list."""
    plan_prices = {key: cents for key, cents in of.plan_prices.items() if key[0] in of.plans}
    add_on_prices = {key: cents for key, cents in of.add_on_prices.items() if key[0] in of.add_ons}
    return of.is_sample, of.currency, of.plans, of.add_ons, plan_prices, add_on_prices


def in_currency(currency: str, of: Catalogue = OWN) -> Catalogue:
    """The same catalogue with the same amounts in another currency."""
    return with_prices(replace(of, currency=currency), currency=currency)


def kinds(found: CatalogueLoad) -> list[ChangeKind]:
    return [change.kind for change in found.changes]


@pytest.fixture
def own(space: Space) -> Space:
    """A partner space whose catalogue was loaded from a file."""
    load(space, OWN)
    return space


def test_a_load_in_place_of_the_sample_makes_it_the_firms_own(space: Space) -> None:
    """Rule 15: the same items, no longer sample data."""
    assert current(space).is_sample
    loaded = load(space, OWN)
    assert kinds(loaded) == [ChangeKind.NO_SAMPLE]
    assert content(current(space)) == content(OWN)
    assert [each.number for each in current(space).price_lists] == [1]
    assert loaded.edition == 2


def test_the_first_load_of_an_empty_database_names_every_item_as_new(database: Database) -> None:
    """Plans and add-ons with their prices and offers; one edition."""
    with database.reading() as session:
        found = subscriptions.preview_catalogue(session, OWN)
    new = [change.item for change in found.changes if change.kind is ChangeKind.NEW]
    assert new == [*OWN.plans.values(), *OWN.add_ons.values()]
    assert sum(change.kind is ChangeKind.PRICED for change in found.changes) == len(OWN.plan_prices | OWN.add_on_prices)
    retired = [change.item for change in found.changes if change.kind is ChangeKind.RETIRED]
    assert retired == [OWN.plans["classic"]]
    with database.transaction() as session:
        assert subscriptions.load_catalogue(session, OWN).edition == 1
    with database.reading() as session:
        stored = catalogue.stored(session, "EUR")
        assert content(stored) == content(OWN)
        assert (stored.edition, stored.prices.number, stored.prices.valid_from) == (1, 1, FIRST_DAY)


def test_the_same_content_again_changes_nothing(own: Space) -> None:
    """No new edition, and no partner space counts it as a change."""
    edition, numbers = current(own).edition, change_numbers(own)
    loaded = load(own, catalogue.from_toml(catalogue.as_toml(current(own)).encode()))
    assert (loaded.changes, loaded.made, loaded.edition) == ((), None, None)
    assert (current(own).edition, change_numbers(own)) == (edition, numbers)


GOLD = Plan("gold", {"en": "Gold", "fr": "Or"}, add_ons=frozenset({"payroll"}))


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (
            priced(replace(OWN, plans={**OWN.plans, "gold": GOLD}), gold_monthly=9900),
            [
                CatalogueChange(ChangeKind.NEW, GOLD),
                CatalogueChange(ChangeKind.PRICED, GOLD, billing_period=MONTHLY, after=Money(9900, "EUR")),
                CatalogueChange(ChangeKind.OFFERED, GOLD, add_ons=(OWN.add_ons["payroll"],)),
            ],
        ),
        (
            plan_with("plus", is_retired=True),
            [CatalogueChange(ChangeKind.RETIRED, replace(OWN.plans["plus"], is_retired=True))],
        ),
        (
            plan_with("classic", is_retired=False),
            [CatalogueChange(ChangeKind.BROUGHT_BACK, replace(OWN.plans["classic"], is_retired=False))],
        ),
        (
            plan_with("plus", names={"en": "Plus", "fr": "Plus fort", "nl": "Plus"}),
            [
                CatalogueChange(
                    ChangeKind.RENAMED,
                    replace(OWN.plans["plus"], names={"en": "Plus", "fr": "Plus fort", "nl": "Plus"}),
                    "fr",
                    before="Plus",
                    after="Plus fort",
                )
            ],
        ),
        (
            plan_with("classic", names={"en": "Classic", "fr": "Classique"}),
            [
                CatalogueChange(
                    ChangeKind.RENAMED,
                    replace(OWN.plans["classic"], names={"en": "Classic", "fr": "Classique"}),
                    "nl",
                    before="Klassiek",
                    after="Classic",
                )
            ],
        ),
        (
            priced(plus_yearly=36000, premium_yearly=None),
            [
                CatalogueChange(
                    ChangeKind.PRICED,
                    OWN.plans["plus"],
                    billing_period=YEARLY,
                    before=Money(35000, "EUR"),
                    after=Money(36000, "EUR"),
                ),
                CatalogueChange(
                    ChangeKind.PRICED, OWN.plans["premium"], billing_period=YEARLY, before=Money(59000, "EUR")
                ),
            ],
        ),
        (
            plan_with("starter", add_ons=frozenset({"bank_feeds", "payroll"})),
            [
                CatalogueChange(kind, replace(OWN.plans["starter"], add_ons=frozenset({"bank_feeds", "payroll"})),
                                add_ons=(OWN.add_ons[code],))
                for kind, code in ((ChangeKind.OFFERED, "payroll"), (ChangeKind.NOT_OFFERED, "e_invoicing"))
            ],
        ),
        (without("plus"), [CatalogueChange(ChangeKind.REMOVED, OWN.plans["plus"])]),
        (
            replace(OWN, plans=dict(reversed(OWN.plans.items()))),
            [CatalogueChange(ChangeKind.REORDERED)],
        ),
        (replace(OWN, add_ons=dict(reversed(OWN.add_ons.items()))), [CatalogueChange(ChangeKind.REORDERED)]),
    ],
    ids=[
        "new", "retired", "brought back", "renamed", "without Dutch", "priced", "offered", "removed", "plans turned",
        "add-ons turned",
    ],
)  # fmt: skip
def test_each_change_is_named_and_done(own: Space, later: Catalogue, expected: list[CatalogueChange]) -> None:
    """What a preview names is what the load does, no more; then nothing is left to do."""
    assert list(previewed(own, later).changes) == expected
    loaded = load(own, later)
    assert list(loaded.changes) == expected
    assert loaded.edition == 3
    stored = current(own)
    assert content(stored) == content(later)
    assert ([*stored.plans], [*stored.add_ons]) == ([*later.plans], [*later.add_ons])
    assert load(own, later).edition is None


def test_a_price_says_how_many_clients_have_the_item_with_that_period(own: Space, make_space) -> None:
    """In its currency, invited and active ones, not the archived; with a retired item also the default settings."""
    own.save(STANDARD)
    for number in range(3):
        own.invite(f"Monthly {number}")
    own.invite("Yearly", Overrides(billing_period=YEARLY))
    own.invite("Plus", Overrides(plan="plus"))
    own.archive(own.invite("Gone").client_id)
    load(own, in_currency("GBP"))
    make_space(2, currency="GBP").save(STANDARD)
    add_ons = {**OWN.add_ons, "bank_feeds": replace(OWN.add_ons["bank_feeds"], is_retired=True)}
    prices = {**OWN.add_on_prices, ("bank_feeds", MONTHLY): 600}
    later = priced(
        with_prices(replace(OWN, add_ons=add_ons), add_on_prices=prices),
        standard_monthly=2000,
        standard_yearly=1,
        starter_monthly=1,
    )
    found = previewed(own, later)
    counted = [
        (change.item.code, change.billing_period, found.concerned(change).clients)
        for change in found.changes
        if change.item is not None
    ]
    assert counted == [
        ("bank_feeds", None, 5),
        ("starter", MONTHLY, 0),
        ("standard", MONTHLY, 3),
        ("standard", YEARLY, 1),
        ("bank_feeds", MONTHLY, 4),
    ]
    assert found.concerned(found.changes[0]).default_settings == 2


def test_what_clients_or_default_settings_hold_cannot_be_left_out(own: Space, make_space) -> None:
    """The refusal counts them and says what to do; retired it can be loaded, and they keep it."""
    own.save(STANDARD)
    make_space(2).save(PLUS)
    for name in ("One", "Two"):
        own.invite(name)
    what_to_do = (
        "Put it into the file; with retired = true those who have it keep it, and nobody can choose it any more."
    )
    both = "2 clients and the default settings of 1 partner space"
    assert refusals(own, without("standard", "payroll", "bank_feeds")) == [
        f"Standard (standard) is not in the file, and is held by {both}. {what_to_do}",
        f"Bank feeds (bank_feeds) is not in the file, and is held by {both}. {what_to_do}",
        "Payroll (payroll) is not in the file, and is held by the default settings of 1 partner space. " + what_to_do,
    ]
    load(own, plan_with("standard", is_retired=True))
    assert own.detail(1).price == SAMPLE.price(STANDARD)


@pytest.mark.parametrize("stands", ["pending", "expired", "revoked", "active"])
def test_a_client_holds_its_plan_wherever_its_invitation_stands(own: Space, stands: str) -> None:
    """It can still be accepted, or sent once more; only an archived client holds nothing."""
    own.save(STANDARD)
    client_id = own.invite(overrides=Overrides(plan="premium", add_ons=frozenset())).client_id
    if stands == "expired":
        own.clock.forward(days=60)
    with own.database.transaction() as session:
        if stands == "revoked":
            invitations.revoke(session, own.manager, client_id)
        if stands == "active":
            invitations.accept(session, invitations.waiting(session, own.partner_id, client_id, OutboxMessage).token)
    assert "Premium (premium) is not in the file, and is held by 1 client." in refusals(own, without("premium"))[0]


def test_what_somebody_once_had_is_kept_as_retired_so_that_the_past_can_be_told(own: Space) -> None:
    """With its names, prices and offers, behind what the file names; loading the same file again changes nothing."""
    own.save(PLUS)
    own.archive(own.invite("Gone").client_id)
    own.save(STANDARD)
    later = without("plus", "payroll", "premium")
    found = previewed(own, later)
    assert [each.code for each in found.kept] == ["plus", "payroll"]
    retired = {change.item.code for change in found.changes if change.kind is ChangeKind.RETIRED}
    assert retired == {"plus", "payroll"}
    assert [change.item.code for change in found.changes if change.kind is ChangeKind.REMOVED] == ["premium"]
    load(own, later)
    stored = current(own)
    assert list(stored.plans) == [*later.plans, "plus"]
    assert stored.plans["plus"] == replace(OWN.plans["plus"], is_retired=True)
    assert stored.price(PLUS) == OWN.price(PLUS)
    assert stored.names(PLUS.add_ons) == ["Payroll"]
    assert load(own, later).edition is None
    shown = catalogue.from_toml(catalogue.as_toml(stored).encode())
    assert load(own, shown).edition is None


def test_a_name_that_what_is_kept_has_already_is_refused(own: Space) -> None:
    """Two that read the same cannot be told apart in a list."""
    own.save(PLUS)
    own.save(STANDARD)
    own_plus = replace(OWN.plans["plus"], code="plus_2027")
    later = without("plus")
    later = priced(replace(later, plans={**later.plans, "plus_2027": own_plus}), plus_2027_monthly=100)
    (said,) = refusals(own, later)
    assert said.startswith("Plus (plus_2027) reads the same as Plus (plus), which is not in the file")


def test_a_period_in_which_something_is_held_needs_a_price(own: Space) -> None:
    """For plans and add-ons, clients and default settings; a period that nobody has may lose it."""
    own.save(STANDARD)
    own.invite("Yearly", Overrides(billing_period=YEARLY))
    prices = {key: cents for key, cents in OWN.add_on_prices.items() if key != ("bank_feeds", YEARLY)}
    said = refusals(own, with_prices(priced(standard_monthly=None, plus_monthly=None), add_on_prices=prices))
    assert said == [
        "Standard (standard) has no price in EUR for this billing period: Monthly. It is held so by the default "
        "settings of 1 partner space. Give it one; with retired = true nobody can choose it any more.",
        "Bank feeds (bank_feeds) has no price in EUR for this billing period: Yearly. It is held so by 1 client. "
        "Give it one; with retired = true nobody can choose it any more.",
    ]
    load(own, priced(plus_monthly=None))


def test_partner_spaces_in_two_currencies_each_have_their_prices(own: Space, make_space) -> None:
    """Rule 44: the items are the same, a file brings the prices in one currency and leaves the others."""
    british = make_space(2, currency="GBP")
    assert previewed(own, priced(plus_monthly=1)).currencies_without_prices == ("GBP",)
    with pytest.raises(NoCatalogue, match="no subscriptions and prices in GBP"):
        british.save(STANDARD)
    pounds = priced(in_currency("GBP"), standard_monthly=1700)
    found = load(own, pounds)
    assert set(kinds(found)) == {ChangeKind.PRICED}
    assert found.currencies_without_prices == ()
    british.save(STANDARD)
    own.save(STANDARD)
    assert british.detail(british.invite().client_id).price.charged == Money(1700 + 500, "GBP")
    assert own.detail(own.invite().client_id).price.charged == Money(1900 + 500, "EUR")
    assert len(refusals(own, in_currency("GBP", priced(standard_monthly=None)))) == 1
    load(own, priced(in_currency("GBP"), standard_monthly=1800))
    assert current(own).plan_prices == OWN.plan_prices
    with own.database.reading() as session:
        assert catalogue.currencies(session) == {"EUR", "GBP"}


def test_a_file_in_one_currency_does_not_take_away_what_is_sold_in_another(own: Space) -> None:
    """It names it too, with a price or as retired; what nobody can choose any more may be left out."""
    pounds = in_currency("GBP", without("premium"))
    (said,) = refusals(own, pounds)
    assert said.startswith(
        "Premium (premium) is not in the file, but it is sold in EUR. Put it into the file: with its "
    )
    load(own, plan_with("premium", is_retired=True))
    load(own, pounds)
    assert "premium" not in current(own).plans


def test_nothing_is_loaded_into_the_demo(own: Space) -> None:
    """Its sample data stay what they are."""
    with own.database.transaction() as session:
        session.add(DemoSpace(partner_id=1, made_at=own.clock.moment))
    for act in (load, previewed):
        with pytest.raises(DemoKeepsSample, match="BILLING_DATABASE_URL"):
            act(own, priced(plus_monthly=1))
    assert current(own).plan_prices == OWN.plan_prices


def test_without_a_catalogue_whoever_asks_is_told_what_comes_next(own: Space) -> None:
    """An administrator by which command, others whom to ask; in their language."""
    with own.database.transaction() as session:
        session.execute(text("DELETE FROM catalogue_edition"))
    with pytest.raises(NoCatalogue) as refusal:
        own.save(STANDARD)
    assert "python -m core catalogue load FILE" in refusal.value.said_to(Role.ADMINISTRATOR)
    for role in set(Role) - {Role.ADMINISTRATOR}:
        assert refusal.value.said_to(role) == str(refusal.value)
    assert "Ask your administrator" in str(refusal.value)
    speak("fr")
    assert "Demandez à votre administrateur" in str(refusal.value)


def test_a_retired_item_cannot_be_chosen_from_the_moment_of_the_load(own: Space) -> None:
    """A server that has read the edition before asks again (rule 9)."""
    elsewhere = Space(Database(own.database.engine.url.render_as_string(hide_password=False), clock=own.clock),
                      own.clock, own.partner_id, own.members)  # fmt: skip
    assert not current(elsewhere).plans["plus"].is_retired
    load(own, plan_with("plus", is_retired=True))
    with pytest.raises(RetiredChosen):
        elsewhere.save(PLUS)
    elsewhere.database.close()


def extras(*numbers: int) -> Catalogue:
    """With an add-on of its own for each of these numbers, offered with every plan."""
    codes = [f"extra_{number}" for number in numbers]
    more = {code: AddOn(code, {"en": code, "fr": code}) for code in codes}
    plans = {code: replace(plan, add_ons=plan.add_ons | set(codes)) for code, plan in OWN.plans.items()}
    return with_prices(
        replace(OWN, plans=plans, add_ons={**OWN.add_ons, **more}),
        add_on_prices=OWN.add_on_prices | {(code, MONTHLY): 100 for code in codes},
    )


def choose_by_default(space: Space, seen: int, code: str) -> Callable[[Any], Any]:
    settings = BillingSettings.starting_with(
        payer=Payer.CLIENT, billing_period=MONTHLY, plan="standard", add_ons=frozenset({code})
    )
    return lambda session: defaults.save(session, space.administrator, settings, seen=seen)


def choose_for_a_client(space: Space, code: str) -> Callable[[Any], Any]:
    new_client = NewClient.from_typed(name=code, email=f"{code}@example.com")
    overrides = Overrides(add_ons=frozenset({code}))
    return lambda session: invitations.invite(session, space.manager, new_client, overrides)


@pytest.mark.parametrize("chosen", ["default settings", "an invitation"])
def test_nobody_chooses_meanwhile_what_a_load_takes_away(own: Space, make_space, chosen: str) -> None:
    """Of a load that leaves something out and somebody who chooses it at once, one is refused, in any partner space."""
    other = make_space(2)
    other.save(STANDARD)
    left, seen = list(range(ROUNDS)), 1
    load(own, extras(*left))
    for number in range(ROUNDS):
        code = f"extra_{number}"
        choose = (
            choose_by_default(other, seen, code) if chosen == "default settings" else choose_for_a_client(other, code)
        )
        fewer = extras(*(each for each in left if each != number))
        loaded, choice = at_once(own, lambda s, fewer=fewer: subscriptions.load_catalogue(s, fewer), choose)
        assert (loaded is CatalogueRefused) != (choice is UnknownChoice), (loaded, choice)
        if choice is UnknownChoice:
            left.remove(number)
        elif chosen == "default settings":
            seen += 1
    with own.database.reading() as session:
        assert list(subscriptions.differences(session)) == []
    kept = {f"extra_{number}" for number in left}
    assert {code for code in current(own).add_ons if code.startswith("extra")} == kept


def test_of_two_loads_at_once_the_second_finds_it_done(database: Database) -> None:
    """The first catalogue of a database included: one edition, no failure."""
    empty = Space(database, None, 0)
    for edition, offer in enumerate((OWN, priced(plus_monthly=1)), 1):
        results = at_once(empty, *[lambda s, offer=offer: subscriptions.load_catalogue(s, offer)] * 3)
        assert sorted(str(each.edition) for each in results) == sorted(["None", "None", str(edition)])
    assert content(current(empty)) == content(priced(plus_monthly=1))
    assert (current(empty).edition, current(empty).prices.number) == (2, 2)


def test_of_two_different_loads_at_once_one_comes_after_the_other(own: Space) -> None:
    """Never a mixture."""
    left, right = priced(plus_monthly=1, plus_yearly=1), plan_with("plus", is_retired=True)
    for number in range(ROUNDS):
        at_once(own, *(lambda s, offer=offer: subscriptions.load_catalogue(s, offer) for offer in (left, right)))
        stored = current(own)
        assert content(stored) in [content(left), content(right)], number


def test_every_partner_counts_a_load_as_a_change(own: Space, make_space) -> None:
    """What was remembered of its figures is counted again."""
    make_space(2)
    before = change_numbers(own)
    load(own, priced(plus_monthly=1))
    assert change_numbers(own) == [number + 1 for number in before]


def test_everybody_is_waited_for_in_one_order(own: Space, make_space) -> None:
    """Two who take every turn at once wait for each other; neither is refused."""
    for partner_id in (3, 2):
        make_space(partner_id)
    before = change_numbers(own)
    at_once(own, *[members.take_every_turn] * 4)
    assert change_numbers(own) == [number + 4 for number in before]


def test_an_item_is_a_plan_or_an_add_on_even_with_the_same_code(own: Space) -> None:
    """What holds the one does not hold the other."""
    twin = AddOn("standard", {"en": "Standard support", "fr": "Support"})
    later = with_prices(
        replace(OWN, add_ons={**OWN.add_ons, "standard": twin}),
        add_on_prices=OWN.add_on_prices | {("standard", MONTHLY): 5},
    )
    load(own, later)
    own.save(STANDARD)
    found = previewed(own, OWN)
    removed: list[Item | None] = [change.item for change in found.changes if change.kind is ChangeKind.REMOVED]
    assert removed == [twin]
    assert found.refusals == ()
