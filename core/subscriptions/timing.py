"""When a decision takes effect, and what it costs (rules 27 to 30, 37 and 40): pure rules on what holds, the price
lists and the partner's calendar."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from core.catalogue import Catalogue, Price
from core.subscriptions.revisions import Revision, before, held_at, held_in_the_morning
from core.subscriptions.rhythm import Period, Rhythm, begun_on, first_instant, local_date
from core.words import N_, BillingSettings, ClientStatus, Money, NoPrice, Setting, Term, UnknownChoice


class Waits(Term):
    """Why a decision waits for the renewal (rule 28)."""

    BILLING_PERIOD = "billing_period", N_("another billing period begins at a renewal")
    LOWER_PRICE = "lower_price", N_("a lower price begins at the renewal")
    NO_PRICE = "no_price", N_("its price cannot be computed today")


@dataclass(frozen=True, slots=True)
class Timing:
    """When new settings take effect: at `moment` (UTC), on the local day `day`, which is a renewal where `waits` says
    why. `before` is the price until then, `after` the one from then on (None: none). `charge` is what an upgrade costs
    today for the rest of the period that runs. `rhythm` and `price_list` are those of the subscription from then on;
    `list_before` is the price list left for another one, None where none is."""

    moment: datetime
    day: date
    waits: tuple[Waits, ...]
    before: Price | None
    after: Price | None
    charge: Money | None
    rhythm: Rhythm | None
    price_list: int | None
    list_before: int | None = None


def earned(cents: int, days_before: int, days: int) -> int:
    """What a price of a period of `days` days earns in its first `days_before`, rounded half up (rule 37)."""
    return (2 * cents * days_before + days) // (2 * days)


def upgrade_charge(was: int, after: int, period: Period, today: date) -> int:
    """The cents to charge today for the rest of the period when its price rises; today counts for the new (rule 37)."""
    gone = (today - period.first).days
    unused = was - earned(was, gone, period.days)
    return (after - earned(after, gone, period.days)) - unused


def running_list(offer: Catalogue, held: Revision, day: date) -> int:
    """The number of the price list that the period of this day costs by (rule 40)."""
    return list_of(offer, held.price_list, held.rhythm, day)


def list_of(offer: Catalogue, price_list: int | None, rhythm: Rhythm | None, day: date) -> int:
    """The same from its parts: the purchase list and the rhythm of an active client. Without a rhythm, that of a period
    which began on that day: where no list reached renewals in the year before, they all cost by the same."""
    if price_list is None:
        return offer.list_on(day).number
    begun = day if rhythm is None else rhythm.period(day).first
    return offer.running_list(price_list, begun).number


def price_on(offer: Catalogue, held: Revision, day: date) -> Price | None:
    """What a client whose subscription is this is billed for the period of that day; what an invited one would be
    billed. None when it is archived, and where there is no price (rules 40 and 43)."""
    if held.status is ClientStatus.ARCHIVED:
        return None
    return price_by(offer, running_list(offer, held, day), held.settings)


def price_by(offer: Catalogue, price_list: int, settings: BillingSettings) -> Price | None:
    """What these settings cost in a period by this list; None where there is no price."""
    try:
        return offer.price_by(price_list, settings)
    except (NoPrice, UnknownChoice):
        return None


def prices_of(
    offer: Catalogue, time_zone: str, history: Sequence[Revision]
) -> dict[int, tuple[Price | None, Price | None]]:
    """Of each revision of a history, by its number: what the client cost before it and what from then on, both on the
    day on which it begins."""
    found = {}
    for revision in history:
        day, earlier = local_date(revision.valid_from, time_zone), before(history, revision)
        was = None if earlier is None else price_on(offer, earlier, day)
        found[revision.revision] = (was, price_on(offer, revision, day))
    return found


def charge_of_day(offer: Catalogue, time_zone: str, moment: datetime, history: Sequence[Revision]) -> Money | None:
    """What the upgrades of a local day are charged for the rest of the period, by what holds at this moment of that day
    (rules 29 and 37); None: nothing."""
    held = held_at(history, moment)
    return None if held is None else timing(offer, time_zone, moment, history, held.settings).charge


def charges_of(offer: Catalogue, time_zone: str, history: Sequence[Revision]) -> dict[int, tuple[Money, date]]:
    """What the upgrades of each local day were charged, and the renewal until which that is for: by the number of the
    revision that the day ended with (rules 29 and 37)."""
    days: dict[date, Revision] = {}
    bought = set()
    for revision in sorted(history, key=lambda each: each.valid_from):
        if not revision.was_withdrawn:
            day = local_date(revision.valid_from, time_zone)
            days[day] = revision
            if any(change.setting in (Setting.PLAN, Setting.ADD_ONS) for change in revision.changes):
                bought.add(day)
    found = {}
    for day in bought:
        last = days[day]
        charge = charge_of_day(offer, time_zone, last.valid_from, history)
        if charge is not None and last.rhythm is not None:
            found[last.revision] = (charge, last.rhythm.period(day).renewal)
    return found


def why_it_waits(revision: Revision, before: Price | None, after: Price | None) -> Waits | None:
    """Why a revision begins later than it was decided, with the prices before it and from then on (rule 28). None: it
    does not, or is an end, or what is left of a decision that would not wait today."""
    if not revision.waited or revision.status is not ClientStatus.ACTIVE:
        return None
    if any(change.setting is Setting.BILLING_PERIOD for change in revision.changes):
        return Waits.BILLING_PERIOD
    if before is None or after is None:
        return Waits.NO_PRICE
    return Waits.LOWER_PRICE if after.cents < before.cents else None


def at_once(
    offer: Catalogue, time_zone: str, moment: datetime, settings: BillingSettings, status: ClientStatus
) -> Timing:
    """An immediate decision where no period runs: an invitation, an acceptance."""
    today = local_date(moment, time_zone)
    is_active = status is ClientStatus.ACTIVE
    number = offer.list_on(today).number
    return Timing(
        moment=moment,
        day=today,
        waits=(),
        before=None,
        after=price_by(offer, number, settings),
        charge=None,
        rhythm=begun_on(today, settings.billing_period) if is_active else None,
        price_list=number if is_active else None,
    )


def timing(
    offer: Catalogue, time_zone: str, moment: datetime, history: Sequence[Revision], settings: BillingSettings
) -> Timing:
    """When these settings take effect for a client with this history, decided at a moment (rules 28 and 29)."""
    today = local_date(moment, time_zone)
    held, morning = held_at(history, moment), held_in_the_morning(history, time_zone, moment)
    if held is None or held.status is not ClientStatus.ACTIVE:
        status = ClientStatus.INVITED if held is None else held.status
        first = at_once(offer, time_zone, moment, settings, status)
        return first if held is None else replace(first, before=price_on(offer, held, today))
    assert held.rhythm is not None  # noqa: S101 - a CHECK of its table
    if morning is None or morning.status is not ClientStatus.ACTIVE:  # accepted today: nothing waits
        accepted = at_once(offer, time_zone, moment, settings, ClientStatus.ACTIVE)
        if not _buys(held.settings, settings):  # a list may have begun since it accepted
            assert held.price_list is not None  # noqa: S101 - a CHECK of its table
            after = price_by(offer, held.price_list, settings)
            accepted = replace(accepted, price_list=held.price_list, after=after)
        return replace(accepted, before=price_on(offer, held, today))
    period = held.rhythm.period(today)
    running, buys = running_list(offer, morning, today), _buys(morning.settings, settings)
    purchase, number = morning.price_list, running
    if _buys(held.settings, settings) and buys:
        purchase = number = offer.list_on(today).number
    elif buys:  # earlier today: a list may have begun since
        purchase, number = held.price_list, running_list(offer, held, today)
    was, after = price_by(offer, running, morning.settings), price_by(offer, number, settings)
    waits = tuple(_reasons(morning.settings, settings, was, after))
    if waits:
        return at_renewal(offer, time_zone, period, held, settings, waits=waits, today=today)
    charge = 0 if was is None or after is None else upgrade_charge(was.cents, after.cents, period, today)
    return Timing(
        moment=moment,
        day=today,
        waits=(),
        before=price_on(offer, held, today),
        after=after,
        charge=Money(charge, offer.currency) if charge else None,
        rhythm=held.rhythm,
        price_list=purchase,
        list_before=running if buys and number != running else None,
    )


def at_renewal(
    offer: Catalogue,
    time_zone: str,
    period: Period,
    held: Revision,
    settings: BillingSettings,
    *,
    today: date,
    waits: tuple[Waits, ...] = (),
) -> Timing:
    """The same settings from the renewal that ends this period, after which they cost by rule 40."""
    assert held.rhythm is not None  # noqa: S101 - a CHECK of its table
    assert held.price_list is not None  # noqa: S101 - the same
    renewal, buys = period.renewal, _buys(held.settings, settings)
    purchase = offer.list_on(renewal).number if buys else held.price_list
    number = offer.running_list(purchase, renewal).number
    left = offer.running_list(held.price_list, renewal).number
    return Timing(
        moment=first_instant(renewal, time_zone),
        day=renewal,
        waits=waits,
        before=price_on(offer, held, today),
        after=price_by(offer, number, settings),
        charge=None,
        rhythm=held.rhythm.with_period(settings.billing_period, renewal),
        price_list=purchase,
        list_before=left if number != left else None,
    )


def _buys(held: BillingSettings, settings: BillingSettings) -> bool:
    """Whether it is a purchase: another plan or another billing period (rule 40)."""
    return (held.plan, held.billing_period) != (settings.plan, settings.billing_period)


def _reasons(
    held: BillingSettings, settings: BillingSettings, was: Price | None, after: Price | None
) -> Sequence[Waits]:
    if settings.billing_period is not held.billing_period:
        return [Waits.BILLING_PERIOD]
    if (settings.plan, settings.add_ons) == (held.plan, held.add_ons):
        return []
    if was is None or after is None:
        return [Waits.NO_PRICE]
    return [Waits.LOWER_PRICE] if after.cents < was.cents else []
