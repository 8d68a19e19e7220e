"""Forms that were sent: the same form sent twice is one act, and is answered as the first time.

Whoever draws a form gives it a key of its own (`attempt`), new for each form that is drawn and kept until what it asks
for is done. What came out is written in the transaction that did it, so it is known exactly when the act was done: also
when the connection was lost while it was committed, and when two servers got the same form at once.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.orm import Session

from core.members.tables import FormSent, Member
from core.storage import now

KEPT_FOR = timedelta(days=7)  # longer than anybody leaves a form open that they have sent
_PRUNED_AT_ONCE = 100

_PARTNER = bindparam("of_partner", type_=FormSent.partner_id.type)
_ANSWER = select(FormSent.answer).where(FormSent.partner_id == _PARTNER, FormSent.key == bindparam("of_key"))
_SENT = insert(FormSent)
_OLDEST = (
    select(FormSent.key)
    .where(FormSent.partner_id == _PARTNER, FormSent.sent_at < bindparam("kept_since", type_=FormSent.sent_at.type))
    .order_by(FormSent.sent_at)
    .limit(_PRUNED_AT_ONCE)
)
_PRUNE = delete(FormSent).where(FormSent.partner_id == _PARTNER, FormSent.key.in_(_OLDEST.scalar_subquery()))


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it was sent by a member. `answer` is what came out when it was sent before; None: it was not."""

    session: Session
    member: Member
    act: str
    key: str | None  # None: it has no key, and nothing is kept of it
    answer: Mapping[str, Any] | None

    def done(self, **answer: Any) -> None:
        """Afterwards it is known that this form was sent, and this came out: numbers and words, enough to answer
        again. What is older than KEPT_FOR goes, a hundred forms at most."""
        if self.key is None:
            return
        moment = now(self.session)
        whose = {"of_partner": self.member.partner_id}
        self.session.connection().execute(_PRUNE, whose | {"kept_since": moment - KEPT_FOR})
        self.session.connection().execute(
            _SENT,
            {
                "partner_id": self.member.partner_id,
                "key": self.key,
                "member_id": self.member.member_id,
                "act": self.act,
                "sent_at": moment,
                "answer": json.dumps(answer),
            },
        )


def form_sent(session: Session, member: Member, attempt: str, act: str, **content: Any) -> Form:
    """The form of this key by which the member asks for this act, and whether it was sent before.

    The partner's turn is held (members.act), so of two that are the same one comes first. It is known again by who sent
    it, its key, the act and what it says: a colleague's form, or one that was typed in since, is another one. What the
    member was shown (`seen`) is no part of what it says. `attempt` "": a form without a key.
    """
    if not attempt:
        return Form(session, member, act, None, None)
    said = json.dumps([member.member_id, attempt, act, content], sort_keys=True, default=_as_plain)
    key = sha256(said.encode()).hexdigest()
    answer = session.connection().scalar(_ANSWER, {"of_partner": member.partner_id, "of_key": key})
    return Form(session, member, act, key, None if answer is None else json.loads(answer))


def _as_plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else asdict(value)
