"""Inviting: a client is bound to the defaults in force with its exceptions, its message waits (rules 3, 4, 7 to 9)."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from core import catalogue, defaults, members, subscriptions
from core.defaults import EffectiveSettings, NamedSet, Sets, SetVersion
from core.invitations import outbox
from core.invitations.invitation import hash_of, latest_invitation, new_token
from core.invitations.new_client import NewClient
from core.invitations.tables import Invitation
from core.members import Member, Partner, Permission
from core.storage import action_of, now
from core.subscriptions import Client
from core.words import AlreadyClient, BatchKind, Origin, Overrides, RetiredDefaults, Setting, fold, note_text

CHUNK = 1000  # clients written at once, after which the progress is reported

Chosen = tuple[NewClient, EffectiveSettings, int]  # who is invited, with what, and the member who looks after it

_PARTNER = bindparam("partner_id", type_=Client.partner_id.type)
_KNOWN = select(Client).where(Client.partner_id == _PARTNER, Client.email == bindparam("email"))
_NUMBER = (
    update(Partner)
    .where(Partner.partner_id == bindparam("of_partner"))
    .values(last_client_id=Partner.last_client_id + bindparam("clients"))
    .returning(Partner.last_client_id)
)
_NEW_CLIENT = insert(Client)
_NEW_INVITATION = insert(Invitation)


def preview(
    session: Session,
    member: Member,
    overrides: Overrides = Overrides(),  # noqa: B008 - frozen
    *,
    set_number: int | None = None,
) -> EffectiveSettings:
    """What a client invited now on this set (None: on the standard one) with these overrides would get.

    Raises NotAllowed, UnknownSet, RetiredSet, MissingSetting, RetiredDefaults, ChoiceRefused.
    """
    members.require(member, Permission.INVITE)
    sets = defaults.sets_of(session, member.partner_id)
    return bindable(session, member, sets, sets.pick(set_number), overrides)


def invite(
    session: Session,
    member: Member,
    new_client: NewClient,
    overrides: Overrides = Overrides(),  # noqa: B008 - frozen
    *,
    responsible_id: int | None = None,
    reason: str = "",
    attempt: str = "",
    seen_version: SetVersion | int | None = None,
    origin: Origin = Origin.PAGE,
    set_number: int | None = None,
) -> Client:
    """Invite a client: it is bound to the newest version of this set (None: of the standard one), with these overrides;
    its invitation is pending, and the message with its link waits in the outbox (rule 18).

    `responsible_id` is the member who looks after the client from now on; None: whoever invites (rule 53). `attempt`
    names one drawn form: the same one sent twice gives the client it made the first time (members.form_sent).
    `seen_version` is the version that the member was shown; None: whichever is in force will do.
    Raises NotAllowed, AlreadyClient, UnknownSet, RetiredSet, StaleDefaults, StaleStandard, MissingSetting,
    RetiredDefaults, ChoiceRefused, ResponsibleRefused, BadInput; nothing is written then.
    """
    members.act(session, member, Permission.INVITE)
    reason = note_text("reason", reason)
    form = members.form_sent(
        session, member, attempt, "invite",
        client=new_client.model_dump(), overrides=overrides, responsible_id=responsible_id, reason=reason,
        set_number=set_number,
    )  # fmt: skip
    if form.answer is not None:
        return session.get_one(Client, (member.partner_id, form.answer["client_id"]))
    if (known := client_with(session, member, new_client.email)) is not None:
        raise already_client(known, latest_invitation(session, member.partner_id, known.client_id))
    sets = defaults.sets_of(session, member.partner_id)
    picked = sets.pick(set_number)
    defaults.require_shown(session, sets, picked, seen_version)
    effective = bindable(session, member, sets, picked, overrides)
    if responsible_id is None:
        responsible_id = member.member_id
    else:
        subscriptions.require_responsible(session, member.partner_id, responsible_id)
    last = _next_number(session, member, clients=1)
    chosen = [(new_client, effective, responsible_id)]
    (client,) = _write(session, member, chosen, first=last, origin=origin, reason=reason)
    form.done(client_id=last)
    return Client(**client)


def invite_all(
    session: Session,
    member: Member,
    chosen: Sequence[Chosen],
    *,
    progress: Callable[[int], object] = lambda _: None,
) -> int:
    """Invite these clients, each with settings that `bindable` gave in this transaction and a member who can look after
    it; the number of their batch.

    Nobody among them is a client yet. `progress` is called with how many are done. The member's turn is held
    (members.act).
    """
    last = _next_number(session, member, clients=len(chosen))
    batch = subscriptions.next_batch(session, member.partner_id)
    first = last - len(chosen) + 1
    for done in range(0, len(chosen), CHUNK):
        some = chosen[done : done + CHUNK]
        _write(session, member, some, first=first + done, origin=Origin.IMPORT, reason="", batch=batch)
        progress(done + len(some))
    subscriptions.record_batch(session, member, batch, BatchKind.IMPORT, chosen=len(chosen), changed=len(chosen))
    return batch


def client_with(session: Session, member: Member, email: str) -> Client | None:
    """The client of the member's partner that this e-mail belongs to. Asks no permission: use cases do."""
    return session.scalar(_KNOWN, {"partner_id": member.partner_id, "email": email})


def already_client(known: Client, invitation: Invitation) -> AlreadyClient:
    """The refusal that names the client an e-mail belongs to, and when it was invited last."""
    return AlreadyClient(client_id=known.client_id, name=known.name, invited_on=invitation.invited_at)


def bindable(
    session: Session, member: Member, sets: Sets, picked: NamedSet | None, overrides: Overrides
) -> EffectiveSettings:
    """What a client invited on this set, one of these, with these overrides gets; None: no defaults are saved yet.
    Raises as `preview` does."""
    effective = defaults.effective_settings(None if picked is None else picked.newest, overrides)
    offer = catalogue.current(session, member.partner)
    if picked is not None:
        inherited = offer.retired_in(effective.settings, among=frozenset(Setting) - effective.overridden)
        if inherited is not None:
            name = sets.name_of(picked.set_number)
            raise RetiredDefaults(version=picked.version, item=inherited, name=name)
    offer.refuse_unsellable(effective.settings)
    return effective


def new_invitation(session: Session, member: Member, client_id: int, number: int, **values: Any) -> dict[str, Any]:
    """A new invitation of a client, as a row of its table."""
    return {
        "partner_id": member.partner_id,
        "client_id": client_id,
        "number": number,
        "invited_by_id": member.member_id,
        "invited_at": now(session),
        "expires_at": now(session) + action_of(session).deployment.invitations_valid_for,
        "message": "",
        "reason": "",
        "token_hash": None,
    } | values


def _next_number(session: Session, member: Member, *, clients: int) -> int:
    """The last of that many client numbers."""
    asked = {"of_partner": member.partner_id, "clients": clients}
    return session.connection().execute(_NUMBER, asked).scalar_one()


def _write(
    session: Session,
    member: Member,
    chosen: Sequence[Chosen],
    *,
    first: int,
    origin: Origin,
    reason: str,
    batch: int | None = None,
) -> list[dict[str, Any]]:
    """Write clients numbered from `first`, their first revisions and who looks after them, their invitations and the
    messages that wait; the rows of the clients."""
    common = new_invitation(session, member, 0, 1)
    clients, invited, messages = [], [], []
    for number, (new_client, *_) in enumerate(chosen, first):
        token = new_token(member.partner_id, number, 1)
        clients.append(_client(member, number, new_client))
        own = {"client_id": number, "message": new_client.message, "token_hash": hash_of(token)}
        invited.append(common | own)
        key = (member.partner_id, number, 1)
        messages.append(outbox.new_message(session, member, key, 1, new_client.email, token))
    held = [
        (client, effective, responsible_id)
        for client, (_, effective, responsible_id) in zip(clients, chosen, strict=True)
    ]
    session.connection().execute(_NEW_CLIENT, clients)
    subscriptions.begin(session, held, by=member, origin=origin, reason=reason, batch=batch)
    session.connection().execute(_NEW_INVITATION, invited)
    outbox.queue(session, messages)
    return clients


def _client(member: Member, number: int, new_client: NewClient) -> dict[str, Any]:
    who = new_client.model_dump(exclude={"message"})
    found_by = {"sort_name": fold(new_client.name), "search_text": subscriptions.searched_text(who)}
    return {"partner_id": member.partner_id, "client_id": number, **found_by, **who}
