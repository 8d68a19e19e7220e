"""How a subscription begins and ends: accepting, archiving, and inviting again (rules 13, 23, 35 and 36); and at which
list what waits is bought."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session, aliased

from core import catalogue, defaults, members
from core.catalogue import Catalogue
from core.defaults import EffectiveSettings, choices
from core.members import Member, Partner, Permission
from core.storage import now
from core.subscriptions.basis import Basis
from core.subscriptions.changes import revision_of, shown_to_change
from core.subscriptions.clients import ClientSubscription
from core.subscriptions.decisions import refuse_ended
from core.subscriptions.instants import waits_now
from core.subscriptions.revisions import Author, Revision, Seen, decided, held_at, history, moment_after
from core.subscriptions.rhythm import first_instant, local_date
from core.subscriptions.tables import Client, Subscription
from core.subscriptions.timing import at_once
from core.subscriptions.writing import write
from core.words import ClientStatus, Origin, note_text

_BUY_AT = (
    update(Subscription)
    .where(
        Subscription.partner_id == bindparam("of_partner"),
        Subscription.client_id == bindparam("of_client"),
        Subscription.revision == bindparam("of_revision"),
    )
    .values(price_list=bindparam("number"))
)


@dataclass(frozen=True, slots=True)
class Ending:
    """What archiving a client would do: when it ends (`day`, the first one without it), how many days that are paid it
    gives up, and what waits now and is not going to be."""

    day: date
    given_up_days: int
    pending: Revision | None


def preview_archive(member: Member, shown: ClientSubscription, *, at_once: bool = False) -> Ending:
    """What `archive` would do to the client as shown. Raises NotAllowed, ArchivedClient, EndPending."""
    members.require(member, Permission.OVERRIDE)
    return ending(shown, at_once=at_once)


def ending(shown: Basis, *, at_once: bool) -> Ending:
    """What archiving this client does. Raises ArchivedClient, EndPending."""
    refuse_ended(shown)
    if shown.period is None:
        return Ending(shown.today, 0, None)
    if not at_once:
        return Ending(shown.period.renewal, 0, shown.pending)
    return Ending(shown.today, (shown.period.renewal - shown.today).days, shown.pending)


def ended(shown: Basis, ending: Ending, author: Author, *, at_once: bool) -> Revision:
    """The revision that ends the client's subscription so."""
    waits = shown.period is not None and not at_once
    return decided(
        shown.history[0].revision + 1,
        first_instant(ending.day, shown.time_zone) if waits else shown.moment,
        ClientStatus.ARCHIVED,
        shown.effective,
        author,
        at=shown.moment,
    )


def archive(
    session: Session,
    member: Member,
    client_id: int,
    *,
    seen: Seen | int,
    at_once: bool = False,
    reason: str = "",
    attempt: str = "",
    origin: Origin = Origin.PAGE,
) -> Revision:
    """End a client's subscription: an active one at the end of its paid period, or `at_once`; an invited one now, and
    its invitation is revoked. What was pending is not going to be. Nothing is paid back (rule 35). Returns the revision
    that ends it.

    Raises NotAllowed, ClientNotFound, StaleSubscription, TookEffect, ArchivedClient, EndPending, BadInput; nothing is
    written then.
    """
    members.act(session, member, Permission.OVERRIDE)
    reason = note_text("reason", reason)
    form = members.form_sent(session, member, attempt, "archive", client_id=client_id, at_once=at_once, reason=reason)
    if form.answer is not None:
        return revision_of(session, member, client_id, form.answer["revision"])
    shown = shown_to_change(session, member, client_id, seen)
    end = ended(shown, ending(shown, at_once=at_once), Author(member, origin, reason), at_once=at_once)
    made = write(session, shown.client, shown.history, [end], by=member, moment=shown.moment)
    form.done(revision=made.revision)
    return made


def start(session: Session, partner: Partner, client: Client) -> Revision:
    """An invited client accepts: it is active from now on, with the settings that it was offered; its rhythm and its
    purchase list begin today (rules 23 and 40). Asks no permission: whoever holds the link may."""
    past = history(session, client.partner_id, client.client_id)
    moment = moment_after(session, past)
    held = held_at(past, moment)
    assert held is not None  # noqa: S101 - it was invited
    bound = None if held.bound is None else defaults.version_of(session, client.partner_id, held.bound)
    effective = defaults.effective_settings(bound, choices(held.settings, held.overridden))
    offer = catalogue.current(session, partner)
    when = at_once(offer, partner.time_zone, moment, effective.settings, ClientStatus.ACTIVE)
    begins = decided(
        past[0].revision + 1,
        moment,
        ClientStatus.ACTIVE,
        effective,
        Author(None, Origin.SYSTEM),
        at=moment,
        rhythm=when.rhythm,
        price_list=when.price_list,
    )
    return write(session, client, past, [begins], by=None, moment=moment)


def invite_anew(
    session: Session, member: Member, shown: ClientSubscription, effective: EffectiveSettings, *, reason: str = ""
) -> Revision:
    """An archived client is invited once more, with these settings. Asks no permission: use cases do, and hold the
    partner's turn."""
    moment = moment_after(session, shown.history)
    again = decided(
        shown.history[0].revision + 1,
        moment,
        ClientStatus.INVITED,
        effective,
        Author(member, Origin.PAGE, reason),
        at=moment,
    )
    return write(session, shown.client, shown.history, [again], by=member, moment=moment)


def buy_again_what_waits(session: Session, offer: Catalogue) -> None:
    """Afterwards every purchase that waits for its renewal is at the list which is in force then, now that the lists
    are these (rule 40). The turn of every partner is held."""
    held, waiting = aliased(Subscription), Subscription
    same_client = (held.partner_id == waiting.partner_id) & (held.client_id == waiting.client_id)
    bought = (held.plan != waiting.plan) | (held.billing_period != waiting.billing_period)
    rows = session.execute(
        select(
            waiting.partner_id, waiting.client_id, waiting.revision, waiting.valid_from, waiting.price_list,
            Partner.time_zone,
        )
        .join(Partner, (Partner.partner_id == waiting.partner_id) & (Partner.currency == offer.currency))
        .join(held, same_client & held.may_hold & (held.valid_to == waiting.valid_from))
        .where(waits_now(), waiting.status == ClientStatus.ACTIVE, bought),
        {"now": now(session)},
    )  # fmt: skip
    changed = []
    for partner_id, client_id, revision, begins, price_list, time_zone in rows:
        number = offer.list_on(local_date(begins, time_zone)).number
        if number != price_list:
            whose = {"of_partner": partner_id, "of_client": client_id, "of_revision": revision}
            changed.append(whose | {"number": number})
    if changed:
        session.connection().execute(_BUY_AT, changed)
