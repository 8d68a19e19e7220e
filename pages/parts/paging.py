"""The pages of a long list: which of them is looked at, and the way to the others."""

from dataclasses import dataclass

import streamlit as st

from core.words import t


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of `total` things, `size` on each. `key` is another one where other things are asked for, which begin
    at their first page."""

    key: str
    total: int
    size: int = 50

    @property
    def count(self) -> int:
        """How many there are; one, too, of nothing."""
        return max(1, -(-self.total // self.size))

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
        first = (page - 1) * self.size + 1
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.pagination(self.count, default=page, key=self.key, persist_state="session")
            st.caption(t("{first}–{last} of {total}", first=first, last=first + shown - 1, total=self.total))
