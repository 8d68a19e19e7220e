"""Editing who a client is: its history is kept, and a pending invitation follows a new address."""

from sqlalchemy.orm import Session

from core import members, subscriptions
from core.invitations import managing
from core.invitations.invitation import latest_invitation
from core.invitations.inviting import already_client, client_with
from core.invitations.new_client import ClientDetails
from core.members import Member, Permission
from core.subscriptions import ClientEdit
from core.words import ClientDetail, ForgottenClient, Origin, note_text


def edit_client(
    session: Session,
    member: Member,
    client_id: int,
    details: ClientDetails,
    *,
    seen: int,
    reason: str = "",
    attempt: str = "",
    origin: Origin = Origin.PAGE,
) -> ClientEdit | None:
    """Give a client these details, whatever its status. With another e-mail, the link of a pending invitation dies, and
    a message with a new one waits for the new address. The edit that was made; None if the details were so already.

    `seen` is the number of the newest edit that the member saw, 0 if there was none. `attempt` names one drawn form:
    the same one sent twice is one edit (members.form_sent). Raises NotAllowed, ClientNotFound, ForgottenClient,
    AlreadyClient, StaleDetails, BadInput; nothing is written then.
    """
    members.act(session, member, Permission.EDIT_CLIENT)
    reason = note_text("reason", reason)
    client = subscriptions.visible(session, member, client_id)
    form = members.form_sent(
        session, member, attempt, "edit client", client_id=client_id, details=details.model_dump(), reason=reason
    )
    if form.answer is not None:
        made = subscriptions.edits(session, member, client_id)
        return next((each for each in made if each.number == form.answer["number"]), None)
    if client.forgotten_at is not None:
        raise ForgottenClient(name=client.name)
    has_new_address = details.email != client.email
    if has_new_address and (known := client_with(session, member, details.email)) is not None:
        raise already_client(known, latest_invitation(session, member.partner_id, known.client_id))
    wanted = {what: getattr(details, what.value) for what in ClientDetail}
    edit = subscriptions.change_details(session, client, wanted, seen=seen, by=member, origin=origin, reason=reason)
    if has_new_address:
        managing.follow_address(session, member, client)
    form.done(number=None if edit is None else edit.number)
    return edit
