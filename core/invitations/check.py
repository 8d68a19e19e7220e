"""Whether invitations, answers and messages fit together and fit how clients are billed: the part of `check` about
them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from core.invitations import personal_data
from core.invitations.invitation import key_of, opens
from core.invitations.payer_check import last_failure, payer_differences, untried
from core.invitations.tables import (
    DeliveryFailure,
    Invitation,
    MemberDeliveryFailure,
    MemberMessage,
    OutboxMessage,
)
from core.members import Member
from core.storage import now
from core.subscriptions import Client, Subscription
from core.words import ClientStatus


def differences(session: Session) -> Iterator[str]:
    """One sentence per difference about invitations and messages, in every partner space; none when all is well. Reads
    in a stream.

    Checks that the invitations of each client are numbered without gap; that a client is active exactly if its newest
    invitation was accepted and it was not archived since, from the moment of each answer on; that each invitation with
    a link has its messages, numbered without gap; that of those to a client or a member one waits at most, which is of
    the newest invitation, opens it and goes to the address that the client or member has; that whatever left or failed
    was tried; and that nothing is left of forgotten clients.
    """
    for (partner_id, client_id), asked in _by_client(session, _invitations()):
        where = f"partner {partner_id}, client {client_id}"
        yield from _numbered(f"{where}, invitation", [row.number for row in asked])
        for row in asked:
            yield from _wrong_answer(f"{where}, invitation {row.number}", row)
    yield from _answers_that_do_not_fit(session)
    for (partner_id, client_id), sent in _by_client(session, _messages_to_clients()):
        yield from _to_one_client(f"partner {partner_id}, client {client_id}", sent, now(session))
    for (partner_id, member_id), sent in _by_client(session, _messages_to_members()):
        yield from _to_one_member(f"partner {partner_id}, member {member_id}", sent)
    yield from payer_differences(session)
    yield from personal_data.still_known(session)


def _by_client(session: Session, statement: Any) -> Iterator[tuple[tuple[int, int], list[Any]]]:
    """The rows of each client, or member, together; they come in that order."""
    rows = session.connection().execute(statement, execution_options={"yield_per": 1000})
    for key, some in groupby(rows, lambda row: (row[0], row[1])):
        yield key, list(some)


def _invitations() -> Any:
    """Every client's invitations; a client without any comes with a number of None."""
    return (
        select(
            Client.partner_id, Client.client_id, Invitation.number, Invitation.invited_at, Invitation.expires_at,
            Invitation.accepted_at, Invitation.revoked_at,
        )
        .outerjoin(Invitation, _of_client(Invitation))
        .order_by(Client.partner_id, Client.client_id, Invitation.number)
    )  # fmt: skip


def _wrong_answer(where: str, row: Any) -> Iterator[str]:
    if row.accepted_at is not None and row.accepted_at >= row.expires_at:
        yield f"{where}: accepted {row.accepted_at}, after it had expired {row.expires_at}"
    if row.accepted_at is not None and row.revoked_at is not None:
        yield f"{where}: accepted and revoked"


def _numbered(what: str, numbers: Sequence[int | None]) -> Iterator[str]:
    """What is wrong about numbers that begin with 1 and leave none out."""
    if numbers == [None]:
        yield f"{what}: there is none"
        return
    for before, number in pairwise([0, *(number or 0 for number in numbers)]):
        if number != before + 1:
            yield f"{what} {number}: expected {before + 1}"


def _answers_that_do_not_fit(session: Session) -> Iterator[str]:
    """Of each client, the moments at which the client itself became active against those of its answers, and where it
    stands now against its newest invitation."""
    held = (
        select(
            Subscription.partner_id, Subscription.client_id, Subscription.status, Subscription.valid_from,
            Subscription.valid_to, Subscription.changed_by_id,
        )
        .order_by(Subscription.partner_id, Subscription.client_id, Subscription.revision)
    )  # fmt: skip
    answered = (
        select(
            Invitation.partner_id, Invitation.client_id, Invitation.number, Invitation.accepted_at
        ).order_by(Invitation.partner_id, Invitation.client_id, Invitation.number)
    )  # fmt: skip
    answers = _by_client(session, answered)
    of_key, invited = next(answers, ((0, 0), []))
    for key, revisions in _by_client(session, held):
        while of_key < key and invited:  # of a client without revisions, which another part names
            of_key, invited = next(answers, ((0, 0), []))
        if of_key == key:
            where = f"partner {key[0]}, client {key[1]}"
            yield from _answers_of_one(where, revisions, [row.accepted_at for row in invited])


def _answers_of_one(where: str, revisions: list[Any], answers: list[datetime | None]) -> Iterator[str]:
    """`answers`: when each invitation was accepted, oldest first."""
    began = [
        revision.valid_from
        for before, revision in pairwise([None, *revisions])
        if revision.status is ClientStatus.ACTIVE
        and (before is None or before.status is not ClientStatus.ACTIVE)
        and revision.changed_by_id is None
    ]
    accepted = [moment for moment in answers if moment is not None]
    if len(began) != len(accepted):
        yield f"{where}: accepted {len(accepted)} invitations, became active by itself {len(began)} times"
    for moment, start in zip(accepted, began, strict=False):
        if start < moment:
            yield f"{where}: active from {start}, but accepted {moment}"
    status = revisions[-1].status
    if status is ClientStatus.ACTIVE and answers[-1] is None:
        yield f"{where}: active, but its newest invitation was not accepted"
    if status is ClientStatus.INVITED and answers[-1] is not None:
        yield f"{where}: invited, but its newest invitation was accepted"


def _messages_to_clients() -> Any:
    """Every message to a client, and every invitation with a link that has none, with a sending of None."""
    failures, newest = last_failure(DeliveryFailure, OutboxMessage), _newest_invitation()
    return (
        select(
            Invitation.partner_id, Invitation.client_id, Invitation.number, OutboxMessage.sending, OutboxMessage.token,
            *_how_it_went(OutboxMessage), failures.label("failed"), Invitation.token_hash, Invitation.accepted_at,
            Invitation.revoked_at, Invitation.expires_at, newest.label("newest"), Client.email.label("address"),
        )
        .outerjoin(
            OutboxMessage,
            and_(
                OutboxMessage.partner_id == Invitation.partner_id,
                OutboxMessage.client_id == Invitation.client_id,
                OutboxMessage.number == Invitation.number,
            ),
        )
        .join(Client, _of_client(Invitation))
        .where((Invitation.token_hash.is_not(None)) | OutboxMessage.sending.is_not(None))
        .order_by(Invitation.partner_id, Invitation.client_id, Invitation.number, OutboxMessage.sending)
    )  # fmt: skip


def _to_one_client(where: str, sent: list[Any], moment: datetime) -> Iterator[str]:
    for number, messages in groupby(sent, lambda row: row.number):
        yield from _numbered(f"{where}, invitation {number}, message", [row.sending for row in messages])
    waiting = [row for row in sent if row.next_attempt_at is not None]
    if len(waiting) > 1:
        yield f"{where}: {len(waiting)} messages wait"
    for row in sent:
        message = f"{where}, invitation {row.number}, message {row.sending}"
        yield from untried(message, row)
        if row.next_attempt_at is None:
            if row.token is not None:
                yield f"{message}: has a token, and does not wait"
            continue
        if row.number != row.newest:
            yield f"{message}: waits, but the newest invitation is {row.newest}"
        if row.accepted_at is not None or row.revoked_at is not None:
            yield f"{message}: waits, but its invitation was answered or revoked"
        if row.token is None:
            yield f"{message}: waits without a token"
        elif key_of(row.token) != (row.partner_id, row.client_id, row.number) or not opens(row.token, row.token_hash):
            yield f"{message}: its token does not open its invitation"
        if row.recipient != row.address and moment < row.expires_at:  # one that lapsed leaves nothing any more
            yield f"{message}: waits for {row.recipient!r}, its client's address is {row.address!r}"


def _messages_to_members() -> Any:
    failures = last_failure(MemberDeliveryFailure, MemberMessage)
    return (
        select(
            MemberMessage.partner_id, MemberMessage.member_id, MemberMessage.sending, *_how_it_went(MemberMessage),
            failures.label("failed"), Member.email.label("address"), Member.is_active,
        )
        .join(Member, and_(Member.partner_id == MemberMessage.partner_id, Member.member_id == MemberMessage.member_id))
        .order_by(MemberMessage.partner_id, MemberMessage.member_id, MemberMessage.sending)
    )  # fmt: skip


def _to_one_member(where: str, sent: list[Any]) -> Iterator[str]:
    yield from _numbered(f"{where}, message", [row.sending for row in sent])
    waiting = [row for row in sent if row.next_attempt_at is not None]
    if len(waiting) > 1:
        yield f"{where}: {len(waiting)} messages wait"
    for row in sent:
        yield from untried(f"{where}, message {row.sending}", row)
    for row in waiting:
        if row.recipient != row.address:
            message = f"{where}, message {row.sending}"
            yield f"{message}: waits for {row.recipient!r}, the member's address is {row.address!r}"
        if not row.is_active:
            yield f"{where}, message {row.sending}: waits for a member who is inactive"


def _how_it_went(table: Any) -> tuple[Any, ...]:
    return table.recipient, table.attempts, table.next_attempt_at, table.sent_at


def _newest_invitation() -> Any:
    later = Invitation.__table__.alias()
    return (
        select(func.max(later.c.number))
        .where(later.c.partner_id == Invitation.partner_id, later.c.client_id == Invitation.client_id)
        .scalar_subquery()
    )


def _of_client(table: Any) -> Any:
    return and_(table.partner_id == Client.partner_id, table.client_id == Client.client_id)
