"""The picture of the plan distribution: a bar per plan, split by colour, the numbers on it."""

import altair as alt
import pandas as pd
import streamlit as st

_COLOURS = [("#1f4e79", "white"), ("#e9a23b", "black")]  # a bar's colour, and that of the number on it
_ROOM = 0.09  # a part narrower than this share of the longest bar has no room for its number; the table has it


def distribution_chart(table: pd.DataFrame, words: pd.DataFrame, title: str, key: str) -> None:
    """One bar per row of `table`, one colour per column; `words` holds the same numbers as they are read."""
    longest = max(1, int(table.sum(axis=1).max()))
    cells = pd.DataFrame(
        [
            (
                plan,
                part,
                place,
                int(table.loc[plan, part]),
                words.loc[plan, part],
                table.loc[plan, part] > longest * _ROOM,
            )
            for plan in table.index
            for place, part in enumerate(table.columns)
        ],
        columns=["plan", "part", "place", "amount", "words", "has_room"],
    )
    parts = list(table.columns)
    plans = alt.Y(
        "plan:N", title=None, sort=list(table.index), axis=alt.Axis(labelLimit=200, labelFontSize=13, ticks=False)
    )
    amounts = alt.X(
        "amount:Q", title=None, stack="zero", axis=alt.Axis(labels=False, ticks=False, grid=False, domain=False)
    )
    base = alt.Chart(cells).encode(y=plans, x=amounts, order="place:Q")
    bars = base.mark_bar(height={"band": 0.7}).encode(
        color=alt.Color(
            "part:N", title=None, sort=parts, legend=alt.Legend(orient="top", labelFontSize=13, labelLimit=300),
            scale=alt.Scale(domain=parts, range=[bar for bar, _ in _COLOURS]),
        ),
        tooltip=["plan:N", "part:N", alt.Tooltip("words:N", title=title)],
    )  # fmt: skip
    numbers = [
        base.transform_calculate(own=f"datum.has_room && datum.place == {place} ? datum.words : ''")
        .mark_text(align="right", dx=-8, color=colour, fontWeight="bold", fontSize=13)
        .encode(text="own:N", detail="part:N", x=alt.X("amount:Q", stack="zero"))
        for place, (_, colour) in enumerate(_COLOURS)
    ]
    st.altair_chart(alt.layer(bars, *numbers).properties(height=alt.Step(44)), width="stretch", key=key)
