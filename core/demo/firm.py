"""The demo partner space: a year in the life of a firm, made by the use cases with the clock turned back.

The same on every machine: seeded choices, dates relative to the day it is made.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any

from sqlalchemy import exists, insert, select
from sqlalchemy.orm import Session, aliased

from core import catalogue, defaults, invitations, members, subscriptions, team
from core.catalogue import SAMPLE, Catalogue
from core.defaults import NamedSet
from core.demo.many import change_many
from core.demo.names import names as client_names
from core.demo.shown_day import month_after
from core.invitations import ClientDetails, NewClient, OutboxMessage
from core.members import DemoSpace, Member, Partner
from core.storage import now, set_now
from core.subscriptions import Rhythm, Subscription, local_date
from core.words import (
    BillingPeriod,
    BillingSettings,
    ChoiceRefused,
    ClientDetail,
    ClientStatus,
    Overrides,
    Payer,
    Role,
    Setting,
    fold,
)

PARTNER_ID = 1
CLIENTS = 240
TIME_ZONE = "Europe/Brussels"

_MEMBERS = [
    ("Demo administrator", "administrator", Role.ADMINISTRATOR),
    ("Demo client manager", "client.manager", Role.CLIENT_MANAGER),
    ("Second client manager", "second.manager", Role.CLIENT_MANAGER),
    ("Demo finance", "finance", Role.FINANCE),
    ("Demo accountant", "accountant", Role.ACCOUNTANT),
    ("Client manager without access to clients", "no.access", Role.CLIENT_MANAGER),
    ("Former client manager", "former.manager", Role.CLIENT_MANAGER),
]
_WITHOUT_ACCESS, _FORMER = 6, 7  # what became of them, see _a_team
_ACCOUNTANTS = 16  # of so many clients the accountant looks after one from the start, and takes another one over
_WAITING = [  # what clients asked for that gets cheaper or changes the period: what, why
    (Overrides(plan="starter", add_ons=frozenset({"e_invoicing"})), "fewer invoices than they thought"),
    (Overrides(add_ons=frozenset()), "do without the add-ons"),
    (Overrides(billing_period=BillingPeriod.YEARLY), "would rather pay once a year"),
]
_REASONS = ["asked for it by mail", "agreed at the yearly meeting", "same terms as the sister company", ""]
_VERSIONS = [  # days ago, settings, note
    (
        365,
        BillingSettings.starting_with(
            payer=Payer.CLIENT, billing_period=BillingPeriod.MONTHLY, plan="classic", add_ons=frozenset({"bank_feeds"})
        ),
        "",
    ),
    (
        240,
        BillingSettings.starting_with(
            payer=Payer.CLIENT, billing_period=BillingPeriod.MONTHLY, plan="standard", add_ons=frozenset({"bank_feeds"})
        ),
        "Classic is being retired",
    ),
    (
        75,
        BillingSettings.starting_with(
            payer=Payer.PARTNER,
            billing_period=BillingPeriod.MONTHLY,
            plan="standard",
            add_ons=frozenset({"bank_feeds", "e_invoicing"}),
        ),
        "we pay, and e-invoicing becomes mandatory",
    ),
]
_FREELANCERS = [  # a second default set: days ago, settings, note
    (
        170,
        BillingSettings.starting_with(
            payer=Payer.CLIENT, billing_period=BillingPeriod.MONTHLY, plan="starter", add_ons=frozenset()
        ),
        "one person, few invoices",
    ),
    (
        45,
        BillingSettings.starting_with(
            payer=Payer.CLIENT,
            billing_period=BillingPeriod.MONTHLY,
            plan="starter",
            add_ons=frozenset({"e_invoicing"}),
        ),
        "e-invoicing becomes mandatory",
    ),
]
_FREELANCE = 5  # of so many clients invited since there is that set, one is invited on it


def make(session: Session, *, is_plain: bool = False) -> None:
    """Make the demo space in empty tables, as of now; plain: with one default set and one price list, and nothing
    changed in bulk."""
    made_at = now(session)
    session.execute(
        insert(Partner).values(
            partner_id=PARTNER_ID,
            name="Fiduciaire Exemple",
            currency="EUR",
            time_zone=TIME_ZONE,
            change_number=int(
                made_at.timestamp()
            ),  # what was remembered of an earlier demo is never taken for this one
        )
    )
    session.execute(insert(DemoSpace).values(partner_id=PARTNER_ID, made_at=made_at))
    _a_team(session, made_at)
    catalogue.store(session, _before_retirement())
    if is_plain:
        _a_year(session, made_at, [], None)
    else:
        _a_year(session, made_at, _FREELANCERS, _announced(made_at))
        change_many(session, PARTNER_ID, made_at)
    _what_waits(session, made_at)
    set_now(session, made_at)


def _a_team(session: Session, made_at: datetime) -> None:
    """The members, invited before the year began; one lost the access to clients since, and one left."""
    morning = made_at.replace(hour=9, minute=5, second=0, microsecond=0)
    set_now(session, morning - timedelta(days=380))
    administrator: Member | None = None
    for name, mailbox, role in _MEMBERS:
        email = f"{mailbox}@example.com"
        added = members.add(session, PARTNER_ID, name=name, email=email, role=role, by=administrator)
        administrator = administrator or members.find(session, PARTNER_ID, added.member_id)
    if administrator is None:
        raise LookupError("the demo has no administrator")
    set_now(session, morning - timedelta(days=210))
    team.change_member(session, administrator, _WITHOUT_ACCESS, role=Role.CLIENT_MANAGER, client_access=False, seen=1)
    set_now(session, morning - timedelta(days=120))
    team.deactivate(session, administrator, _FORMER, seen=1)
    set_now(session, made_at)


def _before_retirement() -> catalogue.Catalogue:
    return replace(SAMPLE, plans={code: replace(plan, is_retired=False) for code, plan in SAMPLE.plans.items()})


def _announced(made_at: datetime) -> Catalogue:
    """The catalogue with prices that begin in two months or three, for clients who renew a month later."""
    begins = month_after(month_after(month_after(local_date(made_at, TIME_ZONE).replace(day=1))))
    return catalogue.dearer_sample(begins, month_after(begins))


def _a_year(
    session: Session,
    made_at: datetime,
    versions_of_freelancers: list[tuple[int, BillingSettings, str]],
    announced: Catalogue | None,
) -> None:
    """Every day of the last year in turn: what was saved, who was invited, what was changed. With the newest version
    the prices to come are known, where there are any."""
    chance = random.Random(20_26)
    administrator, manager, second, _, accountant, *_ = members.of_partner(session, PARTNER_ID)
    today = made_at.replace(hour=9, minute=0, second=0, microsecond=0)
    if today > made_at:
        today -= timedelta(days=1)
    names = client_names(chance, CLIENTS)
    invited_on = sorted(((chance.randrange(1, 365) for _ in names)), reverse=True)
    seen: int | None = None
    freelancers: NamedSet | None = None
    invited = 0
    for days_ago in range(365, 0, -1):
        set_now(session, today - timedelta(days=days_ago))
        for saved, settings, note in _VERSIONS:
            if saved == days_ago:
                seen = defaults.save(session, administrator, settings, seen=seen, note=note).version
                if seen == 2:
                    catalogue.store(session, SAMPLE)
                if seen == len(_VERSIONS) and announced is not None:
                    catalogue.store(session, announced)
        for saved, settings, note in versions_of_freelancers:
            if saved == days_ago:
                freelancers = _save_freelancers(session, administrator, freelancers, settings, note)
        while invited_on and invited_on[0] == days_ago:
            invited_on.pop(0)
            set_now(session, now(session) + timedelta(minutes=chance.randrange(3, 25), seconds=chance.randrange(60)))
            if len(names) == 1:  # the last of them renews tomorrow, see _what_waits
                set_now(session, _renews_tomorrow_since(made_at) - timedelta(days=1))
            invited += 1
            look_after = accountant.member_id if invited % _ACCOUNTANTS == 0 else None
            by, on = chance.choice([manager, second]), freelancers if invited % _FREELANCE == 1 else None
            _invite(session, chance, by, names.pop(0), look_after, None if on is None else on.set_number)
    for client_id in range(1, CLIENTS):
        _live(session, chance, manager if chance.random() < 0.6 else second, client_id, today)
        if client_id % 15 == 0:
            _complete_details(session, manager, client_id, today)
        if client_id % _ACCOUNTANTS == 4:
            _take_over(session, administrator, client_id, accountant.member_id, today)


def _save_freelancers(
    session: Session, member: Member, saved: NamedSet | None, settings: BillingSettings, note: str
) -> NamedSet:
    """The second default set, made at first and then with one version more."""
    if saved is None:
        return defaults.make_set(session, member, "Freelancers", settings, note=note)
    number = saved.set_number
    defaults.save(session, member, settings, seen=saved.version, note=note, set_number=number)
    return defaults.sets(session, member).named(number)


def _what_waits(session: Session, made_at: datetime) -> None:
    """Decided yesterday and not in force yet: for clients that renew within the month what gets cheaper or changes the
    period, for one its end, and for one that renews tomorrow a smaller plan."""
    _, manager, second, *_ = members.of_partner(session, PARTNER_ID)
    yesterday = made_at.replace(hour=8, minute=20, second=0, microsecond=0) - timedelta(days=1)
    set_now(session, _renews_tomorrow_since(made_at))
    _accept(session, CLIENTS)
    *changing, leaving = _as_accepted(session, yesterday)[: len(_WAITING) + 1]
    decided = [(CLIENTS, _WAITING[0]), *zip(changing, _WAITING, strict=True)]
    for nth, (client_id, (overrides, reason)) in enumerate(decided):
        set_now(session, yesterday + timedelta(minutes=17 * nth))
        seen = subscriptions.detail(session, manager, client_id).seen
        subscriptions.override(session, manager, client_id, overrides, seen=seen, reason=reason)
    set_now(session, yesterday + timedelta(hours=5))
    _archive(session, second, leaving, reason="closes its business")


def _renews_tomorrow_since(made_at: datetime) -> datetime:
    """When a client accepted that pays by the month and whose next renewal is tomorrow, at least a month ago."""
    today = local_date(made_at, TIME_ZONE)
    for days_ago in count(27):
        accepted = today - timedelta(days=days_ago)
        if (Rhythm(accepted.day).period(today).renewal - today).days == 1:
            return datetime.combine(accepted, time(9, 40), UTC)
    raise AssertionError


def _as_accepted(session: Session, moment: datetime) -> Sequence[int]:
    """The clients of the standard set that accepted in the last weeks before, pay by the month and have changed nothing
    since; those that renew first come first."""
    later = aliased(Subscription)
    changed = exists().where(
        later.partner_id == Subscription.partner_id, later.client_id == Subscription.client_id, later.revision > 2
    )
    accepted = (
        select(Subscription.client_id)
        .where(
            ~changed,
            Subscription.revision == 2,
            Subscription.status == ClientStatus.ACTIVE,
            Subscription.overridden == frozenset(),
            Subscription.set_number == defaults.FIRST_SET,
            Subscription.valid_from.between(moment - timedelta(days=24), moment - timedelta(days=2)),
        )
        .order_by(Subscription.valid_from)
    )
    return session.scalars(accepted).all()


def _invite(
    session: Session,
    chance: random.Random,
    member: Member,
    name: str,
    responsible_id: int | None,
    set_number: int | None,
) -> None:
    """Invite a client on this default set (None: on the standard one); who looks after it (None: whoever invites)."""
    mailbox = ".".join("".join(c if c.isascii() and c.isalnum() else " " for c in fold(name)).split())[:50].strip(".")
    new_client = NewClient(
        name=name,
        email=f"{mailbox}@example.com",
        company_number=_company_number(chance) if chance.random() < 0.8 else None,
        language=chance.choice(["fr", "fr", "en"]),
    )
    overrides = _overrides(chance) if chance.random() < 0.15 else Overrides()
    try:
        invitations.preview(session, member, overrides, set_number=set_number)
    except ChoiceRefused:
        overrides = Overrides(payer=Payer.CLIENT)
    reason = chance.choice(_REASONS) if overrides.chosen else ""
    invitations.invite(
        session, member, new_client, overrides, responsible_id=responsible_id, reason=reason, set_number=set_number
    )


def _overrides(chance: random.Random) -> Overrides:
    """Exceptions of every kind, now and then one that happens to equal the default (rule 5)."""
    kinds = [
        Overrides(payer=chance.choice(list(Payer))),
        Overrides(billing_period=BillingPeriod.YEARLY),
        Overrides(plan="plus"),
        Overrides(plan="premium", add_ons=frozenset({"bank_feeds", "payroll", "multi_currency"})),
        Overrides(add_ons=frozenset()),
        Overrides(plan="starter", add_ons=frozenset({"e_invoicing"})),
        Overrides(
            payer=Payer.PARTNER, billing_period=BillingPeriod.YEARLY, plan="plus", add_ons=frozenset({"payroll"})
        ),
        Overrides(billing_period=BillingPeriod.MONTHLY),
    ]
    chosen = frozenset().union(*(kind.chosen for kind in kinds))
    for setting in Setting:
        if setting.terms is not None and setting not in chosen:
            value: Any = list(setting.terms)[-1]
            kinds.append(Overrides(**{setting.value: value}))
    return chance.choice(kinds)


def _company_number(chance: random.Random) -> str:
    first_eight = chance.randrange(2_000_000, 19_999_999)
    return f"{first_eight:08}{97 - first_eight % 97:02}"


def _live(session: Session, chance: random.Random, member: Member, client_id: int, today: datetime) -> None:
    """What happens to a client after its invitation: it accepts or not, gets an exception, adopts, leaves."""
    invited_at = subscriptions.history(session, PARTNER_ID, client_id)[0].valid_from
    days = (today - invited_at).days
    if days < 4 or chance.random() < 0.06:
        return
    accepted_at = invited_at + timedelta(days=chance.randrange(1, 4), minutes=chance.randrange(400))
    set_now(session, accepted_at)
    _accept(session, client_id)
    later = accepted_at + (today - accepted_at) * chance.random()
    later = max(accepted_at, later.replace(hour=chance.randrange(8, 17)) - timedelta(days=1))  # in working hours
    if chance.random() < 0.24:
        set_now(session, later)
        _make_exception(session, chance, member, client_id)
    elif days > 90 and chance.random() < 0.15:
        set_now(session, today - timedelta(days=chance.randrange(1, 60), minutes=chance.randrange(400)))
        try:
            subscriptions.adopt_current_defaults(session, member, [client_id], reason="moved to the new terms")
        except ChoiceRefused:
            return
    elif days > 60 and chance.random() < 0.08:
        set_now(session, later)
        _archive(session, member, client_id, at_once=client_id % 2 == 0)


def _accept(session: Session, client_id: int) -> None:
    message = invitations.waiting(session, PARTNER_ID, client_id, OutboxMessage)
    if message is None or message.token is None:
        raise LookupError(f"nothing waits for client {client_id}")
    invitations.accept(session, message.token)


def _take_over(session: Session, by: Member, client_id: int, responsible_id: int, today: datetime) -> None:
    """Another member looks after the client from a month after its invitation on, if that is past."""
    held = subscriptions.responsible_history(session, by, client_id)[0]
    taken_over_at = held.valid_from + timedelta(days=30)
    if taken_over_at < today:
        set_now(session, taken_over_at)
        subscriptions.change_responsible(
            session, by, client_id, responsible_id, seen=held.member_id, reason="takes over the bookkeeping"
        )


def _make_exception(session: Session, chance: random.Random, member: Member, client_id: int) -> None:
    seen = subscriptions.detail(session, member, client_id).seen
    for overrides in (_overrides(chance), Overrides(payer=Payer.PARTNER)):
        try:
            subscriptions.override(session, member, client_id, overrides, seen=seen, reason=chance.choice(_REASONS))
        except ChoiceRefused:
            continue
        return


def _complete_details(session: Session, member: Member, client_id: int, today: datetime) -> None:
    """The country and a reference of the firm's own, which were not known at the invitation."""
    client = subscriptions.visible(session, member, client_id)
    known = {what.value: what.of(client) for what in ClientDetail}
    completed = ClientDetails.from_typed(**known | {"country": "BE", "external_reference": f"D-{client_id:04}"})
    invited_at = subscriptions.history(session, PARTNER_ID, client_id)[-1].valid_from
    set_now(session, max(invited_at + timedelta(hours=1), today - timedelta(days=client_id % 50)))
    invitations.edit_client(session, member, client_id, completed, seen=0, reason="found in the register")


def _archive(session: Session, member: Member, client_id: int, *, at_once: bool = False, reason: str = "") -> None:
    seen = subscriptions.detail(session, member, client_id).seen
    subscriptions.archive(session, member, client_id, seen=seen, at_once=at_once, reason=reason)
