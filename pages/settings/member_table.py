"""The table of members: one per row, one click from each."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import streamlit as st

from core.members import Member
from core.team import ListedMember
from core.words import Role, moment, number, t
from pages.parts.row_buttons import open_column, words

OPENED = "members.opened"  # in the session's memory: the member whose row was clicked
_ROWS = 15  # shown without scrolling within the table
_HEIGHT = 560  # pixels, of a longer one


def show(listed: Sequence[ListedMember], key: str) -> None:
    """The table of these members; `key` changes with the rows, so that no click is taken for another row's."""
    cells: dict[str, list[Any]] = {
        "name": [words(each.member.name) for each in listed],
        "email": [each.member.email for each in listed],
        "role": [each.member.role.label for each in listed],
        "standing": [[standing_text(each.member)] for each in listed],
        "access": [access_text(each.member) for each in listed],
        "clients": [number(each.clients) if each.clients else "" for each in listed],
        "seen": [seen_text(each) for each in listed],
        "message": [message_text(each) for each in listed],
    }
    column = st.column_config
    st.dataframe(
        pa.table(cells),
        key=key,
        hide_index=True,
        height=_HEIGHT if len(listed) > _ROWS else "content",
        placeholder="",
        alt=t("The members, one per row"),
        column_config={
            "name": open_column(
                t("Name"),
                "members.open",
                OPENED,
                [each.member.member_id for each in listed],
                255,
                meaning=t("Open the member"),
                pinned=True,
            ),
            "email": column.TextColumn(t("E-mail"), width=225),
            "role": column.TextColumn(t("Role"), width=130),
            "standing": column.MultiselectColumn(
                t("Active"), options=[t("Active"), t("Inactive")], color=["green", "gray"], width=90
            ),
            "access": column.TextColumn(t("Access to clients"), width=125),
            "clients": column.TextColumn(
                t("Clients"), alignment="right", width=75, help=t("How many clients they look after.")
            ),
            "seen": column.TextColumn(t("Last seen"), width=130),
            "message": column.TextColumn(
                t("Message"), width=140, help=t("The newest message that tells the member where to sign in.")
            ),
        },
    )


def access_text(member: Member) -> str:
    """Which clients the member has access to, by role; an inactive one has none."""
    if not member.is_active:
        return t("None")
    match member.role:
        case Role.CLIENT_MANAGER:
            return t("All") if member.client_access else t("None")
        case Role.ACCOUNTANT:
            return t("Their own")
        case Role.FINANCE:
            return t("All, to read")
    return t("All")


def standing_text(member: Member) -> str:
    """Whether they can work here."""
    return t("Active") if member.is_active else t("Inactive")


def seen_text(listed: ListedMember) -> str:
    """When they were here last, to ten minutes."""
    seen_at = listed.member.last_seen_at
    return t("Never") if seen_at is None else moment(seen_at)


def message_text(listed: ListedMember) -> str:
    """How far the newest message to them came."""
    return "" if listed.message is None else listed.message.status.label
