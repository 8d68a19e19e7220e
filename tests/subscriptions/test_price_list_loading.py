"""Loading and withdrawing price lists: on which days, by whom, and what is refused (rules 10, 12, 39 and 42)."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from core import catalogue, members, subscriptions
from core.catalogue import FIRST_DAY, ChangeKind
from core.subscriptions import (
    CatalogueRefused,
    NoSuchPriceList,
    SharedCatalogue,
    StaleCatalogue,
)
from core.words import ActivityKind, NoPricesYet, NotAllowed, Role
from tests.conftest import STANDARD, Space, at_once, with_prices
from tests.subscriptions.test_catalogue_loading import (
    ROUNDS,
    change_numbers,
    current,
    in_currency,
    kinds,
    load,
    own,  # noqa: F401 - the fixture
    plan_with,
    previewed,
    priced,
    refusals,
)

APRIL, JULY = date(2026, 4, 1), date(2026, 7, 1)  # the clock says 3 March 2026


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ({"valid_from": date(2026, 3, 2)}, "begins on 2 Mar 2026, before today, 3 Mar 2026"),
        ({"valid_from": date(2026, 3, 31)}, "begins on 31 Mar 2026, before list 2, which begins on 1 Apr 2026"),
        ({}, "begins on 3 Mar 2026, before list 2, which begins on 1 Apr 2026"),
        ({"valid_from": JULY, "renewals_from": date(2026, 6, 30)}, "from 30 Jun 2026 on, before it begins on 1 Jul"),
    ],
    ids=["in the past", "before the newest", "today, before the newest", "renewals before it begins"],
)
def test_a_list_with_impossible_days_is_refused(own: Space, days: dict[str, date], sentence: str) -> None:  # noqa: F811
    """Rule 42."""
    load(own, with_prices(priced(standard_monthly=2000), valid_from=APRIL))
    assert any(sentence in said for said in refusals(own, with_prices(priced(standard_monthly=2100), **days)))


def test_a_list_of_today_is_in_the_past_nowhere(own: Space, make_space) -> None:  # noqa: F811
    """Rules 39 and 42: it is today where the day began first, so that the list changes nobody's past."""
    with own.database.transaction() as session:
        session.execute(text("UPDATE partner SET time_zone = 'Pacific/Auckland'"))
    make_space(2)
    own.clock.moment = datetime(2026, 3, 3, 23, 0, tzinfo=UTC)  # 4 March in Auckland
    (said,) = refusals(own, with_prices(priced(plus_monthly=1), valid_from=date(2026, 3, 3)))
    assert "before today, 4 Mar 2026" in said
    assert load(own, priced(plus_monthly=1)).made.valid_from == date(2026, 3, 4)


def test_prices_that_hold_already_make_no_list(own: Space) -> None:  # noqa: F811
    """Rule 42: only the items change; and the same file again, after its day, changes nothing."""
    later = with_prices(plan_with("plus", priced(standard_monthly=2000), is_retired=True), valid_from=APRIL)
    assert load(own, later).made.number == 2
    loaded = load(own, with_prices(priced(standard_monthly=2000), valid_from=FIRST_DAY))
    assert (loaded.made, kinds(loaded)) == (None, [ChangeKind.BROUGHT_BACK])
    own.clock.moment = datetime(2026, 5, 1, tzinfo=UTC)
    assert load(own, later).made is None
    assert not load(own, later).changes_anything
    assert [each.number for each in current(own).price_lists] == [1, 2]


def test_a_list_to_come_is_replaced_by_one_of_the_same_day(own: Space) -> None:  # noqa: F811
    """Rule 39: it keeps its number, and what is compared is the list before it."""
    load(own, with_prices(priced(standard_monthly=2000), valid_from=APRIL))
    numbers = change_numbers(own)
    loaded = load(own, with_prices(priced(standard_monthly=2100), valid_from=APRIL, renewals_from=JULY))
    assert (loaded.made.number, loaded.replaces) == (2, True)
    (change,) = loaded.changes
    assert (change.before.cents, change.after.cents) == (1900, 2100)
    stored = current(own)
    assert [(each.number, each.renewals_from) for each in stored.price_lists] == [(1, None), (2, JULY)]
    assert change_numbers(own) == [number + 1 for number in numbers]


def test_the_first_list_may_begin_later_and_nothing_is_decided_before(own: Space, make_space) -> None:  # noqa: F811
    """Rule 39: in a currency that had none; in the past it is refused like any other."""
    british = make_space(2, currency="GBP")
    load(british, with_prices(in_currency("GBP"), valid_from=APRIL))
    with pytest.raises(NoPricesYet, match="The prices in GBP begin on 1 Apr 2026"):
        british.save(STANDARD)
    british.clock.moment = datetime(2026, 4, 1, tzinfo=UTC)
    british.save(STANDARD)
    with pytest.raises(CatalogueRefused, match="begins on 31 Mar 2026, before today, 1 Apr 2026"):
        load(british, with_prices(in_currency("CHF"), valid_from=date(2026, 3, 31)))


def test_an_administrator_loads_and_withdraws_and_nobody_else(own: Space) -> None:  # noqa: F811
    """Rules 10 and 39; who loaded it is kept."""
    later = with_prices(priced(standard_monthly=2000), valid_from=APRIL)
    for role in set(Role) - {Role.ADMINISTRATOR}:
        for act in (
            lambda s, by=own.members[role]: subscriptions.load_catalogue(s, later, by=by),
            lambda s, by=own.members[role]: subscriptions.preview_catalogue(s, later, by=by),
            lambda s, by=own.members[role]: subscriptions.withdraw_price_list(s, 1, "EUR", by=by),
        ):
            with pytest.raises(NotAllowed), own.database.transaction() as session:
                act(session)
    with own.database.transaction() as session:
        assert subscriptions.load_catalogue(session, later, by=own.administrator).made.number == 2
    with own.database.reading() as session:
        by = text("SELECT loaded_by_partner_id, loaded_by_id FROM price_list WHERE number = 2")
        assert tuple(session.execute(by).one()) == (own.partner_id, own.administrator.member_id)
    with own.database.transaction() as session:
        assert subscriptions.withdraw_price_list(session, 2, "EUR", by=own.administrator).number == 2
    assert [each.number for each in current(own).price_lists] == [1]
    with own.database.reading() as session:
        done = members.activities(session, own.administrator)
    told, edition = {(each.by, each.what, each.number) for each in done}, current(own).edition
    by = own.administrator.name
    assert told >= {(by, ActivityKind.CATALOGUE_LOADED, number) for number in (edition - 1, edition)}


def test_no_member_changes_what_another_partner_space_sells(own: Space, make_space) -> None:  # noqa: F811
    """Rule 10: with several on one server whoever runs it loads the catalogue."""
    make_space(2)
    before = current(own)
    with pytest.raises(SharedCatalogue, match="whoever runs the server"), own.database.transaction() as session:
        subscriptions.load_catalogue(session, priced(plus_monthly=1), by=own.administrator)
    with pytest.raises(SharedCatalogue), own.database.transaction() as session:
        subscriptions.withdraw_price_list(session, 1, "EUR", by=own.administrator)
    assert current(own) == before


def test_a_catalogue_that_changed_since_it_was_looked_at_is_not_loaded_over(own: Space) -> None:  # noqa: F811
    """Rule 12: the second is told, and looks again; what is done already is no conflict."""
    seen = previewed(own, priced(plus_monthly=1)).seen
    load(own, priced(plus_monthly=2))
    with pytest.raises(StaleCatalogue), own.database.transaction() as session:
        subscriptions.load_catalogue(session, priced(plus_monthly=1), by=own.administrator, seen=seen)
    with own.database.transaction() as session:
        done = subscriptions.load_catalogue(session, priced(plus_monthly=2), by=own.administrator, seen=seen)
    assert done.edition is None


def test_of_two_who_withdraw_a_list_at_once_one_is_told_that_it_is_gone(own: Space) -> None:  # noqa: F811
    """Rule 39."""
    for _ in range(ROUNDS):
        made = load(own, with_prices(priced(standard_monthly=2000), valid_from=APRIL)).made
        gone = at_once(own, *[lambda s, n=made.number: subscriptions.withdraw_price_list(s, n, "EUR")] * 2)
        assert sorted(each is NoSuchPriceList for each in gone) == [False, True]
    assert [each.number for each in current(own).price_lists] == [1]


def test_the_number_of_a_list_that_was_withdrawn_is_not_given_again(own: Space) -> None:  # noqa: F811
    """Whoever noted it would find other prices under it; and `check` says where it could happen."""
    for number in (2, 3):
        made = load(own, with_prices(priced(standard_monthly=2000), valid_from=APRIL)).made
        assert made.number == number
        with own.database.transaction() as session:
            subscriptions.withdraw_price_list(session, number, "EUR", by=own.administrator)
    assert load(own, with_prices(priced(standard_monthly=2100), valid_from=JULY)).made.number == 4
    assert [each.number for each in current(own).price_lists] == [1, 4]
    with own.database.reading() as session:
        assert list(catalogue.altered(session)) == []
    with own.database.transaction() as session:
        session.execute(text("UPDATE price_list_number SET last = 3"))
        assert list(catalogue.altered(session)) == ["price list 4 in EUR: the last number that was given is 3"]


def test_an_administrator_who_is_none_any_more_loads_nothing(own: Space) -> None:  # noqa: F811
    """Asked of the database again, though the page was shown to an administrator."""
    with own.database.transaction() as session:
        session.execute(text("UPDATE member SET role = 'finance' WHERE member_id = 1"))
    later = with_prices(priced(standard_monthly=2000), valid_from=APRIL)
    with pytest.raises(NotAllowed), own.database.transaction() as session:
        subscriptions.load_catalogue(session, later, by=own.administrator)
    with pytest.raises(NotAllowed), own.database.transaction() as session:
        subscriptions.withdraw_price_list(session, 1, "EUR", by=own.administrator)
    assert [each.number for each in current(own).price_lists] == [1]


def test_a_list_that_was_replaced_since_it_was_looked_at_is_not_withdrawn(own: Space) -> None:  # noqa: F811
    """Rule 12: it is another one by now."""
    seen = load(own, with_prices(priced(standard_monthly=2000), valid_from=APRIL)).made
    load(own, with_prices(priced(standard_monthly=2100), valid_from=APRIL))
    with pytest.raises(StaleCatalogue), own.database.transaction() as session:
        subscriptions.withdraw_price_list(session, 2, "EUR", by=own.administrator, seen=seen)
    assert [each.number for each in current(own).price_lists] == [1, 2]


def test_the_overview_counts_the_readers_own_clients_and_names_who_loaded(own: Space, make_space) -> None:  # noqa: F811
    """Rules 10 and 52: of the reader's partner space, and an accountant's clients alone; no other space's people."""
    own.save(STANDARD)
    own.invite("One", responsible=Role.ACCOUNTANT)
    own.invite("Two")
    with own.database.transaction() as session:
        later = with_prices(priced(standard_monthly=2000), valid_from=APRIL, renewals_from=JULY)
        subscriptions.load_catalogue(session, later, by=own.administrator)
    other = make_space(2)
    other.save(STANDARD)
    other.invite("Three")

    def seen_by(space: Space, role: Role) -> tuple[int, int, str | None, bool]:
        with space.database.reading() as session:
            shown = subscriptions.catalogue_overview(session, space.members[role])
        ((_, holders),) = shown.changes(shown.to_come[0])
        plan = shown.catalogue.plans["standard"]
        return shown.holders(plan).clients, holders.invited, shown.loaded[2].by, shown.why_not is None

    assert seen_by(own, Role.ADMINISTRATOR) == (2, 2, "The administrator", False)
    assert seen_by(own, Role.FINANCE) == (2, 2, "The administrator", False)
    assert seen_by(own, Role.ACCOUNTANT) == (1, 1, "The administrator", False)
    assert seen_by(other, Role.ADMINISTRATOR) == (1, 1, None, False)
