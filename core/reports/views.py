"""Saved views of the list of clients: filters and an order under a name, a member's own or everybody's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, bindparam, delete, insert, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import members
from core.members import Member, Permission
from core.reports.filters import FILTERS, Order
from core.storage import ROWS_IN_KEY_ORDER, Base, Instant, now
from core.words import N_, BillingError, fold, name_text

LONGEST_VIEW_NAME = 40
MOST_VIEWS = 50  # of one member, and of everybody
ASKED = FILTERS | {"order_by": Order}  # what a view can say, each with what makes its value of a word
_NO_NAME = N_("Give the view a name, for example Paid by us.")


class SavedView(Base):
    """A view that was saved. `asked` is JSON: what it asks for, in stored words."""

    __tablename__ = "saved_view"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "saved_by_id"], ["member.partner_id", "member.member_id"]),
        CheckConstraint("name <> ''", name="name"),
        Index("uq_saved_view_own", "partner_id", "saved_by_id", "folded_name", unique=True,
              sqlite_where=text("NOT is_for_all"), postgresql_where=text("NOT is_for_all")),
        Index("uq_saved_view_for_all", "partner_id", "folded_name", unique=True,
              sqlite_where=text("is_for_all"), postgresql_where=text("is_for_all")),
        ROWS_IN_KEY_ORDER,
    )  # fmt: skip

    partner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    view_id: Mapped[str] = mapped_column(primary_key=True)  # by chance: the number of a removed one is not given again
    name: Mapped[str]
    folded_name: Mapped[str]
    is_for_all: Mapped[bool]
    asked: Mapped[str]
    saved_by_id: Mapped[int]
    saved_at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class View:
    """A view that a member finds in the list. `asked`: filters and order in stored words, as `ASKED` reads them."""

    view_id: str
    name: str
    is_for_all: bool
    asked: Mapping[str, str]


class ViewNameTaken(BillingError):
    """Another view, of this member or of everybody, reads the same."""

    sentence = N_("There is a view {name} already. Choose another name, or remove that one first.")

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class EmptyView(BillingError):
    """Nothing is filtered or sorted, so the view would be the list itself."""

    sentence = N_("Filter or sort the clients first: as it is, the view would show every client.")


class TooManyViews(BillingError):
    """There are as many as can be read in a menu."""

    sentence = N_("There are {most} views already. Remove one that is not used any more.")

    def __init__(self) -> None:
        super().__init__(most=MOST_VIEWS)


_OF_MEMBER = (
    select(SavedView.view_id, SavedView.name, SavedView.is_for_all, SavedView.asked)
    .where(
        SavedView.partner_id == bindparam("partner_id", type_=SavedView.partner_id.type),
        or_(SavedView.is_for_all, SavedView.saved_by_id == bindparam("member_id", type_=SavedView.saved_by_id.type)),
    )
    .order_by(SavedView.is_for_all.desc(), SavedView.folded_name)
)


def views(session: Session, member: Member) -> list[View]:
    """Everybody's views, then the member's own, each by name. Raises NotAllowed."""
    members.require(member, Permission.READ_CLIENTS)
    asked = {"partner_id": member.partner_id, "member_id": member.member_id}
    return [
        View(row.view_id, row.name, row.is_for_all, json.loads(row.asked)) for row in session.execute(_OF_MEMBER, asked)
    ]


def save_view(
    session: Session,
    member: Member,
    name: str,
    asked: Mapping[str, str],
    *,
    is_for_all: bool = False,
    attempt: str = "",
) -> View:
    """Afterwards these filters and this order are a view of this name, of the member or of everybody; it. What the list
    does not know is left out. The same form (`attempt`) sent twice saves one.

    Raises NotAllowed, BadInput, EmptyView, ViewNameTaken, TooManyViews; nothing is written then.
    """
    members.act(session, member, Permission.SHARE_VIEWS if is_for_all else Permission.READ_CLIENTS)
    name = name_text("name", name, longest=LONGEST_VIEW_NAME, missing=_NO_NAME)
    known = {word: value for word, value in asked.items() if _is_known(word, value)}
    form = members.form_sent(session, member, attempt, "save view", name=name, asked=known, is_for_all=is_for_all)
    if form.answer is not None:
        return View(form.answer["view_id"], name, is_for_all, known)
    if not known:
        raise EmptyView
    there = views(session, member)
    for each in there:
        if fold(each.name) == fold(name):
            raise ViewNameTaken(name=each.name)
    if sum(each.is_for_all is is_for_all for each in there) >= MOST_VIEWS:
        raise TooManyViews
    made = View(token_hex(8), name, is_for_all, known)
    row = {
        "partner_id": member.partner_id,
        "view_id": made.view_id,
        "name": name,
        "folded_name": fold(name),
        "is_for_all": is_for_all,
        "asked": json.dumps(known, sort_keys=True),
        "saved_by_id": member.member_id,
        "saved_at": now(session),
    }
    session.execute(insert(SavedView), row)
    form.done(view_id=made.view_id)
    return made


def remove_view(session: Session, member: Member, view_id: str) -> None:
    """Afterwards the view is not there, for nobody; also where it was gone already, or is another member's own.

    Raises NotAllowed, also for everybody's view and a member who may not share any; nothing is written then.
    """
    members.act(session, member, Permission.READ_CLIENTS)
    found = next((each for each in views(session, member) if each.view_id == view_id), None)
    if found is None:
        return
    if found.is_for_all:
        members.require(member, Permission.SHARE_VIEWS)
    session.execute(delete(SavedView).where(SavedView.partner_id == member.partner_id, SavedView.view_id == view_id))


def _is_known(word: str, value: str) -> bool:
    if word not in ASKED or not value:
        return False
    try:
        ASKED[word](value)
    except ValueError:
        return False
    return True
