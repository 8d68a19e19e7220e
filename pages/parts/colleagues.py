"""The members who look after clients, to choose among: each in words that tell it from the others."""

from collections import Counter
from collections.abc import Iterable, Sequence

from core.members import Member
from core.subscriptions import ResponsibleMember


def in_words(
    found: Sequence[ResponsibleMember], reader: Member, own: str, *, beside: Iterable[str] = ()
) -> dict[int, str]:
    """Each by number: the reader first, as `own`; the others by name, with the e-mail where the same words stand for
    somebody else, or for a choice `beside` them."""
    others = [each for each in found if each.member_id != reader.member_id]
    used = Counter([own, *beside, *(each.name for each in others)])
    words = {each.member_id: each.name if used[each.name] == 1 else f"{each.name} ({each.email})" for each in others}
    return {reader.member_id: own} | words if len(others) < len(found) else words
