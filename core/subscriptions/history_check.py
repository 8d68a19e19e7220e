"""One client's revisions recomputed: that they join, that what waits waits rightly, and that rhythm and purchase list
are what history says (rules 23 to 26, 31, 33 and 40)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise

from core.catalogue import Catalogue, PriceList, in_force
from core.subscriptions.rhythm import Rhythm, begun_on, first_instant, local_date
from core.subscriptions.tables import Subscription
from core.words import BillingPeriod, ClientStatus

_Start = tuple[Rhythm | None, int | None]


def history_differences(
    revisions: Sequence[Subscription],
    *,
    time_zone: str,
    offer: Catalogue | None,
    loaded: Mapping[int, datetime],
    moment: datetime,
) -> Iterator[tuple[int | None, str]]:
    """What is wrong with the revisions of one client, in the order of their numbers, each with the revision it is about
    (None: with all of them). `offer`: the price lists of its partner, None where there are none; `loaded`: when each
    was, by number."""
    moment = max(moment, *(each.decided_at for each in revisions))  # clocks step back
    for number, revision in enumerate(revisions, 1):
        if revision.revision != number:
            yield revision.revision, f"expected revision {number}"
        yield from ((revision.revision, said) for said in _of_itself(revision, revisions, moment))
    line = sorted((each for each in revisions if each.withdrawn_by is None), key=lambda each: each.valid_from)
    yield from _joined(line, moment)
    if offer is not None:
        yield from _starts(line, time_zone, offer, loaded)
    yield from _waited(line, revisions, time_zone)


def _of_itself(revision: Subscription, revisions: Sequence[Subscription], moment: datetime) -> Iterator[str]:
    ended = revision.valid_to is not None and revision.valid_to <= moment
    if revision.withdrawn_by is None and not revision.may_hold and not ended:
        yield f"said to hold no more, but it ends {revision.valid_to or 'never'}"
    if revision.withdrawn_by is not None and not revision.revision < revision.withdrawn_by <= len(revisions):
        yield f"withdrawn by revision {revision.withdrawn_by}, which was not decided after it"


def _joined(line: Sequence[Subscription], moment: datetime) -> Iterator[tuple[int | None, str]]:
    for before, after in pairwise(line):
        if before.valid_to != after.valid_from:
            yield after.revision, f"begins {after.valid_from}, but the one before ends {before.valid_to}"
    if not line or line[-1].valid_to is not None:
        yield None, "no revision holds now"
    waiting = [each.revision for each in line if each.valid_from > moment]
    if len(waiting) > 1:
        yield None, f"more than one change is pending: revisions {', '.join(map(str, sorted(waiting)))}"
    if line and not any(each.valid_from <= moment for each in line):
        yield line[0].revision, "no revision holds now"


def _starts(
    line: Sequence[Subscription], time_zone: str, offer: Catalogue, loaded: Mapping[int, datetime]
) -> Iterator[tuple[int | None, str]]:
    """Rhythm and purchase list, recomputed from one revision to the next."""
    for index, revision in enumerate(line):
        if revision.status is not ClientStatus.ACTIVE:
            continue
        day = local_date(revision.valid_from, time_zone)
        known = [each for each in offer.price_lists if each.valid_from < day or _is_known(each, revision, loaded)]
        rhythm, price_list = _expected(line[:index], revision, day, time_zone, in_force(known, day))
        stored = Rhythm(revision.anchor_day or 0, revision.anchor_month)
        if rhythm != stored:
            yield revision.revision, f"renews by {stored}, expected {rhythm}"
        if price_list != revision.price_list:
            yield revision.revision, f"bought at price list {revision.price_list}, expected {price_list}"


def _is_known(price_list: PriceList, revision: Subscription, loaded: Mapping[int, datetime]) -> bool:
    """Whether a list that begins on the very day was loaded before the revision begins."""
    return loaded[price_list.number] <= revision.valid_from


def _expected(
    earlier: Sequence[Subscription], revision: Subscription, day: date, time_zone: str, todays: PriceList | None
) -> _Start:
    number = None if todays is None else todays.number
    before = earlier[-1] if earlier else None
    if before is None or before.status is not ClientStatus.ACTIVE or before.anchor_day is None:
        return begun_on(day, revision.billing_period), number
    begins = first_instant(day, time_zone)
    morning = next((each for each in reversed(earlier) if each.valid_from <= begins), None)
    if any(each.status is not ClientStatus.ACTIVE for each in earlier if each.valid_from > begins):
        morning = None  # it began again today: what held then was another subscription (rule 29)
    rhythm = Rhythm(before.anchor_day, before.anchor_month).with_period(revision.billing_period, day)
    for compared in (morning, before):  # what held when the day began, and what was bought today already
        if compared is not None and compared.status is ClientStatus.ACTIVE and _bought(compared) == _bought(revision):
            return rhythm, compared.price_list
    return rhythm, number


def _bought(revision: Subscription) -> tuple[str, BillingPeriod]:
    return revision.plan, revision.billing_period


def _waited(
    line: Sequence[Subscription], revisions: Sequence[Subscription], time_zone: str
) -> Iterator[tuple[int | None, str]]:
    """What waited begins with the local day of the renewal that was the next one when it was decided."""
    for revision in revisions:
        if revision.valid_from == revision.decided_at:
            continue
        held = next((each for each in reversed(line) if each.valid_from <= revision.decided_at), None)
        if held is None or held.anchor_day is None:
            yield revision.revision, "waited, though no period ran"
            continue
        period = Rhythm(held.anchor_day, held.anchor_month).period(local_date(revision.decided_at, time_zone))
        if revision.valid_from != first_instant(period.renewal, time_zone):
            yield revision.revision, f"begins {revision.valid_from}, which is not the renewal of {period.renewal}"
