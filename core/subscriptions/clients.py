"""One client: how it is billed and why, where each choice was made, and how it was billed before (rules 4 and 11)."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from core import catalogue, defaults, members
from core.catalogue import Price
from core.defaults import DefaultSettings, NamedSet, Sets, choices
from core.members import Member, Permission
from core.storage import LARGEST_NUMBER
from core.subscriptions import revisions
from core.subscriptions.basis import Basis
from core.subscriptions.revisions import Revision, held_at, moment_of, pending_at
from core.subscriptions.rhythm import local_date
from core.subscriptions.tables import Client, Responsible
from core.subscriptions.timing import price_on
from core.words import ClientNotFound, Setting

_LOOKED_AFTER = select(
    exists().where(
        Responsible.partner_id == bindparam("partner_id"),
        Responsible.client_id == bindparam("client_id"),
        Responsible.member_id == bindparam("member_id"),
        Responsible.valid_to.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class ClientSubscription(Basis):
    """A client at `moment` (UTC): how it is billed, what waits, and where each setting comes from; `history` has all
    its revisions, `seen` is what a change must name.

    What it is bound to has `saved_by` loaded; `sets` are the default sets of today. `chosen` says for each overridden
    setting which revision made that choice. `price` is what the running period costs (None: an archived client, or no
    price).
    """

    client: Client
    price: Price | None
    sets: Sets
    chosen: Mapping[Setting, Revision]

    @property
    def target(self) -> NamedSet | None:
        """The set that it would adopt, or be invited on again: its own; the standard one, if its own is retired or it
        is bound to none (rules 22 and 36); None: no defaults are saved yet."""
        return self.sets.target(self.held.bound)

    @property
    def current(self) -> DefaultSettings | None:
        """The newest version of that set, with `saved_by` loaded."""
        return None if self.target is None else self.target.newest

    @property
    def target_to_confirm(self) -> bool:
        """Whether adopting would bind it to another set than its own, which a member has to confirm (rule 22)."""
        return self.sets.is_to_confirm(self.held.bound)

    @property
    def has_adopted(self) -> bool:
        """Whether the client is bound to another version than the one it was invited with."""
        return self.history[-1].bound != self.held.bound

    @property
    def can_go_back(self) -> bool:
        """Whether there are overrides to clear and defaults to go back to."""
        return bool(self.effective.overridden) and self.bound is not None

    @property
    def can_adopt(self) -> bool:
        """Whether there are defaults in force that the client is not bound to."""
        return self.current is not None and self.held.bound != self.current.bound

    @property
    def on_older_defaults(self) -> bool:
        """Whether its own set, not a retired one, has a newer version than the one it is bound to (rule 21)."""
        return self.sets.is_older(self.held.bound)

    @property
    def on_retired_set(self) -> bool:
        """Whether it is bound to a retired set, which is told apart (rules 20 and 21)."""
        return self.sets.is_retired(self.held.bound)

    @property
    def defaults_text(self) -> str:
        """What the version that it is bound to is called: "Default v3", "Freelancers v1 (older)"; "" for none."""
        return "" if self.held.bound is None else self.sets.said(self.held.bound, tells_older=True)


def detail(session: Session, member: Member, client_id: int) -> ClientSubscription:
    """Everything about one client. Raises NotAllowed, ClientNotFound."""
    client = visible(session, member, client_id)
    history = revisions.history(session, member.partner_id, client_id)
    moment, time_zone = moment_of(session, history), member.partner.time_zone
    held, pending = held_at(history, moment), pending_at(history, moment)
    assert held is not None  # noqa: S101 - a client has held something since its first revision
    sets, bound = defaults.sets_and_bound(session, member.partner_id, held.bound)
    pending_bound = bound
    if pending is not None and pending.bound != held.bound:
        pending_bound = None
        if pending.bound is not None:
            pending_bound = defaults.version_of(session, member.partner_id, pending.bound)
    today = local_date(moment, time_zone)
    return ClientSubscription(
        client=client,
        moment=moment,
        time_zone=time_zone,
        held=held,
        pending=pending,
        effective=defaults.effective_settings(bound, choices(held.settings, held.overridden)),
        price=price_on(catalogue.current(session, member.partner), held, today),
        period=None if held.rhythm is None else held.rhythm.period(today),
        bound=bound,
        pending_bound=pending_bound,
        sets=sets,
        history=history,
        chosen={setting: _choice(history, held, setting) for setting in Setting if setting in held.overridden},
    )


def visible(session: Session, member: Member, client_id: int) -> Client:
    """The client, if the member sees it: an accountant, if they are responsible for it now (rule 52).

    Raises NotAllowed, ClientNotFound.
    """
    members.require(member, Permission.READ_CLIENTS)
    found = None
    if 0 < client_id <= LARGEST_NUMBER and (
        members.reads_all_clients(member) or _looks_after(session, member, client_id)
    ):
        found = session.get(Client, (member.partner_id, client_id))
    if found is None:
        raise ClientNotFound(client_id=str(client_id))
    return found


def _looks_after(session: Session, member: Member, client_id: int) -> bool:
    asked = {"partner_id": member.partner_id, "client_id": client_id, "member_id": member.member_id}
    return bool(session.scalar(_LOOKED_AFTER, asked))


def _choice(history: tuple[Revision, ...], held: Revision, setting: Setting) -> Revision:
    """The revision that made the choice which holds now: the last one to hold that chose the setting or changed its
    value."""
    held_until_now = [each for each in history if each.valid_from <= held.valid_from and not each.was_withdrawn]
    for revision in sorted(held_until_now, key=lambda each: each.valid_from, reverse=True):
        if setting in revision.newly_chosen or any(change.setting is setting for change in revision.changes):
            return revision
    return history[-1]
