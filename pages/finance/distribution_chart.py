"""The picture of the plan distribution: a bar per plan, split by colour, the numbers on it."""

import altair as alt
import pandas as pd
import streamlit as st

_COLOURS = [  # a bar's colour, and that of the number on it
    ("#2f6ea5", "white"),
    ("#e9a23b", "black"),
    ("#2a9d8f", "black"),
    ("#c8553d", "white"),
    ("#8e6c9e", "white"),
    ("#a3b18a", "black"),
]
_GREY = "#8a8f98"  # readable on light and dark
_ROOM = 0.1  # a part narrower than this share of the longest bar has no room for its number; the table has it


def distribution_chart(table: pd.DataFrame, words: pd.DataFrame, totals: list[str], title: str, key: str) -> None:
    """One bar per row of `table`, a colour per column, and its total at the end; `words` has the numbers as read."""
    plans, parts = list(table.index), list(table.columns)
    longest = max(1, int(table.sum(axis=1).max()))
    cells = pd.DataFrame(
        [
            (plan, part, place, int(table.loc[plan, part]), words.loc[plan, part])
            for plan in plans
            for place, part in enumerate(parts)
        ],
        columns=["plan", "part", "place", "amount", "words"],
    )
    cells["has_room"] = cells["amount"] > longest * _ROOM
    ends = pd.DataFrame({"plan": plans, "amount": table.sum(axis=1).tolist(), "total": totals})
    y = alt.Y("plan:N", title=None, sort=plans, axis=alt.Axis(labelLimit=200, labelFontSize=13, ticks=False))
    x = alt.X("amount:Q", title=None, stack="zero", scale=alt.Scale(domain=[0, longest * 1.12], nice=False), axis=None)
    colours = [_COLOURS[place % len(_COLOURS)] for place in range(len(parts))]
    colour = alt.Color(
        "part:N",
        title=None,
        sort=parts,
        legend=alt.Legend(orient="top", labelFontSize=13, labelLimit=300),
        scale=alt.Scale(domain=parts, range=[bar for bar, _ in colours]),
    )
    base = alt.Chart(cells).encode(y=y, x=x, order="place:Q")
    tooltip = ["plan:N", "part:N", alt.Tooltip("words:N", title=title)]
    bars = base.mark_bar(height={"band": 0.7}).encode(color=colour, tooltip=tooltip)
    numbers = [
        base.transform_calculate(own=f"datum.has_room && datum.place == {place} ? datum.words : ''")
        .mark_text(align="right", dx=-8, color=number_ink, fontWeight="bold", fontSize=13)
        .encode(text="own:N", detail="part:N")
        for place, (_, number_ink) in enumerate(colours)
    ]
    end = alt.Chart(ends).mark_text(align="left", dx=8, color=_GREY, fontSize=13)
    at_the_end = end.encode(y=y, x="amount:Q", text="total:N")
    picture = alt.layer(bars, *numbers, at_the_end).properties(height=alt.Step(44))
    st.altair_chart(picture, width="stretch", key=key)
