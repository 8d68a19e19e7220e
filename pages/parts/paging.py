"""The pages of a long list: which of them is looked at, and the way to the others."""

from dataclasses import dataclass

import streamlit as st

from core.words import t


def count(total: int, size: int) -> int:
    """How many pages there are; one, too, of nothing."""
    return max(1, -(-total // size))


def of_all(page: int, size: int, shown: int, total: int) -> None:
    """Say which of all are `shown` on this page."""
    first = (page - 1) * size + 1
    st.caption(t("{first}–{last} of {total}", first=first, last=first + shown - 1, total=total))


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of `total` things, `size` on each. `key` is another one where other things are asked for, which begin
    at their first page."""

    key: str
    total: int
    size: int = 50

    @property
    def count(self) -> int:
        """How many there are."""
        return count(self.total, self.size)

    @property
    def page(self) -> int:
        """The one that is looked at: the last, where the list has got shorter than that."""
        return min(max(1, st.session_state.get(self.key) or 1), self.count)

    def turn(self, shown: int) -> None:
        """The way to the others, where there are any, and which of all are `shown` here."""
        if self.count == 1:
            return
        page = self.page
        if (st.session_state.get(self.key) or 1) > page:
            del st.session_state[self.key]
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.pagination(self.count, default=page, key=self.key, persist_state="session")
            of_all(page, self.size, shown, self.total)
