"""Previewing and doing one act on many clients: one transaction, one number, one instant, all or nothing (rules 45 to
49). Both decide by the same code; the preview writes nothing."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core import members, subscriptions
from core.bulk import reading, surroundings
from core.bulk.acts import Act, ChangeResponsible, Chosen, Ticked, act_said, chosen_said
from core.bulk.deciding import Decider, Outcome
from core.bulk.previewed import BulkPreview, Effect, Kind, Tally
from core.bulk.reading import PastBatch
from core.bulk.refusals import LeftOut, NothingToDo, ReasonMissing, Why
from core.bulk.surroundings import Surroundings
from core.members import Member, Permission
from core.storage import allow_minutes, announced, quick_collections
from core.subscriptions import Author, Basis, Decided, Shared
from core.words import Origin, note_text

Progress = Callable[[int], object]
Given = tuple[int, int]  # a client's number, and that of the member who is to look after it
Done = tuple[list[Decided], list[Given]]  # what is to be written of some clients: decisions, account managers
Chunks = Iterator[tuple[int, Done]]  # how many clients were looked at, and what is to be written of them


@quick_collections()
def preview(session: Session, member: Member, act: Act, chosen: Chosen) -> BulkPreview:
    """What `do` would do to the clients chosen, in groups, and who would be left out. Nothing is written.

    Raises NotAllowed, NobodyChosen, TooManyClients, ClientNotFound, ResponsibleRefused, UnknownSet, RetiredSet,
    NothingToAdopt.
    """
    members.require(member, act.permission)
    allow_minutes(session)
    clients = surroundings.found(session, member, chosen)
    stand = _surroundings(session, member, act, chosen, clients)
    tally = Tally()
    for _ in _decided(session, member, act, stand, Author(member, Origin.BULK), tally):
        pass  # only what it comes to is wanted
    return shown(stand, tally, member, act=act)


@quick_collections()
def do(
    session: Session,
    member: Member,
    act: Act,
    chosen: Chosen,
    *,
    digest: str,
    reason: str,
    attempt: str = "",
    progress: Progress = lambda _: None,
) -> PastBatch:
    """Do it, to every client that is not left out, each as if it were done alone (rule 48). The batch that was made.

    `digest` is that of the preview: what was previewed is what is done. `attempt` names one drawn preview: sent twice
    it is one batch, and the second answer is the first's. `progress` is called with how many of the chosen are looked
    at, every 5 000. Who acts is asked for their permission again while it runs.
    Raises NotAllowed, ReasonMissing, BadInput, StaleBulk, NothingToDo, and as `preview`; nothing is written then.
    """
    members.act(session, member, act.permission)
    reason = required(reason)
    said = asked(act, chosen)
    form = members.form_sent(session, member, attempt, "bulk change", asked=said, ticked=_ticked(chosen), reason=reason)
    if (before := reading.of_attempt(session, member, form.key)) is not None:
        return before
    allow_minutes(session)
    clients = surroundings.found(session, member, chosen)
    stand = _surroundings(session, member, act, chosen, clients)
    among = clients if isinstance(chosen, Ticked) else None
    surroundings.refuse_other(session, member, stand, digest, among)
    batch, tally = subscriptions.next_batch(session, member.partner_id), Tally()
    author = Author(member, Origin.BULK, reason, batch)
    write(session, author, act.permission, stand, _decided(session, member, act, stand, author, tally), tally, progress)
    subscriptions.record_batch(
        session, member, batch, act.kind, at=stand.moment, reason=reason, attempt=form.key, digest=stand.digest,
        asked=said, chosen=len(clients), changed=tally.changed,
    )  # fmt: skip
    return reading.batch(session, member, batch)


def required(reason: str) -> str:
    """The reason as it is stored. Raises ReasonMissing, BadInput."""
    reason = note_text("reason", reason)
    if not reason:
        raise ReasonMissing
    return reason


def asked(act: Act, chosen: Chosen) -> dict[str, Any]:
    """What was asked for, as it is kept."""
    return act_said(act) | {"chosen": chosen_said(chosen)}


def shown(
    stand: Surroundings, tally: Tally, member: Member, *, act: Act | None = None, undoes: int | None = None
) -> BulkPreview:
    """What was counted, as a preview."""
    return BulkPreview(
        act=act,
        undoes=undoes,
        at=stand.moment,
        currency=member.partner.currency,
        digest=surroundings.token(stand.digest, stand.moment),
        chosen=len(stand.clients),
        groups=tally.largest_first,
        left_out=tuple(tally.left_out),
    )


def write(
    session: Session,
    author: Author,
    permission: Permission,
    stand: Surroundings,
    chunks: Chunks,
    tally: Tally,
    progress: Progress,
) -> None:
    """Afterwards all that was decided is written, and others could read how far it was. Raises NotAllowed, NothingToDo.

    The partner's turn is held.
    """
    by, batch = author.by, author.batch
    assert by is not None  # noqa: S101 - a member acts on many clients
    assert batch is not None  # noqa: S101 - the same
    with announced(session, by.partner_id, by.name, stand.moment, len(stand.clients)) as announce:
        done = 0
        for looked_at, (decisions, given) in chunks:
            if decisions:
                subscriptions.write_all(session, decisions, by=by, moment=stand.moment)
            if given:
                subscriptions.give_all(
                    session, by, given, moment=stand.moment, reason=author.reason, batch=batch
                )  # fmt: skip
            done += looked_at
            if done % surroundings.CHUNK and done < len(stand.clients):
                continue
            members.require_still(session, by, permission)
            announce(done)
            progress(done)
        if not tally.changed:
            raise NothingToDo
        subscriptions.clear_outlived(session, by.partner_id, stand.moment)


def _surroundings(session: Session, member: Member, act: Act, chosen: Chosen, clients: Sequence[int]) -> Surroundings:
    after = None
    if isinstance(act, ChangeResponsible):
        subscriptions.require_responsible(session, member.partner_id, act.responsible_id)
        after = subscriptions.last_given(session, member.partner_id)
    return surroundings.surroundings(session, member, clients, asked(act, chosen), after=after)


def _ticked(chosen: Chosen) -> list[int]:
    return sorted(set(chosen.clients)) if isinstance(chosen, Ticked) else []


def _decided(session: Session, member: Member, act: Act, stand: Surroundings, author: Author, tally: Tally) -> Chunks:
    """What is to be written of the clients, some at once; the tally counts them."""
    if isinstance(act, ChangeResponsible):
        yield from _given(session, member, act, stand, tally)
        return
    decider = Decider(stand.offer, author, stand.sets, Shared(stand.versions))
    yield from decided(session, member, stand, decider, lambda basis: decider.outcome(act, basis), tally)


def decided(
    session: Session,
    member: Member,
    stand: Surroundings,
    decider: Decider,
    outcome_of: Callable[[Basis], Outcome],
    tally: Tally,
    *,
    since: datetime | None = None,
) -> Chunks:
    """The decisions that come of the clients, some at once; the tally counts them. `since`: they are decided by their
    history since this instant, too."""
    for some in stand.chunks:
        decisions = []
        for basis, responsible_id in subscriptions.bases(
            session, member, some, stand.moment, known=decider.known, since=since
        ):
            outcome = outcome_of(basis)
            if isinstance(outcome, LeftOut):
                tally.left_out.append(outcome)
                continue
            decision, effect = outcome
            tally.count(effect)
            decisions.append(Decided(basis, responsible_id, decision))
        yield len(some), (decisions, [])


def _given(session: Session, member: Member, act: ChangeResponsible, stand: Surroundings, tally: Tally) -> Chunks:
    names = {each.member_id: each.name for each in members.of_partner(session, member.partner_id)}
    today = subscriptions.local_date(stand.moment, member.partner.time_zone)
    for some in stand.chunks:
        given = []
        for client_id, name, before_id in subscriptions.looked_after(session, member.partner_id, some):
            if before_id == act.responsible_id:
                tally.left_out.append(LeftOut(client_id, name, Why.NOTHING_TO_CHANGE))
                continue
            tally.count(Effect(responsible_kind(names, before_id, act.responsible_id), today))
            given.append((client_id, act.responsible_id))
        yield len(some), ([], given)


def responsible_kind(names: dict[int, str], before_id: int, after_id: int) -> Kind:
    """The kind of clients that change from one account manager to another."""
    return Kind(None, None, waits=False, responsible_before=names[before_id], responsible_after=names[after_id])
